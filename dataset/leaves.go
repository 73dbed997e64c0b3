package dataset

import (
	"fmt"

	"github.com/unitscope/unitscope/dataset/internal/leaves"
	"github.com/unitscope/unitscope/dataset/internal/whiten"
	"github.com/unitscope/unitscope/engine"
)

// The pictures that patches of dead leaves are cut from: as many and as large as
// Olshausen and Field's, nearly.
const (
	leavesPictures = 16
	leavesSide     = 512
)

// openLeaves opens the built-in dead leaves.
func openLeaves(s spec, seed uint64) (Set, error) {
	p, err := newPatches(s, seed)
	if err != nil {
		return nil, err
	}
	if err := p.drawLeaves(leavesPictures, leavesSide); err != nil {
		return nil, fmt.Errorf("dead leaves: %w", err)
	}
	return p, nil
}

// drawLeaves draws dead-leaves pictures, picture k by the seed and k, and unless greys
// were asked for whitens them as Olshausen and Field did theirs. The pictures go on at their borders, so
// that the transform leaves no mark there and patches may touch them.
func (p *patches) drawLeaves(pictures, side int) error {
	p.pictures = make([]picture, pictures)
	err := inParallel(pictures, 1, func(from, to int) error {
		for k := from; k < to; k++ {
			floats := leaves.Draw(side, engine.NewSource(p.seed, engine.PurposeLeaves, 0, uint64(k)))
			if p.whitening.method == untouched {
				clamp(floats)
			} else {
				whiten.Flatten(floats, side)
			}
			p.pictures[k] = picture{rows: side, cols: side, floats: floats}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.prepare()
}

// clamp brings sums of parts of greys, which rounding may leave beyond, to 0..1.
func clamp(greys []float32) {
	for i, v := range greys {
		greys[i] = max(0, min(1, v))
	}
}
