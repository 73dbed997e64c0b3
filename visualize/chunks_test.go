package visualize

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// tight is a device that has not enough memory for what refuse says. Plans and
// networks run by their definitions, so that it is asked for everything that they need.
type tight struct {
	engine.Device
	refuse  func(rows, cols int) bool
	refused int
	unsaid  error // by Sync, as of a device that works asynchronously
}

func (d *tight) New(rows, cols int) (engine.Matrix, error) {
	if d.refuse(rows, cols) {
		d.refused++
		d.unsaid = fmt.Errorf("new matrix: %dx%d: %w", rows, cols, engine.ErrOutOfMemory)
		return nil, d.unsaid
	}
	if d.unsaid != nil {
		return nil, errors.New("nobody has synchronised after the last error")
	}
	return d.Device.New(rows, cols)
}

func (d *tight) Sync() error {
	err := d.unsaid
	d.unsaid = nil
	return errors.Join(err, d.Device.Sync())
}

func (d *tight) Compile(engine.Plan) (engine.Runner, error) { return nil, engine.ErrNotFused }
func (d *tight) Load(engine.Net) (engine.Loaded, error)     { return nil, engine.ErrNotFused }

// TestOutOfMemoryChangesNothing checks that what does not fit a device's memory is
// done in smaller pieces and to the same bits, wherever it shows: when matrices are
// made, when a plan runs, or in the middle of one.
func TestOutOfMemoryChangesNothing(t *testing.T) {
	roomy := func(int, int) bool { return false }
	n := randomNetwork(t, 9, 4, 0.5, 15, 12, 9)
	net := dbn(engine.Bernoulli, randomRBM(t, 1, 1, 0.5, 20, 16), randomRBM(t, 5, 1, 0.5, 16, 11))
	set := randomSet(2, 101, 15)
	points := numbers(t, array(t, normals(3, 1, 9*15), 9, 15))
	ascent := func(d engine.Device) []float32 {
		o := options(2, 0, 3, 5)
		o.Rate, o.Patience, o.MaxSteps = 0.25, 1000, 120 // so that no row stops before
		o.Curves = true
		r := ascend(t, d, n, o)
		return slices.Concat(numbers(t, r.Patterns), numbers(t, r.Activation), numbers(t, r.Curves.Activation))
	}
	sample := func(layer int) func(d engine.Device) []float32 {
		return func(d engine.Device) []float32 {
			o := DefaultSample()
			o.Layer, o.Units, o.Samples, o.Chains, o.BurnIn, o.Every = layer, []int{4, 0, 10, 7}, 15, 5, 30, 10
			r := sampleOf(t, d, net, o)
			return slices.Concat(numbers(t, r.Samples), numbers(t, r.FreeMean))
		}
	}
	tempered := func(d engine.Device) []float32 {
		o := DefaultSample()
		o.Layer, o.Units, o.Samples, o.Chains, o.BurnIn, o.Every, o.Temperatures = 2, []int{4, 0}, 12, 4, 6, 4, 3
		r := sampleOf(t, d, net, o)
		return slices.Concat(numbers(t, r.Samples), numbers(t, r.FreeMean), []float32{float32(r.Mixing[0].Acceptance), float32(r.Temperatures[1])})
	}
	later := func(after, rows, cols int) func(int, int) bool {
		return func(r, c int) bool {
			if r > rows && c == cols {
				after--
			}
			return r > rows && c == cols && after < 0
		}
	}
	for _, c := range []struct {
		name   string
		refuse func(rows, cols int) bool
		work   func(d engine.Device) []float32
	}{
		{"ascent, rows", func(rows, cols int) bool { return cols == 15 && rows > 12 }, ascent}, // weights are 12x15
		{"ascent, units below", func(rows, cols int) bool { return cols == 12 && rows > 9 }, ascent},
		{"ascent, in the middle", later(6, 9, 12), ascent}, // in its second run
		{"sample, states", func(rows, cols int) bool { return cols == 11 && rows > 3 }, sample(2)},
		{"sample, layer below", func(rows, cols int) bool { return cols == 20 && rows > 16 }, sample(2)},
		{"sample, means", func(rows, cols int) bool { return cols == 20 && rows > 16 }, sample(1)},
		{"sample, in the middle", later(1, 2, 1), sample(2)},
		{"sample, tempered", func(rows, cols int) bool { return cols == 11 && rows > 3 }, tempered},
		{"sample, tempered, in the middle", later(40, 2, 1), tempered},
		{"examples", func(rows, cols int) bool { return cols == 3 && rows > 10 }, func(d engine.Device) []float32 {
			r := examplesOf(t, d, n, set, ExamplesOptions{Layer: 2, Units: []int{1, 4, 8}, Top: 20})
			return slices.Concat(numbers(t, r.Activation), numbers(t, r.Patterns))
		}},
		{"activations", func(rows, cols int) bool { return cols == 2 && rows > 1 }, func(d engine.Device) []float32 {
			a, err := activationsOf(d, n, 2, []int{3, 4}, points)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}},
		{"gradients", func(rows, cols int) bool { return cols == 12 && rows > 9 || cols == 15 && rows == 9 }, func(d engine.Device) []float32 {
			units := []int{0, 1, 2, 3, 4, 5, 6, 7, 8}
			g, err := Gradients(context.Background(), d, n, 2, Patterns{Data: array(t, points, 9, 15), Units: units})
			if err != nil {
				t.Fatal(err)
			}
			return numbers(t, g)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cpu := openDevice(t)
			want := c.work(&tight{Device: cpu, refuse: roomy})
			d := &tight{Device: cpu, refuse: c.refuse}
			got := c.work(d)
			if d.refused == 0 {
				t.Fatal("everything did fit, so nothing to test with")
			}
			if !slices.Equal(got, want) {
				t.Error("numbers differ")
			}
		})
	}
}

