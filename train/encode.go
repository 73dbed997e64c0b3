package train

import (
	"math"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/feed"
)

// below is the finished layers, which turn examples into the inputs of the layer
// in training.
type below struct {
	encoder *network.Encoder // means; nil for samples
	sampled []sampledLayer   // from the first one up
}

// sampledLayer draws h from p(h=1|the layer below).
type sampledLayer struct {
	weight, bias engine.Matrix
	states       engine.Matrix // [rows, units]
}

// statisticStep is the step of the states that are drawn for statistics and
// monitors; those of training have the epoch.
const statisticStep = math.MaxUint32

func (l *layerRun) newBelow(rows int) (b below, err error) {
	if !l.options.UpperSamples {
		b.encoder, err = l.network.NewEncoder(l.device, l.layer-1, rows)
		return b, err
	}
	for _, finished := range l.network.Layers[:l.layer-1] {
		weight, err := dense.Host(finished.Weight)
		if err != nil {
			return b, err
		}
		b.sampled = append(b.sampled, sampledLayer{
			weight: l.buffers.upload(finished.Weight), bias: l.buffers.upload(finished.Bias),
			states: l.buffers.matrix(rows, weight.Rows),
		})
	}
	return b, l.buffers.err
}

// encode returns the inputs of the layer for examples, which must fit a chunk;
// they are valid until the next call. keys are the examples' identities, step
// tells draws of the same example apart.
func (l *layerRun) encode(examples []float32, keys []uint64, step uint32) (engine.Matrix, error) {
	x, err := l.examples.Slice(0, len(keys))
	if err != nil {
		return nil, err
	}
	if err := x.Write(examples); err != nil {
		return nil, err
	}
	if l.below.encoder != nil {
		return l.below.encoder.Encode(x)
	}
	at := engine.Stream{Seed: l.options.Seed, Purpose: engine.PurposeUpper, Step: step, Keys: make([]uint64, len(keys))}
	for i, layer := range l.below.sampled {
		// The layer that is drawn, not the one in training: layer 3 trains on the
		// very states of layer 1 that layer 2 was trained on.
		for row, key := range keys {
			at.Keys[row] = engine.ExampleKey(i+1, int64(key))
		}
		states, err := layer.states.Slice(0, len(keys))
		if err != nil {
			return nil, err
		}
		up := engine.Multiply(false, true)
		up.Epilogue = engine.Epilogue{Kind: engine.EpilogueBernoulli, Bias: layer.bias, At: at}
		if err := l.device.Gemm(states, x, layer.weight, up); err != nil {
			return nil, err
		}
		x = states
	}
	return x, nil
}

// each reads examples of a set and calls visit with the layer's inputs for
// them, a few rows at a time; at is the place of the first row. Example i of the
// set has the identity of number first+i.
func (l *layerRun) each(set dataset.Set, first int, indices []int, visit func(x engine.Matrix, at int) error) error {
	return feed.Some(set, indices, l.examples.Rows(), func(p feed.Part) error {
		x, err := l.encode(p.Examples, l.keys(first, p.Indices), statisticStep)
		if err != nil {
			return err
		}
		return visit(x, p.At)
	})
}

// keys are the identities of examples first+indices.
func (l *layerRun) keys(first int, indices []int) []uint64 {
	keys := make([]uint64, len(indices))
	for i, index := range indices {
		keys[i] = engine.ExampleKey(l.layer, int64(first)+int64(index))
	}
	return keys
}
