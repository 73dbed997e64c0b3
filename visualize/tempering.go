package visualize

import (
	"math"
	"runtime"
	"sync"

	"github.com/unitscope/unitscope/engine"
)

const (
	// exchangeSweeps is how many sweeps there are from one exchange to the next. An
	// exchange costs about as much as a sweep, most of it on the host.
	exchangeSweeps = 2
	// rungShift is where a replica's rung stands in the identity of its random numbers.
	// So rung 0 has those of a plain chain.
	rungShift = 24
)

// climbers are chains, each with a replica on every rung of a ladder. After every
// exchangeSweeps sweeps neighbours change places by the rule of Metropolis: replicas a
// and b, on rungs with p and q, with the chance p(h_b) q(h_a) / (p(h_a) q(h_b)), if that
// is below 1. Only hidden states change places, since a sweep draws the visible ones
// anew. Even pairs of neighbours and odd ones take turns (Syed et al., "Non-reversible
// parallel tempering", 2022), so that replicas go on in a direction.
//
// Draws belong to (seed, layer, unit, chain, rung, sweep).
type climbers struct {
	*ladder
	own    engine.Matrices
	states []*engine.GibbsState // [rungs]
	reach  engine.Matrix        // [chains, visible] h W
	sides  [2]neighbour
	last   [][]end     // [rungs][chains] which end of the ladder the replica was at last
	odds   [][]float64 // [rungs-1][chains] sums of chances to change places with the rung above
	trips  []int       // [chains] of replicas, to the base and back to the model
	counts [2]int      // exchanges of the even pairs and of the odd ones
}

// neighbour is one of two, on the host.
type neighbour struct{ hidden, reach []float32 }

// end is an end of a ladder.
type end uint8

const (
	noEnd end = iota
	modelEnd
	baseEnd
)

// newClimbers are chains at random starts. keys are their identities.
func newClimbers(l *ladder, clamp []int, keys []uint64) (c *climbers, err error) {
	c = &climbers{ladder: l, trips: make([]int, len(keys))}
	for k := range l.rungs {
		own := make([]uint64, len(keys))
		for i, key := range keys {
			own[i] = key + uint64(k)<<rungShift
		}
		state, err := engine.NewGibbsState(l.device, l.model, clamp, own)
		if err != nil {
			closeInto(&err, c)
			return nil, err
		}
		c.states, c.last = append(c.states, state), append(c.last, make([]end, len(keys)))
	}
	if len(l.rungs) == 1 {
		return c, nil
	}
	if c.reach, err = c.own.New(l.device, len(keys), l.weight.Cols()); err != nil {
		closeInto(&err, c)
		return nil, err
	}
	for i := range c.sides {
		c.sides[i] = neighbour{make([]float32, len(keys)*l.weight.Rows()), make([]float32, len(keys)*l.weight.Cols())}
	}
	c.odds = make([][]float64, len(l.rungs)-1)
	c.forget()
	return c, nil
}

// Close gives the device's memory back.
func (c *climbers) Close() (err error) {
	for _, s := range c.states {
		closeInto(&err, s)
	}
	closeInto(&err, &c.own)
	return err
}

// forget begins to count exchanges and trips anew.
func (c *climbers) forget() {
	for k := range c.odds {
		c.odds[k] = make([]float64, len(c.trips))
	}
	clear(c.trips)
	c.counts = [2]int{}
}

// Run makes so many sweeps with every replica, and the exchanges that are due.
func (c *climbers) Run(sweeps int) (progress engine.GibbsProgress, err error) {
	for progress.Sweeps < sweeps {
		now := sweeps
		if len(c.rungs) > 1 {
			now = min(sweeps-progress.Sweeps, exchangeSweeps-int(c.states[0].Sweeps%exchangeSweeps))
		}
		for k, rung := range c.rungs {
			done, err := rung.Run(c.states[k], now)
			if err != nil {
				return progress, err
			}
			progress.ChainSweeps += done.ChainSweeps
		}
		progress.Sweeps += now
		if len(c.rungs) > 1 && c.states[0].Sweeps%exchangeSweeps == 0 {
			if err := c.exchange(); err != nil {
				return progress, err
			}
		}
	}
	return progress, nil
}

