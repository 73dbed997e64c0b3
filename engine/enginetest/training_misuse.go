package enginetest

import (
	"math"

	"github.com/unitscope/unitscope/engine"
)

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
