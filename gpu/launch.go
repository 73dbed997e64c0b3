//go:build cuda

package gpu

import (
	"fmt"
	"math"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/gpu/internal/driver"
	"github.com/unitscope/unitscope/kernels"
)

// module is the kernels of a card, ready to be launched.
type module struct {
	module cu.Module
	image  string            // its name
	entry  map[string]kernel // by name
}

// kernel is one that can be launched, and the sizes of its parameters in bytes.
type kernel struct {
	function cu.Function
	sizes    []int
}

// loadKernels is done by the worker. The driver compiles the image that suits
// the card best.
func loadKernels(k card) (m module, err error) {
	image, ptx, err := kernels.Image(k.major, k.minor)
	if err != nil {
		return m, err
	}
	entries, err := kernels.Entries(ptx)
	if err != nil {
		return m, err
	}
	if m.module, err = driver.LoadModule(ptx); err != nil {
		return m, fmt.Errorf("kernels %s: %w", image, err)
	}
	m.image, m.entry = image, map[string]kernel{}
	for _, e := range entries {
		f, err := m.module.Function(e.Name)
		if err != nil {
			return m, fmt.Errorf("kernels %s: %s: %w", image, e.Name, driver.Failed("cuModuleGetFunction", err))
		}
		k := kernel{function: f}
		for _, p := range e.Parameters {
			k.sizes = append(k.sizes, p.Size)
		}
		m.entry[e.Name] = k
	}
	return m, nil
}

// unload is done by the worker.
func (m *module) unload() error {
	if m.module == (cu.Module{}) {
		return nil
	}
	return driver.Failed("cuModuleUnload", m.module.Unload())
}

// arguments are those of a launch, in order, each in 8 bytes of its own: that is
// how many cu copies of every one.
type arguments struct {
	slots []uint64
	sizes []int
}

func (a *arguments) add(slot uint64, size int) {
	a.slots, a.sizes = append(a.slots, slot), append(a.sizes, size)
}

func (a *arguments) address(p cu.DevicePtr) { a.add(uint64(p), 8) }

// matrix is a matrix without a stride; a missing one is 0.
func (a *arguments) matrix(m *matrix) { a.address(m.at()) }

// strided is a matrix and the elements from row to row.
func (a *arguments) strided(m *matrix) {
	a.matrix(m)
	if m == nil {
		a.long(0)
	} else {
		a.long(m.cols)
	}
}

func (a *arguments) long(n int) { a.add(uint64(n), 8) }

func (a *arguments) ints(ns ...int) {
	for _, n := range ns {
		a.add(uint64(uint32(int32(n))), 4)
	}
}

func (a *arguments) floats(fs ...float32) {
	for _, f := range fs {
		a.add(uint64(math.Float32bits(f)), 4)
	}
}

// draws is a stream of random numbers, whose keys are on the card.
func (a *arguments) draws(keys cu.DevicePtr, at engine.Stream) {
	a.address(keys)
	a.add(at.Seed, 8)
	a.ints(int(at.Purpose))
	a.add(uint64(at.Step), 4)
}

// launch has a kernel run on so many blocks. With none there is nothing to do.
func (d *device) launch(name string, blocks int64, a arguments, what label) error {
	if blocks == 0 {
		return nil
	}
	if blocks > math.MaxInt32 {
		return fmt.Errorf("%s: %d blocks, a card takes at most %d", &what, blocks, math.MaxInt32)
	}
	k := d.kernels.entry[name]
	if !fits(a.sizes, k.sizes) {
		panic(fmt.Sprintf("gpu: %s takes parameters of %v bytes and is launched with %v", name, k.sizes, a.sizes))
	}
	what.kernel, what.blocks = name, blocks
	d.worker.post(&what, func() error {
		if d.clock != nil {
			return d.clock.time(name, d.stream, func() error { return d.start(k, blocks, a.slots) })
		}
		d.worker.latest = what
		d.worker.launches++
		return d.start(k, blocks, a.slots)
	})
	return nil
}

func fits(given, taken []int) bool {
	if len(given) != len(taken) {
		return false
	}
	for i := range given {
		if given[i] != taken[i] {
			return false
		}
	}
	return true
}

// start is done by the worker.
func (d *device) start(k kernel, blocks int64, slots []uint64) error {
	pointers := make([]unsafe.Pointer, len(slots))
	for i := range slots {
		pointers[i] = unsafe.Pointer(&slots[i])
	}
	return driver.Failed("cuLaunchKernel", k.function.Launch(int(blocks), 1, 1, kernels.Threads, 1, 1, 0, d.stream, pointers))
}
