// Package engine is the contract of a compute device: matrices, the few
// operations that training and visualising a deep network need, plans that
// string them together, and counter-based random numbers. It knows no device;
// devices register themselves ([Register]) and are opened by name ([Open]):
//
//	import (
//		"github.com/unitscope/unitscope/engine"
//		_ "github.com/unitscope/unitscope/cpu"
//	)
//
//	device, err := engine.Open("cpu")
//
// A device has matrices ([Matrix]) and operations on them ([Device]). Gibbs chains and
// training are plans: [CompileGibbs] and [CompileTraining] prepare one for a device,
// and its Run takes a state on, so many steps at a time. Packages visualize and train
// are made of these, and of networks.
//
// # Promises that every device keeps
//
// A row's result is the same to the bit whether it is computed alone, in a
// batch of ten thousand or in the last ragged tile, with any number of threads.
// Devices fix the order of every sum over k once; edges pad, they do not switch
// to another algorithm.
//
// A wrong shape is an error that names the operation and the shapes, never a
// panic. NaN and Inf travel through every operation as IEEE 754 has it.
//
// # Networks
//
// A network is a value, [Net]: operations, each of which reads what earlier ones have
// made, and ends in an activation. [Load] puts one on a device, once, as a [Model],
// which computes values for many inputs at once, gradients of what is linear in them
// ([Goal]), and ascents of it, which [Model.Ascend] takes on so many steps at a time.
// The plans are algorithms of their own.
//
// # Devices
//
// Who writes a device implements [Device] with the help of package operand, and
// registers it. Package enginetest holds the suite that checks all of it.
package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Matrix is a float32 matrix [rows, cols], row-major, in a device's memory. A
// matrix with no rows or no columns is legal. A Matrix is used with the device
// that made it, and by one goroutine at a time.
type Matrix interface {
	Rows() int
	Cols() int
	// Write copies rows*cols numbers from the host, row by row.
	Write(src []float32) error
	// Read copies rows*cols numbers to the host, row by row, after everything
	// that was asked of the device before.
	Read(dst []float32) error
	// Slice is a view of rows from..to-1 that shares memory. Closing a view
	// does nothing; closing its parent ends it.
	Slice(from, to int) (Matrix, error)
	// Close gives the memory back. Using the matrix afterwards is an error;
	// closing it again does nothing.
	Close() error
}

// Host is a float32 matrix [Rows, Cols], row-major, in host memory: how weights
// reach a plan. Code above the engine keeps its arrays as *tensor.Dense of
// gorgonia.org/tensor; package engine/dense goes between the two.
type Host struct {
	Rows, Cols int
	Data       []float32 // [Rows*Cols]
}

