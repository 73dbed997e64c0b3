package train

import (
	"strconv"

	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// LikelihoodMethod says where log Z comes from.
type LikelihoodMethod string

// The methods.
const (
	AutoPartition   LikelihoodMethod = "auto"  // exact if [Enumerable], else annealed
	ExactPartition  LikelihoodMethod = "exact" // by [LogPartition]
	AnnealPartition LikelihoodMethod = "ais"   // by [Anneal], annealed importance sampling
)

// LikelihoodOptions say how [MeasureLikelihood] works. [DefaultLikelihood] is
// where to begin.
type LikelihoodOptions struct {
	Layer  int // from 1
	Method LikelihoodMethod
	// Of annealed importance sampling, see [AnnealOptions].
	Runs, Temperatures, Sweeps int
	Seed                       uint64
}

// DefaultLikelihood returns the options for a layer: 100 runs of 10,000
// temperatures, and 1000 sweeps before reverse annealing.
func DefaultLikelihood(layer int) LikelihoodOptions {
	return LikelihoodOptions{Layer: layer, Method: AutoPartition, Runs: 100, Temperatures: 10000, Sweeps: 1000, Seed: 1}
}

// Check returns a [words.OptionError] if something is wrong with the options for a
// network: first of all that a layer has a likelihood only if it is an RBM, one of a Deep Belief Net that has
// not been fine-tuned.
func (o LikelihoodOptions) Check(n *network.Network) error {
	switch {
	case n.Kind == network.SDAE:
		return words.BadOption("model", nil, "a stacked denoising auto-encoder defines no probability of its data, only a Deep Belief Net does")
	case n.Kind != network.DBN:
		return words.BadOption("model", nil, "a network of kind %s defines no probability of its data, only a Deep Belief Net (dbn) does", n.Kind)
	case n.Output != nil:
		return words.BadOption("model", nil, "the network has a classifier, so it was fine-tuned and its layers are Restricted Boltzmann Machines no longer; give the Deep Belief Net it was made from")
	}
	if err := n.CheckLayer(o.Layer); err != nil {
		return err
	}
	if n.Layers[o.Layer-1].VisibleBias == nil {
		return words.BadOption("model", nil, "layer %d has no visible bias, which a Restricted Boltzmann Machine needs", o.Layer)
	}
	sizes := n.Sizes()
	hidden, inputs := sizes[o.Layer], sizes[o.Layer-1]
	switch {
	case o.Method != AutoPartition && o.Method != ExactPartition && o.Method != AnnealPartition:
		return words.BadOption("Method", strconv.Quote(string(o.Method)), "want auto, exact or ais")
	case o.Method == ExactPartition && !Enumerable(visibleOf(n.Visible, o.Layer), hidden, inputs):
		return words.BadOption("Method", o.Method, "layer %d has %d hidden units, at most %d can be enumerated; use ais", o.Layer, hidden, MaxEnumerated)
	case o.Runs < 2:
		return words.BadOption("Runs", o.Runs, "want at least 2")
	case o.Temperatures < 1:
		return words.BadOption("Temperatures", o.Temperatures, "want at least 1")
	case o.Sweeps < 0:
		return words.BadOption("Sweeps", o.Sweeps, "want 0 or more")
	case int64(o.Runs)*int64(inputs) > 1<<31:
		return words.BadOption("Runs", o.Runs, "want at most %d for %s", 1<<31/inputs, words.Count(inputs, "input"))
	}
	return nil
}
