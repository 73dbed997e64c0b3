package enginetest

import (
	"errors"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
)

// forEachModel runs a test for each way to load a network: by its definition, and by
// the device's own version if there is one.
func (s *subject) forEachModel(n engine.Net, test func(way string, m *engine.Model)) {
	s.Helper()
	ways := map[string]func(engine.Device, engine.Net) (*engine.Model, error){"plain": engine.LoadPlain}
	if own, err := s.device.Load(n); !errors.Is(err, engine.ErrNotFused) {
		s.must(err)
		s.must(own.Close())
		ways["fused"] = engine.Load
	}
	for way, load := range ways {
		m, err := load(s.device, n)
		s.must(err)
		test(way, m)
		s.must(m.Close())
	}
}

// shapesOf are the shapes of a network's values.
func (s *subject) shapesOf(n engine.Net) []engine.Shape {
	s.Helper()
	shapes, err := n.Check()
	s.must(err)
	return shapes
}

// testModelForward checks all values of networks before and after their activations.
func testModelForward(s *subject) {
	for _, a := range everyActivation() {
		for _, n := range []engine.Net{s.everyOp(a), s.stack(a, 33, 40, 17)} {
			for _, rows := range []int{0, 1, 37} {
				s.checkForward(n, rows, a)
			}
		}
	}
}

func (s *subject) checkForward(n engine.Net, rows int, a engine.Activation) {
	shapes, inputs := s.shapesOf(n), n.Input.Size()
	x := s.normals(rows*inputs, 1)
	s.forEachModel(n, func(way string, m *engine.Model) {
		c := s.scene("%s, %d rows of a network of %d operations with %s", way, rows, len(n.Ops), a.Kind)
		var outputs []engine.Output
		for v, shape := range shapes {
			for _, after := range []bool{false, true} {
				outputs = append(outputs, engine.Output{At: engine.Value(v), After: after, To: c.output("output", rows, shape.Size())})
			}
		}
		mx := c.input("x", rows, inputs, x)
		s.must(m.Forward(mx, outputs...))
		for _, o := range outputs {
			var want []float64
			for i := range rows {
				all := compute(n, shapes, doubles(x[i*inputs:(i+1)*inputs]))
				if o.After {
					want = append(want, all.after[o.At]...)
				} else {
					want = append(want, all.before[o.At]...)
				}
			}
			got := s.read(o.To)
			// Each operation is a sum with its rounding, about 1e-6 of the sizes of its
			// terms, and takes in what those below have left.
			s.near("value", fmt.Sprintf("%s, value %d, after %t", c.name, o.At, o.After), got, want, func(i int) float64 { return 2e-5 * (1 + math.Abs(want[i])) })
			// One by one they are the same.
			alone := c.output("alone", rows, shapes[o.At].Size())
			s.must(m.Forward(mx, engine.Output{At: o.At, After: o.After, To: alone}))
			s.same(c.name+" alone", s.read(alone), got)
		}
		c.end()
	})
}

// testModelGradient checks gradients and values of all kinds of goals.
func testModelGradient(s *subject) {
	for _, a := range everyActivation() {
		s.checkGradients(s.everyOp(a), a)
		s.checkGradients(s.stack(a, 12, 15, 9, 4), a)
	}
}

func (s *subject) checkGradients(n engine.Net, a engine.Activation) {
	shapes, inputs := s.shapesOf(n), n.Input.Size()
	goals := s.goalsOf(shapes)
	rows := append(upTo(len(goals)), s.some(len(goals))...)
	x := s.normals(len(rows)*inputs, 1)
	s.forEachModel(n, func(way string, m *engine.Model) {
		c := s.scene("%s, network of %d operations with %s", way, len(n.Ops), a.Kind)
		dst := c.output("dst", len(rows), inputs)
		values, err := m.Gradient(dst, c.input("x", len(rows), inputs, x), goals, rows)
		s.must(err)
		got, smooth := s.read(dst), 0
		for i, g := range rows {
			row, goal := doubles(x[i*inputs:(i+1)*inputs]), goals[g]
			where := fmt.Sprintf("%s, goal %+v", c.name, goal)
			value := compute(n, shapes, row).goal(goal)
			// As in testModelForward; a gradient is as many products again.
			s.near("goal", where, values[i:i+1], []float64{value}, func(int) float64 { return 1e-5 * (1 + math.Abs(value)) })
			want, ok := gradientOf(n, shapes, row, goal)
			if !ok {
				continue
			}
			smooth++
			s.near("gradient", where, got[i*inputs:(i+1)*inputs], want, func(int) float64 { return 1e-5 * (0.1 + norm(want)) })
		}
		if smooth < len(rows)/4 {
			s.Errorf("%s: only %d of %d rows were away from kinks", c.name, smooth, len(rows))
		}
		c.end()
	})
}

