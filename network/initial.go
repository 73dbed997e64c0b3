package network

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
)

// initialDeviation is the standard deviation of an RBM's initial weights
// (Hinton, "A Practical Guide to Training Restricted Boltzmann Machines", 2010,
// section 8).
const initialDeviation = 0.01

// InitialLayer returns the parameters that the training of a layer starts
// with: number is 1 for the first layer. Biases are 0. The weights of a DBN are
// normal with standard deviation 0.01 (Hinton's practical guide), those of an
// SDAE or an MLP uniform between -r and r with r = sqrt(6/(inputs+units))/4, a
// quarter of what Glorot and Bengio (2010) suggest. The Theano tutorials take
// sixteen times that for sigmoids; it trains as well, but within few epochs the
// weights of components that hardly vary, such as the border of digits, keep
// their initial noise, and the pictures of units drown in it. An MLP's layer has no visible bias.
//
// Weight [i][j] is a function of the seed, the layer's number, i and j alone:
// row i has the identity engine.RowKey(number, i, 0) among the numbers of
// engine.PurposeWeights.
func InitialLayer(kind Kind, number, inputs, units int, seed uint64) (Layer, error) {
	if inputs < 1 || inputs > engine.MaxColumns || units < 1 {
		return Layer{}, fmt.Errorf("initial layer %d: %d inputs and %d units, want at least 1 of each and at most %d inputs", number, inputs, units, engine.MaxColumns)
	}
	if err := engine.CheckRowKey(number, units-1, 0); err != nil {
		return Layer{}, fmt.Errorf("initial layer: %w", err)
	}
	weight, err := dense.New(units, inputs)
	if err != nil {
		return Layer{}, fmt.Errorf("initial layer %d: %w", number, err)
	}
	if err := drawWeights(weight, kind, number, seed); err != nil {
		return Layer{}, err
	}
	l := Layer{Weight: weight}
	if l.Bias, err = dense.New(units); err != nil {
		return Layer{}, err
	}
	if kind != MLP {
		l.VisibleBias, err = dense.New(inputs)
	}
	return l, err
}

// InitialDeviation is the standard deviation of the weights that [InitialLayer]
// gives.
func InitialDeviation(kind Kind, inputs, units int) float64 {
	if kind == DBN {
		return initialDeviation
	}
	return initialBound(inputs, units) / math.Sqrt(3)
}

// initialBound is the largest initial weight of an SDAE or an MLP.
func initialBound(inputs, units int) float64 { return math.Sqrt(6/float64(units+inputs)) / 4 }

func drawWeights(weight *tensor.Dense, kind Kind, number int, seed uint64) error {
	w, err := dense.Host(weight)
	if err != nil {
		return err
	}
	at := engine.Stream{Seed: seed, Purpose: engine.PurposeWeights}
	for i := range w.Rows {
		at.Keys = append(at.Keys, engine.RowKey(number, i, 0))
	}
	bound := float32(initialBound(w.Cols, w.Rows))
	for i := range w.Rows {
		row := w.Data[i*w.Cols : (i+1)*w.Cols]
		switch kind {
		case DBN:
			for j := range row {
				row[j] = initialDeviation * at.Normal(i, j)
			}
		case SDAE, MLP:
			for j := range row {
				row[j] = bound * (2*at.Uniform(i, j) - 1)
			}
		default:
			return fmt.Errorf("initial layer %d: unknown kind %.40q", number, kind)
		}
	}
	return nil
}

// Untrained returns a network of initial layers ([InitialLayer]), the control
// that a trained network is compared with: units holds the number of units of
// each layer, from the first. Radius stays 0, unknown.
func Untrained(kind Kind, visible engine.VisibleKind, inputShape []int, units []int, seed uint64) (*Network, error) {
	n := &Network{Kind: kind, Visible: visible, InputShape: append([]int{}, inputShape...)}
	// Its shape has to be known to be good before anything is sized by it.
	if err := n.Check(); err != nil {
		return nil, fmt.Errorf("untrained network: %w", err)
	}
	below := n.inputs()
	for i, u := range units {
		l, err := InitialLayer(kind, i+1, below, u, seed)
		if err != nil {
			return nil, fmt.Errorf("untrained network: %w", err)
		}
		n.Layers = append(n.Layers, l)
		below = u
	}
	return n, nil
}
