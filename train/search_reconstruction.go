package train

import (
	"context"
	"errors"
	"fmt"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/feed"
)

// Reconstruction is the mean of ||reconstruction - x||^2 over the examples x of
// a set, as the network sees them. The reconstruction goes through the whole
// stack, up by mean activations and down by the same weights and the visible
// biases, so that stacks of any depth and width can be compared. A layer without
// a visible bias is an error.
func Reconstruction(ctx context.Context, d engine.Device, n *network.Network, set dataset.Set) (mean float64, err error) {
	r := &reconstructor{network: n, device: d, buffers: buffers{device: d}}
	if err = r.prepare(set); err == nil {
		mean, err = r.measure(ctx, set)
	}
	if err = errors.Join(err, r.buffers.close()); err != nil {
		return 0, fmt.Errorf("reconstruction: %w", err)
	}
	return mean, nil
}

// reconstructor is a stack on a device with room to go up and down in.
type reconstructor struct {
	network *network.Network
	device  engine.Device
	buffers buffers
	layers  []engine.Parameters
	values  []engine.Matrix // [scoreRows, width] of every level, on the way up and down
	input   engine.Matrix   // [scoreRows, inputs]
	norms   engine.Matrix   // [scoreRows, 1]
}

func (r *reconstructor) prepare(set dataset.Set) error {
	if err := r.network.Check(); err != nil {
		return err
	}
	sizes := r.network.Sizes()
	if size := set.Info().Size(); size != sizes[0] {
		return fmt.Errorf("%s: examples have %s, the model's inputs %d", set.Info().Name, words.Count(size, "component"), sizes[0])
	}
	if set.Len() == 0 {
		return fmt.Errorf("%s: no examples", set.Info().Name)
	}
	for i, l := range r.network.Layers {
		if l.VisibleBias == nil {
			return fmt.Errorf("%s is missing, so layer %d can't reconstruct what it takes", network.LayerName(i+1)+network.VisibleBiasSuffix, i+1)
		}
		r.layers = append(r.layers, r.buffers.uploadLayer(l))
	}
	rows := min(scoreRows, set.Len())
	for _, width := range sizes {
		r.values = append(r.values, r.buffers.matrix(rows, width))
	}
	r.input, r.norms = r.buffers.matrix(rows, sizes[0]), r.buffers.matrix(rows, 1)
	return r.buffers.err
}

func (r *reconstructor) measure(ctx context.Context, set dataset.Set) (float64, error) {
	sum := 0.0
	err := feed.All(ctx, set, scoreRows, func(p feed.Part) error {
		if err := r.network.Preprocess(p.Examples); err != nil {
			return err
		}
		more, err := r.batch(p.Examples, len(p.Indices))
		sum += more
		return err
	})
	if err == nil && sum-sum != 0 {
		err = engine.ErrNotFinite
	}
	return sum / float64(set.Len()), err
}

// batch is the sum of the squared errors of a few examples.
func (r *reconstructor) batch(examples []float32, rows int) (float64, error) {
	input, values := r.buffers.view(r.input, rows), r.buffers.views(r.values, rows)
	if r.buffers.err != nil {
		return 0, r.buffers.err
	}
	if err := input.Write(examples); err != nil {
		return 0, err
	}
	if err := r.upAndDown(input, values); err != nil {
		return 0, err
	}
	if err := r.device.Axpby(values[0], -1, input, 1); err != nil {
		return 0, err
	}
	squares := make([]float64, rows)
	if err := squaredNorms(r.device, squares, r.norms, values[0]); err != nil {
		return 0, err
	}
	sum := 0.0
	for _, x := range squares {
		sum += x
	}
	return sum, nil
}

// upAndDown leaves the reconstruction of input in values[0].
func (r *reconstructor) upAndDown(input engine.Matrix, values []engine.Matrix) error {
	below := input
	for l, p := range r.layers {
		up := engine.Multiply(false, true)
		up.Epilogue = engine.Epilogue{Kind: engine.EpilogueSigmoid, Bias: p.Bias}
		if err := r.device.Gemm(values[l+1], below, p.Weight, up); err != nil {
			return err
		}
		below = values[l+1]
	}
	if len(r.layers) == 0 {
		return r.device.Axpby(values[0], 1, input, 0)
	}
	for l := len(r.layers) - 1; l >= 0; l-- {
		down := engine.Multiply(false, false)
		down.Epilogue = engine.Epilogue{Kind: engine.EpilogueSigmoid, Bias: r.layers[l].VisibleBias}
		if l == 0 && r.network.Visible == engine.Gaussian {
			down.Epilogue.Kind = engine.EpilogueNone
		}
		if err := r.device.Gemm(values[l], values[l+1], r.layers[l].Weight, down); err != nil {
			return err
		}
	}
	return nil
}