// Device is a compute device. Operations may run asynchronously; they take
// effect in the order in which they were asked for, and Matrix.Read waits. A
// Device is used by one goroutine at a time. No operation but Gemm's
// accumulation, Axpby, Project and the elementwise ones (Sigmoid, Activate, Times,
// Bernoulli, Gaussian, Corrupt, where dst, Activate's h, may be the operand itself)
// may be given a dst that shares memory with an operand.
type Device interface {
	// Name is "cpu", "cuda:0", ...
	Name() string
	// Info describes the device to people.
	Info() Info
	// New returns a matrix of zeros.
	New(rows, cols int) (Matrix, error)
	// Gemm is the matrix product dst = epilogue(alpha op(a) op(b) + beta dst),
	// see [Product]. With Beta 0 dst is only written, so what it held (even
	// NaN) does not matter.
	Gemm(dst, a, b Matrix, p Product) error
	// Sigmoid is dst = 1/(1+exp(-x)), element by element, within 2 units in the
	// last place for every finite x; NaN stays NaN.
	Sigmoid(dst, x Matrix) error
	// Activate is h = f(y) and slope = f'(y), element by element, as [Activation.At]
	// has them: within 1 unit in the last place, or 1e-14 where a slope passes
	// through 0. Those of [Sigmoid] are h of Device.Sigmoid and h*(1-h), rounded after
	// each operation. slope may be nil. Channels have equal shares of the columns, one
	// after the other: of use to [PReLU] only.
	Activate(h, slope, y Matrix, a Activation) error
	// Times is dst = dst * x, element by element, rounded once.
	Times(dst, x Matrix) error
	// Uniform fills dst with numbers strictly between 0 and 1, see [Stream.Uniform].
	Uniform(dst Matrix, at Stream) error
	// Bernoulli draws states: dst[i][j] = 1 if at.Uniform(i, j) < p[i][j], else 0.
	// Equal p give equal states on every device. NaN stays NaN.
	Bernoulli(dst, p Matrix, at Stream) error
	// Gaussian adds noise: dst = mean + deviation * standard normal, see [Stream.Normal].
	Gaussian(dst, mean Matrix, deviation float32, at Stream) error
	// Corrupt is the corruption C(x) of a denoising auto-encoder, see [Corruption].
	Corrupt(dst, x Matrix, c Corruption, at Stream) error
	// Reduce sums along rows or columns, see [Reduction].
	Reduce(dst, x Matrix, r Reduction) error
	// Project scales every row of x to Euclidean norm radius (section 3 of the
	// paper). A row of zeros has no direction and is left as it is.
	Project(x Matrix, radius float32) error
	// Axpby is dst = alpha x + beta dst. With beta 0 dst is only written.
	Axpby(dst Matrix, alpha float32, x Matrix, beta float32) error
	// Gather copies rows: dst[i] = src[rows[i]].
	Gather(dst, src Matrix, rows []int) error
	// CopyColumns copies columns: dst[i][to+j] = src[i][from+j] for j < columns.
	CopyColumns(dst Matrix, to int, src Matrix, from, columns int) error
	// Compile prepares a plan that has been checked: it copies and packs what stays
	// fixed, once. A device without a version of its own returns [ErrNotFused]; then
	// [Plain] runs the definition. Callers use [CompileGibbs] and [CompileTraining],
	// whose runners check what they are given too, but for what only the device can
	// see, as [Loaded].
	Compile(p Plan) (Runner, error)
	// Load puts a network that has been checked on the device. A device without a
	// version of its own for such networks returns [ErrNotFused]. Callers use the
	// function [Load].
	Load(n Net) (Loaded, error)
	// Sync waits until everything asked for is done and returns the first error
	// that came up since the last Sync, with its operation's name.
	Sync() error
	// Close gives everything back. Using the device or its matrices afterwards
	// is an error; closing it, or them, again does nothing.
	Close() error
}

// Info describes a device to people; see `unitscope devices`.
type Info struct {
	Name        string   // as in Device.Name
	Description string   // processor or card
	Workers     int      // threads or multiprocessors that share the work
	Memory      int64    // bytes that there are for this process in all; 0 if unknown
	FreeMemory  int64    // bytes that it may still allocate now; 0 if unknown
	Host        bool     // its memory is this process's own
	Features    []string // instruction sets or capabilities in use
}

// Product says what Gemm computes. [Multiply] makes the usual ones.
type Product struct {
	TransA, TransB bool    // op(a) = a' if TransA, op(b) = b' if TransB
	Alpha, Beta    float32 // factors of the product and of what dst held
	Epilogue       Epilogue
}

// Multiply returns the plain product op(a) op(b): Alpha 1, Beta 0.
func Multiply(transA, transB bool) Product {
	return Product{TransA: transA, TransB: transB, Alpha: 1}
}

// EpilogueKind names what happens to each element of a product before it is
// written, so that no elementwise pass needs to touch memory on its own.
type EpilogueKind uint8

