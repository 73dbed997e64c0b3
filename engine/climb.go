package engine

import "math"

// How rows climb on the sphere, see [Rule]. The numbers were chosen by measuring, on
// networks of digits, of MNIST and of leaves, by evaluations and by the best activation
// of nine restarts; none of them matters much.
const (
	exploringGain  = 1e-3    // relative gain of a step that is little
	exploringSteps = 50      // at most
	longestAngle   = 0.5     // of a step of the climb, in radians
	rounding       = 0x1p-20 // of a goal, relative to its size: what is no loss yet
	patienceGain   = 1e-5    // relative gain of a step, at most, that counts as next to nothing
	keptPromise    = 0.01    // share of what the gradient promised, at least, of a step that counts as something
	failedSteps    = 8       // taken back in a row, after which the memory is of no use
	flatSteps      = 50      // on ground so flat that there is nothing to gain
	lookAngle      = 0.01    // of the second look, in radians
	mostLooks      = 3       // of a row
	saddleBend     = 1e-3    // upwards, relative to the sphere's own curvature
)

// stage is what a row on the sphere does with its next evaluation.
type stage uint8

const (
	starting  stage = iota
	reaching        // all the way to the gradient, the optimum of a linear unit
	exploring       // steps of a given angle, which may lose
	climbing        // by the memory of its last steps
	looking         // whether its optimum is a saddle
)

// climb is what a row on the sphere keeps from step to step.
type climb struct {
	stage  stage
	rate   float64 // of exploring steps
	weak   int     // exploring steps in a row that gained little
	failed int     // steps of the climb taken back in a row
	flat   int     // evaluations in a row on flat ground
	looks  int

	// Where the row stands, the goal there, and the part of its gradient along the sphere.
	x, gradient    []float32
	value, squares float64 // squares is x.x

	// The step from there: stride times the part of the direction along the sphere.
	direction             []float32
	stride, slope, length float64 // of that part; slope is direction.gradient
	outwards              float64 // direction.x
	memory                memory
}

// found is what an evaluation has found.
type found struct {
	value, norm  float64 // the goal, ||g||
	along, ahead float64 // the parts of g along the sphere and normal to it
	squares      float64 // x.x
	scale        float64 // max(|a|, ||g|| rho): what gains are relative to
	gainLeft     float64
	tangent      float64
}

func (r *Rule) find(goal float32, x, g []float32) found {
	gg, gx, xx := 0.0, 0.0, 0.0
	for j, v := range x[:len(g)] {
		a, b := float64(g[j]), float64(v)
		gg += a * a
		gx += a * b
		xx += b * b
	}
	// Products of two numbers of float32 are exact: of the part along the sphere, too, half
	// of the digits of float64 are right, which is all there are in g.
	f := found{value: float64(goal), norm: math.Sqrt(gg), squares: xx}
	f.along, f.ahead = math.Sqrt(max(0, gg-float64(gx*gx)/xx)), gx/math.Sqrt(xx)
	f.scale = max(math.Abs(f.value), f.norm*float64(r.Radius))
	if f.norm > VanishedGradient {
		f.gainLeft, f.tangent = f.along*float64(r.Radius)/f.scale, f.along/f.norm
	}
	return f
}

// climb takes in one evaluation of row i, and moves x to where it evaluates next, or to
// where it stands if it stops.
func (r *Rule) climb(s *AscentState, i int, goal float32, x, g []float32) error {
	c, f := &s.climbs[i], r.find(goal, x, g)
	if v := f.value - f.value + f.norm - f.norm; v != 0 {
		return &RowError{i, s.Evaluations[i], goal, float32(f.norm)}
	}
	s.Evaluations[i]++
	switch c.stage {
	case starting:
		r.start(s, i, f, x, g)
	case reaching:
		r.reach(s, i, f, x, g)
	case exploring:
		r.explore(s, i, f, x, g)
	case climbing:
		r.ascend(s, i, f, x, g)
	case looking:
		r.look(s, i, f, x, g)
	}
	s.Rate[i] = float32(c.angle(float64(r.Radius)))
	if s.Curves != nil {
		r.record(s, i)
	}
	if s.Stop[i] != Running {
		c.x, c.gradient, c.direction, c.memory = nil, nil, nil, memory{}
	}
	return nil
}

// angle is how far the row steps next, relative to the radius.
func (c *climb) angle(radius float64) float64 {
	if c.stage < climbing {
		return c.rate
	}
	return c.stride * c.length / radius
}

