package enginetest

import (
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

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
