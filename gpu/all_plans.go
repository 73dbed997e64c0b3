//go:build cuda

package gpu

import (
	"errors"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
)

// allGibbs is an engine.Gibbs on all cards.
type allGibbs struct {
	*replicas[engine.GibbsRunner]
}

// Run implements engine.GibbsRunner.
func (r *allGibbs) Run(s *engine.GibbsState, sweeps int) (progress engine.GibbsProgress, err error) {
	if err := r.ready("gibbs"); err != nil {
		return progress, err
	}
	if _, _, _, err := operand.Gibbs[*matrix](r.all.device, s); err != nil {
		return progress, err
	}
	if len(s.Clamp) == 0 || sweeps <= 0 {
		return r.runners[0].Run(s, sweeps)
	}
	chains := make([]int, len(s.Clamp))
	for i := range chains {
		chains[i] = i
	}
	parts := spans(chains, len(r.all.cards))
	done := make([]engine.GibbsProgress, len(parts))
	err = r.run(parts, func(card int, p span) (err error) {
		done[card], err = r.part(*s, card, p, sweeps)
		return err
	})
	progress.Sweeps = done[0].Sweeps
	for _, d := range done {
		progress.ChainSweeps += d.ChainSweeps
	}
	s.Sweeps += uint32(progress.Sweeps)
	if errors.Is(err, engine.ErrNotFinite) {
		err = r.notFinite(s, err)
	}
	return progress, err
}

// notFinite is the error of the first chain whose states are not finite, by its
// number among all: a card counts its own. It is otherwise if there is none.
func (r *allGibbs) notFinite(s *engine.GibbsState, otherwise error) error {
	d, norms := r.all.device, make([]float32, len(s.Clamp))
	m, err := d.New(len(norms), 1)
	if err != nil {
		return otherwise
	}
	defer m.Close()
	for _, states := range []engine.Matrix{s.Hidden, s.Visible} {
		if err := errors.Join(d.Reduce(m, states, engine.Total(engine.RowNorms)), m.Read(norms)); err != nil {
			return otherwise
		}
		for row, norm := range norms {
			if norm-norm != 0 {
				return s.NotFinite(row)
			}
		}
	}
	return otherwise
}

// part is what one card does of a run. Visible states and means are only written.
func (r *allGibbs) part(own engine.GibbsState, card int, p span, sweeps int) (progress engine.GibbsProgress, err error) {
	l := loans{all: r.all, card: card, rows: p}
	own.Clamp, own.Keys = own.Clamp[p.from:p.to], own.Keys[p.from:p.to]
	own.Hidden, own.Visible, own.Means = l.lend(own.Hidden, true), l.lend(own.Visible, false), l.lend(own.Means, false)
	if l.err == nil {
		progress, err = r.runners[card].Run(&own, sweeps)
	}
	if e := l.settle(); err == nil {
		err = e
	}
	return progress, err
}
