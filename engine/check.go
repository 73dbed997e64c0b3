package engine

import (
	"fmt"
	"math"
)

// The checks below are the door of every device: each operation calls its
// check first, so all devices refuse the same calls with the same words. What only
// a device can see comes after it, by [Operands]: a matrix that is closed or belongs
// to another device, and operands that share memory where that is not allowed.

func shape(m Matrix) string { return fmt.Sprintf("%dx%d", m.Rows(), m.Cols()) }

// operand is a matrix that a caller may have left out.
type operand struct {
	name string
	m    Matrix
}

func present(operation string, operands ...operand) error {
	for _, o := range operands {
		if o.m == nil {
			return fmt.Errorf("%s: %s is missing (nil)", operation, o.name)
		}
	}
	return nil
}

func sameShape(operation string, a, b operand) error {
	if a.m.Rows() != b.m.Rows() || a.m.Cols() != b.m.Cols() {
		return fmt.Errorf("%s: %s is %s, %s is %s", operation, a.name, shape(a.m), b.name, shape(b.m))
	}
	return nil
}

func wantShape(operation string, o operand, rows, cols int) error {
	if o.m.Rows() != rows || o.m.Cols() != cols {
		return fmt.Errorf("%s: %s is %s, want %dx%d", operation, o.name, shape(o.m), rows, cols)
	}
	return nil
}

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

// CheckTransfer checks the length of the host slice that a matrix is read to
// or written from; operation is "read" or "write".
func CheckTransfer(operation string, m Matrix, length int) error {
	if length != m.Rows()*m.Cols() {
		return fmt.Errorf("%s: matrix is %s, slice holds %d numbers, want %d", operation, shape(m), length, m.Rows()*m.Cols())
	}
	return nil
}

// CheckSlice checks the bounds of a view of rows.
func CheckSlice(m Matrix, from, to int) error {
	if from < 0 || to < from || to > m.Rows() {
		return fmt.Errorf("slice: rows %d..%d of a %s matrix", from, to, shape(m))
	}
	return nil
}

func (s Stream) check(operation string, m Matrix) error {
	if len(s.Keys) != m.Rows() {
		return fmt.Errorf("%s: %d rows, %d keys of random numbers", operation, m.Rows(), len(s.Keys))
	}
	if m.Cols() > MaxColumns {
		return fmt.Errorf("%s: %d columns, random numbers have at most %d", operation, m.Cols(), MaxColumns)
	}
	return nil
}

// CheckGemm checks a product and its epilogue.
func CheckGemm(dst, a, b Matrix, p Product) error {
	if err := present("gemm", operand{"dst", dst}, operand{"a", a}, operand{"b", b}); err != nil {
		return err
	}
	m, k := a.Rows(), a.Cols()
	if p.TransA {
		m, k = k, m
	}
	kb, n := b.Rows(), b.Cols()
	if p.TransB {
		kb, n = n, kb
	}
	transposed := func(t bool) string {
		if t {
			return " transposed"
		}
		return ""
	}
	if k != kb {
		return fmt.Errorf("gemm: a is %s%s, b is %s%s", shape(a), transposed(p.TransA), shape(b), transposed(p.TransB))
	}
	if dst.Rows() != m || dst.Cols() != n {
		return fmt.Errorf("gemm: dst is %s, the product of a %s%s and b %s%s is %dx%d", shape(dst), shape(a), transposed(p.TransA), shape(b), transposed(p.TransB), m, n)
	}
	if dst == a || dst == b {
		return fmt.Errorf("gemm: dst is also an operand")
	}
	return checkEpilogue(p.Epilogue, dst)
}

func checkEpilogue(e Epilogue, dst Matrix) error {
	m, n := dst.Rows(), dst.Cols()
	if e.Bias != nil {
		if err := wantShape("gemm", operand{"bias", e.Bias}, 1, n); err != nil {
			return err
		}
	}
	switch e.Kind {
	case EpilogueNone, EpilogueSigmoid:
	case EpilogueBernoulli:
		if e.Probability != nil {
			if err := wantShape("gemm", operand{"probability", e.Probability}, m, n); err != nil {
				return err
			}
			if e.Probability == dst {
				return fmt.Errorf("gemm: probability is also dst")
			}
		}
		return e.At.check("gemm", dst)
	case EpilogueDerivative:
		if err := present("gemm", operand{"hidden", e.Hidden}); err != nil {
			return err
		}
		return wantShape("gemm", operand{"hidden", e.Hidden}, m, n)
	case EpilogueNorms:
		if err := present("gemm", operand{"norms", e.Norms}); err != nil {
			return err
		}
		return wantShape("gemm", operand{"norms", e.Norms}, m, 1)
	default:
		return fmt.Errorf("gemm: unknown epilogue %d", e.Kind)
	}
	return nil
}