// keep makes what was found that of the row.
func (s *AscentState) keep(i int, f found) {
	s.Activation[i], s.Gradient[i] = float32(f.value), float32(f.norm)
	s.Tangent[i], s.GainLeft[i] = float32(f.tangent), float32(f.gainLeft)
	s.climbs[i].value = f.value
}

// optimal says whether a row is at an optimum to first order.
func (r *Rule) optimal(f found) bool {
	return f.gainLeft < float64(r.Tolerance) && f.tangent <= OptimumTangent
}

// out says whether a row has had its steps.
func (r *Rule) out(s *AscentState, i int) bool { return s.Evaluations[i] > r.MaxSteps }

// ends stops a row at x, where f was found, if there is a reason to, or has it take a
// second look.
func (r *Rule) ends(s *AscentState, i int, f found, x, g []float32) bool {
	c := &s.climbs[i]
	if f.gainLeft < float64(r.Tolerance) && f.tangent > OptimumTangent {
		c.flat++
	} else {
		c.flat = 0
	}
	switch {
	case f.norm <= VanishedGradient:
		s.Stop[i] = StopVanished
	case r.optimal(f) && (c.looks == mostLooks || r.out(s, i)):
		s.Stop[i] = StopConverged
	case r.optimal(f):
		r.push(c, f, x, g)
	case r.out(s, i):
		s.Stop[i] = StopSteps
	case c.flat >= flatSteps:
		s.Stop[i] = StopFlat
	default:
		return false
	}
	return true
}

func (r *Rule) start(s *AscentState, i int, f found, x, g []float32) {
	c := &s.climbs[i]
	s.StartActivation[i], c.rate = float32(f.value), float64(r.Rate)
	s.keep(i, f)
	if r.ends(s, i, f, x, g) {
		return
	}
	c.stage = reaching
	c.x = append(c.x[:0], x...)
	for j, v := range g {
		x[j] = float32(float64(v) * (float64(r.Radius) / f.norm))
	}
}

// reach is the evaluation of where the gradient of the start points to.
func (r *Rule) reach(s *AscentState, i int, f found, x, g []float32) {
	c := &s.climbs[i]
	start := c.value
	if f.value >= start {
		s.keep(i, f)
		if r.optimal(f) || r.out(s, i) {
			s.Steps[i]++
			r.ends(s, i, f, x, g)
			return
		}
	}
	if r.out(s, i) {
		s.Stop[i] = StopSteps
		copy(x, c.x)
		return
	}
	c.stage, c.value = exploring, start
	for j, v := range x { // the gradient of the start, scaled to the sphere
		x[j] = float32(float64(c.x[j]) + float64(c.rate*float64(v)))
	}
	r.Nearest(x)
}

// explore is the evaluation after a step of a given angle.
func (r *Rule) explore(s *AscentState, i int, f found, x, g []float32) {
	c := &s.climbs[i]
	gain := (f.value - c.value) / f.scale
	if gain < 0 {
		c.rate /= 2
	}
	if math.Abs(gain) < exploringGain && f.tangent <= 0.5 {
		c.weak++
	} else {
		c.weak = 0
	}
	s.Steps[i]++
	s.keep(i, f)
	switch {
	case r.ends(s, i, f, x, g):
	case c.weak >= 2 || s.Steps[i] >= exploringSteps:
		c.stand(f, x, g)
		c.steepest(min(longestAngle, math.Atan2(f.along, f.ahead)), float64(r.Radius))
		c.try(x, float64(r.Radius))
	default:
		far := c.rate * float64(r.Radius) / f.norm
		for j, v := range g {
			x[j] = float32(float64(x[j]) + float64(far*float64(v)))
		}
		r.Nearest(x)
	}
}

// stand has the row stand at x, without memory.
func (c *climb) stand(f found, x, g []float32) {
	c.stage, c.memory.count, c.failed = climbing, 0, 0
	c.x, c.gradient, c.squares = append(c.x[:0], x...), append(c.gradient[:0], g...), f.squares
	radial := f.radial()
	for j, v := range x {
		c.gradient[j] = float32(float64(g[j]) - float64(radial*float64(v)))
	}
}

// radial is the factor of x in the part of g normal to the sphere.
func (f found) radial() float64 { return f.ahead / math.Sqrt(f.squares) }

// steepest is a step of an angle along the gradient.
func (c *climb) steepest(angle, radius float64) {
	c.memory.count = 0
	c.direction = append(c.direction[:0], c.gradient...)
	c.slope, c.outwards = inner(c.gradient, c.gradient), 0
	c.length = math.Sqrt(c.slope)
	c.stride = 0
	if c.length > 0 {
		c.stride = angle * radius / c.length
	}
}

