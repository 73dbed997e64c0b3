package feed

import (
	"context"
	"fmt"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
)

// Read reads examples and refuses those that are not finite: one of them would
// spoil all parameters for good.
func Read(set dataset.Set, dst []float32, indices []int) error {
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

// Part is some of the examples that [Some] or [All] goes through, until the next part.
type Part struct {
	At       int // place of the first of them
	Indices  []int
	Examples []float32 // [len(Indices), size]
}

// Some reads some examples of a set, up to rows at a time, and calls visit with each
// part of them.
func Some(set dataset.Set, indices []int, rows int, visit func(Part) error) error {
	return inParts(context.Background(), set, len(indices), rows, func(i int) int { return indices[i] }, visit)
}

// All reads a set from its first example to its last, up to rows at a time, until
// ctx ends.
func All(ctx context.Context, set dataset.Set, rows int, visit func(Part) error) error {
	return inParts(ctx, set, set.Len(), rows, func(i int) int { return i }, visit)
}

func inParts(ctx context.Context, set dataset.Set, count, rows int, index func(i int) int, visit func(Part) error) error {
	size, rows := set.Info().Size(), min(rows, count)
	examples, indices := make([]float32, rows*size), make([]int, rows)
	for at := 0; at < count; at += rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := Part{At: at, Indices: indices[:min(rows, count-at)]}
		for i := range p.Indices {
			p.Indices[i] = index(at + i)
		}
		p.Examples = examples[:len(p.Indices)*size]
		if err := Read(set, p.Examples, p.Indices); err != nil {
			return err
		}
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}
