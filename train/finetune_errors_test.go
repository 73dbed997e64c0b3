package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/train/internal/checkpoint"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// TestFineTuneRefuses checks the words of every mistake in what is asked for.
func TestFineTuneRefuses(t *testing.T) {
	good := sorted(settest.Greys(20, 8, 5), 3)
	relabel := func(label func(i int) int) labelled {
		l := labelled{Rows: good.Rows}
		for i := range good.labels {
			l.labels = append(l.labels, label(i))
		}
		return l
	}
	type call struct {
		n         *network.Network
		set, held dataset.Set
		o         FineTuneOptions
	}
	for _, c := range []struct {
		name   string
		change func(c *call)
		want   string
	}{
		{"epochs", func(c *call) { c.o.Epochs = 0 }, "Epochs 0: want 1 to"},
		{"batch", func(c *call) { c.o.Batch = 0 }, "Batch 0: want at least 1"},
		{"rate", func(c *call) { c.o.Rate = 0 }, "Rate 0: want a finite number above 0"},
		{"rate that float32 has not", func(c *call) { c.o.Rate = 1e-60 }, "Rate 1e-60: want"},
		{"rate nan", func(c *call) { c.o.Rate = math.NaN() }, "Rate NaN: want"},
		{"final rate", func(c *call) { c.o.FinalRate = -1 }, "FinalRate -1: want"},
		{"momentum", func(c *call) { c.o.Momentum = 1 }, "Momentum 1: want 0 or more and below 1"},
		{"decay", func(c *call) { c.o.Decay = -1 }, "Decay -1: want"},
		{"noise 1", func(c *call) { c.o.Noise = []float64{0, 1} }, "Noise 1 for layer 2: want a share"},
		{"noise of everything", func(c *call) { c.o.Noise = []float64{0.99} }, "Noise 0.99: it masks all of the 8 numbers that layer 1 takes"},
		{"too many noises", func(c *call) { c.o.Noise = make([]float64, 3) }, "Noise: 3 values, want at most 2"},
		{"patience", func(c *call) { c.o.Patience = -1 }, "Patience -1: want"},
		{"checkpoints", func(c *call) { c.o.CheckpointEvery = -1 }, "CheckpointEvery -1: want"},
		{"updates", func(c *call) { c.o.Epochs, c.o.Batch = math.MaxInt32, 1 }, "more than random numbers can tell apart"},
		{"no examples", func(c *call) { c.set = good.head(0) }, "0 examples, want 1"},
		{"size", func(c *call) { c.n = stack(t, network.SDAE, 9, 5) }, "examples have 8 components, the model's inputs 9"},
		{"size held", func(c *call) { c.held = sorted(settest.Greys(20, 7, 5), 3) }, "held: examples held out have 7 components"},
		{"no labels", func(c *call) { c.set = good.Rows }, "example 0 has no label"},
		{"no labels held", func(c *call) { c.held = good.Rows }, "held greys:n=20,seed=5: example 0 has no label"},
		{"one class", func(c *call) { c.set = relabel(func(int) int { return 4 }) }, "all 20 examples have the label 4, want at least two classes"},
		{"negative label", func(c *call) { c.set = relabel(func(i int) int { return 1 - i }) }, "example 2 has the label -1, want 0 to"},
		{"huge label", func(c *call) { c.set = relabel(func(i int) int { return i << 30 }) }, "example 1 has the label 1073741824, want 0 to 65535"},
		{"label of held", func(c *call) { c.held = relabel(func(i int) int { return i }) }, "held greys:n=20,seed=5: example 3 has the label 3, want 0 to 2"},
		{"model with fewer classes", func(c *call) { c.n = withOutput(t, stack(t, network.SDAE, 8, 5), 2) }, "there are 3 classes, the model's classifier has 2"},
		{"broken model", func(c *call) { c.n.Layers[0].Bias = nil }, "layers.1.bias is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := call{n: stack(t, network.SDAE, 8, 5), set: good, o: fineTuning()}
			c.change(&args)
			_, _, err := FineTune(context.Background(), settest.Device(t), args.n, args.set, args.held, args.o, FineTuneHooks{}, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// head is the first n examples.
func (l labelled) head(n int) dataset.Set {
	return labelled{&settest.Rows{About: l.About, Data: l.Data[:n*l.About.Size()]}, l.labels[:min(n, len(l.labels))]}
}

func TestFineTuneDiverges(t *testing.T) {
	o := fineTuning()
	o.Rate, o.FinalRate, o.Momentum = 1e38, 0, 0.9
	var k Keep
	_, _, err := FineTune(context.Background(), settest.Device(t), stack(t, network.SDAE, 8, 5), sorted(settest.Greys(20, 8, 5), 3), nil, o, FineTuneHooks{Checkpoint: k.Checkpoint}, nil)
	if !errors.Is(err, engine.ErrNotFinite) || !strings.Contains(err.Error(), "; try ") {
		t.Errorf("error %v", err)
	}
	if len(k.Files) != 0 {
		t.Error("a checkpoint was written")
	}
}

func TestClassifyRefuses(t *testing.T) {
	set := sorted(settest.Greys(20, 8, 5), 3)
	nan := withOutput(t, stack(t, network.SDAE, 8, 5), 3)
	nan.Output.Weight.Data().([]float32)[0] = math.MaxFloat32
	nan.Output.Weight.Data().([]float32)[1] = math.MaxFloat32
	nan.Layers[0].Bias.Data().([]float32)[0] = 100
	nan.Layers[0].Bias.Data().([]float32)[1] = 100
	for name, c := range map[string]struct {
		n    *network.Network
		set  dataset.Set
		want string
	}{
		"no classifier": {stack(t, network.SDAE, 8, 5), set, "the model has no classifier"},
		"size":          {withOutput(t, stack(t, network.SDAE, 9, 5), 3), set, "examples have 8 components, the model's inputs 9"},
		"no labels":     {withOutput(t, stack(t, network.SDAE, 8, 5), 3), set.Rows, "example 0 has no label"},
		"labels":        {withOutput(t, stack(t, network.SDAE, 8, 5), 2), set, "has the label 2, want 0 to 1"},
		"overflow":      {nan, set, engine.ErrNotFinite.Error()},
	} {
		if _, err := Classify(context.Background(), settest.Device(t), c.n, c.set); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// TestSoftmax checks losses, errors and gradients by hand.
func TestSoftmax(t *testing.T) {
	scores := []float32{0, 0, float32(math.Log(3)), 0, -1000, 1000}
	s := softmax(scores, []int32{0, 0, 0}, 2)
	if want := math.Log(2) + math.Log(4.0/3) + 2000; s.Examples != 3 || s.Errors != 1 || math.Abs(s.Loss-want) > 1e-6 {
		t.Errorf("%+v, want 1 error and loss %g", s, want)
	}
	for i, want := range []float64{-0.5, 0.5, -0.25, 0.25, -1, 1} {
		if math.Abs(float64(scores[i])-want) > 1e-7 {
			t.Errorf("gradient %d is %g, want %g", i, scores[i], want)
		}
	}
	if s := softmax([]float32{float32(math.NaN()), 1}, []int32{1}, 2); s.Loss == s.Loss {
		t.Errorf("loss of NaN is %g", s.Loss)
	}
}

func TestBetter(t *testing.T) {
	for _, c := range []struct {
		a, b Score
		want bool
	}{
		{Score{9, 1, 5}, Score{9, 2, 1}, true},
		{Score{9, 2, 1}, Score{9, 1, 5}, false},
		{Score{9, 1, 4}, Score{9, 1, 5}, true},
		{Score{9, 1, 5}, Score{9, 1, 5}, false},
	} {
		if got := c.a.better(c.b); got != c.want {
			t.Errorf("%+v better than %+v: %v", c.a, c.b, got)
		}
	}
}

// TestFineTuneMisfit checks what a checkpoint is not resumed with.
func TestFineTuneMisfit(t *testing.T) {
	set, held, o := sorted(settest.Greys(20, 8, 5), 3), sorted(settest.Greys(9, 8, 6), 3), fineTuning()
	n := stack(t, network.SDAE, 8, 5)
	file := fineTuneFile(t, n, set, held, o)
	for name, c := range map[string]struct {
		change func(o *FineTuneOptions)
		n      *network.Network
		set    dataset.Set
		held   dataset.Set
		want   string
	}{
		"rate":     {func(o *FineTuneOptions) { o.Rate = 0.5 }, n, set, held, `lr "0.5": the checkpoint was made with "0.3"`},
		"noise":    {func(o *FineTuneOptions) { o.Noise = []float64{0.5} }, n, set, held, `noise "0.5,0": the checkpoint was made with "0,0"`},
		"held":     {nil, n, set, nil, `validation "none": the`},
		"examples": {nil, n, set.head(19), held, "data: there are 19 examples, the checkpoint's data had 20"},
		"labels":   {nil, n, sorted(set.Rows, 2), nil, "data: its examples are not those of the checkpoint"},
		"model":    {nil, stack(t, network.SDAE, 8, 6), set, held, `model "`},
	} {
		o := o
		if c.change != nil {
			c.change(&o)
		}
		if err := readFineTune(t, file).Fits(c.n, c.set, c.held, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if err := readFineTune(t, file).Fits(n, set, held, o); err != nil {
		t.Error(err)
	}
}

// fineTuneFile is the second checkpoint of a run.
func fineTuneFile(t testing.TB, n *network.Network, set, held dataset.Set, o FineTuneOptions) []byte {
	t.Helper()
	var k Keep
	if _, _, err := FineTune(context.Background(), settest.Device(t), n, set, held, o, FineTuneHooks{Checkpoint: k.Checkpoint}, nil); err != nil {
		t.Fatal(err)
	}
	return k.Files[1]
}

// TestFineTuneBadCheckpoint spoils one thing of a checkpoint at a time.
func TestFineTuneBadCheckpoint(t *testing.T) {
	set, held, o := sorted(settest.Greys(20, 8, 5), 3), sorted(settest.Greys(9, 8, 6), 3), fineTuning()
	o.Momentum = 0.5
	n := stack(t, network.SDAE, 8, 5)
	file := fineTuneFile(t, n, set, held, o)
	for _, c := range []struct {
		key, value string
		want       string
	}{
		{"format", "x", "not of fine-tuning: format is"},
		{"updates", "-1", "updates is"},
		{"updates", "10", "has done 10 updates, there are 9"},
		{"updates", "3", "has finished 2 epochs after 3 updates"},
		{"judged", "99999999999", "judged is"},
		{"loss", "NaN", "loss is"},
		{"best_epoch", "3", "best_epoch is 3 of 2"},
		{"best_errors", "x", "best_errors is"},
		{"best_examples", "8", "was judged by 8 examples, there are 9"},
		{"option.lr", "7", "lr \"0.3\""},
	} {
		t.Run(fmt.Sprint(c.key, " ", c.value), func(t *testing.T) {
			err := respoil(t, file, c.key, c.value, func(f *safetensors.File) error {
				c, err := ReadFineTuneCheckpoint(f)
				if err != nil {
					return err
				}
				return c.Fits(n, set, held, o)
			})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// respoil writes a safetensors file again with another value in its metadata.
func respoil(t testing.TB, file []byte, key, value string, read func(*safetensors.File) error) error {
	t.Helper()
	f, err := safetensors.Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	metadata := maps.Clone(f.Metadata)
	metadata[key] = value
	var tensors []safetensors.Tensor
	for _, name := range f.Names() {
		tensor, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, tensor)
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	if f, err = safetensors.Read(bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil {
		t.Fatal(err)
	}
	return read(f)
}

// TestFineTuneAllocates counts what an update allocates, apart from the device.
func TestFineTuneAllocates(t *testing.T) {
	set := sorted(settest.Greys(20, 8, 5), 3)
	o := fineTuning()
	o.Batch, o.Noise = 20, []float64{0.2, 0.2}
	tu := startTuner(t, stack(t, network.SDAE, 8, 5), set, nil, o)
	var indices []uint64
	for i := range set.labels {
		indices = append(indices, uint64(i))
	}
	if n := testing.AllocsPerRun(20, func() {
		if err := tu.learn(set.Data, indices); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%g allocations an update", n)
	}
}

func FuzzReadFineTuneCheckpoint(f *testing.F) {
	set, held, o := sorted(settest.Greys(20, 8, 5), 3), sorted(settest.Greys(9, 8, 6), 3), fineTuning()
	n := stack(f, network.SDAE, 8, 5)
	f.Add(fineTuneFile(f, n, set, held, o))
	o.Momentum = 0.5
	f.Add(fineTuneFile(f, n, set, nil, o))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := safetensors.Read(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		c, err := ReadFineTuneCheckpoint(s)
		if err != nil {
			return
		}
		for _, l := range c.layers {
			if !checkpoint.Finite(l.Weight.Data().([]float32)) {
				t.Error("numbers that are not finite")
			}
		}
		// Whatever was read must be refused or resumed from, not crash.
		if c.Fits(n, set, nil, o) == nil {
			if _, _, err := FineTune(context.Background(), settest.Device(t), n, set, nil, o, FineTuneHooks{}, c); err != nil && !errors.Is(err, engine.ErrNotFinite) {
				t.Error(err)
			}
		}
	})
}

func TestCheckTestLabels(t *testing.T) {
	two, three := sorted(settest.Greys(20, 8, 1), 2), sorted(settest.Greys(20, 8, 2), 3)
	if err := CheckTestLabels(three, two); err != nil {
		t.Error(err)
	}
	if err := CheckTestLabels(two, three); err == nil || !strings.Contains(err.Error(), "test greys") {
		t.Errorf("a test with a class that is not learned: %v", err)
	}
	for _, c := range []struct {
		set, test []string
		err       string
	}{
		{[]string{"bird", "cat", "dog"}, []string{"bird", "cat", "dog"}, ""},
		{[]string{"bird", "cat", "dog"}, []string{"bird", "cat"}, ""},
		{[]string{"bird", "cat", "dog"}, nil, ""},
		{nil, []string{"bird", "cat"}, ""},
		{[]string{"bird", "cat", "dog"}, []string{"cat", "dog"}, `label 0 is the class "cat", which is another of greys`},
		{[]string{"bird"}, []string{"bird", "cat"}, `label 1 is the class "cat"`},
	} {
		three.About.Classes, two.About.Classes = c.set, c.test
		err := CheckTestLabels(three, two)
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("classes %v and %v for testing: %v, want %q", c.set, c.test, err, c.err)
		}
	}
}
