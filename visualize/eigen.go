package visualize

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/unitscope/unitscope/engine"
)

const (
	lanczosSteps = 300   // at most
	lanczosEvery = 10    // steps from one look at the result to the next
	lanczosRest  = 1e-12 // of the eigenvalue, that the vector may miss being an eigenvector by
)

// leading returns the leading eigenvector of a symmetric, positive semidefinite
// matrix [n, n], scaled by the root of its eigenvalue, by the method of Lanczos
// with full orthogonalization. Power iteration would need as many steps as the
// first eigenvalue is times as large as its distance from the second, which is
// thousands now and then.
func leading(matrix []float64, n int) []float64 {
	result, start := make([]float64, n), make([]float64, n)
	source := engine.NewSource(0, engine.PurposeMonitor, 0, 0)
	for i := range start {
		start[i] = source.Normal()
	}
	// The image has no part where the matrix is 0.
	q := times(matrix, start)
	if normalise(q) == 0 {
		return result
	}
	var basis [][]float64
	var diagonal, beside []float64
	for steps := min(n, lanczosSteps); ; {
		basis = append(basis, q)
		next := times(matrix, q)
		diagonal = append(diagonal, inner(next, q))
		orthogonalise(next, basis)
		rest := normalise(next)
		last := len(basis) == steps || rest <= lanczosRest*diagonal[0]
		if last || len(basis)%lanczosEvery == 0 {
			value, weights := leadingOf(diagonal, beside)
			if last || rest*math.Abs(weights[len(weights)-1]) <= lanczosRest*value {
				for k, v := range basis {
					add(result, weights[k]*math.Sqrt(max(0, value)), v)
				}
				return result
			}
		}
		beside, q = append(beside, rest), next
	}
}

// leadingOf is the largest eigenvalue of a symmetric tridiagonal matrix, and its
// eigenvector.
func leadingOf(diagonal, beside []float64) (value float64, vector []float64) {
	m := len(diagonal)
	t := mat.NewSymDense(m, nil)
	for i, x := range diagonal {
		t.SetSym(i, i, x)
		if i > 0 {
			t.SetSym(i-1, i, beside[i-1])
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(t, true) {
		// It does not happen to finite numbers; the first vector is near.
		vector = make([]float64, m)
		vector[0] = 1
		return diagonal[0], vector
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	return eigen.Values(nil)[m-1], mat.Col(nil, m-1, &vectors)
}

// times is a matrix [n, n] times x [n].
func times(matrix, x []float64) []float64 {
	n := len(x)
	y := make([]float64, n)
	for i := range y {
		y[i] = inner(matrix[i*n:(i+1)*n], x)
	}
	return y
}

// orthogonalise takes from v what lies along vectors of norm 1, twice, since the
// first time leaves roundings.
func orthogonalise(v []float64, basis [][]float64) {
	for range 2 {
		for _, b := range basis {
			add(v, -inner(v, b), b)
		}
	}
}

// add adds factor x to v.
func add(v []float64, factor float64, x []float64) {
	for i := range v {
		v[i] += factor * x[i]
	}
}

// normalise gives v the norm 1, unless it is 0, and returns the one it had.
func normalise(v []float64) float64 {
	norm := math.Sqrt(inner(v, v))
	if norm == 0 {
		return 0
	}
	for i := range v {
		v[i] /= norm
	}
	return norm
}
