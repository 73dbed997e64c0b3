// Package enginetest is the conformance suite of compute devices: what package
// engine promises, as tests. A device passes it with a few lines:
//
//	func TestDevice(t *testing.T) {
//		enginetest.Run(t, func(t *testing.T) engine.Device {
//			d, err := engine.Open("cpu")
//			if err != nil {
//				t.Fatal(err)
//			}
//			return d
//		})
//	}
//
// Every operation, plan and network is checked against a plain float64 reference,
// over shapes chosen to be awkward. A plan is checked both as the device compiles it
// and by its definition ([engine.Plain]), a network both as the device loads it and by
// its definition ([engine.LoadPlain]).
//
// Operands are views inside larger matrices. The rows around an operand hold
// NaN, so that reading too far shows in the result; an output holds NaN before
// the call, so that an element left out shows, and has guards around it. After
// every call operands and guards must be as they were.
//
// # Tolerances
//
// A tolerance is a bound for the rounding of float32, with its argument beside
// it in the code; the suite logs the largest fraction of each that was used, so
// that a drift shows before it fails. What is promised to the bit is compared to
// the bit.
//
// # Chance
//
// Numbers that are drawn are compared draw for draw, or with seeds that are fixed.
// Only the expected gradient of contrastive divergence is a statistic of new draws:
// its bound is exceeded by chance in less than one of ten million runs of the
// suite.
//
// # Inputs
//
// Inputs are new in every run. The log says with which seed; setting the
// environment variable UNITSCOPE_TEST_SEED to it repeats them. With -short, or
// under the race detector, there are fewer and smaller ones.
package enginetest

import (
	"errors"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/unitscope/unitscope/engine"
)

// SeedVariable is the environment variable that sets the seed of all inputs, a
// whole number.
const SeedVariable = "UNITSCOPE_TEST_SEED"

// Run runs the whole suite. open returns a new device each time; the suite
// closes it.
func Run(t *testing.T, open func(t *testing.T) engine.Device) {
	seed := chooseSeed(t)
	t.Logf("repeat these inputs with %s=%d", SeedVariable, seed)
	for _, group := range []struct {
		name string
		test func(s *subject)
	}{
		{"Device", testDevice},
		{"Matrix", testMatrix},
		{"Gemm", testGemm},
		{"GemmEpilogues", testEpilogues},
		{"GemmNotFinite", testGemmNotFinite},
		{"Sigmoid", testSigmoid},
		{"Activate", testActivate},
		{"Times", testTimes},
		{"Axpby", testAxpby},
		{"CopyColumns", testCopyColumns},
		{"Gather", testGather},
		{"Reduce", testReduce},
		{"Project", testProject},
		{"Uniform", testUniform},
		{"Bernoulli", testBernoulli},
		{"Gaussian", testGaussian},
		{"Corrupt", testCorrupt},
		{"CorruptTies", testCorruptTies},
		{"BatchInvariance", testInvariance},
		{"Misuse", testMisuse},
		{"Overlap", testOverlap},
		{"Foreign", testForeign},
		{"Closed", testClosed},
		{"AscentClosedForm", testAscentClosedForm},
		{"AscentTangent", testAscentTangent},
		{"AscentGradient", testAscentGradient},
		{"AscentMonotone", testAscentMonotone},
		{"AscentInvariance", testAscentInvariance},
		{"AscentStops", testAscentStops},
		{"AscentCurves", testAscentCurves},
		{"AscentMisuse", testAscentMisuse},
		{"ModelForward", testModelForward},
		{"ModelGradient", testModelGradient},
		{"ModelInvariance", testModelInvariance},
		{"ModelMisuse", testModelMisuse},
		{"ModelAscent", testModelAscent},
		{"ModelAscentInvariance", testModelAscentInvariance},
		{"Constrained", testConstrained},
		{"ConstrainedInvariance", testConstrainedInvariance},
		{"Gibbs", testGibbs},
		{"GibbsStart", testGibbsStart},
		{"GibbsInvariance", testGibbsInvariance},
		{"GibbsClamp", testGibbsClamp},
		{"GibbsExact", testGibbsExact},
		{"GibbsClosedForms", testGibbsClosedForms},
		{"GibbsMisuse", testGibbsMisuse},
		{"ContrastiveDivergence", testDivergence},
		{"StabilisedDivergence", testStabilised},
		{"Denoise", testDenoise},
		{"TrainingCuts", testTrainingCuts},
		{"TrainingMisuse", testTrainingMisuse},
		{"DivergenceStatistics", testDivergenceStatistics},
	} {
		t.Run(group.name, func(t *testing.T) {
			s := newSubject(t, open, seed)
			group.test(s)
			s.logTolerances()
		})
	}
}

