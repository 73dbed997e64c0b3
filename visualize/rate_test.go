package visualize

import (
	"math"
	"testing"

	"github.com/unitscope/unitscope/network"
)

// The rate found must reach, over all units and restarts, nearly what the best
// of a fine grid of fixed rates reaches.
func TestFoundRateIsNearTheBest(t *testing.T) {
	for _, c := range []struct {
		name      string
		network   *network.Network
		layer     int
		direction int
		share     float64 // of the best gain
	}{
		{"first layer", randomNetwork(t, 1, 1, 0, 50, 20), 1, 1, 0.98},
		{"single input", randomNetwork(t, 1, 1, 0, 1, 3, 2), 2, 1, 0.98},
		{"tiny weights", randomNetwork(t, 2, 0.01, 0, 50, 40, 30), 2, 1, 0.98},
		{"usual weights", randomNetwork(t, 3, 2, 0.5, 50, 40, 30), 2, 1, 0.98},
		{"deep", randomNetwork(t, 4, 4, 0.5, 50, 40, 30, 20), 3, 1, 0.98},
		{"deep, minimised", randomNetwork(t, 4, 4, 0.5, 50, 40, 30, 20), 3, -1, 0.98},
		// In these two each row ends at one of many optima, another one at
		// every rate, and a few rows say less about all of them.
		{"large weights", randomNetwork(t, 5, 10, 1, 50, 40, 30, 20), 3, 1, 0.95},
		{"saturated", randomNetwork(t, 6, 30, 2, 50, 40, 30, 20), 3, 1, 0.9},
		{"low biases", lowBiases(t), 3, 1, 0.98},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := openDevice(t)
			sizes := c.network.Sizes()
			o := options(c.layer)
			for u := range sizes[c.layer] {
				o.Units = append(o.Units, u)
			}
			o.Restarts, o.MaxSteps, o.Direction = 3, 300, c.direction
			found := ascend(t, d, c.network, o)
			reached := gains(t, found)
			best, bestRate := math.Inf(-1), 0.0
			for e := -4; e <= 6; e++ {
				o.Rate = found.Rate * math.Ldexp(1, e)
				if g := gains(t, ascend(t, d, c.network, o)); g > best {
					best, bestRate = g, o.Rate
				}
			}
			t.Logf("rate %g gains %g; the grid's best, %g, gains %g: %.4f", found.Rate, reached, bestRate, best, reached/best)
			if reached < c.share*best {
				t.Errorf("rate %g gains %g, rate %g gains %g", found.Rate, reached, bestRate, best)
			}
		})
	}
}

// lowBiases is like a sparse trained network: most hidden units are off.
func lowBiases(t testing.TB) *network.Network {
	n := randomNetwork(t, 12, 6, 0.5, 50, 40, 30, 20)
	for _, l := range n.Layers {
		for i := range numbers(t, l.Bias) {
			numbers(t, l.Bias)[i] -= 4
		}
	}
	return n
}

func gains(t testing.TB, r *AscentResult) float64 {
	sum := 0.0
	start := numbers(t, r.StartActivation)
	for i, a := range numbers(t, r.Activation) {
		sum += float64(r.Direction) * (float64(a) - float64(start[i]))
	}
	return sum / float64(len(start))
}

// The rate is the layer's, whatever else is asked for.
func TestFoundRateIsTheLayers(t *testing.T) {
	d, n := openDevice(t), randomNetwork(t, 3, 2, 0.5, 50, 40, 30)
	want := ascend(t, d, n, options(2, 0)).Rate
	for name, change := range map[string]func(*AscentOptions){
		"units":     func(o *AscentOptions) { o.Units = []int{7, 29} },
		"restarts":  func(o *AscentOptions) { o.Restarts = 1 },
		"tolerance": func(o *AscentOptions) { o.Tolerance = 0.1 },
		"patience":  func(o *AscentOptions) { o.Patience = 1 },
		"steps":     func(o *AscentOptions) { o.MaxSteps = 3 },
		"chunks":    func(o *AscentOptions) { o.ChunkRows = 3 },
	} {
		o := options(2, 0)
		change(&o)
		if got := ascend(t, d, n, o).Rate; got != want {
			t.Errorf("other %s: rate %g, want %g", name, got, want)
		}
	}
}

func TestPick(t *testing.T) {
	for _, c := range []struct {
		name  string
		tried map[int]probe
		want  int
	}{
		{"the highest", map[int]probe{
			-2: {gain: []float64{1, 100}}, 0: {gain: []float64{2, 100}}, 2: {gain: []float64{1, 1000}}, 4: {gain: []float64{2, 999}},
		}, 4},
		{"not the fastest", map[int]probe{0: {gain: []float64{2, 100}, steps: 50}, 2: {gain: []float64{1.8, 100}, steps: 10}}, 0},
		{"of equals, the one that arrives", map[int]probe{
			0: {gain: []float64{1.99, 99}, tangent: 0.2}, 1: {gain: []float64{2, 100}, tangent: 0.9}, 2: {gain: []float64{2, 99}, tangent: 0.5},
		}, 0},
		{"of equals that arrive, a fast one", map[int]probe{
			0: {gain: []float64{2, 100}, steps: 900}, 1: {gain: []float64{2, 100}, steps: 130}, 2: {gain: []float64{2, 100}, steps: 100},
		}, 1},
		{"nothing gained", map[int]probe{3: {gain: []float64{0, -1}, steps: 5}, 4: {gain: []float64{0, 0}, steps: 5}}, 3},
	} {
		s := search{rows: rows{n: 2}, tried: c.tried}
		if got := s.pick(); got != c.want {
			t.Errorf("%s: picked exponent %d, want %d", c.name, got, c.want)
		}
	}
	if got := score([]float64{1, 5}, []float64{2, 0}); got != 0.25 {
		t.Errorf("score %g, want 0.25: a unit that no rate moves counts nothing", got)
	}
}
