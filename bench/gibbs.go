package bench

import (
	"context"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
)

// chains is block Gibbs sampling with one hidden unit held at 1.
type chains struct {
	device engine.Device
	plan   engine.Gibbs
	runner engine.GibbsRunner
	clamp  []int
	keys   []uint64
	sweeps int
	state  *engine.GibbsState
}

func sampling(visible, hidden, count int) func(*kit, Options) (job, error) {
	return func(k *kit, o Options) (job, error) {
		c := &chains{device: k.device, sweeps: o.Steps, plan: engine.Gibbs{
			Layer: engine.Layer{
				Weight: engine.Host{Rows: hidden, Cols: visible, Data: normals(o.Seed, 1, hidden, visible, 1/math.Sqrt(float64(visible)))},
				Bias:   make([]float32, hidden),
			},
			VisibleBias: make([]float32, visible), Seed: o.Seed,
		}}
		c.clamp = make([]int, count)
		for i := range count {
			c.keys = append(c.keys, engine.RowKey(1, c.clamp[i], i))
		}
		var err error
		if c.runner, err = engine.CompileGibbs(k.device, c.plan); err != nil {
			return nil, err
		}
		k.keep(c.runner)
		if err := c.checkFirstSweep(); err != nil {
			return nil, err
		}
		if c.state, err = engine.NewGibbsState(k.device, c.plan, c.clamp, c.keys); err != nil {
			return nil, err
		}
		k.keep(c.state)
		return c, nil
	}
}

// reset puts the chains back to their starts.
func (c *chains) reset() (err error) {
	fresh, err := engine.NewGibbsState(c.device, c.plan, c.clamp, c.keys)
	if err != nil {
		return err
	}
	defer closeInto(&err, fresh)
	if err := c.device.Axpby(c.state.Hidden, 1, fresh.Hidden, 0); err != nil {
		return err
	}
	c.state.Sweeps = 0
	return c.device.Sync()
}

// sweepsPerRun is how many sweeps lie between two looks at the context.
const sweepsPerRun = 50

func (c *chains) run(ctx context.Context) (done, error) {
	var d done
	for left := c.sweeps; left > 0; left -= sweepsPerRun {
		if err := ctx.Err(); err != nil {
			return done{}, err
		}
		progress, err := c.runner.Run(c.state, min(left, sweepsPerRun))
		if err != nil {
			return done{}, err
		}
		d.count += float64(progress.ChainSweeps)
	}
	w := c.plan.Layer.Weight
	d.flops = d.count * 4 * float64(w.Rows) * float64(w.Cols)
	return d, c.device.Sync()
}

// check wants states, and the held unit held.
func (c *chains) check() error {
	for _, m := range []engine.Matrix{c.state.Hidden, c.state.Visible} {
		states := make([]float32, m.Rows()*m.Cols())
		if err := m.Read(states); err != nil {
			return err
		}
		for i, s := range states {
			if s != 0 && s != 1 {
				return fmt.Errorf("chain %d: state %g, want 0 or 1", i/m.Cols(), s)
			}
			if m == c.state.Hidden && i%m.Cols() == c.clamp[i/m.Cols()] && s != 1 {
				return fmt.Errorf("chain %d: unit %d is not held at 1", i/m.Cols(), c.clamp[i/m.Cols()])
			}
		}
	}
	return nil
}

// checkedChains is how many chains the first sweep is checked with.
const checkedChains = 64

// checkFirstSweep compares the visible states of one sweep with those of the
// definition. A state whose probability is within a rounding of its random
// number may come out the other way; in a thousand of them there is hardly one.
func (c *chains) checkFirstSweep() (err error) {
	plain, err := engine.Plain(c.device, c.plan)
	if err != nil {
		return err
	}
	defer closeInto(&err, plain)
	got, err := c.firstSweep(c.runner)
	if err != nil {
		return err
	}
	want, err := c.firstSweep(plain.(engine.GibbsRunner))
	if err != nil {
		return err
	}
	others := 0
	for i := range want {
		if got[i] != want[i] {
			others++
		}
	}
	if others > len(want)/1000 {
		return fmt.Errorf("first sweep: %d of %d visible states differ from the definition's", others, len(want))
	}
	return nil
}

// firstSweep returns the visible states of a few chains after one sweep.
func (c *chains) firstSweep(r engine.GibbsRunner) (visible []float32, err error) {
	n := min(checkedChains, len(c.clamp))
	state, err := engine.NewGibbsState(c.device, c.plan, c.clamp[:n], c.keys[:n])
	if err != nil {
		return nil, err
	}
	defer closeInto(&err, state)
	if _, err := r.Run(state, 1); err != nil {
		return nil, err
	}
	visible = make([]float32, n*state.Visible.Cols())
	return visible, state.Visible.Read(visible)
}
