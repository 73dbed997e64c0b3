package train_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/train"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// TestLikelihoodRises trains small RBMs on bars and stripes and computes the
// exact log-likelihood along the way. A perfect model of the 30 pictures has
// -log 30 = -3.4 nats; independent pixels have -11.1. (CD-1 lets the likelihood
// fall again if it goes on for much longer, as is known of it.)
func TestLikelihoodRises(t *testing.T) {
	set := settest.BarsAndStripes(4)
	for name, test := range map[string]struct {
		change func(*train.Options)
		least  float64
	}{
		"cd1": {func(o *train.Options) {}, -6},
		"cd5": {func(o *train.Options) { o.GibbsSteps = 5 }, -4.7},
		"pcd": {func(o *train.Options) { o.Persistent, o.Chains = true, 50 }, -6.5},
	} {
		t.Run(name, func(t *testing.T) {
			o := train.DBN(16)
			o.Batch, o.Momentum, o.Epochs, o.Rates = 10, 0, []int{500}, []float64{0.1}
			test.change(&o)
			o.CheckpointEvery = 300
			l, err := network.InitialLayer(network.DBN, 1, 16, 16, o.Seed)
			if err != nil {
				t.Fatal(err)
			}
			var k train.Keep
			n := train.MustTrain(t, settest.Device(t), set, nil, o, train.Hooks{Checkpoint: k.Checkpoint}, 1024)
			layers := []network.Layer{l}
			for _, file := range k.Files {
				layers = append(layers, firstLayer(t, file))
			}
			var likelihoods []float64
			for _, l := range append(layers, n.Layers[0]) {
				p, err := train.LogLikelihood(l, engine.Bernoulli, set.Data)
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

// firstLayer reads layer 1 from a checkpoint's file.
func firstLayer(t *testing.T, file []byte) (l network.Layer) {
	t.Helper()
	f, err := safetensors.Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for suffix, to := range map[string]**tensor.Dense{network.WeightSuffix: &l.Weight, network.BiasSuffix: &l.Bias, network.VisibleBiasSuffix: &l.VisibleBias} {
		of, err := f.Tensor(network.LayerName(1) + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if *to, err = dense.Of(of.Data, of.Shape...); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// TestErrorFalls trains every kind on the same data.
func TestErrorFalls(t *testing.T) {
	set, held := settest.Greys(300, 20, 5), settest.Greys(50, 20, 6)
	// The same, of about unit variance and without bounds.
	real, realHeld := settest.Greys(300, 20, 5), settest.Greys(50, 20, 6)
	for _, r := range []*settest.Rows{real, realHeld} {
		r.About.Low, r.About.High = -5, 5
		for i := range r.Data {
			r.Data[i] = 5 * (r.Data[i] - 0.13)
		}
	}
	corrupted := func(kind engine.CorruptionKind, visible engine.VisibleKind) train.Options {
		o := train.SDAE(30, 20)
		o.Corruption, o.Visible = kind, visible
		return o
	}
	gaussian := train.DBN(30, 20)
	gaussian.Visible, gaussian.GradientLimit = engine.Gaussian, train.AutoLimit
	for name, o := range map[string]train.Options{
		"dbn": train.DBN(30, 20), "mask": train.SDAE(30, 20),
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
			measured := map[int][]train.Measurement{}
			train.MustTrain(t, settest.Device(t), set, held, o, train.Hooks{Measured: func(r train.Measurement) { measured[r.Layer] = append(measured[r.Layer], r) }}, 1024)
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

// TestNetwork checks what surrounds the layers.
func TestNetwork(t *testing.T) {
	set := settest.BarsAndStripes(3)
	n := train.MustTrain(t, settest.Device(t), set, nil, train.SDAE(5, 4), train.Hooks{}, 1024)
	norm := 0.0
	for i := range set.Len() {
		square := 0.0
		for _, x := range set.Example(i) {
			square += float64(x) * float64(x)
		}
		norm += math.Sqrt(square) / float64(set.Len())
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
	set := settest.Normals(60, 8, func(int) float64 { return 3 })
	d := settest.Device(t)
	for _, c := range []struct {
		name            string
		o               train.Options
		rate            float64
		checkpointEvery int
		want            error
		files           int
	}{
		{"dbn", train.DBN(5), 50, 1, train.ErrDiverged, 1},
		{"sdae", train.SDAE(5), 50, 1, train.ErrDiverged, 1},
		{"dbn, not finite", train.DBN(5), 5e10, 0, engine.ErrNotFinite, 0},
		{"sdae, not finite", train.SDAE(5), 5e10, 0, engine.ErrNotFinite, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := c.o
			o.Visible, o.Rates, o.CheckpointEvery, o.Epochs = engine.Gaussian, []float64{c.rate}, c.checkpointEvery, []int{50}
			var k train.Keep
			_, err := train.Train(context.Background(), d, set, nil, o, train.Hooks{Checkpoint: k.Checkpoint}, nil)
			if !errors.Is(err, c.want) || len(k.Files) != c.files {
				t.Fatalf("%d checkpoints, error %v, want %v", len(k.Files), err, c.want)
			}
			for _, want := range []string{"train layer 1: ", " of 50, update ", "Rates 5", " for layer 1: the learning rate", "try 5"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q doesn't say %q", err, want)
				}
			}
			for _, file := range k.Files {
				train.ReadBack(t, file) // refuses NaN
			}
		})
	}
}

// broken is a set that fails or lies at some example.
type broken struct {
	*settest.Rows
	at    int
	value float32
	err   error
}

func (b broken) Read(dst []float32, indices []int) error {
	if err := b.Rows.Read(dst, indices); err != nil {
		return err
	}
	for i, index := range indices {
		if index == b.at {
			dst[i*b.About.Size()+2] = b.value
			return b.err
		}
	}
	return nil
}

func TestBrokenData(t *testing.T) {
	d := settest.Device(t)
	disk := errors.New("input/output error")
	for name, test := range map[string]struct {
		set  broken
		is   error
		want string
	}{
		"disk": {broken{settest.Greys(300, 6, 1), 7, 0, disk}, disk, "input/output error"},
		"NaN":  {broken{settest.Greys(300, 6, 1), 7, float32(math.NaN()), nil}, engine.ErrNotFinite, "component 2 of example 7 is NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := train.Train(context.Background(), d, test.set, nil, train.SDAE(4), train.Hooks{}, nil); !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
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
		o    train.Options
		most float64
	}{
		"dbn":  {train.Defaults(network.DBN, engine.Bernoulli, 64), 26},
		"sdae": {train.Defaults(network.SDAE, engine.Bernoulli, 64), 26},
	} {
		t.Run(name, func(t *testing.T) {
			test.o.Epochs = []int{2}
			var last train.Measurement
			train.MustTrain(t, settest.Device(t), set, held, test.o, train.Hooks{Measured: func(r train.Measurement) { last = r }}, 1024)
			t.Logf("error %.2f, held out %.2f, gap %.2f, pseudo-likelihood %.1f", last.Error, last.HeldError, last.FreeEnergyGap, last.PseudoLikelihood)
			// The mean digit alone leaves an error of 53.
			if !(last.HeldError < test.most) {
				t.Errorf("reconstruction error %.2f of digits held out, want below %g", last.HeldError, test.most)
			}
		})
	}
}
