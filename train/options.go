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
	Rates   []float64          // learning rates, one or per layer, > 0; nil: see [Options.Rate]
	// Momentum, 0 <= Momentum < 1, holds after the first tenth of a layer's
	// updates. Until then it is at most 0.5, because a strong momentum on top
	// of the large gradients of the start makes training diverge (Hinton's
	// guide of 2010, section 9.1).
	Momentum float64
	Decay    float64 // L2 penalty on weights, >= 0

	GibbsSteps int  // DBN: k of CD-k, >= 1
	Persistent bool // DBN: persistent contrastive divergence
	Chains     int  // DBN with Persistent: number of chains; 0: 100

	Corruption engine.CorruptionKind // SDAE: the noise
	// Noise of an SDAE, one or per layer: the share of components in 0..1 that
	// masking and salt and pepper change, the standard deviation of Gaussian
	// noise.
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

// Defaults returns options that give good features on digits within a few
// epochs: 10 epochs, batches of 20, momentum 0.5; CD-1 and decay 0.0002 for a
// DBN; 40 % of the inputs masked and decay 0.0005 for an SDAE. Learning rates
// are those of [Options.Rate].
func Defaults(kind network.Kind, visible engine.VisibleKind, units ...int) Options {
	o := Options{Kind: kind, Visible: visible, Units: units, Epochs: []int{10}, Batch: 20, Momentum: 0.5, Seed: 1}
	switch kind {
	case network.DBN:
		o.GibbsSteps, o.Decay = 1, 0.0002
	case network.SDAE:
		o.Noise, o.Decay = []float64{0.4}, 0.0005
	}
	return o
}

// Rate is the learning rate of a layer, counted from 1. If Rates is nil it is
// 0.05 for an RBM and 0.1 for a denoising auto-encoder; a twentieth of that for
// Gaussian inputs, which have no bound and neither has their gradient; a tenth
// of that for persistent chains, which must keep up with the model; a quarter of
// that for salt and pepper, which drives many more units into saturation than
// masking.
func (o Options) Rate(layer int) float64 {
	if o.Rates != nil {
		return of(o.Rates, layer)
	}
	rate := 0.1
	if o.Kind == network.DBN {
		rate = 0.05
	}
	if o.visible(layer) == engine.Gaussian {
		rate /= 20
	}
	if o.Persistent {
		rate /= 10
	}
	if o.Kind == network.SDAE && o.Corruption == engine.CorruptionSaltPepper {
		rate /= 4
	}
	return rate
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
		return fmt.Errorf("--checkpoint-every: %d updates, want 0 (the end of every epoch) or more", o.CheckpointEvery)
	case o.ReportEvery < 0:
		return fmt.Errorf("--report-every: %d updates, want 0 (the end of every epoch) or more", o.ReportEvery)
	}
	if o.Kind == network.DBN {
		return o.checkDivergence()
	}
	return o.checkDenoising()
}

func (o Options) checkLayers() error {
	layers := len(o.Units)
	if layers < 1 || layers > maxLayers {
		return fmt.Errorf("--layers: %d layers, want 1 to %d", layers, maxLayers)
	}
	for i, units := range o.Units {
		if units < 1 || units > maxUnits {
			return fmt.Errorf("--layers: %d units in layer %d, want 1 to %d", units, i+1, maxUnits)
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
	if o.Rates == nil {
		return nil
	}
	if err := checkCount("--lr", len(o.Rates), layers); err != nil {
		return err
	}
	for i, rate := range o.Rates {
		if !(float32(rate) > 0 && rate <= math.MaxFloat32) {
			return fmt.Errorf("--lr: %g%s, want a finite number above 0", rate, forLayer(len(o.Rates), i))
		}
	}
	return nil
}

func checkCount(flag string, values, layers int) error {
	if values != 1 && values != layers {
		return fmt.Errorf("%s: %d values for %d layers, want one for all or one for each", flag, values, layers)
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
		return fmt.Errorf("--chains: %d chains need --persistent", o.Chains)
	case o.Noise != nil:
		return fmt.Errorf("--noise: only an sdae is trained with noise, this is a dbn")
	}
	return nil
}

func (o Options) checkDenoising() error {
	switch {
	case o.GibbsSteps != 0:
		return fmt.Errorf("--k: only a dbn is trained with Gibbs steps, this is an sdae")
	case o.Persistent || o.Chains != 0:
		return fmt.Errorf("--persistent: only a dbn is trained with chains, this is an sdae")
	}
	if err := checkCount("--noise", len(o.Noise), len(o.Units)); err != nil {
		return err
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

// checkData checks that a set, and the examples held out if there are any, can
// be trained on with these options.
func (o Options) checkData(set, held dataset.Set) error {
	info := set.Info()
	size, n := info.Size(), set.Len()
	switch {
	case n < 1 || n > math.MaxInt32:
		return fmt.Errorf("--data %s: %d examples, want 1 to %d", info.Name, n, math.MaxInt32)
	case size < 1 || size > maxUnits:
		return fmt.Errorf("--data %s: examples have %d components, want 1 to %d", info.Name, size, maxUnits)
	case held != nil && held.Len() > 0 && held.Info().Size() != size:
		return fmt.Errorf("--validation: examples held out have %d components, those of %s have %d", held.Info().Size(), info.Name, size)
	case o.Visible == engine.Bernoulli && !(info.Low >= 0 && info.High <= 1):
		return fmt.Errorf("--visible: Bernoulli inputs lie between 0 and 1, those of %s between %g and %g; use --visible gaussian", info.Name, info.Low, info.High)
	}
	for layer := 1; layer <= len(o.Units); layer++ {
		updates := int64((n-1)/o.batch(n)+1) * int64(of(o.Epochs, layer))
		if updates > math.MaxUint32/int64(max(1, o.GibbsSteps)) || updates > math.MaxInt {
			return fmt.Errorf("--epochs: %d epochs of layer %d are %d updates, more than random numbers can tell apart; use a larger --batch or a smaller --k", of(o.Epochs, layer), layer, updates)
		}
	}
	return nil
}

// settings lists every option that changes the result, by the name of its
// flag: what a model file records and what a checkpoint is compared by.
func (o Options) settings() map[string]string {
	layers := len(o.Units)
	s := map[string]string{
		settingKind:    string(o.Kind),
		settingVisible: o.Visible.String(),
		settingLayers:  list(layers, func(l int) string { return strconv.Itoa(o.Units[l-1]) }),
		"epochs":       list(layers, func(l int) string { return strconv.Itoa(of(o.Epochs, l)) }),
		"lr":           list(layers, func(l int) string { return number(o.Rate(l)) }),
		"batch":        strconv.Itoa(o.Batch),
		"momentum":     number(o.Momentum),
		"decay":        number(o.Decay),
		"seed":         strconv.FormatUint(o.Seed, 10),
	}
	if o.Kind == network.SDAE {
		s["corruption"] = o.Corruption.String()
		s["noise"] = list(layers, func(l int) string { return number(of(o.Noise, l)) })
		return s
	}
	s["k"] = strconv.Itoa(o.GibbsSteps)
	s[settingPersistent] = strconv.FormatBool(o.Persistent)
	s["chains"] = strconv.Itoa(o.chains())
	return s
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
	order := []string{settingKind, settingVisible, settingLayers, settingData, settingExamples, settingSample, settingPersistent}
	rank := func(name string) int {
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
}
