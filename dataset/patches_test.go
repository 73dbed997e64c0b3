package dataset

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset/internal/leaves"
	"github.com/unitscope/unitscope/dataset/internal/whiten"
	"github.com/unitscope/unitscope/engine"
	"gonum.org/v1/gonum/dsp/fourier"
)

// matFile is a MATLAB file of arrays of doubles, given in MATLAB's order.
func matFile(arrays ...matArray) []byte { return matFileOf(false, arrays...) }

// matFileOf is a MATLAB file of arrays of doubles or of bytes.
func matFileOf(areBytes bool, arrays ...matArray) []byte {
	le := binary.LittleEndian
	data := append(make([]byte, 124), 0, 1, 'I', 'M')
	element := func(kind uint32, body []byte) []byte {
		e := le.AppendUint32(le.AppendUint32(nil, kind), uint32(len(body)))
		return append(append(e, body...), make([]byte, -len(body)&7)...)
	}
	for _, a := range arrays {
		var dims, numbers []byte
		for _, n := range a.dims {
			dims = le.AppendUint32(dims, uint32(n))
		}
		for _, v := range a.numbers {
			numbers = le.AppendUint64(numbers, math.Float64bits(v))
		}
		class, kind := byte(6), uint32(9)
		if areBytes {
			class, kind, numbers = 9, 2, nil
			for _, v := range a.numbers {
				numbers = append(numbers, byte(v))
			}
		}
		body := slices.Concat(element(6, []byte{class, 0, 0, 0, 0, 0, 0, 0}), element(5, dims), element(1, []byte(a.name)), element(kind, numbers))
		data = append(data, element(14, body)...)
	}
	return data
}

type matArray struct {
	name    string
	numbers []float64
	dims    []int
}

// matSet is a set of patches of 4x4 of an array.
func matSet(t testing.TB, seed uint64, n int, numbers []float64, dims ...int) Set {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pictures.mat")
	if err := os.WriteFile(path, matFile(matArray{"p", numbers, dims}), 0o666); err != nil {
		t.Fatal(err)
	}
	return open(t, fmt.Sprintf("patches:%s,size=4,n=%d", path, n), seed)
}

// noise are independent normal numbers.
func noise(dims ...int) []float64 {
	count := 1
	for _, n := range dims {
		count *= n
	}
	source := engine.NewSource(1, engine.PurposePatch, 8, 0)
	numbers := make([]float64, count)
	for i := range numbers {
		numbers[i] = source.Normal()
	}
	return numbers
}

// fewLeaves is the built-in set with fewer and smaller pictures.
func fewLeaves(t testing.TB, seed uint64, n int) Set {
	t.Helper()
	s, err := parseSpec(fmt.Sprintf("leaves:size=8,n=%d", n))
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPatches(s, seed)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.drawLeaves(3, 64); err != nil {
		t.Fatal(err)
	}
	return p
}

func firstExamples(n int) []int {
	indices := make([]int, n)
	for i := range indices {
		indices[i] = i
	}
	return indices
}

