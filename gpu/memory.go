//go:build cuda

package gpu

import (
	"errors"
	"fmt"
	"math/bits"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/gpu/internal/driver"
)

// memory hands out a card's memory. What is given back is kept for the next of
// its size: the driver's own calls wait for the card. It may be used again at
// once, since the card does everything in order.
type memory struct {
	worker *worker
	name   string // of the device
	exact  bool   // ask the driver for every piece, of exactly the size
	kept   map[int64][]cu.DevicePtr
	used   int64 // bytes in use
	idle   int64 // bytes kept
}

// piece is memory of the card.
type piece struct {
	at    cu.DevicePtr
	bytes int64
}

// size is what is asked for where so many bytes are needed: within an eighth of
// the next power of two, so that pieces fit for more than one size.
func (m *memory) size(bytes int64) int64 {
	if m.exact {
		return bytes
	}
	const smallest = 512
	step := max(smallest, int64(1)<<max(0, bits.Len64(uint64(bytes-1))-3))
	return (bytes + step - 1) / step * step
}

// get returns memory, with whatever it holds. Nothing takes no memory.
func (m *memory) get(bytes int64) (piece, error) {
	if bytes == 0 {
		return piece{}, nil
	}
	p := piece{bytes: m.size(bytes)}
	if kept := m.kept[p.bytes]; len(kept) > 0 {
		last := len(kept) - 1
		p.at, m.kept[p.bytes] = kept[last], kept[:last]
		m.idle -= p.bytes
		m.used += p.bytes
		return p, nil
	}
	err := m.allocate(&p)
	if outOfMemory(err) && m.idle > 0 {
		if err = m.release(); err == nil {
			err = m.allocate(&p)
		}
	}
	if err != nil {
		return piece{}, m.explain(bytes, err)
	}
	m.used += p.bytes
	return p, nil
}

func (m *memory) allocate(p *piece) error {
	return m.worker.wait(func() (err error) {
		p.at, err = cu.MemAlloc(p.bytes)
		return driver.Failed("cuMemAlloc", err)
	})
}

func outOfMemory(err error) bool { return errors.Is(err, engine.ErrOutOfMemory) }

// explain says what stood in the way of so many bytes.
func (m *memory) explain(bytes int64, err error) error {
	if !outOfMemory(err) {
		return err
	}
	free, total, asked := m.card()
	if asked != nil {
		return fmt.Errorf("%d bytes are needed: %w", bytes, engine.ErrOutOfMemory)
	}
	return fmt.Errorf("%d bytes are needed, %s has %d free of %d, and %d are in use here: %w", bytes, m.name, free, total, m.used, engine.ErrOutOfMemory)
}

// card returns the bytes of the card that are free, and all.
func (m *memory) card() (free, total int64, err error) {
	err = m.worker.wait(func() (err error) {
		free, total, err = cu.MemInfo()
		return driver.Failed("cuMemGetInfo", err)
	})
	return free, total, err
}

// put takes memory back.
func (m *memory) put(p piece) error {
	if p.bytes == 0 {
		return nil
	}
	m.used -= p.bytes
	m.kept[p.bytes] = append(m.kept[p.bytes], p.at)
	m.idle += p.bytes
	if m.exact {
		return m.release()
	}
	return nil
}

// release gives what is kept back to the card.
func (m *memory) release() error {
	kept := m.kept
	m.kept, m.idle = map[int64][]cu.DevicePtr{}, 0
	return m.worker.wait(func() (first error) {
		for _, pieces := range kept {
			for _, at := range pieces {
				if err := driver.Failed("cuMemFree", cu.MemFree(at)); first == nil {
					first = err
				}
			}
		}
		return first
	})
}
