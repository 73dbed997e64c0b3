package site

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// runFolder is one that a report is about.
type runFolder struct {
	path    string
	name    string // its path below the folder that was given, with slashes
	record  runfolder.Record
	problem string // why its results are not shown; "" if they are
	of      *Model // that it read or wrote; nil for none, and for several
}

// maxFolders bounds a search for run folders: a paper has a hundred of them.
const maxFolders = 100_000

// find lists the run folders in and below the folders given, in the order of
// their names. Links to folders are not followed.
func find(ctx context.Context, folders []string) ([]*runFolder, error) {
	var all []*runFolder
	seen := map[string]bool{}
	for _, folder := range folders {
		prefix := ""
		if len(folders) > 1 {
			prefix = prefixOf(folder, folders)
		}
		found, err := findIn(ctx, folder, prefix)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("report: %s: no run folder in it (no %s)", folder, schema.Record)
		}
		for _, r := range found {
			if real, err := filepath.EvalSymlinks(r.path); err == nil && !seen[real] {
				seen[real] = true
				all = append(all, r)
			}
		}
	}
	return all, nil
}

// prefixOf is what a folder's runs are called by: the last part of its path, or
// all of it where another folder has the same last part.
func prefixOf(folder string, folders []string) string {
	base := func(path string) string { return filepath.Base(filepath.Clean(path)) }
	for _, other := range folders {
		if base(other) == base(folder) && filepath.Clean(other) != filepath.Clean(folder) {
			return filepath.Clean(folder)
		}
	}
	return base(folder)
}

func findIn(ctx context.Context, folder, prefix string) (all []*runFolder, err error) {
	if info, err := os.Stat(folder); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("report: %s: it is a file, want a run folder", folder)
	}
	// The folder itself may be a link: a walk would not go into it.
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	nameOf := func(below string) string {
		if name := filepath.ToSlash(filepath.Join(prefix, below)); name != "." {
			return name
		}
		return filepath.Base(filepath.Clean(folder))
	}
	folders := 0
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		below, _ := filepath.Rel(root, path)
		if err != nil {
			if below == "." || e == nil || !e.IsDir() {
				return err
			}
			all = append(all, &runFolder{path: filepath.Join(folder, below), name: nameOf(below), problem: "it can't be read: " + err.Error()})
			return fs.SkipDir
		}
		if e.IsDir() {
			folders++
			if folders > maxFolders {
				return fmt.Errorf("%s: more than %d folders below it; name those with runs", folder, maxFolders)
			}
			return ctx.Err()
		}
		if e.Name() != schema.Record {
			return nil
		}
		inside := filepath.Dir(below)
		all = append(all, open(filepath.Join(folder, inside), nameOf(inside)))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	all = slices.DeleteFunc(all, func(r *runFolder) bool { return r.record.Task == schema.TaskReport })
	slices.SortFunc(all, func(a, b *runFolder) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// open reads a run's record and makes sure that its files are what it wrote.
func open(path, name string) *runFolder {
	r := &runFolder{path: path, name: name}
	var err error
	if r.record, err = runfolder.ReadRecord(path); err != nil {
		r.problem = "its record can't be read: " + err.Error()
		return r
	}
	if r.record.Status != runfolder.Complete {
		r.problem = fmt.Sprintf("the run %q is not complete; finish it with --resume where the command has it, or run it again with --force", r.record.Task)
		return r
	}
	// A run with other runs below it may be under way while those are reported.
	if err := runfolder.Verify(path); err != nil {
		r.problem = err.Error()
	}
	return r
}

// file is the path of a file that the run wrote; "" if it did not.
func (r *runFolder) file(name string) string {
	if slices.ContainsFunc(r.record.Outputs, func(o runfolder.FileDigest) bool { return o.Name == name }) {
		return filepath.Join(r.path, name)
	}
	return ""
}

// model is the SHA-256 of the one model that the run read, or wrote.
func (r *runFolder) model() (digest string, err error) {
	for _, o := range r.record.Outputs {
		if o.Name == schema.Model {
			return o.SHA256, nil
		}
	}
	for _, in := range r.record.Inputs {
		if schema.IsModel(in.Name) {
			if digest != "" {
				return "", errors.New("it read more than one model")
			}
			digest = in.SHA256
		}
	}
	if said := r.saidOfModel(); digest != "" && said != "" {
		digest += " " + said
	}
	if digest == "" {
		return "", errors.New("its record names no model, and no ascent that is in the folders given")
	}
	return digest, nil
}

// saidOfModel is what a command said of a file of parameters: with another activation
// it is another network.
func (r *runFolder) saidOfModel() string {
	var said []string
	for _, name := range []string{"activation", "map", "normalize"} {
		if text := r.record.Options[name]; text != "" {
			said = append(said, text)
		}
	}
	return strings.Join(said, " ")
}

// modelName is how the run itself calls its model: the folder it is in.
func (r *runFolder) modelName() string {
	for _, in := range r.record.Inputs {
		if schema.IsModel(in.Name) {
			name := filepath.ToSlash(in.Name)
			if folder := strings.TrimSuffix(name, "/"+schema.Model); folder != name {
				name = folder
			}
			return name[strings.LastIndex(name, "/")+1:]
		}
	}
	return r.name
}

// Name is the run's folder, for pages.
func (r *runFolder) Name() string { return r.name }

// About says what the run is about, for pages: a model, and a layer where it is one.
func (r *runFolder) About() string {
	if r.of == nil {
		return ""
	}
	if number := layerOf(r); number > 0 && r != r.of.run {
		return r.of.Name + ", " + r.of.title(number)
	}
	return r.of.Name
}

// Record is how the run was made, for pages.
func (r *runFolder) Record() runfolder.Record { return r.record }
