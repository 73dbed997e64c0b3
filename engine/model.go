package engine

import (
	"errors"
	"fmt"

	"github.com/unitscope/unitscope/engine/internal/shape"
)

// Model is a network on a device, put there once for everything that is asked of it.
// It is used by one goroutine at a time, as its device is.
type Model struct {
	device Device
	net    Net
	shapes []Shape
	loaded Loaded
	closed bool
}

// Loaded is a network as its device computes it, behind a [Model]: arguments have been
// checked, but for what only the device can see, whose matrices they are and whether
// they are open.
type Loaded interface {
	Forward(x Matrix, outputs []Output) error
	// Gradient fills in values, one for each row.
	Gradient(dst, x Matrix, aims Aims, values []float32) error
	// Close gives back what it holds on the device; closing again does nothing.
	Close() error
}

// Load puts a network on a device: as the device's own version if it has one for such
// a network, else as the definition. The numbers of n are not all copied: they must
// stay as they are until the model is closed.
func Load(d Device, n Net) (*Model, error) {
	return load(d, n, func() (Loaded, error) {
		l, err := d.Load(n)
		if errors.Is(err, ErrNotFused) {
			return newPlainModel(d, n)
		}
		return l, err
	})
}

// LoadPlain is Load of the definition, written with the device's primitives only: what
// a network means, and what fused versions are tested against.
func LoadPlain(d Device, n Net) (*Model, error) {
	return load(d, n, func() (Loaded, error) { return newPlainModel(d, n) })
}

func load(d Device, n Net, on func() (Loaded, error)) (*Model, error) {
	shapes, err := n.Check()
	if err != nil {
		return nil, err
	}
	l, err := on()
	if err != nil {
		return nil, fmt.Errorf("load on %s: %w", d.Name(), err)
	}
	return &Model{device: d, net: n, shapes: shapes, loaded: l}, nil
}

// Net is the network that was loaded.
func (m *Model) Net() Net { return m.net }

// Shape is the shape of a value.
func (m *Model) Shape(at Value) Shape { return m.shapes[at] }

// Close gives back what the model holds on its device. Using it afterwards is an error;
// closing it again does nothing.
func (m *Model) Close() error {
	if m.closed {
		return nil
	}
	m.closed = true
	return m.loaded.Close()
}

// Output is a value that Forward is to compute, and where it goes.
type Output struct {
	At    Value
	After bool   // after the activation of the operation that makes the value, else before
	To    Matrix // [rows, size of the value]; no two share memory, or share it with x
}

// Forward computes values for the rows of x [rows, inputs], all in one pass.
func (m *Model) Forward(x Matrix, outputs ...Output) error {
	if err := m.checkInput("forward", shape.Of("x", x)); err != nil {
		return err
	}
	for i, o := range outputs {
		if o.At < 0 || int(o.At) >= len(m.shapes) {
			return fmt.Errorf("forward: output %d is value %d, want one of 0 to %d", i, o.At, len(m.shapes)-1)
		}
		to := shape.Of(fmt.Sprintf("output %d", i), o.To)
		if err := shape.Present("forward", to); err != nil {
			return err
		}
		if err := shape.Want("forward", to, x.Rows(), m.shapes[o.At].Size()); err != nil {
			return err
		}
	}
	return m.loaded.Forward(x, outputs)
}

// Gradient computes the gradient of a goal for each row of x [rows, inputs], to dst
// of the same shape, and returns the goals' values. rows [rows] says which of the
// goals each row has. NaN and Inf travel through it.
func (m *Model) Gradient(dst, x Matrix, goals []Goal, rows []int) (values []float32, err error) {
	for _, o := range []shape.Named{shape.Of("x", x), shape.Of("dst", dst)} {
		if err := m.checkInput("gradient", o); err != nil {
			return nil, err
		}
	}
	if err := shape.Same("gradient", shape.Of("dst", dst), shape.Of("x", x)); err != nil {
		return nil, err
	}
	if dst == x {
		return nil, errors.New("gradient: dst is also x")
	}
	if err := m.checkGoals("gradient", goals, rows, x.Rows()); err != nil {
		return nil, err
	}
	values = make([]float32, len(rows))
	if len(rows) == 0 {
		return values, nil
	}
	return values, m.loaded.Gradient(dst, x, m.net.aim(m.shapes, goals, rows, func(int) bool { return true }), values)
}

// Ascend evaluates and moves the rows of a state that have not stopped, at most steps
// times each, by a rule: activation maximization for many rows at once. A row needs
// MaxSteps+1 evaluations at most, the last one without a move. An activation or a
// gradient that is not finite is an error that wraps [ErrNotFinite], a [RowError].
func (m *Model) Ascend(s *AscentState, r Rule, steps int) (AscentProgress, error) {
	if err := m.checkAscent(s, r); err != nil {
		return AscentProgress{}, err
	}
	running := func(row int) bool { return s.Stop[row] == Running }
	aims := m.net.aim(m.shapes, s.Goals, s.Climbs, running)
	if len(aims.Reads) == 0 { // none is
		return AscentProgress{}, nil
	}
	return m.ascend(s, aims, r, steps)
}

func (m *Model) checkAscent(s *AscentState, r Rule) error {
	if err := m.checkInput("ascent", shape.Of("x", s.X)); err != nil {
		return err
	}
	if err := r.check(m.net.Input); err != nil {
		return fmt.Errorf("ascent: %w", err)
	}
	if err := m.checkGoals("ascent", s.Goals, s.Climbs, s.X.Rows()); err != nil {
		return err
	}
	return s.check(len(s.Climbs), r.CurveSteps)
}

// checkInput checks a matrix with the network's inputs in its rows.
func (m *Model) checkInput(operation string, x shape.Named) error {
	if m.closed {
		return fmt.Errorf("%s: the model is closed", operation)
	}
	if err := shape.Present(operation, x); err != nil {
		return err
	}
	if inputs := m.net.Input.Size(); x.Cols() != inputs {
		return fmt.Errorf("%s: %s is %s, the network has %d inputs", operation, x.Name, shape.String(x), inputs)
	}
	return nil
}

// checkGoals checks goals, and that each of n rows has one.
func (m *Model) checkGoals(operation string, goals []Goal, rows []int, n int) error {
	if len(rows) != n {
		return fmt.Errorf("%s: x has %d rows, and goals are given for %d", operation, n, len(rows))
	}
	for i, g := range goals {
		if err := g.check(m.shapes); err != nil {
			return fmt.Errorf("%s: goal %d: %w", operation, i, err)
		}
	}
	for i, g := range rows {
		if g < 0 || g >= len(goals) {
			return fmt.Errorf("%s: row %d has goal %d of %d", operation, i, g, len(goals))
		}
	}
	return nil
}
