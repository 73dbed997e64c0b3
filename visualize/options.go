package visualize

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// AscentOptions says what to climb and how. [DefaultAscent] fills in everything
// but the layer and its units.
type AscentOptions struct {
	Layer int   // 1 is the first hidden layer
	Units []int // 0-based, each at most once, in the order of the results; see [ParseUnits]
	// Objectives are climbed in place of units, which are left out then: results number
	// them from 0, in this order. Layer is that of the topmost value they read.
	Objectives []Objective
	After      bool // units after the layer's nonlinearity; objectives say so themselves
	Restarts   int  // random starts per unit, >= 1
	// Start [Restarts, D] are inputs of the network, after [network.Network.Preprocess],
	// at which the restarts of every unit begin, scaled to the radius, or at the nearest
	// point of a ball or box; nil for random ones.
	Start *tensor.Dense
	// Rate is the length of the first exploring step relative to the radius, see
	// [engine.Rule], > 0. It is the same for all networks.
	Rate      float64
	Direction int     // +1 maximises the activation, -1 minimises it
	Radius    float64 // rho, the norm of every pattern, in a ball the largest; 0 takes the model's
	// Constraint is where patterns may be: on the sphere of the radius, unless another is
	// asked for. In a box Radius is the norm of random starts, and the length that steps
	// are measured by; where neither it nor the model's is known, starts are anywhere in
	// the box.
	Constraint engine.Constraint
	// Penalty is taken off what is climbed. Its Picture may be left out: total variation
	// is then that of the network's input shape.
	Penalty   engine.Penalty
	Tolerance float64 // of what is left to gain ([engine.Rule]) where a row has converged, >= 0
	Patience  int     // steps in a row that gain next to nothing, after which a row stops, >= 1
	MaxSteps  int     // steps of a row at most, those taken back among them, >= 0
	Seed      uint64  // of the starts
	// KeepAll keeps the pattern of every restart, not only each unit's best.
	KeepAll bool
	// Curves records the activation of every restart at about 40 numbers of
	// steps, see [Curves]. It changes no other result.
	Curves bool
	// ChunkRows is how many rows are on the device at a time; 0 works it out
	// from the device's free memory. It changes no result.
	ChunkRows int

	anywhere bool // random starts are anywhere in the box
}

// DefaultAscent returns the options of the paper, 9 restarts that maximise,
// with the model's radius, and a row goes on while there is more than a
// hundred-thousandth left to gain. Layer and Units are left to fill in.
func DefaultAscent() AscentOptions {
	return AscentOptions{Restarts: 9, Direction: 1, Rate: 1, Tolerance: 1e-5, Patience: 10, MaxSteps: 3000, Seed: 1}
}

// The radius of a pattern: its square, and the square of a step, must be far from
// the ends of float32's range.
const minRadius, maxRadius = 1e-12, 1e12

// Check returns a [words.OptionError] if an option is out of range, whatever the
// network, its layer and its units.
func (o AscentOptions) Check() error {
	switch {
	case o.Restarts < 1:
		return words.BadOption("Restarts", o.Restarts, "want at least 1")
	case !(o.Rate > 0) || o.Rate > math.MaxFloat32 || float32(o.Rate) == 0:
		return words.BadOption("Rate", o.Rate, "want a number above 0")
	case o.Direction != 1 && o.Direction != -1:
		return words.BadOption("Direction", o.Direction, "want 1 or -1")
	case !(o.Tolerance >= 0 && o.Tolerance <= math.MaxFloat32):
		return words.BadOption("Tolerance", o.Tolerance, "want a number, 0 or more")
	case o.Patience < 1:
		return words.BadOption("Patience", o.Patience, "want at least 1")
	case o.MaxSteps < 0:
		return words.BadOption("MaxSteps", o.MaxSteps, "want 0 or more")
	}
	if err := o.checkConstraint(); err != nil {
		return err
	}
	return checkChunk(o.ChunkRows)
}

func checkChunk(rows int) error {
	if rows < 0 {
		return words.BadOption("ChunkRows", rows, "want at least 1, or 0 for automatic")
	}
	return nil
}

