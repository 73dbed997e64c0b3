package engine_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// TestPhiloxKnownAnswers compares with the vectors published with Random123.
func TestPhiloxKnownAnswers(t *testing.T) {
	const ones = math.MaxUint32
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{ones, ones, ones, ones}, [2]uint32{ones, ones}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0}, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := engine.Philox(c.counter, c.key); got != c.want {
			t.Errorf("Philox(%x, %x) = %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

// TestStreamIdentity checks that the number of a row and column is the word of
// Philox that the definition names.
func TestStreamIdentity(t *testing.T) {
	s := engine.Stream{Seed: 0x0123456789abcdef, Purpose: 7, Step: 0xdeadbeef, Keys: []uint64{5, 0xfedcba9876543210}}
	for j := range 23 {
		want := engine.Philox([4]uint32{7<<24 | uint32(j/4), 0xdeadbeef, 0x76543210, 0xfedcba98}, [2]uint32{0x89abcdef, 0x01234567})[j%4]
		if got := s.Bits(1, j); got != want {
			t.Errorf("Bits(1, %d) = %08x, want %08x", j, got, want)
		}
	}
}

func TestUniformFromBitsExtremes(t *testing.T) {
	for _, c := range []struct {
		bits uint32
		want float64
	}{
		{0, 0.5 / (1 << 23)},
		{1<<9 - 1, 0.5 / (1 << 23)},
		{1 << 9, 1.5 / (1 << 23)},
		{1 << 31, 0.5 + 0.5/(1<<23)},
		{math.MaxUint32, 1 - 0.5/(1<<23)},
	} {
		if got := engine.UniformFromBits(c.bits); float64(got) != c.want || got <= 0 || got >= 1 {
			t.Errorf("UniformFromBits(%08x) = %v, want %v", c.bits, got, c.want)
		}
	}
}

// TestSourceIsStream checks that a Source hands out the numbers of a Stream's
// row in the order of its columns.
func TestSourceIsStream(t *testing.T) {
	const seed, step, key = 99, 3, 0xabcdef0123456789
	stream := engine.Stream{Seed: seed, Purpose: engine.PurposeGlyph, Step: step, Keys: []uint64{key}}
	words := engine.NewSource(seed, engine.PurposeGlyph, step, key)
	uniforms := engine.NewSource(seed, engine.PurposeGlyph, step, key)
	normals := engine.NewSource(seed, engine.PurposeGlyph, step, key)
	for j := range 1001 {
		if got, want := words.Uint32(), stream.Bits(0, j); got != want {
			t.Fatalf("word %d is %08x, want %08x", j, got, want)
		}
		if got, want := uniforms.Uniform(), float64(stream.Uniform(0, j)); got != want {
			t.Fatalf("uniform number %d is %v, want %v", j, got, want)
		}
		if got, want := normals.Normal(), float64(stream.Normal(0, 2*j)); got != want {
			t.Fatalf("normal number %d is %v, want %v", j, got, want)
		}
	}
}

// TestNormalMoments checks mean, variance, third and fourth moment, and the
// correlation of neighbours, within five standard errors.
func TestNormalMoments(t *testing.T) {
	const n = 1 << 17
	s := engine.Stream{Seed: 4, Purpose: engine.PurposeMonitor, Keys: []uint64{1}}
	var sums [4]float64
	var neighbours, before float64
	for j := range n {
		x := float64(s.Normal(0, j))
		for p, power := 0, x; p < 4; p, power = p+1, power*x {
			sums[p] += power
		}
		neighbours += x * before
		before = x
	}
	for _, c := range []struct {
		name                string
		got, want, variance float64
	}{
		{"mean", sums[0] / n, 0, 1},
		{"second moment", sums[1] / n, 1, 2},
		{"third moment", sums[2] / n, 0, 15},
		{"fourth moment", sums[3] / n, 3, 96},
		{"correlation of neighbours", neighbours / n, 0, 1},
	} {
		if z := (c.got - c.want) / math.Sqrt(c.variance/n); math.Abs(z) > 5 {
			t.Errorf("%s is %g, want %g: %.1f standard errors off", c.name, c.got, c.want, z)
		}
	}
}

// chiSquared returns how many standard deviations the chi-squared statistic of
// counts that should be equal is above its mean.
func chiSquared(counts map[string]int, cells int) float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	want := float64(total) / float64(cells)
	statistic := want * float64(cells-len(counts)) // the cells that never came up
	for _, n := range counts {
		statistic += (float64(n) - want) * (float64(n) - want) / want
	}
	freedom := float64(cells - 1)
	return (statistic - freedom) / math.Sqrt(2*freedom)
}

func TestIntNUniform(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 64, 100, 1000} {
		s, counts := engine.NewSource(8, engine.PurposeOrder, 0, uint64(n)), map[string]int{}
		for range 200 * n {
			k := s.IntN(n)
			if k < 0 || k >= n {
				t.Fatalf("IntN(%d) = %d", n, k)
			}
			counts[fmt.Sprint(k)]++
		}
		if z := chiSquared(counts, n); n > 1 && z > 6 {
			t.Errorf("IntN(%d): chi-squared is %.1f standard deviations too large", n, z)
		}
	}
	// 3*2^29 leaves a remainder of 2^30 of 2^32: without rejection the first
	// numbers of every three would come twice as often.
	const n, draws = 3 << 29, 30_000
	s, thirds := engine.NewSource(8, engine.PurposeOrder, 0, 0), map[string]int{}
	for range draws {
		thirds[fmt.Sprint(s.IntN(n)%3)]++
	}
	if z := chiSquared(thirds, 3); z > 6 {
		t.Errorf("IntN(%d) modulo 3: %v", n, thirds)
	}
}