// Patches show the pictures as they are, upright; all places are taken that keep
// off the borders, each as often, and no other. In these pictures pixel k is k
// squared, so that two neighbours tell where they stand.
func TestPlaces(t *testing.T) {
	const rows, cols, count, size, n = 14, 13, 2, 4, 24000
	numbers := make([]float64, rows*cols*count)
	for k := range numbers { // k counts row by row, MATLAB column by column
		picture, row, col := k/(rows*cols), k/cols%rows, k%cols
		numbers[picture*rows*cols+col*rows+row] = float64(k) * float64(k)
	}
	s := matSet(t, 1, n, numbers, rows, cols, count).(*patches)
	data := read(t, s, firstExamples(n)...)
	seen := map[int]int{}
	for i := range n {
		x := data[i*size*size : (i+1)*size*size]
		k := int(math.Round((float64((x[1]-x[0])/s.scale) - 1) / 2))
		seen[k]++
		sum := 0.0
		for j, v := range x {
			at := float64(k + j/size*cols + j%size)
			if want := at*at - float64(k)*float64(k); math.Abs(float64((v-x[0])/s.scale)-want) > 0.05 {
				t.Fatalf("patch %d at pixel %d: component %d is %g above the first, want %g", i, k, j, (v-x[0])/s.scale, want)
			}
			sum += float64(v)
		}
		if math.Abs(sum) > 1e-5 {
			t.Fatalf("patch %d has mean %g", i, sum/size/size)
		}
	}
	for k, times := range seen {
		row, col := k/cols%rows, k%cols
		if row < 4 || row+size > rows-4 || col < 4 || col+size > cols-4 {
			t.Errorf("a patch at row %d, column %d of %dx%d", row, col, rows, cols)
		}
		// 12 places, 2000 times each, within five deviations.
		if times < 1780 || times > 2220 {
			t.Errorf("row %d, column %d: %d patches, want about 2000", row, col, times)
		}
	}
	if len(seen) != 12 {
		t.Errorf("%d places, want 12", len(seen))
	}
}

// Components have variance 1; the range leaves out one in a hundred; and unit
// and range do not depend on seed and number.
func TestScale(t *testing.T) {
	numbers := noise(60, 50)
	for i := range numbers {
		numbers[i] = 7 + 1e-3*numbers[i]
	}
	s, other := matSet(t, 1, 20000, numbers, 60, 50), matSet(t, 2, 5, numbers, 60, 50)
	if mean, deviation := moments(t, s); math.Abs(mean) > 1e-6 || math.Abs(deviation-1) > 0.02 {
		t.Errorf("mean %g, deviation %g", mean, deviation)
	}
	info := s.Info()
	// Normal numbers: 0.5 % lie beyond 2.576 deviations.
	if math.Abs(float64(info.Low)+2.576) > 0.2 || math.Abs(float64(info.High)-2.576) > 0.2 {
		t.Errorf("range %g to %g", info.Low, info.High)
	}
	if o := other.Info(); o.Low != info.Low || o.High != info.High || other.(*patches).scale != s.(*patches).scale {
		t.Errorf("another seed: range %g to %g, was %g to %g", o.Low, o.High, info.Low, info.High)
	}
	if !slices.Equal(info.Shape, []int{4, 4}) || len(info.Files) != 1 || !strings.HasSuffix(info.Name, ",size=4,n=20000") {
		t.Errorf("%+v", info)
	}
	if _, ok := s.Label(0); ok {
		t.Error("a patch has a label")
	}
}

