package engine

import (
	"errors"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine/internal/shape"
)

// Gibbs is block Gibbs sampling in one RBM, for many chains at once (section 4
// of the paper: sampling from a unit). In each chain one hidden unit may be
// held at 1; then its visible states become samples of p(v | h_i = 1), which the
// paper shows as what the unit stands for. A sweep is
//
//	v ~ p(v|h), h ~ p(h|v), h_i = 1
//
// Random numbers belong to chains, by their identity: sweep t of a chain,
// counted from 1, uses Step t of [PurposeGibbsVisible] and [PurposeGibbsHidden],
// and its start ([NewGibbsState]) Step 0 of the latter. So a chain's states
// depend neither on the chains beside it nor on how its sweeps are cut into
// calls of Run.
type Gibbs struct {
	Layer       Layer     // W [hidden, visible] and b of p(h=1|v) = sigmoid(W v + b)
	VisibleBias []float32 // c [visible]
	Visible     VisibleKind
	Seed        uint64
}

// GibbsState is what chains carry from sweep to sweep; nothing else is needed
// to go on later, bit for bit.
type GibbsState struct {
	Clamp []int    // [chains] the hidden unit that is held at 1, or -1 for none
	Keys  []uint64 // [chains] identities, as [RowKey](layer, unit, chain)
	// Hidden [chains, hidden] are the latest hidden states, 0 or 1, held ones
	// included. A state that [NewGibbsState] has not made must have its held
	// units at 1 to begin with.
	Hidden Matrix
	// Visible [chains, visible] are the visible states of the latest sweep, which
	// the hidden ones were then drawn from: 0 or 1, or real with Gaussian units.
	Visible Matrix
	// Means [chains, visible] receives E[v|h], the probabilities or Gaussian
	// means that Visible was drawn from, at the end of each Run with a sweep; nil
	// if they are not wanted.
	Means  Matrix
	Sweeps uint32 // done so far; the step of the random numbers
}

// NewGibbsState returns chains at random starts: every hidden state is 0 or 1
// by a fair coin, the held ones are 1. There are no visible states before the
// first sweep: Visible is zero. Clamp and keys are kept, not copied. The state's
// matrices are the caller's to close, with [GibbsState.Close].
func NewGibbsState(d Device, p Gibbs, clamp []int, keys []uint64) (*GibbsState, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	w := workspace{device: d}
	s := &GibbsState{Clamp: clamp, Keys: keys}
	s.Hidden = w.matrix(len(clamp), p.Layer.Weight.Rows)
	s.Visible = w.matrix(len(clamp), p.Layer.Weight.Cols)
	if w.err == nil {
		w.err = s.check(p, 0)
	}
	if w.err == nil {
		w.err = s.Hidden.Write(p.held(clamp, 0.5))
	}
	w.bernoulli(s.Hidden, s.Hidden, p.at(PurposeGibbsHidden, 0, keys))
	if w.err != nil {
		return nil, errors.Join(w.err, w.Close())
	}
	return s, nil
}

// Close gives the state's matrices back.
func (s *GibbsState) Close() error {
	var errs []error
	for _, m := range []Matrix{s.Hidden, s.Visible, s.Means} {
		if m != nil {
			errs = append(errs, m.Close())
		}
	}
	return errors.Join(errs...)
}

// held returns [chains, hidden] numbers: 1 at the held unit of each chain, rest
// elsewhere.
func (p *Gibbs) held(clamp []int, rest float32) []float32 {
	hidden := p.Layer.Weight.Rows
	numbers := make([]float32, len(clamp)*hidden)
	if rest != 0 {
		for i := range numbers {
			numbers[i] = rest
		}
	}
	for row, unit := range clamp {
		if unit >= 0 {
			numbers[row*hidden+unit] = 1
		}
	}
	return numbers
}

func (p *Gibbs) at(purpose Purpose, step uint32, keys []uint64) Stream {
	return Stream{Seed: p.Seed, Purpose: purpose, Step: step, Keys: keys}
}

