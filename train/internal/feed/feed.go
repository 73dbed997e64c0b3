// Package feed brings examples to training: which of them every update uses, by a
// [Schedule], read ahead of the device by a [Feed], and whole sets a few at a time.
package feed

import (
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
)

// Chunk is the examples of a few updates, in the order of training.
type Chunk struct {
	From, To int       // updates
	Data     []float32 // [len(Keys), size]
	Keys     []uint64  // identities of the examples
	err      error
}

// Feed reads chunks ahead of the device in a goroutine of its own. What it
// delivers depends on the schedule alone.
type Feed struct {
	set      dataset.Set
	schedule Schedule
	seed     uint64
	layer    int
	chunks   chan *Chunk // read, in order
	free     chan *Chunk // to be filled
	stop     chan struct{}
}

// Start begins to read from an update on. The caller calls Close.
func Start(set dataset.Set, s Schedule, seed uint64, layer, update int) *Feed {
	const ahead = 2
	f := &Feed{set: set, schedule: s, seed: seed, layer: layer,
		chunks: make(chan *Chunk, ahead), free: make(chan *Chunk, ahead), stop: make(chan struct{})}
	for range ahead {
		f.free <- &Chunk{}
	}
	go f.run(update)
	return f
}

// Next returns the next chunk; it is valid until Done is called with it.
func (f *Feed) Next() (*Chunk, error) {
	c := <-f.chunks
	return c, c.err
}

// Done gives a chunk back, to be filled again.
func (f *Feed) Done(c *Chunk) { f.free <- c }

// Close ends the goroutine and waits for it, since the set may be closed next.
func (f *Feed) Close() {
	close(f.stop)
	for range f.chunks {
	}
}

func (f *Feed) run(update int) {
	defer close(f.chunks)
	var order []int32
	for orderOf := -1; update < f.schedule.Total(); {
		var c *Chunk
		select {
		case c = <-f.free:
		case <-f.stop:
			return
		}
		if epoch, _ := f.schedule.Position(update); epoch != orderOf {
			orderOf = epoch
			order = engine.NewSource(f.seed, engine.PurposeOrder, uint32(epoch), engine.ExampleKey(f.layer, 0)).Order(f.schedule.Examples)
		}
		c.From, c.To = update, f.schedule.end(update)
		c.err = f.fill(c, order)
		select {
		case f.chunks <- c:
		case <-f.stop:
			return
		}
		if c.err != nil {
			return
		}
		update = c.To
	}
}

func (f *Feed) fill(c *Chunk, order []int32) error {
	first, last := f.schedule.span(c.From, c.To)
	indices := make([]int, 0, last-first)
	c.Keys = c.Keys[:0]
	for _, example := range order[first:last] {
		indices = append(indices, int(example))
		c.Keys = append(c.Keys, engine.ExampleKey(f.layer, int64(example)))
	}
	if size := len(indices) * f.set.Info().Size(); cap(c.Data) < size {
		c.Data = make([]float32, size)
	} else {
		c.Data = c.Data[:size]
	}
	return Read(f.set, c.Data, indices)
}
