package dataset

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// counting is a set of n examples (i, 2i).
func counting(t testing.TB, n int) Set {
	floats := make([]float32, 2*n)
	for i := range n {
		floats[2*i], floats[2*i+1] = float32(i), float32(2*i)
	}
	s := floatSet(t, floats, n, 2).(*memory)
	s.labels = make([]int32, n)
	for i := range s.labels {
		s.labels[i] = int32(100 + i)
	}
	return s
}

func TestHeadAndSplit(t *testing.T) {
	s := counting(t, 10)
	head, err := Head(s, 7)
	if err != nil {
		t.Fatal(err)
	}
	train, held, err := Split(head, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		set   Set
		first int
		count int
	}{{"head", head, 0, 7}, {"train", train, 0, 4}, {"held", held, 4, 3}} {
		if c.set.Len() != c.count {
			t.Errorf("%s has %d examples", c.name, c.set.Len())
		}
		last := float32(c.first + c.count - 1)
		if got, want := read(t, c.set, c.count-1, 0), []float32{last, 2 * last, float32(c.first), float32(2 * c.first)}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.name, got, want)
		}
		if l, ok := c.set.Label(0); !ok || l != 100+c.first {
			t.Errorf("%s: label %d, %t", c.name, l, ok)
		}
		for _, i := range []int{-1, c.count} {
			if _, ok := c.set.Label(i); ok {
				t.Errorf("%s: label %d of %d", c.name, i, c.count)
			}
			if err := c.set.Read(make([]float32, 2), []int{i}); err == nil {
				t.Errorf("%s: example %d of %d is read", c.name, i, c.count)
			}
		}
		if err := c.set.Read(make([]float32, 3), []int{0}); fmt.Sprint(err) != "read examples: dst holds 3 numbers, 1 examples of 2 components need 2" {
			t.Errorf("%s: dst of another length: %v", c.name, err)
		}
		if err := c.set.Close(); err != nil {
			t.Error(err)
		}
	}
	if all, err := Head(s, 11); err != nil || all != s {
		t.Errorf("more than all: %v, %v", all, err)
	}
	if _, err := Head(s, 0); err == nil {
		t.Error("a head of none")
	}
	if train, held, err := Split(s, 0); err != nil || train.Len() != 10 || held.Len() != 0 {
		t.Errorf("none held out: %v", err)
	}
	for _, n := range []int{-1, 10, 11} {
		if _, _, err := Split(s, n); fmt.Sprint(err) != fmt.Sprintf("hold out %d of 10 examples: want 0 to 9", n) {
			t.Errorf("hold out %d: %v", n, err)
		}
	}
}

func TestMeanNorm(t *testing.T) {
	s := counting(t, 1301) // more than two batches
	for _, limit := range []int{0, 1, 511, 512, 513, 1301, 5000} {
		count := limit
		if limit == 0 || limit > s.Len() {
			count = s.Len()
		}
		got, err := MeanNorm(s, limit)
		if want := math.Sqrt(5) * float64(count-1) / 2; err != nil || math.Abs(got-want) > 1e-9*want {
			t.Errorf("of %d: %g, %v; want %g", limit, got, err, want)
		}
	}
	if _, err := MeanNorm(s, -1); err == nil {
		t.Error("a negative limit")
	}
	_, none, err := Split(s, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := MeanNorm(none, 0); fmt.Sprint(err) != "mean norm: the set has no examples" {
		t.Errorf("of no examples: %v", err)
	}
}

// What a caller does with an Info stays with the caller.
func TestInfoIsACopy(t *testing.T) {
	for _, s := range []Set{counting(t, 3), open(t, "digits:n=5", 1), deformedDigits(t, 5, 1)} {
		before := s.Info().Size()
		s.Info().Shape[0] = 99
		if s.Info().Size() != before {
			t.Errorf("%s: a caller changed its shape", s.Info().Name)
		}
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		n, count int
		want     []int
	}{{3, 16, []int{0, 1, 2}}, {100, 4, []int{0, 25, 50, 75}}, {5, 5, []int{0, 1, 2, 3, 4}}, {10, 3, []int{0, 3, 6}}, {0, 4, []int{}}, {4, 0, []int{}}, {math.MaxInt32, 2, []int{0, math.MaxInt32 / 2}}} {
		if got := Spread(c.n, c.count); !slices.Equal(got, c.want) {
			t.Errorf("Spread(%d, %d) = %v, want %v", c.n, c.count, got, c.want)
		}
	}
}
