package cpu

import (
	"math"
	"sync/atomic"
	"time"
)

// peakTurns is how many turns of multiply-adds a worker makes between two looks
// at the clock: some ten microseconds.
const peakTurns = 1 << 12

// Peak measures for about this long how fast the device's workers, all at
// once, make multiply-adds on registers, in GFLOP/s. No product on the same
// cores can be faster, so it is the floor of the time that work takes; package
// bench measures it right before and after every workload. It is 0 once the
// device is closed.
func (d *device) Peak(within time.Duration) float64 {
	if d.closed {
		return 0
	}
	var flops atomic.Int64
	began := time.Now()
	d.pool.run(len(d.pool.workers), math.Inf(1), func(*worker, int) {
		done := 0.0
		for time.Since(began) < within {
			done += d.set.Peak(peakTurns)
		}
		flops.Add(int64(done))
	})
	return float64(flops.Load()) / time.Since(began).Seconds() / 1e9
}
