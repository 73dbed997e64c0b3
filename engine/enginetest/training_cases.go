package enginetest

import (
	"fmt"

	"github.com/unitscope/unitscope/engine"
)

// divergencePlan is a random case of contrastive divergence.
func (s *subject) divergencePlan(kind engine.VisibleKind, gibbsSteps, chains, batch, examples, visible, hidden int) trainer {
	p := engine.ContrastiveDivergence{VisibleUnits: visible, HiddenUnits: hidden, Visible: kind, GibbsSteps: gibbsSteps, Chains: chains, Batch: batch, Layer: 2, Seed: s.random.Uint64()}
	r := s.newTrainer(fmt.Sprintf("%+v", p), p, batch, examples, s.newTrainee(visible, hidden, chains, kind))
	r.update = func(t *trainee, data [][]float64, keys []uint64, u engine.Update) float64 {
		return t.divergence(p, data, keys, u)
	}
	return r
}

// stabilised gives a case of contrastive divergence options that change its
// gradient.
func (s *subject) stabilised(r trainer, options stabilisers) trainer {
	p := r.plan.(engine.ContrastiveDivergence)
	p.Centered, p.GradientLimit = options.centered, options.gradientLimit
	if options.sparse {
		p.Sparsity = engine.Sparsity{Target: 0.05 + 0.2*s.random.Float32(), Cost: 0.1 + s.random.Float32()}
	}
	r.plan, r.name = p, fmt.Sprintf("%+v", p)
	t := r.begin
	if p.Tracks() {
		t.activity = doubles(s.uniforms(t.hidden))
	}
	if p.Centered {
		t.center = doubles(s.uniforms(t.visible))
	}
	r.update = func(t *trainee, data [][]float64, keys []uint64, u engine.Update) float64 {
		return t.divergence(p, data, keys, u)
	}
	return r
}

// denoisePlan is a random case of a denoising auto-encoder.
func (s *subject) denoisePlan(kind engine.VisibleKind, corruption engine.Corruption, batch, examples, visible, hidden int) trainer {
	p := engine.Denoise{VisibleUnits: visible, HiddenUnits: hidden, Visible: kind, Corruption: corruption, Batch: batch, Seed: s.random.Uint64()}
	r := s.newTrainer(fmt.Sprintf("%+v", p), p, batch, examples, s.newTrainee(visible, hidden, 0, kind))
	r.update = func(t *trainee, data [][]float64, keys []uint64, u engine.Update) float64 {
		return t.denoise(p, data, keys, u)
	}
	return r
}

// stabilisers are options of contrastive divergence that change its gradient.
type stabilisers struct {
	sparse, centered bool
	gradientLimit    float32
}

func allStabilisers() []stabilisers {
	return []stabilisers{{sparse: true}, {centered: true}, {gradientLimit: 0.02}, {true, true, 0.05}, {true, true, 1000}}
}

// gently lowers the learning rate to one with which a layer of many units does
// not diverge: roundings would grow with it.
func (r trainer) gently() trainer {
	r.rule.Rate /= float32(r.begin.hidden)
	return r
}

// larger returns batch, examples, visible and hidden units of layers that take
// several tiles, or one and a bit, of the devices' products: widths of tiles are
// multiples of 4, 6, 14, 16 or 32. The last batch is smaller than the others.
func larger() [][4]int {
	sizes := [][4]int{{15, 31, 33, 49}, {28, 57, 48, 31}, {33, 70, 97, 65}}
	return append(sizes, pick([][4]int{{29, 45, 250, 130}, {7, 8, 61, 260}, {300, 301, 17, 29}}, nil)...)
}

func corruptions() []engine.Corruption {
	return []engine.Corruption{
		{Kind: engine.CorruptionMask, Level: 0.25},
		{Kind: engine.CorruptionSaltPepper, Level: 0.4, Low: -0.5, High: 1.5},
		{Kind: engine.CorruptionGaussian, Level: 0.3},
		{Kind: engine.CorruptionMask, Level: 0},
	}
}
