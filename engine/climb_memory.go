package engine

import "math"

// pairs is how many of its last steps a row remembers. More save evaluations where
// optima are flat: five 10 %, thirty 40 % on a quickly trained network of MNIST.
const pairs = 3

// slots has room for one more: a step that proves to be of no use replaces none.
const slots = pairs + 1

// memory is the last steps of a row and how the gradient changed over each: what
// L-BFGS makes a direction of (Liu and Nocedal 1989). It needs sums of products of
// vectors only once for each, and then computes with numbers (Chen, Wang and Zhou 2014).
type memory struct {
	count int              // steps taken in; number k is in slot k%slots
	step  [slots][]float32 // x - x before
	bend  [slots][]float32 // gradient before - gradient

	steps    [slots]float64        // step.step
	stepBend [slots][slots]float64 // step.bend
	bendBend [slots][slots]float64 // bend.bend
	gradStep [slots]float64        // gradient.step
	gradBend [slots]float64        // gradient.bend
}

// latest are sums of products of the latest step.
type latest struct{ steps, bends, gradients float64 }

// held are the slots in use, the newest first.
func (m *memory) held() []int {
	n := min(m.count, pairs)
	all := make([]int, n, slots)
	for k := range n {
		all[k] = (m.count - 1 - k) % slots
	}
	return all
}

// take has row c stand at x, where the goal's gradient is g, and remembers the step there,
// unless the goal bent upwards.
func (m *memory) take(c *climb, f found, x, g []float32) latest {
	k := m.count % slots
	if m.step[k] == nil {
		m.step[k], m.bend[k] = make([]float32, len(x)), make([]float32, len(x))
	}
	step, bend := m.step[k][:len(x)], m.bend[k][:len(x)]
	from, gradient := c.x[:len(x)], c.gradient[:len(x)]
	radial, g := f.radial(), g[:len(x)]
	var steps, stepBend, bendBend, gradients, gradStep, gradBend float64
	for j, v := range x {
		now := float32(float64(g[j]) - float64(radial*float64(v)))
		s32, b32 := v-from[j], gradient[j]-now
		step[j], bend[j], from[j], gradient[j] = s32, b32, v, now
		s, b, n := float64(s32), float64(b32), float64(now)
		steps += s * s
		stepBend += s * b
		bendBend += b * b
		gradients += n * n
		gradStep += n * s
		gradBend += n * b
	}
	c.squares = f.squares
	for _, p := range m.held() {
		m.meet(p, k, gradient)
	}
	if stepBend > 1e-8*math.Sqrt(steps*bendBend) {
		m.steps[k], m.stepBend[k][k], m.bendBend[k][k] = steps, stepBend, bendBend
		m.gradStep[k], m.gradBend[k] = gradStep, gradBend
		m.count++
	}
	return latest{steps, stepBend, gradients}
}

// meet computes the products of the pair in slot p with the gradient and with the pair in
// slot k. The newest bend is the gradient before less the gradient, and so are its products.
func (m *memory) meet(p, k int, gradient []float32) {
	step, bend, newest := m.step[p][:len(gradient)], m.bend[p][:len(gradient)], m.step[k][:len(gradient)]
	var gradStep, gradBend, newestBend float64
	for j, v := range gradient {
		n, b := float64(v), float64(bend[j])
		gradStep += n * float64(step[j])
		gradBend += n * b
		newestBend += float64(newest[j]) * b
	}
	m.stepBend[p][k], m.stepBend[k][p] = m.gradStep[p]-gradStep, newestBend
	m.bendBend[p][k] = m.gradBend[p] - gradBend
	m.bendBend[k][p] = m.bendBend[p][k]
	m.gradStep[p], m.gradBend[p] = gradStep, gradBend
}

// direction is the inverse of the curvature that is remembered, times the gradient. With
// no memory it is none.
func (m *memory) direction(c *climb) {
	held := m.held()
	if len(held) == 0 {
		return
	}
	var ofStep, ofBend, first [slots]float64
	for _, p := range held {
		sum := m.gradStep[p]
		for _, q := range held {
			sum += float64(ofBend[q] * m.stepBend[p][q])
		}
		first[p] = sum / m.stepBend[p][p]
		ofBend[p] -= first[p]
	}
	newest := held[0]
	scale := m.stepBend[newest][newest] / m.bendBend[newest][newest]
	for p := range ofBend {
		ofBend[p] *= scale
	}
	for k := len(held) - 1; k >= 0; k-- {
		p := held[k]
		sum := scale * m.gradBend[p]
		for _, q := range held {
			sum += float64(ofBend[q]*m.bendBend[p][q]) + float64(ofStep[q]*m.stepBend[q][p])
		}
		ofStep[p] += first[p] - sum/m.stepBend[p][p]
	}
	m.combine(c, held, scale, ofStep, ofBend)
}

// combine makes the direction scale gradient + the sum of ofStep step + ofBend bend, and
// measures it.
func (m *memory) combine(c *climb, held []int, scale float64, ofStep, ofBend [slots]float64) {
	gradient, x := c.gradient, c.x[:len(c.gradient)]
	// Where there are fewer pairs, the others are the gradient and count nothing.
	steps, bends := [pairs][]float32{gradient, gradient, gradient}, [pairs][]float32{gradient, gradient, gradient}
	var a, b [pairs]float64
	for k, p := range held {
		steps[k], bends[k], a[k], b[k] = m.step[p], m.bend[p], ofStep[p], ofBend[p]
	}
	s0, s1, s2 := steps[0][:len(x)], steps[1][:len(x)], steps[2][:len(x)]
	b0, b1, b2 := bends[0][:len(x)], bends[1][:len(x)], bends[2][:len(x)]
	c.direction = append(c.direction[:0], gradient...)
	direction := c.direction[:len(x)]
	var outwards, slope, squares float64
	for j, v := range gradient {
		n := float64(v)
		sum := float64(scale*n) + float64(a[0]*float64(s0[j])) + float64(b[0]*float64(b0[j]))
		sum += float64(a[1]*float64(s1[j])) + float64(b[1]*float64(b1[j]))
		sum += float64(a[2]*float64(s2[j])) + float64(b[2]*float64(b2[j]))
		direction[j] = float32(sum)
		d := float64(direction[j])
		outwards += d * float64(x[j])
		slope += d * n
		squares += d * d
	}
	c.outwards, c.slope = outwards, slope
	c.length = math.Sqrt(max(0, squares-float64(outwards*outwards)/c.squares))
}

// flattest is the step over which the gradient changed least for its length, nil without
// memory.
func (m *memory) flattest() (step []float32) {
	least := math.Inf(1)
	for _, p := range m.held() {
		if bend := m.stepBend[p][p] / m.steps[p]; bend < least {
			least, step = bend, m.step[p]
		}
	}
	return step
}
