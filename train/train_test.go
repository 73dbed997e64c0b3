package train

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
)

// TestLikelihoodRises trains small RBMs on bars and stripes and computes the
// exact log-likelihood along the way. A perfect model of the 30 pictures has
// -log 30 = -3.4 nats; independent pixels have -11.1. (CD-1 lets the likelihood
// fall again if it goes on for much longer, as is known of it.)
func TestLikelihoodRises(t *testing.T) {
	set := barsAndStripes(4)
	for name, test := range map[string]struct {
		change func(*Options)
		least  float64
	}{
		"cd1": {func(o *Options) {}, -6},
		"cd5": {func(o *Options) { o.GibbsSteps = 5 }, -4.7},
		"pcd": {func(o *Options) { o.Persistent, o.Chains = true, 50 }, -6.5},
	} {
		t.Run(name, func(t *testing.T) {
			o := dbn(16)
			o.Batch, o.Momentum, o.Epochs, o.Rates = 10, 0, []int{500}, []float64{0.1}
			test.change(&o)
			o.CheckpointEvery = 300
			l, err := network.InitialLayer(network.DBN, 1, 16, 16, o.Seed)
			if err != nil {
				t.Fatal(err)
			}
			var k keep
			n := mustTrain(t, device(t), set, nil, o, Hooks{Checkpoint: k.checkpoint}, 1024)
			layers := []network.Layer{l}
			for _, file := range k.files {
				layers = append(layers, readBack(t, file).layers[0])
			}
			var likelihoods []float64
			for _, l := range append(layers, n.Layers[0]) {
				p, err := LogLikelihood(l, engine.Bernoulli, set.data)
				if err != nil {
					t.Fatal(err)
				}
				likelihoods = append(likelihoods, p)
			}
			t.Logf("log-likelihood at the start and every 300 updates: %.2f", likelihoods)
			last := len(likelihoods) - 1
			if likelihoods[last] != likelihoods[last-1] {
				t.Error("the model isn't that of its last checkpoint")
			}
			if first := likelihoods[0]; first < -11.3 || first > -10.9 || likelihoods[1] < first || likelihoods[last] < test.least {
				t.Errorf("want a rise from about -11.1 to above %g", test.least)
			}
		})
	}
}

// TestErrorFalls trains every kind on the same data.
func TestErrorFalls(t *testing.T) {
	set, held := greys(300, 20, 5), greys(50, 20, 6)
	// The same, of about unit variance and without bounds.
	real, realHeld := greys(300, 20, 5), greys(50, 20, 6)
	for _, r := range []*rows{real, realHeld} {
		r.info.Low, r.info.High = -5, 5
		for i := range r.data {
			r.data[i] = 5 * (r.data[i] - 0.13)
		}
	}
	corrupted := func(kind engine.CorruptionKind, visible engine.VisibleKind) Options {
		o := sdae(30, 20)
		o.Corruption, o.Visible = kind, visible
		return o
	}
	gaussian := dbn(30, 20)
	gaussian.Visible, gaussian.GradientLimit = engine.Gaussian, AutoLimit
	for name, o := range map[string]Options{
		"dbn": dbn(30, 20), "mask": sdae(30, 20),
		"salt pepper":          corrupted(engine.CorruptionSaltPepper, engine.Bernoulli),
		"gauss":                corrupted(engine.CorruptionGaussian, engine.Bernoulli),
		"gaussian mask":        corrupted(engine.CorruptionMask, engine.Gaussian),
		"gaussian salt pepper": corrupted(engine.CorruptionSaltPepper, engine.Gaussian),
		"gaussian gauss":       corrupted(engine.CorruptionGaussian, engine.Gaussian),
		"gaussian dbn":         gaussian,
	} {
		t.Run(name, func(t *testing.T) {
			o.Epochs, o.Batch = []int{15}, 10
			set, held := set, held
			if o.Visible == engine.Gaussian {
				set, held = real, realHeld
				o.Rates = []float64{0.15, 0.05}
			}
			measured := map[int][]Measurement{}
			mustTrain(t, device(t), set, held, o, Hooks{Measured: func(r Measurement) { measured[r.Layer] = append(measured[r.Layer], r) }}, 1024)
			for layer := 1; layer <= 2; layer++ {
				rs := measured[layer]
				if len(rs) != 15 {
					t.Fatalf("layer %d: %d measurements for 15 epochs", layer, len(rs))
				}
				first, last := rs[0], rs[14]
				if !(last.Error < 0.9*first.Error) || !(last.HeldError < 0.9*first.HeldError) {
					t.Errorf("layer %d: error from %.3f to %.3f, held out from %.3f to %.3f", layer, first.Error, last.Error, first.HeldError, last.HeldError)
				}
				if math.IsNaN(last.FreeEnergyGap) != (o.Kind == network.SDAE) {
					t.Errorf("layer %d: free-energy gap %g", layer, last.FreeEnergyGap)
				}
				if last.Epoch != 15 || last.Update != 30 || last.Updates != 30 || last.Examples != 4500 || last.AllExamples != 4500 || last.Layers != 2 {
					t.Errorf("layer %d: last measurement at %+v", layer, last.Progress)
				}
			}
		})
	}
}

