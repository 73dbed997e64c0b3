package engine

import (
	"fmt"
	"math"
)

// ConstraintKind names where the rows of an ascent may be.
type ConstraintKind uint8

// The constraints.
const (
	Sphere ConstraintKind = iota // ||x|| = Radius, as in the paper
	Ball                         // ||x|| <= Radius
	Box                          // Lowest <= x_j <= Highest
)

// String returns "sphere", "ball" or "box".
func (k ConstraintKind) String() string {
	switch k {
	case Sphere:
		return "sphere"
	case Ball:
		return "ball"
	case Box:
		return "box"
	}
	return fmt.Sprintf("ConstraintKind(%d)", uint8(k))
}

// Constraint is where the rows of an ascent may be. The zero value is the sphere.
type Constraint struct {
	Kind            ConstraintKind
	Lowest, Highest float32 // of a box, such as 0 and 1 for grey levels
}

func (c Constraint) check() error {
	switch {
	case c.Kind > Box:
		return fmt.Errorf("there is no such constraint, %s", c.Kind)
	case c.Kind != Box && (c.Lowest != 0 || c.Highest != 0):
		return fmt.Errorf("a %s has no lowest and highest value", c.Kind)
	case c.Kind == Box && !(c.Lowest < c.Highest && c.Highest-c.Lowest <= math.MaxFloat32):
		return fmt.Errorf("a box from %g to %g, want two finite numbers, the lower one first", c.Lowest, c.Highest)
	}
	return nil
}

// Penalty is what is taken off an ascent's goal:
//
//	L2/2 ||x||^2 + TotalVariation sum of (sqrt(down^2 + right^2 + e^2) - e)
//
// The sum is over all numbers of x as channels of pictures, down and right are the
// differences to the ones below and to the right, 0 at the borders. e, a tenth of
// Radius/sqrt(inputs), gives it a gradient everywhere. The zero value takes nothing.
type Penalty struct {
	L2             float32 // >= 0
	TotalVariation float32 // >= 0
	Picture        Shape   // what the inputs are to total variation; zero for the shape that the network has for them
}

func (p Penalty) check(input Shape) error {
	for _, w := range []struct {
		name   string
		weight float32
	}{{"an L2 penalty", p.L2}, {"a penalty of total variation", p.TotalVariation}} {
		if !(w.weight >= 0) || math.IsInf(float64(w.weight), 0) {
			return fmt.Errorf("%s with weight %g, want a finite number of 0 or more", w.name, w.weight)
		}
	}
	if p.TotalVariation == 0 {
		return nil
	}
	s := p.picture(input)
	if s.Size() != input.Size() {
		return fmt.Errorf("total variation of pictures %s, for a network of %d inputs", s, input.Size())
	}
	if s.Rows == 1 && s.Cols == 1 {
		return fmt.Errorf("total variation of %d inputs without rows and columns: Picture says what pictures they are", input.Size())
	}
	return nil
}

func (p Penalty) picture(input Shape) Shape {
	if p.Picture == (Shape{}) {
		return input
	}
	return p.Picture
}

// smoothing is e of total variation, relative to Radius/sqrt(inputs).
const smoothing = 0.1

// of is the penalty at x. gradient is set to its gradient.
func (p Penalty) of(gradient []float64, x []float32, picture Shape, radius float64) (penalty float64) {
	squares, weight := 0.0, float64(p.L2)
	for j, v := range x {
		squares += float64(v) * float64(v)
		gradient[j] = weight * float64(v)
	}
	penalty = weight / 2 * squares
	if p.TotalVariation > 0 {
		e := smoothing * radius / math.Sqrt(float64(len(x)))
		penalty += float64(float64(p.TotalVariation) * variation(gradient, x, picture, float64(p.TotalVariation), e))
	}
	return penalty
}

// variation is the total variation of x; weight times its gradient is added to gradient.
func variation(gradient []float64, x []float32, s Shape, weight, e float64) (sum float64) {
	for j := range x {
		below := j%(s.Rows*s.Cols)+s.Cols < s.Rows*s.Cols
		beside := (j+1)%s.Cols != 0
		var down, right float64
		if below {
			down = float64(x[j+s.Cols]) - float64(x[j])
		}
		if beside {
			right = float64(x[j+1]) - float64(x[j])
		}
		squares := float64(down*down) + float64(right*right)
		length := math.Sqrt(squares + float64(e*e))
		sum += squares / (length + e)
		gradient[j] -= weight * (down + right) / length
		if below {
			gradient[j+s.Cols] += weight * down / length
		}
		if beside {
			gradient[j+1] += weight * right / length
		}
	}
	return sum
}

// Nearest moves x to the nearest point where the rule lets a row be: starts need not be
// there already. On the sphere a row of zeros has no direction, and stays.
func (r *Rule) Nearest(x []float32) {
	if r.Constraint.Kind == Box {
		for j, v := range x {
			x[j] = min(max(v, r.Constraint.Lowest), r.Constraint.Highest)
		}
		return
	}
	length, radius := length(x), float64(r.Radius)
	if length == 0 || length <= radius && r.Constraint.Kind == Ball {
		return
	}
	for j, v := range x {
		x[j] = float32(float64(v) * (radius / length))
	}
}

// atBorder is how near to Radius, relative to it, the length of a row at the border of
// the ball is: what rounding leaves of it.
const atBorder = 1e-6

// along is the norm of what is left of a gradient at x where steps can't leave the
// sphere, the ball or the box. It is 0 at an optimum.
func (r *Rule) along(x, gradient []float32) float64 {
	switch r.Constraint.Kind {
	case Box:
		return r.alongBox(x, gradient)
	case Ball:
		if inner(x, gradient) <= 0 || length(x) < (1-atBorder)*float64(r.Radius) {
			return length(gradient)
		}
	}
	radial := 0.0
	if squares := inner(x, x); squares > 0 {
		radial = inner(x, gradient) / squares
	}
	sum := 0.0
	for j, g := range gradient {
		left := float64(g) - float64(radial*float64(x[j]))
		sum += float64(left * left)
	}
	return math.Sqrt(sum)
}

func (r *Rule) alongBox(x, gradient []float32) float64 {
	sum := 0.0
	for j, g := range gradient {
		if g < 0 && x[j] <= r.Constraint.Lowest || g > 0 && x[j] >= r.Constraint.Highest {
			continue
		}
		sum += float64(g) * float64(g)
	}
	return math.Sqrt(sum)
}

func inner(x, y []float32) (sum float64) {
	for j, v := range x {
		sum += float64(v) * float64(y[j])
	}
	return sum
}

func length(x []float32) float64 { return math.Sqrt(inner(x, x)) }
