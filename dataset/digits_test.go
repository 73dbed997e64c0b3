package dataset

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// The built-in digits stand in for MNIST: the same size, range, mean norm and
// amount of ink, every class, and hardly any ink on the picture's border.
func TestDigitsAreLikeMNIST(t *testing.T) {
	const count = 4000
	s := open(t, "digits:n=4000", 1)
	perDigit := make([]int, 10)
	bordered := 0
	for i := range count {
		digit, ok := s.Label(i)
		if !ok {
			t.Fatalf("example %d has no label", i)
		}
		perDigit[digit]++
		x := read(t, s, i)
		ink, centreX, centreY := mass(x)
		if ink < 20 || ink > 300 {
			t.Errorf("example %d has ink %.0f", i, ink)
		}
		if math.Hypot(centreX-13.5, centreY-13.5) > 6 {
			t.Errorf("example %d is centred at %.1f, %.1f", i, centreX, centreY)
		}
		for j, v := range x {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("example %d holds %g", i, v)
			}
			if v > 0.5 && (j%28 == 0 || j%28 == 27 || j < 28 || j >= 27*28) {
				bordered++
				break
			}
		}
	}
	for digit, n := range perDigit {
		if n < count/10-100 || n > count/10+100 { // five standard deviations
			t.Errorf("%d examples of digit %d", n, digit)
		}
	}
	if bordered > count/20 {
		t.Errorf("%d of %d digits run off the picture", bordered, count)
	}
	norm, err := MeanNorm(s, 0)
	if err != nil || math.Abs(norm-9.2) > 0.3 {
		t.Errorf("mean norm %.2f, %v", norm, err)
	}
}

// Digits of one class are more alike than digits of two, or a network could
// learn nothing from them: the nearest of 2000 others has the same label far
// more often than one in ten.
func TestDigitsCanBeTold(t *testing.T) {
	const known, asked = 2000, 100
	s := open(t, "digits:n=2100", 1)
	indices := make([]int, known+asked)
	for i := range indices {
		indices[i] = i
	}
	all := read(t, s, indices...)
	right := 0
	for i := known; i < known+asked; i++ {
		nearest, best := -1, float32(math.Inf(1))
		for j := range known {
			var d float32
			for k := range 784 {
				e := all[i*784+k] - all[j*784+k]
				d += e * e
			}
			if d < best {
				nearest, best = j, d
			}
		}
		got, _ := s.Label(nearest)
		want, _ := s.Label(i)
		if got == want {
			right++
		}
	}
	t.Logf("nearest neighbour among %d names %d of %d", known, right, asked)
	if right < 75 {
		t.Errorf("the nearest of %d others names %d of %d digits", known, right, asked)
	}
}

// No digit for testing is one for training, however many of these there are.
func TestDigitsSplit(t *testing.T) {
	trained, tested := open(t, "digits:n=40", 1), open(t, "digits:n=40,split=test", 1)
	size := trained.Info().Size()
	a, b := make([]float32, 40*size), make([]float32, 40*size)
	all := make([]int, 40)
	for i := range all {
		all[i] = i
	}
	if err := errors.Join(trained.Read(a, all), tested.Read(b, all)); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		for j := range 40 {
			if slices.Equal(a[i*size:(i+1)*size], b[j*size:(j+1)*size]) {
				t.Errorf("digit %d for training is digit %d for testing", i, j)
			}
		}
	}
	if name := tested.Info().Name; name != "digits:n=40,split=test" {
		t.Errorf("its name is %s", name)
	}
	if _, err := Open("digits:split=both", 1); err == nil || !strings.Contains(err.Error(), "split=both: want train or test") {
		t.Errorf("error %v", err)
	}
}
