package train

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
)

// TestLogPartition compares with sums over the states of the other side, one
// free energy at a time, or with formulas.
func TestLogPartition(t *testing.T) {
	for name, test := range map[string]struct {
		hidden, inputs int
		size           float64
	}{
		"few hidden units":       {3, 9, 1},
		"several blocks":         {14, 15, 0.7},
		"inputs are fewer":       {25, 4, 0.7},
		"one of each":            {1, 1, 2},
		"large weights":          {6, 7, 40},
		"many inputs are summed": {2, 11, 1},
	} {
		l := randomRBM(t, test.hidden, test.inputs, test.size)
		want := newLogSum()
		for _, v := range binaryStates(test.inputs) {
			f, err := FreeEnergies(l, engine.Bernoulli, v)
			if err != nil {
				t.Fatal(err)
			}
			want.add(-f[0])
		}
		got, err := LogPartition(context.Background(), l, engine.Bernoulli)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got-want.value()) > 1e-11*(1+math.Abs(want.value())) {
			t.Errorf("%s: log Z %.15g, want %.15g", name, got, want.value())
		}
	}
}

// TestLogPartitionMixture: a Gaussian RBM is a mixture of a Gaussian for each
// hidden state, whose weights are written out here.
func TestLogPartitionMixture(t *testing.T) {
	l := randomRBM(t, 2, 3, 1)
	r, err := newRBM(l, engine.Gaussian)
	if err != nil {
		t.Fatal(err)
	}
	want := newLogSum()
	for _, h := range binaryStates(2) {
		weight := dot(r.bias, h) + 1.5*math.Log(2*math.Pi)
		for j, c := range r.visibleBias {
			center := float64(c) + float64(h[0])*float64(r.weight[j]) + float64(h[1])*float64(r.weight[3+j])
			weight += (center*center - float64(c)*float64(c)) / 2
		}
		want.add(weight)
	}
	got, err := LogPartition(context.Background(), l, engine.Gaussian)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got-want.value()) > 1e-12 {
		t.Errorf("log Z %.15g, want %.15g", got, want.value())
	}
}

func TestLogPartitionRefuses(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := LogPartition(ended, randomRBM(t, 18, 30, 1), engine.Bernoulli); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: got %v", err)
	}
	if _, err := LogPartition(context.Background(), randomRBM(t, 21, 2, 1), engine.Gaussian); err == nil {
		t.Error("21 hidden units of a Gaussian RBM are enumerated")
	}
	l := randomRBM(t, 3, 2, 1)
	var err error
	if l.Weight, err = dense.Of([]float32{1, 2, 3, float32(math.Inf(1)), 5, 6}, 3, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := LogPartition(context.Background(), l, engine.Bernoulli); !errors.Is(err, engine.ErrNotFinite) {
		t.Errorf("an infinite weight: got %v", err)
	}
}

// TestSoftplusSum compares with one softplus after the other.
func TestSoftplusSum(t *testing.T) {
	source := engine.NewSource(1, engine.PurposeMonitor, 0, 0)
	for _, size := range []float64{1e-9, 1, 30, 1000} {
		for _, n := range []int{0, 1, 59, 60, 61, 3000} {
			xs, want := make([]float64, n), 0.0
			for i := range xs {
				xs[i] = size * source.Normal()
				want += softplus(0.7 * xs[i])
			}
			if got := softplusSum(xs, 0.7); math.Abs(got-want) > 1e-12*(1+want) {
				t.Errorf("%d numbers of size %g: %.15g, want %.15g", n, size, got, want)
			}
		}
	}
}

// BenchmarkLogPartition enumerates 2^20 states of 784 inputs.
func BenchmarkLogPartition(b *testing.B) {
	l := randomRBM(b, MaxEnumerated, 784, 0.1)
	for b.Loop() {
		if _, err := LogPartition(context.Background(), l, engine.Bernoulli); err != nil {
			b.Fatal(err)
		}
	}
}