// radiusFor is the radius of patterns for a network: that of an option, or if it is 0
// the network's own.
func radiusFor(n *network.Network, radius float64) (float64, error) {
	if radius == 0 {
		radius = n.Radius
	}
	switch {
	case radius == 0:
		return 0, words.BadOption("Radius", nil, "the model does not say it (the mean norm of its data); give one")
	case !(radius >= minRadius && radius <= maxRadius):
		return 0, words.BadOption("Radius", radius, "want %g to %g", minRadius, maxRadius)
	}
	return radius, nil
}

// resolve checks the options against a network and fills in its radius.
func (o AscentOptions) resolve(n *network.Network) (AscentOptions, error) {
	o, err := o.choice(n)
	if err != nil {
		return o, err
	}
	if err := o.Check(); err != nil {
		return o, err
	}
	if err := o.checkStart(n.Sizes()[0]); err != nil {
		return o, err
	}
	if o, err = o.bounds(n); err != nil {
		return o, err
	}
	return o, o.checkRows(n.Sizes()[0])
}

// choice makes sure that there is something to climb, and numbers objectives.
func (o AscentOptions) choice(n *network.Network) (AscentOptions, error) {
	if o.Objectives == nil {
		return o, checkChoice(n, o.Layer, o.Units)
	}
	if o.Units != nil {
		return o, words.BadOption("Units", nil, "there are Objectives too; give one of them")
	}
	o.Units = appendRange(nil, 0, len(o.Objectives)-1)
	return o, checkObjectives(n, o.Layer, o.Objectives)
}

// checkStart refuses starts that are none of the network's inputs, or have no
// direction to be scaled in.
func (o AscentOptions) checkStart(inputs int) error {
	if o.Start == nil {
		return nil
	}
	data, err := patternsOf("Start", o.Start, o.Restarts, inputs)
	if err != nil {
		return words.BadOption("Start", nil, "%w: want a row of inputs for each restart", err)
	}
	for k := range o.Restarts {
		if norm := norm64(data[k*inputs : (k+1)*inputs]); norm == 0 && o.Constraint.Kind == engine.Sphere || norm-norm != 0 {
			return words.BadOption("Start", nil, "input %d has norm %g: want finite numbers that are not all 0", k, norm)
		}
	}
	return nil
}

// names are those of objectives; nil for units.
func (o AscentOptions) names() (names []string) {
	for _, objective := range o.Objectives {
		names = append(names, objective.Name)
	}
	return names
}

// checkRows refuses more rows than can be counted or told apart.
func (o AscentOptions) checkRows(inputs int) error {
	for _, u := range o.Units {
		if err := engine.CheckRowKey(o.Layer, u, o.Restarts-1); err != nil {
			return err
		}
	}
	kept := 1
	if o.KeepAll {
		kept = inputs
	}
	if err := engine.CheckNew(len(o.Units), o.Restarts); err != nil {
		return fmt.Errorf("%s with %s: %w", words.Count(len(o.Units), "unit"), words.Count(o.Restarts, "restart"), err)
	}
	if err := engine.CheckNew(len(o.Units)*o.Restarts, kept); err != nil {
		return fmt.Errorf("all patterns of %s with %s: %w", words.Count(len(o.Units), "unit"), words.Count(o.Restarts, "restart"), err)
	}
	return nil
}

// checkMemory refuses more results than there is memory for.
func (o AscentOptions) checkMemory(inputs int) error {
	const rowBytes = 64
	units, rows := float64(len(o.Units)), float64(len(o.Units))*float64(o.Restarts)
	need := rows*rowBytes + 8*units*float64(inputs)
	if o.KeepAll {
		need += 4 * rows * float64(inputs)
	}
	if o.Curves {
		need += 4 * rows * float64(len(curveSteps(o.MaxSteps)))
	}
	return checkResults(fmt.Sprintf("ascent: the results of %s with %s", words.Count(len(o.Units), "unit"), words.Count(o.Restarts, "restart")), need, "fewer units or restarts, or only the best patterns,")
}
