package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// searching is small options for tests.
func searching(kind network.Kind) SearchOptions {
	o := SearchDefaults(kind, engine.Bernoulli)
	o.Trials, o.Layers, o.Units, o.Epochs = 4, Range{1, 2}, Range{5, 12}, Range{1, 3}
	o.Train.Batch = 7
	o.FineTune.Batch, o.FineTune.Epochs = 7, 4
	return o
}

// TestTrials checks that trials are a function of seed and number, stay in
// their ranges, cover them, and that fixing a range leaves the others alone.
func TestTrials(t *testing.T) {
	o := SearchDefaults(network.SDAE, engine.Bernoulli)
	depths := map[int]int{}
	var rates []float64
	for number := 1; number <= 300; number++ {
		trial := o.Trial(number)
		if !reflect.DeepEqual(trial, o.Trial(number)) || trial.Number != number {
			t.Fatalf("trial %d is not a function of its number", number)
		}
		units, rate, noise := trial.Train.Units, trial.Train.Rates[0], trial.Train.Noise[0]
		in := func(x float64, r Range) bool { return x >= r.Low && x <= r.High }
		if !in(float64(len(units)), o.Layers) || !in(float64(units[0]), o.Units) || !in(float64(trial.Train.Epochs[0]), o.Epochs) ||
			!in(rate, o.Rate) || !in(noise, o.Noise) || !in(trial.FineTune.Rate, o.FineTuneRate) {
			t.Errorf("out of range: %+v", trial)
		}
		if math.Abs(trial.FineTune.Rate/trial.FineTune.FinalRate-25) > 0.2 {
			t.Errorf("rates of fine-tuning %g to %g, want a factor of 25", trial.FineTune.Rate, trial.FineTune.FinalRate)
		}
		depths[len(units)]++
		rates = append(rates, rate)
	}
	for depth := 1; depth <= 3; depth++ {
		if depths[depth] < 70 || depths[depth] > 130 {
			t.Errorf("%d of 300 trials have %d layers", depths[depth], depth)
		}
	}
	slices.Sort(rates)
	if median, want := rates[150], math.Sqrt(o.Rate.Low*o.Rate.High); median < want*0.8 || median > want*1.25 {
		t.Errorf("median rate %g, want about the geometric middle %g", median, want)
	}

	fixed := o
	fixed.Units = Range{300, 300}
	a, b := o.Trial(5), fixed.Trial(5)
	if b.Train.Units[0] != 300 || !slices.Equal(a.Train.Rates, b.Train.Rates) || a.Train.Noise[0] != b.Train.Noise[0] || a.FineTune.Rate != b.FineTune.Rate {
		t.Errorf("fixing the units changed more: %+v, %+v", a, b)
	}
	o.Train.Seed = 2
	if c := o.Trial(5); slices.Equal(a.Train.Rates, c.Train.Rates) {
		t.Error("the seed does not matter")
	}
	gaussian := SearchDefaults(network.DBN, engine.Gaussian)
	gaussian.Layers = Range{2, 2}
	if r := gaussian.Trial(1).Train.Rates; r[0] != r[1] {
		t.Errorf("rates %v of a Gaussian layer and one above", r)
	}
}

func TestSignificant(t *testing.T) {
	for x, want := range map[float64]float64{0: 0, 0.033749: 0.0337, 0.1: 0.1, 12.345: 12.3, 98765: 98800, 1: 1} {
		if got := significant(x); got != want {
			t.Errorf("%g becomes %g, want %g", x, got, want)
		}
	}
}

