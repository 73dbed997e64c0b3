// Package whiten takes the correlations between neighbouring pixels out of
// pictures, of which they would otherwise teach a network little else: in
// patches by the eigenvectors of their covariance ([ZCA]), or in a whole picture
// by a filter of its spatial frequencies ([Flatten]).
package whiten

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Moments are the sums that mean and covariance are made of.
type Moments struct {
	size   int
	count  int
	sums   []float64     // [size]
	square *mat.SymDense // [size, size] sum of the outer products
}

// NewMoments are those of no examples of so many components.
func NewMoments(size int) *Moments {
	return &Moments{size: size, sums: make([]float64, size), square: mat.NewSymDense(size, nil)}
}

// Add adds examples [n, size], summed in float64 in their order.
func (m *Moments) Add(examples []float32) {
	n := len(examples) / m.size
	if n == 0 {
		return
	}
	wide := make([]float64, n*m.size)
	for i, v := range examples[:n*m.size] {
		wide[i] = float64(v)
	}
	for i, v := range wide {
		m.sums[i%m.size] += v
	}
	rows := blas64.General{Rows: n, Cols: m.size, Stride: m.size, Data: wide}
	blas64.Syrk(blas.Trans, 1, rows, 1, m.square.RawSymmetric())
	m.count += n
}

// covariance is that of the examples, and their mean.
func (m *Moments) covariance() (*mat.SymDense, []float64) {
	n := float64(m.count)
	mean := make([]float64, m.size)
	for i, sum := range m.sums {
		mean[i] = sum / n
	}
	c := mat.NewSymDense(m.size, nil)
	for i := range m.size {
		for j := i; j < m.size; j++ {
			c.SetSym(i, j, m.square.At(i, j)/n-mean[i]*mean[j])
		}
	}
	return c, mean
}

// ZCA is the symmetric whitening of examples x,
//
//	y = s V (D + e I)^(-1/2) V' (x - mean)
//
// with the eigenvalues D and eigenvectors V of the covariance (Bell and
// Sejnowski, 1997): of all the transforms that whiten, the one that changes
// examples least, so that patches stay patches. e is a share of the mean
// eigenvalue, without which the finest frequencies, in pictures mostly noise and
// the traces of JPEG, would be blown up to the variance of everything else; s
// gives a component variance 1 in the mean over the examples that the moments are
// of. Directions with eigenvalues well above e come out with one variance and
// without correlation; the mean of a patch, where every patch is without one,
// stays 0.
type ZCA struct {
	size   int
	mean   []float32 // [size]
	matrix []float32 // [size rounded up to outputs, size]
}

// NewZCA finds the transform with e epsilon, above 0, times the mean eigenvalue. Fewer examples than components, and examples
// without any variance, are errors.
func NewZCA(m *Moments, epsilon float64) (*ZCA, error) {
	if m.count <= m.size {
		return nil, fmt.Errorf("whitening: %d examples of %d components, want more examples than components", m.count, m.size)
	}
	covariance, mean := m.covariance()
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return nil, errors.New("whitening: the eigenvalues of the covariance can't be found")
	}
	gains, err := gains(eigen.Values(nil), epsilon)
	if err != nil {
		return nil, err
	}
	var vectors, scaled, w mat.Dense
	eigen.VectorsTo(&vectors)
	scaled.Apply(func(_, j int, v float64) float64 { return v * gains[j] }, &vectors)
	w.Mul(&scaled, vectors.T())
	z := &ZCA{size: m.size, mean: make([]float32, m.size), matrix: make([]float32, roundUp(m.size, outputs)*m.size)}
	for i := range m.size {
		z.mean[i] = float32(mean[i])
		for j := range m.size {
			z.matrix[i*m.size+j] = float32(w.At(i, j))
		}
	}
	return z, nil
}

// gains are what the transform multiplies the directions of the eigenvectors by.
func gains(eigenvalues []float64, epsilon float64) ([]float64, error) {
	mean := 0.0
	for _, v := range eigenvalues {
		mean += max(0, v) / float64(len(eigenvalues))
	}
	if !(mean > 0) || math.IsInf(mean, 0) {
		return nil, fmt.Errorf("whitening: a variance of %g", mean)
	}
	variance := 0.0 // of a component, afterwards
	gains := make([]float64, len(eigenvalues))
	for i, v := range eigenvalues {
		v = max(0, v) // rounding can leave one a little below
		gains[i] = 1 / math.Sqrt(v+epsilon*mean)
		variance += v * gains[i] * gains[i] / float64(len(eigenvalues))
	}
	for i := range gains {
		gains[i] /= math.Sqrt(variance)
	}
	return gains, nil
}

const (
	together = 4 // examples that are multiplied at a time
	outputs  = 2 // components of the result that are summed at a time
)

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }

// Apply whitens examples [n, size] in place. What becomes of an example does not
// depend on those beside it. scratch is grown and returned, for the next call.
func (z *ZCA) Apply(examples, scratch []float32) []float32 {
	if len(scratch) < together*z.size {
		scratch = make([]float32, together*z.size)
	}
	for len(examples) > 0 {
		some := examples[:min(len(examples), together*z.size)]
		for k := range together {
			for j, mean := range z.mean {
				v := float32(0) // in place of examples that are not there
				if at := k*z.size + j; at < len(some) {
					v = some[at] - mean
				}
				scratch[together*j+k] = v
			}
		}
		z.multiply(some, scratch[:together*z.size])
		examples = examples[len(some):]
	}
	return scratch
}

// multiply writes matrix x to dst [up to together, size]; x [size, together] holds
// the examples side by side. Two rows by four examples are eight sums that the
// processor can add to at once. Every sum runs in the order of the components.
func (z *ZCA) multiply(dst, x []float32) {
	for i := 0; i < z.size; i += outputs {
		first := z.matrix[i*z.size : (i+1)*z.size]
		second := z.matrix[(i+1)*z.size : (i+2)*z.size]
		var a [outputs * together]float32
		a0, a1, a2, a3, b0, b1, b2, b3 := a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]
		for j, v := range first {
			w, q := second[j], x[together*j:together*j+together:together*j+together]
			a0 += v * q[0]
			a1 += v * q[1]
			a2 += v * q[2]
			a3 += v * q[3]
			b0 += w * q[0]
			b1 += w * q[1]
			b2 += w * q[2]
			b3 += w * q[3]
		}
		a = [...]float32{a0, a1, a2, a3, b0, b1, b2, b3}
		for k := range len(dst) / z.size {
			dst[k*z.size+i] = a[k]
			if i+1 < z.size {
				dst[k*z.size+i+1] = a[together+k]
			}
		}
	}
}
