package dataset

import (
	"math"

	"github.com/unitscope/unitscope/dataset/internal/elastic"
	"github.com/unitscope/unitscope/dataset/internal/glyph"
	"github.com/unitscope/unitscope/engine"
)

// digits are the built-in digits: outlines of printed ones, drawn with a pen
// of random width and bent by hand, so to speak.
type digits struct {
	info  Info
	count int
	first uint64 // identity of example 0
	seed  uint64
	faces []glyph.Face
	grid  *elastic.Grid
}

// handwriting is how far the built-in digits are bent: as far as they stay
// legible, since they start from shapes far more alike than those of people.
func handwriting() elastic.Ranges {
	return elastic.Ranges{
		Rotation: 10 * math.Pi / 180,
		Slant:    0.28,
		Scale:    0.08,
		Aspect:   0.18,
		Shift:    0.75,
		Elastic:  elastic.Simard,
	}
}

// Ranges of a digit's pen: half its width in pixels, how fast the ink fades
// across its edge, per pixel, and how bright it is. They give the mean norm of
// MNIST's digits, 9.2.
const (
	penThinnest, penThickest = 1.35, 2.35
	edgeSoftest, edgeHardest = 0.55, 1
	inkPalest, inkBrightest  = 0.85, 1
)

func openDigits(s spec, seed uint64) (Set, error) {
	n, err := s.count()
	if err != nil {
		return nil, err
	}
	first, err := firstDigit(s.options["split"])
	if err != nil {
		return nil, err
	}
	faces, err := glyph.Load()
	if err != nil {
		return nil, err
	}
	return &digits{
		info:  Info{Name: s.String(), Shape: []int{glyph.Side, glyph.Side}, High: 1},
		count: n,
		first: first,
		seed:  seed,
		faces: faces,
		grid:  elastic.New(glyph.Side, glyph.Side),
	}, nil
}

// firstDigit is the identity of the first example of a split. Those of testing come
// after any number that training can ask for.
func firstDigit(split string) (uint64, error) {
	switch split {
	case "", "train":
		return 0, nil
	case "test":
		return 1 << 40, nil
	}
	return 0, specErrorf("split=%s: want train or test", split)
}

func (d *digits) Info() Info { return d.info.clone() }

func (d *digits) Len() int { return d.count }

func (d *digits) Read(dst []float32, indices []int) error {
	const size = glyph.Side * glyph.Side
	if err := checkRead(dst, indices, d.count, size); err != nil {
		return err
	}
	return inParallel(len(indices), minShare, func(from, to int) error {
		for i := from; i < to; i++ {
			d.draw(dst[i*size:(i+1)*size], indices[i])
		}
		return nil
	})
}

func (d *digits) draw(dst []float32, index int) {
	source := engine.NewSource(d.seed, engine.PurposeGlyph, 0, d.first+uint64(index))
	digit := firstDraw(source)
	between := func(low, high float64) float32 { return float32(low + (high-low)*source.Uniform()) }
	face := &d.faces[source.IntN(len(d.faces))]
	thicker := between(penThinnest-face.Stroke, penThickest-face.Stroke)
	edge := between(edgeSoftest, edgeHardest)
	ink := between(inkPalest, inkBrightest)
	var warp elastic.Warp
	d.grid.Draw(&warp, handwriting(), source)
	d.grid.Apply(dst, &warp, &face.Digits[digit])
	for i, distance := range dst {
		dst[i] = ink * max(0, min(1, 0.5+edge*(distance+thicker)))
	}
}

func (d *digits) Label(index int) (int, bool) {
	if index < 0 || index >= d.count {
		return 0, false
	}
	return firstDraw(engine.NewSource(d.seed, engine.PurposeGlyph, 0, d.first+uint64(index))), true
}

// firstDraw is an example's digit: the first of its random numbers, so that it
// can be had without drawing.
func firstDraw(source *engine.Source) int { return source.IntN(10) }

func (d *digits) Close() error { return nil }
