package whiten

import (
	"math"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// correlated are n examples of neighbouring components that go together, with
// deviations of 0.5 to 2 and mean 3.
func correlated(n, size int, row uint64) []float32 {
	source := engine.NewSource(1, engine.PurposePatch, 9, row)
	examples := make([]float32, 0, n*size)
	for range n {
		before := source.Normal()
		for j := range size {
			v := source.Normal()
			examples = append(examples, float32(3+(0.5+1.5*float64(j)/float64(size))*(v+0.8*before)))
			before = v
		}
	}
	return examples
}

func moments(examples []float32, size int) *Moments {
	m := NewMoments(size)
	for len(examples) > 0 {
		some := examples[:min(len(examples), 700*size)]
		m.Add(some)
		examples = examples[len(some):]
	}
	return m
}

// A fresh sample comes out with the covariance that theory says: the eigenvalues
// d of the one before become s^2 d/(d+e), nearly the identity.
func TestZCAWhitens(t *testing.T) {
	const size, n = 9, 60000
	z, err := NewZCA(moments(correlated(n, size, 0), size), 0.01)
	if err != nil {
		t.Fatal(err)
	}
	fresh := correlated(n, size, 1)
	z.Apply(fresh, nil)
	c, mean := moments(fresh, size).covariance()
	trace := 0.0
	for i := range size {
		if math.Abs(mean[i]) > 0.03 {
			t.Errorf("mean %d is %.3f", i, mean[i])
		}
		trace += c.At(i, i) / size
		for j := range size {
			want := 0.0
			if i == j {
				want = 1
			}
			// Six deviations of a covariance of 60,000 are 0.035; the smallest of
			// the eigenvalues, a sixth of the mean, loses 6 % to the regularization.
			if got := c.At(i, j); math.Abs(got-want) > 0.08 {
				t.Errorf("covariance %d, %d is %.3f, want %g", i, j, got, want)
			}
		}
	}
	if math.Abs(trace-1) > 0.02 {
		t.Errorf("mean variance %.3f, want 1", trace)
	}
}

// A ZCA is symmetric and nearer to the identity than any other whitening: an
// example keeps its look.
func TestZCAIsSymmetric(t *testing.T) {
	const size = 8
	z, err := NewZCA(moments(correlated(4000, size, 0), size), 0.01)
	if err != nil {
		t.Fatal(err)
	}
	for i := range size {
		for j := range size {
			if a, b := z.matrix[i*size+j], z.matrix[j*size+i]; math.Abs(float64(a-b)) > 1e-5 {
				t.Errorf("%d, %d: %g and %g", i, j, a, b)
			}
			if j != i && z.matrix[i*size+i] <= z.matrix[i*size+j] {
				t.Errorf("row %d has its largest number at %d", i, j)
			}
		}
	}
}

// Gains against the formula, with an eigenvalue of zero and one that rounding
// made negative.
func TestGains(t *testing.T) {
	eigenvalues := []float64{-1e-12, 0, 1, 3}
	got, err := gains(eigenvalues, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	const e = 0.01 // of the mean, 1
	s := math.Sqrt(4 / (1/(1+e) + 3/(3+e)))
	want := []float64{s / math.Sqrt(e), s / math.Sqrt(e), s / math.Sqrt(1+e), s / math.Sqrt(3+e)}
	for i := range got {
		if math.Abs(got[i]-want[i]) > 1e-12*want[i] {
			t.Errorf("gain %d is %g, want %g", i, got[i], want[i])
		}
	}
}

// The fast product is the definition, to rounding, for sizes that its steps do
// not divide, and every example is the same beside others and alone.
func TestApply(t *testing.T) {
	for _, size := range []int{1, 2, 5, 12} {
		z, err := NewZCA(moments(correlated(500, size, 0), size), 0.01)
		if err != nil {
			t.Fatal(err)
		}
		examples := correlated(11, size, 2)
		for _, n := range []int{0, 1, 3, 4, 5, 11} {
			together := slices.Clone(examples[:n*size])
			scratch := z.Apply(together, nil)
			for i := range n {
				alone := slices.Clone(examples[i*size : (i+1)*size])
				z.Apply(alone, scratch)
				if !slices.Equal(alone, together[i*size:(i+1)*size]) {
					t.Fatalf("size %d: example %d of %d differs from itself alone", size, i, n)
				}
				for j := range size {
					want, scale := 0.0, 0.0
					for k := range size {
						v := float64(z.matrix[j*size+k]) * float64(examples[i*size+k]-z.mean[k])
						want, scale = want+v, scale+math.Abs(v)
					}
					if math.Abs(float64(alone[j])-want) > 1e-6*scale {
						t.Errorf("size %d: example %d component %d is %g, want %g", size, i, j, alone[j], want)
					}
				}
			}
		}
	}
}

func TestZCAErrors(t *testing.T) {
	for _, c := range []struct {
		name     string
		examples []float32
		want     string
	}{
		{"too few", correlated(5, 5, 0), "whitening: 5 examples of 5 components, want more examples than components"},
		{"none", nil, "whitening: 0 examples of 5 components, want more examples than components"},
		{"all alike", make([]float32, 50), "whitening: a variance of 0"},
	} {
		if _, err := NewZCA(moments(c.examples, 5), 0.01); err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
	}
}

// A wave comes out as the same wave, its amplitude times f exp(-(f/f0)^4), and a
// flat picture as nothing, for sides that are powers of two and not.
func TestFlatten(t *testing.T) {
	for _, side := range []int{16, 15} {
		for _, wave := range [][2]int{{0, 0}, {1, 0}, {0, 3}, {2, -5}, {7, 7}} {
			f := math.Hypot(float64(wave[0]), float64(wave[1])) / float64(side)
			gain := f * math.Exp(-math.Pow(f/0.4, 4))
			picture := make([]float32, side*side)
			at := func(i int) float64 {
				return math.Cos(2*math.Pi/float64(side)*float64(wave[0]*(i/side)+wave[1]*(i%side)) + 0.3)
			}
			for i := range picture {
				picture[i] = float32(at(i))
			}
			Flatten(picture, side)
			for i, v := range picture {
				if want := gain * at(i); math.Abs(float64(v)-want) > 1e-6 {
					t.Fatalf("side %d, wave %v, pixel %d: %g, want %g", side, wave, i, v, want)
				}
			}
		}
	}
}

func BenchmarkZCA(b *testing.B) {
	const size, n = 144, 1000
	z, err := NewZCA(moments(correlated(2*size, size, 0), size), 0.01)
	if err != nil {
		b.Fatal(err)
	}
	examples, scratch := correlated(n, size, 1), []float32(nil)
	clear(examples) // stays finite however often it is whitened
	for b.Loop() {
		scratch = z.Apply(examples, scratch)
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "examples/s")
}
