package bench

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/unitscope/unitscope/engine"
)

// turn is one run of a contender, and the floor around it.
type turn struct {
	done
	seconds float64
	peak    float64 // GFLOP/s
}

// effort is what the floor could have done in the time: it orders runs on a
// machine whose speed changes. Without a floor it is the time.
func (t turn) effort() float64 {
	if t.peak == 0 {
		return t.seconds
	}
	return t.seconds * t.peak
}

// median is the turn of the median effort; the lower one of an even number.
func median(turns []turn) turn {
	sorted := slices.Clone(turns)
	slices.SortStableFunc(sorted, func(a, b turn) int {
		switch {
		case a.effort() < b.effort():
			return -1
		case a.effort() > b.effort():
			return 1
		}
		return 0
	})
	return sorted[(len(sorted)-1)/2]
}

// result fills in the numbers.
func (t turn) result(r Result) Result {
	r.Seconds, r.FLOPs, r.Peak, r.Memory = t.seconds, t.flops, t.peak, t.memory
	r.GFLOPs, r.PerSecond = t.flops/t.seconds/1e9, t.count/t.seconds
	if t.peak > 0 {
		r.Fraction = r.GFLOPs / t.peak
	}
	return r
}

// contender is who runs a workload: this program or a peer.
type contender interface {
	turn(ctx context.Context) (turn, error)
	// describe fills in who it is.
	describe(r *Result, variant string, features []string)
}

// floor measures the fastest that a device can be.
type floor struct {
	device engine.Device
	within time.Duration
}

// peaker is a device that can measure its floor, in GFLOP/s: the CPU's
// multiply-adds on registers, a card's own large product.
type peaker interface {
	Peak(within time.Duration) float64
}

// defaultFloor is how long the floor is measured unless Options say otherwise.
const defaultFloor = 50 * time.Millisecond

func (f floor) measure() float64 {
	p, ok := f.device.(peaker)
	if !ok {
		return 0
	}
	if f.within <= 0 {
		return p.Peak(defaultFloor)
	}
	return p.Peak(f.within)
}

// around times work between two measurements of the floor.
func (f floor) around(work func() (done, float64, error)) (turn, error) {
	before := f.measure()
	d, seconds, err := work()
	if err != nil {
		return turn{}, err
	}
	return turn{done: d, seconds: seconds, peak: (before + f.measure()) / 2}, nil
}

// own is this program as a contender.
type own struct {
	job   job
	floor floor
}

func (o *own) turn(ctx context.Context) (turn, error) {
	if err := o.job.reset(); err != nil {
		return turn{}, err
	}
	return o.floor.around(func() (done, float64, error) {
		began := time.Now()
		d, err := o.job.run(ctx)
		return d, time.Since(began).Seconds(), err
	})
}

func (o *own) describe(r *Result, variant string, features []string) {
	r.Variant = join(variant, strings.Join(features, "+"))
}
