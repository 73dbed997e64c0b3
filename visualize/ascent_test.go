package visualize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// Layer 1: the optimum is rho w/||w||, its activation rho ||w|| + b, from every
// start and in both directions.
func TestFirstLayerHasOneOptimum(t *testing.T) {
	const inputs, units = 37, 5
	n := randomNetwork(t, 1, 3, 1, inputs, units)
	weight, bias := numbers(t, n.Layers[0].Weight), numbers(t, n.Layers[0].Bias)
	for _, direction := range []int{1, -1} {
		o := options(1, 0, 1, 2, 3, 4)
		o.Direction = direction
		r := ascend(t, openDevice(t), n, o)
		for u := range units {
			w := weight[u*inputs : (u+1)*inputs]
			want := float64(direction)*n.Radius*norm(w) + float64(bias[u])
			for k := range o.Restarts {
				i := u*o.Restarts + k
				pattern := numbers(t, r.Patterns)[i*inputs : (i+1)*inputs]
				if d := distance(pattern, scaled(w, float64(direction)*n.Radius)); d > 1e-4 {
					t.Errorf("direction %d, unit %d, restart %d: pattern is %g from the optimum", direction, u, k, d)
				}
				if a := float64(numbers(t, r.Activation)[i]); math.Abs(a-want) > 1e-5*math.Abs(want) {
					t.Errorf("direction %d, unit %d, restart %d: activation %g, want %g", direction, u, k, a, want)
				}
				if tangent, cosine := numbers(t, r.Tangent)[i], numbers(t, r.Cosine)[i]; tangent > 1e-3 || cosine < 0.99999 {
					t.Errorf("direction %d, unit %d, restart %d: tangent %g, cosine %g", direction, u, k, tangent, cosine)
				}
				if r.Stop[i] != engine.StopConverged {
					t.Errorf("direction %d, unit %d, restart %d: stopped because %v", direction, u, k, r.Stop[i])
				}
			}
			if d := distance(numbers(t, r.Average)[u*inputs:(u+1)*inputs], scaled(w, float64(direction)*n.Radius)); d > 1e-4 {
				t.Errorf("unit %d: the average is %g from the optimum", u, d)
			}
			if r.Dead[u] {
				t.Errorf("unit %d is said to be dead", u)
			}
		}
	}
}

// One unit a layer is monotone in w.x: the optimum of layer 1, turned round if
// a weight above is negative.
func TestOneUnitPerLayer(t *testing.T) {
	const inputs = 20
	w := normals(7, 0.3, inputs)
	for _, c := range []struct {
		name         string
		second, last float32
		sign         float64
	}{
		{"rising", 2, 1.5, 1},
		{"falling", 2, -1.5, -1},
		{"turned twice", -2, -1.5, 1},
	} {
		n := stack(4, layer(t, inputs, w, []float32{0.2}), layer(t, 1, []float32{c.second}, []float32{-0.5}), layer(t, 1, []float32{c.last}, []float32{0.1}))
		o := options(3, 0)
		o.Tolerance = 1e-7
		r := ascend(t, openDevice(t), n, o)
		want := scaled(w, c.sign*n.Radius)
		for k := range o.Restarts {
			// The activation is flat to float32 within about 2e-2 of the optimum:
			// a = 2 w.x loses (2e-2)^2/2 of it, and the sigmoids a tenth of that.
			if d := distance(numbers(t, r.Patterns)[k*inputs:(k+1)*inputs], want); d > 3e-2 {
				t.Errorf("%s, restart %d: pattern is %g from the optimum", c.name, k, d)
			}
		}
		best := activation64(t, n, 3, 0, want)
		if got := float64(numbers(t, r.Activation)[r.Best[0]]); math.Abs(got-best) > 1e-5 {
			t.Errorf("%s: activation %g, want %g", c.name, got, best)
		}
	}
}

// Unit i of layer 2 sees one unit of layer 1 only, and these have orthogonal
// weights: its optimum is that unit's, turned round where it is inhibited.
func TestPermutationOfOrthogonalRows(t *testing.T) {
	const units, inputs = 4, 8
	permutation, signs := []int{2, 0, 3, 1}, []float32{1, -1, 1, -1}
	// Rows of a Hadamard matrix.
	rows := make([]float32, units*inputs)
	for i := range units {
		for j := range inputs {
			rows[i*inputs+j] = 0.2
			for bits := i & j; bits > 0; bits &= bits - 1 {
				rows[i*inputs+j] *= -1
			}
		}
	}
	second := make([]float32, units*units)
	for i, p := range permutation {
		second[i*units+p] = 3 * signs[i]
	}
	n := stack(3, layer(t, inputs, rows, make([]float32, units)), layer(t, units, second, make([]float32, units)))
	o := options(2, 3, 0, 1, 2)
	o.Tolerance = 1e-7
	r := ascend(t, openDevice(t), n, o)
	for k, u := range o.Units {
		p := permutation[u]
		want := scaled(rows[p*inputs:(p+1)*inputs], float64(signs[u])*n.Radius)
		if d := distance(numbers(t, r.BestPatterns)[k*inputs:(k+1)*inputs], want); d > 1e-2 {
			t.Errorf("unit %d: pattern is %g from the optimum", u, d)
		}
		a, best := float64(numbers(t, r.Activation)[k*o.Restarts+r.Best[k]]), activation64(t, n, 2, u, want)
		if math.Abs(a-best) > 1e-5 {
			t.Errorf("unit %d: activation %g, want %g", u, a, best)
		}
	}
}

