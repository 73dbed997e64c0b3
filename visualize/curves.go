package visualize

import (
	"fmt"
	"io"
	"slices"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/schema"
)

// Curves is how the activations of an ascent's restarts grew: U units, R
// restarts, at T numbers of steps.
type Curves struct {
	Units    []int // [U]
	Restarts int   // R
	// Steps [T] are the numbers of steps taken: 0 for the start, then 1, 2, 3 and
	// so on, more than a few each a fifth above the one before, up to the
	// ascent's MaxSteps. They depend on nothing else.
	Steps []int
	// Activation [U, R, T] is that of each restart after so many steps. That of a
	// restart that has stopped stays.
	Activation *tensor.Dense
}

// WriteArrays writes curves.npz: units [U] int64, step [T] int32 and activation
// [U, R, T] float32. The same curves give the same bytes.
func (c *Curves) WriteArrays(w io.Writer) error {
	data, err := dense.Data(c.Activation)
	if err != nil {
		return fmt.Errorf("write curves: %w", err)
	}
	if len(data) != len(c.Units)*c.Restarts*len(c.Steps) {
		return fmt.Errorf("write curves: %d units with %d restarts at %d steps, %d numbers", len(c.Units), c.Restarts, len(c.Steps), len(data))
	}
	steps := make([]int32, len(c.Steps))
	for i, s := range c.Steps {
		if steps[i] = int32(s); int(steps[i]) != s {
			return fmt.Errorf("write curves: %d steps, which is more than int32 holds", s)
		}
	}
	a := newArchive(w)
	a.ints(schema.Units, c.Units, len(c.Units))
	addArray(a, schema.Step, "<i4", []int{len(steps)}, steps)
	addArray(a, schema.Activation, "<f4", []int{len(c.Units), c.Restarts, len(c.Steps)}, data)
	return a.Close()
}

// curveSteps are the numbers of steps at which curves are recorded.
func curveSteps(most int) []int {
	steps := []int{0}
	for s := 1; s < most; s += max(1, min(s/5, most-s)) {
		steps = append(steps, s)
	}
	if most > 0 {
		steps = append(steps, most)
	}
	return steps
}

// newCurves makes room for the curves of an ascent.
func newCurves(o AscentOptions) (*Curves, error) {
	c := &Curves{Units: slices.Clone(o.Units), Restarts: o.Restarts, Steps: curveSteps(o.MaxSteps)}
	var err error
	if c.Activation, err = dense.New(len(o.Units), o.Restarts, len(c.Steps)); err != nil {
		return nil, fmt.Errorf("ascent: curves: %w", err)
	}
	return c, nil
}

// of are the places for the curves of n rows, from row from on, in their order.
func (c *Curves) of(from, n int) ([][]float32, error) {
	data, err := dense.Data(c.Activation)
	if err != nil {
		return nil, fmt.Errorf("curves: %w", err)
	}
	rows := make([][]float32, n)
	for k := range rows {
		rows[k] = data[(from+k)*len(c.Steps) : (from+k+1)*len(c.Steps)]
	}
	return rows, nil
}