// GibbsProgress is what one call of Run did.
type GibbsProgress struct {
	Sweeps      int   // of each chain
	ChainSweeps int64 // summed over chains
}

// GibbsRunner runs a [Gibbs].
type GibbsRunner interface {
	Runner
	// Run makes so many sweeps with every chain; 0 or fewer do nothing. The
	// state stays on the device between calls. States that are not finite at the
	// end are an error that wraps [ErrNotFinite].
	Run(s *GibbsState, sweeps int) (GibbsProgress, error)
}

// CompileGibbs prepares Gibbs sampling on a device: the device's own version if
// it has one, else the definition.
func CompileGibbs(d Device, p Gibbs) (GibbsRunner, error) {
	return compile[GibbsRunner](d, p)
}

// check checks the shapes of an RBM that is to be sampled from, and that its
// parameters are finite.
func (p Gibbs) check() error {
	w := p.Layer.Weight
	if err := checkLayerSizes("gibbs", w.Cols, w.Rows, 1, p.Visible); err != nil {
		return err
	}
	if w.Rows > MaxColumns || w.Cols > MaxColumns {
		return fmt.Errorf("gibbs: weights are %dx%d, random numbers have at most %d columns", w.Rows, w.Cols, MaxColumns)
	}
	if len(w.Data) != w.Rows*w.Cols {
		return fmt.Errorf("gibbs: weights are %dx%d and hold %d numbers", w.Rows, w.Cols, len(w.Data))
	}
	if len(p.Layer.Bias) != w.Rows || len(p.VisibleBias) != w.Cols {
		return fmt.Errorf("gibbs: weights are %dx%d, want as many biases (have %d) and visible biases (have %d)", w.Rows, w.Cols, len(p.Layer.Bias), len(p.VisibleBias))
	}
	if !finite(w.Data) || !finite(p.Layer.Bias) || !finite(p.VisibleBias) {
		return fmt.Errorf("gibbs: parameters: %w", ErrNotFinite)
	}
	return nil
}

// check checks that a state belongs to an RBM and can make so many sweeps more.
func (s *GibbsState) check(p Gibbs, sweeps int) error {
	chains, hidden, visible := len(s.Clamp), p.Layer.Weight.Rows, p.Layer.Weight.Cols
	if len(s.Keys) != chains {
		return fmt.Errorf("gibbs: %d chains by their clamps, %d keys of random numbers", chains, len(s.Keys))
	}
	if err := shape.Present("gibbs", shape.Of("hidden", s.Hidden), shape.Of("visible", s.Visible)); err != nil {
		return err
	}
	if err := shape.Want("gibbs", shape.Of("hidden", s.Hidden), chains, hidden); err != nil {
		return err
	}
	if err := shape.Want("gibbs", shape.Of("visible", s.Visible), chains, visible); err != nil {
		return err
	}
	if s.Means != nil {
		if err := shape.Want("gibbs", shape.Of("means", s.Means), chains, visible); err != nil {
			return err
		}
	}
	for row, unit := range s.Clamp {
		if unit < -1 || unit >= hidden {
			return fmt.Errorf("gibbs: chain %d holds unit %d, want one of %d hidden units, or -1 for none", row, unit, hidden)
		}
	}
	if int64(sweeps) > int64(math.MaxUint32)-int64(s.Sweeps) {
		return fmt.Errorf("gibbs: %d sweeps after %d are beyond the 2^32 steps of the random numbers", sweeps, s.Sweeps)
	}
	return nil
}

// NotFinite is the error of a chain that has met NaN or Inf. It is exported for
// devices with a Gibbs of their own, so that all say the same.
func (s *GibbsState) NotFinite(row int) error {
	return fmt.Errorf("gibbs: chain %d, states after sweep %d: %w; the weights are too large, as from training at too high a learning rate", row, s.Sweeps, ErrNotFinite)
}