// The epilogues. y is the product with what Beta adds, [m, n].
const (
	EpilogueNone       EpilogueKind = iota // dst = y + bias
	EpilogueSigmoid                        // dst = sigmoid(y + bias)
	EpilogueBernoulli                      // p = sigmoid(y + bias), dst = 1 if u < p else 0
	EpilogueDerivative                     // dst = (y + bias) * h * (1 - h), the sigmoid's derivative
	EpilogueNorms                          // dst = y + bias, norms = Euclidean norms of dst's rows
)

// Epilogue is fused into a product's write-back.
type Epilogue struct {
	Kind EpilogueKind
	// Bias [1, n] is added to every row; nil adds nothing.
	Bias Matrix
	// Hidden [m, n] is h of EpilogueDerivative.
	Hidden Matrix
	// Probability [m, n] receives p of EpilogueBernoulli; nil if it is not wanted.
	Probability Matrix
	// Norms [m, 1] receives the norms of EpilogueNorms.
	Norms Matrix
	// At names the random numbers u of EpilogueBernoulli.
	At Stream
}

// CorruptionKind names a corruption of section 2 of the paper.
type CorruptionKind uint8

// The corruptions. The first two pick round(Level*cols) components of every
// row, a random subset of exactly that size.
const (
	CorruptionMask       CorruptionKind = iota // picked components become 0
	CorruptionSaltPepper                       // picked components become Low or High by a fair coin
	CorruptionGaussian                         // every component gets noise of standard deviation Level
)

// String returns "mask", "saltpepper" or "gauss".
func (k CorruptionKind) String() string {
	switch k {
	case CorruptionMask:
		return "mask"
	case CorruptionSaltPepper:
		return "saltpepper"
	case CorruptionGaussian:
		return "gauss"
	}
	return fmt.Sprintf("CorruptionKind(%d)", uint8(k))
}

// Corruption is the noise process of a denoising auto-encoder.
//
// The subset is the round(Level*cols) columns of the row with the smallest
// draws Bits(i, j)>>1, ties to the lower column; the coin of salt and pepper is
// the lowest bit of the same draw (1 is High). So all devices corrupt the same
// components of the same example.
type Corruption struct {
	Kind  CorruptionKind
	Level float32 // 0..1 for a subset, >= 0 for Gaussian noise
	// Low and High are the values of salt and pepper, the data's minimum and maximum.
	Low, High float32
}

// Picked returns how many of cols components a corruption by subset changes.
func (c Corruption) Picked(cols int) int {
	return int(float64(c.Level)*float64(cols) + 0.5)
}

// ReductionKind names what Reduce computes.
type ReductionKind uint8

// The reductions of x [m, n].
const (
	RowNorms    ReductionKind = iota // dst [m, 1]: Euclidean norm of each row
	RowDots                          // dst [m, 1]: dot product of each row with the row of With [m, n]
	ColumnMeans                      // dst [1, n]: mean over the rows; NaN if there are none
)

// Reduction says what Reduce computes: dst = Alpha * reduction(x) + Beta * dst.
// [Total] makes the usual ones. With Beta 0 dst is only written.
type Reduction struct {
	Kind        ReductionKind
	With        Matrix // the other operand of RowDots
	Alpha, Beta float32
}

// Total returns the plain reduction: Alpha 1, Beta 0.
func Total(kind ReductionKind) Reduction { return Reduction{Kind: kind, Alpha: 1} }

// Driver opens the devices of one kind. Packages register theirs from init, as
// database/sql drivers and image formats do.
type Driver interface {
	// Devices lists what is here, and for what can't be used says why.
	Devices() []Found
	// Open opens a device by its full name, as Devices lists it, or by another
	// that the driver understands; the error of any other name wraps
	// [ErrUnknownDevice].
	Open(name string) (Device, error)
}

// Found is one device that a driver knows of.
type Found struct {
	Info
	// Unusable says why the device can't be opened; nil if it can.
	Unusable error
}

var registry struct {
	sync.Mutex
	kinds   []string // by preference of Open("auto"), best first
	drivers map[string]Driver
	rank    map[string]int
}

