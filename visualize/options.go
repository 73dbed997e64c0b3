package visualize

import (
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// AscentOptions says what to climb and how. [DefaultAscent] fills in everything
// but the layer and its units.
type AscentOptions struct {
	Layer    int   // 1 is the first hidden layer
	Units    []int // 0-based, each at most once, in the order of the results; see [ParseUnits]
	Restarts int   // random starts per unit, >= 1
	// Rate is the length of the first step relative to the radius, see
	// [engine.Ascent]; 0 finds one for the layer, see [Ascend].
	Rate      float64
	Direction int     // +1 maximises the activation, -1 minimises it
	Radius    float64 // rho, the norm of every pattern; 0 takes the model's
	Tolerance float64 // relative gain at or below which a step counts as slow, >= 0
	Patience  int     // slow steps in a row after which a row stops, >= 1
	MaxSteps  int     // steps of a row at most, >= 0
	Seed      uint64  // of the starts
	// KeepAll keeps the pattern of every restart, not only each unit's best.
	KeepAll bool
	// Curves records the activation of every restart at about 40 numbers of
	// steps, see [Curves]. It changes no other result.
	Curves bool
	// ChunkRows is how many rows are on the device at a time; 0 works it out
	// from the device's free memory. It changes no result.
	ChunkRows int
}

// DefaultAscent returns the options of the paper, 9 restarts that maximise,
// with the step size found by itself, the model's radius and a stopping rule
// that lets a row go on while a step gains more than a hundred-thousandth.
// Layer and Units are left to fill in.
func DefaultAscent() AscentOptions {
	return AscentOptions{Restarts: 9, Direction: 1, Tolerance: 1e-5, Patience: 5, MaxSteps: 1000, Seed: 1}
}

// The radius of a pattern: its square, and the square of a step, must be far from
// the ends of float32's range.
const minRadius, maxRadius = 1e-12, 1e12

// resolve checks the options against a network and fills in its radius.
func (o AscentOptions) resolve(n *network.Network) (AscentOptions, error) {
	if o.Layer < 1 || o.Layer > len(n.Layers) {
		return o, fmt.Errorf("ascent: layer %d: the model has layers 1..%d", o.Layer, len(n.Layers))
	}
	if o.Radius == 0 {
		o.Radius = n.Radius
	}
	switch {
	case len(o.Units) == 0:
		return o, fmt.Errorf("ascent: layer %d: no units to climb", o.Layer)
	case o.Restarts < 1:
		return o, fmt.Errorf("ascent: %s, want at least 1", words.Count(o.Restarts, "restart"))
	case !(o.Rate >= 0) || o.Rate > math.MaxFloat32 || o.Rate > 0 && float32(o.Rate) == 0:
		return o, fmt.Errorf("ascent: rate %g, want 0 to find one or a float32 above 0", o.Rate)
	case o.Direction != 1 && o.Direction != -1:
		return o, fmt.Errorf("ascent: direction %d, want 1 or -1", o.Direction)
	case o.Radius == 0:
		return o, fmt.Errorf("ascent: the model does not say its radius (the mean norm of its data); give one")
	case !(o.Radius >= minRadius && o.Radius <= maxRadius):
		return o, fmt.Errorf("ascent: radius %g (--rho), want %g to %g", o.Radius, minRadius, maxRadius)
	case !(o.Tolerance >= 0):
		return o, fmt.Errorf("ascent: tolerance %g, want a number >= 0", o.Tolerance)
	case o.Patience < 1:
		return o, fmt.Errorf("ascent: patience %d, want at least 1", o.Patience)
	case o.MaxSteps < 0:
		return o, fmt.Errorf("ascent: at most %s, want 0 or more", words.Count(o.MaxSteps, "step"))
	case o.ChunkRows < 0:
		return o, fmt.Errorf("ascent: chunks of %s, want 0 for automatic or at least 1", words.Count(o.ChunkRows, "row"))
	}
	return o, nil
}

// checkUnits refuses units that the layer does not have, units asked for
// twice, and more rows than can be counted or told apart.
func (o AscentOptions) checkUnits(units, inputs int) error {
	seen := map[int]bool{}
	for _, u := range o.Units {
		if u < 0 || u >= units {
			return fmt.Errorf("ascent: unit %d: layer %d has %s, 0..%d", u, o.Layer, words.Count(units, "unit"), units-1)
		}
		if seen[u] {
			return fmt.Errorf("ascent: unit %d of layer %d is asked for twice", u, o.Layer)
		}
		seen[u] = true
		if err := engine.CheckRowKey(o.Layer, u, o.Restarts-1); err != nil {
			return fmt.Errorf("ascent: %w", err)
		}
	}
	kept := 1
	if o.KeepAll {
		kept = inputs
	}
	if err := engine.CheckNew(len(o.Units), o.Restarts); err != nil {
		return fmt.Errorf("ascent: %s with %s: %w", words.Count(len(o.Units), "unit"), words.Count(o.Restarts, "restart"), err)
	}
	if err := engine.CheckNew(len(o.Units)*o.Restarts, kept); err != nil {
		return fmt.Errorf("ascent: all patterns of %s with %s: %w", words.Count(len(o.Units), "unit"), words.Count(o.Restarts, "restart"), err)
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
