package cpu

import (
	"sync"
	"sync/atomic"
)

// team is the pool's workers during a run of many short phases. Between phases
// they stay awake and look for the next one: waking a thread takes as long as
// computing a small layer.
//
// One of them conducts: it runs the script, which calls run for each phase, and
// computes parts like the others. It waits for parts that were taken, never for
// a worker to come, so a team is complete with any number of them.
type team struct {
	pool   *pool
	script func(conductor *worker)
	alone  bool // the phases are too short for more than one worker
	member part // the method join, bound once

	// The phase at work.
	compute    part
	parts      int
	turn       uint32
	left       atomic.Uint64 // turn << 32 | parts that nobody has taken
	unfinished atomic.Int64
	over       atomic.Bool

	// Who has waited long sleeps until there is news: a phase, its end, or that
	// of the script.
	news     sync.Cond
	lock     sync.Mutex
	sleepers atomic.Int64
}

// worthTogether is the work of a phase, in additions or so, from which on
// sharing it among workers who are awake pays: a microsecond or two.
const worthTogether = 1 << 13

func (t *team) init(p *pool, script func(conductor *worker)) {
	t.pool, t.script, t.member = p, script, t.join
	t.news.L = &t.lock
}

// perform runs the script and returns when it has ended. work is the effort of
// its longest phase.
func (t *team) perform(work float64) {
	t.alone = len(t.pool.workers) == 1 || work < worthTogether
	if t.alone {
		t.script(t.pool.workers[0])
		return
	}
	t.over.Store(false)
	t.pool.run(len(t.pool.workers), worthSharing, t.member)
}

// join makes the worker who takes part 0 the conductor and the others helpers.
func (t *team) join(w *worker, i int) {
	if i == 0 {
		t.script(w)
		t.over.Store(true)
		t.tell()
		return
	}
	for !t.over.Load() {
		for t.help(w) {
		}
		t.await(t.wanted)
	}
}

// wanted says whether there is something for a helper to do.
func (t *team) wanted() bool { return uint32(t.left.Load()) > 0 || t.over.Load() }

// done says whether all parts of the phase have been computed.
func (t *team) done() bool { return t.unfinished.Load() == 0 }

// patience is how often one looks before going to sleep: for as long as it
// takes to wake up again, about.
const patience = 20_000

// await returns when something has happened.
func (t *team) await(happened func() bool) {
	for range patience {
		if happened() {
			return
		}
	}
	t.lock.Lock()
	t.sleepers.Add(1)
	for !happened() {
		t.news.Wait()
	}
	t.sleepers.Add(-1)
	t.lock.Unlock()
}

// tell wakes those who sleep. What has happened must be stored before.
func (t *team) tell() {
	if t.sleepers.Load() > 0 {
		t.lock.Lock()
		t.news.Broadcast()
		t.lock.Unlock()
	}
}

// run computes parts 0..parts-1 of a phase and returns when all are done. work
// is the effort of all of them, in additions or so.
func (t *team) run(conductor *worker, parts int, work float64, compute part) {
	if t.alone || parts < 2 || work < worthTogether {
		for i := range parts {
			compute(conductor, i)
		}
		return
	}
	t.compute, t.parts = compute, parts
	t.unfinished.Store(int64(parts))
	t.turn++
	t.left.Store(uint64(t.turn)<<32 | uint64(parts))
	t.tell()
	for t.help(conductor) {
	}
	t.await(t.done)
}

// help computes one part, if there is one that nobody has taken. Who has taken
// a part may read the phase: it can't end before. The turn keeps a slow worker
// from taking a part of a phase that it has not seen begin.
func (t *team) help(w *worker) bool {
	for {
		left := t.left.Load()
		if uint32(left) == 0 {
			return false
		}
		if t.left.CompareAndSwap(left, left-1) {
			t.compute(w, t.parts-int(uint32(left)))
			if t.unfinished.Add(-1) == 0 {
				t.tell()
			}
			return true
		}
	}
}
