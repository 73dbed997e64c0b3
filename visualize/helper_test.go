package visualize

import (
	"context"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
)

func openDevice(t testing.TB) engine.Device {
	t.Helper()
	d, err := cpu.Open(cpu.Options{})
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

func array(t testing.TB, data []float32, shape ...int) *tensor.Dense {
	t.Helper()
	a, err := dense.Of(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func numbers(t testing.TB, a *tensor.Dense) []float32 {
	t.Helper()
	data, err := dense.Data(a)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// layer is weights [units, inputs] row by row, and biases.
func layer(t testing.TB, inputs int, weight, bias []float32) network.Layer {
	t.Helper()
	return network.Layer{Weight: array(t, weight, len(bias), inputs), Bias: array(t, bias, len(bias))}
}

func stack(radius float64, layers ...network.Layer) *network.Network {
	return &network.Network{Kind: network.MLP, Radius: radius, Layers: layers}
}

// normals are count normal numbers with a standard deviation.
func normals(seed uint64, deviation float64, count int) []float32 {
	s := engine.NewSource(seed, engine.PurposeMonitor, 0, 0)
	xs := make([]float32, count)
	for i := range xs {
		xs[i] = float32(deviation * s.Normal())
	}
	return xs
}

// randomNetwork has weights of standard deviation gain/sqrt(inputs) and biases
// of standard deviation bias.
func randomNetwork(t testing.TB, seed uint64, gain, bias float64, sizes ...int) *network.Network {
	t.Helper()
	n := stack(5)
	for l := 1; l < len(sizes); l++ {
		in, out := sizes[l-1], sizes[l]
		weight := normals(seed+uint64(2*l), gain/math.Sqrt(float64(in)), in*out)
		n.Layers = append(n.Layers, layer(t, in, weight, normals(seed+uint64(2*l+1), bias, out)))
	}
	return n
}

func ascend(t testing.TB, d engine.Device, n *network.Network, o AscentOptions) *AscentResult {
	t.Helper()
	r, err := Ascend(context.Background(), d, n, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func options(layer int, units ...int) AscentOptions {
	o := DefaultAscent()
	o.Layer, o.Units, o.KeepAll = layer, units, true
	return o
}

// activation64 is the activation of a unit of the last layer at x.
func activation64(t testing.TB, n *network.Network, layers, unit int, x []float64) float64 {
	t.Helper()
	for l := range layers {
		inputs := len(x)
		weight, bias := numbers(t, n.Layers[l].Weight), numbers(t, n.Layers[l].Bias)
		h := make([]float64, len(bias))
		for i := range h {
			a := float64(bias[i])
			for j, v := range x {
				a += float64(weight[i*inputs+j]) * v
			}
			if l == layers-1 {
				h[i] = a
			} else {
				h[i] = 1 / (1 + math.Exp(-a))
			}
		}
		x = h
	}
	return x[unit]
}

// gradient64 is the gradient of activation64 by central differences.
func gradient64(t testing.TB, n *network.Network, layers, unit int, x []float64) []float64 {
	t.Helper()
	const step = 1e-4
	g := make([]float64, len(x))
	for j := range x {
		at := x[j]
		x[j] = at + step
		g[j] = activation64(t, n, layers, unit, x)
		x[j] = at - step
		g[j] = (g[j] - activation64(t, n, layers, unit, x)) / (2 * step)
		x[j] = at
	}
	return g
}

func widened(xs []float32) []float64 {
	ys := make([]float64, len(xs))
	for i, x := range xs {
		ys[i] = float64(x)
	}
	return ys
}

func norm(xs []float32) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// scaled is xs at a norm, negative to turn it round.
func scaled(xs []float32, to float64) []float64 {
	ys, n := widened(xs), norm(xs)
	for i := range ys {
		ys[i] *= to / n
	}
	return ys
}

// distance is of two vectors, relative to the norm of the second.
func distance(xs []float32, ys []float64) float64 {
	var d, n float64
	for i, y := range ys {
		d += (float64(xs[i]) - y) * (float64(xs[i]) - y)
		n += y * y
	}
	return math.Sqrt(d / n)
}
