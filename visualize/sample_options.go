package visualize

import (
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// SampleOptions says which units to sample from and how. [DefaultSample] fills
// in everything but the layer and its units.
type SampleOptions struct {
	Layer int   // 1 is the first hidden layer
	Units []int // 0-based, each at most once, in the order of the results; see [ParseUnits]
	// Samples is N, how many to keep of each unit, >= 1. Number n is from chain
	// n%Chains: first one of each chain, then the next of each, and so on.
	Samples int
	// Chains of each unit, >= 1. Those beyond Samples would give none and are
	// not run.
	Chains int
	BurnIn int // sweeps of a chain before those that samples are taken from, >= 0
	Every  int // sweeps from one sample of a chain to the next, >= 1
	// Cosine is the similarity at or above which samples count as one mode,
	// between -1 and 1; see [Mixing].
	Cosine float64
	Seed   uint64 // of all random numbers
	// Temperatures is how many there are: 0 or 1 for plain chains, up to 64 for tempered
	// ones, or [AutoTemperatures]; see [Sample].
	Temperatures int
	// ChunkRows is how many chains are on the device at a time; 0 works it out
	// from the device's free memory. It changes no result.
	ChunkRows int
}

// DefaultSample returns the options of the paper, a sample every 100 sweeps,
// with 100 samples of each unit from 10 chains after 500 sweeps of burn-in.
// Layer and Units are left to fill in.
func DefaultSample() SampleOptions {
	return SampleOptions{Samples: 100, Chains: 10, BurnIn: 500, Every: 100, Cosine: 0.3, Seed: 1}
}

// chains is how many chains of a unit are run.
func (o SampleOptions) chains() int { return min(o.Chains, o.Samples) }

// tempered is whether chains have replicas at higher temperatures.
func (o SampleOptions) tempered() bool {
	return o.Temperatures > 1 || o.Temperatures == AutoTemperatures
}

// moments is how many samples the first chain of a unit gives.
func (o SampleOptions) moments() int { return (o.Samples + o.chains() - 1) / o.chains() }

// sweeps is how many sweeps each chain makes.
func (o SampleOptions) sweeps() int { return o.BurnIn + o.moments()*o.Every }

// Check returns a [words.OptionError] if an option is out of range, whatever the
// network, its layer and its units.
func (o SampleOptions) Check() error {
	switch {
	case o.Samples < 1:
		return words.BadOption("Samples", o.Samples, "want at least 1")
	case o.Chains < 1:
		return words.BadOption("Chains", o.Chains, "want at least 1")
	case o.BurnIn < 0:
		return words.BadOption("BurnIn", o.BurnIn, "want 0 or more")
	case o.Every < 1:
		return words.BadOption("Every", o.Every, "want at least 1")
	case !(o.Cosine >= -1 && o.Cosine <= 1):
		return words.BadOption("Cosine", o.Cosine, "want a number between -1 and 1")
	}
	if o.Temperatures < AutoTemperatures || o.Temperatures > maxTemperatures {
		return words.BadOption("Temperatures", o.Temperatures, "want 1 to %d, or %d to have their number chosen", maxTemperatures, AutoTemperatures)
	}
	if o.tempered() && o.chains() > firstTrial {
		return words.BadOption("Chains", o.Chains, "want at most %d with several temperatures", firstTrial)
	}
	return checkChunk(o.ChunkRows)
}

// check checks the options against a network, and against the memory that there is.
func (o SampleOptions) check(n *network.Network) error {
	if err := checkChoice(n, o.Layer, o.Units); err != nil {
		return err
	}
	if err := n.CheckGenerative(o.Layer); err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return err
	}
	// A descent numbers its random steps sweep*Layer + layer, in 32 bits.
	most := float64(math.MaxUint32)/float64(o.Layer) - 1
	if float64(o.BurnIn)+float64(o.moments())*float64(o.Every) > most {
		return fmt.Errorf("%s of %s, one every %s after %d: want at most %.0f sweeps in all", words.Count(o.Samples, "sample"), words.Count(o.chains(), "chain"), words.Count(o.Every, "sweep"), o.BurnIn, most)
	}
	if err := engine.CheckRowKey(o.Layer, n.Sizes()[o.Layer], o.chains()-1); err != nil {
		return fmt.Errorf("%w", err)
	}
	need := 4 * (float64(len(o.Units)) + 1) * float64(o.Samples) * float64(n.Sizes()[0])
	return checkResults(fmt.Sprintf("%s of each of %s", words.Count(o.Samples, "sample"), words.Count(len(o.Units), "unit")), need, "fewer samples or units")
}

// checkChoice refuses a layer that the model does not have, units that the layer
// does not have, and units asked for twice.
func checkChoice(n *network.Network, layer int, units []int) error {
	if err := n.CheckLayer(layer); err != nil {
		return err
	}
	if len(units) == 0 {
		return words.BadOption("Units", nil, "there are none, want some of layer %d", layer)
	}
	width := n.Sizes()[layer]
	seen := make([]bool, width)
	for _, u := range units {
		if u < 0 || u >= width {
			return words.BadOption("Units", u, "layer %d has %s, 0..%d", layer, words.Count(width, "unit"), width-1)
		}
		if seen[u] {
			return words.BadOption("Units", u, "this unit of layer %d is asked for twice", layer)
		}
		seen[u] = true
	}
	return nil
}
