package dataset

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/unitscope/unitscope/dataset/internal/elastic"
	"github.com/unitscope/unitscope/engine"
)

// deformed is a set of deformed pictures of another set.
type deformed struct {
	info    Info
	of      Set
	count   int
	seed    uint64
	grid    *elastic.Grid
	scratch sync.Pool // of *deformScratch
}

// deformScratch is what one goroutine of a Read needs.
type deformScratch struct {
	originals []float32 // [deformBatch, size]
	indices   []int     // [deformBatch]
}

// deformBatch is how many originals a goroutine fetches at a time.
const deformBatch = 32

// jitter is how far [Deform] goes: the field of Simard et al. and an affine map
// small enough that a digit stays the digit it is.
func jitter() elastic.Ranges {
	return elastic.Ranges{
		Rotation: 7.5 * math.Pi / 180,
		Slant:    0.1,
		Scale:    0.08,
		Aspect:   0.08,
		Shift:    0.5,
		Elastic:  elastic.Simard,
	}
}

// Deform makes n examples out of a set of pictures by elastic deformation
// (Simard, Steinkraus and Platt, 2003: a random displacement field smoothed by
// a Gaussian of sigma 4, times alpha 34, in pixels of a 28x28 picture; the
// pixels of other sizes count in proportion) and a small affine map: rotation
// up to 7.5 degrees, slant up to 0.1, size within 8 %, width over height
// within 8 %, shift up to 0.5 pixels. With n = 2.5 million and MNIST it stands
// for the extended MNIST of the paper. Interpolation softens strokes: the mean
// norm of MNIST's digits falls from 9.2 to 8.7, so take rho from the deformed
// set ([MeanNorm]).
//
// Example i is a deformation of example i mod s.Len() with its label, so any
// s.Len() examples in a row show each original once; the first ones are
// deformed too. It is a function of seed, i and the original only, is made when
// it is read and never stored. Read uses up to GOMAXPROCS goroutines.
//
// Examples of s that are no pictures (a shape other than [rows, cols], 2x2 at
// least) and n outside 1..2^31-1 are errors. Closing the set closes s.
func Deform(s Set, n int, seed uint64) (Set, error) {
	info := s.Info()
	return deform(s, n, seed, fmt.Sprintf("%s deformed, n=%d", info.Name, n))
}

func deform(s Set, n int, seed uint64, name string) (Set, error) {
	info := s.Info()
	if err := checkCount(n); err != nil {
		return nil, fmt.Errorf("deform: %w", err)
	}
	if len(info.Shape) != 2 || info.Shape[0] < 2 || info.Shape[1] < 2 {
		return nil, fmt.Errorf("deform: examples have shape %v, want pictures [rows, cols]", info.Shape)
	}
	if s.Len() < 1 {
		return nil, fmt.Errorf("deform: the set has no examples")
	}
	info.Name = name
	d := &deformed{info: info, of: s, count: n, seed: seed, grid: elastic.New(info.Shape[0], info.Shape[1])}
	size := info.Size()
	d.scratch.New = func() any {
		return &deformScratch{make([]float32, deformBatch*size), make([]int, deformBatch)}
	}
	return d, nil
}

func openDeformedMNIST(s spec, seed uint64) (Set, error) {
	n, err := s.count()
	if err != nil {
		return nil, err
	}
	set, err := mnist(s)
	if err != nil {
		return nil, err
	}
	return deform(set, n, seed, s.String())
}

func (d *deformed) Info() Info { return d.info.clone() }

func (d *deformed) Len() int { return d.count }

func (d *deformed) Read(dst []float32, indices []int) error {
	size := d.info.Size()
	if err := checkRead(dst, indices, d.count, size); err != nil {
		return err
	}
	return inParallel(len(indices), minShare, func(from, to int) error {
		scratch := d.scratch.Get().(*deformScratch)
		defer d.scratch.Put(scratch)
		for ; from < to; from += deformBatch {
			end := min(to, from+deformBatch)
			if err := d.readBatch(dst[from*size:end*size], indices[from:end], scratch); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *deformed) readBatch(dst []float32, indices []int, scratch *deformScratch) error {
	size := d.info.Size()
	count := d.of.Len()
	for i, index := range indices {
		scratch.indices[i] = index % count
	}
	originals := scratch.originals[:len(dst)]
	if err := d.of.Read(originals, scratch.indices[:len(indices)]); err != nil {
		return fmt.Errorf("deform: %w", err)
	}
	picture := elastic.Picture{Rows: d.info.Shape[0], Cols: d.info.Shape[1], Density: 1}
	for i, index := range indices {
		picture.Data = originals[i*size : (i+1)*size]
		d.deform(dst[i*size:(i+1)*size], &picture, index)
	}
	return nil
}

// deform makes example index out of its original.
func (d *deformed) deform(dst []float32, original *elastic.Picture, index int) {
	source := engine.NewSource(d.seed, engine.PurposeDeform, 0, uint64(index))
	var warp elastic.Warp
	d.grid.Draw(&warp, jitter(), source)
	d.grid.Apply(dst, &warp, original)
	// Interpolation rounds: keep the promise of Low and High, or where originals
	// lie outside, the original's own.
	low := min(d.info.Low, slices.Min(original.Data))
	high := max(d.info.High, slices.Max(original.Data))
	for i, v := range dst {
		dst[i] = max(low, min(high, v))
	}
}

func (d *deformed) Label(index int) (int, bool) {
	if index < 0 || index >= d.count {
		return 0, false
	}
	return d.of.Label(index % d.of.Len())
}

func (d *deformed) Close() error { return d.of.Close() }
