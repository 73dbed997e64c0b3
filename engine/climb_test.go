package engine_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
)

// oracle is a device whose networks are one function: so the rule of ascents is tested on
// functions that no network computes.
type oracle struct {
	engine.Device
	inputs int
	value  func(x []float64) (float64, []float64) // and its gradient
}

func (o oracle) Load(engine.Net) (engine.Loaded, error) { return o, nil }

func (o oracle) Forward(engine.Matrix, []engine.Output) error { return nil }

func (o oracle) Gradient(dst, x engine.Matrix, _ engine.Aims, values []float32) error {
	from, to := make([]float32, x.Rows()*o.inputs), make([]float32, x.Rows()*o.inputs)
	if err := x.Read(from); err != nil {
		return err
	}
	for i := range values {
		row := make([]float64, o.inputs)
		for j := range row {
			row[j] = float64(from[i*o.inputs+j])
		}
		a, g := o.value(row)
		values[i] = float32(a)
		for j, v := range g {
			to[i*o.inputs+j] = float32(v)
		}
	}
	return dst.Write(to)
}

func (o oracle) Close() error { return nil }

// climb takes rows from their starts, scaled to the radius, to their ends.
func (o oracle) climb(t *testing.T, r engine.Rule, starts [][]float64) (*engine.AscentState, [][]float64) {
	t.Helper()
	net := engine.Stack([]engine.Layer{{Weight: engine.Host{Rows: 1, Cols: o.inputs, Data: make([]float32, o.inputs)}, Bias: make([]float32, 1)}})
	m, err := engine.Load(o, net)
	if err != nil {
		t.Fatal(err)
	}
	x, err := o.New(len(starts), o.inputs)
	if err != nil {
		t.Fatal(err)
	}
	numbers := make([]float32, 0, len(starts)*o.inputs)
	for _, start := range starts {
		for _, v := range scaledTo(start, float64(r.Radius)) {
			numbers = append(numbers, float32(v))
		}
	}
	if err := x.Write(numbers); err != nil {
		t.Fatal(err)
	}
	s := engine.NewAscentState([]engine.Goal{engine.UnitGoal(1, 0)}, make([]int, len(starts)), x)
	if _, err := m.Ascend(s, r, math.MaxInt); err != nil {
		t.Fatal(err)
	}
	if err := x.Read(numbers); err != nil {
		t.Fatal(err)
	}
	ends := make([][]float64, len(starts))
	for i := range ends {
		for _, v := range numbers[i*o.inputs : (i+1)*o.inputs] {
			ends[i] = append(ends[i], float64(v))
		}
	}
	return s, ends
}

