package engine

import (
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine/internal/shape"
)

// CheckNew checks the size of a new matrix: not negative, and its number of
// bytes must fit an int.
func CheckNew(rows, cols int) error {
	if rows < 0 || cols < 0 {
		return fmt.Errorf("new matrix: %dx%d: negative size", rows, cols)
	}
	if cols > 0 && rows > math.MaxInt/4/cols {
		return fmt.Errorf("new matrix: %dx%d: too large for this machine's address space", rows, cols)
	}
	return nil
}

// Check checks a corruption's numbers.
func (c Corruption) Check() error {
	level := float64(c.Level)
	switch c.Kind {
	case CorruptionMask, CorruptionSaltPepper:
		if !(level >= 0 && level <= 1) {
			return fmt.Errorf("corrupt: level %g, want a share between 0 and 1", c.Level)
		}
	case CorruptionGaussian:
		if !(level >= 0 && level <= math.MaxFloat32) {
			return fmt.Errorf("corrupt: level %g, want a standard deviation >= 0", c.Level)
		}
	default:
		return fmt.Errorf("corrupt: unknown corruption %d", c.Kind)
	}
	return nil
}

func checkLayerSizes(operation string, visible, hidden, batch int, kind VisibleKind) error {
	if visible < 1 || hidden < 1 || batch < 1 {
		return fmt.Errorf("%s: %d visible units, %d hidden units, batch %d: want at least 1 of each", operation, visible, hidden, batch)
	}
	if kind != Bernoulli && kind != Gaussian {
		return fmt.Errorf("%s: unknown kind of visible units %d", operation, kind)
	}
	return nil
}

// check checks the plan's numbers.
func (p ContrastiveDivergence) check() error {
	if err := checkLayerSizes("contrastive divergence", p.VisibleUnits, p.HiddenUnits, p.Batch, p.Visible); err != nil {
		return err
	}
	if p.GibbsSteps < 1 || p.Chains < 0 {
		return fmt.Errorf("contrastive divergence: %d Gibbs steps, %d chains: want at least 1 and 0", p.GibbsSteps, p.Chains)
	}
	return checkStabilisers(p)
}

func checkStabilisers(p ContrastiveDivergence) error {
	s := p.Sparsity
	switch {
	case !(s.Cost >= 0) || math.IsInf(float64(s.Cost), 0):
		return fmt.Errorf("contrastive divergence: sparsity cost %g, want a finite number >= 0", s.Cost)
	case s.Cost == 0 && s.Target != 0:
		return fmt.Errorf("contrastive divergence: sparsity target %g without a cost", s.Target)
	case s.Cost > 0 && !(s.Target > 0 && s.Target < 1):
		return fmt.Errorf("contrastive divergence: sparsity target %g, want a share above 0 and below 1", s.Target)
	case !(p.GradientLimit >= 0) || math.IsInf(float64(p.GradientLimit), 0):
		return fmt.Errorf("contrastive divergence: gradient limit %g, want a finite number >= 0", p.GradientLimit)
	}
	return nil
}

// check checks the plan's numbers.
func (p Denoise) check() error {
	if err := checkLayerSizes("denoise", p.VisibleUnits, p.HiddenUnits, p.Batch, p.Visible); err != nil {
		return err
	}
	return p.Corruption.Check()
}

// checkTraining checks what is given to a training run against its plan, a
// [ContrastiveDivergence] or a [Denoise]: parameters, velocities and what else
// the plan's state has, data, keys and the learning rule.
func checkTraining(p Plan, s *TrainingState, data Matrix, keys []uint64, u Update) error {
	switch p := p.(type) {
	case ContrastiveDivergence:
		const operation = "contrastive divergence"
		if err := checkLearner(operation, p.VisibleUnits, p.HiddenUnits, p.Batch, p.GibbsSteps, s, data, keys, u); err != nil {
			return err
		}
		return checkStatistics(operation, p, s)
	case Denoise:
		return checkLearner("denoise", p.VisibleUnits, p.HiddenUnits, p.Batch, 1, s, data, keys, u)
	}
	return fmt.Errorf("training: %T is not a plan for training", p)
}

// sized is an operand and the shape it must have.
type sized struct {
	shape.Named
	rows, cols int
}

func checkSizes(operation string, all ...sized) error {
	for _, o := range all {
		if err := shape.Present(operation, o.Named); err != nil {
			return err
		}
		if err := shape.Want(operation, o.Named, o.rows, o.cols); err != nil {
			return err
		}
	}
	return nil
}

// checkStatistics checks what only some RBMs carry from update to update.
func checkStatistics(operation string, p ContrastiveDivergence, s *TrainingState) error {
	var want []sized
	if p.Chains > 0 {
		want = append(want, sized{shape.Of("chains", s.Chains), p.Chains, p.HiddenUnits})
	}
	if p.Tracks() {
		want = append(want, sized{shape.Of("activity", s.Activity), 1, p.HiddenUnits})
	}
	if p.Centered {
		want = append(want, sized{shape.Of("center", s.Center), 1, p.VisibleUnits})
	}
	return checkSizes(operation, want...)
}

// checkLearner checks what every training run is given. gibbsSteps is the
// number of random steps an update uses.
func checkLearner(operation string, visible, hidden, batch, gibbsSteps int, s *TrainingState, data Matrix, keys []uint64, u Update) error {
	if err := shape.Present(operation, shape.Of("data", data)); err != nil {
		return err
	}
	for _, set := range []struct {
		of string
		p  Parameters
	}{{"", s.Parameters}, {"velocity of ", s.Velocity}} {
		err := checkSizes(operation,
			sized{shape.Of(set.of+"weight", set.p.Weight), hidden, visible},
			sized{shape.Of(set.of+"bias", set.p.Bias), 1, hidden},
			sized{shape.Of(set.of+"visible bias", set.p.VisibleBias), 1, visible})
		if err != nil {
			return err
		}
	}
	if data.Cols() != visible || data.Rows() != len(keys) {
		return fmt.Errorf("%s: data is %s with %d keys, want %d columns and a key a row", operation, shape.String(data), len(keys), visible)
	}
	updates := (data.Rows() + batch - 1) / batch
	if (uint64(s.Updates)+uint64(updates))*uint64(gibbsSteps) > math.MaxUint32 {
		return fmt.Errorf("%s: update %d with %d Gibbs steps is beyond the 2^32 steps of the random numbers", operation, s.Updates, gibbsSteps)
	}
	return checkUpdate(operation, u)
}

func checkUpdate(operation string, u Update) error {
	switch {
	case !(u.Rate > 0) || math.IsInf(float64(u.Rate), 0):
		return fmt.Errorf("%s: rate %g, want a finite number above 0", operation, u.Rate)
	case !(u.Momentum >= 0 && u.Momentum < 1):
		return fmt.Errorf("%s: momentum %g, want 0 <= momentum < 1", operation, u.Momentum)
	case !(u.Decay >= 0) || math.IsInf(float64(u.Decay), 0):
		return fmt.Errorf("%s: decay %g, want a finite number >= 0", operation, u.Decay)
	}
	return nil
}

func finite(xs []float32) bool {
	for _, x := range xs {
		if x-x != 0 {
			return false
		}
	}
	return true
}
