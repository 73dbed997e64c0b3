package report

import (
	"strings"
	"testing"

	"github.com/unitscope/unitscope/visualize"
)

// climbed is an ascent of so many units, whose restart k climbs from 0 to k+1
// along the curve t/(t+1).
func climbed(t testing.TB, units, restarts int) *visualize.AscentResult {
	t.Helper()
	steps := []int{0, 1, 2, 5, 10, 100, 1000}
	r := &visualize.AscentResult{Layer: 2, Restarts: restarts, Curves: &visualize.Curves{Restarts: restarts, Steps: steps}}
	var data []float32
	for u := range units {
		r.Units, r.Best = append(r.Units, 3*u), append(r.Best, restarts-1)
		for k := range restarts {
			r.Steps = append(r.Steps, 60+k)
			for _, s := range steps {
				data = append(data, float32(k+1)*float32(s)/float32(s+1))
			}
		}
	}
	r.Curves.Units, r.Curves.Activation = r.Units, array(t, data, units, restarts, len(steps))
	return r
}

func TestAscentCurves(t *testing.T) {
	for _, c := range []struct {
		name            string
		units, restarts int
		want            []string
	}{
		// All have stopped by step 100, so nothing is drawn after it.
		{"panels", 3, 4, []string{"unit 6", ">best restart</text>", ">other restarts</text>", "SDAE layer 2: activation of 4 restarts while they climb, of each unit", "unit 0: activation against 1 + steps. other restarts: 6 points from 0 to 0.9901"}},
		{"one restart", 1, 1, []string{"best restart: 6 points from 0 to 0.9901", ">SDAE layer 2, unit 0: activation of 1 restart while they climb</text>"}},
		{"hundreds of restarts", 2, 300, []string{"activation of the first 50 of 300 restarts"}},
		{"summary", 17, 3, []string{"SDAE layer 2: gain of 51 restarts of 17 units", ">50 %</text>", "5 %: 6 points from 0 to 1,"}},
	} {
		f, err := AscentCurves("SDAE layer 2", climbed(t, c.units, c.restarts))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		keep(t, "curves-"+strings.ReplaceAll(c.name, " ", "-"), f)
		text := svgOf(t, f)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: there is no %q", c.name, want)
			}
		}
		if n := strings.Count(text, "<path"); n > 10000 {
			t.Errorf("%s: %d lines", c.name, n)
		}
	}
	flat := climbed(t, 17, 3)
	clear(flat.Curves.Activation.Float32s())
	if f, err := AscentCurves("SDAE layer 2", flat); f != nil || err != nil {
		t.Errorf("no gain: %v, %v", f, err)
	}
	short := climbed(t, 2, 3)
	short.Steps = short.Steps[:5]
	for want, r := range map[string]*visualize.AscentResult{"recorded none": {}, "2 units with 3 restarts, 5 steps": short} {
		if _, err := AscentCurves("SDAE layer 2", r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestCurvesWithoutGain has restarts that end where they began, but for a rounding,
// and strayed on their way: shares of such a gain would be thousands.
func TestCurvesWithoutGain(t *testing.T) {
	r := climbed(t, 17, 3)
	curves := r.Curves.Activation.Float32s()
	for u := range 17 {
		for k, a := range []float32{0.7, 0.6998, 0.6999, 0.7, 0.7, 0.7000001, 0.7000001} {
			curves[u*3*7+k] = a
		}
	}
	f, err := AscentCurves("SDAE layer 2", r)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "curves-without-gain", f)
	text := svgOf(t, f)
	for _, want := range []string{"SDAE layer 2: gain of 34 of 51 restarts of 17 units", "5 %: 6 points from 0 to 1, lowest 0, highest 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in %.3000s", want, text)
		}
	}
}

func TestQuantile(t *testing.T) {
	numbers := []float64{4, 1, 3, 2}
	for q, want := range map[float64]float64{0: 1, 1: 4, 0.5: 2.5, 0.25: 1.75} {
		if got := quantile(numbers, q); got != want {
			t.Errorf("quantile %g is %g, want %g", q, got, want)
		}
	}
	if got := quantile([]float64{7}, 0.3); got != 7 {
		t.Errorf("of one number: %g", got)
	}
}
