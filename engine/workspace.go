package engine

// workspace is what a plan written with primitives holds on its device. Its
// methods remember the first error, so that a sequence of operations reads as
// formulas and is checked once, at the end.
type workspace struct {
	device   Device
	matrices Matrices
	err      error
}

// matrix returns a new matrix of zeros, or nil after an error.
func (w *workspace) matrix(rows, cols int) Matrix {
	if w.err != nil {
		return nil
	}
	var m Matrix
	m, w.err = w.matrices.New(w.device, rows, cols)
	return m
}

// upload returns a new matrix with these numbers.
func (w *workspace) upload(h Host) Matrix {
	if w.err != nil {
		return nil
	}
	var m Matrix
	m, w.err = w.matrices.Upload(w.device, h)
	return m
}

// top returns a view of the first rows of m.
func (w *workspace) top(m Matrix, rows int) Matrix { return w.slice(m, 0, rows) }

func (w *workspace) slice(m Matrix, from, to int) Matrix {
	if w.err != nil {
		return nil
	}
	var view Matrix
	view, w.err = m.Slice(from, to)
	return view
}

func (w *workspace) gemm(dst, a, b Matrix, p Product) {
	if w.err == nil {
		w.err = w.device.Gemm(dst, a, b, p)
	}
}

func (w *workspace) reduce(dst, x Matrix, r Reduction) {
	if w.err == nil {
		w.err = w.device.Reduce(dst, x, r)
	}
}

func (w *workspace) axpby(dst Matrix, alpha float32, x Matrix, beta float32) {
	if w.err == nil {
		w.err = w.device.Axpby(dst, alpha, x, beta)
	}
}

func (w *workspace) activate(h, slope, y Matrix, a Activation) {
	if w.err == nil {
		w.err = w.device.Activate(h, slope, y, a)
	}
}

func (w *workspace) times(dst, x Matrix) {
	if w.err == nil {
		w.err = w.device.Times(dst, x)
	}
}

func (w *workspace) copyColumns(dst Matrix, to int, src Matrix, from, columns int) {
	if w.err == nil {
		w.err = w.device.CopyColumns(dst, to, src, from, columns)
	}
}

func (w *workspace) project(x Matrix, radius float32) {
	if w.err == nil {
		w.err = w.device.Project(x, radius)
	}
}

func (w *workspace) gather(dst, src Matrix, rows []int) {
	if w.err == nil {
		w.err = w.device.Gather(dst, src, rows)
	}
}

func (w *workspace) bernoulli(dst, p Matrix, at Stream) {
	if w.err == nil {
		w.err = w.device.Bernoulli(dst, p, at)
	}
}

func (w *workspace) gaussian(dst, mean Matrix, deviation float32, at Stream) {
	if w.err == nil {
		w.err = w.device.Gaussian(dst, mean, deviation, at)
	}
}

func (w *workspace) corrupt(dst, x Matrix, c Corruption, at Stream) {
	if w.err == nil {
		w.err = w.device.Corrupt(dst, x, c, at)
	}
}

// read copies a matrix of len(dst) numbers to the host.
func (w *workspace) read(dst []float32, m Matrix) {
	if w.err == nil {
		w.err = m.Read(dst)
	}
}

// Close gives back every matrix.
func (w *workspace) Close() error { return w.matrices.Close() }
