package bench

import (
	"math"

	"github.com/unitscope/unitscope/engine"
)

// normals returns [rows, cols] normal numbers of this standard deviation, the
// weights of a layer.
func normals(seed uint64, layer, rows, cols int, deviation float64) []float32 {
	data := make([]float32, rows*cols)
	for i := range rows {
		source := engine.NewSource(seed, engine.PurposeWeights, 0, engine.RowKey(layer, i, 0))
		for j := range cols {
			data[i*cols+j] = float32(deviation * source.Normal())
		}
	}
	return data
}

// dot is the sum of products in float64, and of their magnitudes.
func dot(a, b []float32) (sum, size float64) {
	for i, x := range a {
		p := float64(x) * float64(b[i])
		sum += p
		size += math.Abs(p)
	}
	return sum, size
}

// activationOf computes in float64 the activation of a unit of the last layer
// for one input x.
func activationOf(layers []engine.Layer, x []float32, unit int) float64 {
	h := make([]float64, len(x))
	for j, v := range x {
		h[j] = float64(v)
	}
	for _, l := range layers[:len(layers)-1] {
		next := make([]float64, l.Weight.Rows)
		for i := range next {
			next[i] = 1 / (1 + math.Exp(-input(l, h, i)))
		}
		h = next
	}
	return input(layers[len(layers)-1], h, unit)
}

// input is what unit i of a layer receives, its bias included.
func input(l engine.Layer, h []float64, i int) float64 {
	sum := float64(l.Bias[i])
	for j, w := range l.Weight.Data[i*l.Weight.Cols : (i+1)*l.Weight.Cols] {
		sum += float64(w) * h[j]
	}
	return sum
}

// norm is the Euclidean norm.
func norm(x []float32) float64 {
	square, _ := dot(x, x)
	return math.Sqrt(square)
}
