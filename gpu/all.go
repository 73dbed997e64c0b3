//go:build cuda

package gpu

import (
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
// card, operations and training run there: training is a series of updates, each of
// which needs the one before. Networks and Gibbs chains are prepared on every card,
// and each ascent or run cuts their rows into parts, one for each card, which run side by
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

// Compile prepares Gibbs chains on every card, training on the first.
func (a *all) Compile(p engine.Plan) (engine.Runner, error) {
	if err := a.open("compile"); err != nil {
		return nil, err
	}
	switch p := p.(type) {
	case engine.Gibbs:
		t, err := compileReplicas(a, func(d engine.Device) (engine.GibbsRunner, error) { return engine.CompileGibbs(d, p) })
		if err != nil {
			return nil, err
		}
		return &allGibbs{t}, nil
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
