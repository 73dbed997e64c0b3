package dense

import (
	"fmt"
	"sync"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
)

// Engine is an engine for package tensor whose products run on a device:
//
//	e := dense.NewEngine(device)
//	a := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking(numbers), tensor.WithEngine(e))
//	c, err := tensor.MatMul(a, b)
//
// The tensors stay in host memory; operands are copied to the device and the
// result back at each call. MatMul, MatVecMul, Inner, Outer and what Dot and
// TensorMul make of them are overridden for float32, of any layout: transposed,
// in column-major order, or views. NaN and Inf travel as IEEE 754 has it. All
// else, other types included, is tensor.StdEng's; where it panics in a product,
// the result is an error here.
//
// tensor asks the engine of the left operand, but for vector times matrix in
// Dot, where it asks the matrix's. A result may not have gaps: to reuse a view of
// some columns is an error, because tensor hands it on as if it had none.
//
// An Engine is safe for concurrent use as long as nothing else uses its device;
// calls take turns.
type Engine struct {
	tensor.StdEng
	mu     sync.Mutex
	device engine.Device
}

// NewEngine returns an engine for package tensor over a device, which stays the
// caller's to close; products after that are errors.
func NewEngine(d engine.Device) *Engine { return &Engine{device: d} }

// MatMul writes the product of matrices a [m, k] and b [k, n] to result [m, n].
// tensor.MatMul calls it.
func (e *Engine) MatMul(a, b, result tensor.Tensor) error {
	if !allFloat32(a, b, result) {
		return e.standard("matmul", e.StdEng.MatMul, a, b, result)
	}
	ls, err := layoutsOf("matmul", a, b, result)
	if err != nil {
		return err
	}
	for _, l := range ls {
		if len(l.shape) != 2 {
			return fmt.Errorf("matmul: shapes %v, %v and %v, want matrices", ls[0].shape, ls[1].shape, ls[2].shape)
		}
	}
	return e.product("matmul", ls[0], ls[1], ls[2])
}

// MatVecMul writes the product of a matrix a [m, n] and a vector b [n] to
// result [m]. tensor.MatVecMul calls it.
func (e *Engine) MatVecMul(a, b, result tensor.Tensor) error {
	if !allFloat32(a, b, result) {
		return e.standard("matvecmul", e.StdEng.MatVecMul, a, b, result)
	}
	ls, err := layoutsOf("matvecmul", a, b, result)
	if err != nil {
		return err
	}
	if len(ls[0].shape) != 2 || !ls[1].isVector() || !ls[2].isVector() {
		return fmt.Errorf("matvecmul: shapes %v, %v and %v, want a matrix and two vectors", ls[0].shape, ls[1].shape, ls[2].shape)
	}
	return e.product("matvecmul", ls[0], ls[1].column(), ls[2].column())
}

// Outer writes the products of all pairs of elements of vectors a [m] and b
// [n] to result [m, n]. tensor.Outer calls it.
func (e *Engine) Outer(a, b, result tensor.Tensor) error {
	if !allFloat32(a, b, result) {
		return e.standard("outer", e.StdEng.Outer, a, b, result)
	}
	ls, err := layoutsOf("outer", a, b, result)
	if err != nil {
		return err
	}
	if !ls[0].isVector() || !ls[1].isVector() || len(ls[2].shape) != 2 {
		return fmt.Errorf("outer: shapes %v, %v and %v, want two vectors and a matrix", ls[0].shape, ls[1].shape, ls[2].shape)
	}
	return e.product("outer", ls[0].column(), ls[1].column().transposed(), ls[2])
}

// Inner returns the sum of the products of the elements of vectors a [n] and b
// [n], a float32 for float32 vectors. tensor.Inner calls it.
func (e *Engine) Inner(a, b tensor.Tensor) (sum interface{}, err error) {
	if !allFloat32(a, b) {
		err = guard("inner", func() error {
			sum, err = e.StdEng.Inner(whole(a), whole(b))
			return err
		})
		return sum, err
	}
	ls, err := layoutsOf("inner", a, b)
	if err != nil {
		return nil, err
	}
	if !ls[0].isVector() || !ls[1].isVector() {
		return nil, fmt.Errorf("inner: shapes %v and %v, want two vectors", ls[0].shape, ls[1].shape)
	}
	result := layout{data: make([]float32, 1), shape: []int{1, 1}, strides: []int{1, 1}}
	if err := e.product("inner", ls[0].column().transposed(), ls[1].column(), result); err != nil {
		return nil, err
	}
	return result.data[0], nil
}

