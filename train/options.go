package train

import (
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/feed"
)

// Options says how to train. A slice that is "one or per layer" holds one value
// for all layers or one for each. [Defaults] fills in everything but Units.
type Options struct {
	Kind    network.Kind       // network.DBN or network.SDAE
	Visible engine.VisibleKind // of the first layer's inputs; the layers above are Bernoulli
	Units   []int              // hidden units of each layer, from the first one up
	Epochs  []int              // passes over the data, one or per layer, >= 1
	Batch   int                // examples per update, >= 1; more than there are examples means all
	Rates   []float64          // learning rates of the first epoch, one or per layer, > 0; nil: see [Options.Rate]
	// Inputs is the number of components of an example, on which [Options.Rate]
	// depends; [Train] takes it from its data. 0: few.
	Inputs int
	// FinalRates are the learning rates of the last epoch, one or per layer, > 0;
	// nil: see [Options.FinalRate]. From epoch to epoch the rate changes by the
	// same factor.
	FinalRates []float64
	// Momentum, 0 <= Momentum < 1, holds after the first tenth of a layer's
	// updates. Until then it is at most [FirstMomentum], because a strong momentum on top
	// of the large gradients of the start makes training diverge (Hinton's
	// guide of 2010, section 9.1).
	Momentum float64
	Decay    float64 // L2 penalty on weights, >= 0

	GibbsSteps int  // DBN: k of CD-k, >= 1
	Persistent bool // DBN: persistent contrastive divergence
	Chains     int  // DBN with Persistent: number of chains; 0: 100
	// Sparsity of a DBN, one or per layer, is the share of examples, above 0 and
	// below 1, for which a hidden unit should be on; 0 leaves that to the data,
	// and nil is [Options.Target]. The units' biases start at
	// log(Sparsity/(1-Sparsity)) (Hinton's guide, sections 8 and 11).
	Sparsity []float64
	// SparsityCost of a DBN is how strongly units are pushed to Sparsity,
	// > 0; 0: 1 for Gaussian inputs, 0.1 for others.
	SparsityCost float64
	// Centered trains a DBN by the gradient of centered RBMs, see
	// [engine.ContrastiveDivergence]. The model is one of plain RBMs all the same.
	Centered bool
	// GradientLimit of a DBN is the longest step of a hidden unit's weights that
	// one batch may cause, 0 for none, see [engine.ContrastiveDivergence].
	// [AutoLimit] gives none to Bernoulli inputs and a hundredth of the largest
	// norm of an example, times 1-Momentum, to Gaussian ones: with momentum, a
	// hundredth is then the most that weights move in one update (Melchior,
	// Wang and Wiskott, "Gaussian-binary restricted Boltzmann machines for
	// modeling natural image statistics", PLOS ONE 12(2), 2017). Norms are those
	// of 10000 examples at most, evenly spaced.
	GradientLimit float64
	// UpperSamples trains the layers above the first of a DBN on states drawn
	// from the layers below, anew for every epoch, instead of on their mean
	// activations. The monitors see states too.
	UpperSamples bool

	Corruption engine.CorruptionKind // SDAE: the noise
	// Noise of an SDAE, one or per layer: the share of components in 0..1 that
	// masking and salt and pepper change, the standard deviation of Gaussian
	// noise; nil: see [Options.NoiseLevel].
	Noise []float64

	Seed uint64 // of every random number

	CheckpointEvery int // updates between checkpoints; 0: the end of every epoch
	MeasureEvery    int // updates between measurements; 0: the end of every epoch
}

// The ranges that the identities of random numbers impose, see
// [engine.RowKey] and [engine.ExampleKey].
const (
	maxLayers = 1<<8 - 1
	maxUnits  = 1<<24 - 1
)

// FirstMomentum, 0.5, is the most that momentum is in the first tenth of a layer's
// updates, see [Options.Momentum].
const FirstMomentum = feed.FirstMomentum

// AutoLimit is the value of [Options.GradientLimit] for a limit by the data.
const AutoLimit = -1

// Defaults returns options that give good features within a few epochs.
//
// For Bernoulli inputs such as digits: 10 epochs, batches of 20, momentum 0.5;
// CD-1 and decay 0.0002 for a DBN; 40 % of the inputs masked and decay 0.0005
// for an SDAE.
//
// For Gaussian inputs such as whitened patches of natural images, of unit
// variance: 10 epochs, batches of 100, momentum 0.9 and the same decay; an SDAE
// has Gaussian noise.
//
// The rest depends on the layer, see [Options.Rate], [Options.FinalRate],
// [Options.Target] and [Options.NoiseLevel].
func Defaults(kind network.Kind, visible engine.VisibleKind, units ...int) Options {
	o := Options{Kind: kind, Visible: visible, Units: units, Epochs: []int{10}, Batch: 20, Momentum: 0.5, Seed: 1}
	if visible == engine.Gaussian {
		o.Batch, o.Momentum = 100, 0.9
	}
	switch kind {
	case network.DBN:
		o.GibbsSteps, o.Decay, o.GradientLimit = 1, 0.0002, AutoLimit
	case network.SDAE:
		o.Decay = 0.0005
		if visible == engine.Gaussian {
			o.Corruption = engine.CorruptionGaussian
		}
	}
	return o
}

