package train

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
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
	ReportEvery     int // updates between reports; 0: the end of every epoch
}

// The ranges that the identities of random numbers impose, see
// [engine.RowKey] and [engine.ExampleKey].
const (
	maxLayers = 1<<8 - 1
	maxUnits  = 1<<24 - 1
)

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

// rateAt is the learning rate of an epoch, counted from 0.
func (o Options) rateAt(layer, epoch int) float64 {
	first, last, epochs := o.Rate(layer), o.FinalRate(layer), of(o.Epochs, layer)
	if first == last || epochs == 1 {
		return first
	}
	return first * math.Pow(last/first, float64(epoch)/float64(epochs-1))
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

func (o Options) visible(layer int) engine.VisibleKind {
	if layer > 1 {
		return engine.Bernoulli
	}
	return o.Visible
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

// Settings lists every option that changes the result, by the name of its
// flag and as the flag takes it, with what [Train] makes of values that are left
// to it: what a model file records and what a checkpoint is compared by.
func (o Options) Settings() map[string]string {
	layers := len(o.Units)
	s := map[string]string{
		settingKind:    string(o.Kind),
		settingVisible: o.Visible.String(),
		settingLayers:  list(layers, func(l int) string { return strconv.Itoa(o.Units[l-1]) }),
		"epochs":       list(layers, func(l int) string { return strconv.Itoa(of(o.Epochs, l)) }),
		settingRate:    list(layers, func(l int) string { return number(o.Rate(l)) }),
		"final-lr":     list(layers, func(l int) string { return number(o.FinalRate(l)) }),
		"batch":        strconv.Itoa(o.Batch),
		"momentum":     number(o.Momentum),
		"decay":        number(o.Decay),
		"seed":         strconv.FormatUint(o.Seed, 10),
	}
	if o.Kind == network.SDAE {
		s["corruption"] = o.Corruption.String()
		s["noise"] = list(layers, func(l int) string { return number(o.NoiseLevel(l)) })
		return s
	}
	s["k"] = strconv.Itoa(o.GibbsSteps)
	s[settingPersistent] = strconv.FormatBool(o.Persistent)
	s["chains"] = strconv.Itoa(o.chains())
	s["sparsity"] = list(layers, func(l int) string { return number(o.Target(l)) })
	s["sparsity-cost"] = number(o.SparsityCost)
	s["centered"] = strconv.FormatBool(o.Centered)
	s["gradient-limit"] = o.gradientLimitText()
	s["upper"] = "means"
	if o.UpperSamples {
		s["upper"] = "samples"
	}
	return s
}

// gradientLimitText is the limit as the flag takes it.
func (o Options) gradientLimitText() string {
	if o.GradientLimit == AutoLimit {
		return "auto"
	}
	return number(o.GradientLimit)
}

func list(layers int, text func(layer int) string) string {
	var texts []string
	for layer := 1; layer <= layers; layer++ {
		texts = append(texts, text(layer))
	}
	return strings.Join(texts, ",")
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// compareSettings returns an error that names the first setting in which a
// checkpoint differs from what it is to be resumed with.
func compareSettings(now, checkpoint map[string]string) error {
	both := maps.Clone(now)
	maps.Copy(both, checkpoint)
	for _, name := range slices.SortedFunc(maps.Keys(both), tellingFirst) {
		a, b := now[name], checkpoint[name]
		if a == b {
			continue
		}
		switch name {
		case settingKind:
			return fmt.Errorf("resume: this is a %s, the checkpoint is of a %s", a, b)
		case settingExamples:
			return fmt.Errorf("resume: the data set has %s examples, the checkpoint's had %s (--data, --limit, --validation)", a, b)
		case settingSample:
			return fmt.Errorf("resume: the examples of --data are not those of the checkpoint: their checksum is %s, it was %s", a, b)
		}
		return fmt.Errorf("resume: --%s is %q, the checkpoint was made with %q; give the same, or start anew without --resume", name, a, b)
	}
	return nil
}

// tellingFirst orders settings so that a difference that brings others with it
// comes before them.
func tellingFirst(a, b string) int {
	order := []string{settingKind, settingVisible, settingLayers, settingData, settingExamples, settingSample, settingPersistent, settingRate}
	rank := func(name string) int {
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
}