// TestNothingFits checks the error where not even a single row fits, and that
// nothing else is tried after another error.
func TestNothingFits(t *testing.T) {
	n := randomNetwork(t, 9, 4, 0.5, 15, 12, 9)
	net := dbn(engine.Bernoulli, randomRBM(t, 1, 1, 0.5, 20, 16), randomRBM(t, 5, 1, 0.5, 16, 11))
	sample := func(d engine.Device, net *network.Network) error {
		o := DefaultSample()
		o.Layer, o.Units = 2, []int{4}
		_, err := Sample(context.Background(), d, net, o, nil)
		return err
	}
	for _, c := range []struct {
		name   string
		refuse func(rows, cols int) bool
		work   func(d engine.Device) error
		words  string // beside those of every error
	}{
		{"ascent, rows", func(rows, cols int) bool { return rows != 12 && cols == 15 }, func(d engine.Device) error {
			_, err := Ascend(context.Background(), d, n, options(2, 0, 3, 5), nil)
			return err
		}, "a single row, which takes about 1212 bytes,"}, // 17 rows of 15, 2 of 12 units and 2 of 12 weights
		{"ascent, weights", func(rows, cols int) bool { return rows == 12 && cols == 15 }, func(d engine.Device) error {
			_, err := Ascend(context.Background(), d, n, options(2, 0, 3, 5), nil)
			return err
		}, "the layers"},
		{"sample, chains", func(rows, cols int) bool { return cols == 1 }, func(d engine.Device) error { return sample(d, net) }, "a single row, which takes about 440 bytes,"},
		{"sample, weights", func(rows, cols int) bool { return rows == 16 && cols == 20 }, func(d engine.Device) error { return sample(d, net) }, "the layers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &tight{Device: openDevice(t), refuse: c.refuse}
			err := c.work(d)
			if !errors.Is(err, engine.ErrOutOfMemory) {
				t.Fatalf("error %v", err)
			}
			for _, w := range []string{c.words, "cpu has not enough memory", "free: ", "smaller model", "a machine with more memory"} {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q lacks %q", err, w)
				}
			}
		})
	}
	calls, other := 0, errors.New("something else")
	err := inChunks(openDevice(t), 10, 4, 1, func(int, int) error { calls++; return other })
	if calls != 1 || !errors.Is(err, other) {
		t.Errorf("%d calls, error %v", calls, err)
	}
}