// try moves x to where the row's step leads from where it stands. What the direction has
// of x only makes x longer or shorter before it is back on the sphere.
func (c *climb) try(x []float32, radius float64) {
	outwards := c.outwards / c.squares
	far := c.stride / (1 - float64(c.stride*outwards))
	longer := 1 + float64(far*outwards)
	aside := float64(far * c.length)
	scale := radius / math.Sqrt(float64(longer*longer*c.squares)+float64(aside*aside))
	far *= scale
	from, direction := c.x[:len(x)], c.direction[:len(x)]
	for j := range x {
		x[j] = float32(float64(scale*float64(from[j])) + float64(far*float64(direction[j])))
	}
}

// ascend is the evaluation after a step of the climb.
func (r *Rule) ascend(s *AscentState, i int, f found, x, g []float32) {
	c := &s.climbs[i]
	gain, promised, lost := f.value-c.value, c.stride*c.slope, rounding*f.scale
	if promised > lost || gain < -lost {
		if gain < keptPromise*promised && gain < patienceGain*f.scale {
			s.Slow[i]++
		} else {
			s.Slow[i] = 0
		}
	}
	if gain >= -lost {
		s.Steps[i]++
		s.keep(i, f)
		if r.ends(s, i, f, x, g) {
			return
		}
		if s.Slow[i] >= r.Patience {
			s.Stop[i] = StopRidge
			return
		}
		c.goOn(f, x, g, float64(r.Radius))
		c.try(x, float64(r.Radius))
		return
	}
	copy(x, c.x)
	switch {
	case s.Slow[i] >= r.Patience:
		s.Stop[i] = StopRidge
		return
	case r.out(s, i):
		s.Stop[i] = StopSteps
		return
	}
	if c.failed++; c.failed > failedSteps && c.memory.count > 0 {
		c.steepest(longestAngle/10, float64(r.Radius))
	} else {
		// The parabola with this slope at its beginning has its top here.
		c.stride *= min(0.5, max(0.1, promised/(2*(promised-gain))))
	}
	c.try(x, float64(r.Radius))
}

// goOn takes in an accepted step to x and chooses the next one.
func (c *climb) goOn(f found, x, g []float32, radius float64) {
	c.failed = 0
	p := c.memory.take(c, f, x, g)
	longest, moved := longestAngle*radius, math.Sqrt(p.steps)
	c.memory.direction(c)
	if c.memory.count == 0 || !(c.slope >= 1e-6*c.length*math.Sqrt(p.gradients)) {
		c.steepest(min(2*moved, longest)/radius, radius)
		return
	}
	c.stride = 1
	if p.bends <= 0 { // upwards: on, twice as far
		c.stride = max(1, 2*moved/c.length)
	}
	c.stride = min(c.stride, longest/c.length)
}

// push moves x, where the row has converged, a little way in a direction that is as good
// as random, and as far along the one of its memory that bends least.
func (r *Rule) push(c *climb, f found, x, g []float32) {
	low := c.memory.flattest()
	far := lookAngle * float64(r.Radius)
	along := 0.0
	if low != nil {
		along = far / math.Sqrt(2*inner(low, low))
		far /= math.Sqrt2
	}
	far /= math.Sqrt(float64(len(x)))
	random := Stream{Purpose: PurposeStart, Keys: []uint64{math.MaxUint64}}
	c.stand(f, x, g)
	c.stage = looking
	c.looks++
	for j := range x {
		by := far
		if random.Bits(0, j)&1 == 0 {
			by = -far
		}
		if low != nil {
			by += float64(along * float64(low[j]))
		}
		x[j] = float32(float64(x[j]) + by)
	}
	r.Nearest(x)
}

// look is the evaluation of a second look: where the goal bends upwards, the row was at
// a saddle and climbs on from here.
func (r *Rule) look(s *AscentState, i int, f found, x, g []float32) {
	c := &s.climbs[i]
	radial := f.radial()
	steps, bends := 0.0, 0.0
	for j, v := range x {
		d := float64(v) - float64(c.x[j])
		gradient := float64(g[j]) - float64(radial*float64(v))
		steps += float64(d * d)
		bends += float64(d * (gradient - float64(c.gradient[j])))
	}
	radius := float64(r.Radius)
	if bends > saddleBend*f.norm/radius*steps && !r.out(s, i) {
		s.Steps[i]++
		s.keep(i, f)
		c.stand(f, x, g)
		c.steepest(lookAngle, radius)
		c.try(x, radius)
		return
	}
	copy(x, c.x)
	s.Stop[i] = StopConverged
}
