package train

import (
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// learn makes the update of one batch. Everything in the products is fused into
// them: biases and sigmoids on the way up, the sigmoids' derivatives on the way
// down, and without momentum the update of the weights itself.
func (t *tuner) learn(examples []float32, indices []uint64) error {
	r := t.full
	if len(indices) < t.schedule.Batch {
		r = t.last
	}
	labels := t.labels[:len(indices)]
	for i, index := range indices {
		label, _ := t.set.Label(int(index))
		labels[i] = int32(label)
	}
	if err := r.values[0].Write(examples); err != nil {
		return err
	}
	for layer := 1; layer <= len(t.layers); layer++ {
		if err := t.forward(layer, r, indices); err != nil {
			return err
		}
	}
	scores := r.values[len(t.layers)]
	if err := scores.Read(r.scores); err != nil {
		return err
	}
	s := softmax(r.scores, labels, t.classes)
	if s.Loss-s.Loss != 0 {
		return t.explain(engine.ErrNotFinite)
	}
	if err := scores.Write(r.scores); err != nil {
		return err
	}
	if err := t.backward(r); err != nil {
		return err
	}
	t.tally = t.tally.plus(s)
	t.updates++
	return nil
}

// forward is one layer of a batch: values[layer] = sigmoid(scale W m + b), m the
// layer's input, values[layer-1], masked.
func (t *tuner) forward(layer int, r *room, indices []uint64) error {
	x := r.values[layer-1]
	if level := t.options.noise(layer); level > 0 {
		keys := t.keys[layer-1][:len(indices)]
		for i, index := range indices {
			keys[i] = engine.ExampleKey(layer, int64(index))
		}
		at := engine.Stream{Seed: t.options.Seed, Purpose: engine.PurposeDropout, Step: uint32(t.updates), Keys: keys}
		// In place: a masked h is 0, and so is its derivative h(1-h).
		if err := t.device.Corrupt(x, x, engine.Corruption{Kind: engine.CorruptionMask, Level: float32(level)}, at); err != nil {
			return err
		}
	}
	return t.device.Gemm(r.values[layer], x, t.layers[layer-1].Weight, t.up(layer, t.scale(layer)))
}

// scale makes up for the components that the noise of a layer takes away.
func (t *tuner) scale(layer int) float32 {
	width := t.layers[layer-1].Weight.Cols()
	picked := engine.Corruption{Level: float32(t.options.noise(layer))}.Picked(width)
	return float32(float64(width) / float64(width-picked))
}

// backward takes the gradient at the scores down the stack, and updates each
// layer once the one below has its gradient.
func (t *tuner) backward(r *room) error {
	epoch, _ := t.schedule.Position(t.updates)
	rate := t.rate(epoch)
	delta := r.values[len(t.layers)]
	for layer := len(t.layers); layer >= 1; layer-- {
		if layer > 1 {
			down := engine.Multiply(false, false)
			down.Alpha = t.scale(layer)
			down.Epilogue = engine.Epilogue{Kind: engine.EpilogueDerivative, Hidden: r.values[layer-1]}
			if err := t.device.Gemm(r.deltas[layer-1], delta, t.layers[layer-1].Weight, down); err != nil {
				return err
			}
		}
		if err := t.update(layer, rate, r.values[layer-1], delta); err != nil {
			return err
		}
		delta = r.deltas[layer-1]
	}
	return nil
}

// update is the learning rule of [engine.Update] for one layer with input x and
// the gradient delta before its nonlinearity. Without momentum the velocity is
// the step itself, and the product adds it to the weights.
func (t *tuner) update(layer int, rate float64, x, delta engine.Matrix) error {
	p, d := t.layers[layer-1], t.device
	step, decay := float32(-rate), float32(t.options.Decay)
	gradient := engine.Product{TransA: true, Alpha: step * t.scale(layer) / float32(x.Rows())}
	if t.velocity == nil {
		gradient.Beta = 1 + float32(step*decay)
		if err := d.Gemm(p.Weight, delta, x, gradient); err != nil {
			return err
		}
		return d.Reduce(p.Bias, delta, engine.Reduction{Kind: engine.ColumnMeans, Alpha: step, Beta: 1})
	}
	v := t.velocity[layer-1]
	momentum := float32(t.options.Momentum)
	gradient.Beta = momentum
	if err := d.Gemm(v.Weight, delta, x, gradient); err != nil {
		return err
	}
	if decay > 0 {
		if err := d.Axpby(v.Weight, float32(step*decay), p.Weight, 1); err != nil {
			return err
		}
	}
	if err := d.Axpby(p.Weight, 1, v.Weight, 1); err != nil {
		return err
	}
	if err := d.Reduce(v.Bias, delta, engine.Reduction{Kind: engine.ColumnMeans, Alpha: step, Beta: momentum}); err != nil {
		return err
	}
	return d.Axpby(p.Bias, 1, v.Bias, 1)
}

// download reads layers from the device. Numbers that are not finite are an
// error that wraps [engine.ErrNotFinite].
func (t *tuner) download(layers []engine.Parameters) ([]network.Layer, error) {
	var all []network.Layer
	for _, p := range layers {
		l, err := download(p)
		if err != nil {
			return nil, t.explain(err)
		}
		all = append(all, l)
	}
	return all, nil
}
