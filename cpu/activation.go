package cpu

import "github.com/unitscope/unitscope/engine"

func (d *device) Activate(h, slope, y engine.Matrix, a engine.Activation) error {
	if err := d.open("activate"); err != nil {
		return err
	}
	if err := engine.CheckActivate(h, slope, y, a); err != nil {
		return err
	}
	mh, mslope, my, err := engine.TakeActivate[*matrix](d, h, slope, y)
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

// rectify is y above 0, and below y elsewhere; NaN stays.
func rectify(h, slope, y []float32, below float32) {
	for i, v := range y {
		value, steepness := v, float32(1)
		if v <= 0 {
			if value, steepness = 0, below; below != 0 {
				value = below * v
			}
		}
		h[i] = value
		if slope != nil {
			slope[i] = steepness
		}
	}
}
