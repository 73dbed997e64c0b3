package hdf5

import (
	"errors"
	"fmt"

	"github.com/unitscope/unitscope/engine/memory"
)

// chunks puts together an array that is stored in pieces of one shape: dimensions 1
// (one more than the array's), the address of a tree 8, each dimension of a piece 4,
// the bytes of an element 4. A key of the tree is bytes 4, filters left out 4, and the
// place of the piece's first element, each coordinate 8, and then 0 8. All pieces
// must be there; what reaches over the array's end is left out.
func (d *Dataset) chunks(c *cursor, length uint64) ([]byte, error) {
	rank := len(d.Shape)
	if dims := c.number(1); c.err == nil && dims != uint64(rank)+1 {
		return nil, fmt.Errorf("pieces of %d dimensions", dims)
	}
	tree := c.number(8)
	grid, size, total := &grid{shape: d.Shape, bytes: d.of.bytes}, d.of.bytes, uint64(1)
	for _, n := range d.Shape {
		edge := c.number(4)
		if edge == 0 || size > uint64(d.file.size)/edge {
			return nil, errors.New("its pieces are larger than its file")
		}
		grid.piece, size = append(grid.piece, edge), size*edge
		total *= (uint64(n) + edge - 1) / edge
	}
	if bytes := c.number(4); c.err == nil && bytes != d.of.bytes {
		return nil, fmt.Errorf("pieces of elements of %d bytes", bytes)
	}
	if c.err != nil || length == 0 {
		return nil, c.err
	}
	// All its pieces are in the file, so that the array is no larger than that.
	if length > uint64(d.file.size) {
		return nil, fmt.Errorf("%d bytes in a file of %d", length, d.file.size)
	}
	if err := memory.Check(length); err != nil {
		return nil, err
	}
	out, seen := make([]byte, length), map[uint64]bool{}
	err := d.file.tree(tree, 1, 8+8*uint64(rank)+8, -1, func(key []byte, at uint64) error {
		k := &cursor{data: key}
		stored := k.number(4)
		k.take(4)
		number, place, err := grid.place(k)
		if err == nil && (seen[number] || stored != size) {
			err = fmt.Errorf("a piece of %d bytes that does not fit, or is there twice", stored)
		}
		if err != nil {
			return err
		}
		seen[number] = true
		data, err := d.file.read(at, size)
		if err == nil {
			grid.copy(out, data, place)
		}
		return err
	})
	if err == nil && uint64(len(seen)) != total {
		err = fmt.Errorf("%d of its %d pieces are there", len(seen), total)
	}
	return out, err
}

// grid is how an array is cut into pieces.
type grid struct {
	shape []int
	piece []uint64
	bytes uint64 // of an element
}

// place reads where a piece begins, and returns the piece's number too.
func (g *grid) place(c *cursor) (number uint64, place []uint64, err error) {
	for i, n := range g.shape {
		at := c.number(8)
		if at >= uint64(n) || at%g.piece[i] != 0 {
			return 0, nil, fmt.Errorf("a piece at %d of %d", at, n)
		}
		number = number*((uint64(n)+g.piece[i]-1)/g.piece[i]) + at/g.piece[i]
		place = append(place, at)
	}
	return number, place, c.err
}

// copy copies a piece, a row of its last dimension at a time.
func (g *grid) copy(out, piece []byte, place []uint64) {
	last := len(g.shape) - 1
	if last < 0 {
		copy(out, piece)
		return
	}
	row := g.piece[last] * g.bytes
	within := make([]uint64, last) // of the piece, but for the last dimension
	for ; len(piece) > 0; piece = piece[row:] {
		to, inside := uint64(0), true
		for i, n := range g.shape {
			at := place[i]
			if i < last {
				at += within[i]
			}
			inside = inside && at < uint64(n)
			to = to*uint64(n) + at
		}
		if inside {
			copy(out[to*g.bytes:], piece[:min(row, (uint64(g.shape[last])-place[last])*g.bytes)])
		}
		for i := last - 1; i >= 0; i-- {
			if within[i]++; within[i] < g.piece[i] {
				break
			}
			within[i] = 0
		}
	}
}
