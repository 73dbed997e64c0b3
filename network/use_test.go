package network_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	_ "github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

func openDevice(t testing.TB) engine.Device {
	t.Helper()
	d, err := engine.Open("cpu")
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

func upload(t testing.TB, d engine.Device, data []float32, rows, cols int) engine.Matrix {
	t.Helper()
	m, err := d.New(rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Write(data); err != nil {
		t.Fatal(err)
	}
	return m
}

func download(t testing.TB, m engine.Matrix) []float32 {
	t.Helper()
	out := make([]float32, m.Rows()*m.Cols())
	if err := m.Read(out); err != nil {
		t.Fatal(err)
	}
	return out
}

// encode64 is Encode in float64 for one row.
func encode64(t testing.TB, n *network.Network, layers int, x []float32) []float64 {
	h := make([]float64, len(x))
	for j, v := range x {
		h[j] = float64(v)
	}
	for _, l := range n.Layers[:layers] {
		w, b := numbers(t, l.Weight), numbers(t, l.Bias)
		next := make([]float64, len(b))
		for i := range next {
			sum := float64(b[i])
			for j := range h {
				sum += float64(w[i*len(h)+j]) * h[j]
			}
			next[i] = 1 / (1 + math.Exp(-sum))
		}
		h = next
	}
	return h
}

// noisy gives every bias of a network a value.
func noisy(t testing.TB, n *network.Network) *network.Network {
	random := rand.New(rand.NewPCG(7, 1))
	for _, l := range n.Layers {
		b := numbers(t, l.Bias)
		for i := range b {
			b[i] = random.Float32() - 0.5
		}
	}
	return n
}

func TestEncode(t *testing.T) {
	d := openDevice(t)
	// The same width on three levels makes layers share their room.
	n := noisy(t, untrained(t, network.SDAE, []int{3, 7}, 13, 13, 13, 13, 5))
	const rows, inputs = 9, 21
	x := make([]float32, rows*inputs)
	random := rand.New(rand.NewPCG(7, 2))
	for i := range x {
		x[i] = random.Float32()
	}
	for layers := range len(n.Layers) + 1 {
		t.Run(fmt.Sprint(layers, " layers"), func(t *testing.T) {
			e, err := n.NewEncoder(d, layers, rows)
			if err != nil {
				t.Fatal(err)
			}
			h, err := e.Encode(upload(t, d, x, rows, inputs))
			if err != nil {
				t.Fatal(err)
			}
			all := download(t, h)
			width := n.Sizes()[layers]
			if h.Rows() != rows || h.Cols() != width {
				t.Fatalf("result is %dx%d, want %dx%d", h.Rows(), h.Cols(), rows, width)
			}
			for i := range rows {
				want := encode64(t, n, layers, x[i*inputs:(i+1)*inputs])
				for j, w := range want {
					// Sums of at most 22 terms of size about 1 in float32, and
					// a sigmoid never steeper than 1/4.
					if got := float64(all[i*width+j]); math.Abs(got-w) > 1e-5 {
						t.Errorf("row %d unit %d is %g, want %g", i, j, got, w)
					}
				}
			}
			alone, err := e.Encode(upload(t, d, x[4*inputs:5*inputs], 1, inputs))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(download(t, alone), all[4*width:5*width]) {
				t.Error("a row alone gives other bits than in a batch")
			}
			none, err := e.Encode(upload(t, d, nil, 0, inputs))
			if err != nil || none.Rows() != 0 || none.Cols() != width {
				t.Errorf("no rows: %v, %v", none, err)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
			if err := e.Close(); err != nil {
				t.Errorf("second close: %v", err)
			}
			_, err = e.Encode(upload(t, d, x, rows, inputs))
			checkError(t, err, "encode: the encoder is closed")
		})
	}
}

func TestEncoderRefuses(t *testing.T) {
	d := openDevice(t)
	n := untrained(t, network.DBN, []int{4}, 3, 2)
	for _, c := range []struct {
		layers, rows int
		say          string
	}{
		{-1, 1, "new encoder: -1 layers of a network of 2"},
		{3, 1, "new encoder: 3 layers of a network of 2"},
		{1, 0, "new encoder: batches of 0 rows"},
		{1, -5, "new encoder: batches of -5 rows"},
		{1, math.MaxInt, "too large"},
	} {
		_, err := n.NewEncoder(d, c.layers, c.rows)
		checkError(t, err, c.say)
	}
	e, err := n.NewEncoder(d, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	_, err = e.Encode(upload(t, d, fill(16), 4, 4))
	checkError(t, err, "encode: x is 4x4, want up to 3 rows of 4 inputs")
	_, err = e.Encode(upload(t, d, fill(6), 2, 3))
	checkError(t, err, "encode: x is 2x3, want up to 3 rows of 4 inputs")
	_, err = e.Encode(nil)
	checkError(t, err, "encode: x is missing")

	n.Layers[1].Weight = of(t, fill(8), 2, 4)
	_, err = n.NewEncoder(d, 2, 3)
	checkError(t, err, "new encoder: net: operation 2, affine: its weights are for 4 inputs, value 1 has 3")
	n.Layers[1].Weight = nil
	_, err = n.NewEncoder(d, 2, 3)
	checkError(t, err, "new encoder: layers.2.weight: tensor is missing")
	if e, err := n.NewEncoder(d, 1, 3); err != nil {
		t.Errorf("a broken layer above matters: %v", err)
	} else if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestEncoderBeforeTraining(t *testing.T) {
	d := openDevice(t)
	n := &network.Network{Kind: network.DBN, InputShape: []int{2, 2}}
	e, err := n.NewEncoder(d, 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	x := upload(t, d, fill(8), 2, 4)
	if h, err := e.Encode(x); err != nil || h != x {
		t.Errorf("encode gave %v, %v, want x itself", h, err)
	}
}

func TestStack(t *testing.T) {
	n := untrained(t, network.MLP, []int{2, 3}, 5, 4, 3)
	stack, err := n.Stack(2)
	if err != nil {
		t.Fatal(err)
	}
	if len(stack) != 2 {
		t.Fatalf("%d layers, want 2", len(stack))
	}
	for i, l := range stack {
		w := n.Layers[i].Weight
		if l.Weight.Rows != w.Shape()[0] || l.Weight.Cols != w.Shape()[1] || !slices.Equal(l.Weight.Data, numbers(t, w)) || !slices.Equal(l.Bias, numbers(t, n.Layers[i].Bias)) {
			t.Errorf("layer %d is %+v", i+1, l)
		}
	}
	if _, err := engine.Stack(stack).Check(); err != nil {
		t.Errorf("it is no network: %v", err)
	}
	for _, layers := range []int{-1, 0, 4} {
		_, err := n.Stack(layers)
		checkError(t, err, fmt.Sprintf("stack: %d layers of a network of 3", layers))
	}
}

func TestPreprocess(t *testing.T) {
	n := untrained(t, network.MLP, []int{3}, 2)
	x := []float32{1, 2, 3, 4, 5, 6}
	same := func(want ...float32) {
		t.Helper()
		if err := n.Preprocess(x); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(x, want) {
			t.Errorf("got %v, want %v", x, want)
		}
	}
	same(1, 2, 3, 4, 5, 6)
	n.Mean = of(t, []float32{1, 0, -1}, 3)
	same(0, 2, 4, 3, 5, 7)
	n.Scale = of(t, []float32{2, 0.5, 0}, 3)
	same(-2, 1, 0, 4, 2.5, 0)
	n.Mean = nil
	same(-4, 0.5, 0, 8, 1.25, 0)
	if err := n.Preprocess(nil); err != nil {
		t.Errorf("no rows: %v", err)
	}
	checkError(t, n.Preprocess(make([]float32, 4)), "preprocess: 4 numbers are not whole rows of 3 inputs")
	n.Scale = of(t, []float32{1}, 1)
	checkError(t, n.Preprocess(x), "preprocess: input.scale: it holds 1 numbers for 3 inputs")
}

// TestInitialLayer checks the distribution of initial weights: with 60,000
// draws, means and deviations lie within 5 standard errors.
func TestInitialLayer(t *testing.T) {
	const inputs, units = 300, 200
	bound := math.Sqrt(6./(inputs+units)) / 4
	for _, c := range []struct {
		kind      network.Kind
		deviation float64
		bound     float64
		visible   bool
	}{
		{network.DBN, 0.01, 0.06, true},
		{network.SDAE, bound / math.Sqrt(3), bound, true},
		{network.MLP, bound / math.Sqrt(3), bound, false},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			l, err := network.InitialLayer(c.kind, 1, inputs, units, 3)
			if err != nil {
				t.Fatal(err)
			}
			var sum, squares, largest float64
			w := numbers(t, l.Weight)
			for _, x := range w {
				sum += float64(x)
				squares += float64(x) * float64(x)
				largest = max(largest, math.Abs(float64(x)))
			}
			count := float64(len(w))
			if mean := sum / count; math.Abs(mean) > 5*c.deviation/math.Sqrt(count) {
				t.Errorf("mean %g", mean)
			}
			if deviation := math.Sqrt(squares / count); math.Abs(deviation/c.deviation-1) > 5/math.Sqrt(2*count) {
				t.Errorf("standard deviation %g, want %g", deviation, c.deviation)
			}
			if largest > c.bound*(1+1e-6) || largest < 0.6*c.bound {
				t.Errorf("largest is %g, bound is %g", largest, c.bound)
			}
			if (l.VisibleBias != nil) != c.visible {
				t.Errorf("visible bias %v", l.VisibleBias)
			}
			for _, b := range append(numbers(t, l.Bias), numbers(t, l.VisibleBias)...) {
				if b != 0 {
					t.Errorf("a bias is %g", b)
				}
			}
		})
	}
}

// TestInitialWeightsByIdentity checks that a weight depends on the seed, its
// layer, unit and input only.
func TestInitialWeightsByIdentity(t *testing.T) {
	row := func(number, units, unit int, seed uint64) []float32 {
		l, err := network.InitialLayer(network.DBN, number, 50, units, seed)
		if err != nil {
			t.Fatal(err)
		}
		return numbers(t, l.Weight)[unit*50 : (unit+1)*50]
	}
	want := row(2, 10, 3, 1)
	if !slices.Equal(row(2, 4, 3, 1), want) {
		t.Error("the number of units matters")
	}
	at := engine.Stream{Seed: 1, Purpose: engine.PurposeWeights, Keys: []uint64{engine.RowKey(2, 3, 0)}}
	for j, x := range want {
		if x != 0.01*at.Normal(0, j) {
			t.Errorf("input %d: %g is not the number of its identity", j, x)
		}
	}
	for name, other := range map[string][]float32{"layer": row(3, 10, 3, 1), "unit": row(2, 10, 4, 1), "seed": row(2, 10, 3, 2)} {
		if slices.Equal(other, want) {
			t.Errorf("another %s gives the same weights", name)
		}
	}
}

func TestInitialLayerRefuses(t *testing.T) {
	for _, c := range []struct {
		kind                  network.Kind
		number, inputs, units int
		say                   string
	}{
		{network.DBN, 1, 0, 5, "0 inputs and 5 units"},
		{network.DBN, 1, 5, -1, "5 inputs and -1 units"},
		{network.DBN, 1, engine.MaxColumns + 1, 1, "at most"},
		{network.DBN, 256, 1, 1, "layer 256"},
		{network.DBN, 1, 1, 1<<24 + 1, "unit 16777216"},
		{network.DBN, 1, engine.MaxColumns, 1 << 24, "more than"},
		{"cnn", 1, 1, 1, `unknown kind "cnn"`},
	} {
		_, err := network.InitialLayer(c.kind, c.number, c.inputs, c.units, 1)
		checkError(t, err, c.say)
	}
}

func TestUntrained(t *testing.T) {
	n := untrained(t, network.DBN, []int{2, 3}, 5, 4)
	if err := n.Check(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(n.Sizes(), []int{6, 5, 4}) || n.Visible != engine.Gaussian || n.Radius != 0 {
		t.Errorf("network %+v", n)
	}
	second, err := network.InitialLayer(network.DBN, 2, 5, 4, 7)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(numbers(t, n.Layers[1].Weight), numbers(t, second.Weight)) {
		t.Error("layer 2 is not InitialLayer's")
	}
	for _, c := range []struct {
		kind  network.Kind
		shape []int
		units []int
		say   string
	}{
		{"cnn", []int{2}, []int{1}, "unknown kind"},
		{network.DBN, nil, []int{1}, "input shape"},
		{network.DBN, []int{1 << 40, 1 << 40}, []int{1}, "input shape"},
		{network.DBN, []int{2}, []int{3, 0}, "initial layer 2: 3 inputs and 0 units"},
	} {
		_, err := network.Untrained(c.kind, engine.Bernoulli, c.shape, c.units, 1)
		checkError(t, err, "untrained network: ")
		checkError(t, err, c.say)
	}
}

func TestLayerTitles(t *testing.T) {
	long := strings.Repeat("encoder.", 9) + "fc2"
	for name, want := range map[string]string{
		"": "layer 3", "fc2": "layer 3 (fc2)", "4": `layer 3 ("4")`, "net.4": "layer 3 (net.4)",
		"\x1b[31m\nfc": "layer 3 (_[31m_fc)",
		long:           "layer 3 (..." + long[len(long)-40:] + ")",
	} {
		if got := network.LayerTitle(3, name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
