package train

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// Check returns a [words.OptionError] if an option is out of range: "Rates 0 for
// layer 2: want a finite number above 0".
func (o Options) Check() error {
	if o.Kind != network.DBN && o.Kind != network.SDAE {
		return words.BadOption("Kind", strconv.Quote(string(o.Kind)), "want %s or %s", network.DBN, network.SDAE)
	}
	if o.Visible != engine.Bernoulli && o.Visible != engine.Gaussian {
		return words.BadOption("Visible", o.Visible, "want bernoulli or gaussian")
	}
	if err := o.checkLayers(); err != nil {
		return err
	}
	switch {
	case o.Batch < 1:
		return words.BadOption("Batch", o.Batch, "want at least 1 example")
	case !(o.Momentum >= 0 && o.Momentum < 1) || float32(o.Momentum) == 1:
		return words.BadOption("Momentum", o.Momentum, "want 0 or more and below 1")
	case !(o.Decay >= 0 && o.Decay <= math.MaxFloat32):
		return words.BadOption("Decay", o.Decay, "want a finite number, 0 or more")
	case o.CheckpointEvery < 0:
		return words.BadOption("CheckpointEvery", o.CheckpointEvery, "want 0 (the end of every epoch) or more")
	case o.MeasureEvery < 0:
		return words.BadOption("MeasureEvery", o.MeasureEvery, "want 0 (the end of every epoch) or more")
	}
	if o.Kind == network.DBN {
		return o.checkDivergence()
	}
	return o.checkDenoising()
}

func (o Options) checkLayers() error {
	layers := len(o.Units)
	if layers < 1 || layers > maxLayers {
		return words.BadOption("Units", nil, "%s, want 1 to %d", words.Count(layers, "layer"), maxLayers)
	}
	for i, units := range o.Units {
		if units < 1 || units > maxUnits {
			return words.BadOption("Units", fmt.Sprintf("%d in layer %d", units, i+1), "want 1 to %d", maxUnits)
		}
	}
	if err := checkCount("Epochs", len(o.Epochs), layers); err != nil {
		return err
	}
	for i, epochs := range o.Epochs {
		if epochs < 1 || epochs > math.MaxInt32 {
			return words.BadOption("Epochs", fmt.Sprintf("%d%s", epochs, forLayer(len(o.Epochs), i+1)), "want 1 to %d", math.MaxInt32)
		}
	}
	if err := checkRates("Rates", o.Rates, layers); err != nil {
		return err
	}
	return checkRates("FinalRates", o.FinalRates, layers)
}

func checkRates(field string, rates []float64, layers int) error {
	if rates == nil {
		return nil
	}
	if err := checkCount(field, len(rates), layers); err != nil {
		return err
	}
	for i, rate := range rates {
		if !(float32(rate) > 0 && rate <= math.MaxFloat32) {
			return words.BadOption(field, fmt.Sprintf("%g%s", rate, forLayer(len(rates), i+1)), "want a finite number above 0")
		}
	}
	return nil
}

func checkCount(field string, values, layers int) error {
	if values != 1 && values != layers {
		return words.BadOption(field, nil, "%s for %s, want one for all or one for each", words.Count(values, "value"), words.Count(layers, "layer"))
	}
	return nil
}

// forLayer says which layer a value belongs to if there is one for each.
func forLayer(values, layer int) string {
	if values == 1 {
		return ""
	}
	return fmt.Sprintf(" for layer %d", layer)
}

func (o Options) checkDivergence() error {
	switch {
	case o.GibbsSteps < 1:
		return words.BadOption("GibbsSteps", o.GibbsSteps, "want at least 1")
	case o.Chains < 0 || o.Chains > math.MaxInt32:
		return words.BadOption("Chains", o.Chains, "want 0 (the default) to %d", math.MaxInt32)
	case o.Chains > 0 && !o.Persistent:
		return words.BadOption("Chains", o.Chains, "only persistent contrastive divergence has chains")
	case o.Noise != nil:
		return words.BadOption("Noise", nil, "only an sdae is trained with noise, this is a dbn")
	}
	return o.checkStabilisers()
}

func (o Options) checkStabilisers() error {
	if o.Sparsity != nil {
		if err := checkCount("Sparsity", len(o.Sparsity), len(o.Units)); err != nil {
			return err
		}
	}
	targets := false
	for i := range o.Units {
		target := o.Target(i + 1)
		if target != 0 && !(float32(target) > 0 && float32(target) < 1) {
			return words.BadOption("Sparsity", fmt.Sprintf("%g%s", target, forLayer(len(o.Sparsity), i+1)), "want a share above 0 and below 1, or 0 for none")
		}
		targets = targets || target > 0
	}
	cost, limit := float32(o.SparsityCost), float32(o.GradientLimit)
	switch {
	case o.SparsityCost != 0 && !(cost > 0 && cost <= math.MaxFloat32):
		return words.BadOption("SparsityCost", o.SparsityCost, "want a finite number above 0, or 0 for the default")
	case o.SparsityCost != 0 && !targets:
		return words.BadOption("SparsityCost", o.SparsityCost, "there is no sparsity target to miss; give one too")
	case o.GradientLimit != 0 && o.GradientLimit != AutoLimit && !(limit > 0 && limit <= math.MaxFloat32):
		return words.BadOption("GradientLimit", o.GradientLimit, "want auto, or a finite number above 0, or 0 for none")
	case o.UpperSamples && len(o.Units) == 1:
		return words.BadOption("UpperSamples", nil, "one layer has none above it to train on samples")
	}
	return nil
}

