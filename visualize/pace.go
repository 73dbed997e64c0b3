package visualize

import "time"

// pace is how many steps a device takes at a time, so that it can be stopped soon
// however slow it is. What the steps compute does not depend on it.
type pace struct {
	most int // where the device is fast
	now  int // 0 before the first
}

const (
	// firstSteps are few: nobody knows yet how long they take.
	firstSteps = 2
	// What took longer than slowest is cut to half, what took less than fastest
	// grows to twice as much.
	slowest, fastest = time.Second, time.Second / 4
)

// next is how many steps to take now.
func (p *pace) next() int {
	if p.now == 0 {
		p.now = min(firstSteps, p.most)
	}
	return p.now
}

// took says how long so many steps took, which may be fewer than those of next.
func (p *pace) took(steps int, time time.Duration) {
	switch {
	case time > slowest:
		p.now = max(1, p.now/2)
	case time < fastest && steps >= p.now:
		p.now = min(2*p.now, p.most)
	}
}
