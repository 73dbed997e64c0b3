package cpu

import "github.com/unitscope/unitscope/engine"

// layer is an affine operation with its activation.
type layer struct {
	op   *engine.Op
	up   *packed   // W: units from inputs; nil until it is needed
	down *packed   // W': inputs from units; nil until it is needed
	bias []float32 // [up.padded()]
}

// pack packs the weights of the first layers, and for going back through them, if
// they aren't yet.
func (m *model) pack(operation string, layers int, back bool) error {
	numbers := 0
	for _, l := range m.layers[:layers] {
		if l.up == nil {
			numbers += len(l.op.Weight.Data)
		}
		if back && l.down == nil {
			numbers += len(l.op.Weight.Data)
		}
	}
	if err := checkCopies(operation, numbers); err != nil {
		return err
	}
	for i := range m.layers[:layers] {
		l, w := &m.layers[i], m.layers[i].op.Weight
		if l.up == nil {
			l.up = packRows(m.device.set, w.Data, w.Rows, w.Cols)
			l.bias = make([]float32, l.up.padded())
			copy(l.bias, l.op.Bias)
		}
		if back && l.down == nil {
			l.down = packColumns(m.device.set, w.Data, w.Rows, w.Cols)
		}
	}
	return nil
}

// hasSlopes says whether the layer's slopes are kept: the identity's are 1, and the
// sigmoid's are made of its values.
func (l *layer) hasSlopes() bool {
	return l.op.Activation.Kind != engine.Identity && l.op.Activation.Kind != engine.Sigmoid
}

// addBias is y += b, for a strip of outputs [units, lanes].
func (l *layer) addBias(y []float32, strip, lanes int) {
	rows := len(y) / lanes
	for i, b := range l.bias[strip*rows:][:rows] {
		line := y[i*lanes : (i+1)*lanes]
		for j := range line {
			line[j] += b
		}
	}
}

// finish adds the biases to a strip of products, and makes values, in place, and
// slopes unless slope is nil.
func (l *layer) finish(d *device, y, slope []float32, strip, lanes int) {
	if rows := d.set.Rows; l.op.Activation.Kind == engine.Sigmoid && slope == nil {
		d.set.BiasSigmoid(y, y, l.bias[strip*rows:][:rows], lanes)
		return
	}
	l.addBias(y, strip, lanes)
	l.activate(d, y, slope, strip, lanes)
}

// activate makes values, in place, and slopes unless slope is nil, of a strip of
// outputs with their biases.
func (l *layer) activate(d *device, y, slope []float32, strip, lanes int) {
	a := &l.op.Activation
	if a.Kind != engine.PReLU {
		d.activate(y, slope, y, a, 0)
		return
	}
	rows := len(y) / lanes
	for i := range min(rows, len(l.op.Bias)-strip*rows) {
		from, to := i*lanes, (i+1)*lanes
		var part []float32
		if slope != nil {
			part = slope[from:to]
		}
		d.activate(y[from:to], part, y[from:to], a, strip*rows+i)
	}
}

// descend multiplies the gradient with respect to a strip of values by their slopes.
func (l *layer) descend(d *device, delta, value, slope []float32) {
	switch l.op.Activation.Kind {
	case engine.Identity:
	case engine.Sigmoid:
		d.set.DerivativeScale(delta, value)
	default:
		times(delta, slope)
	}
}