// CheckElementwise checks an operation whose operand has the shape of dst;
// operation is its name.
func CheckElementwise(operation string, dst, x Matrix) error {
	if err := present(operation, operand{"dst", dst}, operand{"x", x}); err != nil {
		return err
	}
	return sameShape(operation, operand{"dst", dst}, operand{"x", x})
}

// CheckRandom checks an operation that draws one random number for each
// element of m.
func CheckRandom(operation string, m Matrix, at Stream) error {
	if err := present(operation, operand{"dst", m}); err != nil {
		return err
	}
	return at.check(operation, m)
}

// CheckCorruption checks a corruption's numbers.
func CheckCorruption(c Corruption) error {
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

// CheckReduce checks a reduction.
func CheckReduce(dst, x Matrix, r Reduction) error {
	if err := present("reduce", operand{"dst", dst}, operand{"x", x}); err != nil {
		return err
	}
	if dst == x {
		return fmt.Errorf("reduce: dst is also the operand")
	}
	switch r.Kind {
	case RowDots:
		if err := present("reduce", operand{"with", r.With}); err != nil {
			return err
		}
		if err := sameShape("reduce", operand{"x", x}, operand{"with", r.With}); err != nil {
			return err
		}
		return wantShape("reduce", operand{"dst", dst}, x.Rows(), 1)
	case RowNorms:
		return wantShape("reduce", operand{"dst", dst}, x.Rows(), 1)
	case ColumnMeans:
		return wantShape("reduce", operand{"dst", dst}, 1, x.Cols())
	}
	return fmt.Errorf("reduce: unknown reduction %d", r.Kind)
}

// CheckProject checks the projection of rows to a radius.
func CheckProject(x Matrix, radius float32) error {
	if err := present("project", operand{"x", x}); err != nil {
		return err
	}
	if !(radius > 0 && float64(radius) <= math.MaxFloat32) {
		return fmt.Errorf("project: radius %g, want a finite number above 0", radius)
	}
	return nil
}

// CheckGather checks the copying of rows.
func CheckGather(dst, src Matrix, rows []int) error {
	if err := present("gather", operand{"dst", dst}, operand{"src", src}); err != nil {
		return err
	}
	if dst.Rows() != len(rows) || dst.Cols() != src.Cols() {
		return fmt.Errorf("gather: dst is %s, %d rows of %s were asked for", shape(dst), len(rows), shape(src))
	}
	if dst == src {
		return fmt.Errorf("gather: dst is also src")
	}
	for i, r := range rows {
		if r < 0 || r >= src.Rows() {
			return fmt.Errorf("gather: rows[%d] is %d, src is %s", i, r, shape(src))
		}
	}
	return nil
}

// CheckAscent checks an ascent: the layers' shapes, finite parameters, and the
// ranges of its options.
func CheckAscent(p Ascent) error {
	if len(p.Layers) == 0 {
		return fmt.Errorf("ascent: no layers")
	}
	for i, l := range p.Layers {
		w := l.Weight
		if w.Rows < 1 || w.Cols < 1 || len(w.Data) != w.Rows*w.Cols {
			return fmt.Errorf("ascent: weights of layer %d are %dx%d and hold %d numbers", i+1, w.Rows, w.Cols, len(w.Data))
		}
		if len(l.Bias) != w.Rows {
			return fmt.Errorf("ascent: layer %d has %d units and %d biases", i+1, w.Rows, len(l.Bias))
		}
		if i > 0 && w.Cols != p.Layers[i-1].Weight.Rows {
			return fmt.Errorf("ascent: layer %d takes %d inputs, layer %d has %d units", i+1, w.Cols, i, p.Layers[i-1].Weight.Rows)
		}
		if !finite(w.Data) || !finite(l.Bias) {
			return fmt.Errorf("ascent: parameters of layer %d: %w", i+1, ErrNotFinite)
		}
	}
	switch {
	case !(p.Rate > 0) || math.IsInf(float64(p.Rate), 0):
		return fmt.Errorf("ascent: rate %g, want a finite number above 0", p.Rate)
	case p.Direction != 1 && p.Direction != -1:
		return fmt.Errorf("ascent: direction %g, want 1 or -1", p.Direction)
	case !(p.Radius > 0) || math.IsInf(float64(p.Radius), 0):
		return fmt.Errorf("ascent: radius %g, want a finite number above 0", p.Radius)
	case !(p.Tolerance >= 0):
		return fmt.Errorf("ascent: tolerance %g, want a number >= 0", p.Tolerance)
	case p.Patience < 1:
		return fmt.Errorf("ascent: patience %d, want at least 1", p.Patience)
	case p.MaxSteps < 0:
		return fmt.Errorf("ascent: at most %d steps, want 0 or more", p.MaxSteps)
	}
	for t, steps := range p.CurveSteps {
		if steps < 0 || t > 0 && steps <= p.CurveSteps[t-1] {
			return fmt.Errorf("ascent: curves after %v steps, want rising numbers from 0 or more", p.CurveSteps)
		}
	}
	return nil
}

// CheckAscentState checks that a state belongs to an ascent: its lengths, its
// units, and x's shape.
func CheckAscentState(p Ascent, s *AscentState) error {
	n := len(s.Units)
	target := p.Layers[len(p.Layers)-1].Weight
	if err := present("ascent", operand{"x", s.X}); err != nil {
		return err
	}
	if err := wantShape("ascent", operand{"x", s.X}, n, p.Layers[0].Weight.Cols); err != nil {
		return err
	}
	for _, length := range []int{len(s.Activation), len(s.StartActivation), len(s.Gradient), len(s.Tangent), len(s.Steps), len(s.Rate), len(s.Slow), len(s.Stop)} {
		if length != n {
			return fmt.Errorf("ascent: state of %d rows has a slice of length %d", n, length)
		}
	}
	if s.Curves != nil && len(s.Curves) != n {
		return fmt.Errorf("ascent: state of %d rows has %d curves", n, len(s.Curves))
	}
	for i, curve := range s.Curves {
		if len(curve) != len(p.CurveSteps) {
			return fmt.Errorf("ascent: the curve of row %d has %d places for %d numbers of steps", i, len(curve), len(p.CurveSteps))
		}
	}
	for i, u := range s.Units {
		if u < 0 || u >= target.Rows {
			return fmt.Errorf("ascent: row %d climbs unit %d, layer %d has %d units", i, u, len(p.Layers), target.Rows)
		}
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

func checkLayerSizes(operation string, visible, hidden, batch int, kind VisibleKind) error {
	if visible < 1 || hidden < 1 || batch < 1 {
		return fmt.Errorf("%s: %d visible units, %d hidden units, batch %d: want at least 1 of each", operation, visible, hidden, batch)
	}
	if kind != Bernoulli && kind != Gaussian {
		return fmt.Errorf("%s: unknown kind of visible units %d", operation, kind)
	}
	return nil
}

// CheckContrastiveDivergence checks the plan's numbers.
func CheckContrastiveDivergence(p ContrastiveDivergence) error {
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

// CheckDenoise checks the plan's numbers.
func CheckDenoise(p Denoise) error {
	if err := checkLayerSizes("denoise", p.VisibleUnits, p.HiddenUnits, p.Batch, p.Visible); err != nil {
		return err
	}
	return CheckCorruption(p.Corruption)
}

// CheckTraining checks what is given to a training run against its plan, a
// [ContrastiveDivergence] or a [Denoise]: parameters, velocities and what else
// the plan's state has, data, keys and the learning rule.
func CheckTraining(p Plan, s *TrainingState, data Matrix, keys []uint64, u Update) error {
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
	operand
	rows, cols int
}

func checkSizes(operation string, all ...sized) error {
	for _, o := range all {
		if err := present(operation, o.operand); err != nil {
			return err
		}
		if err := wantShape(operation, o.operand, o.rows, o.cols); err != nil {
			return err
		}
	}
	return nil
}

// checkStatistics checks what only some RBMs carry from update to update.
func checkStatistics(operation string, p ContrastiveDivergence, s *TrainingState) error {
	var want []sized
	if p.Chains > 0 {
		want = append(want, sized{operand{"chains", s.Chains}, p.Chains, p.HiddenUnits})
	}
	if p.Tracks() {
		want = append(want, sized{operand{"activity", s.Activity}, 1, p.HiddenUnits})
	}
	if p.Centered {
		want = append(want, sized{operand{"center", s.Center}, 1, p.VisibleUnits})
	}
	return checkSizes(operation, want...)
}

// checkLearner checks what every training run is given. gibbsSteps is the
// number of random steps an update uses.
func checkLearner(operation string, visible, hidden, batch, gibbsSteps int, s *TrainingState, data Matrix, keys []uint64, u Update) error {
	if err := present(operation, operand{"data", data}); err != nil {
		return err
	}
	for _, set := range []struct {
		of string
		p  Parameters
	}{{"", s.Parameters}, {"velocity of ", s.Velocity}} {
		err := checkSizes(operation,
			sized{operand{set.of + "weight", set.p.Weight}, hidden, visible},
			sized{operand{set.of + "bias", set.p.Bias}, 1, hidden},
			sized{operand{set.of + "visible bias", set.p.VisibleBias}, 1, visible})
		if err != nil {
			return err
		}
	}
	if data.Cols() != visible || data.Rows() != len(keys) {
		return fmt.Errorf("%s: data is %s with %d keys, want %d columns and a key a row", operation, shape(data), len(keys), visible)
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
