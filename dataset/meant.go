package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// unknownKind refuses a specification that begins with no kind of data. Where it is the
// path of something that exists, with or without options, it says how that is written.
func unknownKind(text, name string) error {
	path, _ := cutOptions(text)
	if info, err := os.Stat(path); err == nil {
		if kind := kindOf(path, info.IsDir()); kind != "" {
			return specErrorf("no kind of data stands before %.80q: did you mean %.200q?", path, kind+":"+text)
		}
		return specErrorf("no kind of data stands before %.80q: write %.200q, with KIND one of %s", path, "KIND:"+text, strings.Join(kindNames(), ", "))
	}
	hint := ""
	if kind := kindOf(path, false); kind != "" && !strings.Contains(text, ":") {
		hint = fmt.Sprintf("; write %s:%.200s", kind, text)
	}
	return specErrorf("unknown kind of data %.80q: known are %s%s", name, strings.Join(kindNames(), ", "), hint)
}

// kindOf is the kind of data that a file or a folder is by its name, "" if that doesn't
// say.
func kindOf(path string, folder bool) string {
	if folder {
		return kindOfFolder(path)
	}
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(path)), ".gz")
	switch ending := strings.TrimPrefix(filepath.Ext(name), "."); {
	case slices.Contains([]string{"npy", "npz", "csv", "mat", "idx"}, ending):
		return ending
	case ending == "tsv":
		return "csv"
	case strings.HasSuffix(name, "-ubyte"): // as MNIST's files are called
		return "idx"
	}
	return ""
}

// kindOfFolder tells the files of MNIST, of its relatives and of EMNIST from pictures.
func kindOfFolder(dir string) string {
	for _, split := range []string{"train", "test"} {
		releases, _ := mnistReleases(split)
		if all, err := findReleases(dir, slices.Concat(mnistFolders, relativeFolders), releases); err != nil || len(all) > 0 {
			return "mnist"
		}
		for _, set := range emnistSets {
			if all, err := findReleases(dir, emnistFolders, []release{emnistRelease(set, split)}); err != nil || len(all) > 0 {
				return "emnist"
			}
		}
	}
	return "images"
}