// Rate is the learning rate of a layer, counted from 1, in its first epoch. If
// Rates is nil it is 0.05 for an RBM and 0.1 for a denoising auto-encoder; less
// for Gaussian inputs with batches of fewer than 100, in proportion, because
// their gradient has no bound and single examples shake it; less for a denoising
// auto-encoder of more than 144 Gaussian inputs, in proportion, because its
// gradient grows with them; a tenth of that for
// persistent chains, which must keep up with the model; a quarter of that for
// salt and pepper, which drives many more units into saturation than masking.
func (o Options) Rate(layer int) float64 {
	if o.Rates != nil {
		return of(o.Rates, layer)
	}
	rate := 0.1
	if o.Kind == network.DBN {
		rate = 0.05
	}
	if o.visible(layer) == engine.Gaussian {
		rate = rate * float64(min(o.Batch, 100)) / 100
		if o.Kind == network.SDAE {
			rate *= float64(usualInputs) / float64(max(o.Inputs, usualInputs))
		}
	}
	if o.Persistent {
		rate /= 10
	}
	if o.Kind == network.SDAE && o.Corruption == engine.CorruptionSaltPepper {
		rate /= 4
	}
	return rate
}

// usualInputs is a patch of 12x12, which the default rate was found on.
const usualInputs = 144

// FinalRate is the learning rate of a layer in its last epoch. If FinalRates is
// nil it is that of the first one, and a tenth of it for Gaussian inputs, whose
// filters keep the noise of the last few batches otherwise.
func (o Options) FinalRate(layer int) float64 {
	switch {
	case o.FinalRates != nil:
		return of(o.FinalRates, layer)
	case o.visible(layer) == engine.Gaussian:
		return o.Rate(layer) / 10
	}
	return o.Rate(layer)
}

// NoiseLevel is the noise of a layer of an SDAE. If Noise is nil it is 0.4 for
// inputs between 0 and 1, and for Gaussian inputs, which are taken to have unit
// variance, 2.5 for Gaussian noise, 0.8 for masking and 0.2 for salt and pepper.
// So much of it is what teaches units to look at edges rather than at single
// pixels, which they need only copy if there is less. Above such a layer, whose
// units are seldom on, Gaussian noise is 0.1.
func (o Options) NoiseLevel(layer int) float64 {
	gauss := o.Corruption == engine.CorruptionGaussian
	switch {
	case o.Noise != nil:
		return of(o.Noise, layer)
	case o.Visible == engine.Gaussian && gauss && layer > 1:
		return 0.1
	case o.visible(layer) == engine.Bernoulli:
		return 0.4
	case gauss:
		return 2.5
	case o.Corruption == engine.CorruptionSaltPepper:
		return 0.2
	}
	return 0.8
}

// defaultChains is how many persistent chains there are if nothing is said.
const defaultChains = 100

// of returns a layer's value of an option that is one or per layer.
func of[T any](values []T, layer int) T {
	if len(values) == 1 {
		return values[0]
	}
	return values[layer-1]
}

func (o Options) visible(layer int) engine.VisibleKind { return visibleOf(o.Visible, layer) }

// visibleOf is the kind of a layer's inputs in a stack whose first layer has others.
func visibleOf(first engine.VisibleKind, layer int) engine.VisibleKind {
	if layer > 1 {
		return engine.Bernoulli
	}
	return first
}

// batch is the number of examples of a full update on a set of n examples.
func (o Options) batch(n int) int { return min(o.Batch, n) }

// chains is the number of persistent chains, 0 for CD.
func (o Options) chains() int {
	switch {
	case !o.Persistent:
		return 0
	case o.Chains == 0:
		return defaultChains
	}
	return o.Chains
}

// Target is the sparsity target of a layer of a DBN, 0 for none. If Sparsity is
// nil it is 0.02 for Gaussian inputs: without one the units of such an RBM become
// sums of many edges. Others have none.
func (o Options) Target(layer int) float64 {
	switch {
	case o.Kind != network.DBN:
		return 0
	case o.Sparsity != nil:
		return of(o.Sparsity, layer)
	case o.visible(layer) == engine.Gaussian:
		return 0.02
	}
	return 0
}

// sparsity is the target of a layer's units, and what they pay for missing it.
func (o Options) sparsity(layer int) engine.Sparsity {
	target, cost := o.Target(layer), o.SparsityCost
	switch {
	case target == 0:
		return engine.Sparsity{}
	case cost == 0 && o.visible(layer) == engine.Gaussian:
		cost = 1
	case cost == 0:
		cost = 0.1
	}
	return engine.Sparsity{Target: float32(target), Cost: float32(cost)}
}

// tracks says whether training keeps the mean activations of a layer's units.
func (o Options) tracks(layer int) bool { return o.Target(layer) > 0 || o.Centered }
