//go:build cuda

package gpu

import (
	"errors"
	"fmt"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/gpu/internal/driver"
)

// replicas is one plan, compiled on every card.
type replicas[R engine.Runner] struct {
	all     *all
	runners []R
	closed  bool
}

func compileReplicas[R engine.Runner](a *all, compile func(engine.Device) (R, error)) (*replicas[R], error) {
	t := &replicas[R]{all: a, runners: make([]R, len(a.cards))}
	made := make([]bool, len(a.cards))
	err := a.each(func(i int) (err error) {
		t.runners[i], err = compile(a.cards[i])
		made[i] = err == nil
		return err
	})
	if err != nil {
		for i, r := range t.runners {
			if made[i] {
				err = errors.Join(err, r.Close())
			}
		}
		return nil, err
	}
	return t, nil
}

// Close implements engine.Runner.
func (t *replicas[R]) Close() (first error) {
	t.closed = true
	for _, r := range t.runners {
		if err := r.Close(); first == nil {
			first = err
		}
	}
	return first
}

// ready returns an error if the plan, or the device, has been closed.
func (t *replicas[R]) ready(operation string) error {
	if err := t.all.open(operation); err != nil {
		return err
	}
	if t.closed {
		return fmt.Errorf("%s: the plan is closed", operation)
	}
	return nil
}

// span is consecutive rows, from..to-1.
type span struct{ from, to int }

// spans cuts rows, given by their numbers in order, into at most so many parts of
// about as many. Of two parts next to each other, rows that are not given may
// belong to either or neither.
func spans(rows []int, parts int) (cut []span) {
	for p := range parts {
		from, to := len(rows)*p/parts, len(rows)*(p+1)/parts
		if from < to {
			cut = append(cut, span{rows[from], rows[to-1] + 1})
		}
	}
	return cut
}

// run has every card run a part of the rows. What was asked of the first card
// before is done by then, and when run returns everything is.
func (t *replicas[R]) run(parts []span, part func(card int, p span) error) error {
	a := t.all
	if err := a.worker.wait(a.synchronize); err != nil {
		return fmt.Errorf("%s: %w", a.cards[0].Name(), err)
	}
	for i, err := range sideBySide(len(parts), func(i int) error { return part(i, parts[i]) }) {
		if err != nil {
			return fmt.Errorf("%s, rows %d to %d: %w", a.cards[i].Name(), parts[i].from, parts[i].to-1, err)
		}
	}
	return nil
}

// loans are rows of matrices on the first card, for another card to work on: they
// are copied there, and back at the end. The first card works on the rows
// themselves. Methods remember the first error.
type loans struct {
	all        *all
	card       int
	rows       span
	home, here []*matrix // on the first card, and on this one
	made       engine.Matrices
	err        error
}

// lend returns the rows of a matrix on the card, nil for none. What they hold comes
// along if it is asked for.
func (l *loans) lend(m engine.Matrix, content bool) engine.Matrix {
	if m == nil || l.err != nil {
		return nil
	}
	view, err := m.Slice(l.rows.from, l.rows.to)
	if err != nil {
		l.err = err
		return nil
	}
	if l.card == 0 {
		return view
	}
	made, err := l.made.New(l.all.cards[l.card], view.Rows(), view.Cols())
	if err != nil {
		l.err = err
		return nil
	}
	home, here := view.(*matrix), made.(*matrix)
	l.home, l.here = append(l.home, home), append(l.here, here)
	if content {
		l.copy(here, l.card, home, 0)
	}
	return here
}

// copy is done in the order of what the card of the loans does.
func (l *loans) copy(to *matrix, toCard int, from *matrix, fromCard int) {
	if to.size() == 0 {
		return
	}
	d, contexts, what := l.all.cards[l.card], l.all.contexts, describe("copy between cards", to, from)
	d.worker.post(&what, func() error {
		return driver.Failed("cuMemcpyPeerAsync", cu.MemcpyPeerAsync(to.at(), contexts[toCard], from.at(), contexts[fromCard], 4*int64(to.size()), d.stream))
	})
}

// settle brings the rows home, waits for them, and gives the card's memory back.
func (l *loans) settle() error {
	if l.err == nil {
		for i := range l.here {
			l.copy(l.home[i], 0, l.here[i], l.card)
		}
	}
	d := l.all.cards[l.card]
	if err := d.worker.wait(d.synchronize); l.err == nil {
		l.err = err
	}
	if err := l.made.Close(); l.err == nil {
		l.err = err
	}
	return l.err
}
