package cpu

import (
	"github.com/unitscope/unitscope/cpu/internal/kernel"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
)

// A product dst [m, n] = op(a) op(b) is computed as in Goto and van de Geijn,
// "Anatomy of High-Performance Matrix Multiplication" (2008): both factors are
// copied into the order in which the kernel reads them, and tiles of dst are
// summed up over blocks of k, small enough that what is read again and again
// stays in cache.
//
//	phase 1   pack op(a) into strips [k][Rows], op(b) into panels [k][Lanes],
//	          the last ones padded with zeros
//	phase 2   for each block of dst: sum its tiles in the worker's memory, then
//	          write it out with alpha, beta, bias and epilogue, row by row
//	phase 3   what needs whole rows of dst: Bernoulli states, norms
//
// Padding touches padded elements only, and those are never written out. An
// element is one sum of multiply-adds over k in ascending order, and phase 2
// cuts columns by n alone; so neither m nor a row's place changes its bits.
const (
	// Terms of k between two visits to a tile: strips and panels of this many terms stay
	// in the first level of cache.
	blockTerms = 256
	// Rows and columns of a block of dst, about. It stays in the second level
	// of cache, with the strips of its rows.
	blockRows, blockCols = 96, 256
	// Numbers of a factor that are packed at a time. What is larger is cut
	// into pieces of rows (of columns).
	pieceNumbers = 1 << 22
)

// factor is an operand of a product as the packing sees it: lines (rows of
// op(a), columns of op(b)) of k numbers each.
type factor struct {
	data   []float32
	stride int  // between rows in memory
	along  bool // a line is a row in memory; else it is a column
	lines  int
	width  int // lines in a strip or panel
}

// pack writes strip or panel i in the order [k][width].
func (f *factor) pack(set *kernel.Set, dst []float32, i, k int) {
	first := i * f.width
	count := min(f.width, f.lines-first)
	if k == 0 {
		return
	}
	if f.along {
		set.Transpose(dst, f.width, f.data[first*f.stride:], f.stride, count, k)
	} else {
		set.CopyLines(dst, f.width, f.data[first:], f.stride, count, k)
	}
}

// product is a Gemm at work.
type product struct {
	set         *kernel.Set
	k           int
	a, b        factor
	alpha, beta float32
	epilogue    engine.EpilogueKind

	// Row-major, with the columns of dst.
	dst, bias, hidden, probability []float32
	cols                           int

	// The piece at work: its lines of op(a) and of op(b), and their strips and panels.
	rowsFrom, rowsTo, colsFrom, colsTo int
	packRows, packCols                 bool // whether phase 1 packs op(a), op(b)
	packed                             [2][]float32

	// Blocks of the piece.
	rowBlocks, colBlocks blocks

	parts struct{ pack, multiply part } // the methods, bound once
}

// blocks cuts a number of strips or panels into about equal blocks.
type blocks struct{ total, count int }

// cut makes blocks of at most so many lines, and of at least one strip or panel.
func cut(lines, width, most int) blocks {
	total := (lines + width - 1) / width
	perBlock := max(1, most/width)
	return blocks{total, (total + perBlock - 1) / perBlock}
}

// from is the first strip or panel of block i.
func (b blocks) from(i int) int { return i * b.total / b.count }

func (d *device) Gemm(dst, a, b engine.Matrix, p engine.Product) error {
	if err := d.open("gemm"); err != nil {
		return err
	}
	e := p.Epilogue
	o, err := operand.Gemm[*matrix](d, dst, a, b, p)
	if err != nil {
		return err
	}
	d.product.describe(o.Dst, o.A, o.B, p)
	d.product.bias, d.product.hidden, d.product.probability = numbers(o.Bias), numbers(o.Hidden), numbers(o.Probability)
	d.multiply()
	d.product.forget()
	d.finish(o.Dst, o.Probability, o.Norms, e)
	return nil
}

func (g *product) describe(dst, a, b *matrix, p engine.Product) {
	g.k = a.cols
	if p.TransA {
		g.k = a.rows
	}
	g.a = factor{data: a.data(), stride: a.cols, along: !p.TransA, lines: dst.rows, width: g.set.Rows}
	g.b = factor{data: b.data(), stride: b.cols, along: p.TransB, lines: dst.cols, width: g.set.Lanes}
	g.alpha, g.beta, g.epilogue = p.Alpha, p.Beta, p.Epilogue.Kind
	g.dst, g.cols = dst.data(), dst.cols
}

// forget lets go of the operands, so that closing them frees their memory.
func (g *product) forget() {
	g.a.data, g.b.data = nil, nil
	g.dst, g.bias, g.hidden, g.probability = nil, nil, nil, nil
}

// piece is the largest multiple of a strip's or panel's lines whose k terms are packed at
// a time.
func (f *factor) piece(k int) int {
	return max(1, pieceNumbers/max(1, k)/f.width) * f.width
}

