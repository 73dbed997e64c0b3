package visualize

import (
	"errors"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
)

// maxCompareRows keeps a chunk of examples to about a second on any device.
const maxCompareRows = 1 << 11

// exampleScan is one pass over the examples.
type exampleScan struct {
	*compareWork
	readout  *readout
	all      engine.Matrix // [U*M, D] the patterns
	products engine.Matrix // [rows, U*M] with the examples
	x, a, p  []float32     // a chunk on the host, its activations [rows, U] and products

	below, equal []int     // [U*M] examples that excite the unit less than the pattern, or equally
	nearest      []int     // [U*M] example
	square       []float64 // [U*M] its squared distance, as the device's product gives it
}

// stream compares the patterns with every example.
func (c *compareWork) stream(progress func(done, total int)) (err error) {
	s, err := c.newScan()
	if err != nil {
		return err
	}
	defer closeInto(&err, s)
	count := c.set.Len()
	for from := 0; from < count; from += s.readout.rows {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		to := min(from+s.readout.rows, count)
		if err := s.look(from, to); err != nil {
			return fmt.Errorf("examples %d to %d: %w", from, to-1, err)
		}
		if progress != nil {
			progress(to, count)
		}
	}
	for row := range c.result.Rows {
		if r := &c.result.Rows[row]; !r.Missing {
			r.Percentile = 100 * (float64(s.below[row]) + float64(s.equal[row])/2) / float64(count)
			r.Nearest = s.nearest[row]
		}
	}
	return nil
}

func (c *compareWork) newScan() (s *exampleScan, err error) {
	o, rows := c.options, len(c.result.Rows)
	s = &exampleScan{
		compareWork: c, below: make([]int, rows), equal: make([]int, rows),
		nearest: make([]int, rows), square: make([]float64, rows),
	}
	for row := range s.square {
		s.square[row] = math.Inf(1)
	}
	for u := range c.result.DataMax {
		c.result.DataMax[u] = float32(math.Inf(-1))
	}
	chunk := o.ChunkRows
	if chunk == 0 {
		chunk = fittingRows(c.device, c.set.Len(), 2*rowFloats(c.model, o.Layer, len(o.Units))+rows, maxCompareRows)
	}
	chunk = min(chunk, c.set.Len())
	if s.readout, err = newReadout(c.device, c.model, o.Layer, o.Units, chunk); err != nil {
		return nil, err
	}
	chunk = s.readout.rows
	s.all, err = s.readout.matrices.Upload(c.device, engine.Host{Rows: rows, Cols: c.inputs, Data: c.patterns})
	if err == nil {
		s.products, err = s.readout.matrices.New(c.device, chunk, rows)
	}
	if err != nil {
		closeInto(&err, s)
		return nil, err
	}
	s.x, s.a, s.p = make([]float32, chunk*c.inputs), make([]float32, chunk*len(o.Units)), make([]float32, chunk*rows)
	return s, nil
}

// Close gives the device's memory back.
func (s *exampleScan) Close() error { return s.readout.Close() }

// look takes in examples from..to-1.
func (s *exampleScan) look(from, to int) error {
	n, units, rows := to-from, len(s.options.Units), len(s.result.Rows)
	x, a, p := s.x[:n*s.inputs], s.a[:n*units], s.p[:n*rows]
	if err := s.read(x, from, to); err != nil {
		return err
	}
	input, activation, err := s.readout.of(x)
	if err != nil {
		return err
	}
	products, err := s.products.Slice(0, n)
	if err != nil {
		return err
	}
	if err := s.device.Gemm(products, input, s.all, engine.Multiply(false, true)); err != nil {
		return err
	}
	if err := errors.Join(activation.Read(a), products.Read(p)); err != nil {
		return err
	}
	for i := range n {
		if err := s.rank(a[i*units:(i+1)*units], from+i); err != nil {
			return err
		}
		s.approach(x[i*s.inputs:(i+1)*s.inputs], p[i*rows:(i+1)*rows], from+i)
	}
	return nil
}

// read reads examples as the model sees them.
func (c *compareWork) read(x []float32, from, to int) error {
	if err := c.set.Read(x, appendRange(nil, from, to-1)); err != nil {
		return err
	}
	return c.model.Preprocess(x)
}

// rank counts one example, with its activations [U].
func (s *exampleScan) rank(activation []float32, index int) error {
	methods := len(s.result.Methods)
	for u, a := range activation {
		if a-a != 0 {
			return fmt.Errorf("the activation of unit %d at example %d: %w", s.options.Units[u], index, engine.ErrNotFinite)
		}
		s.result.DataMax[u] = max(s.result.DataMax[u], a)
		for row := u * methods; row < (u+1)*methods; row++ {
			switch own := s.own[row]; {
			case a < own:
				s.below[row]++
			case a == own:
				s.equal[row]++
			}
		}
	}
	return nil
}

// approach keeps the example if it is nearer than all before it, by its products
// [U*M] with the patterns.
func (s *exampleScan) approach(x, products []float32, index int) {
	norm := norm64(x)
	for row, p := range products {
		// Without rho^2, which all examples have in common.
		if square := norm*norm - 2*float64(p); square < s.square[row] {
			s.square[row], s.nearest[row] = square, index
		}
	}
}

