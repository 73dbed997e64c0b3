package bench

import (
	"context"
	"fmt"
	"slices"

	"github.com/unitscope/unitscope/dataset"
)

// deformBatch is how many examples a step of this workload makes.
const deformBatch = 1000

// deforming makes deformed pictures as training reads them. It runs on the
// processor whatever the device is.
type deforming struct {
	set       dataset.Set
	originals dataset.Set
	steps     int
	indices   []int     // [deformBatch]
	examples  []float32 // [deformBatch, size]
}

func prepareDeform(_ *kit, o Options) (job, error) {
	originals, err := inMemory(o)
	if err != nil {
		return nil, err
	}
	set, err := dataset.Deform(originals, o.Steps*deformBatch, o.Seed)
	if err != nil {
		return nil, err
	}
	return &deforming{
		set: set, originals: originals, steps: o.Steps,
		indices: make([]int, deformBatch), examples: make([]float32, deformBatch*set.Info().Size()),
	}, nil
}

func (d *deforming) reset() error { return nil }

func (d *deforming) run(ctx context.Context) (done, error) {
	for step := range d.steps {
		if err := ctx.Err(); err != nil {
			return done{}, err
		}
		if err := d.read(step); err != nil {
			return done{}, err
		}
	}
	return done{count: float64(d.steps) * deformBatch}, nil
}

// read makes the examples of a step.
func (d *deforming) read(step int) error {
	for i := range d.indices {
		d.indices[i] = step*deformBatch + i
	}
	return d.set.Read(d.examples, d.indices)
}

// check makes a few of the latest examples again, each alone: an example is a
// function of its index. And it wants them deformed, within the range of the
// originals.
func (d *deforming) check() error {
	info := d.set.Info()
	size := info.Size()
	alone, original := make([]float32, size), make([]float32, size)
	for _, i := range []int{0, 17, deformBatch - 1} {
		index := d.indices[i]
		got := d.examples[i*size : (i+1)*size]
		if err := d.set.Read(alone, []int{index}); err != nil {
			return err
		}
		if err := d.originals.Read(original, []int{index % d.originals.Len()}); err != nil {
			return err
		}
		switch {
		case !slices.Equal(got, alone):
			return fmt.Errorf("example %d is another one alone than among others", index)
		case slices.Equal(got, original):
			return fmt.Errorf("example %d is not deformed", index)
		case slices.Min(got) < info.Low || slices.Max(got) > info.High:
			return fmt.Errorf("example %d reaches from %g to %g, want %g to %g at most", index, slices.Min(got), slices.Max(got), info.Low, info.High)
		}
	}
	return nil
}

// pictures is a set of pictures in memory.
type pictures struct {
	info dataset.Info
	data []float32 // [n, size]
}

// memoryExamples is how many originals are enough.
const memoryExamples = 10000

// inMemory reads the first originals, so that the workload times deforming
// alone. Without data they are the built-in digits.
func inMemory(o Options) (dataset.Set, error) {
	from := o.Data
	if from == nil {
		var err error
		if from, err = dataset.Open("digits", o.Seed); err != nil {
			return nil, err
		}
	}
	indices := make([]int, min(memoryExamples, from.Len(), o.Steps*deformBatch))
	for i := range indices {
		indices[i] = i
	}
	p := &pictures{info: from.Info(), data: make([]float32, len(indices)*from.Info().Size())}
	if err := from.Read(p.data, indices); err != nil {
		return nil, err
	}
	if o.Data == nil {
		return p, from.Close()
	}
	return p, nil
}

func (p *pictures) Info() dataset.Info    { return p.info }
func (p *pictures) Len() int              { return len(p.data) / p.info.Size() }
func (p *pictures) Label(int) (int, bool) { return 0, false }
func (p *pictures) Close() error          { return nil }

func (p *pictures) Read(dst []float32, indices []int) error {
	size := p.info.Size()
	if len(dst) != len(indices)*size {
		return fmt.Errorf("read: %d numbers for %d examples of %d", len(dst), len(indices), size)
	}
	for k, i := range indices {
		if i < 0 || i >= p.Len() {
			return fmt.Errorf("read: example %d, there are %d", i, p.Len())
		}
		copy(dst[k*size:(k+1)*size], p.data[i*size:(i+1)*size])
	}
	return nil
}
