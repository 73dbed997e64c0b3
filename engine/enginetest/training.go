package enginetest

import (
	"fmt"
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

// trainer is a plan as the tests below see it.
type trainer struct {
	name  string
	plan  engine.Plan
	batch int
	begin *trainee // before the first update
	data  []float32
	keys  []uint64
	rule  engine.Update
	// update is the reference.
	update func(t *trainee, data [][]float64, keys []uint64, u engine.Update) float64
}

// after returns the reference after all batches, and its squared error.
func (r trainer) after() (*trainee, float64) {
	t, squaredError := r.begin.clone(), 0.0
	for from := 0; from < len(r.keys); from += r.batch {
		to := min(from+r.batch, len(r.keys))
		var rows [][]float64
		for i := from; i < to; i++ {
			rows = append(rows, doubles(r.data[i*t.visible:(i+1)*t.visible]))
		}
		squaredError += r.update(t, rows, r.keys[from:to], r.rule)
	}
	return t, squaredError
}

// newTrainer fills in random data, keys and rule.
func (s *subject) newTrainer(name string, plan engine.Plan, batch, examples int, begin *trainee) trainer {
	r := trainer{name: name, plan: plan, batch: batch, begin: begin}
	r.data = s.uniforms(examples * begin.visible)
	if begin.kind == engine.Gaussian {
		r.data = s.normals(examples*begin.visible, 1)
	}
	for range examples {
		r.keys = append(r.keys, engine.ExampleKey(1, s.random.Int64()))
	}
	r.rule = engine.Update{Rate: 0.01 + 0.1*s.random.Float32(), Momentum: []float32{0, 0.5, 0.9}[s.random.IntN(3)], Decay: []float32{0, 0.01}[s.random.IntN(2)]}
	return r
}

// device's training state for a trainee, inside guards of a scene.
func (c *scene) state(t *trainee) *engine.TrainingState {
	put := func(name string, p parameters) engine.Parameters {
		return engine.Parameters{
			Weight:      c.updated(name+"weight", t.hidden, t.visible, singles(p.w)),
			Bias:        c.updated(name+"bias", 1, t.hidden, singles(p.b)),
			VisibleBias: c.updated(name+"visible bias", 1, t.visible, singles(p.c)),
		}
	}
	state := &engine.TrainingState{Parameters: put("", t.value), Velocity: put("velocity of ", t.velocity), Updates: t.updates}
	if len(t.chains) > 0 {
		state.Chains = c.updated("chains", len(t.chains), t.hidden, singles(slices.Concat(t.chains...)))
	}
	if t.activity != nil {
		state.Activity = c.updated("activity", 1, t.hidden, singles(t.activity))
	}
	if t.center != nil {
		state.Center = c.input("center", 1, t.visible, singles(t.center))
	}
	return state
}

func singles(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// contents returns everything a state holds, by name.
func (s *subject) contents(state *engine.TrainingState) map[string][]float32 {
	all := map[string][]float32{
		"weight": s.read(state.Parameters.Weight), "bias": s.read(state.Parameters.Bias), "visible bias": s.read(state.Parameters.VisibleBias),
		"velocity of weight": s.read(state.Velocity.Weight), "velocity of bias": s.read(state.Velocity.Bias), "velocity of visible bias": s.read(state.Velocity.VisibleBias),
	}
	if state.Chains != nil {
		all["chains"] = s.read(state.Chains)
	}
	if state.Activity != nil {
		all["activity"] = s.read(state.Activity)
	}
	return all
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

// train runs a trainer on the device, in calls of so many examples, and returns
// the state's contents.
func (s *subject) train(r trainer, runner engine.Runner, piece int) (map[string][]float32, engine.TrainingProgress, uint32) {
	s.Helper()
	c := s.scene("%s", r.name)
	state := c.state(r.begin)
	data := c.input("data", len(r.keys), r.begin.visible, r.data)
	var total engine.TrainingProgress
	for from := 0; from < len(r.keys); from += piece {
		to := min(from+piece, len(r.keys))
		view, err := data.Slice(from, to)
		s.must(err)
		p, err := runner.(engine.TrainingRunner).Run(state, view, r.keys[from:to], r.rule)
		s.must(err)
		total.Updates += p.Updates
		total.Examples += p.Examples
		total.SquaredError += p.SquaredError
	}
	contents := s.contents(state)
	c.end()
	return contents, total, state.Updates
}

// checkTrainer checks a trainer against its reference. build makes one with new
// numbers; it is called again while a draw is too close to call.
func (s *subject) checkTrainer(build func() trainer) {
	s.Helper()
	r := build()
	want, squaredError := r.after()
	for try := 0; want.unclear; try++ {
		if try == 100 {
			s.Fatalf("%s: every one of %d random cases has a draw too close to call", r.name, try)
		}
		r = build()
		want, squaredError = r.after()
	}
	s.forEach(r.plan, func(way string, runner engine.Runner) {
		got, progress, updates := s.train(r, runner, len(r.keys))
		where := way + ", " + r.name
		for what, numbers := range want.contents() {
			// Activations are sums of some dozens of terms of about 1, so a
			// statistic is off by a few 1e-7; velocities add up rate times that,
			// which is at most 0.11 (1 + 0.9 + ...) of it for each update.
			s.near("training: "+what, where, got[what], numbers, func(i int) float64 { return 2e-6 * (1 + math.Abs(numbers[i])) })
		}
		// An error of 1e-6 in each reconstructed component.
		components := float64(len(r.data))
		s.near("training: squared error", where, []float32{float32(progress.SquaredError)}, []float64{squaredError}, func(int) float64 {
			return 2*1e-6*math.Sqrt(squaredError*components) + 1e-12*components + half*squaredError
		})
		count := (len(r.keys) + r.batch - 1) / r.batch
		if progress.Updates != count || progress.Examples != int64(len(r.keys)) || updates != r.begin.updates+uint32(count) {
			s.Errorf("%s: progress %+v, state at update %d, want %d updates on %d examples", where, progress, updates, count, len(r.keys))
		}
	})
}

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

func testDivergence(s *subject) {
	for _, kind := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		for _, k := range []int{1, 3} {
			for _, chains := range []int{0, 1, 9} {
				for _, size := range [][4]int{{1, 1, 1, 1}, {7, 7, 23, 13}, {7, 17, 33, 18}} {
					s.checkTrainer(func() trainer {
						return s.divergencePlan(kind, k, chains, size[0], size[1], size[2], size[3])
					})
				}
			}
		}
		for _, size := range larger() {
			for _, chains := range []int{0, size[0] + 3} {
				s.checkTrainer(func() trainer {
					return s.divergencePlan(kind, 1, chains, size[0], size[1], size[2], size[3]).gently()
				})
			}
		}
		s.checkNotFinite(s.divergencePlan(kind, 2, 0, 5, 13, 37, 33))
		s.checkNotFinite(s.divergencePlan(kind, 1, 3, 5, 13, 37, 33))
	}
}

// stabilisers are options of contrastive divergence that change its gradient.
type stabilisers struct {
	sparse, centered bool
	gradientLimit    float32
}

func allStabilisers() []stabilisers {
	return []stabilisers{{sparse: true}, {centered: true}, {gradientLimit: 0.02}, {true, true, 0.05}, {true, true, 1000}}
}

// testStabilised checks contrastive divergence with sparsity, centering and a
// limit, one by one and together.
func testStabilised(s *subject) {
	for _, kind := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		for i, options := range allStabilisers() {
			for _, size := range [][4]int{{1, 1, 1, 1}, {7, 17, 33, 18}} {
				for _, chains := range []int{0, 9} {
					s.checkTrainer(func() trainer {
						return s.stabilised(s.divergencePlan(kind, 1+i%2, chains, size[0], size[1], size[2], size[3]), options)
					})
				}
			}
			size := larger()[i%len(larger())]
			s.checkTrainer(func() trainer {
				return s.stabilised(s.divergencePlan(kind, 1, 0, size[0], size[1], size[2], size[3]), options).gently()
			})
			s.checkNotFinite(s.stabilised(s.divergencePlan(kind, 2, 0, 5, 13, 37, 33), options))
		}
	}
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

func testDenoise(s *subject) {
	for _, kind := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		for _, corruption := range corruptions() {
			for _, size := range [][4]int{{1, 1, 1, 1}, {7, 7, 23, 13}, {7, 17, 33, 18}} {
				s.checkTrainer(func() trainer {
					return s.denoisePlan(kind, corruption, size[0], size[1], size[2], size[3])
				})
			}
		}
		for i, size := range larger() {
			corruption := corruptions()[i%len(corruptions())]
			s.checkTrainer(func() trainer {
				return s.denoisePlan(kind, corruption, size[0], size[1], size[2], size[3]).gently()
			})
		}
		s.checkNotFinite(s.denoisePlan(kind, corruptions()[0], 5, 13, 37, 33))
	}
}

// checkNotFinite checks that NaN shows in the squared error, wherever it comes
// from: that is how training finds out that it has diverged. A velocity that
// nothing is kept of does not matter.
func (s *subject) checkNotFinite(r trainer) {
	s.Helper()
	s.forEach(r.plan, func(way string, runner engine.Runner) {
		where := way + ", " + r.name
		for _, what := range []string{"data", "weight", "bias", "visible bias"} {
			bad := r
			bad.begin, bad.data = r.begin.clone(), slices.Clone(r.data)
			switch what {
			case "data":
				bad.data[s.random.IntN(len(bad.data))] = nan
			case "weight":
				bad.begin.value.w[s.random.IntN(len(bad.begin.value.w))] = math.NaN()
			case "bias":
				bad.begin.value.b[s.random.IntN(len(bad.begin.value.b))] = math.NaN()
			case "visible bias":
				bad.begin.value.c[s.random.IntN(len(bad.begin.value.c))] = math.NaN()
			}
			if _, progress, _ := s.train(bad, runner, len(bad.keys)); !math.IsNaN(progress.SquaredError) {
				s.Errorf("%s: NaN in %s: squared error %g, want NaN", where, what, progress.SquaredError)
			}
		}
		fresh := r
		fresh.begin, fresh.rule = r.begin.clone(), engine.Update{Rate: 0.1}
		for _, v := range [][]float64{fresh.begin.velocity.w, fresh.begin.velocity.b, fresh.begin.velocity.c} {
			for i := range v {
				v[i] = math.NaN()
			}
		}
		for _, decay := range []float32{0, 0.01} {
			fresh.rule.Decay = decay
			contents, _, _ := s.train(fresh, runner, len(fresh.keys))
			for what, numbers := range contents {
				if i := slices.IndexFunc(numbers, func(x float32) bool { return x-x != 0 }); i >= 0 {
					s.Errorf("%s: velocities NaN, momentum 0, decay %g: element %d of %s is %g", where, decay, i, what, numbers[i])
				}
			}
		}
	})
}

// testTrainingCuts checks to the bit that cutting the data into several calls
// of Run, at whole batches, changes nothing.
func testTrainingCuts(s *subject) {
	const batch, examples = 8, 61
	var cases []trainer
	for _, kind := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		for _, chains := range []int{0, 5} {
			cases = append(cases, s.divergencePlan(kind, 2, chains, batch, examples, 70, 50))
			for _, options := range allStabilisers() {
				cases = append(cases, s.stabilised(s.divergencePlan(kind, 2, chains, batch, examples, 70, 50), options))
			}
		}
		for _, corruption := range corruptions() {
			cases = append(cases, s.denoisePlan(kind, corruption, batch, examples, 70, 50))
		}
	}
	for _, r := range cases {
		s.forEach(r.plan, func(way string, runner engine.Runner) {
			whole, _, updates := s.train(r, runner, examples)
			for _, piece := range []int{examples, batch, 3 * batch} {
				cut, _, after := s.train(r, runner, piece)
				for what := range whole {
					s.same(fmt.Sprintf("%s, %s: %s after calls of %d examples", way, r.name, what, piece), cut[what], whole[what])
				}
				if after != updates {
					s.Errorf("%s, %s: %d updates after calls of %d examples, want %d", way, r.name, after, piece, updates)
				}
			}
		})
	}
}

