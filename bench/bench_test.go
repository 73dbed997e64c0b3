package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

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

// small are all workloads, those of very many rows with fewer.
func small() []Workload {
	wide := []int{784, 1000, 1000, 1000}
	workloads := Workloads()
	for i := range workloads {
		switch w := &workloads[i]; w.Name {
		case "ascent-wide":
			w.prepare = climbing(wide, 20, 9)
		case massName:
			w.prepare = climbingMass(wide, 5, 20)
		case "gibbs":
			w.prepare = sampling(1000, 1000, 100)
		}
	}
	return workloads
}

func quick() Options { return Options{Seed: 1, Steps: 1, Repeats: 2, Floor: time.Millisecond} }

// TestWorkloads runs every workload at its smallest and looks at what it says.
func TestWorkloads(t *testing.T) {
	d := open(t, "")
	// The work of one step, from the table of workloads.
	flops := map[string]float64{
		"product": 2 * 512 * 1000 * 1000, "ascent-wide": 180 * 7.136e6, "ascent-paper": 324 * 7.136e6,
		"ascent-patch": 144 * 9 * 4 * (144*400 + 400*400), massName: 2 * 100 * 7.136e6,
		"train-rbm/b100": 100 * 7.84e6, "train-rbm/b1000": 1000 * 7.84e6, "train-dae/b100": 100 * 7.84e6, "train-dae/b1000": 1000 * 7.84e6,
		"gibbs": 100 * 4e6, "deform": 0,
	}
	for _, w := range small() {
		t.Run(w.title(), func(t *testing.T) {
			results, err := Run(t.Context(), d, w, quick())
			if err != nil {
				t.Fatal(err)
			}
			if len(results) != 1 {
				t.Fatalf("%d results", len(results))
			}
			r := results[0]
			want, known := flops[w.title()]
			switch {
			case !known || r.FLOPs != want:
				t.Errorf("%g floating-point operations, want %g", r.FLOPs, want)
			case r.Workload != w.Name || !strings.HasPrefix(r.Variant, join(w.Variant, d.Info().Features[0])) || r.Device != "cpu" || r.Hardware != d.Info().Description || r.Precision != "fp32" || r.Unit != w.Unit:
				t.Errorf("names: %+v", r)
			case !(r.Seconds > 0 && r.PerSecond > 0 && r.Peak > 0):
				t.Errorf("numbers: %+v", r)
			case math.Abs(r.GFLOPs*r.Seconds*1e9-r.FLOPs) > 1e-9*r.FLOPs || r.Fraction != r.GFLOPs/r.Peak:
				t.Errorf("numbers do not belong together: %+v", r)
			case (r.Memory > 0) != (w.Name == massName):
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

// TestSmall runs the small workloads on what calls itself a card: results say
// what they are, and those of the processor that they are the processor's.
func TestSmall(t *testing.T) {
	d := elsewhere{open(t, ""), "cuda:1"}
	for _, w := range SmallWorkloads() {
		results, err := Run(t.Context(), d, w, Options{Seed: 1, Steps: 2, Repeats: 1})
		if err != nil {
			t.Error(err)
			continue
		}
		r := results[0]
		if !strings.Contains("/"+r.Variant+"/", "/small/") {
			t.Errorf("%s: variant %q does not say that it is small", w.title(), r.Variant)
		}
		if w.Name == "deform" {
			if r.Device != "cpu" || r.Hardware == "a card" || strings.Contains(r.Variant, "compute") {
				t.Errorf("deform is said to be done by %s, %s, %s", r.Device, r.Hardware, r.Variant)
			}
		} else if r.Device != "cuda:1" || r.Hardware != "a card" {
			t.Errorf("%s is said to be done by %s, %s", w.title(), r.Device, r.Hardware)
		}
	}
}

// TestPeersOfACard: beside a card run only programs that use the same card.
func TestPeersOfACard(t *testing.T) {
	cpu := open(t, "")
	for _, w := range Workloads() {
		for _, k := range PeerKinds(w, elsewhere{cpu, "cuda:1"}) {
			if k.script != "torch_peer.py" {
				t.Errorf("%s: %s does not run on a card", w.title(), k.Name)
			}
		}
	}
	for name, want := range map[string]string{"cpu": "cpu", "cuda:1": "cuda:1", "cuda:all": "cuda:0"} {
		if got := peerDevice(elsewhere{cpu, name}); got != want {
			t.Errorf("%s is %s to PyTorch, want %s", name, got, want)
		}
	}
	w := SmallWorkloads()[0]
	if _, err := StartPeer(t.Context(), "python3", PeerKinds(w, cpu)[0], cpu, w, quick()); !errors.Is(err, ErrNoPeer) {
		t.Errorf("a peer of a small workload: %v", err)
	}
}

// The keys of the file are part of what people rely on.
func TestKeys(t *testing.T) {
	text, err := json.Marshal(Result{Workload: "product", Memory: 1, Peer: "x"})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := []string{"device", "flops", "fraction", "gflops", "hardware", "peak_gflops", "peer", "per_second", "precision", "seconds", "unit", "variant", "workload"}
	if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
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
	case engine.Ascent:
		q.Radius *= 1.001
		p = q
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

// TestWrongResults: a device that computes something else gets no number.
func TestWrongResults(t *testing.T) {
	d := open(t, "")
	for _, w := range small() {
		if w.Name == "deform" || w.Name == massName && testing.Short() {
			continue // deform does not use the device
		}
		t.Run(w.title(), func(t *testing.T) {
			wrong := broken{Device: d, product: w.Name == "product", plans: true}
			o := quick()
			o.Repeats = 1
			if results, err := Run(t.Context(), wrong, w, o); err == nil {
				t.Errorf("the wrong device got %+v", results)
			}
		})
	}
}

func TestRunRefuses(t *testing.T) {
	d := open(t, "")
	w := small()[0]
	tiny, err := dataset.Open("digits:n=50", 1)
	if err != nil {
		t.Fatal(err)
	}
	training, err := Select(Workloads(), "train-rbm")
	if err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		w    Workload
		o    Options
		want string
	}{
		{"no repeats", t.Context(), w, Options{Steps: 1}, "0 repeats"},
		{"negative steps", t.Context(), w, Options{Steps: -1, Repeats: 1}, "-1 steps"},
		{"less than a batch", t.Context(), training[0], Options{Steps: 1, Repeats: 1, Data: tiny}, "50 examples"},
		{"canceled", canceled, w, Options{Steps: 1, Repeats: 1}, "canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Run(c.ctx, d, c.w, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), c.w.Name) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
		})
	}
}

func TestSelect(t *testing.T) {
	for list, want := range map[string]int{"product": 1, "train-rbm": 2, "gibbs, product": 2, "standard": 10, "all": 11} {
		if got, err := Select(Workloads(), list); err != nil || len(got) != want {
			t.Errorf("%s: %d workloads, %v, want %d", list, len(got), err, want)
		}
	}
	for _, list := range []string{"", "nonsense", "product,"} {
		if got, err := Select(Workloads(), list); err == nil {
			t.Errorf("%q: %d workloads", list, len(got))
		}
	}
}

// TestMedian: the median is of the share of the floor, not of seconds.
func TestMedian(t *testing.T) {
	turns := []turn{{seconds: 3, peak: 10}, {seconds: 1, peak: 40}, {seconds: 2, peak: 10}}
	if got := median(turns); got.seconds != 3 {
		t.Errorf("the median took %g s", got.seconds)
	}
	if got := median(turns[:2]); got.seconds != 3 {
		t.Errorf("the median of two took %g s", got.seconds)
	}
}

func TestCompare(t *testing.T) {
	results := []Result{
		{Workload: "product", PerSecond: 30, Peak: 100},
		{Workload: "product", Variant: "slow", PerSecond: 10, Peak: 100, Peer: "a"},
		{Workload: "product", Variant: "fast", PerSecond: 10, Peak: 50, Peer: "b"},
		{Workload: "deform", PerSecond: 1},
	}
	pairs := Compare(results)
	if len(pairs) != 1 || pairs[0].Best.Variant != "fast" || pairs[0].Ratio != 1.5 {
		t.Errorf("pairs %+v", pairs)
	}
}

func TestHighWater(t *testing.T) {
	for text, want := range map[string]int64{"Name:\tx\nVmHWM:\t   12 kB\n": 12 << 10, "VmHWM: x kB": 0, "": 0} {
		if got := highWater([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestExponent(t *testing.T) {
	points := []Point{{10, 7}, {1000, 1}, {10000, 100}, {100000, 10000}}
	if got := Exponent(points); math.Abs(got-2) > 1e-9 {
		t.Errorf("exponent %g, want 2", got)
	}
}

func TestPlot(t *testing.T) {
	points := []Point{{10, 1e-4}, {1000, 1e-2}, {100000, 1}}
	for format, want := range map[string]string{"png": "\x89PNG", "svg": "<?xml"} {
		var picture bytes.Buffer
		if err := Plot(&picture, format, "a device", points); err != nil || !strings.HasPrefix(picture.String(), want) {
			t.Errorf("%s: %v, begins with %.10q", format, err, picture.String())
		}
	}
	for name, bad := range map[string][]Point{"none": nil, "no time": {{10, 0}}, "no rows": {{0, 1}}, "infinite": {{10, math.Inf(1)}}} {
		if err := Plot(&bytes.Buffer{}, "png", "", bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := Plot(&bytes.Buffer{}, "gif", "", points); err == nil {
		t.Error("gif: no error")
	}
}

func TestPeerEnvironment(t *testing.T) {
	both := []string{"HOME=/", "OPENBLAS_CORETYPE=Haswell", "OPENBLAS_L2_SIZE=1"}
	got := PeerEnvironment(both, 3)
	if want := []string{"HOME=/", "OMP_NUM_THREADS=3", "OPENBLAS_NUM_THREADS=3", "MKL_NUM_THREADS=3"}; !slices.Equal(got, want) || !PeerTuning(both) {
		t.Errorf("both set: %v", got)
	}
	if got := PeerEnvironment(both[:2], 1); !slices.Contains(got, both[1]) || PeerTuning(both[:2]) {
		t.Errorf("one set: %v", got)
	}
}

// TestPeers talks to a stand-in for an interpreter.
func TestPeers(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("the stand-in is a shell script: ", err)
	}
	d := open(t, "")
	w := small()[0]
	kind := PeerKinds(w, d)[0]
	start := func(t *testing.T, script string) (*Peer, error) {
		path := t.TempDir() + "/python"
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
		return StartPeer(t.Context(), path, kind, d, w, quick())
	}
	t.Run("takes turns", func(t *testing.T) {
		p, err := start(t, `echo ready stand-in 1; while read line; do echo '{"seconds": 0.5, "flops": 1e9, "per_second": 4}'; done`)
		if err != nil {
			t.Fatal(err)
		}
		defer closeForTest(t, p)
		results, err := Run(t.Context(), d, w, quick(), p)
		if err != nil {
			t.Fatal(err)
		}
		if len(results) != 2 || results[1].GFLOPs != 2 || results[1].PerSecond != 4 || results[1].Variant != kind.Name || results[1].Peer == "" {
			t.Errorf("results %+v", results)
		}
	})
	for name, c := range map[string]struct {
		script  string
		missing bool
	}{
		"a module is missing": {"echo skip no module named torch", true},
		"it crashes":          {"echo trouble >&2; exit 1", false},
		"it babbles":          {"echo hello", false},
		"a line without end":  {"head -c 1000000 /dev/zero", false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := start(t, c.script)
			if err == nil {
				closeForTest(t, p)
				t.Fatal("no error")
			}
			if errors.Is(err, ErrNoPeer) != c.missing {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("no interpreter", func(t *testing.T) {
		if _, err := StartPeer(t.Context(), "no-such-python", kind, d, w, quick()); !errors.Is(err, ErrNoPeer) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("it dies at work", func(t *testing.T) {
		p, err := start(t, "echo ready x; read line; echo nonsense")
		if err != nil {
			t.Fatal(err)
		}
		defer closeForTest(t, p)
		if _, err := Run(t.Context(), d, w, quick(), p); err == nil {
			t.Error("no error")
		}
	})
}

func closeForTest(t *testing.T, p *Peer) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// BenchmarkWorkloads times every workload, shortened, on every variant of the
// CPU: BenchmarkWorkloads/ascent-wide/avx512. `unitscope bench` runs them whole.
func BenchmarkWorkloads(b *testing.B) {
	for _, w := range Workloads() {
		if w.Name == massName {
			continue // a million rows
		}
		for _, variant := range cpu.Variants() {
			b.Run(join(w.Name, w.Variant, variant), func(b *testing.B) { benchmarkWorkload(b, w, variant) })
		}
	}
}

func benchmarkWorkload(b *testing.B, w Workload, variant string) {
	k := &kit{device: open(b, variant)}
	defer func() {
		if err := k.close(); err != nil {
			b.Error(err)
		}
	}()
	j, err := w.prepare(k, Options{Seed: 1, Steps: 5})
	if err != nil {
		b.Fatal(err)
	}
	var all done
	for b.Loop() {
		b.StopTimer()
		if err := j.reset(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		d, err := j.run(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		all.count, all.flops = all.count+d.count, all.flops+d.flops
	}
	if err := j.check(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(all.count/b.Elapsed().Seconds(), w.Unit+"/s")
	if all.flops > 0 {
		b.ReportMetric(all.flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	}
}

func Example() {
	device, err := cpu.Open(cpu.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	workloads, err := Select(Workloads(), "product")
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := Run(context.Background(), device, workloads[0], Options{Seed: 1, Steps: 1, Repeats: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range results {
		fmt.Println(r.Workload, r.FLOPs, "floating-point operations,", r.GFLOPs > 0)
	}
	// Output: product 1.024e+09 floating-point operations, true
}
