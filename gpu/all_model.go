//go:build cuda

package gpu

import (
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
)

// allModel is a network on all cards: gradients are computed on all of them, and so
// ascents run on all, values on the first.
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
	if err := m.ready("gradient"); err != nil {
		return err
	}
	for _, o := range []struct {
		name string
		m    engine.Matrix
	}{{"x", x}, {"dst", dst}} {
		if _, err := operand.One[*matrix](m.all.device, "gradient", o.name, o.m); err != nil {
			return err
		}
	}
	rows := make([]int, len(values))
	for i := range rows {
		rows[i] = i
	}
	return m.run(spans(rows, len(m.all.cards)), func(card int, p span) error {
		l, own := loans{all: m.all, card: card, rows: p}, aims
		own.Row = aims.Row[p.from:p.to]
		mine, to := l.lend(x, true), l.lend(dst, false)
		var err error
		if l.err == nil {
			err = m.runners[card].Gradient(to, mine, own, values[p.from:p.to])
		}
		if e := l.settle(); err == nil {
			err = e
		}
		return err
	})
}
