package visualize

import (
	"math"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// penalised is true where something is taken from what is climbed.
func (o AscentOptions) penalised() bool { return o.Penalty.L2 > 0 || o.Penalty.TotalVariation > 0 }

// checkConstraint checks what can be told without a network.
func (o AscentOptions) checkConstraint() error {
	c := o.Constraint
	switch {
	case c.Kind > engine.Box:
		return words.BadOption("Constraint", c.Kind, "want a sphere, a ball or a box")
	case c.Kind != engine.Box && (c.Lowest != 0 || c.Highest != 0):
		return words.BadOption("Constraint", c.Kind, "only a box has a lowest and a highest value")
	case c.Kind == engine.Box && !(c.Lowest < c.Highest && c.Highest-c.Lowest <= math.MaxFloat32):
		return words.BadOption("Constraint", c.Kind, "from %g to %g: want two finite numbers, the lower one first", c.Lowest, c.Highest)
	case !(o.Penalty.L2 >= 0 && o.Penalty.L2 <= math.MaxFloat32):
		return words.BadOption("Penalty.L2", o.Penalty.L2, "want a number, 0 or more")
	case !(o.Penalty.TotalVariation >= 0 && o.Penalty.TotalVariation <= math.MaxFloat32):
		return words.BadOption("Penalty.TotalVariation", o.Penalty.TotalVariation, "want a number, 0 or more")
	}
	return nil
}

// Outweighed counts the units, or objectives, that are not dead and whose best restart
// has gained less than [DeadGain] of activation: penalties were all that it climbed. It is
// 0 without penalties.
func (r *AscentResult) Outweighed() (n int) {
	c, err := r.columns()
	if err != nil || r.Penalty == nil {
		return 0
	}
	for u, best := range r.Best {
		a, start := c.activation[u*r.Restarts+best], c.start[u*r.Restarts+best]
		if gain := float64(a-start) * float64(r.Direction); !r.Dead[u] && gain <= DeadGain*max(1, math.Abs(float64(a))) {
			n++
		}
	}
	return n
}

// bounds fills in the radius, and what pictures are to the total variation.
func (o AscentOptions) bounds(n *network.Network) (AscentOptions, error) {
	var err error
	if o.Constraint.Kind == engine.Box && o.Radius == 0 && n.Radius == 0 {
		// A length to measure steps by: half of the box's diagonal.
		o.anywhere = true
		o.Radius = (float64(o.Constraint.Highest) - float64(o.Constraint.Lowest)) / 2 * math.Sqrt(float64(n.Sizes()[0]))
		if !(o.Radius >= minRadius && o.Radius <= maxRadius) {
			return o, words.BadOption("Constraint", o.Constraint.Kind, "from %g to %g: want half of its diagonal, %.3g, to be %g to %g", o.Constraint.Lowest, o.Constraint.Highest, o.Radius, minRadius, maxRadius)
		}
	}
	if o.Radius, err = radiusFor(n, o.Radius); err != nil {
		return o, err
	}
	if o.Penalty.TotalVariation > 0 && o.Penalty.Picture == (engine.Shape{}) {
		o.Penalty.Picture, err = pictureOf(n.InputShape)
	}
	return o, err
}

// pictureOf is an input's shape as channels of a picture.
func pictureOf(shape []int) (engine.Shape, error) {
	switch {
	case len(shape) == 2:
		return engine.Shape{Channels: 1, Rows: shape[0], Cols: shape[1]}, nil
	case len(shape) == 3 && (shape[2] > 4 || shape[0] <= 4):
		return engine.Shape{Channels: shape[0], Rows: shape[1], Cols: shape[2]}, nil
	case len(shape) == 3:
		return engine.Shape{}, words.BadOption("Penalty.TotalVariation", nil, "inputs of shape %v have the channels last; it wants them first", shape)
	}
	return engine.Shape{}, words.BadOption("Penalty.TotalVariation", nil, "the model does not say what pictures its inputs are, rows and columns")
}

// place puts random numbers from 0 to 1 [rows, D] where random starts are: at the norm of
// the radius, in a box after they were spread over it. What is not in the box then begins
// at its nearest point ([engine.NewAscentState]). Far from the norm of data the units of
// many networks are saturated, and have no gradient.
func (a *layerAscent) place(x engine.Matrix) error {
	if c := a.options.Constraint; c.Kind == engine.Box {
		data := make([]float32, x.Rows()*x.Cols())
		if err := x.Read(data); err != nil {
			return err
		}
		for j, v := range data {
			data[j] = c.Lowest + v*(c.Highest-c.Lowest)
		}
		if err := x.Write(data); err != nil || a.options.anywhere {
			return err
		}
	}
	return a.device.Project(x, float32(a.options.Radius))
}