func openOracle(t *testing.T, inputs int, value func(x []float64) (float64, []float64)) oracle {
	t.Helper()
	d, err := cpu.Open(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return oracle{d, inputs, value}
}

func dot(x, y []float64) (sum float64) {
	for j := range x {
		sum += x[j] * y[j]
	}
	return sum
}

func scaledTo(x []float64, length float64) []float64 {
	y, f := make([]float64, len(x)), length/math.Sqrt(dot(x, x))
	for j := range x {
		y[j] = f * x[j]
	}
	return y
}

func random(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for j := range x {
		x[j] = r.NormFloat64()
	}
	return x
}

// form is b.x + x'Qx/2 where Q has these eigenvalues and orthogonal eigenvectors.
type form struct {
	b       []float64
	value   []float64
	vectors [][]float64
}

func randomForm(r *rand.Rand, linear float64, values []float64) form {
	f := form{b: scaledTo(random(r, len(values)), linear), value: values}
	for range values {
		v := random(r, len(values))
		for range 2 {
			for _, u := range f.vectors {
				along := dot(u, v)
				for j := range v {
					v[j] -= along * u[j]
				}
			}
			v = scaledTo(v, 1)
		}
		f.vectors = append(f.vectors, v)
	}
	return f
}

func (f form) at(x []float64) (a float64, g []float64) {
	a, g = dot(f.b, x), append([]float64(nil), f.b...)
	for k, v := range f.vectors {
		along := dot(v, x)
		a += f.value[k] * along * along / 2
		for j := range g {
			g[j] += f.value[k] * along * v[j]
		}
	}
	return a, g
}

// best is the maximum on the sphere: x = (m - Q)^-1 b with m above all eigenvalues and
// ||x|| = radius, which is the secular equation of m.
func (f form) best(radius float64) float64 {
	largest := math.Inf(-1)
	for _, v := range f.value {
		largest = max(largest, v)
	}
	at := func(m float64) []float64 {
		x := make([]float64, len(f.b))
		for k, v := range f.vectors {
			part := dot(v, f.b) / (m - f.value[k])
			for j := range x {
				x[j] += part * v[j]
			}
		}
		return x
	}
	low, high := largest, largest+math.Sqrt(dot(f.b, f.b))/radius
	for range 200 {
		if m := (low + high) / 2; dot(at(m), at(m)) > radius*radius {
			low = m
		} else {
			high = m
		}
	}
	a, _ := f.at(scaledTo(at(high), radius))
	return a
}

// Quadratic forms end at the solution of the secular equation, whether they bend upwards
// or downwards; a few rows may end at the other local maximum that such a form can have.
func TestClimbQuadraticForms(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const inputs, rows, radius = 40, 30, 3.0
	for _, c := range []struct {
		name       string
		low, high  float64 // eigenvalues
		linear     float64
		evaluation int // at most
	}{
		{"up", 0.1, 2, 1, 90}, {"down", -20, -0.1, 3, 120}, {"both", -5, 5, 2, 150}, {"down steeply", -300, 0, 10, 400},
	} {
		values := make([]float64, inputs)
		for k := range values {
			values[k] = c.low + (c.high-c.low)*r.Float64()
		}
		f := randomForm(r, c.linear, values)
		var starts [][]float64
		for range rows {
			starts = append(starts, random(r, inputs))
		}
		rule := engine.Rule{Rate: 1, Radius: radius, Tolerance: 1e-5, Patience: 10, MaxSteps: 1000}
		s, ends := openOracle(t, inputs, f.at).climb(t, rule, starts)
		want, arrived, most := f.best(radius), 0, 0
		for i := range rows {
			a, _ := f.at(ends[i])
			if s.Stop[i] != engine.StopConverged || s.GainLeft[i] >= 1e-5 {
				t.Errorf("%s: row %d: %v with %g left after %d evaluations", c.name, i, s.Stop[i], s.GainLeft[i], s.Evaluations[i])
			}
			if d := (want - a) / math.Abs(want); d < -1e-6 {
				t.Errorf("%s: row %d: %.9g, above the maximum, %.9g", c.name, i, a, want)
			} else if d < 1e-6 {
				arrived++
			}
			most = max(most, s.Evaluations[i])
		}
		t.Logf("%s: %d of %d rows at the maximum, %d evaluations at most", c.name, arrived, rows, most)
		if arrived < rows*2/3 {
			t.Errorf("%s: %d of %d rows arrived at the maximum, %g", c.name, arrived, rows, want)
		}
		if most > c.evaluation {
			t.Errorf("%s: %d evaluations, want %d at most", c.name, most, c.evaluation)
		}
	}
}

// A row that begins where the gradient is normal to the sphere, and is no maximum, finds
// out and climbs on.
func TestClimbLeavesSaddles(t *testing.T) {
	values := []float64{1, 3, 2, 2.5, 1.5}
	f := randomForm(rand.New(rand.NewPCG(5, 6)), 1e-30, values)
	rule := engine.Rule{Rate: 1, Radius: 2, Tolerance: 1e-5, Patience: 10, MaxSteps: 300}
	s, _ := openOracle(t, len(values), f.at).climb(t, rule, [][]float64{f.vectors[0], f.vectors[1]})
	for i, start := range []float64{2, 6} {
		if d := math.Abs(float64(s.StartActivation[i]) - start); d > 1e-5 {
			t.Fatalf("row %d starts %g away from where the gradient is normal", i, d)
		}
		if a := s.Activation[i]; math.Abs(float64(a)-6) > 1e-5 || s.Stop[i] != engine.StopConverged {
			t.Errorf("row %d ended at %g, %v, want 6", i, a, s.Stop[i])
		}
	}
	if s.Evaluations[1] > 2 {
		t.Errorf("the row that began at the maximum took %d evaluations", s.Evaluations[1])
	}
}

// The lower of two linear functions is largest on the ridge where they meet: rows end
// soon, say that they are on a ridge, and the best of them is near its top. Along a ridge
// steps are short, so not all get there.
func TestClimbRidges(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const inputs, rows, radius = 20, 20, 2.0
	u, v := scaledTo(random(r, inputs), 1), scaledTo(random(r, inputs), 1)
	lower := func(x []float64) (float64, []float64) {
		if dot(u, x) < dot(v, x) {
			return dot(u, x), u
		}
		return dot(v, x), v
	}
	middle := make([]float64, inputs)
	for j := range middle {
		middle[j] = u[j] + v[j]
	}
	want, _ := lower(scaledTo(middle, radius))
	var starts [][]float64
	for range rows {
		starts = append(starts, random(r, inputs))
	}
	s, _ := openOracle(t, inputs, lower).climb(t, engine.Rule{Rate: 1, Radius: radius, Tolerance: 1e-5, Patience: 10, MaxSteps: 1000}, starts)
	best, ridges := 0.0, 0
	for i := range rows {
		best = max(best, float64(s.Activation[i]))
		if a := float64(s.Activation[i]); a < 0.9*want || a > want*(1+1e-6) {
			t.Errorf("row %d: %v at %g of %g after %d evaluations", i, s.Stop[i], a, want, s.Evaluations[i])
		}
	}
	for i := range rows {
		if s.Stop[i] == engine.StopRidge && s.Evaluations[i] <= 300 {
			ridges++
		}
	}
	if best < 0.99*want || ridges < rows*3/4 {
		t.Errorf("the best row is at %g of %g, and %d of %d stop soon", best, want, ridges, rows)
	}
}

// Where a function is nearly flat, gradients tell the way no less: rows leave a plateau.
func TestClimbPlateaus(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	const inputs, rows, radius = 20, 20, 1.0
	u, v := scaledTo(random(r, inputs), 1), scaledTo(random(r, inputs), 1)
	step := func(x float64) (h, slope float64) { // a sigmoid that is flat at most places
		h = 1 / (1 + math.Exp(-40*x))
		return h, 40 * h * (1 - h)
	}
	plateau := func(x []float64) (float64, []float64) {
		a, da := step(dot(u, x) - 0.3)
		b, db := step(dot(v, x) - 0.3)
		g := make([]float64, inputs)
		for j := range g {
			g[j] = da*u[j] + 0.5*db*v[j]
		}
		return a + 0.5*b, g
	}
	var starts [][]float64
	for range rows {
		starts = append(starts, random(r, inputs))
	}
	s, _ := openOracle(t, inputs, plateau).climb(t, engine.Rule{Rate: 1, Radius: radius, Tolerance: 1e-5, Patience: 10, MaxSteps: 1000}, starts)
	for i := range rows {
		if a := s.Activation[i]; a < 0.99 || s.Stop[i] == engine.StopSteps {
			t.Errorf("row %d, from %g: %v at %g, tangent %g, after %d evaluations", i, s.StartActivation[i], s.Stop[i], a, s.Tangent[i], s.Evaluations[i])
		}
	}
}

// Each reason to stop, of a row that is allowed few steps: it stands where its numbers say.
func TestClimbStandsWhereItSays(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	const inputs, radius = 30, 2.0
	values := make([]float64, inputs)
	for k := range values {
		values[k] = -50 * r.Float64()
	}
	f := randomForm(r, 5, values)
	starts := [][]float64{random(r, inputs), random(r, inputs)}
	before := math.Inf(-1)
	for steps := range 60 {
		s, ends := openOracle(t, inputs, f.at).climb(t, engine.Rule{Rate: 1, Radius: radius, Tolerance: 1e-5, Patience: 10, MaxSteps: steps}, starts)
		for i := range starts {
			a, _ := f.at(ends[i])
			if math.Abs(a-float64(s.Activation[i])) > 1e-4*(1+math.Abs(a)) {
				t.Errorf("%d steps: row %d is at %g and says %g", steps, i, a, s.Activation[i])
			}
			if s.Stop[i] == engine.StopSteps && s.Evaluations[i] != steps+1 || s.Evaluations[i] > steps+1 {
				t.Errorf("%d steps: row %d took %d evaluations, %v", steps, i, s.Evaluations[i], s.Stop[i])
			}
		}
		if steps > 52 && float64(s.Activation[0]) < before-1e-5*math.Abs(before) {
			t.Errorf("%d steps: %g, after one less %g", steps, s.Activation[0], before)
		}
		before = float64(s.Activation[0])
	}
}
