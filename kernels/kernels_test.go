package kernels_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/kernels"
	"github.com/unitscope/unitscope/kernels/emulatortest"
)

// The kernels run on the emulated driver here, launched as the package's
// documentation says, against references in plain Go. How a device uses them is
// the subject of engine/enginetest.

// bench launches kernels.
type bench struct {
	*testing.T
	*emulatortest.Session
	random *rand.Rand
}

func newBench(t *testing.T) *bench {
	t.Helper()
	library := emulatortest.Library(t)
	_, ptx, err := kernels.Image(8, 0)
	if err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(t.TempDir(), "image.ptx")
	if err := os.WriteFile(image, []byte(ptx), 0o644); err != nil {
		t.Fatal(err)
	}
	return &bench{t, emulatortest.Start(t, library, image), rand.New(rand.NewPCG(20091, 1341))}
}

func (b *bench) launch(entry string, blocks int64, arguments ...any) {
	b.Helper()
	if err := b.Launch(entry, int(blocks), kernels.Threads, arguments...); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) normals(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(b.random.NormFloat64())
	}
	return x
}

func (b *bench) stream(rows int) engine.Stream {
	at := engine.Stream{Seed: b.random.Uint64(), Purpose: engine.PurposeHidden, Step: b.random.Uint32(), Keys: make([]uint64, rows)}
	for i := range at.Keys {
		at.Keys[i] = b.random.Uint64()
	}
	return at
}

// drawn appends the parameters of a stream.
func drawn(at engine.Stream, arguments ...any) []any {
	return append(arguments, at.Keys, at.Seed, uint32(at.Purpose), at.Step)
}

// near checks that got is within tolerance(i) of want.
func (b *bench) near(what string, got []float32, want func(i int) float64, tolerance func(i int) float64) {
	b.Helper()
	for i, g := range got {
		if w := want(i); !(math.Abs(float64(g)-w) <= tolerance(i)) {
			b.Errorf("%s: element %d is %g, want %g within %g", what, i, g, w, tolerance(i))
			return
		}
	}
}

func (b *bench) same(what string, got, want []float32) {
	b.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) && (got[i] == got[i] || want[i] == want[i]) {
			b.Errorf("%s: element %d is %g, want %g", what, i, got[i], want[i])
			return
		}
	}
}

func ulp(x float64) float64 {
	_, exponent := math.Frexp(x)
	return math.Ldexp(1, max(exponent-24, -149))
}

// half is half a unit in the last place, relative to the number.
const half = 1.0 / (1 << 24)

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func TestSigmoid(t *testing.T) {
	b := newBench(t)
	x := []float32{0, 1, -1, 16.7, 17.5, -87.3, -88, -88.8, -103.2, -103.9, -104, -150, 200, -1e30, 1e30, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32}
	for range 20_000 {
		x = append(x, float32(b.random.Float64()*130-110))
	}
	dst := make([]float32, len(x))
	b.launch("sigmoid", 7, dst, x, int64(len(x)))
	b.near("sigmoid", dst, func(i int) float64 { return logistic(float64(x[i])) }, func(i int) float64 { return 2 * ulp(logistic(float64(x[i]))) })
	special := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}
	dst = make([]float32, 3)
	b.launch("sigmoid", 1, dst, special, int64(3))
	b.same("sigmoid", dst, []float32{special[0], 1, 0})
}

func TestElementwise(t *testing.T) {
	b := newBench(t)
	const n = 1000
	x, before := b.normals(n), b.normals(n)
	dst := slices.Clone(before)
	b.launch("axpby", 2, dst, float32(-0.75), x, float32(0.5), int64(n))
	b.near("axpby", dst, func(i int) float64 { return -0.75*float64(x[i]) + 0.5*float64(before[i]) },
		func(i int) float64 { return 2 * half * (math.Abs(float64(x[i])) + math.Abs(float64(before[i]))) })
	nothing := []float32{float32(math.NaN())}
	b.launch("axpby", 1, nothing, float32(2), x[:1], float32(0), int64(1))
	b.same("axpby with beta 0", nothing, []float32{2 * x[0]})
	b.launch("fill", 1, dst, float32(2.5), int64(n-1))
	if dst[0] != 2.5 || dst[n-2] != 2.5 || dst[n-1] == 2.5 {
		t.Errorf("fill: first %g, last %g, after it %g", dst[0], dst[n-2], dst[n-1])
	}
}

