package engine

import (
	"fmt"
	"math"
	"math/bits"
)

// Philox is Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel Random
// Numbers: As Easy as 1, 2, 3", SC'11): ten rounds that turn a 128-bit counter
// and a 64-bit key into four independent 32-bit words. It has no state, so any
// number of a stream can be had without the ones before it, on any device.
func Philox(counter [4]uint32, key [2]uint32) [4]uint32 {
	const (
		multiplier0, multiplier1 = 0xD2511F53, 0xCD9E8D57
		weyl0, weyl1             = 0x9E3779B9, 0xBB67AE85
	)
	c0, c1, c2, c3 := counter[0], counter[1], counter[2], counter[3]
	k0, k1 := key[0], key[1]
	for round := 0; round < 10; round++ {
		hi0, lo0 := bits.Mul32(multiplier0, c0)
		hi1, lo1 := bits.Mul32(multiplier1, c2)
		c0, c1, c2, c3 = hi1^c1^k0, lo1, hi0^c3^k1, lo0
		k0 += weyl0
		k1 += weyl1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// Purpose says what a random number is for. Two draws with different purposes
// are independent even when seed, step and row are the same.
type Purpose uint8

// The purposes in use. Their numbers are part of what makes a run
// reproducible: never renumber one, only add.
const (
	PurposeWeights    Purpose = 1  // initial weights of a layer; row = output unit
	PurposeOrder      Purpose = 2  // order of the examples within an epoch
	PurposeHidden     Purpose = 3  // hidden states of an RBM; row = example or chain
	PurposeVisible    Purpose = 4  // visible states of an RBM; row = example or chain
	PurposeChain      Purpose = 5  // first state of a persistent chain; row = chain
	PurposeCorruption Purpose = 6  // corruption of a denoising auto-encoder; row = example
	PurposeStart      Purpose = 7  // start of an ascent; row = (layer, unit, restart)
	PurposeGlyph      Purpose = 8  // built-in digits; row = example
	PurposeDeform     Purpose = 9  // elastic deformation; row = example
	PurposeMonitor    Purpose = 10 // pseudo-likelihood and other estimates while training
	// Gibbs sampling has purposes of its own: with those of training, a chain
	// could meet the very draws that made the weights it samples from.
	PurposeGibbsVisible Purpose = 11 // visible states of a sampled RBM; row = (layer, unit, chain)
	PurposeGibbsHidden  Purpose = 12 // its hidden states, and at step 0 their start; row as above
	PurposeUpper        Purpose = 20 // states of the layers below one in training; row = (drawn layer, example)
	PurposeAncestral    Purpose = 23 // states of the layers below a sampled RBM; row = (layer, unit, chain), step = (sweep, layer)
	// 26 was restarts drawn again by the bootstrap.
	PurposeUnits Purpose = 27 // units drawn again by the bootstrap; row = (layer, analysis), step = resample
	// The states of annealed importance sampling, whose step is the temperature,
	// and what else the estimates of a likelihood draw.
	PurposeAnnealedVisible Purpose = 29 // row = (layer, direction, run)
	PurposeAnnealedHidden  Purpose = 30 // row = (layer, direction, run)
	PurposeLikelihood      Purpose = 31 // flips of components, starts of chains, resampled runs
	PurposeDropout         Purpose = 32 // components masked in fine-tuning; row = (layer, example)
	PurposeSearch          Purpose = 35 // hyper-parameters of a search; row = trial
	// Pictures.
	PurposePatch  Purpose = 36 // picture and place of a patch; row = example, step 1 for the sample that scales them
	PurposeLeaves Purpose = 37 // leaves of a dead-leaves picture; row = picture
	// Chains of a unit and free ones that change places; row = (layer, unit).
	PurposeChance Purpose = 38
	// Replicas of a chain at neighbouring temperatures that change places; row = (layer, unit,
	// temperature and chain), step = sweep.
	PurposeExchange Purpose = 39
)

// MaxColumns is the largest number of columns a row of random numbers can
// have: the column's block of four takes 24 bits of the Philox counter.
const MaxColumns = 1 << 26

// Stream names a matrix of random numbers by identity: which run (Seed), what
// for (Purpose), when (Step), and for each row who it belongs to (Keys), never
// where in a batch the row happens to stand. The number at row i and column j
// is word j%4 of
//
//	Philox(counter {purpose<<24 | j/4, step, low word of Keys[i], high word of Keys[i]}, key {low word of Seed, high word of Seed})
//
// so a result does not depend on batch size, chunking, threads, sharding,
// devices or resuming. Keys are made by [RowKey] and [ExampleKey].
type Stream struct {
	Seed    uint64   // of the whole run
	Purpose Purpose  // what the numbers are for
	Step    uint32   // update, sweep or epoch, whatever counts time for the purpose
	Keys    []uint64 // [rows] identity of each row
}

// RowKey is the identity of one row of an ascent: the restart-th random start
// of a unit of a layer. Layers above 255, units above 2^24-1 and restarts above
// 2^32-1 would share keys with others and are refused by [CheckRowKey].
func RowKey(layer, unit, restart int) uint64 {
	return uint64(layer)<<56 | uint64(unit)<<32 | uint64(restart)
}

// CheckRowKey returns an error if [RowKey] of these numbers would not be unique.
func CheckRowKey(layer, unit, restart int) error {
	if layer < 0 || layer > 1<<8-1 || unit < 0 || unit > 1<<24-1 || restart < 0 || uint64(restart) > 1<<32-1 {
		return fmt.Errorf("layer %d, unit %d, restart %d: outside the ranges 0..255, 0..2^24-1 and 0..2^32-1 of a random number's identity", layer, unit, restart)
	}
	return nil
}

// ExampleKey is the identity of one example (or persistent chain) while a
// layer is trained. It is unique for layers up to 255 and indices below 2^56.
func ExampleKey(layer int, index int64) uint64 {
	return uint64(layer)<<56 | uint64(index)&(1<<56-1)
}

// Words returns the four random words of row i at columns 4*block .. 4*block+3.
func (s Stream) Words(i int, block uint32) [4]uint32 {
	return philoxAt(s.Seed, s.Purpose, s.Step, s.Keys[i], block)
}

func philoxAt(seed uint64, purpose Purpose, step uint32, key uint64, block uint32) [4]uint32 {
	return Philox(
		[4]uint32{uint32(purpose)<<24 | block, step, uint32(key), uint32(key >> 32)},
		[2]uint32{uint32(seed), uint32(seed >> 32)})
}

// Bits returns the 32 random bits of row i and column j.
func (s Stream) Bits(i, j int) uint32 {
	return s.Words(i, uint32(j/4))[j%4]
}

// Uniform returns the uniform number of row i and column j, see [UniformFromBits].
func (s Stream) Uniform(i, j int) float32 {
	return UniformFromBits(s.Bits(i, j))
}

// Normal returns the standard normal number of row i and column j, by the
// Box-Muller transform of the two words of its pair of columns (2m, 2m+1). It is
// computed in float64 and rounded once.
func (s Stream) Normal(i, j int) float32 {
	w := s.Words(i, uint32(j/4))
	even, odd := NormalPair(w[j%4&^1], w[j%4|1])
	if j%2 == 0 {
		return even
	}
	return odd
}

// UniformFromBits maps 32 random bits to (bits>>9 + 0.5) * 2^-23, a float32
// strictly between 0 and 1. Every step is exact, so all devices agree to the
// bit, and Bernoulli(0) and Bernoulli(1) are never wrong. (With 24 bits instead
// of 23 the sum needs a 25-bit mantissa: the largest would round to 1.)
func UniformFromBits(b uint32) float32 {
	return (float32(b>>9) + 0.5) * (1.0 / (1 << 23))
}

// NormalPair turns two random words into two independent standard normal
// numbers by the Box-Muller transform.
func NormalPair(a, b uint32) (float32, float32) {
	radius := math.Sqrt(-2 * math.Log(float64(UniformFromBits(a))))
	sin, cos := math.Sincos(2 * math.Pi * float64(UniformFromBits(b)))
	return float32(radius * cos), float32(radius * sin)
}

// Source hands out the random numbers of one row of a [Stream] one after the
// other, for host code that draws a varying number of them: an order of
// examples, a deformation. It is not safe for concurrent use; make one per
// identity instead of sharing one.
type Source struct {
	seed    uint64
	purpose Purpose
	step    uint32
	key     uint64
	block   uint32
	words   [4]uint32
	left    int
}

// NewSource returns the numbers of the row with this identity, from its start.
func NewSource(seed uint64, purpose Purpose, step uint32, key uint64) *Source {
	return &Source{seed: seed, purpose: purpose, step: step, key: key}
}

// Uint32 returns the next 32 random bits. A row holds [MaxColumns] of them and
// starts over after that.
func (s *Source) Uint32() uint32 {
	if s.left == 0 {
		s.words = philoxAt(s.seed, s.purpose, s.step, s.key, s.block&(MaxColumns/4-1))
		s.block++
		s.left = 4
	}
	s.left--
	return s.words[3-s.left]
}

// Uniform returns the next number strictly between 0 and 1.
func (s *Source) Uniform() float64 { return float64(UniformFromBits(s.Uint32())) }

// Normal returns the next standard normal number.
func (s *Source) Normal() float64 {
	a, b := s.Uint32(), s.Uint32()
	n, _ := NormalPair(a, b)
	return float64(n)
}

// IntN returns the next whole number in 0..n-1, each equally likely (Lemire's
// multiplication with rejection). n must be between 1 and 2^31-1.
func (s *Source) IntN(n int) int {
	bound := uint32(n)
	threshold := -bound % bound
	for {
		hi, lo := bits.Mul32(s.Uint32(), bound)
		if lo >= threshold {
			return int(hi)
		}
	}
}

// Order returns a random order of 0..n-1 (Fisher and Yates).
func (s *Source) Order(n int) []int32 {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	for i := n - 1; i > 0; i-- {
		j := s.IntN(i + 1)
		order[i], order[j] = order[j], order[i]
	}
	return order
}