// The array is found by its size, or by name.
func TestPatchesVariables(t *testing.T) {
	small, large := matArray{"settings", []float64{1, 2, 3, 4}, []int{2, 2}}, matArray{"IMAGES", noise(12, 12), []int{12, 12}}
	again := large
	again.name = "RAW"
	nan := matArray{"IMAGES", noise(12, 12, 2), []int{12, 12, 2}}
	nan.numbers[144+5*12+7] = math.NaN()
	large4 := matArray{"IMAGES", noise(12, 12, 1, 2), []int{12, 12, 1, 2}}
	flat := matArray{"IMAGES", make([]float64, 144), []int{12, 12}}
	huge := matArray{"IMAGES", noise(12, 12), []int{12, 12}}
	huge.numbers[0] = 3e38
	tiny := matArray{"IMAGES", noise(12, 12), []int{12, 12}}
	for i := range tiny.numbers {
		tiny.numbers[i] *= 1e-42
	}
	for _, c := range []struct {
		name, options, err string
		arrays             []matArray
	}{
		{"one fits", "", "", []matArray{small, large}},
		{"by name", ",x=RAW", "", []matArray{large, again}},
		{"two fit", "", `several arrays that could be meant: say which, x=NAME; it has "IMAGES" (12x12 double), "RAW" (12x12 double)`, []matArray{large, again}},
		{"none fits", "", `pictures of at least 12x12 pixels: no array that could be meant: it has "settings" (2x2 double)`, []matArray{small}},
		{"too small", ",x=settings", "pictures of 2x2 pixels, too small: want at least 12x12", []matArray{small}},
		// Headers of two billion pictures would take 128 GiB.
		{"many empty pictures", ",x=e", "pictures of 0x0 pixels, too small", []matArray{{"e", nil, []int{0, 0, math.MaxInt32}}}},
		{"no name", ",x=a", `no array "a" in it`, []matArray{large}},
		{"four dimensions", ",x=IMAGES", `array "IMAGES" has dimensions [12 12 1 2], want [rows, cols] or [rows, cols, pictures]`, []matArray{large4}},
		{"not a number", "", `array "IMAGES": picture 1 holds NaN at row 7 and column 5`, []matArray{nan}},
		{"flat", "", "standard deviation 0: can't be brought to 1", []matArray{flat}},
		{"huge", "", "can't be brought to 1", []matArray{huge}},
		{"tiny", "", "can't be brought to 1", []matArray{tiny}},
		{"empty", ",x=e", `array "e" has dimensions [12 12 0]`, []matArray{{"e", nil, []int{12, 12, 0}}}},
	} {
		path := filepath.Join(folder(t, map[string][]byte{"a.mat": matFile(c.arrays...)}), "a.mat")
		s, err := Open("patches:"+path+",size=4,n=10"+c.options, 1)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error %v, want %s", c.name, err, c.err)
			}
			continue
		}
		if err != nil || s.Len() != 10 {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A deformed patch keeps the extremes of its original, beyond Low and High too.
func TestDeformPatches(t *testing.T) {
	s := matSet(t, 1, 2000, noise(40, 30), 40, 30)
	d, err := Deform(s, 2000, 1)
	if err != nil {
		t.Fatal(err)
	}
	x := read(t, d, firstExamples(2000)...)
	if low, high := slices.Min(x), slices.Max(x); low >= s.Info().Low || high <= s.Info().High {
		t.Errorf("%g to %g, the usual range is %g to %g", low, high, s.Info().Low, s.Info().High)
	}
}

// Olshausen and Field's pictures: numbers that scipy reads in them, and their
// variances without a border.
func TestRealOlshausen(t *testing.T) {
	path := os.Getenv("UNITSCOPE_OLSHAUSEN")
	if path == "" {
		path = filepath.Join("..", "..", "shared", "data", "olshausen", "IMAGES.mat")
	}
	if _, err := os.Stat(path); err != nil {
		if strings.Contains(os.Getenv("UNITSCOPE_REQUIRE"), "olshausen") {
			t.Fatalf("IMAGES.mat is required: %v", err)
		}
		t.Skipf("no pictures of Olshausen and Field here (set UNITSCOPE_OLSHAUSEN to IMAGES.mat): %v", err)
	}
	s := open(t, "patches:"+path+",size=12,n=20000", 1).(*patches)
	if len(s.pictures) != 10 {
		t.Fatalf("%d pictures", len(s.pictures))
	}
	for _, c := range []struct {
		picture, row, col int
		want              float32
	}{{2, 3, 7, 0.19481586}, {9, 500, 2, -0.039481953}} {
		if got := s.pictures[c.picture].floats[c.row*512+c.col]; got != c.want {
			t.Errorf("picture %d, row %d, column %d: %g, want %g", c.picture, c.row, c.col, got, c.want)
		}
	}
	for k, want := range []float64{0.09484, 0.03932, 0.07562, 0.06917, 0.19871, 0.09552, 0.07870, 0.05311, 0.04648, 0.01247} {
		sum, squares := 0.0, 0.0
		for row := 4; row < 508; row++ {
			for _, v := range s.pictures[k].floats[row*512+4 : row*512+508] {
				sum += float64(v)
				squares += float64(v) * float64(v)
			}
		}
		const n = 504 * 504
		if got := squares/n - sum/n*sum/n; math.Abs(got-want) > 6e-6 {
			t.Errorf("picture %d: variance %.5f, want %.5f", k, got, want)
		}
	}
	if mean, deviation := moments(t, s); math.Abs(mean) > 1e-6 || math.Abs(deviation-1) > 0.03 {
		t.Errorf("mean %g, deviation %g", mean, deviation)
	}
}

// The leaves have edges, which show as kurtosis, before whitening a power that
// falls about as f^-2, and after it about the same power at all frequencies but
// the highest.
func TestLeavesAreLikeNature(t *testing.T) {
	const side, pictures = 256, 3
	before, after, before4, after4 := make([]float64, 4), make([]float64, 4), 0.0, 0.0
	for k := range uint64(pictures) {
		picture := leaves.Draw(side, engine.NewSource(1, engine.PurposeLeaves, 0, k))
		addPower(before, picture, side)
		before4 += kurtosis(picture) / pictures
		whiten.Flatten(picture, side)
		addPower(after, picture, side)
		after4 += kurtosis(picture) / pictures
	}
	slope := math.Log2(before[0]/before[3]) / 3 // over three octaves
	t.Logf("power falls as f^-%.2f, after whitening it is %.3g; kurtosis %.1f, then %.1f", slope, after, before4, after4)
	if slope < 1.8 || slope > 2.5 {
		t.Errorf("power falls as f^-%.2f, want about 2", slope)
	}
	if ratio := slices.Max(after) / slices.Min(after); ratio > 2.5 {
		t.Errorf("powers after whitening differ by %.2f", ratio)
	}
	if after4 < 4 {
		t.Errorf("kurtosis %.2f, want far more than a Gaussian's 3", after4)
	}
}

// addPower adds the mean power at around 1/64, 1/32, 1/16 and 1/8 cycles per
// pixel.
func addPower(power []float64, picture []float32, side int) {
	plan := fourier.NewCmplxFFT(side)
	waves := make([][]complex128, side)
	for i := range waves {
		waves[i] = make([]complex128, side)
		for j := range waves[i] {
			waves[i][j] = complex(float64(picture[i*side+j]), 0)
		}
		plan.Coefficients(waves[i], waves[i])
	}
	sums, counts := make([]float64, len(power)), make([]float64, len(power))
	column := make([]complex128, side)
	for j := range side {
		for i := range column {
			column[i] = waves[i][j]
		}
		plan.Coefficients(column, column)
		for i, v := range column {
			octave := int(math.Round(math.Log2(64 * math.Hypot(plan.Freq(i), plan.Freq(j)))))
			if octave >= 0 && octave < len(power) {
				sums[octave] += real(v)*real(v) + imag(v)*imag(v)
				counts[octave]++
			}
		}
	}
	for i := range power {
		power[i] += sums[i] / counts[i]
	}
}

func kurtosis(x []float32) float64 {
	mean, second, fourth := 0.0, 0.0, 0.0
	for _, v := range x {
		mean += float64(v) / float64(len(x))
	}
	for _, v := range x {
		d := float64(v) - mean
		second += d * d / float64(len(x))
		fourth += d * d * d * d / float64(len(x))
	}
	return fourth / second / second
}

func BenchmarkPatches(b *testing.B) { benchmarkRead(b, matSet(b, 1, 1<<30, noise(512, 512), 512, 512)) }

func BenchmarkWhitenedPatches(b *testing.B) {
	benchmarkRead(b, open(b, "images:"+noiseFolder(b)+",n=1000000", 1))
}

func BenchmarkOpenLeaves(b *testing.B) {
	for b.Loop() {
		open(b, "leaves", 1)
	}
}