// distances works out the distances to the nearest examples in float64: of near
// ones, the products of float32 leave only rounding.
func (c *compareWork) distances() error {
	x := make([]float32, c.inputs)
	for row := range c.result.Rows {
		r := &c.result.Rows[row]
		if r.Missing {
			continue
		}
		if err := c.read(x, r.Nearest, r.Nearest+1); err != nil {
			return fmt.Errorf("example %d: %w", r.Nearest, err)
		}
		sum := 0.0
		for j, v := range c.pattern(row) {
			sum += (float64(v) - float64(x[j])) * (float64(v) - float64(x[j]))
		}
		r.Distance = math.Sqrt(sum)
	}
	return nil
}

// reconstruct measures the reconstruction errors, if the model can reconstruct.
func (c *compareWork) reconstruct() (err error) {
	if !c.model.Reconstructs(c.options.Layer) {
		return nil
	}
	rows, floats := len(c.result.Rows), 2*rowFloats(c.model, c.options.Layer, 0)
	chunk := fittingRows(c.device, rows, floats, maxCompareRows)
	var r *reconstruction
	err = fewerRows(c.device, chunk, 4*int64(floats), func(rows int) (err error) {
		chunk = rows
		r, err = newReconstruction(c.device, c.model, c.options.Layer, rows)
		return err
	})
	if err != nil {
		return err
	}
	defer closeInto(&err, r)
	return inChunks(c.device, rows, chunk, 4*int64(floats), func(from, to int) error { return c.reconstructRows(r, from, to) })
}

// reconstructRows measures the errors of rows from..to-1.
func (c *compareWork) reconstructRows(r *reconstruction, from, to int) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	back, err := r.of(c.patterns[from*c.inputs : to*c.inputs])
	if err != nil {
		return fmt.Errorf("reconstruct: %w", err)
	}
	for row := from; row < to; row++ {
		if c.missing[row] {
			continue
		}
		sum := 0.0
		for j, v := range c.pattern(row) {
			away := float64(v) - float64(back[(row-from)*c.inputs+j])
			sum += away * away
		}
		c.result.Rows[row].Reconstruction = math.Sqrt(sum) / norm64(c.pattern(row))
	}
	return nil
}

// reconstruction takes batches of inputs up to a layer and down again, by the means.
type reconstruction struct {
	device   engine.Device
	matrices engine.Matrices // the parameters of the way down
	inputs   int
	encoder  *network.Encoder
	down     []oneDown // from the layer down
}

// oneDown takes h_l to E[h_{l-1} | h_l].
type oneDown struct {
	weight engine.Matrix
	times  engine.Product
}

// newReconstruction makes room for batches of so many rows.
func newReconstruction(d engine.Device, n *network.Network, layer, rows int) (r *reconstruction, err error) {
	r = &reconstruction{device: d, inputs: n.Sizes()[0]}
	if r.encoder, err = n.NewEncoder(d, layer, rows); err != nil {
		return nil, err
	}
	for l := layer; l >= 1 && err == nil; l-- {
		var to oneDown
		if to, err = r.oneDown(n, l); err != nil {
			err = fmt.Errorf("layer %d: %w", l, err)
		}
		r.down = append(r.down, to)
	}
	if err != nil {
		closeInto(&err, r)
		return nil, err
	}
	return r, nil
}

func (r *reconstruction) oneDown(n *network.Network, l int) (to oneDown, err error) {
	weight, err := dense.Host(n.Layers[l-1].Weight)
	if err != nil {
		return to, err
	}
	bias, err := dense.Data(n.Layers[l-1].VisibleBias)
	if err != nil {
		return to, err
	}
	if to.weight, err = r.matrices.Upload(r.device, weight); err != nil {
		return to, err
	}
	to.times = engine.Multiply(false, false)
	if l > 1 || n.Visible == engine.Bernoulli {
		to.times.Epilogue.Kind = engine.EpilogueSigmoid
	}
	to.times.Epilogue.Bias, err = r.matrices.Upload(r.device, engine.Host{Rows: 1, Cols: len(bias), Data: bias})
	return to, err
}

// of takes x [n, D] up and down.
func (r *reconstruction) of(x []float32) (back []float32, err error) {
	rows := len(x) / r.inputs
	var m engine.Matrices
	defer closeInto(&err, &m)
	input, err := m.Upload(r.device, engine.Host{Rows: rows, Cols: r.inputs, Data: x})
	if err != nil {
		return nil, err
	}
	h, err := r.encoder.Encode(input)
	if err != nil {
		return nil, err
	}
	for _, to := range r.down {
		below, err := m.New(r.device, rows, to.weight.Cols())
		if err != nil {
			return nil, err
		}
		if err := r.device.Gemm(below, h, to.weight, to.times); err != nil {
			return nil, err
		}
		h = below
	}
	back = make([]float32, len(x))
	return back, h.Read(back)
}

// Close gives the device's memory back.
func (r *reconstruction) Close() error {
	err := r.matrices.Close()
	closeInto(&err, r.encoder)
	return err
}
