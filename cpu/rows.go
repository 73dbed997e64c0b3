package cpu

import (
	"math"

	"github.com/unitscope/unitscope/cpu/internal/kernel"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
)

// rowTask is an operation that computes each row (or, for column means, each
// stretch of columns) from start to end on its own.
type rowTask struct {
	compute      func(d *device, w *worker, t *rowTask, i int)
	dst, x, with *matrix
	slope        *matrix // may be missing
	alpha, beta  float32
	norm         bool // the square root of a sum of squares
	corruption   engine.Corruption
	activation   engine.Activation
	at           engine.Stream
	rows         []int
	to, from     int // columns of dst and x
	columns      int
}

// rowWork is a rowTask at work.
type rowWork struct {
	rowTask
	device  *device
	count   int // rows in all
	perPart int
	part    part // the method run, bound once
}

// What an element costs, in additions or so.
const (
	costCopy    = 1
	costSum     = 2
	costSigmoid = 8
	costRandom  = 16
	costNormal  = 64
)

// byRows runs a task for every row of its x, with so much work an element.
func (d *device) byRows(t rowTask, cost float64) {
	d.byCount(t, t.x.rows, float64(t.x.cols)*cost)
}

// byCount runs a task for count rows, or what it has in their place, of so much work each.
func (d *device) byCount(t rowTask, count int, work float64) {
	r := &d.rowWork
	r.rowTask, r.device, r.count = t, d, count
	r.perPart = max(1, int(worthSharing/(work+1)))
	d.pool.run((count+r.perPart-1)/r.perPart, float64(count)*work, r.part)
	r.rowTask = rowTask{}
}

func (r *rowWork) run(w *worker, part int) {
	for i := part * r.perPart; i < min((part+1)*r.perPart, r.count); i++ {
		r.compute(r.device, w, &r.rowTask, i)
	}
}

// row is row i of a matrix.
func (m *matrix) row(i int) []float32 {
	from := m.first + i*m.cols
	return m.in.data[from : from+m.cols : from+m.cols]
}

// drawn names the random numbers of row i.
func drawn(at engine.Stream, i int) kernel.Stream {
	return kernel.Stream{Seed: at.Seed, Purpose: uint8(at.Purpose), Step: at.Step, Key: at.Keys[i]}
}

// elementwise checks an operation whose dst may be its operand itself.
func (d *device) elementwise(operation string, dst, x engine.Matrix) (mdst, mx *matrix, err error) {
	if err := d.open(operation); err != nil {
		return nil, nil, err
	}
	return operand.Elementwise[*matrix](d, operation, dst, x)
}

func (d *device) Sigmoid(dst, x engine.Matrix) error {
	mdst, mx, err := d.elementwise("sigmoid", dst, x)
	if err != nil {
		return err
	}
	d.byRows(rowTask{compute: sigmoidRow, dst: mdst, x: mx}, costSigmoid)
	return nil
}

func sigmoidRow(d *device, _ *worker, t *rowTask, i int) { d.set.Sigmoid(t.dst.row(i), t.x.row(i)) }

func (d *device) Axpby(dst engine.Matrix, alpha float32, x engine.Matrix, beta float32) error {
	mdst, mx, err := d.elementwise("axpby", dst, x)
	if err != nil {
		return err
	}
	d.byRows(rowTask{compute: axpbyRow, dst: mdst, x: mx, alpha: alpha, beta: beta}, costCopy)
	return nil
}

func axpbyRow(d *device, _ *worker, t *rowTask, i int) {
	d.set.Axpby(t.dst.row(i), t.alpha, t.x.row(i), t.beta)
}

func (d *device) Times(dst, x engine.Matrix) error {
	mdst, mx, err := d.elementwise("times", dst, x)
	if err != nil {
		return err
	}
	d.byRows(rowTask{compute: timesRow, dst: mdst, x: mx}, costCopy)
	return nil
}

func timesRow(_ *device, _ *worker, t *rowTask, i int) { times(t.dst.row(i), t.x.row(i)) }

// times is dst *= x.
func times(dst, x []float32) {
	x = x[:len(dst)]
	for j := range dst {
		dst[j] *= x[j]
	}
}

func (d *device) Uniform(dst engine.Matrix, at engine.Stream) error {
	if err := d.open("uniform"); err != nil {
		return err
	}
	mdst, err := operand.Uniform[*matrix](d, dst, at)
	if err == nil {
		d.byRows(rowTask{compute: uniformRow, dst: mdst, x: mdst, at: at}, costRandom)
	}
	return err
}

func uniformRow(d *device, _ *worker, t *rowTask, i int) {
	d.set.Uniform(t.dst.row(i), drawn(t.at, i))
}

// random checks an operation that draws a number for each element of x.
func (d *device) random(operation string, dst, x engine.Matrix, at engine.Stream) (mdst, mx *matrix, err error) {
	if err := d.open(operation); err != nil {
		return nil, nil, err
	}
	return operand.Random[*matrix](d, operation, dst, x, at)
}

func (d *device) Bernoulli(dst, p engine.Matrix, at engine.Stream) error {
	mdst, mp, err := d.random("bernoulli", dst, p, at)
	if err != nil {
		return err
	}
	d.byRows(rowTask{compute: bernoulliRow, dst: mdst, x: mp, at: at}, costRandom)
	return nil
}

func bernoulliRow(d *device, _ *worker, t *rowTask, i int) {
	d.set.Bernoulli(t.dst.row(i), t.x.row(i), drawn(t.at, i))
}