func TestDraws(t *testing.T) {
	b := newBench(t)
	for _, shape := range [][2]int{{1, 1}, {3, 5}, {5, 1027}, {70, 4}} {
		rows, cols, at := shape[0], shape[1], b.stream(shape[0])
		blocks := kernels.Blocks(int64(rows * ((cols + 3) / 4)))
		got, want := make([]float32, rows*cols), make([]float32, rows*cols)
		for i := range want {
			want[i] = at.Uniform(i/cols, i%cols)
		}
		b.launch("uniform", blocks, drawn(at, got, int32(rows), int32(cols))...)
		b.same("uniform", got, want)

		p := make([]float32, rows*cols)
		for i := range p {
			u := want[i]
			p[i] = []float32{u, math.Nextafter32(u, 1), 0, 1, float32(math.NaN()), b.random.Float32()}[b.random.IntN(6)]
			switch {
			case p[i] != p[i]:
				want[i] = p[i]
			case u < p[i]:
				want[i] = 1
			default:
				want[i] = 0
			}
		}
		b.launch("bernoulli", blocks, drawn(at, got, p, int32(rows), int32(cols))...)
		b.same("bernoulli", got, want)

		mean := b.normals(rows * cols)
		b.launch("gaussian", blocks, drawn(at, got, mean, float32(0.3), int32(rows), int32(cols))...)
		b.near("gaussian", got, func(i int) float64 {
			return float64(mean[i]) + float64(float32(0.3))*float64(at.Normal(i/cols, i%cols))
		}, func(i int) float64 {
			return 2*half*(math.Abs(float64(mean[i]))+math.Abs(float64(at.Normal(i/cols, i%cols)))) + ulp(0)
		})
	}
}

// TestNormals counts how often the rounding of a normal number differs from Go's:
// both compute it in double, and differ there in the last places at most.
func TestNormals(t *testing.T) {
	b := newBench(t)
	const rows, cols = 40, 1000
	at, zero, got := b.stream(rows), make([]float32, rows*cols), make([]float32, rows*cols)
	b.launch("gaussian", 4, drawn(at, got, zero, float32(1), int32(rows), int32(cols))...)
	different := 0
	for i, v := range got {
		if v != at.Normal(i/cols, i%cols) {
			different++
		}
	}
	if different > 2 {
		t.Errorf("%d of %d normal numbers are not Go's", different, rows*cols)
	}
}

func TestCorrupt(t *testing.T) {
	b := newBench(t)
	for _, shape := range [][2]int{{1, 1}, {3, 7}, {4, 1024}, {2, 1500}} {
		rows, cols, at := shape[0], shape[1], b.stream(shape[0])
		x := b.normals(rows * cols)
		for _, picked := range []int{0, 1, cols / 4, cols - 1, cols} {
			for saltPepper := range 2 {
				got, want := slices.Clone(x), corrupted(x, cols, picked, saltPepper == 1, -5, 7, at)
				// One block for several rows, and in place.
				b.launch("corrupt", 2, drawn(at, got, x, int32(rows), int32(cols), int32(picked), int32(saltPepper), float32(-5), float32(7))...)
				b.same(fmt.Sprintf("corrupt %dx%d, %d picked", rows, cols, picked), got, want)
			}
		}
	}
}

// TestCorruptTies checks the rule for equal draws, of which 2^17 have about four.
func TestCorruptTies(t *testing.T) {
	b := newBench(t)
	const cols = 1 << 17
	for {
		at, draws := b.stream(1), make([]uint32, cols)
		for j := range draws {
			draws[j] = at.Bits(0, j) >> 1
		}
		slices.Sort(draws)
		for picked := 1; picked < cols; picked++ {
			if draws[picked-1] != draws[picked] {
				continue
			}
			x := b.normals(cols)
			got := make([]float32, cols)
			b.launch("corrupt", 1, drawn(at, got, x, int32(1), int32(cols), int32(picked), int32(0), float32(0), float32(0))...)
			b.same("corruption that ends between equal draws", got, corrupted(x, cols, picked, false, 0, 0, at))
			return
		}
	}
}

