//go:build cuda

package gpu

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/gpu/internal/driver"
)

// allName is the name of all usable cards together.
const allName = "cuda:all"

// all is the usable cards of a machine as one device. Matrices lie on the first
// card, operations and training run there: training is a chain of updates, each of
// which needs the one before. An ascent or Gibbs chains are compiled on every card,
// and each run cuts their rows into parts, one for each card, which run side by
// side. A row's result does not depend on the rows beside it, so it has the bits
// that it has on one card.
//
// Between runs all rows are on the first card. The others copy theirs from there
// and back for each run, by the driver's copies between contexts. Access of cards
// to each other's memory is not asked for: it would slow down every allocation, and
// the time of a copy is small beside that of the steps it is made for.
type all struct {
	*device  // the first card
	cards    []*device
	contexts []cu.CUContext // of each card
}

// openAll opens several cards, by their order.
func openAll(ks []card, o options) (*all, error) {
	a := &all{cards: make([]*device, len(ks)), contexts: make([]cu.CUContext, len(ks))}
	errs := sideBySide(len(ks), func(i int) (err error) {
		if a.cards[i], err = open(ks[i], o); err != nil {
			return err
		}
		return a.cards[i].worker.wait(func() (err error) {
			a.contexts[i], err = cu.CurrentContext()
			return driver.Failed("cuCtxGetCurrent", err)
		})
	})
	for i, err := range errs {
		if err != nil {
			for _, d := range a.cards {
				if d != nil {
					d.Close()
				}
			}
			return nil, fmt.Errorf("%s: %w", ks[i].info.Name, err)
		}
	}
	a.device = a.cards[0]
	return a, nil
}

// sideBySide does something n times at the same time and returns the errors.
func sideBySide(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() { errs[i] = do(i) })
	}
	running.Wait()
	return errs
}

// each does something with every card, side by side. Of several errors it returns
// that of the first card.
func (a *all) each(do func(i int) error) error {
	for i, err := range sideBySide(len(a.cards), do) {
		if err != nil {
			return fmt.Errorf("%s: %w", a.cards[i].Name(), err)
		}
	}
	return nil
}

func (a *all) Name() string { return allName }

// Info describes the cards together.
func (a *all) Info() engine.Info {
	var infos []engine.Info
	for _, d := range a.cards {
		infos = append(infos, d.Info())
	}
	return together(infos)
}

// together describes several cards as one device. Memory, and what is free of it,
// is that of the card with the least: every card holds what is fixed of a plan, and
// the first one all rows of a state.
func together(infos []engine.Info) engine.Info {
	t := engine.Info{Name: allName, Memory: infos[0].Memory, FreeMemory: infos[0].FreeMemory}
	var cards []string
	for _, i := range infos {
		t.Workers += i.Workers
		t.Memory, t.FreeMemory = min(t.Memory, i.Memory), min(t.FreeMemory, i.FreeMemory)
		cards = append(cards, i.Name+" "+i.Description)
		for _, f := range i.Features {
			if !slices.Contains(t.Features, f) {
				t.Features = append(t.Features, f)
			}
		}
	}
	t.Description = fmt.Sprintf("%d cards: %s; ascents and Gibbs chains run on all of them, everything else on %s", len(infos), strings.Join(cards, ", "), infos[0].Name)
	return t
}

// Compile prepares ascents and Gibbs chains on every card, training on the first.
func (a *all) Compile(p engine.Plan) (engine.Runner, error) {
	if err := a.open("compile"); err != nil {
		return nil, err
	}
	switch p := p.(type) {
	case engine.Ascent:
		t, err := compileTeam(a, func(d engine.Device) (engine.AscentRunner, error) { return engine.CompileAscent(d, p) })
		if err != nil {
			return nil, err
		}
		return &allAscent{t, p}, nil
	case engine.Gibbs:
		t, err := compileTeam(a, func(d engine.Device) (engine.GibbsRunner, error) { return engine.CompileGibbs(d, p) })
		if err != nil {
			return nil, err
		}
		return &allGibbs{t, p}, nil
	}
	return a.device.Compile(p)
}

