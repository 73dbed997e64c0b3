package enginetest

import (
	"math"
	"strings"

	"github.com/unitscope/unitscope/engine"
)

// refused checks that a call was refused, in words that contain all of these.
func (s *subject) refused(call string, err error, words ...string) {
	s.Helper()
	if err == nil {
		s.Errorf("%s: no error", call)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			s.Errorf("%s: error %q lacks %q", call, err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		s.Errorf("%s: error %q is longer than a line", call, err)
	}
}

// fresh returns a new matrix that lives as long as the test.
func (s *subject) fresh(rows, cols int) engine.Matrix {
	s.Helper()
	m, err := s.device.New(rows, cols)
	s.must(err)
	return m
}

// testMisuse checks that wrong shapes and numbers are errors that name the
// operation and what was wrong.
func testMisuse(s *subject) {
	d := s.device
	m34, m35, m45, m15, m31 := s.fresh(3, 4), s.fresh(3, 5), s.fresh(4, 5), s.fresh(1, 5), s.fresh(3, 1)
	multiply := engine.Multiply(false, false)
	with := func(e engine.Epilogue) engine.Product { return engine.Product{Alpha: 1, Epilogue: e} }
	at := func(rows int) engine.Stream { return engine.Stream{Keys: make([]uint64, rows)} }
	_, errNegative := d.New(-1, 3)
	_, errLarge := d.New(math.MaxInt/2, 3)
	_, errSlice := m34.Slice(2, 4)
	_, errBackwards := m34.Slice(2, 1)
	for _, c := range []struct {
		call  string
		err   error
		words []string
	}{
		{"new -1x3", errNegative, []string{"new matrix", "-1x3"}},
		{"new, too large", errLarge, []string{"new matrix", "x3"}},
		{"slice 2..4 of 3 rows", errSlice, []string{"slice", "2..4", "3x4"}},
		{"slice 2..1", errBackwards, []string{"slice", "2..1"}},
		{"write too few", m34.Write(make([]float32, 11)), []string{"write", "3x4", "11"}},
		{"read too many", m34.Read(make([]float32, 13)), []string{"read", "3x4", "13"}},

		{"gemm, inner sizes", d.Gemm(m35, m34, m34, multiply), []string{"gemm", "3x4"}},
		{"gemm, transposed", d.Gemm(m35, m34, m45, engine.Multiply(true, false)), []string{"gemm", "3x4 transposed", "4x5"}},
		{"gemm, dst", d.Gemm(m34, m34, m45, multiply), []string{"gemm", "dst", "3x4", "3x5"}},
		{"gemm, no b", d.Gemm(m35, m34, nil, multiply), []string{"gemm", "b", "missing"}},
		{"gemm, bias", d.Gemm(m35, m34, m45, with(engine.Epilogue{Bias: m31})), []string{"gemm", "bias", "3x1", "1x5"}},
		{"gemm, no hidden", d.Gemm(m35, m34, m45, with(engine.Epilogue{Kind: engine.EpilogueDerivative})), []string{"gemm", "hidden", "missing"}},
		{"gemm, hidden", d.Gemm(m35, m34, m45, with(engine.Epilogue{Kind: engine.EpilogueDerivative, Hidden: m45})), []string{"gemm", "hidden", "4x5", "3x5"}},
		{"gemm, no norms", d.Gemm(m35, m34, m45, with(engine.Epilogue{Kind: engine.EpilogueNorms})), []string{"gemm", "norms", "missing"}},
		{"gemm, norms", d.Gemm(m35, m34, m45, with(engine.Epilogue{Kind: engine.EpilogueNorms, Norms: m15})), []string{"gemm", "norms", "1x5", "3x1"}},
		{"gemm, probability", d.Gemm(m35, m34, m45, with(engine.Epilogue{Kind: engine.EpilogueBernoulli, At: at(3), Probability: m34})), []string{"gemm", "probability", "3x4", "3x5"}},
		{"gemm, keys", d.Gemm(m35, m34, m45, with(engine.Epilogue{Kind: engine.EpilogueBernoulli, At: at(2)})), []string{"gemm", "3 rows", "2 keys"}},
		{"gemm, epilogue", d.Gemm(m35, m34, m45, with(engine.Epilogue{Kind: 99})), []string{"gemm", "epilogue", "99"}},

		{"sigmoid", d.Sigmoid(m34, m35), []string{"sigmoid", "3x4", "3x5"}},
		{"sigmoid of nothing", d.Sigmoid(m34, nil), []string{"sigmoid", "missing"}},
		{"activate", d.Activate(m34, nil, m35, engine.Activation{}), []string{"activate", "h is 3x4", "y is 3x5"}},
		{"activate, slope", d.Activate(m34, m35, m34, engine.Activation{}), []string{"activate", "slope", "3x4", "3x5"}},
		{"activate nothing", d.Activate(m34, nil, nil, engine.Activation{}), []string{"activate", "y", "missing"}},
		{"activate, kind", d.Activate(m34, nil, m34, engine.Activation{Kind: 99}), []string{"activate", "99"}},
		{"activate, bounds", d.Activate(m34, nil, m34, engine.Activation{Kind: engine.Clip, Low: 1}), []string{"activate", "clip", "1 and 0"}},
		{"activate, channels", d.Activate(m34, nil, m34, engine.Activation{Kind: engine.PReLU, Slopes: make([]float32, 3)}), []string{"activate", "3x4", "3 channels"}},
		{"activate, no slopes", d.Activate(m34, nil, m34, engine.Activation{Kind: engine.PReLU}), []string{"activate", "prelu", "0 slopes"}},
		{"times", d.Times(m34, m35), []string{"times", "3x4", "3x5"}},
		{"axpby", d.Axpby(m34, 1, m35, 1), []string{"axpby", "3x4", "3x5"}},
		{"uniform", d.Uniform(m34, at(4)), []string{"uniform", "3 rows", "4 keys"}},
		{"bernoulli", d.Bernoulli(m34, m35, at(3)), []string{"bernoulli", "3x4", "3x5"}},
		{"bernoulli, keys", d.Bernoulli(m34, m34, at(0)), []string{"bernoulli", "0 keys"}},
		{"gaussian", d.Gaussian(m34, m45, 1, at(3)), []string{"gaussian", "3x4", "4x5"}},
		{"gaussian, keys", d.Gaussian(m34, m34, 1, at(4)), []string{"gaussian", "4 keys"}},
		{"corrupt", d.Corrupt(m34, m35, engine.Corruption{}, at(3)), []string{"corrupt", "3x4", "3x5"}},
		{"corrupt, keys", d.Corrupt(m34, m34, engine.Corruption{}, at(1)), []string{"corrupt", "1 keys"}},
		{"corrupt, level", d.Corrupt(m34, m34, engine.Corruption{Level: 1.5}, at(3)), []string{"corrupt", "level", "1.5"}},
		{"corrupt, kind", d.Corrupt(m34, m34, engine.Corruption{Kind: 77}, at(3)), []string{"corrupt", "77"}},
		{"norms", d.Reduce(m15, m34, engine.Total(engine.RowNorms)), []string{"reduce", "1x5", "3x1"}},
		{"means", d.Reduce(m15, m34, engine.Total(engine.ColumnMeans)), []string{"reduce", "1x5", "1x4"}},
		{"dots, no with", d.Reduce(m31, m34, engine.Total(engine.RowDots)), []string{"reduce", "with", "missing"}},
		{"dots", d.Reduce(m31, m34, engine.Reduction{Kind: engine.RowDots, With: m35}), []string{"reduce", "3x4", "3x5"}},
		{"reduce, kind", d.Reduce(m31, m34, engine.Reduction{Kind: 55}), []string{"reduce", "55"}},
		{"project to 0", d.Project(m34, 0), []string{"project", "radius", "0"}},
		{"project to NaN", d.Project(m34, nan), []string{"project", "radius", "NaN"}},
		{"gather, rows", d.Gather(m34, s.fresh(9, 4), []int{1, 2}), []string{"gather", "3x4", "9x4"}},
		{"gather, columns", d.Gather(m34, m45, []int{1, 2, 3}), []string{"gather", "3x4", "4x5"}},
		{"copy columns, rows", d.CopyColumns(m34, 0, m45, 0, 2), []string{"copy columns", "3x4", "4x5"}},
		{"copy columns, to", d.CopyColumns(m34, 3, m35, 0, 2), []string{"copy columns", "2 from 0", "to 3", "3x4"}},
		{"copy columns, from", d.CopyColumns(m34, 0, m35, 4, 2), []string{"copy columns", "2 from 4", "3x5"}},
		{"copy columns, fewer than none", d.CopyColumns(m34, 0, m35, 0, -1), []string{"copy columns", "-1 from"}},
		{"copy columns, far beyond", d.CopyColumns(m34, math.MaxInt, m35, 0, 1), []string{"copy columns", "3x4"}},
		{"gather, index", d.Gather(m35, m45, []int{1, 4, 0}), []string{"gather", "rows[1]", "4"}},
	} {
		s.refused(c.call, c.err, c.words...)
	}
}

// testOverlap checks that a dst which shares memory with an operand is refused
// where it may not, and not where views merely lie side by side.
func testOverlap(s *subject) {
	d := s.device
	whole := s.fresh(12, 4)
	view := func(from, to int) engine.Matrix {
		v, err := whole.Slice(from, to)
		s.must(err)
		return v
	}
	a, b, other, column := view(0, 4), view(4, 8), s.fresh(4, 4), s.fresh(4, 1)
	multiply := engine.Multiply(false, false)
	with := func(e engine.Epilogue) engine.Product { return engine.Product{Alpha: 1, Epilogue: e} }
	at := engine.Stream{Keys: make([]uint64, 4)}
	for _, c := range []struct {
		call  string
		err   error
		words []string
	}{
		{"gemm into a", d.Gemm(a, a, b, multiply), []string{"gemm", "dst"}},
		{"gemm into part of a", d.Gemm(view(3, 7), a, other, multiply), []string{"gemm", "dst", "a"}},
		{"gemm into part of b", d.Gemm(view(1, 5), other, b, multiply), []string{"gemm", "dst", "b"}},
		{"gemm into its bias", d.Gemm(a, b, other, with(engine.Epilogue{Bias: view(2, 3)})), []string{"gemm", "dst", "bias"}},
		{"gemm into hidden", d.Gemm(a, b, other, with(engine.Epilogue{Kind: engine.EpilogueDerivative, Hidden: view(0, 4)})), []string{"gemm", "dst", "hidden"}},
		{"gemm, probability in a", d.Gemm(other, a, b, with(engine.Epilogue{Kind: engine.EpilogueBernoulli, At: at, Probability: view(2, 6)})), []string{"gemm", "probability", "a"}},
		{"gemm, probability in dst", d.Gemm(a, other, b, with(engine.Epilogue{Kind: engine.EpilogueBernoulli, At: at, Probability: view(0, 4)})), []string{"gemm", "probability", "dst"}},
		{"sigmoid half in place", d.Sigmoid(view(1, 5), a), []string{"sigmoid", "dst"}},
		{"activate half in place", d.Activate(view(1, 5), nil, a, engine.Activation{}), []string{"activate", "h", "y"}},
		{"activate, slope in y", d.Activate(b, view(1, 5), a, engine.Activation{}), []string{"activate", "slope", "y"}},
		{"activate, slope in h", d.Activate(b, view(5, 9), a, engine.Activation{}), []string{"activate", "slope", "h"}},
		{"times half in place", d.Times(view(1, 5), a), []string{"times", "dst", "x"}},
		{"copy columns within", d.CopyColumns(view(1, 5), 0, a, 2, 2), []string{"copy columns", "dst", "src"}},
		{"axpby half in place", d.Axpby(view(1, 5), 1, a, 1), []string{"axpby", "dst"}},
		{"bernoulli half in place", d.Bernoulli(view(1, 5), a, at), []string{"bernoulli", "dst"}},
		{"gaussian half in place", d.Gaussian(view(1, 5), a, 1, at), []string{"gaussian", "dst"}},
		{"corrupt half in place", d.Corrupt(view(1, 5), a, engine.Corruption{}, at), []string{"corrupt", "dst"}},
		{"gather from itself", d.Gather(view(2, 6), whole, []int{0, 1, 2, 3}), []string{"gather", "dst", "src"}},
		{"reduce into x", d.Reduce(column, column, engine.Total(engine.RowNorms)), []string{"reduce", "dst"}},
		{"means into x", d.Reduce(view(3, 4), view(2, 5), engine.Total(engine.ColumnMeans)), []string{"reduce", "dst", "x"}},
		{"dots into with", d.Reduce(column, s.fresh(4, 1), engine.Reduction{Kind: engine.RowDots, With: column}), []string{"reduce", "dst", "with"}},
	} {
		s.refused(c.call, c.err, c.words...)
	}
	s.must(d.Gemm(view(8, 12), a, b, multiply))
	s.must(d.Gemm(view(8, 12), a, a, multiply))
	s.must(d.Sigmoid(a, view(0, 4)))
	s.must(d.Activate(a, b, view(0, 4), engine.Activation{}))
	s.must(d.Times(a, view(0, 4)))
	s.must(d.CopyColumns(a, 0, b, 2, 2))
	s.must(d.Axpby(a, 1, view(0, 4), 1))
	s.must(d.Gather(a, b, []int{0, 0, 1, 2}))
	s.must(d.Gather(view(2, 2), whole, nil))
}

// stranger is a matrix of no device.
type stranger struct{ rows, cols int }

func (m stranger) Rows() int                             { return m.rows }
func (m stranger) Cols() int                             { return m.cols }
func (m stranger) Write([]float32) error                 { return nil }
func (m stranger) Read([]float32) error                  { return nil }
func (m stranger) Slice(int, int) (engine.Matrix, error) { return m, nil }
func (m stranger) Close() error                          { return nil }

// operandCalls calls every operation, with x in one of its places at a time and
// matrices of the device in the others. All matrices are 4x4 but row [1, 4] and
// column [4, 1].
func operandCalls(d engine.Device, good, x, row, column, otherRow, otherColumn engine.Matrix, spare engine.Matrix) map[string]error {
	multiply := engine.Multiply(false, false)
	with := func(e engine.Epilogue) engine.Product { return engine.Product{Alpha: 1, Epilogue: e} }
	at := engine.Stream{Keys: make([]uint64, 4)}
	rows := []int{0, 1, 2, 3}
	norms := engine.Total(engine.RowNorms)
	return map[string]error{
		"gemm: dst":         d.Gemm(x, good, good, multiply),
		"gemm: a":           d.Gemm(spare, x, good, multiply),
		"gemm: b":           d.Gemm(spare, good, x, multiply),
		"gemm: bias":        d.Gemm(spare, good, good, with(engine.Epilogue{Bias: otherRow})),
		"gemm: hidden":      d.Gemm(spare, good, good, with(engine.Epilogue{Kind: engine.EpilogueDerivative, Hidden: x})),
		"gemm: probability": d.Gemm(spare, good, good, with(engine.Epilogue{Kind: engine.EpilogueBernoulli, At: at, Probability: x})),
		"gemm: norms":       d.Gemm(spare, good, good, with(engine.Epilogue{Kind: engine.EpilogueNorms, Norms: otherColumn})),
		"sigmoid: dst":      d.Sigmoid(x, good),
		"sigmoid: x":        d.Sigmoid(spare, x),
		"activate: h":       d.Activate(x, nil, good, engine.Activation{}),
		"activate: slope":   d.Activate(spare, x, good, engine.Activation{}),
		"activate: y":       d.Activate(spare, nil, x, engine.Activation{}),
		"times: dst":        d.Times(x, good),
		"times: x":          d.Times(spare, x),
		"copy columns: dst": d.CopyColumns(x, 0, good, 0, 4),
		"copy columns: src": d.CopyColumns(spare, 0, x, 0, 4),
		"uniform: dst":      d.Uniform(x, at),
		"bernoulli: dst":    d.Bernoulli(x, good, at),
		"bernoulli: x":      d.Bernoulli(spare, x, at),
		"gaussian: dst":     d.Gaussian(x, good, 1, at),
		"gaussian: x":       d.Gaussian(spare, x, 1, at),
		"corrupt: dst":      d.Corrupt(x, good, engine.Corruption{}, at),
		"corrupt: x":        d.Corrupt(spare, x, engine.Corruption{}, at),
		"reduce: dst":       d.Reduce(otherColumn, good, norms),
		"reduce: x":         d.Reduce(column, x, norms),
		"reduce: with":      d.Reduce(column, good, engine.Reduction{Kind: engine.RowDots, With: x}),
		"project: x":        d.Project(x, 1),
		"axpby: dst":        d.Axpby(x, 1, good, 1),
		"axpby: x":          d.Axpby(spare, 1, x, 1),
		"gather: dst":       d.Gather(x, good, rows),
		"gather: src":       d.Gather(spare, x, rows),
	}
}

// testForeign checks that matrices of another device, and matrices of no
// device, are refused everywhere.
func testForeign(s *subject) {
	other := s.open(s.T)
	defer func() { s.must(other.Close()) }()
	foreign := func(rows, cols int) engine.Matrix {
		m, err := other.New(rows, cols)
		s.must(err)
		return m
	}
	good, row, column, spare := s.fresh(4, 4), s.fresh(1, 4), s.fresh(4, 1), s.fresh(4, 4)
	for place, err := range operandCalls(s.device, good, foreign(4, 4), row, column, foreign(1, 4), foreign(4, 1), spare) {
		operation, _, _ := strings.Cut(place, ":")
		s.refused("a foreign matrix as "+place, err, operation, "device")
	}
	for place, err := range operandCalls(s.device, good, stranger{4, 4}, row, column, stranger{1, 4}, stranger{4, 1}, spare) {
		operation, _, _ := strings.Cut(place, ":")
		s.refused("a matrix of no device as "+place, err, operation, "device")
	}
}

// testClosed checks that nothing works after close: a matrix, a view whose
// matrix is closed, and everything of a closed device.
func testClosed(s *subject) {
	good, row, column, spare := s.fresh(4, 4), s.fresh(1, 4), s.fresh(4, 1), s.fresh(4, 4)
	closed := func(rows, cols int) engine.Matrix {
		m := s.fresh(rows, cols)
		s.must(m.Close())
		return m
	}
	parent := s.fresh(8, 4)
	orphan, err := parent.Slice(2, 6)
	s.must(err)
	s.must(parent.Close())
	for _, x := range []engine.Matrix{closed(4, 4), orphan} {
		for place, err := range operandCalls(s.device, good, x, row, column, closed(1, 4), closed(4, 1), spare) {
			operation, _, _ := strings.Cut(place, ":")
			s.refused("a closed matrix as "+place, err, operation, "closed")
		}
		s.checkClosedMatrix(x)
	}

	d := s.open(s.T)
	m, err := d.New(4, 4)
	s.must(err)
	s.must(d.Close())
	for place, err := range operandCalls(d, m, m, m, m, m, m, m) {
		operation, _, _ := strings.Cut(place, ":")
		s.refused("after the device was closed, "+place, err, operation)
	}
	s.checkClosedMatrix(m)
	_, err = d.New(1, 1)
	s.refused("new after the device was closed", err, "closed")
	s.refused("sync after the device was closed", d.Sync(), "closed")
	_, err = d.Compile(engine.Denoise{VisibleUnits: 1, HiddenUnits: 1, Batch: 1})
	s.refused("compile after the device was closed", err, "closed")
}

func (s *subject) checkClosedMatrix(m engine.Matrix) {
	s.Helper()
	s.refused("write after close", m.Write(make([]float32, 16)), "write", "closed")
	s.refused("read after close", m.Read(make([]float32, 16)), "read", "closed")
	_, err := m.Slice(0, 1)
	s.refused("slice after close", err, "slice", "closed")
}