func (o Options) checkDenoising() error {
	switch {
	case o.GibbsSteps != 0:
		return words.BadOption("GibbsSteps", nil, "only a dbn is trained with Gibbs steps, this is an sdae")
	case o.Persistent || o.Chains != 0:
		return words.BadOption("Persistent", nil, "only a dbn is trained with chains, this is an sdae")
	case o.Sparsity != nil || o.SparsityCost != 0:
		return words.BadOption("Sparsity", nil, "only a dbn is trained with a target, this is an sdae")
	case o.Centered:
		return words.BadOption("Centered", nil, "only a dbn is centered, this is an sdae")
	case o.GradientLimit != 0:
		return words.BadOption("GradientLimit", nil, "only a dbn is trained with a limit, this is an sdae")
	case o.UpperSamples:
		return words.BadOption("UpperSamples", nil, "only a dbn has units to draw samples from, this is an sdae")
	}
	if o.Noise != nil {
		if err := checkCount("Noise", len(o.Noise), len(o.Units)); err != nil {
			return err
		}
	}
	if o.Corruption > engine.CorruptionGaussian {
		return words.BadOption("Corruption", uint8(o.Corruption), "want mask, saltpepper or gauss")
	}
	for i, noise := range o.Noise {
		if (engine.Corruption{Kind: o.Corruption, Level: float32(noise)}).Check() != nil {
			return words.BadOption("Noise", fmt.Sprintf("%g%s", noise, forLayer(len(o.Noise), i+1)), "want %s", noiseRange(o.Corruption))
		}
	}
	return nil
}

func noiseRange(k engine.CorruptionKind) string {
	if k == engine.CorruptionGaussian {
		return "a standard deviation, 0 or more"
	}
	return "a share between 0 and 1"
}

// otherwise is advice, "" for none, that goes before another for data of a wrong range: to
// see first to a component that may be none, or to divide levels from 0 up, such as
// the bytes of pictures.
func otherwise(info dataset.Info) string {
	if info.Doubt != "" {
		return info.Doubt + "; otherwise "
	}
	if info.Low < 0 || info.High <= 1 {
		return ""
	}
	levels := info.High
	if levels > 127 && levels < 255 {
		levels = 255
	}
	kind, rest, _ := strings.Cut(info.Name, ":")
	if slices.Contains(dataset.Scalable(), kind) && !strings.Contains(rest, ",scale=") {
		return fmt.Sprintf("divide them by %g with %s,scale=%g, or ", levels, info.Name, levels)
	}
	return fmt.Sprintf("divide them by %g, or ", levels)
}

// CheckData checks that a set, and the examples held out if there are any, can
// be trained on with these options.
func (o Options) CheckData(set, held dataset.Set) error {
	info := set.Info()
	size, n := info.Size(), set.Len()
	switch {
	case n < 1 || n > math.MaxInt32:
		return words.BadOption("set", info.Name, "%s, want 1 to %d", words.Count(n, "example"), math.MaxInt32)
	case size < 1 || size > maxUnits:
		return words.BadOption("set", info.Name, "examples have %s, want 1 to %d", words.Count(size, "component"), maxUnits)
	case held != nil && held.Len() > 0 && held.Info().Size() != size:
		return words.BadOption("held", nil, "examples held out have %s, those of %s have %d", words.Count(held.Info().Size(), "component"), info.Name, size)
	case o.Visible == engine.Bernoulli && !(info.Low >= 0 && info.High <= 1):
		return words.BadOption("Visible", o.Visible, "Bernoulli inputs lie between 0 and 1, those of %s between %g and %g; %suse gaussian", info.Name, info.Low, info.High, otherwise(info))
	}
	for layer := 1; layer <= len(o.Units); layer++ {
		updates := int64((n-1)/o.batch(n)+1) * int64(of(o.Epochs, layer))
		if updates > math.MaxUint32/int64(max(1, o.GibbsSteps)) || updates > math.MaxInt {
			return words.BadOption("Epochs", fmt.Sprintf("%d%s", of(o.Epochs, layer), forLayer(len(o.Epochs), layer)), "these are %s, more than random numbers can tell apart; use larger batches or fewer Gibbs steps", words.Count(updates, "update"))
		}
	}
	return nil
}
