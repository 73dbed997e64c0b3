package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/array"
	"github.com/unitscope/unitscope/dataset/internal/idx"
	"github.com/unitscope/unitscope/dataset/numpy"
)

func openIDX(s spec, _ uint64) (Set, error) {
	if _, err := s.scale(); err != nil {
		return nil, err
	}
	a, err := readIDX(s.path)
	if err != nil {
		return nil, err
	}
	if len(a.Shape) == 1 {
		return nil, fmt.Errorf("%s: one number per example: is this a file of labels?", s.path)
	}
	return fromFile(s, a, nil)
}

func openNPY(s spec, _ uint64) (Set, error) {
	if _, err := s.scale(); err != nil {
		return nil, err
	}
	var a *array.Array
	err := withFile(s.path, func(f *os.File, size int64) (err error) {
		a, err = numpy.Read(f, size)
		return err
	})
	if err != nil {
		return nil, err
	}
	return fromFile(s, a, nil)
}

func openNPZ(s spec, _ uint64) (Set, error) {
	if _, err := s.scale(); err != nil {
		return nil, err
	}
	var a *array.Array
	var labels []int32
	err := withFile(s.path, func(f *os.File, size int64) error {
		archive, err := numpy.OpenArchive(f, size)
		if err != nil {
			return err
		}
		if s.options["x"] == "" {
			if s.options["x"], err = archive.Only(s.options["y"]); err != nil {
				return err
			}
		}
		if a, err = archive.Read(s.options["x"]); err != nil || s.options["y"] == "" {
			return err
		}
		labels, err = archive.ReadLabels(s.options["y"])
		return err
	})
	if err != nil {
		return nil, err
	}
	return fromFile(s, a, labels)
}

// fromFile is the set of a specification whose path is the one file it needs.
func fromFile(s spec, a *array.Array, labels []int32) (Set, error) {
	scale, err := s.scale()
	if err != nil {
		return nil, err
	}
	set, err := newMemory(s.String(), []string{s.path}, a, labels, scale)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	return set, nil
}

func openMNIST(s spec, _ uint64) (Set, error) { return mnist(s) }

// mnist reads the images and labels of one half of MNIST.
func mnist(s spec) (*memory, error) {
	prefix, err := mnistPrefix(s.options["split"])
	if err != nil {
		return nil, err
	}
	images, imagesFile, err := readMNIST(s.path, prefix+"-images", "idx3-ubyte", 3)
	if err != nil {
		return nil, err
	}
	labels, labelsFile, err := readMNIST(s.path, prefix+"-labels", "idx1-ubyte", 1)
	if err != nil {
		return nil, err
	}
	if images.Shape[0] != labels.Shape[0] {
		return nil, fmt.Errorf("%s has %d images and %s %d labels", imagesFile, images.Shape[0], labelsFile, labels.Shape[0])
	}
	classes := make([]int32, len(labels.Bytes))
	for i, label := range labels.Bytes {
		classes[i] = int32(label)
	}
	set, err := newMemory(s.String(), []string{imagesFile, labelsFile}, images, classes, pictureScale)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", imagesFile, err)
	}
	return set, nil
}

func mnistPrefix(split string) (string, error) {
	switch split {
	case "train":
		return "train", nil
	case "test":
		return "t10k", nil
	}
	return "", specErrorf("split=%s: want train or test", split)
}

// readMNIST reads one of MNIST's files, under any of the names it goes by.
func readMNIST(dir, stem, suffix string, dimensions int) (*array.Array, string, error) {
	file, err := findMNIST(dir, stem, suffix)
	if err != nil {
		return nil, "", err
	}
	a, err := readIDX(file)
	if err != nil {
		return nil, "", err
	}
	if len(a.Shape) != dimensions || a.Bytes == nil {
		return nil, "", fmt.Errorf("%s: shape %v, want unsigned bytes in %d dimensions", file, a.Shape, dimensions)
	}
	return a, file, nil
}

func findMNIST(dir, stem, suffix string) (string, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return "", pathError(dir, err)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is a file, want the folder of MNIST's IDX files", dir)
	}
	names := []string{stem + "-" + suffix, stem + "." + suffix}
	for _, name := range names {
		for _, packed := range []string{"", ".gz"} {
			file := filepath.Join(dir, name+packed)
			if info, err := os.Stat(file); err == nil && !info.IsDir() {
				return file, nil
			}
		}
	}
	return "", fmt.Errorf("%s holds neither %s, with or without .gz", dir, strings.Join(names, " nor "))
}

func readIDX(path string) (*array.Array, error) {
	var a *array.Array
	err := withFile(path, func(f *os.File, size int64) (err error) {
		a, err = idx.Read(f, size)
		return err
	})
	return a, err
}

// withFile opens a regular file for use; errors name it.
func withFile(path string, use func(f *os.File, size int64) error) error {
	info, err := os.Stat(path)
	if err != nil {
		return pathError(path, err)
	}
	// Anything else has no size to check a header against, and opening a pipe
	// could wait for ever.
	if !info.Mode().IsRegular() {
		what := "no regular file"
		if info.IsDir() {
			what = "a folder"
		}
		return fmt.Errorf("%s is %s, want a file", path, what)
	}
	f, err := os.Open(path)
	if err != nil {
		return pathError(path, err)
	}
	defer f.Close()
	if err := use(f, info.Size()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// pathError says once which path is meant and what is wrong with it.
func pathError(path string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}
