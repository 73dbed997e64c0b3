// Package visualize shows what a unit of a network has learned, in input
// space, by the methods of the paper (Erhan, Bengio, Courville and Vincent,
// Technical Report 1341, 2009): activation maximization (section 3) is [Ascend],
// sampling from a unit (section 4) [Sample], the linear combination of the filters
// below (section 5) [Combine], the data that excite a unit most [Examples]; the
// filters of the first layer are [Filters]. What section 6 says of them in words is
// measured by [Modes], [Selectivity] and [Compare]. What units do over a data set, and
// for each class of it, is [Tuning]; whom they have the largest weights to,
// [Connections]. [Learn] says which units have learned anything at all.
//
// Most take a device, a network and options, which begin with a default:
//
//	device, err := engine.Open("cpu") // and import _ "github.com/unitscope/unitscope/cpu"
//	model, err := network.Load("runs/dbn")
//	options := visualize.DefaultAscent()
//	options.Layer, options.Units = 2, []int{0, 1, 2}
//	result, err := visualize.Ascend(ctx, device, model, options, nil)
//
// A result writes itself, as arrays and as a table. Its [Patterns], such as
// [AscentResult.UnitPatterns], are what package report draws and what is measured.
//
// Patterns live in the model's own input space. Where a model preprocesses its
// data, x = (data - mean) * scale, that is the space after preprocessing: the
// norm rho is measured there, and so are patterns and filters.
package visualize

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

const (
	// stepsPerRun is how many steps the device takes at most between two looks at
	// the context and two reports of progress, see pace.
	stepsPerRun = 50
	// maxChunkRows is enough rows to keep any device busy; more would only
	// take memory, of the host too, and make progress reports rare.
	maxChunkRows = 1 << 12
	// unknownMemory is what a device is taken to have if it does not say.
	unknownMemory = 1 << 30
)

// Ascend climbs the activation of every unit asked for, or every objective in place of
// units, from every restart's own random start, on the sphere ||x|| = rho (section 3
// of the paper, and [engine.Rule] for the exact step and stopping rule). A start has
// each component uniform in [0, 1], for Bernoulli and Gaussian inputs alike, and is
// then scaled to rho; its random numbers belong to (seed, layer, unit, restart), the
// unit being an objective's number where there are objectives. So a row's result is the
// same to the bit whatever other units or restarts are asked for, however the rows are
// cut into chunks, and with any number of threads.
//
// With another constraint or with penalties ([engine.Rule]), what climbs is the goal less
// the penalties, and the best restart is the one with most of it. Random starts of a
// ball are those of the sphere; in a box each component is uniform between its ends, and
// the start is then scaled to rho, if that is known.
//
// As many rows are on the device at a time as about half of its free memory holds.
// Where that proves too many, they begin anew, half as many at a time. Only if a
// single row does not fit is that an error, wrapping [engine.ErrOutOfMemory].
//
// progress is told how many of the rows have finished; nil if nobody wants to
// know. When ctx ends, Ascend stops within about a second, or a step that takes
// longer, and returns an error that wraps the context's.
func Ascend(ctx context.Context, d engine.Device, n *network.Network, o AscentOptions, progress func(done, total int)) (result *AscentResult, err error) {
	if o, err = o.resolve(n); err != nil {
		return nil, fmt.Errorf("ascent: %w", err)
	}
	if err := o.checkMemory(n.Sizes()[0]); err != nil {
		return nil, err
	}
	a, err := newLayerAscent(ctx, d, n, o)
	if err != nil {
		return nil, fmt.Errorf("ascent: layer %d: %w", o.Layer, err)
	}
	defer closeInto(&err, a)
	rule := a.rule(float32(o.Rate))
	rows := a.asked()
	results, err := newCollector(o, n.InputShape, a.inputs(), rule.Rate)
	if err != nil {
		return nil, err
	}
	if o.Curves {
		if a.curves, err = newCurves(o); err != nil {
			return nil, err
		}
		results.result.Curves, rule.CurveSteps = a.curves, a.curves.Steps
	}
	if progress != nil {
		most := 0 // a chunk that is done anew takes nothing back
		a.progress = func(done int) {
			most = max(most, done)
			progress(most, rows.n)
		}
	}
	if err := a.ascend(rule, rows, results.store); err != nil {
		return nil, fmt.Errorf("ascent: layer %d: %w", o.Layer, err)
	}
	return results.result, nil
}

