package bench

import (
	"context"
	"fmt"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/visualize"
)

// mass is an ascent of very many rows the way a user asks for it, who wants
// each unit's best pattern and the numbers of all restarts. It is about memory.
type mass struct {
	device  engine.Device
	layers  []engine.Layer
	network *network.Network
	options visualize.AscentOptions
	result  *visualize.AscentResult
}

func massOf(sizes []int, units, restarts int) func(*kit, Options) (job, error) {
	return func(k *kit, o Options) (job, error) {
		m := &mass{device: k.device, layers: stack(o.Seed, sizes), options: visualize.DefaultAscent()}
		var err error
		if m.network, err = networkOf(m.layers); err != nil {
			return nil, err
		}
		m.options.Layer, m.options.Restarts = len(m.layers), restarts
		m.options.Rate, m.options.Radius, m.options.MaxSteps = rate, radius, o.Steps
		m.options.Seed = o.Seed
		for u := range units {
			m.options.Units = append(m.options.Units, u)
		}
		return m, nil
	}
}

// networkOf makes a network of layers, whose weights it shares.
func networkOf(layers []engine.Layer) (*network.Network, error) {
	n := &network.Network{Kind: network.MLP, InputShape: []int{layers[0].Weight.Cols}, Radius: radius}
	for _, l := range layers {
		weight, err := dense.Of(l.Weight.Data, l.Weight.Rows, l.Weight.Cols)
		if err != nil {
			return nil, err
		}
		bias, err := dense.Of(l.Bias, len(l.Bias))
		if err != nil {
			return nil, err
		}
		n.Layers = append(n.Layers, network.Layer{Weight: weight, Bias: bias})
	}
	return n, n.Check()
}

func (m *mass) reset() error {
	m.result = nil
	resetWorkingSet()
	return nil
}

func (m *mass) run(ctx context.Context) (done, error) {
	var err error
	if m.result, err = visualize.Ascend(ctx, m.device, m.network, m.options, nil); err != nil {
		return done{}, err
	}
	var d done
	for _, n := range m.result.Evaluations {
		d.count += float64(n)
	}
	d.flops, d.memory = d.count*perRowStep(m.layers), workingSet()
	return d, nil
}

func (m *mass) check() error {
	best, err := dense.Data(m.result.BestPatterns)
	if err != nil {
		return err
	}
	activation, err := dense.Data(m.result.Activation)
	if err != nil {
		return err
	}
	inputs, units := m.layers[0].Weight.Cols, len(m.options.Units)
	for _, u := range []int{0, units / 2, units - 1} {
		said := activation[u*m.options.Restarts+m.result.Best[u]]
		if err := checkPattern(m.layers, best[u*inputs:(u+1)*inputs], u, said); err != nil {
			return fmt.Errorf("best restart: %w", err)
		}
	}
	return nil
}