// sized is a device that says how much memory is free.
type sized struct {
	engine.Device
	free int64
}

func (s sized) Info() engine.Info { return engine.Info{FreeMemory: s.free} }

func TestChunksFitTheMemory(t *testing.T) {
	net, err := randomNetwork(t, 1, 1, 0, 100, 50, 20).Upto(2, nil)
	if err != nil {
		t.Fatal(err)
	}
	// 17 rows of 100 inputs, 2 of 50 units below and 2 of the target's 50
	// weights: 1900 numbers of 4 bytes, in half of the memory.
	const row = 2 * 4 * 1900
	for _, c := range []struct {
		free        int64
		asked       int
		n, want     int
		description string
	}{
		{10 * row, 0, 100, 10, "10 rows fit"},
		{10*row - 1, 0, 100, 9, "not quite 10 rows fit"},
		{10 * row, 0, 7, 7, "all fit"},
		{1, 0, 100, 1, "nothing fits, one row is tried"},
		{0, 0, 1 << 40, maxChunkRows, "memory unknown"},
		{1 << 50, 0, 1 << 40, maxChunkRows, "memory without end"},
		{10 * row, 33, 100, 33, "as asked for"},
		{10 * row, 33, 20, 20, "asked for more than there are"},
	} {
		k := &layerAscent{device: sized{free: c.free}, net: net, options: AscentOptions{ChunkRows: c.asked}}
		if got := k.chunkRows(c.n); got != c.want {
			t.Errorf("%s: %d rows, want %d", c.description, got, c.want)
		}
	}
}

// counted is a device with little memory, which counts how often networks are loaded.
type counted struct {
	engine.Device
	loads int
}

func (d *counted) Load(n engine.Net) (engine.Loaded, error) {
	d.loads++
	return d.Device.Load(n)
}

func (d *counted) Info() engine.Info {
	info := d.Device.Info()
	info.FreeMemory = 4 << 10
	return info
}

// TestLoadedOnce checks that a network is put on the device once, in however many
// chunks its rows go, and that these change nothing.
func TestLoadedOnce(t *testing.T) {
	n := randomNetwork(t, 5, 4, 0.5, 15, 12, 9)
	for i := range n.Layers {
		inputs := n.Sizes()[i]
		n.Layers[i].VisibleBias = array(t, normals(uint64(i), 1, inputs), inputs)
	}
	points := normals(3, 1, 40*15)
	var units []int
	for i := range 40 {
		units = append(units, i%9)
	}
	cpu := openDevice(t)
	for name, work := range map[string]func(d engine.Device) []float32{
		"gradients": func(d engine.Device) []float32 {
			g, err := Gradients(t.Context(), d, n, 2, Patterns{Data: array(t, points, 40, 15), Units: units})
			if err != nil {
				t.Fatal(err)
			}
			return numbers(t, g)
		},
		"reconstruction": func(d engine.Device) []float32 {
			c := compareWork{ctx: t.Context(), device: d, model: n, options: CompareOptions{Layer: 2}, inputs: 15, patterns: points, missing: make([]bool, 40), result: &CompareResult{Rows: make([]Compared, 40)}}
			if err := c.reconstruct(); err != nil {
				t.Fatal(err)
			}
			var away []float32
			for _, r := range c.result.Rows {
				away = append(away, float32(r.Reconstruction))
			}
			return away
		},
	} {
		d := &counted{Device: cpu}
		if got := work(d); !slices.Equal(got, work(cpu)) || d.loads != 1 {
			t.Errorf("%s: loaded %d times, the same numbers: %v", name, d.loads, slices.Equal(got, work(cpu)))
		}
	}
}