// testModelInvariance checks to the bit that a row does not depend on those beside it.
func testModelInvariance(s *subject) {
	n := pick(131, 109)
	for _, net := range []engine.Net{s.everyOp(engine.UsualActivation(engine.GELU)), s.stack(engine.UsualActivation(engine.ReLU), 30, 67, 20), s.stack(engine.UsualActivation(engine.Sigmoid), 30, 67, 20)} {
		shapes, inputs := s.shapesOf(net), net.Input.Size()
		goals, x := s.goalsOf(shapes), s.normals(n*inputs, 1)
		last := engine.Value(len(net.Ops))
		s.forEachModel(net, func(way string, m *engine.Model) {
			s.checkInvariance(batch{way + ", gradient", func(c *scene, rows []int) [][]float32 {
				var climbs []int
				for _, r := range rows {
					climbs = append(climbs, r%len(goals))
				}
				dst := c.output("dst", len(rows), inputs)
				values, err := m.Gradient(dst, c.input("x", len(rows), inputs, rowsOf(x, inputs, rows)), goals, climbs)
				c.must(err)
				return [][]float32{c.read(dst), values}
			}}, n)
			s.checkInvariance(batch{way + ", forward", func(c *scene, rows []int) [][]float32 {
				to := c.output("to", len(rows), shapes[last].Size())
				c.must(m.Forward(c.input("x", len(rows), inputs, rowsOf(x, inputs, rows)), engine.Output{At: last, After: true, To: to}))
				return c.readAll([]engine.Matrix{to})
			}}, n)
		})
	}
}

// testModelMisuse checks what a model refuses.
func testModelMisuse(s *subject) {
	net := s.stack(engine.UsualActivation(engine.ReLU), 6, 5, 4)
	broken := s.stack(engine.UsualActivation(engine.ReLU), 6, 5, 4)
	broken.Ops[1].Weight.Data[7] = nan
	_, err := engine.Load(s.device, broken)
	s.refused("NaN among the weights", err, "operation 2", "NaN")
	s.forEachModel(net, func(way string, m *engine.Model) {
		x, narrow, four := s.fresh(2, 6), s.fresh(2, 5), s.fresh(2, 4)
		forward := func(at engine.Value, to engine.Matrix) error {
			return m.Forward(x, engine.Output{At: at, To: to})
		}
		s.refused(way+", narrow x", m.Forward(narrow), "forward", "2x5", "6 inputs")
		s.refused(way+", no x", m.Forward(nil), "forward", "x is missing")
		s.refused(way+", no such value", forward(3, four), "forward", "value 3", "0 to 2")
		s.refused(way+", narrow output", forward(2, narrow), "forward", "output 0", "2x5", "2x4")
		s.refused(way+", no output", forward(2, nil), "forward", "output 0", "missing")

		gradient := func(g engine.Goal, rows ...int) error {
			_, err := m.Gradient(s.fresh(2, 6), x, []engine.Goal{g}, rows)
			return err
		}
		good := engine.UnitGoal(2, 3)
		s.refused(way+", rows without goals", gradient(good, 0), "gradient", "2 rows", "1")
		s.refused(way+", no such goal", gradient(good, 0, 1), "gradient", "row 1", "goal 1 of 1")
		s.refused(way+", no terms", gradient(engine.Goal{}, 0, 0), "gradient", "goal 0", "no terms")
		s.refused(way+", no such unit", gradient(engine.UnitGoal(2, 4), 0, 0), "gradient", "unit 4", "value 2")
		s.refused(way+", no such value", gradient(engine.UnitGoal(3, 0), 0, 0), "gradient", "value 3")
		s.refused(way+", a short direction", gradient(engine.Goal{Terms: []engine.Term{{At: 2, Direction: make([]float32, 3)}}}, 0, 0), "gradient", "3 numbers", "value 2")
		s.refused(way+", a weight of NaN", gradient(engine.Goal{Terms: []engine.Term{{At: 2, Weight: nan}}}, 0, 0), "gradient", "NaN")
		_, err := m.Gradient(x, x, []engine.Goal{good}, []int{0, 0})
		s.refused(way+", in place", err, "gradient", "dst")

		rule := engine.Rule{Rate: 1, Radius: 1, Patience: 1, MaxSteps: 3}
		ascend := func(r engine.Rule, change func(*engine.AscentState)) error {
			state := engine.NewAscentState([]engine.Goal{good}, []int{0, 0}, x)
			change(state)
			_, err := m.Ascend(state, r, 2)
			return err
		}
		same := func(*engine.AscentState) {}
		s.refused(way+", rate", ascend(engine.Rule{Radius: 1, Patience: 1}, same), "ascent", "rate 0")
		s.refused(way+", radius", ascend(engine.Rule{Rate: 1, Radius: nan, Patience: 1}, same), "ascent", "radius NaN")
		s.refused(way+", short state", ascend(rule, func(s *engine.AscentState) { s.Rate = s.Rate[:1] }), "ascent", "length 1")
		s.refused(way+", no x", ascend(rule, func(s *engine.AscentState) { s.X = nil }), "ascent", "x is missing")
		s.must(m.Close())
		s.refused(way+", closed", forward(2, four), "forward", "closed")
		s.refused(way+", closed", ascend(rule, same), "ascent", "closed")
	})
}
