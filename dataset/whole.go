package dataset

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// wholeSize is the value of the option size for pictures as they are.
const wholeSize = "whole"

// whole is a set of whole pictures of one size, each an example.
type whole struct{ *patches }

// openWhole opens the pictures of a folder, in the order of their names.
func openWhole(s spec) (Set, error) {
	if n, given := s.options["n"]; given {
		return nil, specErrorf("n=%s is for patches: with size=whole every picture is one example", n)
	}
	s.setUsual("whiten", untouched)
	w, err := s.whitening()
	if err != nil {
		return nil, err
	}
	if w.method != untouched {
		return nil, specErrorf("whiten=%s is for patches: with size=whole pictures are as they are, whiten=none", w.method)
	}
	p := &patches{info: Info{Name: s.String()}, whitening: w, size: 1}
	if err := p.readFolder(s.path); err != nil {
		return nil, err
	}
	if err := p.oneSize(s.path); err != nil {
		return nil, err
	}
	p.info.Shape = []int{p.pictures[0].rows, p.pictures[0].cols}
	p.count = len(p.pictures)
	if err := p.prepare(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	return whole{p}, nil
}

// oneSize refuses pictures of a folder that differ in size.
func (p *patches) oneSize(dir string) error {
	first := p.pictures[0]
	i := slices.IndexFunc(p.pictures, func(q picture) bool { return q.rows != first.rows || q.cols != first.cols })
	if i < 0 {
		return nil
	}
	name := func(file string) string {
		return strings.TrimPrefix(file, filepath.Clean(dir)+string(filepath.Separator))
	}
	return fmt.Errorf("%s: size=whole wants pictures of one size: %s has %dx%d pixels, %s has %dx%d; size=12 cuts patches of them",
		dir, name(p.info.Files[0]), first.rows, first.cols, name(p.info.Files[i]), p.pictures[i].rows, p.pictures[i].cols)
}

func (w whole) Read(dst []float32, indices []int) error {
	size := w.info.Size()
	if err := checkRead(dst, indices, w.count, size); err != nil {
		return err
	}
	for i, index := range indices {
		q := &w.pictures[index]
		q.copy(dst[i*size:(i+1)*size], 0, 0, q.rows, q.cols)
	}
	return nil
}

// Label is the class of a picture.
func (w whole) Label(index int) (int, bool) {
	if w.labels == nil || index < 0 || index >= w.count {
		return 0, false
	}
	return w.labels[index], true
}
