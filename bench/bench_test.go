package bench_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/unitscope/unitscope/bench"
	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
)

func open(t testing.TB, variant string) engine.Device {
	t.Helper()
	d, err := cpu.Open(cpu.Options{Variant: variant})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func quick() bench.Options {
	return bench.Options{Seed: 1, Steps: 1, Repeats: 2, Floor: time.Millisecond}
}

// title is a workload's name with its variant and size: "train-rbm/b100/small".
func title(w bench.Workload) string {
	parts := []string{w.Name}
	if w.Variant != "" {
		parts = append(parts, w.Variant)
	}
	if w.Small {
		parts = append(parts, "small")
	}
	return strings.Join(parts, "/")
}

// choose returns workloads of the whole size that are in this list, which a test has
// time for, and all small ones.
func choose(t *testing.T, list string) []bench.Workload {
	t.Helper()
	whole, err := bench.Select(bench.Workloads(), list)
	if err != nil {
		t.Fatal(err)
	}
	return append(whole, bench.SmallWorkloads()...)
}

// TestWorkloads runs workloads for a step and looks at what they say.
func TestWorkloads(t *testing.T) {
	d := open(t, "")
	// The work of one step, from the table of workloads.
	flops := map[string]float64{
		"product": 2 * 512 * 1000 * 1000, "ascent-paper": 324 * 7.136e6, "ascent-patch": 144 * 9 * 4 * (144*400 + 400*400),
		"train-rbm/b100": 100 * 7.84e6, "train-rbm/b1000": 1000 * 7.84e6, "train-dae/b100": 100 * 7.84e6, "train-dae/b1000": 1000 * 7.84e6,
		"product/small": 2 * 70 * 50 * 40, "ascent-wide/small": 180 * 16e3, "ascent-paper/small": 36 * 16e3,
		"ascent-patch/small": 10 * 9 * 4 * (36*20 + 20*20), "ascent-mass/small": 2 * 400 * 16e3, // a row stops at its second evaluation
		"train-rbm/b100/small": 100 * 28e3, "train-rbm/b1000/small": 1000 * 28e3, "train-dae/b100/small": 100 * 28e3, "train-dae/b1000/small": 1000 * 28e3,
		"gibbs/small": 100 * 4 * 40 * 40, "deform/small": 0,
	}
	for _, w := range choose(t, "product,ascent-paper,ascent-patch,train-rbm,train-dae") {
		t.Run(title(w), func(t *testing.T) {
			results, err := bench.Run(t.Context(), d, w, quick())
			if err != nil {
				t.Fatal(err)
			}
			if len(results) != 1 {
				t.Fatalf("%d results", len(results))
			}
			r := results[0]
			want, known := flops[title(w)]
			variant := strings.TrimPrefix(strings.TrimPrefix(title(w)+"/"+d.Info().Features[0], w.Name), "/")
			switch {
			case !known || r.FLOPs != want:
				t.Errorf("%g floating-point operations, want %g", r.FLOPs, want)
			case r.Workload != w.Name || !strings.HasPrefix(r.Variant, variant) || r.Device != "cpu" || r.Hardware != d.Info().Description || r.Precision != "fp32" || r.Unit != w.Unit:
				t.Errorf("names: %+v", r)
			case !(r.Seconds > 0 && r.PerSecond > 0 && r.Peak > 0):
				t.Errorf("numbers: %+v", r)
			case math.Abs(r.GFLOPs*r.Seconds*1e9-r.FLOPs) > 1e-9*r.FLOPs || r.Fraction != r.GFLOPs/r.Peak:
				t.Errorf("numbers do not belong together: %+v", r)
			case (r.Memory > 0) != (w.Name == "ascent-mass"):
				t.Errorf("memory %d", r.Memory)
			}
		})
	}
}

// elsewhere is a device by another name.
type elsewhere struct {
	engine.Device
	name string
}

func (e elsewhere) Name() string { return e.name }
func (e elsewhere) Info() engine.Info {
	return engine.Info{Name: e.name, Description: "a card", Workers: 132, Features: []string{"compute-9.0"}}
}

// TestCard runs the small workloads on what calls itself a card: those of the
// processor say that they are the processor's.
func TestCard(t *testing.T) {
	d := elsewhere{open(t, ""), "cuda:1"}
	for _, w := range bench.SmallWorkloads() {
		results, err := bench.Run(t.Context(), d, w, bench.Options{Seed: 1, Steps: 2, Repeats: 1})
		if err != nil {
			t.Error(err)
			continue
		}
		r := results[0]
		if w.Name == "deform" {
			if r.Device != "cpu" || r.Hardware == "a card" || strings.Contains(r.Variant, "compute") {
				t.Errorf("deform is said to be done by %s, %s, %s", r.Device, r.Hardware, r.Variant)
			}
		} else if r.Device != "cuda:1" || r.Hardware != "a card" {
			t.Errorf("%s is said to be done by %s, %s", title(w), r.Device, r.Hardware)
		}
	}
}

// broken is a device that gets something wrong.
type broken struct {
	engine.Device
	product bool // every product
	plans   bool // what plans are compiled to
}

func (b broken) Gemm(dst, x, y engine.Matrix, p engine.Product) error {
	if b.product {
		p.Alpha *= 1.001
	}
	return b.Device.Gemm(dst, x, y, p)
}

func (b broken) Compile(p engine.Plan) (engine.Runner, error) {
	if !b.plans {
		return nil, engine.ErrNotFused
	}
	switch q := p.(type) {
	case engine.ContrastiveDivergence:
		q.GibbsSteps++
		p = q
	case engine.Denoise:
		q.Corruption.Level /= 2
		p = q
	case engine.Gibbs:
		q.Seed++
		p = q
	}
	return engine.Plain(b.Device, p)
}

// Load has goals that are too large.
func (b broken) Load(n engine.Net) (engine.Loaded, error) {
	loaded, err := b.Device.Load(n)
	return larger{loaded}, err
}

type larger struct{ engine.Loaded }

func (l larger) Gradient(dst, x engine.Matrix, aims engine.Aims, values []float32) error {
	err := l.Loaded.Gradient(dst, x, aims, values)
	for i := range values {
		values[i] *= 1.001
	}
	return err
}

// TestWrongResults: a device that computes something else gets no number.
func TestWrongResults(t *testing.T) {
	d := open(t, "")
	for _, w := range choose(t, "product,ascent-patch,train-rbm,train-dae") {
		if w.Name == "deform" {
			continue // it does not use the device
		}
		t.Run(title(w), func(t *testing.T) {
			wrong := broken{Device: d, product: w.Name == "product", plans: true}
			o := quick()
			o.Repeats = 1
			if results, err := bench.Run(t.Context(), wrong, w, o); err == nil {
				t.Errorf("the wrong device got %+v", results)
			}
		})
	}
}

func TestRunRefuses(t *testing.T) {
	d := open(t, "")
	w := bench.SmallWorkloads()[0]
	tiny, err := dataset.Open("digits:n=50", 1)
	if err != nil {
		t.Fatal(err)
	}
	training, err := bench.Select(bench.Workloads(), "train-rbm")
	if err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		w    bench.Workload
		o    bench.Options
		want string
	}{
		{"no repeats", t.Context(), w, bench.Options{Steps: 1}, "0 repeats"},
		{"negative steps", t.Context(), w, bench.Options{Steps: -1, Repeats: 1}, "-1 steps"},
		{"less than a batch", t.Context(), training[0], bench.Options{Steps: 1, Repeats: 1, Data: tiny}, "50 examples"},
		{"canceled", canceled, w, bench.Options{Steps: 1, Repeats: 1}, "canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := bench.Run(c.ctx, d, c.w, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), c.w.Name) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
		})
	}
}