// Register makes the devices of a kind ("cpu", "cuda") known. Open("auto")
// prefers a higher rank. It panics if the kind is registered twice, which only
// a mistake in the program can cause.
func Register(kind string, rank int, d Driver) {
	registry.Lock()
	defer registry.Unlock()
	if registry.drivers == nil {
		registry.drivers, registry.rank = map[string]Driver{}, map[string]int{}
	}
	if _, twice := registry.drivers[kind]; twice {
		panic("engine: device kind " + kind + " registered twice")
	}
	registry.drivers[kind], registry.rank[kind] = d, rank
	registry.kinds = append(registry.kinds, kind)
	slices.SortStableFunc(registry.kinds, func(a, b string) int { return registry.rank[b] - registry.rank[a] })
}

func drivers() []Driver {
	registry.Lock()
	defer registry.Unlock()
	var ds []Driver
	for _, kind := range registry.kinds {
		ds = append(ds, registry.drivers[kind])
	}
	return ds
}

// driver returns the driver of a kind, nil if there is none.
func driver(kind string) Driver {
	registry.Lock()
	defer registry.Unlock()
	return registry.drivers[kind]
}

// Devices lists every device of every registered kind, the preferred ones
// first, with the reason where one can't be used.
func Devices() []Found {
	var found []Found
	for _, d := range drivers() {
		found = append(found, d.Devices()...)
	}
	return found
}

// ErrOutOfMemory is wrapped by the error of everything that there is not enough
// memory for, be it a device's or this machine's (package engine/memory). A device
// returns it of Device.New, Device.Compile and any other operation, a plan's Run and
// what a model is asked included. After Device.Sync, which may return it once more,
// the device goes on, and what was asked for may be asked for again with less. A
// state that Run or [Model.Ascend] was given is not to be used further.
var ErrOutOfMemory = errors.New("out of memory")

// ErrUnknownDevice is what Open's error wraps when no device has the name.
var ErrUnknownDevice = errors.New("no such device")

// Skipped is a device that Open passed over, and why.
type Skipped struct {
	Name   string
	Reason error
}

// Open opens a device by name: "cpu", "cuda:1", a kind alone ("cuda") for its
// first device that can be opened, or "auto" for the preferred one that can.
// "cuda:all" is all usable cards together.
func Open(name string) (Device, error) {
	d, _, err := OpenFirst(name)
	return d, err
}

// OpenFirst is Open; it also says which devices that the name stands for came
// before the one that was opened, and why they were passed over: they can't be
// used, or could not be opened.
func OpenFirst(name string) (Device, []Skipped, error) {
	var names []string
	var skipped []Skipped
	for _, f := range Devices() {
		kind, _, _ := strings.Cut(f.Name, ":")
		names = append(names, f.Name)
		// All cards together are asked for by their name only.
		if name != f.Name && (name != "auto" && name != kind || strings.HasSuffix(f.Name, ":all")) {
			continue
		}
		if f.Unusable != nil {
			skipped = append(skipped, Skipped{f.Name, fmt.Errorf("open %s: %w", f.Name, f.Unusable)})
			continue
		}
		d, err := driver(kind).Open(f.Name)
		if err == nil {
			return d, skipped, nil
		}
		skipped = append(skipped, Skipped{f.Name, err})
	}
	if len(skipped) > 0 {
		return nil, skipped, skipped[0].Reason
	}
	// A driver may understand more names than it lists, and knows best why it
	// can't open one.
	if kind, _, more := strings.Cut(name, ":"); more && driver(kind) != nil {
		if d, err := driver(kind).Open(name); !errors.Is(err, ErrUnknownDevice) {
			return d, nil, err
		}
	}
	return nil, nil, fmt.Errorf("open device %q: %w; known here: auto, %s", name, ErrUnknownDevice, strings.Join(names, ", "))
}
