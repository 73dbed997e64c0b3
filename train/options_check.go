package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// Check returns an error if an option is out of range, in the words of the
// program's flags: "--lr: 0 for layer 2, want a finite number above 0".
func (o Options) Check() error {
	if o.Kind != network.DBN && o.Kind != network.SDAE {
		return fmt.Errorf("train: kind is %q, want %s or %s", string(o.Kind), network.DBN, network.SDAE)
	}
	if o.Visible != engine.Bernoulli && o.Visible != engine.Gaussian {
		return fmt.Errorf("--visible: %v, want bernoulli or gaussian", o.Visible)
	}
	if err := o.checkLayers(); err != nil {
		return err
	}
	switch {
	case o.Batch < 1:
		return fmt.Errorf("--batch: %d, want at least 1 example", o.Batch)
	case !(o.Momentum >= 0 && o.Momentum < 1) || float32(o.Momentum) == 1:
		return fmt.Errorf("--momentum: %g, want 0 or more and below 1", o.Momentum)
	case !(o.Decay >= 0 && o.Decay <= math.MaxFloat32):
		return fmt.Errorf("--decay: %g, want a finite number, 0 or more", o.Decay)
	case o.CheckpointEvery < 0:
		return fmt.Errorf("--checkpoint-every: %s, want 0 (the end of every epoch) or more", words.Count(o.CheckpointEvery, "update"))
	case o.ReportEvery < 0:
		return fmt.Errorf("updates between reports: %d, want 0 (the end of every epoch) or more", o.ReportEvery)
	}
	if o.Kind == network.DBN {
		return o.checkDivergence()
	}
	return o.checkDenoising()
}

func (o Options) checkLayers() error {
	layers := len(o.Units)
	if layers < 1 || layers > maxLayers {
		return fmt.Errorf("--layers: %s, want 1 to %d", words.Count(layers, "layer"), maxLayers)
	}
	for i, units := range o.Units {
		if units < 1 || units > maxUnits {
			return fmt.Errorf("--layers: %s in layer %d, want 1 to %d", words.Count(units, "unit"), i+1, maxUnits)
		}
	}
	if err := checkCount("--epochs", len(o.Epochs), layers); err != nil {
		return err
	}
	for i, epochs := range o.Epochs {
		if epochs < 1 {
			return fmt.Errorf("--epochs: %d%s, want at least 1", epochs, forLayer(len(o.Epochs), i))
		}
	}
	if err := checkRates("--lr", o.Rates, layers); err != nil {
		return err
	}
	return checkRates("--final-lr", o.FinalRates, layers)
}

func checkRates(flag string, rates []float64, layers int) error {
	if rates == nil {
		return nil
	}
	if err := checkCount(flag, len(rates), layers); err != nil {
		return err
	}
	for i, rate := range rates {
		if !(float32(rate) > 0 && rate <= math.MaxFloat32) {
			return fmt.Errorf("%s: %g%s, want a finite number above 0", flag, rate, forLayer(len(rates), i))
		}
	}
	return nil
}

func checkCount(flag string, values, layers int) error {
	if values != 1 && values != layers {
		return fmt.Errorf("%s: %d values for %s, want one for all or one for each", flag, values, words.Count(layers, "layer"))
	}
	return nil
}

// forLayer says which layer a value belongs to if there is one for each.
func forLayer(values, i int) string {
	if values == 1 {
		return ""
	}
	return fmt.Sprintf(" for layer %d", i+1)
}

func (o Options) checkDivergence() error {
	switch {
	case o.GibbsSteps < 1:
		return fmt.Errorf("--k: %d Gibbs steps, want at least 1", o.GibbsSteps)
	case o.Chains < 0 || o.Chains > math.MaxInt32:
		return fmt.Errorf("--chains: %d, want 0 (the default) to %d", o.Chains, math.MaxInt32)
	case o.Chains > 0 && !o.Persistent:
		return fmt.Errorf("--chains: %s need --persistent", words.Count(o.Chains, "chain"))
	case o.Noise != nil:
		return fmt.Errorf("--noise: only an sdae is trained with noise, this is a dbn")
	}
	return o.checkStabilisers()
}

