package engine

import (
	"fmt"
	"math"
)

// Value numbers what a network computes: value 0 is its input, and operation i
// makes value i+1.
type Value int

// Shape is the shape of a value for one example: so many channels of a picture
// [Rows, Cols]. n units of a layer without places are {n, 1, 1}, see [Flat].
// Numbers of a value are in the order channel, row, column.
type Shape struct{ Channels, Rows, Cols int }

// Flat is the shape of n units.
func Flat(n int) Shape { return Shape{n, 1, 1} }

// Size is how many numbers a value of the shape has; 0 for a shape without a
// meaning, or beyond what can be addressed.
func (s Shape) Size() int {
	if s.Channels < 1 || s.Rows < 1 || s.Cols < 1 || s.Channels > math.MaxInt32/s.Rows || s.Channels*s.Rows > math.MaxInt32/s.Cols {
		return 0
	}
	return s.Channels * s.Rows * s.Cols
}

// String is "10" for units, "3x32x32" for channels of pictures.
func (s Shape) String() string {
	if s.Rows == 1 && s.Cols == 1 {
		return fmt.Sprint(s.Channels)
	}
	return fmt.Sprintf("%dx%dx%d", s.Channels, s.Rows, s.Cols)
}

// OpKind names what an operation computes before its activation.
type OpKind uint8

// The operations.
const (
	Affine OpKind = iota // y = Weight x + Bias, x with all its numbers in a row; units {n, 1, 1}
	Add                  // y = the sum of values of one shape
	Concat               // y = the channels of values of the same rows and columns, one after the other
	Scale                // y = Factor x + Bias, for each channel
)

// String returns "affine", "add", "concat" or "scale".
func (k OpKind) String() string {
	switch k {
	case Affine:
		return "affine"
	case Add:
		return "add"
	case Concat:
		return "concat"
	case Scale:
		return "scale"
	}
	return fmt.Sprintf("OpKind(%d)", uint8(k))
}

// Op is one operation of a network: y of its kind, and then h = f(y).
type Op struct {
	Kind       OpKind
	In         []Value   // earlier values; one of Affine and Scale, one or more of Add and Concat
	Weight     Host      // of Affine, [units, inputs]
	Factor     []float32 // of Scale, [channels]
	Bias       []float32 // of Affine [units] and Scale [channels]
	Activation Activation
}

// Net is what a network computes: operations in an order in which each comes after
// what it reads. The value of the last one need not be the only result: any value,
// before or after its activation, can be asked for.
type Net struct {
	Input Shape
	Ops   []Op
}

// Stack is the network of layers, each of which takes what the one before it makes.
// The numbers are shared with the layers.
func Stack(layers []Layer) (n Net) {
	for i, l := range layers {
		if i == 0 {
			n.Input = Flat(l.Weight.Cols)
		}
		n.Ops = append(n.Ops, Op{Kind: Affine, In: []Value{Value(i)}, Weight: l.Weight, Bias: l.Bias, Activation: Activation{Kind: Sigmoid}})
	}
	return n
}

// Check returns the shapes of all values, the input first. It is the one place that
// finds out whether a network can be computed: that operations read what is there,
// that shapes fit, and that parameters are finite.
func (n Net) Check() ([]Shape, error) {
	if n.Input.Size() == 0 {
		return nil, fmt.Errorf("net: its input is %dx%dx%d, want numbers of at least 1, and not more than 2^31 in all", n.Input.Channels, n.Input.Rows, n.Input.Cols)
	}
	if len(n.Ops) == 0 {
		return nil, fmt.Errorf("net: no operations")
	}
	shapes := []Shape{n.Input}
	for i, o := range n.Ops {
		out, err := o.check(shapes)
		if err != nil {
			return nil, fmt.Errorf("net: operation %d, %s: %w", i+1, o.Kind, err)
		}
		shapes = append(shapes, out)
	}
	return shapes, nil
}