// testTrainingMisuse checks what training refuses.
func testTrainingMisuse(s *subject) {
	for name, test := range map[string]struct {
		change func(*engine.ContrastiveDivergence)
		want   string
	}{
		"sparsity cost":           {func(p *engine.ContrastiveDivergence) { p.Sparsity.Cost = -1 }, "sparsity cost -1"},
		"sparsity cost NaN":       {func(p *engine.ContrastiveDivergence) { p.Sparsity.Cost = nan }, "sparsity cost NaN"},
		"target alone":            {func(p *engine.ContrastiveDivergence) { p.Sparsity.Target = 0.5 }, "without a cost"},
		"target":                  {func(p *engine.ContrastiveDivergence) { p.Sparsity = engine.Sparsity{Target: 1, Cost: 1} }, "sparsity target 1"},
		"gradient limit":          {func(p *engine.ContrastiveDivergence) { p.GradientLimit = -1 }, "gradient limit -1"},
		"infinite gradient limit": {func(p *engine.ContrastiveDivergence) { p.GradientLimit = float32(math.Inf(1)) }, "gradient limit +Inf"},
	} {
		p := engine.ContrastiveDivergence{VisibleUnits: 6, HiddenUnits: 5, GibbsSteps: 1, Batch: 4, Layer: 1}
		test.change(&p)
		_, err := engine.CompileTraining(s.device, p)
		s.refused(name, err, test.want)
	}
	for _, r := range []trainer{
		s.divergencePlan(engine.Bernoulli, 2, 3, 4, 8, 6, 5),
		s.stabilised(s.divergencePlan(engine.Gaussian, 2, 0, 4, 8, 6, 5), stabilisers{true, true, 1}),
		s.denoisePlan(engine.Bernoulli, corruptions()[0], 4, 8, 6, 5),
	} {
		s.forEach(r.plan, func(way string, runner engine.Runner) {
			c := s.scene("%s, %s", way, r.name)
			run := func(change func(*engine.TrainingState), data engine.Matrix, keys int, u engine.Update) error {
				state := c.state(r.begin)
				change(state)
				_, err := runner.(engine.TrainingRunner).Run(state, data, make([]uint64, keys), u)
				return err
			}
			nothing, good := func(*engine.TrainingState) {}, engine.Update{Rate: 0.1}
			s.refused(way+", no data", run(nothing, nil, 4, good), "data", "missing")
			s.refused(way+", too few columns", run(nothing, s.fresh(4, 5), 4, good), "data", "4x5")
			s.refused(way+", too few keys", run(nothing, s.fresh(4, 6), 3, good), "4x6", "3 keys")
			s.refused(way+", rate", run(nothing, s.fresh(4, 6), 4, engine.Update{}), "rate 0")
			s.refused(way+", rate NaN", run(nothing, s.fresh(4, 6), 4, engine.Update{Rate: nan}), "rate NaN")
			s.refused(way+", momentum", run(nothing, s.fresh(4, 6), 4, engine.Update{Rate: 1, Momentum: 1}), "momentum 1")
			s.refused(way+", decay", run(nothing, s.fresh(4, 6), 4, engine.Update{Rate: 1, Decay: -1}), "decay -1")
			s.refused(way+", weight", run(func(t *engine.TrainingState) { t.Parameters.Weight = s.fresh(6, 5) }, s.fresh(4, 6), 4, good), "weight", "6x5", "5x6")
			s.refused(way+", velocity", run(func(t *engine.TrainingState) { t.Velocity.Bias = nil }, s.fresh(4, 6), 4, good), "velocity of bias", "missing")
			s.refused(way+", too many updates", run(func(t *engine.TrainingState) { t.Updates = math.MaxUint32 }, s.fresh(4, 6), 4, good), "update 4294967295")
			if r.begin.chains != nil {
				s.refused(way+", no chains", run(func(t *engine.TrainingState) { t.Chains = nil }, s.fresh(4, 6), 4, good), "chains", "missing")
			}
			if r.begin.center != nil {
				s.refused(way+", no activity", run(func(t *engine.TrainingState) { t.Activity = nil }, s.fresh(4, 6), 4, good), "activity", "missing")
				s.refused(way+", center", run(func(t *engine.TrainingState) { t.Center = s.fresh(1, 5) }, s.fresh(4, 6), 4, good), "center", "1x5", "1x6")
			}
			c.end()
		})
	}
}