// With a small rate no step loses activation, and every x is on the sphere.
func TestSmallStepsNeverLose(t *testing.T) {
	n := randomNetwork(t, 3, 4, 0.5, 30, 20, 10)
	before := make([]float32, 10*3)
	for steps := range 25 {
		o := options(2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		o.Restarts, o.Rate, o.MaxSteps, o.Tolerance, o.Patience = 3, 0.01, steps, 0, 1000
		r := ascend(t, openDevice(t), n, o)
		for i, a := range numbers(t, r.Activation) {
			// A float32 sum of 20 terms around 1 is good to a few 1e-7.
			if steps != 2 && steps > 0 && a < before[i]-1e-6 { // the second is one back from the first
				t.Errorf("row %d, step %d: activation fell from %g to %g", i, steps, before[i], a)
			}
			before[i] = a
			if d := norm(numbers(t, r.Patterns)[i*30:(i+1)*30])/n.Radius - 1; math.Abs(d) > 1e-6 {
				t.Errorf("row %d, step %d: off the sphere by %g", i, steps, d)
			}
			if r.Evaluations[i] != steps+1 {
				t.Errorf("row %d took %d evaluations, want %d", i, r.Evaluations[i], steps+1)
			}
		}
	}
}

// The first step ends at the gradient of the start, scaled to the sphere, if that is
// higher; central differences in float64 say which that is.
func TestFirstStepFollowsTheGradient(t *testing.T) {
	n := randomNetwork(t, 4, 3, 0.5, 12, 9, 8, 7)
	for layer := 1; layer <= 3; layer++ {
		o := options(layer, 1, 5)
		o.Restarts, o.Rate, o.MaxSteps = 2, 1, 0
		start := ascend(t, openDevice(t), n, o)
		o.MaxSteps = 1
		after := ascend(t, openDevice(t), n, o)
		for i := range 4 {
			g := gradient64(t, n, layer, o.Units[i/2], widened(numbers(t, start.Patterns)[i*12:(i+1)*12]))
			length := 0.0
			for _, v := range g {
				length += v * v
			}
			for j := range g {
				g[j] *= n.Radius / math.Sqrt(length)
			}
			if after.Steps[i] == 0 {
				g = widened(numbers(t, start.Patterns)[i*12 : (i+1)*12])
			}
			if d := distance(numbers(t, after.Patterns)[i*12:(i+1)*12], g); d > 1e-6 {
				t.Errorf("layer %d, row %d: the step is %g off the gradient", layer, i, d)
			}
		}
	}
}

func TestStartsAreTheIdentitysOwn(t *testing.T) {
	n := randomNetwork(t, 5, 1, 0, 11, 6)
	o := options(1, 4, 2)
	o.Restarts, o.Rate, o.MaxSteps, o.Seed = 3, 1, 0, 99
	r := ascend(t, openDevice(t), n, o)
	for i := range 6 {
		at := engine.Stream{Seed: 99, Purpose: engine.PurposeStart, Keys: []uint64{engine.RowKey(1, o.Units[i/3], i%3)}}
		start := make([]float32, 11)
		for j := range start {
			start[j] = at.Uniform(0, j)
		}
		if d := distance(numbers(t, r.Patterns)[i*11:(i+1)*11], scaled(start, n.Radius)); d > 1e-6 {
			t.Errorf("row %d starts %g away from its own start", i, d)
		}
		if r.Steps[i] != 0 || numbers(t, r.Activation)[i] != numbers(t, r.StartActivation)[i] {
			t.Errorf("row %d: %d steps, activation %g, at the start %g", i, r.Steps[i], numbers(t, r.Activation)[i], numbers(t, r.StartActivation)[i])
		}
	}
}

// deadNetwork has in layer 2: unit 0 without weights, unit 1 alive, unit 2
// only weights from saturated units, unit 3 climbs until what it sees saturates.
func deadNetwork(t testing.TB) *network.Network {
	const inputs = 6
	first := normals(11, 0.5, 3*inputs)
	for j := range inputs {
		first[2*inputs+j] *= 100
	}
	return stack(4,
		layer(t, inputs, first, []float32{0, 90, 0}),
		layer(t, 3, []float32{0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 2}, []float32{-1, 0, 0, 0}))
}

func TestDeadUnitsAreNamed(t *testing.T) {
	o := options(2, 0, 1, 2, 3)
	r := ascend(t, openDevice(t), deadNetwork(t), o)
	if want := []bool{true, false, true, false}; !slices.Equal(r.Dead, want) {
		t.Errorf("dead: %v, want %v; stops %v", r.Dead, want, r.Stop)
	}
	for _, i := range []int{0, 2 * o.Restarts} {
		if r.Stop[i] != engine.StopVanished {
			t.Errorf("row %d stopped because %v", i, r.Stop[i])
		}
	}
	// Without one live unit there is no rate to find, and no error either.
	o.Units = []int{0}
	n := stack(1, layer(t, 2, []float32{0, 0}, []float32{3}))
	o.Layer = 1
	if r := ascend(t, openDevice(t), n, o); !r.Dead[0] || numbers(t, r.Activation)[0] != 3 {
		t.Errorf("unit without weights: dead %v, activation %g, want true, 3", r.Dead[0], numbers(t, r.Activation)[0])
	}
}

func TestRowsDoNotDependOnTheirCompany(t *testing.T) {
	n := randomNetwork(t, 6, 4, 0.5, 23, 19, 17)
	all := options(2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
	whole := ascend(t, openDevice(t), n, all)
	for _, c := range []struct {
		name                      string
		units                     []int
		restarts, chunk, maxProcs int
	}{
		{"two units", []int{13, 5}, 9, 0, 0},
		{"one row", []int{3}, 1, 0, 0},
		{"fewer restarts", []int{16, 0, 8}, 4, 0, 0},
		{"one row at a time", []int{2, 9}, 9, 1, 0},
		{"ragged chunks", all.Units, 9, 7, 0},
		{"one thread", all.Units, 9, 0, 1},
		{"three threads", all.Units, 9, 50, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.maxProcs > 0 {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.maxProcs))
			}
			o := all
			o.Units, o.Restarts, o.ChunkRows = c.units, c.restarts, c.chunk
			part := ascend(t, openDevice(t), n, o)
			if part.Rate != whole.Rate {
				t.Errorf("rate %g, among others %g", part.Rate, whole.Rate)
			}
			for i := range len(c.units) * c.restarts {
				j := c.units[i/c.restarts]*all.Restarts + i%c.restarts
				if err := sameRow(t, part, i, whole, j); err != nil {
					t.Fatalf("unit %d, restart %d: %v", c.units[i/c.restarts], i%c.restarts, err)
				}
			}
		})
	}
}

