//go:build cuda

package gpu

import (
	"errors"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
)

// allModel is a network on all cards: ascents run on all of them, what takes one pass
// on the first.
type allModel struct{ *replicas[engine.Loaded] }

// Load puts a network on every card.
func (a *all) Load(n engine.Net) (engine.Loaded, error) {
	if err := a.open("load"); err != nil {
		return nil, err
	}
	r, err := compileReplicas(a, func(d engine.Device) (engine.Loaded, error) { return d.Load(n) })
	if err != nil {
		return nil, err
	}
	return allModel{r}, nil
}

// Forward implements engine.Loaded.
func (m allModel) Forward(x engine.Matrix, outputs []engine.Output) error {
	return m.runners[0].Forward(x, outputs)
}

// Gradient implements engine.Loaded.
func (m allModel) Gradient(dst, x engine.Matrix, aims engine.Aims, values []float32) error {
	return m.runners[0].Gradient(dst, x, aims, values)
}

// Ascend implements engine.Loaded.
func (m allModel) Ascend(s *engine.AscentState, aims engine.Aims, r engine.Rule, steps int) (progress engine.AscentProgress, err error) {
	if err := m.ready("ascent"); err != nil {
		return progress, err
	}
	if _, err := operand.One[*matrix](m.all.device, "ascent", "x", s.X); err != nil {
		return progress, err
	}
	var running []int
	for i, stop := range s.Stop {
		if stop == engine.Running {
			running = append(running, i)
		}
	}
	parts := spans(running, len(m.all.cards))
	done := make([]engine.AscentProgress, len(parts))
	err = m.run(parts, func(card int, p span) (err error) {
		done[card], err = m.part(s, aims, r, card, p, steps)
		return err
	})
	for _, d := range done {
		progress.Active += d.Active
		progress.RowSteps += d.RowSteps
	}
	return progress, err
}

// part is what one card does of an ascent. The slices of its state are those of the
// whole one.
func (m allModel) part(s *engine.AscentState, aims engine.Aims, r engine.Rule, card int, p span, steps int) (progress engine.AscentProgress, err error) {
	l := loans{all: m.all, card: card, rows: p}
	own := engine.AscentState{
		X: l.lend(s.X, true), Goals: s.Goals, Climbs: s.Climbs[p.from:p.to],
		Activation: s.Activation[p.from:p.to], StartActivation: s.StartActivation[p.from:p.to],
		Gradient: s.Gradient[p.from:p.to], Tangent: s.Tangent[p.from:p.to], Steps: s.Steps[p.from:p.to],
		Rate: s.Rate[p.from:p.to], Slow: s.Slow[p.from:p.to], Stop: s.Stop[p.from:p.to],
	}
	if s.Curves != nil {
		own.Curves = s.Curves[p.from:p.to]
	}
	aims.Row = aims.Row[p.from:p.to]
	if l.err == nil {
		progress, err = m.runners[card].Ascend(&own, aims, r, steps)
	}
	var row *engine.RowError
	if errors.As(err, &row) {
		row.Row += p.from
	}
	if e := l.settle(); err == nil {
		err = e
	}
	return progress, err
}