func (d *device) Gaussian(dst, mean engine.Matrix, deviation float32, at engine.Stream) error {
	mdst, mmean, err := d.random("gaussian", dst, mean, at)
	if err != nil {
		return err
	}
	d.byRows(rowTask{compute: gaussianRow, dst: mdst, x: mmean, alpha: deviation, at: at}, costNormal)
	return nil
}

func gaussianRow(d *device, w *worker, t *rowTask, i int) {
	addNoise(d.set, w, t.dst.row(i), t.x.row(i), t.alpha, drawn(t.at, i))
}

// addNoise is dst = x + deviation * standard normal. The product is rounded on
// its own, so that a processor that can fuse it with the sum gives the same bits.
func addNoise(set *kernel.Set, w *worker, dst, x []float32, deviation float32, at kernel.Stream) {
	// Normal numbers come in pairs: the last one may need a word more.
	words := grow(&w.words, len(x)+len(x)%2)
	set.Words(words, at)
	for j := 0; j < len(x); j += 2 {
		even, odd := engine.NormalPair(words[j], words[j+1])
		dst[j] = x[j] + float32(deviation*even)
		if j+1 < len(x) {
			dst[j+1] = x[j+1] + float32(deviation*odd)
		}
	}
}

func (d *device) Reduce(dst, x engine.Matrix, r engine.Reduction) error {
	if err := d.open("reduce"); err != nil {
		return err
	}
	mdst, mx, with, err := operand.Reduce[*matrix](d, dst, x, r)
	if err != nil {
		return err
	}
	if with == nil {
		with = mx
	}
	t := rowTask{compute: reduceRow, dst: mdst, x: mx, with: with, alpha: r.Alpha, beta: r.Beta, norm: r.Kind == engine.RowNorms}
	if r.Kind != engine.ColumnMeans {
		d.byRows(t, costSum)
		return nil
	}
	t.compute = meanColumns
	d.byCount(t, (mx.cols+meanStretch-1)/meanStretch, float64(mx.rows)*meanStretch*costSum)
	return nil
}

// reduceRow is the norm of row i of x, or its dot product with the row of with.
func reduceRow(_ *device, _ *worker, t *rowTask, i int) {
	sum := dot(t.x.row(i), t.with.row(i))
	if t.norm {
		sum = math.Sqrt(sum)
	}
	settle(&t.dst.row(i)[0], sum, t)
}

// settle is dst = alpha * value + beta * dst, rounded once.
func settle(dst *float32, value float64, t *rowTask) {
	value *= float64(t.alpha)
	if t.beta != 0 {
		value += float64(t.beta) * float64(*dst)
	}
	*dst = float32(value)
}

// dot sums in float64, in four interleaved sums. Products of two float32 are
// exact there and can't overflow: a row of the largest numbers still has a norm.
func dot(a, b []float32) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 {
		s0 += float64(a[0]) * float64(b[0])
		s1 += float64(a[1]) * float64(b[1])
		s2 += float64(a[2]) * float64(b[2])
		s3 += float64(a[3]) * float64(b[3])
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s0 += float64(a[i]) * float64(b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// meanStretch is how many columns are summed at a time.
const meanStretch = 256

// meanColumns is the means of stretch i of the columns of x: each is a sum over
// the rows in ascending order, in float64.
func meanColumns(_ *device, w *worker, t *rowTask, i int) {
	from := i * meanStretch
	to := min(from+meanStretch, t.x.cols)
	sums := grow(&w.sums, meanStretch)[:to-from]
	clear(sums)
	for r := range t.x.rows {
		for j, v := range t.x.row(r)[from:to] {
			sums[j] += float64(v)
		}
	}
	dst := t.dst.row(0)[from:to]
	for j, sum := range sums {
		settle(&dst[j], sum/float64(t.x.rows), t)
	}
}

func (d *device) Project(x engine.Matrix, radius float32) error {
	if err := d.open("project"); err != nil {
		return err
	}
	mx, err := operand.Project[*matrix](d, x, radius)
	if err == nil {
		d.byRows(rowTask{compute: projectRow, x: mx, alpha: radius}, 2*costSum)
	}
	return err
}

func projectRow(_ *device, _ *worker, t *rowTask, i int) {
	x := t.x.row(i)
	norm := math.Sqrt(dot(x, x))
	if norm == 0 {
		return
	}
	scale := float64(t.alpha) / norm
	for j, v := range x {
		x[j] = float32(float64(v) * scale)
	}
}

func (d *device) Gather(dst, src engine.Matrix, rows []int) error {
	if err := d.open("gather"); err != nil {
		return err
	}
	mdst, msrc, err := operand.Gather[*matrix](d, dst, src, rows)
	if err == nil {
		d.byCount(rowTask{compute: gatherRow, dst: mdst, x: msrc, rows: rows}, len(rows), float64(msrc.cols)*costCopy)
	}
	return err
}

func gatherRow(_ *device, _ *worker, t *rowTask, i int) { copy(t.dst.row(i), t.x.row(t.rows[i])) }

func (d *device) CopyColumns(dst engine.Matrix, to int, src engine.Matrix, from, columns int) error {
	if err := d.open("copy columns"); err != nil {
		return err
	}
	mdst, msrc, err := operand.CopyColumns[*matrix](d, dst, to, src, from, columns)
	if err == nil {
		d.byCount(rowTask{compute: copyColumnsRow, dst: mdst, x: msrc, to: to, from: from, columns: columns}, msrc.rows, float64(columns)*costCopy)
	}
	return err
}

func copyColumnsRow(_ *device, _ *worker, t *rowTask, i int) {
	copy(t.dst.row(i)[t.to:t.to+t.columns], t.x.row(i)[t.from:t.from+t.columns])
}