// layerAscent runs the ascents of one layer, chunk by chunk.
type layerAscent struct {
	ctx      context.Context
	device   engine.Device
	net      engine.Net // up to the layer
	model    *engine.Model
	options  AscentOptions
	starts   []float32      // [restarts, D], nil for random ones
	progress func(done int) // nil if nobody wants to know
	curves   *Curves        // nil if nobody wants them
	patterns []float32      // of the latest chunk, [rows, D]
	pace     pace
}

// finished is the final state of one row.
type finished struct {
	activation, start, tangent, gainLeft, penalty float32
	steps, evaluations                            int
	stop                                          engine.StopReason
	pattern                                       []float32 // [D], valid until the next row
}

func newLayerAscent(ctx context.Context, d engine.Device, n *network.Network, o AscentOptions) (*layerAscent, error) {
	net, err := n.Upto(o.Layer, nil)
	if err != nil {
		return nil, err
	}
	a := &layerAscent{ctx: ctx, device: d, net: net, options: o, pace: pace{most: stepsPerRun}}
	if o.Start != nil {
		if a.starts, err = patternsOf("starts", o.Start, o.Restarts, net.Input.Size()); err != nil {
			return nil, err
		}
	}
	if a.model, err = engine.Load(d, net); err != nil {
		return nil, memory.Explain(d, "the layers", smaller, err)
	}
	return a, nil
}

func (a *layerAscent) Close() error { return a.model.Close() }

// rule is how rows climb, with this rate.
func (a *layerAscent) rule(rate float32) engine.Rule {
	o := a.options
	return engine.Rule{
		Rate: rate, Radius: float32(o.Radius), Tolerance: float32(o.Tolerance), Patience: o.Patience, MaxSteps: o.MaxSteps,
		Constraint: o.Constraint, Penalty: o.Penalty,
	}
}

// ascend has these rows climb by a rule, and hands each one, in order, to visit.
func (a *layerAscent) ascend(r engine.Rule, these rows, visit func(i int, row finished)) error {
	return inChunks(a.device, these.n, a.chunkRows(these.n), a.rowBytes(), func(from, to int) error {
		return a.ascendChunk(r, these, from, to-from, visit)
	})
}

// ascendChunk runs n rows, from row from on.
func (a *layerAscent) ascendChunk(rule engine.Rule, r rows, from, n int, visit func(i int, row finished)) (err error) {
	x, err := a.device.New(n, a.inputs())
	if err != nil {
		return fmt.Errorf("%s at a time: %w", words.Count(n, "row"), err)
	}
	defer closeInto(&err, x)
	state, err := a.start(x, r, from, n)
	if err != nil {
		return err
	}
	if a.curves != nil {
		if state.Curves, err = a.curves.of(from, n); err != nil {
			return err
		}
	}
	if err := a.run(rule, state, r, from); err != nil {
		return err
	}
	a.patterns = slices.Grow(a.patterns[:0], n*a.inputs())[:n*a.inputs()]
	if err := state.X.Read(a.patterns); err != nil {
		return err
	}
	a.turn(state)
	for k := range n {
		visit(from+k, finished{
			activation: state.Activation[k], start: state.StartActivation[k],
			tangent: state.Tangent[k], gainLeft: state.GainLeft[k], penalty: state.Penalty[k],
			steps: state.Steps[k], evaluations: state.Evaluations[k], stop: state.Stop[k],
			pattern: a.patterns[k*a.inputs() : (k+1)*a.inputs()],
		})
	}
	return nil
}

