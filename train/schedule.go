package train

// schedule is the arithmetic of one layer's training: which update lies in
// which epoch, where chunks end, and when something is due. An update is
// numbered from 0 within its layer.
type schedule struct {
	examples   int // of the data set
	batch      int // examples of a full update
	epochs     int
	chunk      int // updates of a full chunk
	report     int // updates between reports, 0: the end of every epoch
	checkpoint int // updates between checkpoints, 0: the end of every epoch
}

// perEpoch is the number of updates of one epoch; the last one may have fewer
// examples than a batch.
func (s schedule) perEpoch() int { return (s.examples-1)/s.batch + 1 }

// total is the number of updates of the layer.
func (s schedule) total() int { return s.epochs * s.perEpoch() }

// position is where an update lies: its epoch, counted from 0, and its place
// within that epoch.
func (s schedule) position(update int) (epoch, within int) {
	return update / s.perEpoch(), update % s.perEpoch()
}

// span is the part of the epoch's order of examples that the updates
// from..to-1 use. They lie in one epoch.
func (s schedule) span(from, to int) (first, last int) {
	_, within := s.position(from)
	return within * s.batch, min((within+to-from)*s.batch, s.examples)
}

// ramp is the first update with the full momentum.
func (s schedule) ramp() int { return (s.total() + 9) / 10 }

// FirstMomentum is the most that momentum is in the first tenth of a layer's
// updates, see [Options.Momentum].
const FirstMomentum = 0.5

// momentum is the momentum of an update, see [Options.Momentum].
func (s schedule) momentum(update int, full float64) float64 {
	if update < s.ramp() {
		return min(full, FirstMomentum)
	}
	return full
}

// due says whether something that comes every so many updates is due when this
// many updates are done.
func (s schedule) due(done, every int) bool {
	if done == s.total() {
		return true
	}
	if every == 0 {
		every = s.perEpoch()
	}
	return done%every == 0
}

// end is where the chunk that begins with this update ends. Chunks end where
// the epoch does, where something is due, and at multiples of their full size
// within the epoch, so that where they end does not depend on where training
// was resumed.
func (s schedule) end(update int) int {
	epoch, within := s.position(update)
	end := min((epoch+1)*s.perEpoch(), update-within%s.chunk+s.chunk)
	for _, every := range []int{s.report, s.checkpoint} {
		if every > 0 {
			end = min(end, update-update%every+every)
		}
	}
	if update < s.ramp() {
		end = min(end, s.ramp())
	}
	return end
}

// spread returns count indices of n, evenly spaced from 0.
func spread(n, count int) []int {
	count = min(n, count)
	indices := make([]int, count)
	for i := range indices {
		indices[i] = int(int64(i) * int64(n) / int64(count))
	}
	return indices
}