// exchange has every other pair of neighbours try to change places.
func (c *climbers) exchange() error {
	parity := int(c.states[0].Sweeps/exchangeSweeps) % 2
	for k := parity; k+1 < len(c.rungs); k += 2 {
		for i := range c.sides {
			if err := c.read(&c.sides[i], c.states[k+i]); err != nil {
				return err
			}
		}
		c.meet(k)
		for i, s := range c.sides {
			if err := c.states[k+i].Hidden.Write(s.hidden); err != nil {
				return err
			}
		}
	}
	c.counts[parity]++
	c.arrive()
	return nil
}

// read takes hidden states, and what they reach by the weights, to the host.
func (c *climbers) read(s *neighbour, state *engine.GibbsState) error {
	if err := c.device.Gemm(c.reach, state.Hidden, c.weight, engine.Multiply(false, false)); err != nil {
		return err
	}
	if err := c.reach.Read(s.reach); err != nil {
		return err
	}
	return state.Hidden.Read(s.hidden)
}

// meet exchanges the states of sides, which are rungs k and k+1, in the rows that the
// rule lets.
func (c *climbers) meet(k int) {
	p, q := &c.weigh[k], &c.weigh[k+1]
	at := engine.Stream{Seed: c.model.Seed, Purpose: engine.PurposeExchange, Step: c.states[0].Sweeps, Keys: c.states[k].Keys}
	hidden, visible := c.weight.Rows(), c.weight.Cols()
	rowsInParallel(len(c.trips), func(i int) {
		a, b := c.sides[0].hidden[i*hidden:(i+1)*hidden], c.sides[1].hidden[i*hidden:(i+1)*hidden]
		x, y := c.sides[0].reach[i*visible:(i+1)*visible], c.sides[1].reach[i*visible:(i+1)*visible]
		gain := p.logarithm(b, y) - p.logarithm(a, x) + q.logarithm(a, x) - q.logarithm(b, y)
		chance := min(1, math.Exp(gain))
		if !(chance >= 0) {
			return // NaN; the plan says which states are not finite
		}
		c.odds[k][i] += chance
		if float64(at.Uniform(i, 0)) < chance {
			for j, h := range a {
				a[j], b[j] = b[j], h
			}
			c.last[k][i], c.last[k+1][i] = c.last[k+1][i], c.last[k][i]
		}
	})
}

// arrive notes which replicas are at the ends of the ladder.
func (c *climbers) arrive() {
	model, base := c.last[0], c.last[len(c.last)-1]
	for i := range c.trips {
		if model[i] == baseEnd {
			c.trips[i]++
		}
		model[i], base[i] = modelEnd, baseEnd
	}
}

// acceptance is the mean chance that the replicas of chains from..to-1 on rungs k and
// k+1 change places; NaN if they have not had the occasion.
func (c *climbers) acceptance(k, from, to int) float64 {
	sum := 0.0
	for _, odds := range c.odds[k][from:to] {
		sum += odds
	}
	if n := c.counts[k%2] * (to - from); n > 0 {
		return sum / float64(n)
	}
	return math.NaN()
}

// climb is what the replicas of one chain have done.
type climb struct {
	odds  []float64 // [rungs-1] mean chance to change places with the rung above
	trips int
}

func (c *climbers) climb(row int) climb {
	found := climb{trips: c.trips[row]}
	for k := range c.odds {
		found.odds = append(found.odds, c.acceptance(k, row, row+1))
	}
	return found
}

// tempering sums up the chains of a unit: the acceptance of the neighbours between which
// it is the least, NaN if any had no occasion, and trips for each chain.
func tempering(chains []climb) (acceptance, trips float64) {
	for _, c := range chains {
		trips += float64(c.trips)
	}
	for k := range chains[0].odds {
		sum := 0.0
		for _, c := range chains {
			sum += c.odds[k] / float64(len(chains))
		}
		if k == 0 || sum < acceptance || math.IsNaN(sum) {
			acceptance = sum
		}
	}
	return acceptance, trips / float64(len(chains))
}

// rowsInParallel does something with each of n rows, which must not depend on the
// others, on all processors.
func rowsInParallel(n int, do func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := n * w / workers; i < n*(w+1)/workers; i++ {
				do(i)
			}
		})
	}
	wait.Wait()
}
