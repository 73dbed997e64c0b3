package engine

import (
	"errors"
	"fmt"
)

// Ascent is activation maximization (section 3 of the paper): projected
// gradient ascent on the sphere ||x|| = Radius, for many rows at once. Each row
// climbs the activation (before the sigmoid) of one unit of the last layer:
//
//	a = w.h + b, h the output of the layers below
//	g = da/dx
//	x <- x + Direction rate Radius g/||g||;  x <- Radius x/||x||
//
// A row's rate begins at Rate and is halved whenever a step has lost activation.
//
// The paper steps along g itself, with one step size for a whole layer. Where
// the units below are saturated, as at most random starts of a well-trained
// auto-encoder, g is smaller than elsewhere by many powers of ten: no step size
// then both leaves such a plateau and settles at the optimum. A step of a given
// angle does, and the same Rate serves networks of any scale.
//
// A row stops when it has converged, when Steps reaches MaxSteps, or when its
// gradient has vanished. It has converged when for Patience evaluations in a row
// its gain in the right direction was at most Tolerance |a| and its gradient
// nearly normal to the sphere, Tangent <= [OptimumTangent]; a small gain alone
// may be a plateau.
type Ascent struct {
	Layers    []Layer // layer 1 up to the layer whose units are climbed
	Rate      float32 // the first step, relative to Radius, > 0
	Direction float32 // +1 to maximise, -1 to minimise
	Radius    float32 // rho, > 0
	Tolerance float32 // relative gain, >= 0
	Patience  int     // evaluations, >= 1
	MaxSteps  int     // steps of a row, >= 0
	// CurveSteps are the numbers of steps, rising from 0 or more, after which a
	// state's Curves take in the activation; nil for none.
	CurveSteps []int
}

// AscentRunner runs an [Ascent].
type AscentRunner interface {
	Runner
	// Run evaluates and moves the rows that have not stopped, at most steps
	// times each. A row needs MaxSteps+1 evaluations at most, the last one
	// without a move. Activations or gradients that are not finite are an error
	// that wraps [ErrNotFinite].
	Run(s *AscentState, steps int) (AscentProgress, error)
}

// CompileAscent prepares an ascent on a device: the device's own version if it
// has one, else a [Model] of the layers, whose numbers must stay as they are until
// the runner is closed.
func CompileAscent(d Device, p Ascent) (AscentRunner, error) {
	if err := CheckAscent(p); err != nil {
		return nil, err
	}
	r, err := d.Compile(p)
	if errors.Is(err, ErrNotFused) {
		r, err = newAscentOnModel(d, p, Load)
	}
	return runnerOf[AscentRunner](d, p, r, err)
}

// ascentOnModel runs an [Ascent] as what it is: a network of sigmoid layers, and for
// each unit of the last one a goal.
type ascentOnModel struct {
	plan  Ascent
	model *Model
	goals []Goal // of each unit; those of an ascent that goes down have the weight -1
}

// newAscentOnModel prepares an ascent on a model that load makes.
func newAscentOnModel(d Device, p Ascent, load func(Device, Net) (*Model, error)) (*ascentOnModel, error) {
	if err := CheckAscent(p); err != nil {
		return nil, err
	}
	n := Net{Input: Flat(p.Layers[0].Weight.Cols)}
	for l, layer := range p.Layers {
		n.Ops = append(n.Ops, Op{Kind: Affine, In: []Value{Value(l)}, Weight: layer.Weight, Bias: layer.Bias, Activation: Activation{Kind: Sigmoid}})
	}
	m, err := load(d, n)
	if err != nil {
		return nil, fmt.Errorf("ascent: %w", err)
	}
	r := &ascentOnModel{plan: p, model: m}
	for unit := range p.Layers[len(p.Layers)-1].Weight.Rows {
		r.goals = append(r.goals, Goal{[]Term{{At: Value(len(p.Layers)), Unit: unit, Weight: p.Direction}}})
	}
	return r, nil
}

// Close implements [Runner].
func (r *ascentOnModel) Close() error { return r.model.Close() }

// Run implements [AscentRunner].
func (r *ascentOnModel) Run(s *AscentState, steps int) (AscentProgress, error) {
	if err := CheckAscentState(r.plan, s); err != nil {
		return AscentProgress{}, err
	}
	p, own := r.plan, *s
	own.Goals, own.Climbs = r.goals, s.Units
	p.turn(s)
	progress, err := r.model.Ascend(&own, p.rule(), steps)
	p.turn(s)
	return progress, p.explain(s, err)
}

// rule is how the rows climb, in either direction.
func (p *Ascent) rule() Rule {
	return Rule{p.Rate, p.Radius, p.Tolerance, p.Patience, p.MaxSteps, p.CurveSteps}
}

// turn makes activations goals, and goals activations: they differ in sign where the
// ascent goes down.
func (p *Ascent) turn(s *AscentState) {
	if p.Direction == 1 {
		return
	}
	for _, activations := range append([][]float32{s.Activation, s.StartActivation}, s.Curves...) {
		for i := range activations {
			activations[i] = -activations[i]
		}
	}
}

// explain names the unit of a row whose numbers are not finite.
func (p *Ascent) explain(s *AscentState, err error) error {
	var row *RowError
	if !errors.As(err, &row) {
		return err
	}
	return fmt.Errorf("ascent: layer %d, unit %d, step %d: activation %g, gradient norm %g: %w",
		len(p.Layers), s.Units[row.Row], row.Step, p.Direction*row.Activation, row.Gradient, ErrNotFinite)
}
