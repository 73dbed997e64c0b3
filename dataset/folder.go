package dataset

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/photo"
)

// maxEntries is the most files and folders that a folder of pictures may hold.
const maxEntries = 1 << 20

// folderOfPictures is what a folder and the folders in it hold, in order of their
// names, a folder's files where its name comes.
type folderOfPictures struct {
	files   []string
	classes []int          // of files: the index in names, or -1 for those in the folder itself
	names   []string       // of the first-level folders that hold pictures, sorted
	skipped map[string]int // by ending: files that are no pictures
	foreign map[string]int // by ending: pictures in formats that can't be read
	locked  []string       // folders that can't be opened
	again   []string       // links to folders that were read already
	entries int
	seen    map[string]bool // folders that were read, by their real paths
}

// findPictures looks for pictures by the endings of their names. Hidden files and
// folders, which systems leave behind, hold none. Links are followed, but no
// folder is read twice, so that loops of them end.
func findPictures(dir string) (*folderOfPictures, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, pathError(dir, err)
	}
	found := &folderOfPictures{skipped: map[string]int{}, foreign: map[string]int{}, seen: map[string]bool{}}
	if err := found.walk(dir, -1, 0); err != nil {
		return nil, err
	}
	if found.files == nil {
		return nil, fmt.Errorf("%s holds no pictures, files that end in %s%s", dir, orList(photo.Endings()), found.insteadOf())
	}
	return found, nil
}

// walk reads a folder that is depth levels below the first and of this class.
func (f *folderOfPictures) walk(dir string, class, depth int) error {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		f.locked = append(f.locked, dir)
		return nil
	}
	if f.seen[real] {
		f.again = append(f.again, dir)
		return nil
	}
	f.seen[real] = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		f.locked = append(f.locked, dir)
		return nil
	}
	if f.entries += len(entries); f.entries > maxEntries {
		return fmt.Errorf("%s: more than %d files in this folder and those before it, want a folder of pictures", dir, maxEntries)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."):
			f.skipped["hidden"]++
		case isFolder(path, e):
			if err := f.enter(path, class, depth); err != nil {
				return err
			}
		default:
			f.add(path, class)
		}
	}
	return nil
}

// enter walks into a folder. One of the first level is a class if it holds any
// pictures.
func (f *folderOfPictures) enter(path string, class, depth int) error {
	if depth > 0 {
		return f.walk(path, class, depth+1)
	}
	before := len(f.files)
	err := f.walk(path, len(f.names), depth+1)
	if len(f.files) > before {
		f.names = append(f.names, filepath.Base(path))
	}
	return err
}

func isFolder(path string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (f *folderOfPictures) add(path string, class int) {
	readable, other := photo.Named(path)
	ending := strings.ToLower(filepath.Ext(path))
	if ending == "" {
		ending = "no ending"
	}
	switch {
	case readable:
		f.files, f.classes = append(f.files, path), append(f.classes, class)
	case other:
		f.foreign[ending]++
	default:
		f.skipped[ending]++
	}
}

// insteadOf says what a folder without pictures holds.
func (f *folderOfPictures) insteadOf() string {
	all := maps.Clone(f.skipped)
	maps.Copy(all, f.foreign)
	if len(all) == 0 {
		return ""
	}
	return "; it holds " + counts(all)
}

// labels are the classes of the files, or nil if they have none.
func (f *folderOfPictures) labels() []int {
	if !f.hasClasses() {
		return nil
	}
	return f.classes
}

// hasClasses says whether every picture lies in a first-level folder, of several.
func (f *folderOfPictures) hasClasses() bool {
	return len(f.names) > 1 && !slices.Contains(f.classes, -1)
}

// How many things a remark names before it only counts, and how many that take a
// whole line each.
const (
	maxListed      = 10
	maxListedLines = 3
)

// counts lists what there is how often, the most frequent first: ".txt (3), .pdf (1)".
func counts(times map[string]int) string {
	names := slices.SortedFunc(maps.Keys(times), func(a, b string) int {
		return cmp.Or(cmp.Compare(times[b], times[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s (%d)", name, times[name])
	}
	return listed(names, maxListed)
}

// listed joins the first of things and counts the others.
func listed(things []string, most int) string {
	if more := len(things) - most; more > 0 {
		return fmt.Sprintf("%s, and %d more", strings.Join(things[:most], ", "), more)
	}
	return strings.Join(things, ", ")
}

func orList(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// describe says what became of everything in the folder whose pictures got these
// labels.
func (f *folderOfPictures) describe(info *Info, labels []int) {
	remark := func(format string, args ...any) { info.Remarks = append(info.Remarks, fmt.Sprintf(format, args...)) }
	warn := func(format string, args ...any) { info.Warnings = append(info.Warnings, fmt.Sprintf(format, args...)) }
	switch {
	case f.hasClasses():
		remark("labels are the folders that the pictures lie in: %s", f.perClass(labels))
		if split := f.splits(); split != "" {
			warn("%s are taken for classes: name one of these folders to have the classes in it", split)
		}
	case len(f.names) > 1:
		remark("pictures lie beside the folders %s too, so that they have no labels", listed(f.names, maxListed))
	case len(f.names) == 1:
		remark("pictures lie in the folder %s too, which alone gives no labels", f.names[0])
	}
	if len(f.skipped) > 0 {
		remark("left out as no pictures by their names: %s", counts(f.skipped))
	}
	if len(f.again) > 0 {
		remark("left out as links to folders that were read already: %s", listed(f.again, maxListed))
	}
	if len(f.foreign) > 0 {
		warn("pictures of formats that can't be read, which are left out: %s", counts(f.foreign))
	}
	if len(f.locked) > 0 {
		warn("folders that can't be opened, which are left out: %s", listed(f.locked, maxListed))
	}
}

// perClass lists the classes with their numbers of pictures.
func (f *folderOfPictures) perClass(labels []int) string {
	times := make([]int, len(f.names))
	for _, class := range labels {
		times[class]++
	}
	all := make([]string, len(f.names))
	for i, name := range f.names {
		all[i] = fmt.Sprintf("%d %s (%d)", i, name, times[i])
	}
	return listed(all, maxListed)
}

// splits names the classes, if all are called as parts of a data set are.
func (f *folderOfPictures) splits() string {
	for _, name := range f.names {
		switch strings.ToLower(name) {
		case "train", "training", "val", "valid", "validation", "test", "testing", "eval":
		default:
			return ""
		}
	}
	return strings.Join(f.names, " and ")
}