func TestSearchRefuses(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(o *SearchOptions)
	}{
		{"Trials 0", func(o *SearchOptions) { o.Trials = 0 }},
		{"Objective \"x\"", func(o *SearchOptions) { o.Objective = "x" }},
		{"Layers 0:2", func(o *SearchOptions) { o.Layers.Low = 0 }},
		{"Layers 1.5:2: want whole numbers", func(o *SearchOptions) { o.Layers.Low = 1.5 }},
		{"Units 9:8", func(o *SearchOptions) { o.Units = Range{9, 8} }},
		{"Epochs 0:3", func(o *SearchOptions) { o.Epochs.Low = 0 }},
		{"Rate 0:0.1", func(o *SearchOptions) { o.Rate = Range{0, 0.1} }},
		{"Rate NaN:0.1", func(o *SearchOptions) { o.Rate = Range{math.NaN(), 0.1} }},
		{"FineTuneRate -1:1", func(o *SearchOptions) { o.FineTuneRate = Range{-1, 1} }},
		{"Noise 0.5:0.2", func(o *SearchOptions) { o.Noise = Range{0.5, 0.2} }},
		{"Train.Noise 1.2", func(o *SearchOptions) { o.Noise.High = 1.2 }},
		{"Train.Batch 0", func(o *SearchOptions) { o.Train.Batch = 0 }},
		{"FineTune.Patience -1", func(o *SearchOptions) { o.FineTune.Patience = -1 }},
	} {
		o := searching(network.SDAE)
		c.change(&o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	_, err := Search(context.Background(), settest.Device(t), settest.Greys(20, 8, 1), nil, searching(network.DBN), SearchHooks{})
	if err == nil || !strings.HasPrefix(err.Error(), "held: ") {
		t.Errorf("without examples held out: %v", err)
	}
}

// TestSearch runs a search, and again with every trial begun, interrupted or
// done in another way: the results and models must be the same.
func TestSearch(t *testing.T) {
	set, held := sorted(settest.Greys(45, 12, 5), 3), sorted(settest.Greys(20, 12, 6), 3)
	for _, kind := range []network.Kind{network.DBN, network.SDAE} {
		for _, objective := range []Objective{ObjectiveError, ObjectiveReconstruction} {
			t.Run(fmt.Sprint(kind, " ", objective), func(t *testing.T) {
				d, o := settest.Device(t), searching(kind)
				o.Objective = objective
				var whole searchRecord
				results, err := Search(context.Background(), d, set, held, o, whole.hooks(nil))
				if err != nil {
					t.Fatal(err)
				}
				if len(results) != o.Trials || len(whole.models) != o.Trials {
					t.Fatalf("%d results, %d models of %d trials", len(results), len(whole.models), o.Trials)
				}
				for _, r := range results {
					if want := r.Outcome.Held.ErrorRate(); objective == ObjectiveError && r.Objective != want {
						t.Errorf("objective %g, error %g", r.Objective, want)
					}
				}
				var again searchRecord
				resumed, err := Search(context.Background(), d, set, held, o, again.hooks(func(trial Trial) (start TrialStart) {
					switch number := trial.Number; number {
					case 1:
						start.Done = &results[0]
					case 2:
						start.Resume = readBack(t, whole.checkpoints[2][0])
					case 3:
						start.Pretrained = whole.pretrained[2]
						if objective == ObjectiveError {
							start.ResumeFineTune = readFineTune(t, whole.fineTune[3][1])
						}
					}
					return start
				}))
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(resumed, results) {
					t.Errorf("results\n%+v\nwant\n%+v", resumed, results)
				}
				if objective == ObjectiveError && again.epochs[3] != whole.epochs[3]-2 {
					t.Errorf("%d epochs of fine-tuning after a checkpoint that had 2 of %d", again.epochs[3], whole.epochs[3])
				}
				for i, model := range again.models {
					if !bytes.Equal(model, whole.models[i+1]) {
						t.Errorf("model of trial %d is another", i+2)
					}
				}
			})
		}
	}
}

// searchRecord keeps what a search hands out.
type searchRecord struct {
	models      [][]byte
	pretrained  []*network.Network
	checkpoints map[int][][]byte // by trial
	fineTune    map[int][][]byte
	epochs      map[int]int // of fine-tuning
}

func (s *searchRecord) hooks(start func(Trial) TrialStart) SearchHooks {
	s.checkpoints, s.fineTune, s.epochs = map[int][][]byte{}, map[int][][]byte{}, map[int]int{}
	into := func(m map[int][][]byte, number int) func(func(io.Writer) error) error {
		return func(write func(io.Writer) error) error {
			var b bytes.Buffer
			err := write(&b)
			m[number] = append(m[number], b.Bytes())
			return err
		}
	}
	return SearchHooks{
		Start: func(t Trial) (begin TrialStart, err error) {
			if start != nil {
				begin = start(t)
			}
			begin.Hooks.Checkpoint = into(s.checkpoints, t.Number)
			begin.FineTuneHooks.Checkpoint = into(s.fineTune, t.Number)
			begin.FineTuneHooks.Epoch = func(FineTuneEpoch) { s.epochs[t.Number]++ }
			return begin, nil
		},
		Pretrained: func(_ Trial, n *network.Network) error {
			s.pretrained = append(s.pretrained, n)
			return nil
		},
		Finish: func(_ Trial, n *network.Network) error {
			var b bytes.Buffer
			err := n.Write(&b)
			s.models = append(s.models, b.Bytes())
			return err
		},
	}
}

// TestSearchDiverges: a trial whose parameters leave the finite numbers is a
// result, and the search goes on.
func TestSearchDiverges(t *testing.T) {
	set, held := sorted(settest.Greys(45, 12, 5), 3), sorted(settest.Greys(20, 12, 6), 3)
	o := searching(network.SDAE)
	o.Trials, o.Rate = 2, Range{1e38, 1e38}
	finished := 0
	results, err := Search(context.Background(), settest.Device(t), set, held, o, SearchHooks{Finish: func(r Trial, n *network.Network) error {
		finished++
		if n != nil || !r.Diverged() {
			t.Errorf("model %v of %+v", n, r)
		}
		return nil
	}})
	if err != nil || len(results) != 2 || finished != 2 || !results[0].Diverged() {
		t.Errorf("results %+v, %d finished, error %v", results, finished, err)
	}
}

// TestSearchStops: errors of hooks and of ctx end a search.
func TestSearchStops(t *testing.T) {
	set, held := sorted(settest.Greys(45, 12, 5), 3), sorted(settest.Greys(20, 12, 6), 3)
	_, err := Search(context.Background(), settest.Device(t), set, held, searching(network.DBN), SearchHooks{
		Pretrained: func(Trial, *network.Network) error { return errStop },
	})
	if !errors.Is(err, errStop) || !strings.HasPrefix(err.Error(), "trial 1: ") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Search(ctx, settest.Device(t), set, held, searching(network.DBN), SearchHooks{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestReconstruction compares with the stack computed by hand in float64.
func TestReconstruction(t *testing.T) {
	for _, visible := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		n := stack(t, network.SDAE, 8, 6, 5)
		n.Visible = visible
		for i, l := range n.Layers {
			for j := range l.VisibleBias.Data().([]float32) {
				l.VisibleBias.Data().([]float32)[j] = float32(i+j) / 10
			}
		}
		set := settest.Greys(scoreRows+3, 8, 4)
		got, err := Reconstruction(context.Background(), settest.Device(t), n, set)
		if err != nil {
			t.Fatal(err)
		}
		want := 0.0
		for i := range set.Len() {
			x := wide(t, set.Example(i))
			y := slices.Clone(x)
			for _, l := range n.Layers {
				y = affineOf(l.Weight.Data().([]float32), l.Bias.Data().([]float32), y, false, true)
			}
			for k := len(n.Layers) - 1; k >= 0; k-- {
				l := n.Layers[k]
				y = affineOf(l.Weight.Data().([]float32), l.VisibleBias.Data().([]float32), y, true, k > 0 || visible == engine.Bernoulli)
			}
			for j := range x {
				want += (x[j] - y[j]) * (x[j] - y[j])
			}
		}
		want /= float64(set.Len())
		if math.Abs(got-want) > 1e-5*want {
			t.Errorf("%v: %g, want %g", visible, got, want)
		}
		n.Layers[1].VisibleBias = nil
		if _, err := Reconstruction(context.Background(), settest.Device(t), n, set); err == nil || !strings.Contains(err.Error(), "layers.2.visible_bias is missing") {
			t.Errorf("error %v", err)
		}
	}
}

// affineOf is W x + b or W' x + b in float64, through a sigmoid if asked for.
func affineOf(weight, bias []float32, x []float64, transposed, sigmoid bool) (y []float64) {
	for i, b := range bias {
		sum := float64(b)
		for j, v := range x {
			at := i*len(x) + j
			if transposed {
				at = j*len(bias) + i
			}
			sum += float64(weight[at]) * v
		}
		if sigmoid {
			sum = 1 / (1 + math.Exp(-sum))
		}
		y = append(y, sum)
	}
	return y
}
