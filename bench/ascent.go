package bench

import (
	"context"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
)

// The sphere and the step of all ascents here; their values change no time.
const (
	radius = 9.2
	rate   = 0.1
)

// stack is a network of random layers of these sizes, the inputs first.
func stack(seed uint64, sizes []int) []engine.Layer {
	var layers []engine.Layer
	for l := 1; l < len(sizes); l++ {
		in, out := sizes[l-1], sizes[l]
		w := engine.Host{Rows: out, Cols: in, Data: normals(seed, l, out, in, 1/math.Sqrt(float64(in)))}
		layers = append(layers, engine.Layer{Weight: w, Bias: make([]float32, out)})
	}
	return layers
}

// perRowStep is how many floating-point operations one row takes for one step:
// two products with each weight below the target, up and down.
func perRowStep(layers []engine.Layer) float64 {
	weights := 0
	for _, l := range layers[:len(layers)-1] {
		weights += l.Weight.Rows * l.Weight.Cols
	}
	return 4 * float64(weights)
}

// ascent is one of all rows for a number of steps, without a stop before.
type ascent struct {
	device engine.Device
	layers []engine.Layer
	model  *engine.Model
	goals  []engine.Goal // of each unit of the last layer
	steps  int
	seed   uint64
	units  []int
	keys   []uint64
	x      engine.Matrix // [rows, inputs]
	state  *engine.AscentState
}

// ascentOf is the ascent of the first units of the last layer.
func ascentOf(sizes []int, units, restarts int) func(*kit, Options) (job, error) {
	return func(k *kit, o Options) (job, error) {
		var rows []row
		for i := range units * restarts {
			rows = append(rows, row{unit: i / restarts, restart: i % restarts})
		}
		return newAscent(k, o, stack(o.Seed, sizes), rows)
	}
}

type row struct{ unit, restart int }

func newAscent(k *kit, o Options, layers []engine.Layer, rows []row) (*ascent, error) {
	a := &ascent{device: k.device, layers: layers, steps: o.Steps, seed: o.Seed}
	for _, r := range rows {
		a.units = append(a.units, r.unit)
		a.keys = append(a.keys, engine.RowKey(len(layers), r.unit, r.restart))
	}
	var err error
	if a.model, err = engine.Load(k.device, engine.Stack(layers)); err != nil {
		return nil, err
	}
	k.keep(a.model)
	for unit := range layers[len(layers)-1].Weight.Rows {
		a.goals = append(a.goals, engine.UnitGoal(engine.Value(len(layers)), unit))
	}
	a.x, err = k.matrix(len(rows), layers[0].Weight.Cols)
	return a, err
}

// rule is one by which no row stops before so many steps.
func (a *ascent) rule() engine.Rule {
	return engine.Rule{Rate: rate, Radius: radius, Patience: math.MaxInt, MaxSteps: a.steps}
}

// reset puts the rows at their starts.
func (a *ascent) reset() error {
	if err := a.device.Uniform(a.x, engine.Stream{Seed: a.seed, Purpose: engine.PurposeStart, Keys: a.keys}); err != nil {
		return err
	}
	if err := a.device.Project(a.x, radius); err != nil {
		return err
	}
	a.state = engine.NewAscentState(a.goals, a.units, a.x)
	return a.device.Sync()
}

// stepsPerRun is how many steps lie between two looks at the context, as many
// as visualize.Ascend makes.
const stepsPerRun = 50

func (a *ascent) run(ctx context.Context) (done, error) {
	var d done
	for left := a.steps; left > 0; left -= stepsPerRun {
		if err := ctx.Err(); err != nil {
			return done{}, err
		}
		progress, err := a.model.Ascend(a.state, a.rule(), min(left, stepsPerRun))
		if err != nil {
			return done{}, err
		}
		d.count += float64(progress.RowSteps)
	}
	if want := float64(a.steps) * float64(len(a.units)); d.count != want {
		return done{}, fmt.Errorf("%g row-steps were made, want %g", d.count, want)
	}
	d.flops = d.count * perRowStep(a.layers)
	return d, a.device.Sync()
}

// check evaluates the final patterns once more and compares a few of them with
// the same in float64.
func (a *ascent) check() error {
	if _, err := a.model.Ascend(a.state, a.rule(), 1); err != nil {
		return err
	}
	inputs := a.x.Cols()
	patterns := make([]float32, len(a.units)*inputs)
	if err := a.x.Read(patterns); err != nil {
		return err
	}
	for _, i := range []int{0, len(a.units) / 3, len(a.units) - 1} {
		if err := checkPattern(a.layers, patterns[i*inputs:(i+1)*inputs], a.units[i], a.state.Activation[i]); err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
		if a.state.Activation[i] <= a.state.StartActivation[i] {
			return fmt.Errorf("row %d: activation fell from %g to %g", i, a.state.StartActivation[i], a.state.Activation[i])
		}
	}
	return nil
}

// checkPattern checks that a pattern lies on the sphere and excites the unit as
// much as was said. Activations are of the order of 1 and go through at most
// three sums of a thousand rounded products.
func checkPattern(layers []engine.Layer, x []float32, unit int, said float32) error {
	if n := norm(x); !(math.Abs(n-radius) <= 1e-5*radius) {
		return fmt.Errorf("unit %d: the pattern has norm %g, want %g", unit, n, radius)
	}
	if a := activationOf(layers, x, unit); !(math.Abs(a-float64(said)) <= 1e-4*(1+math.Abs(a))) {
		return fmt.Errorf("unit %d: activation %g, in float64 %g", unit, said, a)
	}
	return nil
}