// Sync waits for every card. The errors are forgotten afterwards.
func (a *all) Sync() error {
	if err := a.open("sync"); err != nil {
		return err
	}
	return a.each(func(i int) error { return a.cards[i].Sync() })
}

// Close closes every card.
func (a *all) Close() error {
	var first error
	for _, d := range a.cards {
		if err := d.Close(); first == nil {
			first = err
		}
	}
	return first
}

// team is one plan, compiled on every card.
type team[R engine.Runner] struct {
	all     *all
	runners []R
	closed  bool
}

func compileTeam[R engine.Runner](a *all, compile func(engine.Device) (R, error)) (*team[R], error) {
	t := &team[R]{all: a, runners: make([]R, len(a.cards))}
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
func (t *team[R]) Close() (first error) {
	t.closed = true
	for _, r := range t.runners {
		if err := r.Close(); first == nil {
			first = err
		}
	}
	return first
}

// ready returns an error if the plan, or the device, has been closed.
func (t *team[R]) ready(operation string) error {
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
func (t *team[R]) run(parts []span, part func(card int, p span) error) error {
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
	made, err := l.all.cards[l.card].New(view.Rows(), view.Cols())
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
	for _, m := range l.here {
		if err := m.Close(); l.err == nil {
			l.err = err
		}
	}
	return l.err
}

// allAscent is an engine.Ascent on all cards.
type allAscent struct {
	*team[engine.AscentRunner]
	plan engine.Ascent
}

// Run implements engine.AscentRunner.
func (r *allAscent) Run(s *engine.AscentState, steps int) (progress engine.AscentProgress, err error) {
	if err := r.ready("ascent"); err != nil {
		return progress, err
	}
	if err := engine.CheckAscentState(r.plan, s); err != nil {
		return progress, err
	}
	if _, err := engine.TakeOne[*matrix](r.all.device, "ascent", "x", s.X); err != nil {
		return progress, err
	}
	var running []int
	for i, stop := range s.Stop {
		if stop == engine.Running {
			running = append(running, i)
		}
	}
	parts := spans(running, len(r.all.cards))
	done := make([]engine.AscentProgress, len(parts))
	err = r.run(parts, func(card int, p span) (err error) {
		done[card], err = r.part(s, card, p, steps)
		return err
	})
	for _, d := range done {
		progress.Active += d.Active
		progress.RowSteps += d.RowSteps
	}
	return progress, err
}

// part is what one card does of a run. The slices of its state are those of the
// whole one.
func (r *allAscent) part(s *engine.AscentState, card int, p span, steps int) (progress engine.AscentProgress, err error) {
	l := loans{all: r.all, card: card, rows: p}
	own := engine.AscentState{
		X:     l.lend(s.X, true),
		Units: s.Units[p.from:p.to], Activation: s.Activation[p.from:p.to], StartActivation: s.StartActivation[p.from:p.to],
		Gradient: s.Gradient[p.from:p.to], Tangent: s.Tangent[p.from:p.to], Steps: s.Steps[p.from:p.to],
		Rate: s.Rate[p.from:p.to], Slow: s.Slow[p.from:p.to], Stop: s.Stop[p.from:p.to],
	}
	if s.Curves != nil {
		own.Curves = s.Curves[p.from:p.to]
	}
	if l.err == nil {
		progress, err = r.runners[card].Run(&own, steps)
	}
	if e := l.settle(); err == nil {
		err = e
	}
	return progress, err
}

// allGibbs is an engine.Gibbs on all cards.
type allGibbs struct {
	*team[engine.GibbsRunner]
	plan engine.Gibbs
}

// Run implements engine.GibbsRunner.
func (r *allGibbs) Run(s *engine.GibbsState, sweeps int) (progress engine.GibbsProgress, err error) {
	if err := r.ready("gibbs"); err != nil {
		return progress, err
	}
	if err := engine.CheckGibbsState(r.plan, s, sweeps); err != nil {
		return progress, err
	}
	if _, _, _, err := engine.TakeGibbs[*matrix](r.all.device, s); err != nil {
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