// check returns the shape of what an operation makes of values of these shapes.
func (o Op) check(shapes []Shape) (out Shape, err error) {
	for _, v := range o.In {
		if v < 0 || int(v) >= len(shapes) {
			return out, fmt.Errorf("it reads value %d, want one of 0 to %d", v, len(shapes)-1)
		}
	}
	switch o.Kind {
	case Affine:
		out, err = o.affineShape(shapes)
	case Scale:
		out, err = o.scaleShape(shapes)
	case Add, Concat:
		out, err = o.joinShape(shapes)
	default:
		return out, fmt.Errorf("there is no such operation")
	}
	if err != nil {
		return out, err
	}
	if out.Size() == 0 {
		return out, fmt.Errorf("it makes more than 2^31 numbers")
	}
	if !finite(o.Weight.Data) || !finite(o.Factor) || !finite(o.Bias) {
		return out, fmt.Errorf("its parameters: %w", ErrNotFinite)
	}
	return out, o.Activation.Check(out.Channels)
}

func (o Op) affineShape(shapes []Shape) (Shape, error) {
	w := o.Weight
	switch {
	case len(o.In) != 1:
		return Shape{}, fmt.Errorf("it reads %d values, want 1", len(o.In))
	case w.Rows < 1 || w.Cols < 1 || len(w.Data)/w.Cols != w.Rows || len(w.Data)%w.Cols != 0:
		return Shape{}, fmt.Errorf("its weights are %dx%d and hold %d numbers", w.Rows, w.Cols, len(w.Data))
	case w.Cols != shapes[o.In[0]].Size():
		return Shape{}, fmt.Errorf("its weights are for %d inputs, value %d has %d", w.Cols, o.In[0], shapes[o.In[0]].Size())
	case len(o.Bias) != w.Rows:
		return Shape{}, fmt.Errorf("it has %d units and %d biases", w.Rows, len(o.Bias))
	}
	return Flat(w.Rows), o.only(true, false)
}

func (o Op) scaleShape(shapes []Shape) (Shape, error) {
	if len(o.In) != 1 {
		return Shape{}, fmt.Errorf("it reads %d values, want 1", len(o.In))
	}
	of := shapes[o.In[0]]
	if len(o.Factor) != of.Channels || len(o.Bias) != of.Channels {
		return Shape{}, fmt.Errorf("it has %d factors and %d biases for %d channels", len(o.Factor), len(o.Bias), of.Channels)
	}
	return of, o.only(false, true)
}

func (o Op) joinShape(shapes []Shape) (Shape, error) {
	if len(o.In) == 0 {
		return Shape{}, fmt.Errorf("it reads no values, want at least 1")
	}
	out := shapes[o.In[0]]
	for _, v := range o.In[1:] {
		s := shapes[v]
		if s.Rows != out.Rows || s.Cols != out.Cols || o.Kind == Add && s != shapes[o.In[0]] {
			return out, fmt.Errorf("value %d is %s, value %d is %s", o.In[0], shapes[o.In[0]], v, s)
		}
		if o.Kind == Concat {
			if out.Channels > math.MaxInt32-s.Channels {
				return out, fmt.Errorf("it makes more than 2^31 channels")
			}
			out.Channels += s.Channels
		}
	}
	if len(o.Bias) > 0 {
		return out, fmt.Errorf("it has %d biases, and no use for them", len(o.Bias))
	}
	return out, o.only(false, false)
}

// only refuses parameters that an operation has no use for: somebody meant
// something by them.
func (o Op) only(weight, factor bool) error {
	if !weight && (o.Weight.Rows != 0 || o.Weight.Cols != 0 || len(o.Weight.Data) > 0) {
		return fmt.Errorf("it has weights, and no use for them")
	}
	if !factor && len(o.Factor) > 0 {
		return fmt.Errorf("it has factors, and no use for them")
	}
	return nil
}
