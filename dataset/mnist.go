package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/array"
	"github.com/unitscope/unitscope/dataset/internal/idx"
)

// release is one half of a data set in the files of MNIST or of those made like it:
// the names that they go by, without .gz.
type release struct {
	name           string
	images, labels []string
}

// mnistReleases are those that mnist: finds in a folder, the likeliest first.
func mnistReleases(split string) ([]release, error) {
	stem := map[string]string{"train": "train", "test": "t10k"}[split]
	if stem == "" {
		return nil, specErrorf("split=%s: want train or test", split)
	}
	return []release{
		{"MNIST", []string{stem + "-images-idx3-ubyte", stem + "-images.idx3-ubyte"}, []string{stem + "-labels-idx1-ubyte", stem + "-labels.idx1-ubyte"}},
		{"QMNIST", []string{"qmnist-" + split + "-images-idx3-ubyte"}, []string{"qmnist-" + split + "-labels-idx2-int"}},
	}, nil
}

// The folders that torchvision makes of a folder it is given, besides that itself.
// MNIST is what the kind is called for; of the others there may be one.
var (
	mnistFolders    = []string{"", "raw", filepath.Join("MNIST", "raw")}
	relativeFolders = []string{filepath.Join("FashionMNIST", "raw"), filepath.Join("KMNIST", "raw"), filepath.Join("QMNIST", "raw")}
)

func openMNIST(s spec, _ uint64) (Set, error) { return mnist(s) }

// mnist reads the images and labels of one half of MNIST, or of a relative.
func mnist(s spec) (*memory, error) {
	releases, err := mnistReleases(s.options["split"])
	if err != nil {
		return nil, err
	}
	f, others, err := findMNIST(s.path, releases)
	if err != nil {
		return nil, err
	}
	c, err := f.read()
	if err != nil {
		return nil, err
	}
	for _, other := range others {
		c.remarks = append(c.remarks, other.dir+" is there too, and was not read")
	}
	return f.set(s, c)
}

// found is a release in a folder, by the files that hold it.
type found struct {
	release
	dir            string
	elsewhere      bool // than in the folder that was named
	images, labels string
}

// findMNIST looks where torchvision puts the files, too. others are relatives that
// are there besides MNIST.
func findMNIST(dir string, releases []release) (f found, others []found, err error) {
	if err := checkFolder(dir); err != nil {
		return found{}, nil, err
	}
	first, err := findReleases(dir, mnistFolders, releases)
	if err != nil {
		return found{}, nil, err
	}
	others, err = findReleases(dir, relativeFolders, releases)
	switch {
	case err != nil:
		return found{}, nil, err
	case len(first) > 0:
		return first[0], others, nil
	case len(others) == 1:
		return others[0], nil, nil
	case len(others) > 1:
		var dirs []string
		for _, o := range others {
			dirs = append(dirs, o.dir)
		}
		return found{}, nil, fmt.Errorf("%s holds several data sets: name the folder of one, %s", dir, strings.Join(dirs, ", "))
	}
	return found{}, nil, missing(dir, releases, slices.Concat(mnistFolders, relativeFolders))
}

func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return pathError(dir, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is a file, want the folder of MNIST's IDX files", dir)
	}
	return nil
}

// findReleases are those in any of these folders of dir, in order. One without its
// labels is an error.
func findReleases(dir string, folders []string, releases []release) (all []found, err error) {
	for _, folder := range folders {
		for _, r := range releases {
			f := found{release: r, dir: filepath.Join(dir, folder), elsewhere: folder != ""}
			if f.images = findFile(f.dir, r.images); f.images == "" {
				continue
			}
			if f.labels = findFile(f.dir, r.labels); f.labels == "" {
				return nil, fmt.Errorf("%s is there, and its labels are not: looked for %s, with or without .gz", f.images, strings.Join(r.labels, " and "))
			}
			all = append(all, f)
		}
	}
	return all, nil
}

// findFile is the first file of these names, packed or not; "" if there is none. Some
// archives unpack to a file in a folder of its own name.
func findFile(dir string, names []string) string {
	for _, name := range names {
		for _, file := range []string{name, name + ".gz", filepath.Join(name, name)} {
			file = filepath.Join(dir, file)
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
				return file
			}
		}
	}
	return ""
}