// Dot is tensor.Dot: the product of two tensors, or of a tensor and a number,
// whatever their dimensions. The options WithReuse and WithIncr don't apply to
// two vectors, whose product is a single number, and are an error there.
func (e *Engine) Dot(a, b tensor.Tensor, options ...tensor.FuncOpt) (result tensor.Tensor, err error) {
	if !allFloat32(a, b) || !a.Shape().IsVector() || !b.Shape().IsVector() {
		err = guard("dot", func() error {
			result, err = e.StdEng.Dot(a, b, options...)
			return err
		})
		return result, err
	}
	if o := tensor.ParseFuncOpts(options...); o.Reuse() != nil || o.Incr() != nil {
		return nil, fmt.Errorf("dot: the product of two vectors is a number, which WithReuse and WithIncr don't apply to")
	}
	sum, err := e.Inner(a, b)
	if err != nil {
		return nil, err
	}
	return tensor.New(tensor.FromScalar(sum), tensor.WithEngine(e)), nil
}

// allFloat32 reports whether all operands are *tensor.Dense of float32.
func allFloat32(operands ...tensor.Tensor) bool {
	for _, o := range operands {
		if d, ok := o.(*tensor.Dense); !ok || d == nil || d.Dtype() != tensor.Float32 {
			return false
		}
	}
	return true
}

// layoutsOf looks at operands that are all *tensor.Dense.
func layoutsOf(operation string, operands ...tensor.Tensor) ([]layout, error) {
	var ls []layout
	for i, o := range operands {
		l, err := layoutOf(o.(*tensor.Dense))
		if err != nil {
			return nil, fmt.Errorf("%s: operand %d: %w", operation, i+1, err)
		}
		ls = append(ls, l)
	}
	return ls, nil
}

// product computes result = a b for matrices.
func (e *Engine) product(operation string, a, b, result layout) error {
	m, k, n := a.shape[0], a.shape[1], b.shape[1]
	if b.shape[0] != k || result.shape[0] != m || result.shape[1] != n {
		return fmt.Errorf("%s: a is %dx%d, b is %dx%d, the result has room for %dx%d", operation, m, k, b.shape[0], n, result.shape[0], result.shape[1])
	}
	if len(result.data) != result.size() {
		return fmt.Errorf("%s: the result is a view with gaps, which package tensor can't reuse", operation)
	}
	numbers := result.data
	if !result.isRowMajor() {
		numbers = make([]float32, len(result.data))
	}
	if err := e.multiply(numbers, a, b); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	if !result.isRowMajor() {
		result.fill(numbers)
	}
	return nil
}

// multiply computes the product of matrices on the device and writes it to
// numbers, row by row.
func (e *Engine) multiply(numbers []float32, a, b layout) (err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var space engine.Matrices
	defer func() {
		if closing := space.Close(); err == nil {
			err = closing
		}
	}()
	hostA, transA := a.operand()
	hostB, transB := b.operand()
	left, err := space.Upload(e.device, hostA)
	if err != nil {
		return err
	}
	right, err := space.Upload(e.device, hostB)
	if err != nil {
		return err
	}
	out, err := space.New(e.device, a.shape[0], b.shape[1])
	if err != nil {
		return err
	}
	if err := e.device.Gemm(out, left, right, engine.Multiply(transA, transB)); err != nil {
		return err
	}
	return out.Read(numbers)
}

// standard lets tensor's own engine compute a product of other types. It
// ignores the strides of views and mixes up orders, so views are copied first
// and what it would get wrong is an error.
func (e *Engine) standard(operation string, compute func(a, b, result tensor.Tensor) error, a, b, result tensor.Tensor) error {
	return guard(operation, func() error {
		if o := a.DataOrder(); o.IsColMajor() != b.DataOrder().IsColMajor() || o.IsColMajor() != result.DataOrder().IsColMajor() {
			return fmt.Errorf("%s: %v operands in row-major and in column-major order, want one order", operation, a.Dtype())
		}
		if d, ok := result.(*tensor.Dense); ok && d.DataSize() != d.Shape().TotalSize() {
			return fmt.Errorf("%s: the result is a view with gaps, which package tensor can't reuse", operation)
		}
		return compute(whole(a), whole(b), result)
	})
}

// whole returns a tensor that isn't a view.
func whole(t tensor.Tensor) tensor.Tensor {
	if d, ok := t.(*tensor.Dense); ok && d.IsView() {
		return d.Materialize()
	}
	return t
}

// guard turns a panic of package tensor or of the libraries below it into an
// error.
func guard(operation string, compute func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%s: package tensor panicked: %v", operation, cause)
		}
	}()
	return compute()
}
