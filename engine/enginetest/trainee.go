package enginetest

import (
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// trainee is a layer in training in float64: the reference of both plans. Rows
// of a batch are slices.
type trainee struct {
	visible, hidden int
	kind            engine.VisibleKind
	value, velocity parameters
	chains          [][]float64
	activity        []float64 // q; nil for layers that have none
	center          []float64 // mu; nil for layers that are not centered
	updates         uint32
	// unclear is set when a state was drawn with a probability so close to its
	// uniform number that float32 may well have drawn the other one.
	unclear bool
}

// parameters are W [hidden, visible], b and c, or their velocities.
type parameters struct{ w, b, c []float64 }

func (p parameters) clone() parameters {
	return parameters{slices.Clone(p.w), slices.Clone(p.b), slices.Clone(p.c)}
}

// newTrainee returns a layer with random parameters and velocities, all exact
// in float32, and random states of chains.
func (s *subject) newTrainee(visible, hidden, chains int, kind engine.VisibleKind) *trainee {
	numbers := func(deviation float64) parameters {
		return parameters{
			doubles(s.normals(hidden*visible, deviation/math.Sqrt(float64(visible)))),
			doubles(s.normals(hidden, deviation)),
			doubles(s.normals(visible, deviation)),
		}
	}
	t := &trainee{visible: visible, hidden: hidden, kind: kind, value: numbers(1), velocity: numbers(0.01), updates: uint32(s.random.IntN(1000))}
	for range chains {
		states := make([]float64, hidden)
		for j := range states {
			states[j] = float64(s.random.IntN(2))
		}
		t.chains = append(t.chains, states)
	}
	return t
}

func (t *trainee) clone() *trainee {
	c := *t
	c.value, c.velocity = t.value.clone(), t.velocity.clone()
	c.activity = slices.Clone(t.activity)
	c.chains = nil
	for _, states := range t.chains {
		c.chains = append(c.chains, slices.Clone(states))
	}
	return &c
}

// up is p(h=1|v).
func (t *trainee) up(v []float64) []float64 {
	h := make([]float64, t.hidden)
	for i := range h {
		h[i] = sigmoid(inner(t.value.w[i*t.visible:(i+1)*t.visible], v) + t.value.b[i])
	}
	return h
}

// down is E[v|h].
func (t *trainee) down(h []float64) []float64 {
	v := slices.Clone(t.value.c)
	for i, state := range h {
		for j := range v {
			v[j] += state * t.value.w[i*t.visible+j]
		}
	}
	if t.kind == engine.Bernoulli {
		for j := range v {
			v[j] = sigmoid(v[j])
		}
	}
	return v
}

// clear distance between a probability and a uniform number: far more than the
// few 1e-7 by which the device's probabilities may be off.
const clearDistance = 2e-5

// states draws states of row i with probabilities p.
func (t *trainee) states(p []float64, at engine.Stream, i int) []float64 {
	x := make([]float64, len(p))
	for j := range p {
		u := float64(at.Uniform(i, j))
		if u < p[j] {
			x[j] = 1
		}
		t.unclear = t.unclear || math.Abs(u-p[j]) < clearDistance
	}
	return x
}

// visibleStates draws from p(v|h) for row i.
func (t *trainee) visibleStates(h []float64, at engine.Stream, i int) []float64 {
	mean := t.down(h)
	if t.kind == engine.Bernoulli {
		return t.states(mean, at, i)
	}
	for j := range mean {
		mean[j] += float64(at.Normal(i, j))
	}
	return mean
}

// learn adds rate times the mean of the gradient's outer products and sums to
// the velocity.
func (t *trainee) learn(rate float64, hidden, visible [][]float64) {
	share := rate / float64(len(hidden))
	for r := range hidden {
		for i, h := range hidden[r] {
			for j, v := range visible[r] {
				t.velocity.w[i*t.visible+j] += share * h * v
			}
			t.velocity.b[i] += share * h
		}
		for j, v := range visible[r] {
			t.velocity.c[j] += share * v
		}
	}
}

// begin applies momentum, end makes the step.
func (t *trainee) begin(u engine.Update) {
	for _, v := range [][]float64{t.velocity.w, t.velocity.b, t.velocity.c} {
		for i := range v {
			v[i] *= float64(u.Momentum)
		}
	}
}

func (t *trainee) end(u engine.Update) {
	for i, w := range t.value.w {
		t.velocity.w[i] -= float64(u.Rate) * float64(u.Decay) * w
	}
	for _, pair := range [][2][]float64{{t.value.w, t.velocity.w}, {t.value.b, t.velocity.b}, {t.value.c, t.velocity.c}} {
		for i, v := range pair[1] {
			pair[0][i] += v
		}
	}
	t.updates++
}

func squaredDistance(x, y []float64) (sum float64) {
	for i := range x {
		sum += (x[i] - y[i]) * (x[i] - y[i])
	}
	return sum
}

// divergence is one update of contrastive divergence on a batch, and returns
// its squared error.
func (t *trainee) divergence(p engine.ContrastiveDivergence, data [][]float64, keys []uint64, u engine.Update) (squaredError float64) {
	var h0, v, h [][]float64
	for i, x := range data {
		h0 = append(h0, t.up(x))
		if p.Chains == 0 {
			vk := t.gibbs(p, h0[i], keys, i)
			v, h = append(v, vk), append(h, t.up(vk))
			squaredError += squaredDistance(vk, x)
		} else {
			squaredError += squaredDistance(t.down(h0[i]), x)
		}
	}
	if p.Chains > 0 {
		v, h = t.persistent(p)
	}
	if p.Tracks() || p.GradientLimit > 0 {
		t.stabilised(p, u, h0, data, h, v)
		return squaredError
	}
	t.begin(u)
	t.learn(float64(u.Rate), h0, data)
	t.learn(-float64(u.Rate), h, v)
	t.end(u)
	return squaredError
}

// gibbs is the chain of CD-k of row i, from h0 to the means vk.
func (t *trainee) gibbs(p engine.ContrastiveDivergence, h0 []float64, keys []uint64, i int) []float64 {
	step := t.updates * uint32(p.GibbsSteps)
	at := engine.Stream{Seed: p.Seed, Keys: keys, Step: step, Purpose: engine.PurposeHidden}
	states := t.states(h0, at, i)
	for k := range p.GibbsSteps - 1 {
		at.Purpose, at.Step = engine.PurposeVisible, step+uint32(k)
		v := t.visibleStates(states, at, i)
		at.Purpose, at.Step = engine.PurposeHidden, step+uint32(k)+1
		states = t.states(t.up(v), at, i)
	}
	return t.down(states)
}

// persistent takes every chain on and returns its vk and hk.
func (t *trainee) persistent(p engine.ContrastiveDivergence) (v, h [][]float64) {
	at := engine.Stream{Seed: p.Seed}
	for chain := range t.chains {
		at.Keys = append(at.Keys, engine.ExampleKey(p.Layer, int64(chain)))
	}
	for chain := range t.chains {
		var vk, hk []float64
		for k := range p.GibbsSteps {
			at.Step = t.updates*uint32(p.GibbsSteps) + uint32(k)
			at.Purpose = engine.PurposeVisible
			vk = t.visibleStates(t.chains[chain], at, chain)
			hk = t.up(vk)
			at.Purpose = engine.PurposeHidden
			t.chains[chain] = t.states(hk, at, chain)
		}
		v, h = append(v, vk), append(h, hk)
	}
	return v, h
}

// denoise is one update of a denoising auto-encoder on a batch.
func (t *trainee) denoise(p engine.Denoise, data [][]float64, keys []uint64, u engine.Update) (squaredError float64) {
	var corruptions, codes, deltas, outputs [][]float64
	at := engine.Stream{Seed: p.Seed, Purpose: engine.PurposeCorruption, Step: t.updates, Keys: keys}
	for i, x := range data {
		corruption := corruptRow(x, p.Corruption, at, i)
		code := t.up(corruption)
		output := t.down(code)
		for j := range output {
			output[j] -= x[j]
		}
		squaredError += inner(output, output)
		delta := make([]float64, t.hidden)
		for k, y := range code {
			delta[k] = inner(t.value.w[k*t.visible:(k+1)*t.visible], output) * y * (1 - y)
		}
		corruptions, codes = append(corruptions, corruption), append(codes, code)
		deltas, outputs = append(deltas, delta), append(outputs, output)
	}
	t.begin(u)
	share := -float64(u.Rate) / float64(len(data))
	for r := range data {
		for k := range t.hidden {
			for j := range t.visible {
				t.velocity.w[k*t.visible+j] += share * (deltas[r][k]*corruptions[r][j] + codes[r][k]*outputs[r][j])
			}
			t.velocity.b[k] += share * deltas[r][k]
		}
		for j, d := range outputs[r] {
			t.velocity.c[j] += share * d
		}
	}
	t.end(u)
	return squaredError
}

// corruptRow is C(x) for row i of a batch.
func corruptRow(x []float64, c engine.Corruption, at engine.Stream, i int) []float64 {
	if c.Kind == engine.CorruptionGaussian {
		noisy := slices.Clone(x)
		for j := range noisy {
			noisy[j] += float64(c.Level) * float64(at.Normal(i, j))
		}
		return noisy
	}
	single := make([]float32, len(x))
	for j, v := range x {
		single[j] = float32(v)
	}
	at.Keys = at.Keys[i : i+1]
	return doubles(corrupted(single, len(x), c, at))
}

func (t *trainee) contents() map[string][]float64 {
	all := map[string][]float64{
		"weight": t.value.w, "bias": t.value.b, "visible bias": t.value.c,
		"velocity of weight": t.velocity.w, "velocity of bias": t.velocity.b, "velocity of visible bias": t.velocity.c,
	}
	if len(t.chains) > 0 {
		all["chains"] = slices.Concat(t.chains...)
	}
	if t.activity != nil {
		all["activity"] = t.activity
	}
	return all
}
