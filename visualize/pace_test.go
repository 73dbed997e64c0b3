package visualize

import (
	"slices"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	for _, c := range []struct {
		name string
		step time.Duration
		want []int
	}{
		{"fast", time.Microsecond, []int{2, 4, 8, 16, 32, 50, 50}},
		{"slow", 100 * time.Millisecond, []int{2, 4, 4}},
		{"slower than a second", 3 * time.Second, []int{2, 1, 1}},
	} {
		p := pace{most: 50}
		var got []int
		for range c.want {
			got = append(got, p.next())
			p.took(p.next(), time.Duration(p.next())*c.step)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	// A device that has become slow is asked for less.
	p := pace{most: 20, now: 20}
	if p.took(20, 5*time.Second); p.next() != 10 {
		t.Errorf("%d after 20 slow ones", p.next())
	}
	// One step says nothing of ten.
	if p.took(1, time.Millisecond); p.next() != 10 {
		t.Errorf("%d after a single one", p.next())
	}
}