func (o Options) checkStabilisers() error {
	if o.Sparsity != nil {
		if err := checkCount("--sparsity", len(o.Sparsity), len(o.Units)); err != nil {
			return err
		}
	}
	targets := false
	for i := range o.Units {
		target := o.Target(i + 1)
		if target != 0 && !(float32(target) > 0 && float32(target) < 1) {
			return fmt.Errorf("--sparsity: %g%s, want a share above 0 and below 1, or 0 for none", target, forLayer(len(o.Sparsity), i))
		}
		targets = targets || target > 0
	}
	cost, limit := float32(o.SparsityCost), float32(o.GradientLimit)
	switch {
	case o.SparsityCost != 0 && !(cost > 0 && cost <= math.MaxFloat32):
		return fmt.Errorf("--sparsity-cost: %g, want a finite number above 0, or 0 for the default", o.SparsityCost)
	case o.SparsityCost != 0 && !targets:
		return fmt.Errorf("--sparsity-cost: a cost of %g needs --sparsity", o.SparsityCost)
	case o.GradientLimit != 0 && o.GradientLimit != AutoLimit && !(limit > 0 && limit <= math.MaxFloat32):
		return fmt.Errorf("--gradient-limit: %g, want auto, or a finite number above 0, or 0 for none", o.GradientLimit)
	case o.UpperSamples && len(o.Units) == 1:
		return fmt.Errorf("--upper: one layer has none above it to train on samples")
	}
	return nil
}

func (o Options) checkDenoising() error {
	switch {
	case o.GibbsSteps != 0:
		return fmt.Errorf("--k: only a dbn is trained with Gibbs steps, this is an sdae")
	case o.Persistent || o.Chains != 0:
		return fmt.Errorf("--persistent: only a dbn is trained with chains, this is an sdae")
	case o.Sparsity != nil || o.SparsityCost != 0:
		return fmt.Errorf("--sparsity: only a dbn is trained with a target, this is an sdae")
	case o.Centered:
		return fmt.Errorf("--centered: only a dbn is centered, this is an sdae")
	case o.GradientLimit != 0:
		return fmt.Errorf("--gradient-limit: only a dbn is trained with a limit, this is an sdae")
	case o.UpperSamples:
		return fmt.Errorf("--upper: only a dbn has units to draw samples from, this is an sdae")
	}
	if o.Noise != nil {
		if err := checkCount("--noise", len(o.Noise), len(o.Units)); err != nil {
			return err
		}
	}
	if o.Corruption > engine.CorruptionGaussian {
		return fmt.Errorf("--corruption: unknown corruption %d, want mask, saltpepper or gauss", o.Corruption)
	}
	for i, noise := range o.Noise {
		if engine.CheckCorruption(engine.Corruption{Kind: o.Corruption, Level: float32(noise)}) != nil {
			return fmt.Errorf("--noise: %g%s, want %s", noise, forLayer(len(o.Noise), i), noiseRange(o.Corruption))
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
		return fmt.Errorf("--data %s: %s, want 1 to %d", info.Name, words.Count(n, "example"), math.MaxInt32)
	case size < 1 || size > maxUnits:
		return fmt.Errorf("--data %s: examples have %s, want 1 to %d", info.Name, words.Count(size, "component"), maxUnits)
	case held != nil && held.Len() > 0 && held.Info().Size() != size:
		return fmt.Errorf("--validation: examples held out have %s, those of %s have %d", words.Count(held.Info().Size(), "component"), info.Name, size)
	case o.Visible == engine.Bernoulli && !(info.Low >= 0 && info.High <= 1):
		return fmt.Errorf("--visible: Bernoulli inputs lie between 0 and 1, those of %s between %g and %g; %suse --visible gaussian", info.Name, info.Low, info.High, otherwise(info))
	}
	for layer := 1; layer <= len(o.Units); layer++ {
		updates := int64((n-1)/o.batch(n)+1) * int64(of(o.Epochs, layer))
		if updates > math.MaxUint32/int64(max(1, o.GibbsSteps)) || updates > math.MaxInt {
			return fmt.Errorf("--epochs: %s of layer %d are %s, more than random numbers can tell apart; use a larger --batch or a smaller --k", words.Count(of(o.Epochs, layer), "epoch"), layer, words.Count(updates, "update"))
		}
	}
	return nil
}
