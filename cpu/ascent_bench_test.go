package cpu_test

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/cpu/internal/kernel"
	"github.com/unitscope/unitscope/engine"
)

// peak is the rate of multiply-adds on registers, on so many threads at once,
// in GFLOP/s.
func peak(set *kernel.Set, workers int) float64 {
	const turns = 1 << 21
	rates := make([]float64, workers)
	var all sync.WaitGroup
	for w := range rates {
		all.Go(func() {
			began := time.Now()
			flops := set.Peak(turns)
			rates[w] = flops / time.Since(began).Seconds() / 1e9
		})
	}
	all.Wait()
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	return sum
}

// benchmarkLayers is a network with weights as training leaves them in size.
func benchmarkLayers(sizes ...int) (layers []engine.Layer) {
	at := engine.Stream{Seed: 1, Purpose: engine.PurposeWeights}
	for l := 1; l < len(sizes); l++ {
		w := engine.Host{Rows: sizes[l], Cols: sizes[l-1], Data: make([]float32, sizes[l]*sizes[l-1])}
		deviation := float32(1 / math.Sqrt(float64(sizes[l-1])))
		for i := range w.Rows {
			at.Keys = []uint64{engine.RowKey(l, i, 0)}
			for j := range w.Cols {
				w.Data[i*w.Cols+j] = deviation * at.Normal(0, j)
			}
		}
		layers = append(layers, engine.Layer{Weight: w, Bias: make([]float32, sizes[l])})
	}
	return layers
}

func BenchmarkAscent(b *testing.B) {
	for _, c := range []struct {
		name        string
		sizes       []int
		rows, steps int
	}{
		{"wide", []int{784, 1000, 1000, 1000}, 9000, 8},
		{"paper", []int{784, 1000, 1000, 1000}, 324, 60},
		{"patch", []int{144, 400, 400, 400}, 1296, 100},
	} {
		layers := benchmarkLayers(c.sizes...)
		flops := 0.0
		for l := 1; l < len(c.sizes)-1; l++ {
			flops += 4 * float64(c.sizes[l-1]) * float64(c.sizes[l])
		}
		for _, set := range kernel.Variants() {
			b.Run(c.name+"/"+set.Name, func(b *testing.B) {
				benchmarkAscent(b, set, layers, c.rows, c.steps, flops)
			})
		}
	}
}

func benchmarkAscent(b *testing.B, set *kernel.Set, layers []engine.Layer, rows, steps int, flops float64) {
	d, err := cpu.Open(cpu.Options{Variant: set.Name})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	top := layers[len(layers)-1].Weight.Rows
	c := climb{layers, engine.Rule{Rate: 0.1, Radius: 9, Patience: math.MaxInt, MaxSteps: math.MaxInt}}
	m := c.loaded(b, d)
	units, keys := make([]int, rows), make([]uint64, rows)
	for i := range units {
		units[i] = i % top
		keys[i] = engine.RowKey(len(layers), units[i], i)
	}
	x, err := d.New(rows, layers[0].Weight.Cols)
	if err != nil {
		b.Fatal(err)
	}
	if err := d.Uniform(x, engine.Stream{Seed: 1, Purpose: engine.PurposeStart, Keys: keys}); err != nil {
		b.Fatal(err)
	}
	if err := d.Project(x, 9); err != nil {
		b.Fatal(err)
	}
	state := engine.NewAscentState(c.goals(), units, x)
	workers := d.Info().Workers
	best, floor := 0.0, peak(set, workers)
	for b.Loop() {
		began := time.Now()
		progress, err := m.Ascend(state, c.rule, steps)
		if err != nil {
			b.Fatal(err)
		}
		if progress.RowSteps != int64(rows*steps) {
			b.Fatal(fmt.Errorf("%d row-steps, want %d", progress.RowSteps, rows*steps))
		}
		best = max(best, flops*float64(progress.RowSteps)/time.Since(began).Seconds()/1e9)
		b.StopTimer()
		floor = max(floor, peak(set, workers))
		b.StartTimer()
	}
	b.ReportMetric(best, "GFLOP/s")
	b.ReportMetric(floor, "peak-GFLOP/s")
	b.ReportMetric(100*best/floor, "%peak")
}
