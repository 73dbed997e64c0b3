package enginetest

import (
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// randomLayers returns a network with these sizes, inputs first. Its parameters
// have no tails, so that no unit is so saturated that 1-h loses its digits.
func (s *subject) randomLayers(sizes ...int) (layers []engine.Layer) {
	for l := 1; l < len(sizes); l++ {
		inputs, units := sizes[l-1], sizes[l]
		w := engine.Host{Rows: units, Cols: inputs, Data: s.normals(units*inputs, 2/math.Sqrt(float64(inputs)))}
		layer := engine.Layer{Weight: w, Bias: s.normals(units, 0.5)}
		cutTails(layer.Weight.Data, 3/math.Sqrt(float64(inputs)))
		cutTails(layer.Bias, 0.75)
		layers = append(layers, layer)
	}
	return layers
}

// cutTails folds numbers beyond a limit back in.
func cutTails(x []float32, limit float64) {
	for i, v := range x {
		x[i] = float32(math.Remainder(float64(v), 2*limit))
	}
}

// starts returns random rows on the sphere.
func (s *subject) starts(rows, inputs int, radius float32) []float32 {
	x := s.normals(rows*inputs, 1)
	for i := range rows {
		row := x[i*inputs : (i+1)*inputs]
		scale := float64(radius) / norm(doubles(row))
		for j := range row {
			row[j] = float32(float64(row[j]) * scale)
		}
	}
	return x
}

// reference is a network in float64.
type reference struct {
	weights [][]float64 // [units, inputs] of each layer
	biases  [][]float64
	inputs  []int
}

func newReference(layers []engine.Layer) (r reference) {
	for _, l := range layers {
		r.weights = append(r.weights, doubles(l.Weight.Data))
		r.biases = append(r.biases, doubles(l.Bias))
		r.inputs = append(r.inputs, l.Weight.Cols)
	}
	return r
}

// row is the weights of a unit of layer l+1.
func (r reference) row(l, unit int) []float64 {
	return r.weights[l][unit*r.inputs[l] : (unit+1)*r.inputs[l]]
}

// forward returns the outputs of the layers below the last; x is the first.
func (r reference) forward(x []float64) (h [][]float64) {
	h = [][]float64{x}
	for l := range len(r.weights) - 1 {
		below, units := h[l], make([]float64, len(r.biases[l]))
		for u := range units {
			units[u] = sigmoid(inner(r.row(l, u), below) + r.biases[l][u])
		}
		h = append(h, units)
	}
	return h
}

// activation is that of a unit of the last layer.
func (r reference) activation(x []float64, unit int) float64 {
	top := len(r.weights) - 1
	return inner(r.row(top, unit), r.forward(x)[top]) + r.biases[top][unit]
}

// gradient is the derivative of the activation with respect to x.
func (r reference) gradient(x []float64, unit int) []float64 {
	h := r.forward(x)
	top := len(r.weights) - 1
	d := slices.Clone(r.row(top, unit))
	for l := top - 1; l >= 0; l-- {
		below := make([]float64, r.inputs[l])
		for u, v := range h[l+1] {
			delta := d[u] * v * (1 - v)
			for j, w := range r.row(l, u) {
				below[j] += delta * w
			}
		}
		d = below
	}
	return d
}

// differences is the gradient by central differences. In float64 a step of 1e-5
// leaves about 1e-10 from the cut-off series and 1e-11 from rounding.
func (r reference) differences(x []float64, unit int) []float64 {
	const step = 1e-5
	g := make([]float64, len(x))
	for j := range x {
		up, down := slices.Clone(x), slices.Clone(x)
		up[j] += step
		down[j] -= step
		g[j] = (r.activation(up, unit) - r.activation(down, unit)) / (2 * step)
	}
	return g
}

// tangent is ||g - (g.x/rho^2) x|| / ||g||.
func tangent(x, g []float64, rho float64) float64 {
	along := inner(g, x) / (rho * rho)
	t := make([]float64, len(g))
	for j := range g {
		t[j] = g[j] - along*x[j]
	}
	return norm(t) / norm(g)
}
