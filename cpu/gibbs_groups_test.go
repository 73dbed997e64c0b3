package cpu

import (
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// TestGibbsGroups checks that groups cover all chains, fit the cache where
// there is a choice, and give every worker as many as the others.
func TestGibbsGroups(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 16} {
		d, err := Open(Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		r, err := newGibbs(d.(*device), engine.Gibbs{
			Layer:       engine.Layer{Weight: engine.Host{Rows: 80, Cols: 100, Data: make([]float32, 8000)}, Bias: make([]float32, 80)},
			VisibleBias: make([]float32, 100),
		})
		if err != nil {
			t.Fatal(err)
		}
		rows := d.(*device).set.Rows
		for _, chains := range []int{0, 1, rows, rows + 1, 100, 4096} {
			g := r.group(chains)
			if g.total*rows < chains || (g.total-1)*rows >= max(1, chains) {
				t.Errorf("%d chains: %d strips of %d", chains, g.total, rows)
			}
			if g.count%workers != 0 && g.count != g.total {
				t.Errorf("%d chains, %d workers: %d groups", chains, workers, g.count)
			}
			for i := range g.count {
				if n := g.from(i+1) - g.from(i); n < 1 || n > groupStrips {
					t.Errorf("%d chains: group %d has %d strips", chains, i, n)
				}
			}
		}
		d.Close()
	}
}
