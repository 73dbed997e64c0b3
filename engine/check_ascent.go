package engine

import "fmt"

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
	if p.Direction != 1 && p.Direction != -1 {
		return fmt.Errorf("ascent: direction %g, want 1 or -1", p.Direction)
	}
	if err := p.rule().check(); err != nil {
		return fmt.Errorf("ascent: %w", err)
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
	if err := s.check(n, p.CurveSteps); err != nil {
		return err
	}
	for i, u := range s.Units {
		if u < 0 || u >= target.Rows {
			return fmt.Errorf("ascent: row %d climbs unit %d, layer %d has %d units", i, u, len(p.Layers), target.Rows)
		}
	}
	return nil
}

// check checks the lengths of a state's slices.
func (s *AscentState) check(n int, curveSteps []int) error {
	for _, length := range []int{len(s.Activation), len(s.StartActivation), len(s.Gradient), len(s.Tangent), len(s.Steps), len(s.Rate), len(s.Slow), len(s.Stop)} {
		if length != n {
			return fmt.Errorf("ascent: state of %d rows has a slice of length %d", n, length)
		}
	}
	if s.Curves != nil && len(s.Curves) != n {
		return fmt.Errorf("ascent: state of %d rows has %d curves", n, len(s.Curves))
	}
	for i, curve := range s.Curves {
		if len(curve) != len(curveSteps) {
			return fmt.Errorf("ascent: the curve of row %d has %d places for %d numbers of steps", i, len(curve), len(curveSteps))
		}
	}
	return nil
}
