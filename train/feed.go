package train

import (
	"fmt"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
)

// chunk is the examples of a few updates, in the order of training.
type chunk struct {
	from, to int       // updates
	data     []float32 // [len(keys), size]
	keys     []uint64  // identities of the examples
	err      error
}

// feed reads chunks ahead of the device in a goroutine of its own. What it
// delivers depends on the schedule alone.
type feed struct {
	set    dataset.Set
	plan   schedule
	seed   uint64
	layer  int
	chunks chan *chunk // read, in order
	free   chan *chunk // to be filled
	stop   chan struct{}
}

// startFeed begins to read from an update on. The caller calls close.
func startFeed(set dataset.Set, plan schedule, seed uint64, layer, update int) *feed {
	const ahead = 2
	f := &feed{set: set, plan: plan, seed: seed, layer: layer,
		chunks: make(chan *chunk, ahead), free: make(chan *chunk, ahead), stop: make(chan struct{})}
	for range ahead {
		f.free <- &chunk{}
	}
	go f.run(update)
	return f
}

// next returns the next chunk; it is valid until done is called with it.
func (f *feed) next() (*chunk, error) {
	c := <-f.chunks
	return c, c.err
}

func (f *feed) done(c *chunk) { f.free <- c }

// close ends the goroutine and waits for it, since the set may be closed next.
func (f *feed) close() {
	close(f.stop)
	for range f.chunks {
	}
}

func (f *feed) run(update int) {
	defer close(f.chunks)
	var order []int32
	for orderOf := -1; update < f.plan.total(); {
		var c *chunk
		select {
		case c = <-f.free:
		case <-f.stop:
			return
		}
		if epoch, _ := f.plan.position(update); epoch != orderOf {
			orderOf = epoch
			order = engine.NewSource(f.seed, engine.PurposeOrder, uint32(epoch), engine.ExampleKey(f.layer, 0)).Order(f.plan.examples)
		}
		c.from, c.to = update, f.plan.end(update)
		c.err = f.fill(c, order)
		select {
		case f.chunks <- c:
		case <-f.stop:
			return
		}
		if c.err != nil {
			return
		}
		update = c.to
	}
}

func (f *feed) fill(c *chunk, order []int32) error {
	first, last := f.plan.span(c.from, c.to)
	indices := make([]int, 0, last-first)
	c.keys = c.keys[:0]
	for _, example := range order[first:last] {
		indices = append(indices, int(example))
		c.keys = append(c.keys, engine.ExampleKey(f.layer, int64(example)))
	}
	c.data = resize(c.data, len(indices)*f.set.Info().Size())
	return read(f.set, c.data, indices)
}

func resize(buffer []float32, n int) []float32 {
	if cap(buffer) < n {
		return make([]float32, n)
	}
	return buffer[:n]
}

// read reads examples and refuses those that are not finite: one of them would
// spoil all parameters for good.
func read(set dataset.Set, dst []float32, indices []int) error {
	if err := set.Read(dst, indices); err != nil {
		return fmt.Errorf("read %s: %w", set.Info().Name, err)
	}
	for i, x := range dst {
		if x-x != 0 {
			size := set.Info().Size()
			return fmt.Errorf("read %s: component %d of example %d is %g: %w", set.Info().Name, i%size, indices[i/size], x, engine.ErrNotFinite)
		}
	}
	return nil
}