// start puts n rows, from row from on, at their starts in the top of x.
func (a *layerAscent) start(x engine.Matrix, r rows, from, n int) (*engine.AscentState, error) {
	units, keys := make([]int, n), make([]uint64, n)
	for k := range n {
		unit, restart := r.at(from + k)
		units[k], keys[k] = unit, engine.RowKey(r.layer, unit, restart)
	}
	top, err := x.Slice(0, n)
	if err != nil {
		return nil, err
	}
	if r.starts == nil {
		err = a.device.Uniform(top, engine.Stream{Seed: a.options.Seed, Purpose: engine.PurposeStart, Keys: keys})
		if err == nil {
			err = a.place(top)
		}
	} else {
		err = top.Write(a.given(r, from, n))
		if err == nil && a.options.Constraint.Kind == engine.Sphere {
			err = a.device.Project(top, float32(a.options.Radius))
		}
	}
	if err != nil {
		return nil, err
	}
	goals, climbs := goals(units, r.goal, float32(a.options.Direction))
	return engine.NewAscentState(goals, climbs, top), nil
}

// given are the starts of n rows, from row from on, that are not random.
func (a *layerAscent) given(r rows, from, n int) (x []float32) {
	for k := range n {
		_, restart := r.at(from + k)
		x = append(x, r.starts[restart*a.inputs():(restart+1)*a.inputs()]...)
	}
	return x
}

// run lets the rows of a state, from row before on, climb until all have stopped.
func (a *layerAscent) run(rule engine.Rule, state *engine.AscentState, r rows, before int) error {
	for {
		if err := a.ctx.Err(); err != nil {
			return err
		}
		steps, began := a.pace.next(), time.Now()
		done, err := a.model.Ascend(state, rule, steps)
		if err != nil {
			return a.explain(r, before, err)
		}
		a.pace.took(steps, time.Since(began))
		if a.progress != nil {
			a.progress(before + len(state.Climbs) - done.Active)
		}
		if done.Active == 0 {
			return nil
		}
	}
}

// explain names what a row climbs whose numbers are not finite; before are the rows of
// earlier chunks.
func (a *layerAscent) explain(r rows, before int, err error) error {
	var row *engine.RowError
	if !errors.As(err, &row) {
		return err
	}
	unit, _ := r.at(before + row.Row)
	return fmt.Errorf("%s, step %d: activation %g, gradient norm %g: %w", r.name(unit), row.Step, float32(a.options.Direction)*row.Activation, row.Gradient, engine.ErrNotFinite)
}

// turn makes activations of what rows have climbed, which is their negative where
// they went down.
func (a *layerAscent) turn(state *engine.AscentState) {
	if a.options.Direction > 0 {
		return
	}
	for _, numbers := range append([][]float32{state.Activation, state.StartActivation}, state.Curves...) {
		for i := range numbers {
			numbers[i] = 0 - numbers[i] // 0 and not -0 where rectifiers are off
		}
	}
}

func (a *layerAscent) inputs() int { return a.net.Input.Size() }

// chunkRows is how many of n rows to have on the device at a time.
func (a *layerAscent) chunkRows(n int) int {
	if a.options.ChunkRows > 0 {
		return min(a.options.ChunkRows, n)
	}
	return fittingRows(a.device, n, int(a.rowBytes()/4), maxChunkRows)
}

// rowBytes is about what a row takes on the device and the host.
func (a *layerAscent) rowBytes() int64 {
	// Three rows of inputs on the device and 14 on the host, two of the target's
	// weights, and an output and a gradient of each value below.
	floats := 17 * a.inputs()
	for _, o := range a.net.Ops[:len(a.net.Ops)-1] {
		floats += 2 * max(o.Weight.Rows, len(o.Bias), a.inputs()*min(1, len(o.In)-1))
	}
	return 4 * int64(floats+2*a.net.Ops[len(a.net.Ops)-1].Weight.Cols)
}

// closeInto closes c and reports its error unless there is one already.
func closeInto(err *error, c interface{ Close() error }) {
	if e := c.Close(); *err == nil {
		*err = e
	}
}