// corrupted is the reference: it sorts the columns by their draws.
func corrupted(x []float32, cols, picked int, saltPepper bool, low, high float32, at engine.Stream) []float32 {
	out := slices.Clone(x)
	for i := range len(x) / cols {
		columns := make([]int, cols)
		for j := range columns {
			columns[j] = j
		}
		slices.SortStableFunc(columns, func(a, b int) int { return cmp.Compare(at.Bits(i, a)>>1, at.Bits(i, b)>>1) })
		for _, j := range columns[:picked] {
			switch {
			case !saltPepper:
				out[i*cols+j] = 0
			case at.Bits(i, j)&1 == 1:
				out[i*cols+j] = high
			default:
				out[i*cols+j] = low
			}
		}
	}
	return out
}

func TestRows(t *testing.T) {
	b := newBench(t)
	for _, shape := range [][2]int{{1, 1}, {3, 300}, {5, 31}, {2, 1025}} {
		rows, cols := shape[0], shape[1]
		x, with, before := b.normals(rows*cols), b.normals(rows*cols), b.normals(rows)
		x[0], with[0] = 1e30, 1e20 // their product is no float
		row := func(m []float32, i int) []float32 { return m[i*cols : (i+1)*cols] }
		dot := func(a, b []float32) (sum float64) {
			for j := range a {
				sum += float64(a[j]) * float64(b[j])
			}
			return sum
		}
		dst := slices.Clone(before)
		b.launch("row_norms", 2, dst, x, int32(rows), int32(cols), float32(2), float32(0.5))
		norm := func(i int) float64 { return 2*math.Sqrt(dot(row(x, i), row(x, i))) + 0.5*float64(before[i]) }
		b.near("row_norms", dst, norm, func(i int) float64 { return ulp(norm(i)) })

		b.launch("row_dots", 2, dst, x, with, int32(rows), int32(cols), float32(1e-20), float32(0))
		size := func(i int) (sum float64) {
			for j, v := range row(x, i) {
				sum += math.Abs(float64(v) * float64(row(with, i)[j]))
			}
			return 1e-20 * sum
		}
		b.near("row_dots", dst, func(i int) float64 { return float64(float32(1e-20)) * dot(row(x, i), row(with, i)) },
			func(i int) float64 { return 2*half*size(i) + ulp(0) })

		projected := slices.Clone(x)
		b.launch("project", 2, projected, int32(rows), int32(cols), float32(3))
		b.near("project", projected, func(i int) float64 { return float64(x[i]) * 3 / math.Sqrt(dot(row(x, i/cols), row(x, i/cols))) },
			func(i int) float64 { return 2 * ulp(3) })

		means := make([]float32, cols)
		b.launch("column_means", kernels.Blocks(int64(cols)), means, with, int32(rows), int32(cols), float32(1), float32(0))
		mean := func(j int) (sum float64) {
			for i := range rows {
				sum += float64(with[i*cols+j])
			}
			return sum / float64(rows)
		}
		b.near("column_means", means, mean, func(j int) float64 { return ulp(mean(j)) })

		from := make([]int32, 4)
		want := make([]float32, 0, 4*cols)
		for i := range from {
			from[i] = int32(b.random.IntN(rows))
			want = append(want, row(x, int(from[i]))...)
		}
		gathered := make([]float32, 4*cols)
		b.launch("gather", 3, gathered, x, from, int32(4), int32(cols))
		b.same("gather", gathered, want)

		scattered, places := slices.Clone(gathered), []int32{3, 0}
		copy(scattered[3*cols:], row(x, int(from[1])))
		copy(scattered[:cols], row(x, int(from[2])))
		b.launch("scatter", 1, gathered, x, places, from[1:3], int32(2), int32(cols))
		b.same("scatter", gathered, scattered)

		wide := place(make([]float32, rows*cols), rows, cols)
		b.launch("copy_rows", 2, wide, int64(cols+pad), x, int64(cols), int32(rows), int32(cols))
		b.same("copy_rows", wide, place(x, rows, cols))
	}
}

// TestRowsOfNothing checks a row of zeros, which has no direction, and the mean of
// no rows, which is NaN.
func TestRowsOfNothing(t *testing.T) {
	b := newBench(t)
	zeros := make([]float32, 6)
	b.launch("project", 2, zeros, int32(2), int32(3), float32(1))
	b.same("a row of zeros", zeros, make([]float32, 6))
	means := make([]float32, 2)
	b.launch("column_means", 1, means, nil, int32(0), int32(2), float32(1), float32(0))
	if means[0] == means[0] || means[1] == means[1] {
		t.Errorf("the mean of no rows is %g", means)
	}
}