// missing says what names were looked for, where, and what is there instead.
func missing(dir string, releases []release, folders []string) error {
	var names []string
	for _, r := range releases {
		names = append(names, r.images...)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return pathError(dir, err)
	}
	var there []string
	hint := ""
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "emnist-") && !strings.HasPrefix(names[0], "emnist-") {
			hint = fmt.Sprintf(" (those of EMNIST are read by emnist:%s)", dir)
		}
		there = append(there, e.Name())
	}
	const shown = 8
	if len(there) > shown {
		there = append(there[:shown], "...")
	}
	if len(there) == 0 {
		there = []string{"nothing"}
	}
	return fmt.Errorf("%s holds none of %s, with or without .gz, nor do %s in it; it holds %s%s", dir, strings.Join(names, ", "), strings.Join(folders[1:], ", "), strings.Join(there, ", "), hint)
}

// read reads the images and the labels.
func (f found) read() (*contents, error) {
	c := &contents{files: []string{f.images, f.labels}}
	if f.elsewhere || f.name != "MNIST" {
		c.remarks = append(c.remarks, fmt.Sprintf("read %s and %s", f.images, f.labels))
	}
	var err error
	if c.examples, err = c.readIDX(f.images, 3); err != nil {
		return nil, err
	}
	if f.name == "QMNIST" {
		err = c.readQMNIST(f.labels)
	} else {
		err = c.readClasses(f.labels)
	}
	if err != nil {
		return nil, err
	}
	if c.examples.Shape[0] != len(c.labels) {
		return nil, fmt.Errorf("%s has %d images and %s %d labels", f.images, c.examples.Shape[0], f.labels, len(c.labels))
	}
	return c, nil
}

// set makes a set of what was read: bytes of pictures, whatever the largest is.
func (f found) set(s spec, c *contents) (*memory, error) {
	m, err := newMemory(s.String(), c.files, c.examples, c.labels, pictureScale)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.images, err)
	}
	m.info.Remarks, m.info.Warnings = c.remarks, c.warnings
	if high := slices.Max(m.bytes); high <= pictureScale/2 {
		m.info.Warnings = append(m.info.Warnings, fmt.Sprintf("%s: its bytes end at %d and were divided by 255; if they are out of less, idx:FILE,y=FILE,scale=%d takes the same files", f.images, high, max(high, 1)))
	}
	return m, nil
}

// readIDX reads a file of unsigned bytes.
func (c *contents) readIDX(path string, dimensions int) (a *array.Array, err error) {
	err = withIDX(path, func(f *array.File) error {
		if len(f.Shape) != dimensions || f.Type.Kind != array.Unsigned || f.Type.Size != 1 {
			return fmt.Errorf("shape %v of %s, want unsigned bytes in %d dimensions", f.Shape, f.Type, dimensions)
		}
		a, err = f.Read()
		c.note(path, f.Remarks, f.Warnings)
		return err
	})
	return a, err
}

func (c *contents) readClasses(path string) error {
	a, err := c.readIDX(path, 1)
	if err != nil {
		return err
	}
	c.labels = make([]int32, len(a.Bytes))
	for i, label := range a.Bytes {
		c.labels[i] = int32(label)
	}
	return nil
}

// qmnistColumns are what QMNIST says of a digit: first its class, then who wrote it
// and where it was found.
const qmnistColumns = 8

func (c *contents) readQMNIST(path string) error {
	return withIDX(path, func(f *array.File) error {
		if len(f.Shape) != 2 || f.Shape[1] != qmnistColumns {
			return fmt.Errorf("labels have shape %v, want [n, %d]", f.Shape, qmnistColumns)
		}
		if f.Type.Kind != array.Signed {
			return fmt.Errorf("labels are %s, want int32", f.Type)
		}
		// All columns are read as labels are, which float32 would round.
		f.Shape = []int{f.Shape[0] * qmnistColumns}
		all, err := f.Labels()
		if err != nil {
			return err
		}
		c.note(path, f.Remarks, f.Warnings)
		c.remarks = append(c.remarks, fmt.Sprintf("%s: the first of %d columns is the class", path, qmnistColumns))
		c.labels = make([]int32, len(all)/qmnistColumns)
		for i := range c.labels {
			c.labels[i] = all[i*qmnistColumns]
		}
		return nil
	})
}

func withIDX(path string, use func(f *array.File) error) error {
	return withFile(path, func(file *os.File, size int64) error {
		f, err := idx.Open(file, size)
		if err != nil {
			return err
		}
		return use(f)
	})
}
