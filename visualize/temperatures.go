package visualize

import (
	"context"
	"math"

	"github.com/unitscope/unitscope/engine"
)

const (
	// AutoTemperatures has [Sample] choose how many temperatures there are.
	AutoTemperatures = -1
	// maxTemperatures limits them; the identity of a replica has room for a few more.
	maxTemperatures = 64
	// firstTrial is the first chain of those that temperatures are chosen by. Chains that
	// samples are taken from are below it, so that the two know nothing of each other.
	firstTrial = 1 << (rungShift - 1)
)

// What temperatures are chosen by: short runs of a few chains with no unit held, so that
// the choice, and with it a unit's samples, do not depend on which units are asked for.
const (
	baseChains  = 32 // for the means of the base
	baseSweeps  = 100
	trialChains = 8 // for the acceptance of exchanges
	trialSweeps = 60
	trialRounds = 4 // each with the temperatures that the one before it says
	firstRungs  = 16
)

// barrier says how often exchanges are refused along a path.
type barrier struct {
	betas  []float64 // from 1 to 0
	height []float64 // [betas] expected refusals from 1 to there
}

// newBarrier is made from inverse temperatures, and the chance of a refusal between
// each and the next.
func newBarrier(betas, refused []float64) barrier {
	b := barrier{betas: betas, height: make([]float64, len(betas))}
	for k, r := range refused {
		b.height[k+1] = b.height[k] + r
	}
	return b
}

func (b barrier) total() float64 { return b.height[len(b.height)-1] }

// count is how many temperatures are best: with so many, every other exchange of
// neighbours is accepted, and replicas that go on in a direction make the most trips for
// what they cost (Syed et al., 2022).
func (b barrier) count() int {
	return int(max(2, min(maxTemperatures, math.Ceil(1+2*b.total()))))
}

// place returns n inverse temperatures between which exchanges are refused equally often.
// They are float32 numbers.
func (b barrier) place(n int) []float64 {
	betas := make([]float64, n)
	betas[0] = 1
	k := 0
	for i := 1; i < n-1; i++ {
		height := b.total() * float64(i) / float64(n-1)
		for k+2 < len(b.height) && b.height[k+1] < height {
			k++
		}
		share := (height - b.height[k]) / (b.height[k+1] - b.height[k])
		betas[i] = float64(float32(b.betas[k] + share*(b.betas[k+1]-b.betas[k])))
	}
	return betas
}

// chooseLadder returns the path from a model and inverse temperatures on it: n, or as
// many as are best for [AutoTemperatures].
func chooseLadder(ctx context.Context, d engine.Device, model engine.Gibbs, o SampleOptions) (temperingPath, []float64, error) {
	p := temperingPath{model: model}
	if !o.tempered() {
		return p, []float64{1}, nil
	}
	trial := trials{ctx: ctx, device: d, free: engine.RowKey(o.Layer, model.Layer.Weight.Rows, firstTrial)}
	var err error
	if p.visibleBias, p.hiddenBias, err = trial.base(p); err != nil {
		return p, nil, err
	}
	found := newBarrier([]float64{1, 0}, []float64{1})
	n := firstRungs
	for range trialRounds {
		betas := found.place(n)
		refused, err := trial.refusals(p, betas)
		if err != nil {
			return p, nil, err
		}
		found = newBarrier(betas, refused)
		if n = found.count(); n > 3*len(betas)/2 {
			n = min(maxTemperatures, 2*len(betas)) // where most are refused there may be more to come
		}
	}
	if n = o.Temperatures; n == AutoTemperatures {
		n = found.count()
	}
	return p, found.place(n), nil
}

// trials are short runs of chains with no unit held.
type trials struct {
	ctx    context.Context
	device engine.Device
	free   uint64 // identity of the first chain
}

func (t trials) chains(n int) (clamp []int, keys []uint64) {
	for i := range n {
		clamp, keys = append(clamp, -1), append(keys, t.free+uint64(i))
	}
	return clamp, keys
}

// base returns the biases of units that know nothing of each other and have about the
// means that they have in the model.
func (t trials) base(p temperingPath) (visible, hidden []float32, err error) {
	l, err := newLadder(t.device, p, []float64{1})
	if err != nil {
		return nil, nil, err
	}
	defer closeInto(&err, l)
	clamp, keys := t.chains(baseChains)
	c, err := newClimbers(l, clamp, keys)
	if err != nil {
		return nil, nil, err
	}
	defer closeInto(&err, c)
	v, h := newMeans(c.states[0].Visible), newMeans(c.states[0].Hidden)
	const moments = 10
	for i := range 2 * moments {
		if err := t.ctx.Err(); err != nil {
			return nil, nil, err
		}
		if _, err := c.Run(baseSweeps / (2 * moments)); err != nil {
			return nil, nil, err
		}
		if i < moments {
			continue
		}
		if err := v.add(); err != nil {
			return nil, nil, err
		}
		if err := h.add(); err != nil {
			return nil, nil, err
		}
	}
	return v.biases(p.model.Visible), h.biases(engine.Bernoulli), nil
}

// refusals are the chances that neighbours at these inverse temperatures do not change
// places, each at least a little above 0.
func (t trials) refusals(p temperingPath, betas []float64) (refused []float64, err error) {
	l, err := newLadder(t.device, p, betas)
	if err != nil {
		return nil, err
	}
	defer closeInto(&err, l)
	clamp, keys := t.chains(trialChains)
	c, err := newClimbers(l, clamp, keys)
	if err != nil {
		return nil, err
	}
	defer closeInto(&err, c)
	const least = 1e-3
	for sweep := range trialSweeps / exchangeSweeps {
		if err := t.ctx.Err(); err != nil {
			return nil, err
		}
		if sweep == trialSweeps/exchangeSweeps/3 {
			c.forget()
		}
		if _, err := c.Run(exchangeSweeps); err != nil {
			return nil, err
		}
	}
	for k := range len(betas) - 1 {
		refused = append(refused, max(least, 1-c.acceptance(k, 0, trialChains)))
	}
	return refused, nil
}

// means adds up the states of units over chains and moments.
type means struct {
	states engine.Matrix
	host   []float32
	sum    []float64
	n      int
}

func newMeans(states engine.Matrix) *means {
	return &means{states: states, host: make([]float32, states.Rows()*states.Cols()), sum: make([]float64, states.Cols())}
}

func (m *means) add() error {
	if err := m.states.Read(m.host); err != nil {
		return err
	}
	for i, x := range m.host {
		m.sum[i%len(m.sum)] += float64(x)
	}
	m.n += m.states.Rows()
	return nil
}

// biases are those with which units without weights have these means; the means of
// Bernoulli units are moved a little towards 1/2, so that each can be on and off.
func (m *means) biases(kind engine.VisibleKind) []float32 {
	const smoothing = 0.05
	biases := make([]float32, len(m.sum))
	for j, sum := range m.sum {
		mean := sum / float64(m.n)
		if kind == engine.Bernoulli {
			p := (mean + smoothing) / (1 + 2*smoothing)
			mean = math.Log(p / (1 - p))
		}
		biases[j] = float32(mean)
	}
	return biases
}
