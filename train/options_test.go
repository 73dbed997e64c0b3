package train_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train"
	"github.com/unitscope/unitscope/train/internal/settest"
)

func TestOptions(t *testing.T) {
	d := settest.Device(t)
	set := settest.Greys(45, 12, 5)
	real := settest.Normals(20, 12, func(int) float64 { return 0 })
	for name, test := range map[string]struct {
		change func(*train.Options)
		want   string
	}{
		"kind":            {func(o *train.Options) { o.Kind = network.MLP }, `Kind "mlp": want dbn or sdae`},
		"visible":         {func(o *train.Options) { o.Visible = 7 }, "Visible VisibleKind(7): want bernoulli or gaussian"},
		"no layers":       {func(o *train.Options) { o.Units = nil }, "Units: 0 layers, want 1 to 255"},
		"no units":        {func(o *train.Options) { o.Units = []int{5, 0} }, "Units 0 in layer 2: want 1 to 16777215"},
		"many units":      {func(o *train.Options) { o.Units = []int{1 << 24} }, "Units 16777216 in layer 1: want 1 to 16777215"},
		"no epochs":       {func(o *train.Options) { o.Epochs = nil }, "Epochs: 0 values for 2 layers, want one for all or one for each"},
		"three epochs":    {func(o *train.Options) { o.Epochs = []int{1, 1, 1} }, "Epochs: 3 values for 2 layers"},
		"epoch 0":         {func(o *train.Options) { o.Epochs = []int{1, 0} }, "Epochs 0 for layer 2: want 1 to 2147483647"},
		"batch":           {func(o *train.Options) { o.Batch = 0 }, "Batch 0: want at least 1 example"},
		"rates":           {func(o *train.Options) { o.Rates = []float64{} }, "Rates: 0 values for 2 layers"},
		"rate 0":          {func(o *train.Options) { o.Rates = []float64{0.1, 0} }, "Rates 0 for layer 2: want a finite number above 0"},
		"rate NaN":        {func(o *train.Options) { o.Rates = []float64{math.NaN()} }, "Rates NaN: want a finite number above 0"},
		"rate 1e-300":     {func(o *train.Options) { o.Rates = []float64{1e-300} }, "Rates 1e-300: want a finite number above 0"},
		"rate 1e300":      {func(o *train.Options) { o.Rates = []float64{1e300} }, "Rates 1e+300: want a finite number above 0"},
		"momentum":        {func(o *train.Options) { o.Momentum = 1 }, "Momentum 1: want 0 or more and below 1"},
		"momentum near 1": {func(o *train.Options) { o.Momentum = 1 - 1e-12 }, "Momentum 0.999999999999: want"},
		"decay":           {func(o *train.Options) { o.Decay = -1 }, "Decay -1: want a finite number, 0 or more"},
		"checkpoint":      {func(o *train.Options) { o.CheckpointEvery = -1 }, "CheckpointEvery -1: want 0"},
		"measure":         {func(o *train.Options) { o.MeasureEvery = -1 }, "MeasureEvery -1: want 0"},
		"k":               {func(o *train.Options) { o.GibbsSteps = 0 }, "GibbsSteps 0: want at least 1"},
		"chains alone":    {func(o *train.Options) { o.Chains = 3 }, "Chains 3: only persistent"},
		"chains":          {func(o *train.Options) { o.Persistent, o.Chains = true, -3 }, "Chains -3: want 0"},
		"sparsity":        {func(o *train.Options) { o.Sparsity = []float64{1} }, "Sparsity 1: want a share above 0 and below 1, or 0 for none"},
		"sparsities":      {func(o *train.Options) { o.Sparsity = []float64{0.1, 2} }, "Sparsity 2 for layer 2: want"},
		"sparsity count":  {func(o *train.Options) { o.Sparsity = []float64{0.1, 0.1, 0.1} }, "Sparsity: 3 values for 2 layers"},
		"final rate":      {func(o *train.Options) { o.FinalRates = []float64{0} }, "FinalRates 0: want a finite number above 0"},
		"final rates":     {func(o *train.Options) { o.FinalRates = []float64{1, 1, 1} }, "FinalRates: 3 values for 2 layers"},
		"sparsity -1":     {func(o *train.Options) { o.Sparsity = []float64{-1} }, "Sparsity -1: want"},
		"sparsity 1e-300": {func(o *train.Options) { o.Sparsity = []float64{1e-300} }, "Sparsity 1e-300: want"},
		"cost alone":      {func(o *train.Options) { o.SparsityCost = 1 }, "SparsityCost 1: there is no sparsity target"},
		"cost":            {func(o *train.Options) { o.Sparsity, o.SparsityCost = []float64{0.1}, math.Inf(1) }, "SparsityCost +Inf: want a finite number above 0"},
		"limit":           {func(o *train.Options) { o.GradientLimit = -2 }, "GradientLimit -2: want auto, or a finite number above 0, or 0 for none"},
		"limit NaN":       {func(o *train.Options) { o.GradientLimit = math.NaN() }, "GradientLimit NaN: want"},
		"upper":           {func(o *train.Options) { o.UpperSamples, o.Units = true, []int{3} }, "UpperSamples: one layer"},
		"sparse sdae":     {func(o *train.Options) { *o = train.SDAE(3); o.Sparsity = []float64{0.1} }, "Sparsity: only a dbn"},
		"centered sdae":   {func(o *train.Options) { *o = train.SDAE(3); o.Centered = true }, "Centered: only a dbn"},
		"limited sdae":    {func(o *train.Options) { *o = train.SDAE(3); o.GradientLimit = train.AutoLimit }, "GradientLimit: only a dbn"},
		"upper sdae":      {func(o *train.Options) { *o = train.SDAE(3, 4); o.UpperSamples = true }, "UpperSamples: only a dbn"},
		"noise for dbn":   {func(o *train.Options) { o.Noise = []float64{0.1} }, "Noise: only an sdae is trained with noise"},
		"k for sdae":      {func(o *train.Options) { o.Kind, o.Noise = network.SDAE, []float64{0.1} }, "GibbsSteps: only a dbn"},
		"chains for sdae": {func(o *train.Options) { *o = train.SDAE(3); o.Persistent = true }, "Persistent: only a dbn"},
		"no noise":        {func(o *train.Options) { *o = train.SDAE(3); o.Noise = []float64{} }, "Noise: 0 values for 1 layer,"},
		"noise 2":         {func(o *train.Options) { *o = train.SDAE(3); o.Noise = []float64{2} }, "Noise 2: want a share between 0 and 1"},
		"noise -1": {func(o *train.Options) {
			*o = train.SDAE(3)
			o.Noise, o.Corruption = []float64{-1}, engine.CorruptionGaussian
		}, "Noise -1: want a standard deviation, 0 or more"},
		"corruption":       {func(o *train.Options) { *o = train.SDAE(3); o.Corruption = 9 }, "Corruption 9: want mask"},
		"too many updates": {func(o *train.Options) { o.Epochs, o.Batch, o.GibbsSteps = []int{1 << 30}, 1, 100 }, "Epochs 1073741824: these are 48318382080 updates"},
	} {
		o := train.DBN(5, 4)
		test.change(&o)
		if _, err := train.Train(context.Background(), d, set, nil, o, train.Hooks{}, nil); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	for name, test := range map[string]struct {
		set, held dataset.Set
		want      string
	}{
		"empty":     {&settest.Rows{About: set.About}, nil, "set greys:n=45,seed=5: 0 examples, want 1 to"},
		"not 0..1":  {real, nil, "Visible bernoulli: Bernoulli inputs lie between 0 and 1, those of normals between -10 and 10; use gaussian"},
		"held out":  {set, settest.Greys(3, 13, 1), "held: examples held out have 13 components"},
		"no shapes": {&settest.Rows{About: dataset.Info{Name: "flat", Shape: []int{1 << 25}, High: 1}, Data: make([]float32, 1<<25)}, nil, "set flat: examples have 33554432 components"},
	} {
		if _, err := train.Train(context.Background(), d, test.set, test.held, train.DBN(5), train.Hooks{}, nil); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

// TestByLayer checks the defaults that depend on the layer.
func TestByLayer(t *testing.T) {
	defaults := func(kind network.Kind, visible engine.VisibleKind, change func(*train.Options)) train.Options {
		o := train.Defaults(kind, visible, 5, 4)
		change(&o)
		return o
	}
	same := func(*train.Options) {}
	for name, test := range map[string]struct {
		o    train.Options
		want map[string]string
	}{
		"dbn": {defaults(network.DBN, engine.Bernoulli, same), map[string]string{
			"lr": "0.05,0.05", "final-lr": "0.05,0.05", "sparsity": "0,0", "batch": "20", "momentum": "0.5", "gradient-limit": "auto", "upper": "means"}},
		"gaussian dbn": {defaults(network.DBN, engine.Gaussian, same), map[string]string{
			"lr": "0.05,0.05", "final-lr": "0.005,0.05", "sparsity": "0.02,0", "batch": "100", "momentum": "0.9"}},
		"small batches": {defaults(network.DBN, engine.Gaussian, func(o *train.Options) { o.Batch = 20 }), map[string]string{"lr": "0.01,0.05"}},
		"persistent":    {defaults(network.DBN, engine.Bernoulli, func(o *train.Options) { o.Persistent = true }), map[string]string{"lr": "0.005,0.005", "chains": "100"}},
		"sparse":        {defaults(network.DBN, engine.Gaussian, func(o *train.Options) { o.Sparsity = []float64{0, 0.125} }), map[string]string{"sparsity": "0,0.125"}},
		"sdae": {defaults(network.SDAE, engine.Bernoulli, same), map[string]string{
			"lr": "0.1,0.1", "corruption": "mask", "noise": "0.4,0.4"}},
		"gaussian sdae": {defaults(network.SDAE, engine.Gaussian, same), map[string]string{
			"lr": "0.1,0.1", "final-lr": "0.01,0.1", "corruption": "gauss", "noise": "2.5,0.1"}},
		"gaussian mask": {defaults(network.SDAE, engine.Gaussian, func(o *train.Options) { o.Corruption = engine.CorruptionMask }), map[string]string{"noise": "0.8,0.4"}},
		"salt pepper": {defaults(network.SDAE, engine.Bernoulli, func(o *train.Options) { o.Corruption = engine.CorruptionSaltPepper }), map[string]string{
			"lr": "0.025,0.025", "noise": "0.4,0.4"}},
		"given": {defaults(network.SDAE, engine.Gaussian, func(o *train.Options) {
			o.Rates, o.FinalRates, o.Noise = []float64{0.7, 0.8}, []float64{0.1}, []float64{1, 2}
		}), map[string]string{
			"lr": "0.7,0.8", "final-lr": "0.1,0.1", "noise": "1,2"}},
	} {
		got := test.o.Settings()
		for setting, want := range test.want {
			if got[setting] != want {
				t.Errorf("%s: %s is %q, want %q", name, setting, got[setting], want)
			}
		}
	}
}

// The gradient of a denoising auto-encoder of Gaussian inputs grows with them: at
// the rate of 12x12 patches the weights of 20x20 ones diverge.
func TestRateOfManyInputs(t *testing.T) {
	for _, c := range []struct {
		kind    network.Kind
		visible engine.VisibleKind
		inputs  int
		want    float64 // of the first layer
	}{
		{network.SDAE, engine.Gaussian, 144, 0.1},
		{network.SDAE, engine.Gaussian, 400, 0.036},
		{network.SDAE, engine.Gaussian, 0, 0.1},
		{network.SDAE, engine.Bernoulli, 784, 0.1},
		{network.DBN, engine.Gaussian, 400, 0.05},
	} {
		o := train.Defaults(c.kind, c.visible, 10, 10)
		o.Inputs = c.inputs
		if got := o.Rate(1); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s of %d %s inputs: rate %g, want %g", c.kind, c.inputs, c.visible, got, c.want)
		}
		if got, want := o.Rate(2), train.Defaults(c.kind, engine.Bernoulli, 1).Rate(1); got != want {
			t.Errorf("%s of %d %s inputs: rate %g above, want %g", c.kind, c.inputs, c.visible, got, want)
		}
	}
}