// multiply runs phases 1 and 2, piece by piece.
func (d *device) multiply() {
	g := &d.product
	rows, cols := g.a.piece(g.k), g.b.piece(g.k)
	for g.colsFrom = 0; g.colsFrom < g.b.lines; g.colsFrom = g.colsTo {
		g.colsTo = min(g.colsFrom+cols, g.b.lines)
		g.packCols = true
		for g.rowsFrom = 0; g.rowsFrom < g.a.lines; g.rowsFrom = g.rowsTo {
			g.rowsTo = min(g.rowsFrom+rows, g.a.lines)
			g.packRows = g.packCols || rows < g.a.lines
			d.multiplyPiece()
			g.packCols = false
		}
	}
}

func (d *device) multiplyPiece() {
	g := &d.product
	rows, cols := g.rowsTo-g.rowsFrom, g.colsTo-g.colsFrom
	g.rowBlocks, g.colBlocks = cut(rows, g.a.width, blockRows), cut(cols, g.b.width, blockCols)
	grow(&g.packed[0], g.rowBlocks.total*g.a.width*g.k)
	grow(&g.packed[1], g.colBlocks.total*g.b.width*g.k)

	parts, numbers := 0, 0
	if g.packRows {
		parts, numbers = parts+g.rowBlocks.total, numbers+rows*g.k
	}
	if g.packCols {
		parts, numbers = parts+g.colBlocks.total, numbers+cols*g.k
	}
	d.pool.run(parts, 2*float64(numbers), g.parts.pack)
	work := float64(rows) * float64(cols) * float64(g.k+8) / 8
	d.pool.run(g.rowBlocks.count*g.colBlocks.count, work, g.parts.multiply)
}

// pack is a part of phase 1: one strip of op(a), or then one panel of op(b).
func (g *product) pack(_ *worker, i int) {
	if g.packRows {
		if i < g.rowBlocks.total {
			g.a.pack(g.set, g.terms(0, i, 0, g.k), g.rowsFrom/g.a.width+i, g.k)
			return
		}
		i -= g.rowBlocks.total
	}
	g.b.pack(g.set, g.terms(1, i, 0, g.k), g.colsFrom/g.b.width+i, g.k)
}

// terms are terms from..to-1 of a packed strip of op(a) (0) or panel of op(b) (1).
func (g *product) terms(factor, i, from, to int) []float32 {
	width := g.a.width
	if factor == 1 {
		width = g.b.width
	}
	return g.packed[factor][(i*g.k+from)*width : (i*g.k+to)*width]
}

// multiply is a part of phase 2: one block of dst.
func (g *product) multiply(w *worker, part int) {
	row, col := part/g.colBlocks.count, part%g.colBlocks.count
	rowStrip, rowEnd := g.rowBlocks.from(row), g.rowBlocks.from(row+1)
	colPanel, colEnd := g.colBlocks.from(col), g.colBlocks.from(col+1)
	stride := (colEnd - colPanel) * g.b.width
	tile := grow(&w.tile, (rowEnd-rowStrip)*g.a.width*stride)
	for from := 0; from == 0 || from < g.k; from += blockTerms {
		to := min(from+blockTerms, g.k)
		for j := colPanel; j < colEnd; j++ {
			b := g.terms(1, j, from, to)
			for i := rowStrip; i < rowEnd; i++ {
				c := tile[(i-rowStrip)*g.a.width*stride+(j-colPanel)*g.b.width:]
				g.set.Multiply(to-from, g.terms(0, i, from, to), b, c, stride, from > 0)
			}
		}
	}
	first := g.rowsFrom + rowStrip*g.a.width
	colFrom, colTo := g.colsFrom+colPanel*g.b.width, min(g.colsFrom+colEnd*g.b.width, g.colsTo)
	for i := first; i < min(g.rowsFrom+rowEnd*g.a.width, g.rowsTo); i++ {
		g.write(tile[(i-first)*stride:][:colTo-colFrom], i, colFrom)
	}
}

// write writes a stretch of row i of dst, from a column on: y is its product.
func (g *product) write(y []float32, i, col int) {
	at := i*g.cols + col
	dst := g.dst[at:][:len(y)]
	if g.alpha == 1 && g.beta == 0 {
		copy(dst, y)
	} else {
		g.set.Axpby(dst, g.alpha, y, g.beta)
	}
	if g.bias != nil {
		g.set.Axpby(dst, 1, g.bias[col:][:len(y)], 1)
	}
	switch g.epilogue {
	case engine.EpilogueSigmoid:
		g.set.Sigmoid(dst, dst)
	case engine.EpilogueBernoulli:
		// Phase 3 draws the states.
		if g.probability != nil {
			g.set.Sigmoid(g.probability[at:][:len(y)], dst)
		} else {
			g.set.Sigmoid(dst, dst)
		}
	case engine.EpilogueDerivative:
		g.set.DerivativeScale(dst, g.hidden[at:][:len(y)])
	}
}

// finish runs phase 3.
func (d *device) finish(dst, probability, norms *matrix, e engine.Epilogue) {
	switch e.Kind {
	case engine.EpilogueBernoulli:
		if probability == nil {
			probability = dst
		}
		d.byRows(rowTask{compute: bernoulliRow, dst: dst, x: probability, at: e.At}, costRandom)
	case engine.EpilogueNorms:
		d.byRows(rowTask{compute: reduceRow, dst: norms, x: dst, with: dst, alpha: 1, norm: true}, costSum)
	}
}
