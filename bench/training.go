package bench

import (
	"context"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
)

// The number of examples of MNIST, and the share of its pixels that are on.
const epochExamples, inkShare = 60000, 0.13

func trainingRBM(visible, hidden, batch int) func(*kit, Options) (job, error) {
	return func(k *kit, o Options) (job, error) {
		return newTraining(k, o, visible, hidden, batch, engine.ContrastiveDivergence{
			VisibleUnits: visible, HiddenUnits: hidden, GibbsSteps: 1, Batch: batch, Layer: 1, Seed: o.Seed,
		})
	}
}

func trainingDAE(visible, hidden, batch int) func(*kit, Options) (job, error) {
	return func(k *kit, o Options) (job, error) {
		return newTraining(k, o, visible, hidden, batch, engine.Denoise{
			VisibleUnits: visible, HiddenUnits: hidden, Batch: batch, Seed: o.Seed,
			Corruption: engine.Corruption{Kind: engine.CorruptionMask, Level: 0.25},
		})
	}
}

// training makes a number of updates, over examples that are on the device.
type training struct {
	device  engine.Device
	plan    engine.Plan
	runner  engine.TrainingRunner
	visible int
	hidden  int
	batch   int
	updates int
	data    engine.Matrix // [examples, visible]
	keys    []uint64
	state   *engine.TrainingState
	start   []float32 // weights
	loss    float64   // squared error per example of the latest run
}

func newTraining(k *kit, o Options, visible, hidden, batch int, p engine.Plan) (job, error) {
	t := &training{device: k.device, plan: p, visible: visible, hidden: hidden, batch: batch, updates: o.Steps}
	if err := t.load(k, o); err != nil {
		return nil, err
	}
	var err error
	if t.runner, err = engine.CompileTraining(k.device, p); err != nil {
		return nil, err
	}
	k.keep(t.runner)
	t.start = normals(o.Seed, 1, hidden, visible, 0.01)
	if t.state, err = t.newState(k); err != nil {
		return nil, err
	}
	return t, t.checkFirstUpdate(k)
}

// load puts as many examples on the device as the updates take, at most an epoch.
func (t *training) load(k *kit, o Options) error {
	n := min(t.batch*o.Steps, epochExamples)
	if o.Data != nil {
		n = min(n, o.Data.Len())
		if size := o.Data.Info().Size(); size != t.visible {
			return fmt.Errorf("data %s has examples of %d components, want %d", o.Data.Info().Name, size, t.visible)
		}
	}
	if n < t.batch {
		return fmt.Errorf("%d examples, want a batch of %d at least", n, t.batch)
	}
	n -= n % t.batch
	for i := range n {
		t.keys = append(t.keys, engine.ExampleKey(1, int64(i)))
	}
	var err error
	if t.data, err = k.matrix(n, t.visible); err != nil {
		return err
	}
	for from := 0; from < n; from += t.batch {
		part, err := t.data.Slice(from, from+t.batch)
		if err != nil {
			return err
		}
		if err := t.fill(part, from, o); err != nil {
			return err
		}
	}
	return nil
}

// fill writes examples from..from+batch-1.
func (t *training) fill(part engine.Matrix, from int, o Options) error {
	host, indices := make([]float32, t.batch*t.visible), make([]int, t.batch)
	for i := range indices {
		indices[i] = from + i
	}
	if o.Data != nil {
		if err := o.Data.Read(host, indices); err != nil {
			return err
		}
		return part.Write(host)
	}
	for i := range host {
		host[i] = inkShare
	}
	if err := part.Write(host); err != nil {
		return err
	}
	at := engine.Stream{Seed: o.Seed, Purpose: engine.PurposeGlyph, Keys: t.keys[from : from+t.batch]}
	return t.device.Bernoulli(part, part, at)
}

