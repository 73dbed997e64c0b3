package engine

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// ascent is one call of Ascend. The device computes goals and their gradients;
// everything else is done here, for all devices, in float64. Products that are added
// are rounded before, so that no processor's fused multiply-add gives other bits; those
// of two numbers of float32 are exact.
type ascent struct {
	workspace
	model *Model
	state *AscentState
	aims  Aims
	rule  Rule
	all   []float32 // x of the state; of rows that have not stopped, where they step next

	x, gradient Matrix // [rows, inputs]
	row         []int  // row of the state of each row here

	// On the host, for each row here.
	tried, slope, values []float32
}

// ascend is the definition of ascents, and no device has another.
func (m *Model) ascend(s *AscentState, aims Aims, r Rule, steps int) (progress AscentProgress, err error) {
	c := &ascent{workspace: workspace{device: m.device}, model: m, state: s, aims: aims, rule: r}
	defer func() { err = errors.Join(err, c.Close()) }()
	c.begin()
	for ; steps > 0 && len(c.row) > 0 && c.err == nil; steps-- {
		progress.RowSteps += int64(len(c.row))
		c.evaluate()
		if c.err == nil {
			c.err = c.judge()
		}
		c.row = slices.DeleteFunc(c.row, func(i int) bool { return s.Stop[i] != Running })
	}
	if c.all != nil {
		// After an error too: that is where rows are to be evaluated next.
		c.err = errors.Join(c.err, s.X.Write(c.all))
	}
	progress.Active = len(c.row)
	return progress, c.err
}

func (c *ascent) begin() {
	s, inputs := c.state, c.model.net.Input.Size()
	for i, stop := range s.Stop {
		if stop == Running {
			c.row = append(c.row, i)
		}
	}
	n := len(c.row)
	c.x, c.gradient = c.matrix(n, inputs), c.matrix(n, inputs)
	if c.gather(c.x, s.X, c.row); c.err != nil { // only the device can tell whether X is its own
		c.err = fmt.Errorf("ascent: %w", c.err)
		return
	}
	c.all = make([]float32, len(s.Climbs)*inputs)
	if c.read(c.all, s.X); c.err != nil {
		c.all = nil
		return
	}
	for _, i := range c.row {
		if s.Evaluations[i] == 0 && !c.rule.onSphere() {
			c.rule.Nearest(c.at(i))
		}
	}
	c.tried, c.slope, c.values = make([]float32, n*inputs), make([]float32, n*inputs), make([]float32, n)
}

// at is x of row i of the state.
func (c *ascent) at(i int) []float32 {
	inputs := c.model.net.Input.Size()
	return c.all[i*inputs : (i+1)*inputs]
}

// evaluate computes goals and their gradients where the rows here have stepped.
func (c *ascent) evaluate() {
	n, inputs := len(c.row), c.model.net.Input.Size()
	goals := make([]int, n)
	for k, i := range c.row {
		goals[k] = c.aims.Row[i]
		copy(c.tried[k*inputs:], c.at(i))
	}
	x, gradient := c.top(c.x, n), c.top(c.gradient, n)
	if c.err == nil {
		c.err = x.Write(c.tried[:n*inputs])
	}
	if c.err == nil {
		c.err = c.model.loaded.Gradient(gradient, x, Aims{Reads: c.aims.Reads, Constant: c.aims.Constant, Row: goals}, c.values[:n])
	}
	c.read(c.slope[:n*inputs], gradient)
}

// judge takes in what was found, row by row, and steps on. Its error is that of the
// first row that has one.
func (c *ascent) judge() error {
	n, inputs, s := len(c.row), c.model.net.Input.Size(), c.state
	switch {
	case !c.rule.onSphere() && s.footings == nil:
		s.footings = make([]footing, len(s.Climbs))
	case c.rule.onSphere() && s.climbs == nil:
		s.climbs = make([]climb, len(s.Climbs))
	}
	failed := make([]error, n)
	inParts(n, func(from, to int) {
		penalty := make([]float64, inputs)
		for k := from; k < to; k++ {
			i, gradient := c.row[k], c.slope[k*inputs:(k+1)*inputs]
			if c.rule.onSphere() {
				failed[k] = c.rule.climb(c.state, i, c.values[k], c.at(i), gradient)
			} else {
				failed[k] = c.judgeRow(i, c.values[k], gradient, penalty)
			}
		}
	})
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// inParts has n rows done, each once, on all processors.
func inParts(n int, part func(from, to int)) {
	parts := min(n, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for p := range parts {
		all.Go(func() { part(p*n/parts, (p+1)*n/parts) })
	}
	all.Wait()
}
