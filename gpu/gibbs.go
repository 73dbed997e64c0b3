//go:build cuda

package gpu

import (
	"errors"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
)

// gibbs is the engine.Gibbs of a card. A sweep is two launches, products that draw
// states at the end: of the visible units, and of the hidden ones, of which those
// that are held become 1.
type gibbs struct {
	plan        engine.Gibbs // without the numbers of its parameters
	fixed       holding
	weight      *matrix // [hidden, visible]
	bias        *matrix // [1, hidden]
	visibleBias *matrix // [1, visible]
	closed      bool
}

func newGibbs(d *device, p engine.Gibbs) (*gibbs, error) {
	g := &gibbs{plan: engine.Gibbs{Visible: p.Visible, Seed: p.Seed}, fixed: holding{device: d, operation: "gibbs"}}
	g.weight, g.bias, g.visibleBias = g.fixed.upload(p.Layer.Weight), g.fixed.row(p.Layer.Bias), g.fixed.row(p.VisibleBias)
	if err := g.fixed.compiled(); err != nil {
		return nil, err
	}
	return g, nil
}

// Close implements engine.Runner.
func (g *gibbs) Close() error {
	g.closed = true
	return g.fixed.close()
}

// Run implements engine.GibbsRunner.
func (g *gibbs) Run(s *engine.GibbsState, sweeps int) (progress engine.GibbsProgress, err error) {
	d := g.fixed.device
	if err := d.open("gibbs"); err != nil {
		return progress, err
	}
	if g.closed {
		return progress, errors.New("gibbs: the plan is closed")
	}
	c := sampling{gibbs: g, holding: holding{device: d, operation: "gibbs"}, state: s}
	c.hidden, c.visible, c.means, err = operand.Gibbs[*matrix](d, s)
	if err != nil || sweeps <= 0 {
		return progress, err
	}
	defer func() {
		if e := c.close(); err == nil {
			err = e
		}
	}()
	c.keys, c.held, c.lengths = c.lasting(bytesOf(s.Keys)), c.lasting(indices(s.Clamp)), c.matrix(2*len(s.Clamp), 1)
	for ; sweeps > 0 && c.err == nil; sweeps-- {
		if c.sweep(s.Sweeps + 1); c.err == nil {
			s.Sweeps++
			progress.Sweeps++
			progress.ChainSweeps += int64(len(s.Clamp))
		}
	}
	c.finite()
	return progress, c.err
}

// sampling is one run.
type sampling struct {
	*gibbs
	holding
	state                  *engine.GibbsState
	hidden, visible, means *matrix
	keys, held             cu.DevicePtr
	lengths                *matrix // [2*chains, 1] norms of hidden and then of visible states
}

func (c *sampling) sweep(step uint32) {
	p := &c.plan
	c.gemm(product{dst: c.visible, a: c.hidden, b: c.weight, bias: c.visibleBias, probability: c.means, keys: c.keys},
		states(p.Visible, false, p.Seed, engine.PurposeGibbsVisible, step))
	c.gemm(product{dst: c.hidden, a: c.visible, b: c.weight, bias: c.bias, held: c.held, keys: c.keys},
		states(engine.Bernoulli, true, p.Seed, engine.PurposeGibbsHidden, step))
}

// finite waits for the card, and fails at the first chain whose hidden states are
// not all finite, or else whose visible ones are not.
func (c *sampling) finite() {
	if c.err != nil {
		return
	}
	chains := len(c.state.Clamp)
	c.norms(part(c.lengths, 0, chains), c.hidden)
	c.norms(part(c.lengths, chains, 2*chains), c.visible)
	norms := make([]float32, 2*chains)
	c.read(norms, c.lengths)
	for i, norm := range norms {
		if norm-norm != 0 && c.err == nil {
			c.err = c.state.NotFinite(i % chains)
		}
	}
}