func sameRow(t testing.TB, a *AscentResult, i int, b *AscentResult, j int) error {
	const inputs = 23
	p, q := numbers(t, a.Patterns)[i*inputs:(i+1)*inputs], numbers(t, b.Patterns)[j*inputs:(j+1)*inputs]
	switch {
	case !slices.Equal(p, q):
		return fmt.Errorf("patterns differ")
	case numbers(t, a.Activation)[i] != numbers(t, b.Activation)[j] || numbers(t, a.StartActivation)[i] != numbers(t, b.StartActivation)[j]:
		return fmt.Errorf("activations differ")
	case numbers(t, a.Tangent)[i] != numbers(t, b.Tangent)[j]:
		return fmt.Errorf("tangents differ")
	case a.Steps[i] != b.Steps[j] || a.Stop[i] != b.Stop[j]:
		return fmt.Errorf("steps differ")
	}
	return nil
}

// What is kept changes nothing else, and Best, BestPatterns and Cosine agree
// with the patterns.
func TestBestIsTheHighest(t *testing.T) {
	for _, direction := range []int{1, -1} {
		n := randomNetwork(t, 8, 6, 0.5, 15, 12, 9)
		o := options(2, 8, 1, 4)
		o.Direction = direction
		r := ascend(t, openDevice(t), n, o)
		o.KeepAll = false
		lean := ascend(t, openDevice(t), n, o)
		if lean.Patterns != nil || !slices.Equal(numbers(t, lean.BestPatterns), numbers(t, r.BestPatterns)) ||
			!slices.Equal(numbers(t, lean.Average), numbers(t, r.Average)) || !slices.Equal(numbers(t, lean.Cosine), numbers(t, r.Cosine)) {
			t.Error("the result without all patterns differs")
		}
		for u := range 3 {
			a := numbers(t, r.Activation)[u*9 : (u+1)*9]
			best := r.Best[u]
			for _, other := range a {
				if (other-a[best])*float32(direction) > 0 {
					t.Errorf("direction %d: best %g, another restart %g", direction, a[best], other)
				}
			}
			i := u*9 + best
			if !slices.Equal(numbers(t, r.BestPatterns)[u*15:(u+1)*15], numbers(t, r.Patterns)[i*15:(i+1)*15]) || numbers(t, r.Cosine)[i] != 1 {
				t.Errorf("direction %d, unit %d: the best pattern is not the best restart's", direction, u)
			}
		}
	}
}

