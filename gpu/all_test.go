//go:build cuda

package gpu

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/enginetest"
)

// openSeveral opens so many cards as one device. Where there are fewer, some of
// them are the same card once more, with streams of its own: the rows are cut and
// travel all the same.
func openSeveral(t *testing.T, n int) *all {
	t.Helper()
	needCard(t)
	count, err := cu.NumDevices()
	if err != nil {
		t.Fatal(err)
	}
	var ks []card
	c := &cards{load: func() (int, error) { return 0, nil }}
	for i := range n {
		k, err := c.look(i % count)
		if err != nil {
			t.Fatal(err)
		}
		ks = append(ks, k)
	}
	a, err := openAll(ks, options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// TestEmulated runs tests of several cards, and of cards with little memory, in
// processes of their own: what is emulated is set when a process starts.
func TestEmulated(t *testing.T) {
	needCard(t)
	if engine.Devices()[0].Description != "Emulated GPU" {
		t.Skip("the cards are real")
	}
	// What only the first card does takes long, and has been tested on one card.
	skip := ""
	if testing.Short() {
		skip = "^TestAllConformance$/^(Gemm|Sigmoid|Axpby|Gather|Reduce|Project|Uniform|Bernoulli|Gaussian|Corrupt|BatchInvariance|Contrastive|Stabilised|Denoise|Divergence)"
	}
	for _, c := range []struct{ name, cards, run, skip string }{
		{"one card", "1", "^TestLittleMemory", ""},
		{"two cards", "2", "^TestAll", "^TestAllConformance$"},
		{"three cards", "3", "^TestAll", skip},
	} {
		t.Run(c.name, func(t *testing.T) {
			command := exec.Command(os.Args[0], "-test.short", "-test.run="+c.run, "-test.skip="+c.skip)
			command.Env = append(os.Environ(), "UNITSCOPE_EMULATED_DEVICES="+c.cards, fmt.Sprintf("UNITSCOPE_EMULATED_MEMORY=%d", little))
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestAllConformance(t *testing.T) {
	needCard(t)
	if count, err := cu.NumDevices(); err != nil || count < 2 {
		t.Skipf("%d cards, %v; with more, cuda:all is more than cuda:0", count, err)
	}
	enginetest.Run(t, func(t *testing.T) engine.Device {
		d, err := engine.Open("cuda:all")
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}

// TestAllMisuse checks that what is wrong is refused as by one card.
func TestAllMisuse(t *testing.T) {
	a := openSeveral(t, 2)
	other := openCard(t)
	defer other.Close()
	c := climb{[]engine.Layer{testLayer(4, 3, 1)}, 1, engine.Rule{Rate: 1, Radius: 1, Patience: 1}}
	m, err := engine.Load(a, engine.Stack(c.layers))
	if err != nil {
		t.Fatal(err)
	}
	run := func(d engine.Device, units []int) error {
		_, err := m.Ascend(c.state(units, fill(t, d, 2, 3)), c.rule, 1)
		return err
	}
	says(t, run(other, []int{0, 1}), "ascent: ", "belongs to another device")
	says(t, run(a.cards[1], []int{0, 1}), "ascent: ", "belongs to another device")
	says(t, run(a, []int{0, 9}), "ascent", "goal 9 of 4")
	c.rule.Rate = -1
	says(t, run(a, []int{0, 1}), "ascent", "rate")
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	says(t, run(a, []int{0, 1}), "ascent: the model is closed")
}

func TestSpans(t *testing.T) {
	for _, c := range []struct {
		rows  []int
		parts int
		want  []span
	}{
		{nil, 3, nil},
		{[]int{4}, 3, []span{{4, 5}}},
		{[]int{0, 1}, 3, []span{{0, 1}, {1, 2}}},
		{[]int{0, 1, 2, 3, 4, 5, 6}, 3, []span{{0, 2}, {2, 4}, {4, 7}}},
		{[]int{1, 5, 6, 9}, 2, []span{{1, 6}, {6, 10}}},
	} {
		got := spans(c.rows, c.parts)
		if !slices.Equal(got, c.want) {
			t.Errorf("%v in %d parts: %v, want %v", c.rows, c.parts, got, c.want)
		}
	}
}

// TestAllInfo checks what people are told of several cards.
func TestAllInfo(t *testing.T) {
	c := with(t, "DEVICES=2", "CAPABILITY=90")
	d, err := c.Open("cuda:all")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	info := d.Info()
	const want = "2 cards: cuda:0 Stand-in, cuda:1 Stand-in; ascents and Gibbs chains run on all of them, everything else on cuda:0"
	if d.Name() != "cuda:all" || info.Name != "cuda:all" || info.Description != want || info.Workers != 8 || info.Memory != 1<<28 ||
		info.FreeMemory <= 0 || info.FreeMemory >= 1<<28 || strings.Join(info.Features, " ") != "compute-9.0 driver-12.4 compute_90a" {
		t.Errorf("%s: %+v", d.Name(), info)
	}
	found := c.Devices()
	if len(found) != 3 || found[2].Name != "cuda:all" || found[2].Unusable != nil || found[2].Description != want {
		t.Errorf("devices: %+v", found)
	}
	one, err := with(t).Open("cuda:all")
	if err != nil {
		t.Fatal(err)
	}
	if one.Name() != "cuda:0" {
		t.Errorf("all of one card are %s", one.Name())
	}
	if err := one.Close(); err != nil {
		t.Error(err)
	}
	// Cards that can't be used are left out.
	c = with(t, "DEVICES=3", "CAPABILITY=(d==1?61:80)")
	found = c.Devices()
	if len(found) != 4 || found[1].Unusable == nil || !strings.HasPrefix(found[3].Description, "2 cards: cuda:0 Stand-in, cuda:2 Stand-in;") {
		t.Errorf("devices: %+v", found)
	}
	two, err := c.Open("cuda:all")
	if err != nil {
		t.Fatal(err)
	}
	if cards := two.(*all).cards; len(cards) != 2 || cards[1].Name() != "cuda:2" {
		t.Errorf("%d cards", len(cards))
	}
	if err := two.Close(); err != nil {
		t.Error(err)
	}
	// There is memory for one of two cards only, whichever comes first.
	_, err = with(t, "DEVICES=2", "MEMORY=(12<<20)").Open("cuda:all")
	says(t, err, "open cuda:all: cuda:", "cuMemAlloc: out of memory")
	if !errors.Is(err, engine.ErrOutOfMemory) {
		t.Errorf("%v is not %v", err, engine.ErrOutOfMemory)
	}
	_, err = with(t, "DEVICES=2", "CAPABILITY=61").Open("cuda:all")
	says(t, err, "open cuda:all: none of 2 cards can be used", "cuda:0: ", "cuda:1: ", "compute capability 6.1")
}
