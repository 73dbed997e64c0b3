package kernel

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// measured runs work under b.Loop and reports its rate as a fraction of the
// peak of multiply-adds, timed in turns with it: on a machine that others use
// only the ratio of two neighbours in time means anything. Of the ratios the
// median is reported, of the rates the medians.
func measured(b *testing.B, s *Set, flops float64, work func()) {
	var rates, peaks, ratios []float64
	turns := int(flops / s.Peak(1)) // as long as the work
	for b.Loop() {
		peak := rate(func() float64 { return s.Peak(turns) })
		r := rate(func() float64 { work(); return flops })
		peak = max(peak, rate(func() float64 { return s.Peak(turns) }))
		rates, peaks, ratios = append(rates, r), append(peaks, peak), append(ratios, r/peak)
	}
	b.ReportMetric(median(rates), "GFLOP/s")
	b.ReportMetric(median(peaks), "peak-GFLOP/s")
	b.ReportMetric(median(ratios), "of-peak")
	b.ReportMetric(0, "ns/op") // holds the peak loop too
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

func rate(work func() float64) float64 {
	start := time.Now()
	done := work()
	return done / float64(max(1, time.Since(start).Nanoseconds()))
}

func BenchmarkMultiply(b *testing.B) {
	for _, s := range Variants() {
		for _, width := range []int{s.Lanes, s.Lanes / 2} {
			multiply := s.Multiply
			if width < s.Lanes {
				multiply = s.MultiplyNarrow
			}
			for _, k := range []int{256, 784, 1000} {
				b.Run(fmt.Sprintf("%dx%d/k=%d/%s", s.Rows, width, k, s.Name), func(b *testing.B) {
					a, x, c := ones(k*s.Rows), ones(k*width), ones(s.Rows*width)
					const turns = 100
					measured(b, s, float64(2*turns*k*s.Rows*width), func() {
						for range turns {
							multiply(k, a, x, c, width, false)
						}
					})
					if c[0] != float32(k) {
						b.Fatalf("a sum of %d ones is %g", k, c[0])
					}
				})
			}
		}
	}
}

func ones(n int) []float32 {
	// A page more, so that the runtime puts arrays on pages of their own.
	x := make([]float32, n+8192)[:n]
	for i := range x {
		x[i] = 1
	}
	return x
}

func BenchmarkElements(b *testing.B) {
	const n, lanes = 4096, 32
	x, y, words, factors := ones(n), ones(n), make([]uint32, n), ones(lanes)
	at := Stream{Seed: 1, Purpose: 3, Step: 2, Key: 5}
	for _, s := range Variants() {
		for _, f := range []struct {
			name string
			run  func()
		}{
			{"sigmoid", func() { s.Sigmoid(y, x) }},
			{"bias-sigmoid", func() { s.BiasSigmoid(y, x, x[:n/lanes], lanes) }},
			{"derivative", func() { s.DerivativeScale(y, x) }},
			{"axpby", func() { s.Axpby(y, 0.5, x, 0.5) }},
			{"dot", func() { s.Dot(x, y) }},
			{"lane-dots", func() { s.LaneDots(factors, x, y) }},
			{"lane-scale", func() { s.LaneScale(y, factors) }},
			{"words", func() { s.Words(words, at) }},
			{"uniform", func() { s.Uniform(y, at) }},
			{"bernoulli", func() { s.Bernoulli(y, x, at) }},
			{"count-below", func() { s.CountBelow(words, 1<<30) }},
		} {
			b.Run(f.name+"/"+s.Name, func(b *testing.B) {
				best := 1e9
				for b.Loop() {
					start := time.Now()
					for range 8 {
						f.run()
					}
					best = min(best, float64(time.Since(start).Nanoseconds())/(8*n))
				}
				b.ReportMetric(best, "ns/element")
				b.ReportMetric(0, "ns/op")
			})
		}
		b.Run("smallest/"+s.Name, func(b *testing.B) {
			draws := words[:784]
			s.Words(draws, at)
			for b.Loop() {
				s.Smallest(draws, 196)
			}
		})
	}
}
