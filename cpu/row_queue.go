package cpu

import (
	"sync"

	"github.com/unitscope/unitscope/engine"
)

// rowQueue hands out the rows that wait. Each worker has a share of its own,
// so that rows that take equally long are spread evenly; one that would be idle
// takes half of the largest other share.
type rowQueue struct {
	sync.Mutex
	rows []int
	of   []share
}

// share is a part of the rows that wait.
type share struct{ from, to int }

func (q *rowQueue) fill(s *engine.AscentState) {
	q.rows = q.rows[:0]
	for i, stop := range s.Stop {
		if stop == engine.Running {
			q.rows = append(q.rows, i)
		}
	}
	n, workers := len(q.rows), len(q.of)
	for w := range q.of {
		q.of[w] = share{w * n / workers, (w + 1) * n / workers}
	}
}

// take returns the next row for a worker, one of others only if it is idle; ok
// is false if none waits.
func (q *rowQueue) take(worker int, idle bool) (row int, ok bool) {
	q.Lock()
	defer q.Unlock()
	own := &q.of[worker]
	if own.from == own.to && !idle {
		return 0, false
	}
	if own.from == own.to {
		largest := own
		for w := range q.of {
			if s := &q.of[w]; s.to-s.from > largest.to-largest.from {
				largest = s
			}
		}
		if largest == own {
			return 0, false
		}
		half := (largest.to - largest.from + 1) / 2
		own.from, own.to = largest.to-half, largest.to
		largest.to -= half
	}
	own.from++
	return q.rows[own.from-1], true
}
