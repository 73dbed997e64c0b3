package cpu

import (
	"sync"
	"sync/atomic"
)

// worker is the memory that one of the threads works in. It grows to what is
// needed and stays.
type worker struct {
	tile  []float32 // a block of a product
	words []uint32  // random numbers of a row
	sums  []float64 // sums of columns
}

// grow returns n numbers of a buffer, which is replaced where it is too short.
// They are whatever was left there.
func grow[T any](buffer *[]T, n int) []T {
	if len(*buffer) < n {
		*buffer = make([]T, n)
	}
	return (*buffer)[:n]
}

// part computes part i of an operation in the worker's memory.
type part func(w *worker, i int)

// pool shares the parts of an operation among threads that wait for them.
type pool struct {
	workers []*worker       // workers[0] is the caller's
	wake    []chan struct{} // of workers[1:]
	ended   sync.WaitGroup  // they have, after close

	// The operation at work.
	compute part
	parts   int64
	next    atomic.Int64 // the next part that nobody has taken
	busy    sync.WaitGroup
}

func newPool(workers int) *pool {
	p := &pool{workers: []*worker{{}}}
	for range workers - 1 {
		w, wake := &worker{}, make(chan struct{}, 1)
		p.workers, p.wake = append(p.workers, w), append(p.wake, wake)
		p.ended.Go(func() {
			for range wake {
				p.take(w)
				p.busy.Done()
			}
		})
	}
	return p
}

// close ends the threads and waits until they have.
func (p *pool) close() {
	for _, wake := range p.wake {
		close(wake)
	}
	p.ended.Wait()
}

// worthSharing is the work, in additions or so, from which on waking other
// threads pays: some ten microseconds.
const worthSharing = 1 << 16

// run computes parts 0..parts-1 and returns when all are done. work is the
// effort of all of them, in additions or so.
func (p *pool) run(parts int, work float64, compute part) {
	others := min(parts, len(p.workers)) - 1
	if others <= 0 || work < worthSharing {
		for i := range parts {
			compute(p.workers[0], i)
		}
		return
	}
	p.compute, p.parts = compute, int64(parts)
	p.next.Store(0)
	p.busy.Add(others)
	for _, wake := range p.wake[:others] {
		wake <- struct{}{}
	}
	p.take(p.workers[0])
	p.busy.Wait()
}

// take computes parts until none is left.
func (p *pool) take(w *worker) {
	for i := p.next.Add(1) - 1; i < p.parts; i = p.next.Add(1) - 1 {
		p.compute(w, int(i))
	}
}
