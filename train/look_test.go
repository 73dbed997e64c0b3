package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// times is a set with all numbers multiplied and then shifted.
func times(r *settest.Rows, factor, shift float32) *settest.Rows {
	made := &settest.Rows{About: r.About, Data: make([]float32, len(r.Data))}
	made.About.Low, made.About.High = factor*r.About.Low+shift, factor*r.About.High+shift
	for i, x := range r.Data {
		made.Data[i] = factor*x + shift
	}
	return made
}

// doubted is a set in which a component, that goes up to high, may be none.
func doubted(r *settest.Rows, high float32, doubt string) *settest.Rows {
	made := *r
	made.About.High, made.About.Doubt = high, doubt
	return &made
}

// shaped is a set with another shape of the same size.
func shaped(r *settest.Rows, shape ...int) *settest.Rows {
	made := *r
	made.About.Shape = shape
	return &made
}

// forLooking is as much of a model as LookAt needs.
func forLooking(kind network.Kind, visible engine.VisibleKind, rho float64, shape ...int) *network.Network {
	return &network.Network{Kind: kind, Visible: visible, Radius: rho, InputShape: shape}
}

// scaling gives a model the preprocessing (x - mean) * scale.
func scaling(t *testing.T, n *network.Network, mean, scale float32) *network.Network {
	t.Helper()
	means, scales := make([]float32, n.Sizes()[0]), make([]float32, n.Sizes()[0])
	for i := range means {
		means[i], scales[i] = mean, scale
	}
	var errM, errS error
	n.Mean, errM = dense.Of(means, len(means))
	n.Scale, errS = dense.Of(scales, len(scales))
	if err := errors.Join(errM, errS); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLookAt(t *testing.T) {
	pictures := settest.Greys(200, 12, 1)
	normal := settest.Normals(200, 12, func(int) float64 { return 0 })
	rho := func(r *settest.Rows) float64 {
		norm, err := dataset.MeanNorm(r, 0)
		if err != nil {
			t.Fatal(err)
		}
		return norm
	}
	own, unit := rho(pictures), rho(normal)
	bernoulli := forLooking(network.DBN, engine.Bernoulli, own, 12)
	gaussian := forLooking(network.SDAE, engine.Gaussian, unit, 12)
	same := &settest.Rows{About: dataset.Info{Name: "same", Shape: []int{12}, High: 1}}
	for range 30 {
		same.Data = append(same.Data, pictures.Example(7)...)
	}
	for _, c := range []struct {
		name          string
		model         *network.Network
		set           *settest.Rows
		warning, fail string
	}{
		{"its own data", bernoulli, pictures, "", ""},
		{"no model", nil, times(pictures, 255, 0), "", ""},
		{"other size", forLooking(network.DBN, engine.Bernoulli, 1, 13), pictures, "", "have 12 components, the model's inputs 13"},
		{"times 255", bernoulli, times(pictures, 255, 0), "", "Bernoulli inputs lie between 0 and 1, those of greys:n=200,seed=1 between 0 and 255; divide them by 255, or bring"},
		{"a column of classes", bernoulli, doubted(pictures, 9, "pd.csv: the class"), "", "between 0 and 9; pd.csv: the class; otherwise bring them"},
		{"below 0", bernoulli, times(pictures, 1, -0.5), "", "between -0.5 and 0.5; bring them"},
		{"divided once more", bernoulli, times(pictures, 1./255, 0), "probably on another scale", ""},
		{"a little paler", bernoulli, times(pictures, 0.6, 0), "", ""},
		{"another picture shape", forLooking(network.DBN, engine.Bernoulli, own, 3, 4), shaped(pictures, 2, 6), "[2 6], the model's inputs [3 4]", ""},
		{"flat", forLooking(network.DBN, engine.Bernoulli, own, 3, 4), pictures, "", ""},
		{"one channel", forLooking(network.DBN, engine.Bernoulli, own, 3, 4), shaped(pictures, 3, 4, 1), "", ""},
		{"zeros", bernoulli, times(pictures, 0, 0), "", "are all 0"},
		{"zeros without a model", nil, times(pictures, 0, 0), "", "are all 0"},
		{"all the same", nil, same, "are all the same", ""},
		{"one example", nil, shaped(&settest.Rows{About: same.About, Data: same.Data[:12]}, 12), "", ""},
		{"a plain network takes anything", forLooking(network.MLP, engine.Bernoulli, 0, 12), times(pictures, 255, 0), "", ""},
		{"a plain network with rho", forLooking(network.MLP, engine.Bernoulli, own, 12), times(pictures, 255, 0), "probably on another scale", ""},
		{"scaled by the model", scaling(t, forLooking(network.DBN, engine.Bernoulli, own, 12), 0, 1./255), times(pictures, 255, 0), "", ""},
		{"scaled twice", scaling(t, forLooking(network.DBN, engine.Bernoulli, own, 12), 0, 1./255), pictures, "after the model's preprocessing have mean norm", ""},
		{"not enough", scaling(t, forLooking(network.DBN, engine.Bernoulli, 0, 12), 0, 1./16), times(pictures, 255, 0), "after the model's preprocessing between", ""},
		{"all the model's mean", scaling(t, forLooking(network.MLP, engine.Bernoulli, 0, 12), 0.5, 1), times(pictures, 0, 0.5), "", "are all 0 after the model's preprocessing"},
		{"normal", gaussian, normal, "", ""},
		{"large for normal", gaussian, times(normal, 4, 0), "have mean norm", ""},
		{"bytes for normal", gaussian, times(normal, 70, 130), "", "are taken to have 0 and 1; bring them"},
		{"its own odd scale", forLooking(network.DBN, engine.Gaussian, 30*unit, 12), times(normal, 30, 0), "", ""},
		{"odd scale, no rho", forLooking(network.DBN, engine.Gaussian, 0, 12), times(normal, 30, 0), "are taken to have 0 and 1", ""},
	} {
		look, err := LookAt(c.model, c.set)
		warning := strings.Join(look.Warnings, "; ")
		if (c.warning == "") != (warning == "") || !strings.Contains(warning, c.warning) {
			t.Errorf("%s: warnings %q, want %q", c.name, warning, c.warning)
		}
		if (c.fail == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.fail) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.fail)
		}
		if err != nil && !errors.Is(err, ErrUnsuitable) {
			t.Errorf("%s: %v is none of ErrUnsuitable", c.name, err)
		}
	}
}

