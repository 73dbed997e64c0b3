package cpu

import (
	"math"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
)

func (d *device) Activate(h, slope, y engine.Matrix, a engine.Activation) error {
	if err := d.open("activate"); err != nil {
		return err
	}
	mh, mslope, my, err := operand.Activate[*matrix](d, h, slope, y, a)
	if err == nil {
		d.byRows(rowTask{compute: activateRow, dst: mh, slope: mslope, x: my, activation: a}, activationCost(a.Kind))
	}
	return err
}

// activationCost is what an element costs, in additions or so.
func activationCost(k engine.ActivationKind) float64 {
	switch k {
	case engine.Sigmoid:
		return costSigmoid
	case engine.Tanh, engine.ELU, engine.GELU, engine.GELUTanh, engine.SiLU, engine.Softplus:
		return costNormal
	}
	return 4 * costCopy
}

func activateRow(d *device, _ *worker, t *rowTask, i int) {
	h, y := t.dst.row(i), t.x.row(i)
	var slope []float32
	if t.slope != nil {
		slope = t.slope.row(i)
	}
	channels := t.activation.Channels()
	width := len(y) / channels
	for c := range channels {
		from, to := c*width, (c+1)*width
		part := slope
		if slope != nil {
			part = slope[from:to]
		}
		d.activate(h[from:to], part, y[from:to], &t.activation, c)
	}
}

// activate is h = f(y) and, unless slope is nil, slope = f'(y), for numbers of one
// channel; h may be y.
func (d *device) activate(h, slope, y []float32, a *engine.Activation, channel int) {
	switch a.Kind {
	case engine.Identity:
		copy(h, y)
		for i := range slope {
			slope[i] = 1
		}
	case engine.Sigmoid:
		d.set.Sigmoid(h, y)
		for i := range slope {
			slope[i] = h[i] * (1 - h[i])
		}
	case engine.ReLU:
		rectify(h, slope, y, 0)
	case engine.LeakyReLU:
		rectify(h, slope, y, a.Alpha)
	case engine.PReLU:
		rectify(h, slope, y, a.Slopes[channel])
	default:
		for i, v := range y {
			value, steepness := a.At(float64(v), channel)
			h[i] = float32(value)
			if slope != nil {
				slope[i] = float32(steepness)
			}
		}
	}
}

// rectify is y above 0, and below y elsewhere; NaN stays. Which it is is chance, to a
// processor: so it is a choice of bits and no branch.
func rectify(h, slope, y []float32, below float32) {
	const one = 0x3F800000 // bits of 1
	h, flat := h[:len(y)], math.Float32bits(below)
	for i, v := range y {
		b := math.Float32bits(v)
		above := uint32(^(int32(b) | int32(b-1)) >> 31) // all bits where v > 0
		if v != v {
			above = ^uint32(0)
		}
		small := below * v
		if below == 0 {
			small = 0 // of -Inf too
		}
		h[i] = math.Float32frombits(b&above | math.Float32bits(small)&^above)
		if slope != nil {
			slope[i] = math.Float32frombits(one&above | flat&^above)
		}
	}
}
