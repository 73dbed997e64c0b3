// Package cpu is the CPU device of package engine. It runs everywhere that Go
// runs, without cgo: import it for its side effect and open the device "cpu".
//
//	import (
//		"github.com/unitscope/unitscope/engine"
//		_ "github.com/unitscope/unitscope/cpu"
//	)
//
//	device, err := engine.Open("cpu")
//
// The hot loops come in variants for different instruction sets. The fastest
// that the processor runs is chosen when a device is opened; the environment
// variable UNITSCOPE_CPU, or [Options], asks for another.
//
// # How work is shared
//
// A device owns one worker for each processor that Go uses (GOMAXPROCS when it
// is opened). Every operation is cut into parts by the shapes of its operands
// alone, never by the number of workers, and a part computes its elements from
// start to end; workers only decide who computes which part. So results do not
// depend on how many there are.
//
// Operations have taken effect when they return.
package cpu

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/unitscope/unitscope/cpu/internal/kernel"
	"github.com/unitscope/unitscope/engine"
)

func init() { engine.Register("cpu", 0, driver{}) }

// driver opens the device for package engine.
type driver struct{}

func (driver) Devices() []engine.Found {
	found := engine.Found{Info: machine()}
	set, err := kernel.Choose()
	if err != nil {
		found.Unusable = err
		return []engine.Found{found}
	}
	found.Workers, found.Features = runtime.GOMAXPROCS(0), []string{set.Name}
	return []engine.Found{found}
}

func (driver) Open(name string) (engine.Device, error) {
	if name != "cpu" {
		return nil, engine.ErrUnknownDevice
	}
	return Open(Options{})
}

// Options say how to open a device. The zero value is what engine.Open uses.
type Options struct {
	// Variant names the hot loops, one of [Variants]. Empty means the one that
	// UNITSCOPE_CPU names, or else the fastest.
	Variant string
	// Workers is the number of threads that share the work; 0 means GOMAXPROCS.
	// Results do not depend on it.
	Workers int
}

// Variants names the variants of the hot loops that this machine runs, the
// fastest first. "generic", in plain Go, is always among them.
func Variants() []string {
	var names []string
	for _, set := range kernel.Variants() {
		names = append(names, set.Name)
	}
	return names
}

// Open opens a CPU device. Each has workers of its own, so a program opens one
// and closes it at the end. A variant that this machine doesn't run, or a
// negative number of workers, is an error.
func Open(o Options) (engine.Device, error) {
	set, err := choose(o.Variant)
	if err != nil {
		return nil, fmt.Errorf("open cpu: %w", err)
	}
	if o.Workers < 0 {
		return nil, fmt.Errorf("open cpu: %d workers, want 1 or more, or 0 for one per processor", o.Workers)
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	d := &device{set: set, pool: newPool(o.Workers)}
	d.product.set = set
	d.product.parts.pack = d.product.pack
	d.product.parts.multiply = d.product.multiply
	d.rowWork.part = d.rowWork.run
	return d, nil
}

func choose(variant string) (*kernel.Set, error) {
	if variant == "" {
		return kernel.Choose()
	}
	for _, set := range kernel.Variants() {
		if set.Name == variant {
			return set, nil
		}
	}
	return nil, fmt.Errorf("no variant %q: this machine runs %s", variant, strings.Join(Variants(), ", "))
}

// device is the CPU as an engine.Device.
type device struct {
	set    *kernel.Set
	pool   *pool
	closed bool

	// What an operation needs is kept between calls, so that none allocates.
	product product
	rowWork rowWork
}

func (d *device) Name() string { return "cpu" }

func (d *device) Info() engine.Info {
	info := machine()
	info.Workers, info.Features = len(d.pool.workers), []string{d.set.Name}
	return info
}

// Compile prepares the plans that have a fused version here; the others run by
// their definitions.
func (d *device) Compile(p engine.Plan) (engine.Runner, error) {
	if err := d.open("compile"); err != nil {
		return nil, err
	}
	switch p := p.(type) {
	case engine.Gibbs:
		return newGibbs(d, p)
	case engine.ContrastiveDivergence:
		return newDivergence(d, p)
	case engine.Denoise:
		return newDenoise(d, p)
	}
	return nil, engine.ErrNotFused
}

// Sync has nothing to wait for: operations have taken effect when they return.
func (d *device) Sync() error { return d.open("sync") }

func (d *device) Close() error {
	if !d.closed {
		d.closed = true
		d.pool.close()
		d.product.packed = [2][]float32{}
	}
	return nil
}

// open returns an error if the device has been closed.
func (d *device) open(operation string) error {
	if d.closed {
		return fmt.Errorf("%s: the device is closed", operation)
	}
	return nil
}