func TestLookNumbers(t *testing.T) {
	// More examples than are looked at together, all far from 0.
	set := times(settest.Normals(2*NormExamples, 100, func(int) float64 { return 0 }), 0.5, 1000)
	look, err := LookAt(nil, set)
	if err != nil {
		t.Fatal(err)
	}
	rho, err := dataset.MeanNorm(set, NormExamples)
	if err != nil || look.Rho != rho || look.Examples != NormExamples {
		t.Errorf("rho %g of %d examples, want %g, error %v", look.Rho, look.Examples, rho, err)
	}
	if math.Abs(look.Mean-1000) > 0.01 || math.Abs(look.Variance-0.25) > 0.005 || look.Low > 999 || look.High < 1001 {
		t.Errorf("mean %g, variance %g, from %g to %g", look.Mean, look.Variance, look.Low, look.High)
	}
	small, err := LookAt(nil, times(set, 0.001, 0))
	if err != nil {
		t.Fatal(err)
	}
	if w := small.Against(look); !strings.Contains(w, "on different scales") {
		t.Errorf("warning %q", w)
	}
	if w := look.Against(look); w != "" {
		t.Errorf("warning %q", w)
	}
}

// A model that does not say rho has it after fine-tuning: that of the data, as the
// model sees them.
// Data are grey where a number lies between 0 and 1, and not where all are states.
func TestLookIsGrey(t *testing.T) {
	states := make([]float32, 500*10)
	for i := range states {
		states[i] = float32(i * 7 % 3 % 2)
	}
	of := func(change func(data []float32)) Look {
		data := slices.Clone(states)
		change(data)
		set := &settest.Rows{About: dataset.Info{Shape: []int{10}, High: 1}, Data: data}
		look, err := LookAt(nil, set)
		if err != nil {
			t.Fatal(err)
		}
		return look
	}
	for name, c := range map[string]struct {
		change func(data []float32)
		want   bool
	}{
		"states":   {func([]float32) {}, false},
		"one grey": {func(data []float32) { data[17] = 0.5 }, true},
		"all grey": {func(data []float32) {
			for i := range data {
				data[i] = 0.25
			}
		}, true},
		"real ones": {func(data []float32) { data[3] = -2 }, false},
	} {
		if got := of(c.change).Grey(); got != c.want {
			t.Errorf("%s: grey is %t", name, got)
		}
	}
}

func TestFineTuneRho(t *testing.T) {
	set := sorted(settest.Greys(60, 12, 5), 3)
	for name, n := range map[string]*network.Network{
		"as they are":   stack(t, network.MLP, 12, 5),
		"preprocessing": scaling(t, stack(t, network.MLP, 12, 5), 0.25, 3),
	} {
		o := fineTuning()
		o.Epochs = 1
		look, err := LookAt(n, set)
		if err != nil {
			t.Fatal(err)
		}
		tuned, _, err := FineTune(context.Background(), settest.Device(t), n, set, nil, o, FineTuneHooks{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n.Radius != 0 || tuned.Radius != look.Rho || look.Rho == 0 {
			t.Errorf("%s: rho %g before and %g after, want 0 and %g", name, n.Radius, tuned.Radius, look.Rho)
		}
	}
}
