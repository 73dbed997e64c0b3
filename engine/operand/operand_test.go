package operand_test

import (
	"errors"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
)

// pretend is a device of which only the identity matters.
type pretend struct {
	engine.Device
	name string
}

// own is a matrix of a pretended device: a range of a memory.
type own struct {
	engine.Matrix
	on                engine.Device
	in                *int
	first, rows, cols int
	closed            error
}

func (m *own) Rows() int                        { return m.rows }
func (m *own) Cols() int                        { return m.cols }
func (m *own) Usable(_, _ string) error         { return m.closed }
func (m *own) Place() (engine.Device, any, int) { return m.on, m.in, m.first }

// TestSet takes operands that lie in memory in all ways.
func TestSet(t *testing.T) {
	here, elsewhere := &pretend{name: "here"}, &pretend{name: "elsewhere"}
	memory, other, closed := new(int), new(int), errors.New("x is closed")
	at := func(in *int, first, rows, cols int) *own {
		return &own{on: here, in: in, first: first, rows: rows, cols: cols}
	}
	dst := at(memory, 10, 2, 3) // elements 10 to 15
	for _, c := range []struct {
		name        string
		x           engine.Matrix
		apart, same string // the errors of Apart and of ApartOrSame
	}{
		{"before", at(memory, 4, 2, 3), "", ""},
		{"the last element in it", at(memory, 5, 2, 3), "add: dst shares memory with x", "add: dst shares some of its memory with x; all or none is allowed"},
		{"itself", dst, "add: dst shares memory with x", ""},
		{"a view of all of it", at(memory, 10, 2, 3), "add: dst shares memory with x", ""},
		{"the first element in it", at(memory, 15, 2, 3), "add: dst shares memory with x", "add: dst shares some of its memory with x; all or none is allowed"},
		{"after", at(memory, 16, 2, 3), "", ""},
		{"nothing, in it", at(memory, 12, 0, 3), "", ""},
		{"other memory", at(other, 10, 2, 3), "", ""},
		{"missing", nil, "", ""},
		{"closed", &own{on: here, in: other, closed: closed}, closed.Error(), closed.Error()},
		{"another device's", &own{on: elsewhere, in: other}, "add: x belongs to another device", "add: x belongs to another device"},
		{"another kind of matrix", struct{ engine.Matrix }{}, "add: x belongs to another device", "add: x belongs to another device"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, want := range []string{c.apart, c.same} {
				o := operand.Set[*own]{Device: here, Operation: "add"}
				mdst, mx := o.Take("dst", dst), o.Take("x", c.x)
				if [...]func(string, *own, string, *own){o.Apart, o.ApartOrSame}[i]("dst", mdst, "x", mx); want == "" {
					if o.Err != nil || mdst != dst || c.x != nil && engine.Matrix(mx) != c.x {
						t.Errorf("took %v, %v, error %v", mdst, mx, o.Err)
					}
				} else if o.Err == nil || o.Err.Error() != want {
					t.Errorf("error %v, want %s", o.Err, want)
				}
			}
		})
	}
}

// TestFirstError says that the first error stays, and that nothing is taken after it.
func TestFirstError(t *testing.T) {
	here := &pretend{name: "here"}
	o := operand.Set[*own]{Device: here, Operation: "add"}
	o.Take("a", &own{})
	if b := o.Take("b", &own{on: here}); b != nil || o.Err.Error() != "add: a belongs to another device" {
		t.Errorf("took %v after the error %v", b, o.Err)
	}
}