func TestSelect(t *testing.T) {
	for list, want := range map[string]int{"product": 1, "train-rbm": 2, "gibbs, product": 2, "standard": 10, "all": 11} {
		if got, err := bench.Select(bench.Workloads(), list); err != nil || len(got) != want {
			t.Errorf("%s: %d workloads, %v, want %d", list, len(got), err, want)
		}
	}
	for _, list := range []string{"", "nonsense", "product,"} {
		if got, err := bench.Select(bench.Workloads(), list); err == nil {
			t.Errorf("%q: %d workloads", list, len(got))
		}
	}
}

// BenchmarkWorkloads times every workload, shortened, on every variant of the
// CPU: BenchmarkWorkloads/ascent-wide/avx512. `unitscope bench` runs them whole.
func BenchmarkWorkloads(b *testing.B) {
	workloads, err := bench.Select(bench.Workloads(), "standard")
	if err != nil {
		b.Fatal(err)
	}
	for _, w := range workloads {
		for _, variant := range cpu.Variants() {
			b.Run(title(w)+"/"+variant, func(b *testing.B) {
				d, rate, speed := open(b, variant), 0.0, 0.0
				for b.Loop() {
					results, err := bench.Run(b.Context(), d, w, bench.Options{Seed: 1, Steps: 5, Repeats: 1})
					if err != nil {
						b.Fatal(err)
					}
					rate, speed = max(rate, results[0].PerSecond), max(speed, results[0].GFLOPs)
				}
				// The time of a loop is preparation and the machine's floor too.
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(rate, w.Unit+"/s")
				b.ReportMetric(speed, "GFLOP/s")
			})
		}
	}
}

func Example() {
	device, err := cpu.Open(cpu.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	workloads, err := bench.Select(bench.Workloads(), "product")
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := bench.Run(context.Background(), device, workloads[0], bench.Options{Seed: 1, Steps: 1, Repeats: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range results {
		fmt.Println(r.Workload, r.FLOPs, "floating-point operations,", r.GFLOPs > 0)
	}
	// Output: product 1.024e+09 floating-point operations, true
}
