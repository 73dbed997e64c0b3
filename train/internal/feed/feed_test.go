package feed

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
)

// counted is a set of so many examples: each its own index, and 0.
type counted int

func (counted) Info() dataset.Info    { return dataset.Info{Name: "counted", Shape: []int{2}} }
func (c counted) Len() int            { return int(c) }
func (counted) Label(int) (int, bool) { return 0, false }
func (counted) Close() error          { return nil }

func (c counted) Read(dst []float32, indices []int) error {
	for i, index := range indices {
		dst[2*i], dst[2*i+1] = float32(index), 0
	}
	return nil
}

// TestSchedule walks through the chunks of some schedules.
func TestSchedule(t *testing.T) {
	for _, s := range []Schedule{
		{Examples: 45, Batch: 7, Epochs: 3, Chunk: 2},
		{Examples: 45, Batch: 7, Epochs: 3, Chunk: 100, Measure: 4, Checkpoint: 3},
		{Examples: 7, Batch: 7, Epochs: 1, Chunk: 1},
		{Examples: 1, Batch: 1, Epochs: 30, Chunk: 5, Checkpoint: 4},
	} {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			shown, last := 0, 0
			for update := 0; update < s.Total(); update = last {
				last = s.end(update)
				if last <= update {
					t.Fatalf("the chunk at %d ends at %d", update, last)
				}
				first, end := s.span(update, last)
				shown += end - first
				for inside := update + 1; inside < last; inside++ {
					if s.end(inside) != last || s.Momentum(inside, 0.9) != s.Momentum(update, 0.9) {
						t.Errorf("update %d in chunk %d..%d is of another chunk", inside, update, last)
					}
					if s.Measure > 0 && s.Due(inside, s.Measure) || s.Due(inside, s.Checkpoint) {
						t.Errorf("something is due within chunk %d..%d", update, last)
					}
				}
			}
			if shown != s.Epochs*s.Examples || last != s.Total() {
				t.Errorf("%d examples shown, want %d; ended at %d of %d", shown, s.Epochs*s.Examples, last, s.Total())
			}
		})
	}
}

// TestOrder makes sure that every epoch shows every example once, in another order.
func TestOrder(t *testing.T) {
	set := counted(45)
	f := Start(set, Schedule{Examples: 45, Batch: 7, Epochs: 2, Chunk: 3}, 1, 2, 0)
	defer f.Close()
	var epochs [2][]uint64
	for update := 0; update < 14; {
		c, err := f.Next()
		if err != nil {
			t.Fatal(err)
		}
		for i, key := range c.Keys {
			if c.Data[2*i] != float32(key&(1<<56-1)) {
				t.Fatalf("row %d of the chunk at %d isn't example %d", i, c.From, key)
			}
		}
		epochs[c.From/7] = append(epochs[c.From/7], c.Keys...)
		update = c.To
		f.Done(c)
	}
	if slices.Equal(epochs[0], epochs[1]) {
		t.Error("two epochs in the same order")
	}
	for e, keys := range epochs {
		slices.Sort(keys)
		for i, key := range keys {
			if key != engine.ExampleKey(2, int64(i)) {
				t.Fatalf("epoch %d doesn't show every example once", e+1)
			}
		}
		if len(keys) != 45 {
			t.Errorf("epoch %d shows %d examples", e+1, len(keys))
		}
	}
}

// TestRate follows a learning rate from epoch to epoch.
func TestRate(t *testing.T) {
	s := Schedule{Epochs: 5}
	for epoch, want := range []float64{0.8, 0.4, 0.2, 0.1, 0.05} {
		if got := s.Rate(0.8, 0.05, epoch); math.Abs(got-want) > 1e-12 {
			t.Errorf("epoch %d: %g, want %g", epoch, got, want)
		}
	}
	if got := s.Rate(0.8, 0.8, 3); got != 0.8 {
		t.Errorf("constant rate: %g in epoch 3, want exactly 0.8", got)
	}
	if got := (Schedule{Epochs: 1}).Rate(0.3, 0.1, 0); got != 0.3 {
		t.Errorf("one epoch: %g, want the first rate", got)
	}
}

// TestParts reads a set in parts, all of it and some.
func TestParts(t *testing.T) {
	var indices []int
	visit := func(p Part) error {
		if p.At != len(indices) || len(p.Indices) > 4 || len(p.Examples) != 2*len(p.Indices) {
			t.Errorf("a part at %d of %d examples with %d numbers", p.At, len(p.Indices), len(p.Examples))
		}
		for i, index := range p.Indices {
			if p.Examples[2*i] != float32(index) {
				t.Errorf("example %d is %g", index, p.Examples[2*i])
			}
		}
		indices = append(indices, p.Indices...)
		return nil
	}
	some := []int{7, 1, 1, 9, 0, 3}
	if err := Some(counted(10), some, 4, visit); err != nil || !slices.Equal(indices, some) {
		t.Errorf("%v, error %v, want %v", indices, err, some)
	}
	indices = nil
	if err := All(context.Background(), counted(10), 4, visit); err != nil || len(indices) != 10 || !slices.IsSorted(indices) {
		t.Errorf("%v, error %v, want all 10", indices, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	parts := 0
	err := All(ctx, counted(10), 4, func(Part) error { parts++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || parts != 1 {
		t.Errorf("cancelled: %d parts, error %v", parts, err)
	}
}