func chooseSeed(t *testing.T) uint64 {
	text := os.Getenv(SeedVariable)
	if text == "" {
		return uint64(time.Now().UnixNano())
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%q: %v", SeedVariable, text, err)
	}
	return seed
}

// subject is a device under test, with the random inputs of one group of tests.
type subject struct {
	*testing.T
	open   func(t *testing.T) engine.Device
	device engine.Device
	random *rand.Rand
	used   map[string]float64 // largest fraction of each tolerance so far
}

// newSubject opens a device. Its inputs depend on the seed and the test's name
// alone, so that one test can be repeated without the others.
func newSubject(t *testing.T, open func(t *testing.T) engine.Device, seed uint64) *subject {
	name := fnv.New64a()
	name.Write([]byte(t.Name()))
	s := &subject{T: t, open: open, device: open(t), used: map[string]float64{}, random: rand.New(rand.NewPCG(seed, name.Sum64()))}
	t.Cleanup(func() {
		if err := s.device.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// logTolerances logs how much of each tolerance was used.
func (s *subject) logTolerances() {
	for _, what := range slices.Sorted(maps.Keys(s.used)) {
		s.Logf("%s: used %.2g of the tolerance", what, s.used[what])
	}
}

// must ends the test at an error that should not be.
func (s *subject) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// small says that the suite should be quick rather than thorough.
func small() bool { return testing.Short() || raceDetector }

// pick returns the first value, or the second where the suite should be quick.
func pick[T any](thorough, quick T) T {
	if small() {
		return quick
	}
	return thorough
}

// normals returns n random numbers from a normal distribution.
func (s *subject) normals(n int, deviation float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(s.random.NormFloat64() * deviation)
	}
	return x
}

// uniforms returns n random numbers in [0, 1).
func (s *subject) uniforms(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = s.random.Float32()
	}
	return x
}

// factor returns a random number that is often one of the special ones.
func (s *subject) factor() float32 {
	return []float32{0, 1, -1, float32(s.random.NormFloat64()), float32(s.random.NormFloat64())}[s.random.IntN(5)]
}

// stream names random numbers of a purpose with a new identity for each row.
func (s *subject) stream(rows int) engine.Stream {
	keys := make([]uint64, rows)
	for i := range keys {
		keys[i] = s.random.Uint64()
	}
	return engine.Stream{Seed: s.random.Uint64(), Purpose: engine.Purpose(1 + s.random.IntN(10)), Step: s.random.Uint32(), Keys: keys}
}

// sizes are the awkward ones: nothing, one, primes, and what lies around the
// usual sizes of tiles, vectors and blocks.
var sizes = []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 14, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 97, 127, 128, 129}

// size returns a random awkward size.
func (s *subject) size() int { return sizes[s.random.IntN(len(sizes))] }

// implementations returns the ways to run a plan on the device: its definition
// and, if there is one, the device's own.
func (s *subject) implementations(p engine.Plan) map[string]func() (engine.Runner, error) {
	ways := map[string]func() (engine.Runner, error){
		"plain": func() (engine.Runner, error) { return engine.Plain(s.device, p) },
	}
	r, err := s.device.Compile(p)
	if errors.Is(err, engine.ErrNotFused) {
		return ways
	}
	s.must(err)
	s.must(r.Close())
	ways["fused"] = func() (engine.Runner, error) {
		if p, is := p.(engine.Gibbs); is {
			return engine.CompileGibbs(s.device, p)
		}
		return engine.CompileTraining(s.device, p)
	}
	return ways
}

// forEach runs a test for each way to run a plan.
func (s *subject) forEach(p engine.Plan, test func(way string, r engine.Runner)) {
	s.Helper()
	for way, compile := range s.implementations(p) {
		r, err := compile()
		s.must(err)
		test(way, r)
		s.must(r.Close())
	}
}
