package visualize

import (
	"math"

	"github.com/unitscope/unitscope/engine"
)

// summarise works out the means over the units.
func (a *modesAnalysis) summarise() {
	r := a.result
	s := &r.Summary
	s.Units = len(r.Units)
	var alive []int // places of units
	for u, m := range r.Units {
		if m.Dead {
			s.Dead++
			continue
		}
		alive = append(alive, u)
		s.Stuck += a.Restarts - m.Found
	}
	columns := []func(m UnitModes) float64{
		func(m UnitModes) float64 { return truth(m.Modes == 1) },
		func(m UnitModes) float64 { return m.Modes },
		func(m UnitModes) float64 { return m.MainShare.Value },
		func(m UnitModes) float64 { return m.Effective },
		func(m UnitModes) float64 { return m.RelativeSpread },
		func(m UnitModes) float64 { return m.Unseen.Value },
	}
	b := bootstrap{a.options.Seed, engine.PurposeUnits, engine.RowKey(a.Layer, 0, 0), a.options.Resamples, a.options.Level}
	e := b.estimate(len(alive), len(columns), func(drawn []int, values []float64) {
		for c, column := range columns {
			values[c] = meanKnown(drawn, func(i int) float64 { return column(r.Units[alive[i]]) })
		}
	})
	s.Single, s.Modes, s.MainShare, s.Effective, s.RelativeSpread, s.Unseen = e[0], e[1], e[2], e[3], e[4], e[5]
	for _, t := range a.options.Thresholds {
		r.ByThreshold = append(r.ByThreshold, a.at(t, alive))
	}
}

// at works out the means over the units that are alive for one threshold.
func (a *modesAnalysis) at(threshold float64, alive []int) ModesAt {
	m := ModesAt{Threshold: threshold}
	n := float64(len(alive))
	if n == 0 {
		m.Modes, m.Effective, m.MainShare, m.Single = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	}
	for _, u := range alive {
		found := a.found(u)
		g := a.group(u, found, threshold)
		s := g.statistics()
		m.Modes += s.modes / n
		m.MainShare += float64(g.size[0]) / float64(len(found)) / n
		m.Effective += s.effective / n
		m.Single += truth(len(g.size) == 1) / n
	}
	return m
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// meanKnown is the mean of the numbers of some things that are not NaN, NaN if
// there are none.
func meanKnown(things []int, number func(i int) float64) float64 {
	sum, n := 0.0, 0
	for _, i := range things {
		if v := number(i); !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	return sum / float64(n)
}