// TestGaussianMean trains a Gaussian RBM on noise around a mean. With no
// structure to model, the mean of its reconstructions is the data's.
func TestGaussianMean(t *testing.T) {
	want := func(j int) float64 { return 2*float64(j) - 3 }
	set := normals(2000, 6, want)
	o := dbn(4)
	o.Visible, o.Epochs, o.Batch, o.Rates = engine.Gaussian, []int{5}, 20, nil
	n := mustTrain(t, device(t), set, nil, o, Hooks{}, 1024)
	bias, err := dense.Data(n.Layers[0].VisibleBias)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRBM(n.Layers[0], engine.Gaussian)
	if err != nil {
		t.Fatal(err)
	}
	for j := range bias {
		mean := 0.0
		for i := range set.Len() {
			z := float64(bias[j])
			for k := range r.hidden {
				z += float64(r.weight[k*6+j]) * sigmoid(float64(r.bias[k])+dot(r.weight[k*6:(k+1)*6], set.example(i)))
			}
			mean += z / float64(set.Len())
		}
		if math.Abs(mean-want(j)) > 0.15 {
			t.Errorf("component %d: mean reconstruction %.3f, want %.3f", j, mean, want(j))
		}
	}
}

// TestVisibleBias checks where an RBM's visible biases start.
func TestVisibleBias(t *testing.T) {
	set := &rows{dataset.Info{Name: "four", Shape: []int{3}, High: 1}, []float32{1, 0, 0.25, 0, 0, 0.75, 1, 0, 0.25, 1, 0, 0.75}}
	for kind, want := range map[engine.VisibleKind][]float64{
		engine.Bernoulli: {math.Log(3), math.Log(0.001 / 0.999), 0},
		engine.Gaussian:  {0.75, 0, 0.5},
	} {
		o := dbn(2)
		o.Visible = kind
		tr, err := newTrainer(device(t), set, nil, o, Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		l, err := tr.newLayerRun(1, nil)
		if err != nil {
			t.Fatal(err)
		}
		parameters, err := l.parameters()
		if err = errors.Join(err, l.close()); err != nil {
			t.Fatal(err)
		}
		bias, err := dense.Data(parameters.VisibleBias)
		if err != nil {
			t.Fatal(err)
		}
		for j := range want {
			if math.Abs(float64(bias[j])-want[j]) > 1e-6 {
				t.Errorf("%v: bias %v, want %v", kind, bias, want)
			}
		}
	}
}

// TestPlan checks what a device is told to train.
func TestPlan(t *testing.T) {
	real := normals(45, 12, func(int) float64 { return 0 })
	noisy := sdae(5, 4)
	noisy.Visible, noisy.Corruption, noisy.Noise, noisy.Seed = engine.Gaussian, engine.CorruptionSaltPepper, []float64{0.5, 0.25}, 9
	chains := dbn(5, 4)
	chains.Visible, chains.Persistent, chains.GibbsSteps, chains.Batch = engine.Gaussian, true, 3, 1000
	chains.Sparsity, chains.Centered, chains.GradientLimit = []float64{0.125, 0.25}, true, AutoLimit
	largest := 0.0
	for i := range real.Len() {
		largest = max(largest, math.Sqrt(dot(real.example(i), real.example(i))))
	}
	for name, test := range map[string]struct {
		o    Options
		want [2]engine.Plan
	}{
		"noisy": {noisy, [2]engine.Plan{
			engine.Denoise{VisibleUnits: 12, HiddenUnits: 5, Visible: engine.Gaussian, Batch: 7, Seed: 9,
				Corruption: engine.Corruption{Kind: engine.CorruptionSaltPepper, Level: 0.5, Low: -10, High: 10}},
			engine.Denoise{VisibleUnits: 5, HiddenUnits: 4, Batch: 7, Seed: 9,
				Corruption: engine.Corruption{Kind: engine.CorruptionSaltPepper, Level: 0.25, Low: 0, High: 1}},
		}},
		"chains": {chains, [2]engine.Plan{
			engine.ContrastiveDivergence{VisibleUnits: 12, HiddenUnits: 5, Visible: engine.Gaussian, GibbsSteps: 3, Chains: 100, Batch: 45, Layer: 1, Seed: 1,
				Sparsity: engine.Sparsity{Target: 0.125, Cost: 1}, Centered: true, GradientLimit: float32(0.01 * 0.2 * largest)},
			engine.ContrastiveDivergence{VisibleUnits: 5, HiddenUnits: 4, GibbsSteps: 3, Chains: 100, Batch: 45, Layer: 2, Seed: 1,
				Sparsity: engine.Sparsity{Target: 0.25, Cost: 0.1}, Centered: true},
		}},
	} {
		tr, err := newTrainer(device(t), real, nil, test.o, Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range test.want {
			got, err := tr.plan(i + 1)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%s, layer %d: %+v, want %+v", name, i+1, got, want)
			}
		}
	}
}

// TestByLayer checks the defaults that depend on the layer.
func TestByLayer(t *testing.T) {
	defaults := func(kind network.Kind, visible engine.VisibleKind, change func(*Options)) Options {
		o := Defaults(kind, visible, 5, 4)
		change(&o)
		return o
	}
	same := func(*Options) {}
	for name, test := range map[string]struct {
		o    Options
		want map[string]string
	}{
		"dbn": {defaults(network.DBN, engine.Bernoulli, same), map[string]string{
			"lr": "0.05,0.05", "final-lr": "0.05,0.05", "sparsity": "0,0", "batch": "20", "momentum": "0.5", "gradient-limit": "auto", "upper": "means"}},
		"gaussian dbn": {defaults(network.DBN, engine.Gaussian, same), map[string]string{
			"lr": "0.05,0.05", "final-lr": "0.005,0.05", "sparsity": "0.02,0", "batch": "100", "momentum": "0.9"}},
		"small batches": {defaults(network.DBN, engine.Gaussian, func(o *Options) { o.Batch = 20 }), map[string]string{"lr": "0.01,0.05"}},
		"persistent":    {defaults(network.DBN, engine.Bernoulli, func(o *Options) { o.Persistent = true }), map[string]string{"lr": "0.005,0.005", "chains": "100"}},
		"sparse":        {defaults(network.DBN, engine.Gaussian, func(o *Options) { o.Sparsity = []float64{0, 0.125} }), map[string]string{"sparsity": "0,0.125"}},
		"sdae": {defaults(network.SDAE, engine.Bernoulli, same), map[string]string{
			"lr": "0.1,0.1", "corruption": "mask", "noise": "0.4,0.4"}},
		"gaussian sdae": {defaults(network.SDAE, engine.Gaussian, same), map[string]string{
			"lr": "0.1,0.1", "final-lr": "0.01,0.1", "corruption": "gauss", "noise": "2.5,0.1"}},
		"gaussian mask": {defaults(network.SDAE, engine.Gaussian, func(o *Options) { o.Corruption = engine.CorruptionMask }), map[string]string{"noise": "0.8,0.4"}},
		"salt pepper": {defaults(network.SDAE, engine.Bernoulli, func(o *Options) { o.Corruption = engine.CorruptionSaltPepper }), map[string]string{
			"lr": "0.025,0.025", "noise": "0.4,0.4"}},
		"given": {defaults(network.SDAE, engine.Gaussian, func(o *Options) {
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

// TestNetwork checks what surrounds the layers.
func TestNetwork(t *testing.T) {
	set := barsAndStripes(3)
	n := mustTrain(t, device(t), set, nil, sdae(5, 4), Hooks{}, 1024)
	norm := 0.0
	for i := range set.Len() {
		norm += math.Sqrt(dot(set.example(i), set.example(i))) / float64(set.Len())
	}
	if n.Kind != network.SDAE || n.Visible != engine.Bernoulli || !slices.Equal(n.InputShape, []int{3, 3}) || math.Abs(n.Radius-norm) > 1e-6 {
		t.Errorf("kind %s, visible %v, shape %v, radius %g", n.Kind, n.Visible, n.InputShape, n.Radius)
	}
	for name, want := range map[string]string{"layers": "5,4", "noise": "0.4,0.4", "corruption": "mask", "data": "bars", "examples": "14", "seed": "1", "lr": "0.05,0.05"} {
		if n.Training[name] != want {
			t.Errorf("training option %s is %q, want %q", name, n.Training[name], want)
		}
	}
	if err := n.Check(); err != nil {
		t.Error(err)
	}
}

// TestDiverges trains with absurd rates: one that is noticed while numbers are
// finite, one that makes them infinite within an epoch. No checkpoint may hold what
// has diverged, and there is the one from before.
func TestDiverges(t *testing.T) {
	set := normals(60, 8, func(int) float64 { return 3 })
	d := device(t)
	for _, c := range []struct {
		name            string
		o               Options
		rate            float64
		checkpointEvery int
		want            error
		files           int
	}{
		{"dbn", dbn(5), 50, 1, ErrDiverged, 1},
		{"sdae", sdae(5), 50, 1, ErrDiverged, 1},
		{"dbn, not finite", dbn(5), 5e10, 0, engine.ErrNotFinite, 0},
		{"sdae, not finite", sdae(5), 5e10, 0, engine.ErrNotFinite, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := c.o
			o.Visible, o.Rates, o.CheckpointEvery, o.Epochs = engine.Gaussian, []float64{c.rate}, c.checkpointEvery, []int{50}
			var k keep
			_, err := Train(context.Background(), d, set, nil, o, Hooks{Checkpoint: k.checkpoint}, nil)
			if !errors.Is(err, c.want) || len(k.files) != c.files {
				t.Fatalf("%d checkpoints, error %v, want %v", len(k.files), err, c.want)
			}
			for _, want := range []string{"train layer 1: ", " of 50, update ", "Rates 5", " for layer 1: the learning rate", "try 5"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q doesn't say %q", err, want)
				}
			}
			for _, file := range k.files {
				readBack(t, file) // refuses NaN
			}
		})
	}
}

// broken is a set that fails or lies at some example.
type broken struct {
	*rows
	at    int
	value float32
	err   error
}

func (b broken) Read(dst []float32, indices []int) error {
	if err := b.rows.Read(dst, indices); err != nil {
		return err
	}
	for i, index := range indices {
		if index == b.at {
			dst[i*b.info.Size()+2] = b.value
			return b.err
		}
	}
	return nil
}

func TestBrokenData(t *testing.T) {
	d := device(t)
	disk := errors.New("input/output error")
	for name, test := range map[string]struct {
		set  broken
		is   error
		want string
	}{
		"disk": {broken{greys(300, 6, 1), 7, 0, disk}, disk, "input/output error"},
		"NaN":  {broken{greys(300, 6, 1), 7, float32(math.NaN()), nil}, engine.ErrNotFinite, "component 2 of example 7 is NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Train(context.Background(), d, test.set, nil, sdae(4), Hooks{}, nil); !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	d := device(t)
	set := greys(45, 12, 5)
	real := normals(20, 12, func(int) float64 { return 0 })
	for name, test := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"kind":             {func(o *Options) { o.Kind = network.MLP }, `Kind "mlp": want dbn or sdae`},
		"visible":          {func(o *Options) { o.Visible = 7 }, "Visible VisibleKind(7): want bernoulli or gaussian"},
		"no layers":        {func(o *Options) { o.Units = nil }, "Units: 0 layers, want 1 to 255"},
		"no units":         {func(o *Options) { o.Units = []int{5, 0} }, "Units 0 in layer 2: want 1 to 16777215"},
		"many units":       {func(o *Options) { o.Units = []int{1 << 24} }, "Units 16777216 in layer 1: want 1 to 16777215"},
		"no epochs":        {func(o *Options) { o.Epochs = nil }, "Epochs: 0 values for 2 layers, want one for all or one for each"},
		"three epochs":     {func(o *Options) { o.Epochs = []int{1, 1, 1} }, "Epochs: 3 values for 2 layers"},
		"epoch 0":          {func(o *Options) { o.Epochs = []int{1, 0} }, "Epochs 0 for layer 2: want 1 to 2147483647"},
		"batch":            {func(o *Options) { o.Batch = 0 }, "Batch 0: want at least 1 example"},
		"rates":            {func(o *Options) { o.Rates = []float64{} }, "Rates: 0 values for 2 layers"},
		"rate 0":           {func(o *Options) { o.Rates = []float64{0.1, 0} }, "Rates 0 for layer 2: want a finite number above 0"},
		"rate NaN":         {func(o *Options) { o.Rates = []float64{math.NaN()} }, "Rates NaN: want a finite number above 0"},
		"rate 1e-300":      {func(o *Options) { o.Rates = []float64{1e-300} }, "Rates 1e-300: want a finite number above 0"},
		"rate 1e300":       {func(o *Options) { o.Rates = []float64{1e300} }, "Rates 1e+300: want a finite number above 0"},
		"momentum":         {func(o *Options) { o.Momentum = 1 }, "Momentum 1: want 0 or more and below 1"},
		"momentum near 1":  {func(o *Options) { o.Momentum = 1 - 1e-12 }, "Momentum 0.999999999999: want"},
		"decay":            {func(o *Options) { o.Decay = -1 }, "Decay -1: want a finite number, 0 or more"},
		"checkpoint":       {func(o *Options) { o.CheckpointEvery = -1 }, "CheckpointEvery -1: want 0"},
		"measure":          {func(o *Options) { o.MeasureEvery = -1 }, "MeasureEvery -1: want 0"},
		"k":                {func(o *Options) { o.GibbsSteps = 0 }, "GibbsSteps 0: want at least 1"},
		"chains alone":     {func(o *Options) { o.Chains = 3 }, "Chains 3: only persistent"},
		"chains":           {func(o *Options) { o.Persistent, o.Chains = true, -3 }, "Chains -3: want 0"},
		"sparsity":         {func(o *Options) { o.Sparsity = []float64{1} }, "Sparsity 1: want a share above 0 and below 1, or 0 for none"},
		"sparsities":       {func(o *Options) { o.Sparsity = []float64{0.1, 2} }, "Sparsity 2 for layer 2: want"},
		"sparsity count":   {func(o *Options) { o.Sparsity = []float64{0.1, 0.1, 0.1} }, "Sparsity: 3 values for 2 layers"},
		"final rate":       {func(o *Options) { o.FinalRates = []float64{0} }, "FinalRates 0: want a finite number above 0"},
		"final rates":      {func(o *Options) { o.FinalRates = []float64{1, 1, 1} }, "FinalRates: 3 values for 2 layers"},
		"sparsity -1":      {func(o *Options) { o.Sparsity = []float64{-1} }, "Sparsity -1: want"},
		"sparsity 1e-300":  {func(o *Options) { o.Sparsity = []float64{1e-300} }, "Sparsity 1e-300: want"},
		"cost alone":       {func(o *Options) { o.SparsityCost = 1 }, "SparsityCost 1: there is no sparsity target"},
		"cost":             {func(o *Options) { o.Sparsity, o.SparsityCost = []float64{0.1}, math.Inf(1) }, "SparsityCost +Inf: want a finite number above 0"},
		"limit":            {func(o *Options) { o.GradientLimit = -2 }, "GradientLimit -2: want auto, or a finite number above 0, or 0 for none"},
		"limit NaN":        {func(o *Options) { o.GradientLimit = math.NaN() }, "GradientLimit NaN: want"},
		"upper":            {func(o *Options) { o.UpperSamples, o.Units = true, []int{3} }, "UpperSamples: one layer"},
		"sparse sdae":      {func(o *Options) { *o = sdae(3); o.Sparsity = []float64{0.1} }, "Sparsity: only a dbn"},
		"centered sdae":    {func(o *Options) { *o = sdae(3); o.Centered = true }, "Centered: only a dbn"},
		"limited sdae":     {func(o *Options) { *o = sdae(3); o.GradientLimit = AutoLimit }, "GradientLimit: only a dbn"},
		"upper sdae":       {func(o *Options) { *o = sdae(3, 4); o.UpperSamples = true }, "UpperSamples: only a dbn"},
		"noise for dbn":    {func(o *Options) { o.Noise = []float64{0.1} }, "Noise: only an sdae is trained with noise"},
		"k for sdae":       {func(o *Options) { o.Kind, o.Noise = network.SDAE, []float64{0.1} }, "GibbsSteps: only a dbn"},
		"chains for sdae":  {func(o *Options) { *o = sdae(3); o.Persistent = true }, "Persistent: only a dbn"},
		"no noise":         {func(o *Options) { *o = sdae(3); o.Noise = []float64{} }, "Noise: 0 values for 1 layer,"},
		"noise 2":          {func(o *Options) { *o = sdae(3); o.Noise = []float64{2} }, "Noise 2: want a share between 0 and 1"},
		"noise -1":         {func(o *Options) { *o = sdae(3); o.Noise, o.Corruption = []float64{-1}, engine.CorruptionGaussian }, "Noise -1: want a standard deviation, 0 or more"},
		"corruption":       {func(o *Options) { *o = sdae(3); o.Corruption = 9 }, "Corruption 9: want mask"},
		"too many updates": {func(o *Options) { o.Epochs, o.Batch, o.GibbsSteps = []int{1 << 30}, 1, 100 }, "Epochs 1073741824: these are 48318382080 updates"},
	} {
		o := dbn(5, 4)
		test.change(&o)
		if _, err := Train(context.Background(), d, set, nil, o, Hooks{}, nil); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	for name, test := range map[string]struct {
		set, held dataset.Set
		want      string
	}{
		"empty":     {&rows{info: set.info}, nil, "set greys:n=45,seed=5: 0 examples, want 1 to"},
		"not 0..1":  {real, nil, "Visible bernoulli: Bernoulli inputs lie between 0 and 1, those of normals between -10 and 10; use gaussian"},
		"held out":  {set, greys(3, 13, 1), "held: examples held out have 13 components"},
		"no shapes": {&rows{info: dataset.Info{Name: "flat", Shape: []int{1 << 25}, High: 1}, data: make([]float32, 1<<25)}, nil, "set flat: examples have 33554432 components"},
	} {
		if _, err := Train(context.Background(), d, test.set, test.held, dbn(5), Hooks{}, nil); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

// TestMNIST trains briefly on real digits.
func TestMNIST(t *testing.T) {
	folder := os.Getenv("UNITSCOPE_MNIST")
	if folder == "" {
		folder = filepath.Join("..", "..", "shared", "data", "mnist")
	}
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("MNIST is not here; set UNITSCOPE_MNIST to its folder: %v", err)
	}
	all, err := dataset.Open("mnist:"+folder, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	some, err := dataset.Head(all, 5100)
	if err != nil {
		t.Fatal(err)
	}
	set, held, err := dataset.Split(some, 100)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		o    Options
		most float64
	}{
		"dbn":  {Defaults(network.DBN, engine.Bernoulli, 64), 26},
		"sdae": {Defaults(network.SDAE, engine.Bernoulli, 64), 26},
	} {
		t.Run(name, func(t *testing.T) {
			test.o.Epochs = []int{2}
			var last Measurement
			mustTrain(t, device(t), set, held, test.o, Hooks{Measured: func(r Measurement) { last = r }}, 1024)
			t.Logf("error %.2f, held out %.2f, gap %.2f, pseudo-likelihood %.1f", last.Error, last.HeldError, last.FreeEnergyGap, last.PseudoLikelihood)
			// The mean digit alone leaves an error of 53.
			if !(last.HeldError < test.most) {
				t.Errorf("reconstruction error %.2f of digits held out, want below %g", last.HeldError, test.most)
			}
		})
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
		o := Defaults(c.kind, c.visible, 10, 10)
		o.Inputs = c.inputs
		if got := o.Rate(1); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s of %d %s inputs: rate %g, want %g", c.kind, c.inputs, c.visible, got, c.want)
		}
		if got, want := o.Rate(2), Defaults(c.kind, engine.Bernoulli, 1).Rate(1); got != want {
			t.Errorf("%s of %d %s inputs: rate %g above, want %g", c.kind, c.inputs, c.visible, got, want)
		}
	}
}