func (t *training) newState(k *kit) (*engine.TrainingState, error) {
	s := &engine.TrainingState{}
	var err error
	for _, p := range []*engine.Parameters{&s.Parameters, &s.Velocity} {
		for _, m := range []struct {
			matrix     *engine.Matrix
			rows, cols int
		}{{&p.Weight, t.hidden, t.visible}, {&p.Bias, 1, t.hidden}, {&p.VisibleBias, 1, t.visible}} {
			if *m.matrix, err = k.matrix(m.rows, m.cols); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func (t *training) reset() error { return t.begin(t.state) }

// begin sets a state to that before the first update.
func (t *training) begin(s *engine.TrainingState) error {
	if err := s.Parameters.Weight.Write(t.start); err != nil {
		return err
	}
	zero := make([]float32, t.hidden*t.visible)
	for _, m := range []engine.Matrix{s.Parameters.Bias, s.Parameters.VisibleBias, s.Velocity.Weight, s.Velocity.Bias, s.Velocity.VisibleBias} {
		if err := m.Write(zero[:m.Rows()*m.Cols()]); err != nil {
			return err
		}
	}
	s.Updates = 0
	return t.device.Sync()
}

// The learning rule, with the momentum that the program trains with.
func (t *training) rule() engine.Update { return engine.Update{Rate: 0.05, Momentum: 0.5} }

func (t *training) run(ctx context.Context) (done, error) {
	var progress engine.TrainingProgress
	for progress.Updates < t.updates {
		if err := ctx.Err(); err != nil {
			return done{}, err
		}
		n := min(len(t.keys), (t.updates-progress.Updates)*t.batch)
		part, err := t.data.Slice(0, n)
		if err != nil {
			return done{}, err
		}
		p, err := t.runner.Run(t.state, part, t.keys[:n], t.rule())
		if err != nil {
			return done{}, err
		}
		progress.Updates += p.Updates
		progress.Examples += p.Examples
		progress.SquaredError += p.SquaredError
	}
	n := float64(progress.Examples)
	t.loss = progress.SquaredError / n
	return done{count: n, flops: n * 10 * float64(t.visible) * float64(t.hidden)}, t.device.Sync()
}

// check has little left to do, see checkFirstUpdate: a reconstruction that is
// worse than one of nothing but 0 or 1 means that training went astray.
func (t *training) check() error {
	if !(t.loss >= 0 && t.loss <= float64(t.visible)) {
		return fmt.Errorf("squared error %g per example", t.loss)
	}
	return nil
}

// checkFirstUpdate compares the first update with that of the definition.
func (t *training) checkFirstUpdate(k *kit) (err error) {
	plain, err := engine.Plain(k.device, t.plan)
	if err != nil {
		return err
	}
	defer closeInto(&err, plain)
	own := &kit{device: k.device}
	defer func() {
		if e := own.close(); err == nil {
			err = e
		}
	}()
	want, err := t.newState(own)
	if err != nil {
		return err
	}
	if err := t.first(plain.(engine.TrainingRunner), want); err != nil {
		return err
	}
	if err := t.first(t.runner, t.state); err != nil {
		return err
	}
	for _, c := range []struct {
		name      string
		got, want engine.Matrix
	}{
		// With zero momentum before it, the velocity is the update.
		{"weights", t.state.Velocity.Weight, want.Velocity.Weight},
		{"biases", t.state.Velocity.Bias, want.Velocity.Bias},
		{"visible biases", t.state.Velocity.VisibleBias, want.Velocity.VisibleBias},
	} {
		if err := sameUpdate(c.got, c.want); err != nil {
			return fmt.Errorf("first update of the %s: %w", c.name, err)
		}
	}
	return nil
}

// first makes one update from the start.
func (t *training) first(r engine.TrainingRunner, s *engine.TrainingState) error {
	if err := t.begin(s); err != nil {
		return err
	}
	part, err := t.data.Slice(0, t.batch)
	if err != nil {
		return err
	}
	_, err = r.Run(s, part, t.keys[:t.batch], t.rule())
	return err
}

// updateTolerance is how far an update may be from the definition's, relative
// to its norm. Sums are rounded in another order, and a hidden state whose
// probability is within a rounding of its random number may come out the other
// way.
const updateTolerance = 1e-3

func sameUpdate(got, want engine.Matrix) error {
	a, b := make([]float32, got.Rows()*got.Cols()), make([]float32, want.Rows()*want.Cols())
	if err := got.Read(a); err != nil {
		return err
	}
	if err := want.Read(b); err != nil {
		return err
	}
	var square, size float64
	for i, x := range b {
		difference := float64(a[i]) - float64(x)
		square += difference * difference
		size += float64(x) * float64(x)
	}
	if !(square <= updateTolerance*updateTolerance*size) {
		return fmt.Errorf("differs from the definition by %.2g of its norm", math.Sqrt(square/size))
	}
	return nil
}

// closeInto closes c and reports its error unless there is one already.
func closeInto(err *error, c interface{ Close() error }) {
	if e := c.Close(); *err == nil {
		*err = e
	}
}