func TestAscendRefuses(t *testing.T) {
	n := randomNetwork(t, 1, 1, 0, 4, 3)
	for _, c := range []struct {
		name   string
		change func(o *AscentOptions)
		want   string
	}{
		{"layer 0", func(o *AscentOptions) { o.Layer = 0 }, "ascent: Layer 0: the model has layers 1 to 1"},
		{"layer 2", func(o *AscentOptions) { o.Layer = 2 }, "ascent: Layer 2: the model has layers 1 to 1"},
		{"no units", func(o *AscentOptions) { o.Units = nil }, "Units: there are none"},
		{"unit 3", func(o *AscentOptions) { o.Units = []int{0, 3} }, "ascent: Units 3: layer 1 has 3 units, 0..2"},
		{"unit -1", func(o *AscentOptions) { o.Units = []int{-1} }, "Units -1: layer"},
		{"twice", func(o *AscentOptions) { o.Units = []int{1, 0, 1} }, "Units 1: this unit of layer 1 is asked for twice"},
		{"no restarts", func(o *AscentOptions) { o.Restarts = 0 }, "Restarts 0: want at least 1"},
		{"too many restarts", func(o *AscentOptions) { o.Restarts = math.MaxInt }, "restart"},
		{"negative rate", func(o *AscentOptions) { o.Rate = -1 }, "Rate -1: want"},
		{"Rate NaN: want", func(o *AscentOptions) { o.Rate = math.NaN() }, "Rate NaN: want"},
		{"rate below float32", func(o *AscentOptions) { o.Rate = 1e-300 }, "Rate 1e-300: want"},
		{"direction", func(o *AscentOptions) { o.Direction = 0 }, "Direction 0: want 1 or -1"},
		{"radius", func(o *AscentOptions) { o.Radius = math.Inf(1) }, "Radius +Inf: want"},
		{"tolerance", func(o *AscentOptions) { o.Tolerance = math.NaN() }, "Tolerance NaN: want"},
		{"patience", func(o *AscentOptions) { o.Patience = 0 }, "Patience 0: want at least 1"},
		{"steps", func(o *AscentOptions) { o.MaxSteps = -1 }, "MaxSteps -1: want 0 or more"},
		{"chunks", func(o *AscentOptions) { o.ChunkRows = -1 }, "ChunkRows -1: want at least 1"},
	} {
		o := options(1, 0)
		c.change(&o)
		_, err := Ascend(context.Background(), openDevice(t), n, o, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q in one line", c.name, err, c.want)
		}
	}
	n.Radius = 0
	if _, err := Ascend(context.Background(), openDevice(t), n, options(1, 0), nil); err == nil || !strings.Contains(err.Error(), "Radius: the model does not say it") {
		t.Errorf("without a radius: error %v", err)
	}
	numbers(t, n.Layers[0].Weight)[5] = float32(math.NaN())
	n.Radius = 1
	if _, err := Ascend(context.Background(), openDevice(t), n, options(1, 0), nil); !errors.Is(err, engine.ErrNotFinite) {
		t.Errorf("NaN among the weights: error %v", err)
	}
}

func TestAscendReportsProgressAndStops(t *testing.T) {
	n := randomNetwork(t, 9, 4, 0.5, 15, 12, 9)
	o := options(2, 0, 1, 2, 3)
	o.ChunkRows = 10
	last := 0
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := Ascend(ctx, openDevice(t), n, o, func(done, total int) {
		if done < last || done > total || total != 36 {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
	})
	if err != nil || last != 36 {
		t.Fatalf("%d rows finished, error %v", last, err)
	}
	_, err = Ascend(ctx, openDevice(t), n, o, func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after a cancel: error %v", err)
	}
}

func TestRateIsReportedAsGiven(t *testing.T) {
	o := options(1, 0)
	o.Rate = 0.1
	if got := ascend(t, openDevice(t), randomNetwork(t, 1, 1, 0, 4, 3), o).Rate; got != 0.1 {
		t.Errorf("rate %v, want 0.1", got)
	}
}