func TestOrderUniform(t *testing.T) {
	counts := map[string]int{}
	for key := range uint64(24 * 400) {
		counts[fmt.Sprint(engine.NewSource(1, engine.PurposeOrder, 0, key).Order(4))]++
	}
	if z := chiSquared(counts, 24); len(counts) != 24 || z > 6 {
		t.Errorf("%d of 24 orders came up, chi-squared is %.1f standard deviations too large", len(counts), z)
	}
	seen := map[int32]bool{}
	for _, i := range engine.NewSource(1, engine.PurposeOrder, 0, 0).Order(1000) {
		seen[i] = true
	}
	if len(seen) != 1000 || !seen[0] || !seen[999] {
		t.Errorf("an order of 1000 holds %d different numbers", len(seen))
	}
	if len(engine.NewSource(1, engine.PurposeOrder, 0, 0).Order(0)) != 0 {
		t.Error("an order of nothing is not empty")
	}
}

// TestKeys checks that identities at the ends of their ranges stay apart, and
// that what lies beyond is refused.
func TestKeys(t *testing.T) {
	const unit, restart = 1<<24 - 1, 1<<32 - 1
	seen := map[uint64]string{}
	for _, layer := range []int{0, 1, 255} {
		for _, u := range []int{0, 1, unit} {
			for _, r := range []int{0, 1, restart} {
				name, key := fmt.Sprint(layer, u, r), engine.RowKey(layer, u, r)
				if err := engine.CheckRowKey(layer, u, r); err != nil {
					t.Errorf("CheckRowKey(%s): %v", name, err)
				}
				if other, twice := seen[key]; twice {
					t.Errorf("%s and %s have the same key", name, other)
				}
				seen[key] = name
			}
		}
	}
	for _, bad := range [][3]int{{256, 0, 0}, {0, unit + 1, 0}, {0, 0, restart + 1}, {-1, 0, 0}, {0, -1, 0}, {0, 0, -1}} {
		if engine.CheckRowKey(bad[0], bad[1], bad[2]) == nil {
			t.Errorf("CheckRowKey(%v): no error", bad)
		}
	}
	if engine.ExampleKey(255, 1<<56-1) != math.MaxUint64 || engine.ExampleKey(1, 2) == engine.ExampleKey(2, 1) {
		t.Error("keys of examples run into each other")
	}
}
