package feed

import "math"

// Schedule is the arithmetic of one training, of a layer or of a whole stack: which
// update lies in which epoch, where chunks end, and when something is due. An
// update is numbered from 0 within its training.
type Schedule struct {
	Examples   int // of the data set
	Batch      int // examples of a full update
	Epochs     int
	Chunk      int // updates of a full chunk
	Measure    int // updates between measurements, 0: the end of every epoch
	Checkpoint int // updates between checkpoints, 0: the end of every epoch
}

// PerEpoch is the number of updates of one epoch; the last one may have fewer
// examples than a batch.
func (s Schedule) PerEpoch() int { return (s.Examples-1)/s.Batch + 1 }

// Total is the number of updates.
func (s Schedule) Total() int { return s.Epochs * s.PerEpoch() }

// Position is where an update lies: its epoch, counted from 0, and its place
// within that epoch.
func (s Schedule) Position(update int) (epoch, within int) {
	return update / s.PerEpoch(), update % s.PerEpoch()
}

// span is the part of the epoch's order of examples that the updates
// from..to-1 use. They lie in one epoch.
func (s Schedule) span(from, to int) (first, last int) {
	_, within := s.Position(from)
	return within * s.Batch, min((within+to-from)*s.Batch, s.Examples)
}

// Done says where training is after some updates: the epoch, counted from 0, that is
// going on or has just ended, how many of its updates are done, and how many
// examples have been shown in all epochs.
func (s Schedule) Done(updates int) (epoch, within int, examples int64) {
	epoch, within = s.Position(updates)
	if within == 0 && updates > 0 {
		epoch, within = epoch-1, s.PerEpoch()
	}
	all := int64(s.Examples)
	return epoch, within, int64(epoch)*all + min(int64(within)*int64(s.Batch), all)
}

// Rate is the learning rate of an epoch, counted from 0, between those of the first
// epoch and of the last. From epoch to epoch it changes by the same factor.
func (s Schedule) Rate(first, last float64, epoch int) float64 {
	if first == last || s.Epochs == 1 {
		return first
	}
	return first * math.Pow(last/first, float64(epoch)/float64(s.Epochs-1))
}

// ramp is the first update with the full momentum.
func (s Schedule) ramp() int { return (s.Total() + 9) / 10 }

// FirstMomentum is the most that momentum is in the first tenth of the updates.
const FirstMomentum = 0.5

// Momentum is the momentum of an update where full holds after the first tenth.
func (s Schedule) Momentum(update int, full float64) float64 {
	if update < s.ramp() {
		return min(full, FirstMomentum)
	}
	return full
}

// Due says whether something that comes every so many updates is due when this
// many updates are done.
func (s Schedule) Due(done, every int) bool {
	if done == s.Total() {
		return true
	}
	if every == 0 {
		every = s.PerEpoch()
	}
	return done%every == 0
}

// end is where the chunk that begins with this update ends. Chunks end where
// the epoch does, where something is due, and at multiples of their full size
// within the epoch, so that where they end does not depend on where training
// was resumed.
func (s Schedule) end(update int) int {
	epoch, within := s.Position(update)
	end := min((epoch+1)*s.PerEpoch(), update-within%s.Chunk+s.Chunk)
	for _, every := range []int{s.Measure, s.Checkpoint} {
		if every > 0 {
			end = min(end, update-update%every+every)
		}
	}
	if update < s.ramp() {
		end = min(end, s.ramp())
	}
	return end
}
