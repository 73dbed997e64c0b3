package dataset

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

func open(t testing.TB, specification string, seed uint64) Set {
	t.Helper()
	s, err := Open(specification, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func read(t testing.TB, s Set, indices ...int) []float32 {
	t.Helper()
	dst := make([]float32, len(indices)*s.Info().Size())
	for i := range dst {
		dst[i] = float32(math.NaN()) // what is not written shows
	}
	if err := s.Read(dst, indices); err != nil {
		t.Fatal(err)
	}
	return dst
}

func deformedDigits(t testing.TB, n int, seed uint64) Set {
	t.Helper()
	s, err := Deform(open(t, "digits:n=1000", 1), n, seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// floatSet is a set of float pictures made here.
func floatSet(t testing.TB, floats []float32, shape ...int) Set {
	t.Helper()
	s, err := newMemory("test", nil, &array.Array{Shape: shape, Floats: floats}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Sets that are made while reading: an example is a function of seed and index,
// whatever else is read with it, in whatever order, by however many goroutines.
func TestIdentity(t *testing.T) {
	sets := map[string]func(seed uint64) Set{
		"digits":   func(seed uint64) Set { return open(t, "digits:n=5000", seed) },
		"deformed": func(seed uint64) Set { return deformedDigits(t, 5000, seed) },
		"patches":  func(seed uint64) Set { return matSet(t, seed, 5000, noise(40, 30, 3), 40, 30, 3) },
		"whitened": func(seed uint64) Set {
			return open(t, "images:"+noiseFolder(t)+",size=6,n=5000", seed)
		},
		"leaves": func(seed uint64) Set { return fewLeaves(t, seed, 5000) },
		"held out": func(seed uint64) Set {
			_, held, err := Split(open(t, "digits:n=5100", seed), 5000)
			if err != nil {
				t.Fatal(err)
			}
			return held
		},
	}
	for name, make := range sets {
		t.Run(name, func(t *testing.T) {
			s, twin, other := make(7), make(7), make(8)
			size := s.Info().Size()
			indices := []int{4999, 3, 3, 0}
			for i := range 301 {
				indices = append(indices, (i*i*31+17)%5000)
			}
			want := read(t, twin, indices...)
			for _, procs := range []int{1, 2, 5} {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				batch := read(t, s, indices...)
				for i, index := range indices[:40] {
					if alone := read(t, s, index); !slices.Equal(alone, batch[i*size:(i+1)*size]) {
						t.Fatalf("example %d alone and in a batch differ with %d threads", index, procs)
					}
				}
				if !slices.Equal(batch, want) {
					t.Fatal("two sets with one seed differ")
				}
			}
			if slices.Equal(read(t, s, 3), read(t, s, 4)) {
				t.Error("two examples are equal")
			}
			if slices.Equal(read(t, s, 3), read(t, other, 3)) {
				t.Error("two seeds give the same example")
			}
		})
	}
}

// Indices outside a set are refused by Read, and have no label.
func TestIndexOutside(t *testing.T) {
	for _, s := range []Set{open(t, "digits:n=5", 1), deformedDigits(t, 5, 1), counting(t, 5)} {
		for _, i := range []int{-1, 5} {
			if _, ok := s.Label(i); ok {
				t.Errorf("%s: label %d of 5", s.Info().Name, i)
			}
			err := s.Read(make([]float32, s.Info().Size()), []int{i})
			if want := fmt.Sprintf("read examples: example %d of a set of 5", i); fmt.Sprint(err) != want {
				t.Errorf("%s: error %v, want %s", s.Info().Name, err, want)
			}
		}
	}
}

// Each original appears once in a run of as many examples, deformed anew every
// time, with its label.
func TestDeformOrder(t *testing.T) {
	s := deformedDigits(t, 5000, 1)
	originals := open(t, "digits:n=1000", 1)
	for _, i := range []int{0, 999, 1000, 2500, 4999} {
		want, _ := originals.Label(i % 1000)
		if got, ok := s.Label(i); !ok || got != want {
			t.Errorf("label %d is %d, %t; the original's is %d", i, got, ok, want)
		}
	}
	if slices.Equal(read(t, s, 5), read(t, s, 1005)) {
		t.Error("an original is deformed alike in two rounds")
	}
	if slices.Equal(read(t, s, 5), read(t, originals, 5)) {
		t.Error("the first round is not deformed")
	}
}

// A deformed digit must stay the digit it is: its ink changes by a factor and
// its centre of mass moves, both within bounds.
func TestDeformStaysNear(t *testing.T) {
	originals, s := open(t, "digits:n=1000", 1), deformedDigits(t, 4000, 3)
	var farthest, moved, different float64
	far := 0
	for i := range s.Len() {
		before, after := read(t, originals, i%1000), read(t, s, i)
		inkBefore, xBefore, yBefore := mass(before)
		inkAfter, xAfter, yAfter := mass(after)
		if ratio := inkAfter / inkBefore; ratio < 0.4 || ratio > 2.5 {
			t.Errorf("example %d: ink changes by %.2f", i, ratio)
		}
		distance := math.Hypot(xAfter-xBefore, yAfter-yBefore)
		farthest = math.Max(farthest, distance)
		if distance >= 3 {
			far++
		}
		moved += distance / float64(s.Len())
		for j := range before {
			different += math.Abs(float64(before[j]-after[j])) / inkBefore / float64(s.Len())
		}
	}
	t.Logf("centre of mass moves %.2f pixels, at most %.2f, %d of %d by 3 or more; %.0f %% of the ink changes", moved, farthest, far, s.Len(), 50*different)
	if farthest >= 6 || far > s.Len()/50 {
		t.Errorf("%d of %d centres of mass move 3 pixels or more, one %.2f", far, s.Len(), farthest)
	}
	if moved < 0.3 || moved > 1.5 || different < 0.3 {
		t.Errorf("centres of mass move %.2f pixels, ink by %.2f: not the deformation of Simard et al.", moved, different)
	}
}

func mass(x []float32) (ink, centreX, centreY float64) {
	for i, v := range x {
		ink += float64(v)
		centreX += float64(v) * float64(i%28)
		centreY += float64(v) * float64(i/28)
	}
	return ink, centreX / ink, centreY / ink
}

// Pictures of other sizes and ranges are deformed as well; a flat picture stays
// as it is.
func TestDeformAnyPicture(t *testing.T) {
	for _, shape := range [][2]int{{2, 2}, {2, 9}, {5, 3}, {12, 12}, {64, 20}} {
		size := shape[0] * shape[1]
		floats := make([]float32, 2*size)
		for i := range size {
			floats[i] = -3.25
			floats[size+i] = float32(math.Sin(float64(i)))
		}
		s, err := Deform(floatSet(t, floats, 2, shape[0], shape[1]), 200, 1)
		if err != nil {
			t.Fatal(err)
		}
		low, high := s.Info().Low, s.Info().High
		for i := range s.Len() {
			for _, v := range read(t, s, i) {
				if !(v >= low && v <= high) {
					t.Fatalf("%v: example %d holds %g, outside %g..%g", shape, i, v, low, high)
				}
				if i%2 == 0 && v != -3.25 {
					t.Fatalf("%v: a flat picture is not flat after deformation: %g", shape, v)
				}
			}
		}
	}
}

// A slope, deformed by an affine map only, stays a plane; the field of Simard
// et al. bends it by about as much as it displaces, 1.4 pixels.
func TestDeformIsElastic(t *testing.T) {
	slope := make([]float32, 784)
	for i := range slope {
		slope[i] = float32(i % 28)
	}
	s, err := Deform(floatSet(t, slope, 1, 28, 28), 500, 1)
	if err != nil {
		t.Fatal(err)
	}
	bend := 0.0
	for i := range s.Len() {
		x := read(t, s, i)
		at := func(row, col int) float64 { return float64(x[28*row+col]) }
		twist := at(8, 8) - at(8, 19) - at(19, 8) + at(19, 19) // 0 for a plane
		bend += twist * twist / float64(s.Len())
	}
	// Four displacements of deviation 1.385, correlated by 0.15 along each side.
	if got := math.Sqrt(bend); got < 1.8 || got > 3 {
		t.Errorf("a slope is twisted by %.2f, want about 2.4", got)
	} else {
		t.Logf("a slope is twisted by %.2f", got)
	}
}

func TestDeformErrors(t *testing.T) {
	pictures := floatSet(t, make([]float32, 8), 2, 2, 2)
	for _, c := range []struct {
		name string
		set  Set
		n    int
		want string
	}{
		{"no examples", pictures, 0, "deform: n=0: want 1 to 2147483647 examples"},
		{"vectors", floatSet(t, make([]float32, 8), 2, 4), 5, "deform: examples have shape [4], want pictures [rows, cols]"},
		{"lines", floatSet(t, make([]float32, 8), 2, 1, 4), 5, "deform: examples have shape [1 4], want pictures [rows, cols]"},
	} {
		if _, err := Deform(c.set, c.n, 1); fmt.Sprint(err) != c.want {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
	}
}

func BenchmarkDeform(b *testing.B) {
	s := open(b, "digits:n=1000", 1)
	// The originals come from memory, as MNIST's do.
	indices := make([]int, s.Len())
	for i := range indices {
		indices[i] = i
	}
	floats := read(b, s, indices...)
	bytes := make([]byte, len(floats))
	for i, v := range floats {
		bytes[i] = byte(v*255 + 0.5)
	}
	originals, err := newMemory("bench", nil, &array.Array{Shape: []int{s.Len(), 28, 28}, Bytes: bytes}, nil, pictureScale)
	if err != nil {
		b.Fatal(err)
	}
	d, err := Deform(originals, 1<<30, 1)
	if err != nil {
		b.Fatal(err)
	}
	benchmarkRead(b, d)
}

func BenchmarkDigits(b *testing.B) { benchmarkRead(b, open(b, "digits", 1)) }

func benchmarkRead(b *testing.B, s Set) {
	const batch = 1000
	dst, indices := make([]float32, batch*s.Info().Size()), make([]int, batch)
	next := 0
	b.ReportAllocs()
	for b.Loop() {
		for i := range indices {
			indices[i] = next % s.Len()
			next++
		}
		if err := s.Read(dst, indices); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(next)/b.Elapsed().Seconds(), "examples/s")
}
