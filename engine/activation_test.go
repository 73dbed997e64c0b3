package engine_test

import (
	"math"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// activations are all kinds, with parameters that are not the usual ones.
func activations() []engine.Activation {
	all := []engine.Activation{
		{Kind: engine.LeakyReLU, Alpha: 0.2}, {Kind: engine.PReLU, Slopes: []float32{0.25, -0.5}}, {Kind: engine.ELU, Alpha: 1.5},
		{Kind: engine.HardSigmoid, Alpha: 0.2, Beta: 0.5}, {Kind: engine.Clip, Low: -0.5, High: 6},
		{Kind: engine.Clip, Low: 0, High: float32(math.Inf(1))},
	}
	for k := engine.Identity; k <= engine.HardSwish; k++ {
		if k != engine.PReLU {
			all = append(all, engine.UsualActivation(k))
		}
	}
	return all
}

// The slope is the derivative, by central differences, but at kinks.
func TestActivationSlopes(t *testing.T) {
	const step = 1e-5
	for _, a := range activations() {
		for y := -12.0123; y < 12; y += 0.0517 {
			for channel := range 2 {
				below, _ := a.At(y-step, channel)
				above, _ := a.At(y+step, channel)
				_, slope := a.At(y, channel)
				if _, nextTo := a.At(y+2*step, channel); math.Abs(nextTo-slope) > 1e-3 {
					continue // a kink
				}
				if want := (above - below) / (2 * step); math.Abs(slope-want) > 1e-8 {
					t.Errorf("%s at %g: slope %g, differences give %g", a.Kind, y, slope, want)
				}
			}
		}
	}
}

// Values of PyTorch 2, and what is known of the ends.
func TestActivationValues(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		a           engine.Activation
		y, h, slope float64
	}{
		{engine.UsualActivation(engine.Sigmoid), 1, 0.7310585786300049, 0.19661193324148185},
		{engine.UsualActivation(engine.ReLU), 0, 0, 0},
		{engine.UsualActivation(engine.LeakyReLU), -2, -0.02, 0.01},
		{engine.UsualActivation(engine.ELU), -1, -0.6321205588285577, 0.36787944117144233},
		{engine.UsualActivation(engine.GELU), 1, 0.8413447460685429, 1.0833154705876864},
		{engine.UsualActivation(engine.GELUTanh), 1, 0.8411919906082768, 1.0829640838457826},
		{engine.UsualActivation(engine.SiLU), 1, 0.7310585786300049, 0.9276705118714869},
		{engine.UsualActivation(engine.Softplus), 1, 1.3132616875182228, 0.7310585786300049},
		{engine.UsualActivation(engine.HardSwish), 1, 0.6666666666666666, 0.8333333333333333},
		{engine.UsualActivation(engine.HardSigmoid), 1, 0.6666666666666666, 0.16666666666666666},
		{engine.Activation{Kind: engine.Clip, Low: 0, High: 6}, 6, 6, 0},
		{engine.UsualActivation(engine.GELU), -inf, 0, 0},
		{engine.UsualActivation(engine.GELU), inf, inf, 1},
		{engine.UsualActivation(engine.GELUTanh), -inf, 0, 0},
		{engine.UsualActivation(engine.SiLU), -inf, 0, 0},
		{engine.UsualActivation(engine.SiLU), inf, inf, 1},
		{engine.UsualActivation(engine.Softplus), 800, 800, 1},
		{engine.UsualActivation(engine.Softplus), -800, 0, 0},
		{engine.UsualActivation(engine.ELU), -800, -1, 0},
	} {
		h, slope := c.a.At(c.y, 0)
		if !(math.Abs(h-c.h) <= 1e-7 || h == c.h) || !(math.Abs(slope-c.slope) <= 1e-7) {
			t.Errorf("%s at %g: %.17g, slope %.17g, want %.17g, %.17g", c.a.Kind, c.y, h, slope, c.h, c.slope)
		}
	}
	for _, a := range activations() {
		if h, _ := a.At(math.NaN(), 0); h == h {
			t.Errorf("%s of NaN is %g", a.Kind, h)
		}
	}
}

func TestParseActivation(t *testing.T) {
	for k := engine.Identity; k <= engine.Clip; k++ {
		a, err := engine.ParseActivation(k.String())
		if hasName := k != engine.PReLU && k != engine.Clip; hasName != (err == nil) || err == nil && a.Kind != k {
			t.Errorf("%s: %v, %v", k, a, err)
		}
	}
	if _, err := engine.ParseActivation("swish"); err == nil {
		t.Error("swish is no name of ours")
	}
}
