package train

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// FineTuneOptions say how to fine-tune. [FineTuneDefaults] fills in all of them.
type FineTuneOptions struct {
	Epochs int     // passes over the data at most, >= 1
	Batch  int     // examples per update, >= 1; more than there are examples means all
	Rate   float64 // learning rate of the first epoch, > 0
	// FinalRate is the learning rate of the last of Epochs, > 0. From epoch to
	// epoch the rate is multiplied by the same factor. 0: as Rate, constant.
	FinalRate float64
	Momentum  float64 // 0 <= Momentum < 1
	Decay     float64 // L2 penalty on weights, >= 0
	// Noise is the share of what a layer takes that is masked, drawn anew each
	// time an example is shown: first of the inputs of layer 1, then of those of
	// layer 2, and so on, the classifier's last; what is not given is 0. The
	// components that are left are scaled up to what all of them are worth, so
	// that the network is used without noise as it is. Of the inputs this is the
	// noise of a denoising auto-encoder; of all layers it is known as dropout
	// (Srivastava et al., 2014). 0 <= Noise < 1.
	Noise []float64
	// Patience is how many epochs without a better one, on the examples held
	// out, end training; 0: none do.
	Patience int
	Seed     uint64 // of every random number

	CheckpointEvery int // updates between checkpoints; 0: the end of every epoch
}

// FineTuneDefaults are options for a pre-trained stack on digits: at most 50
// epochs in batches of 50 with learning rates from 0.5 to 0.02, no momentum,
// decay or noise, and a patience of 10 epochs. The rates suit a DBN; an SDAE
// learns better from 2 on.
func FineTuneDefaults() FineTuneOptions {
	return FineTuneOptions{Epochs: 50, Batch: 50, Rate: 0.5, FinalRate: 0.02, Patience: 10, Seed: 1}
}

// noise is the share masked of what a layer takes; the classifier is the last one.
func (o FineTuneOptions) noise(layer int) float64 {
	if layer <= len(o.Noise) {
		return o.Noise[layer-1]
	}
	return 0
}

// Check returns a [words.OptionError] if an option is out of range for a network of
// so many layers.
func (o FineTuneOptions) Check(layers int) error {
	positive := func(x float64) bool { return float32(x) > 0 && x <= math.MaxFloat32 }
	switch {
	case layers >= maxLayers:
		return words.BadOption("model", nil, "it has %d layers, want at most %d", layers, maxLayers-1)
	case o.Epochs < 1 || o.Epochs > math.MaxInt32:
		return words.BadOption("Epochs", o.Epochs, "want 1 to %d", math.MaxInt32)
	case o.Batch < 1:
		return words.BadOption("Batch", o.Batch, "want at least 1 example")
	case !positive(o.Rate):
		return words.BadOption("Rate", o.Rate, "want a finite number above 0")
	case o.FinalRate != 0 && !positive(o.FinalRate):
		return words.BadOption("FinalRate", o.FinalRate, "want a finite number above 0, or 0 for that of the first epoch")
	case !(o.Momentum >= 0 && o.Momentum < 1) || float32(o.Momentum) == 1:
		return words.BadOption("Momentum", o.Momentum, "want 0 or more and below 1")
	case !(o.Decay >= 0 && o.Decay <= math.MaxFloat32):
		return words.BadOption("Decay", o.Decay, "want a finite number, 0 or more")
	case len(o.Noise) > layers+1:
		return words.BadOption("Noise", nil, "%d values, want at most %d: for the inputs of %s and of the classifier", len(o.Noise), layers+1, words.Count(layers, "layer"))
	case o.Patience < 0:
		return words.BadOption("Patience", o.Patience, "want 0 (never stop early) or more")
	case o.CheckpointEvery < 0:
		return words.BadOption("CheckpointEvery", o.CheckpointEvery, "want 0 (the end of every epoch) or more")
	}
	for i, noise := range o.Noise {
		if !(noise >= 0 && noise < 1) {
			return words.BadOption("Noise", fmt.Sprintf("%g%s", noise, forLayer(len(o.Noise), i+1)), "want a share, 0 or more and below 1")
		}
	}
	return nil
}

// checkData checks that a network can be fine-tuned on a set with these options.
func (o FineTuneOptions) checkData(n *network.Network, set, held dataset.Set) error {
	sizes := n.Sizes()[:len(n.Layers)+1] // what each layer takes, the classifier last
	info, count := set.Info(), set.Len()
	switch {
	case count < 1 || count > math.MaxInt32:
		return words.BadOption("set", info.Name, "%s, want 1 to %d", words.Count(count, "example"), math.MaxInt32)
	case info.Size() != sizes[0]:
		return words.BadOption("set", info.Name, "examples have %s, the model's inputs %d", words.Count(info.Size(), "component"), sizes[0])
	case held != nil && held.Info().Size() != sizes[0]:
		return words.BadOption("held", nil, "examples held out have %s, the model's inputs %d", words.Count(held.Info().Size(), "component"), sizes[0])
	}
	for i, width := range sizes {
		layer := i + 1
		if (engine.Corruption{Level: float32(o.noise(layer))}).Picked(width) >= width {
			return words.BadOption("Noise", o.noise(layer), "it masks all of the %d numbers that layer %d takes", width, layer)
		}
	}
	if updates := int64((count-1)/min(o.Batch, count)+1) * int64(o.Epochs); updates > math.MaxUint32 || updates > math.MaxInt {
		return words.BadOption("Epochs", o.Epochs, "these are %d updates, more than random numbers can tell apart; use larger batches", updates)
	}
	return nil
}

// The settings that only fine-tuning has.
const (
	settingModel      = "model"
	settingValidation = "validation"
)

// identify lists everything that the result depends on, by the name of the
// program's flag: what a model file records and what a checkpoint is compared by. The
// network and the data are there by checksums.
func (t *tuner) identify() (map[string]string, error) {
	o := t.options
	var noise []string
	for layer := 1; layer <= len(t.network.Layers)+1; layer++ {
		noise = append(noise, number(o.noise(layer)))
	}
	s := map[string]string{
		"epochs":        strconv.Itoa(o.Epochs),
		"batch":         strconv.Itoa(o.Batch),
		"lr":            number(o.Rate),
		"final-lr":      number(o.FinalRate),
		"momentum":      number(o.Momentum),
		"decay":         number(o.Decay),
		"noise":         strings.Join(noise, ","),
		"patience":      strconv.Itoa(o.Patience),
		"seed":          strconv.FormatUint(o.Seed, 10),
		settingData:     t.set.Info().Name,
		settingExamples: strconv.Itoa(t.set.Len()),
	}
	var err error
	if s[settingSample], err = labelledChecksum(t.set); err != nil {
		return nil, err
	}
	s[settingValidation] = "none"
	if t.held != nil {
		sample, err := labelledChecksum(t.held)
		if err != nil {
			return nil, err
		}
		s[settingValidation] = fmt.Sprintf("%d examples, %s", t.held.Len(), sample)
	}
	s[settingModel], err = modelChecksum(t.network)
	return s, err
}
