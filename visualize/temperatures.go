package visualize

import (
	"context"
	"errors"
	"math"
	"slices"

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

// run has n chains climb a ladder, as many at a time as the device has memory for; do is
// given chains from, from+1, ... at their starts, and may begin anew with them.
func (t trials) run(l *ladder, n int, do func(c *climbers, from int) error) error {
	w := l.model.Layer.Weight
	bytes := int64(4 * len(l.betas) * 2 * (w.Rows + w.Cols))
	return inChunks(t.device, n, n, bytes, func(from, to int) (err error) {
		var clamp []int
		var keys []uint64
		for i := from; i < to; i++ {
			clamp, keys = append(clamp, -1), append(keys, t.free+uint64(i))
		}
		c, err := newClimbers(l, clamp, keys)
		if err != nil {
			return err
		}
		defer closeInto(&err, c)
		return do(c, from)
	})
}

// base returns the biases of units that know nothing of each other and have about the
// means that they have in the model.
func (t trials) base(p temperingPath) (visible, hidden []float32, err error) {
	l, err := newLadder(t.device, p, []float64{1})
	if err != nil {
		return nil, nil, err
	}
	defer closeInto(&err, l)
	const moments = 10
	v, h := newMeans(p.model.Layer.Weight.Cols), newMeans(p.model.Layer.Weight.Rows)
	err = t.run(l, baseChains, func(c *climbers, from int) error {
		v.begin(from)
		h.begin(from)
		for i := range 2 * moments {
			if err := t.ctx.Err(); err != nil {
				return err
			}
			if _, err := c.Run(baseSweeps / (2 * moments)); err != nil {
				return err
			}
			if i < moments {
				continue
			}
			if err := errors.Join(v.add(c.states[0].Visible, from), h.add(c.states[0].Hidden, from)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return v.biases(p.model.Visible, moments), h.biases(engine.Bernoulli, moments), nil
}

// refusals are the chances that neighbours at these inverse temperatures do not change
// places, each at least a little above 0.
func (t trials) refusals(p temperingPath, betas []float64) (refused []float64, err error) {
	l, err := newLadder(t.device, p, betas)
	if err != nil {
		return nil, err
	}
	defer closeInto(&err, l)
	const (
		least     = 1e-3
		exchanges = trialSweeps / exchangeSweeps
	)
	climbs := make([]climb, trialChains)
	err = t.run(l, trialChains, func(c *climbers, from int) error {
		for i := range exchanges {
			if err := t.ctx.Err(); err != nil {
				return err
			}
			if i == exchanges/3 {
				c.forget()
			}
			if _, err := c.Run(exchangeSweeps); err != nil {
				return err
			}
		}
		for i := range c.trips {
			climbs[from+i] = c.climb(i)
		}
		return nil
	})
	for k := range len(betas) - 1 {
		accepted := 0.0
		for _, c := range climbs {
			if err == nil {
				accepted += c.odds[k] / trialChains
			}
		}
		refused = append(refused, max(least, 1-accepted))
	}
	return refused, err
}

// means adds up the states of units over moments, for each chain by itself, so that their
// sum does not depend on which chains ran side by side.
type means struct {
	units int
	sum   []float64 // [chains, units]
	host  []float32
}

func newMeans(units int) *means { return &means{units: units} }

// begin forgets what chains from a number on have added.
func (m *means) begin(from int) { m.sum = m.sum[:from*m.units] }

func (m *means) add(states engine.Matrix, from int) error {
	n := states.Rows() * m.units
	m.host = slices.Grow(m.host[:0], n)[:n]
	if err := states.Read(m.host); err != nil {
		return err
	}
	if missing := from*m.units + n - len(m.sum); missing > 0 {
		m.sum = append(m.sum, make([]float64, missing)...)
	}
	for i, x := range m.host {
		m.sum[from*m.units+i] += float64(x)
	}
	return nil
}

// biases are those with which units without weights have these means, of so many moments;
// the means of Bernoulli units are moved a little towards 1/2, so that each can be on and
// off.
func (m *means) biases(kind engine.VisibleKind, moments int) []float32 {
	const smoothing = 0.05
	biases := make([]float32, m.units)
	for j := range biases {
		mean := 0.0
		for i := j; i < len(m.sum); i += m.units {
			mean += m.sum[i]
		}
		mean /= float64(len(m.sum) / m.units * moments)
		if kind == engine.Bernoulli {
			p := (mean + smoothing) / (1 + 2*smoothing)
			mean = math.Log(p / (1 - p))
		}
		biases[j] = float32(mean)
	}
	return biases
}
