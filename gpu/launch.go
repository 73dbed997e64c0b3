//go:build cuda

package gpu

import (
	"fmt"
	"math"
	"slices"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/gpu/internal/driver"
	"github.com/unitscope/unitscope/kernels"
)

// module is the kernels of a card, ready to be launched.
type module struct {
	module cu.Module
	image  string                 // its name
	entry  map[string]cu.Function // by name
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
	if err := checkSignatures(entries); err != nil {
		return m, fmt.Errorf("kernels %s: %w", image, err)
	}
	m.image, m.entry = image, map[string]cu.Function{}
	for _, e := range entries {
		f, err := m.module.Function(e.Name)
		if err != nil {
			return m, fmt.Errorf("kernels %s: %s: %w", image, e.Name, driver.Failed("cuModuleGetFunction", err))
		}
		m.entry[e.Name] = f
	}
	return m, nil
}

// checkSignatures makes sure that an image has the kernels that launchers.go knows,
// with the same parameters.
func checkSignatures(entries []kernels.Entry) error {
	known := signatures()
	for _, e := range entries {
		var sizes []int
		for _, p := range e.Parameters {
			sizes = append(sizes, p.Size)
		}
		if want, ok := known[e.Name]; !ok || !slices.Equal(sizes, want) {
			return fmt.Errorf("%s takes parameters of %v bytes and would be launched with %v", e.Name, sizes, want)
		}
		delete(known, e.Name)
	}
	for name := range known {
		return fmt.Errorf("%s is missing", name)
	}
	return nil
}

// unload is done by the worker.
func (m *module) unload() error {
	if m.module == (cu.Module{}) {
		return nil
	}
	return driver.Failed("cuModuleUnload", m.module.Unload())
}

// call is a kernel with its arguments, in order, each in 8 bytes of its own: that is
// how many cu copies of every one. launchers.go makes it.
type call struct {
	kernel string
	slots  []uint64
}

// draws are the last arguments of a kernel that draws: a stream of random numbers,
// whose keys are on the card.
type draws struct {
	keys cu.DevicePtr
	at   engine.Stream
}

// after appends the arguments to those before.
func (d draws) after(slots []uint64) []uint64 {
	return append(slots, uint64(d.keys), d.at.Seed, uint64(d.at.Purpose), uint64(d.at.Step))
}

// stride is the number of elements from row to row; that of no matrix is 0.
func (m *matrix) stride() int {
	if m == nil {
		return 0
	}
	return m.cols
}

// launch has a kernel run on so many blocks. With none there is nothing to do.
func (d *device) launch(c call, blocks int64, what label) error {
	if blocks == 0 {
		return nil
	}
	if blocks > math.MaxInt32 {
		return fmt.Errorf("%s: %d blocks, a card takes at most %d", &what, blocks, math.MaxInt32)
	}
	function := d.kernels.entry[c.kernel]
	what.kernel, what.blocks = c.kernel, blocks
	d.worker.post(&what, func() error {
		if d.clock != nil {
			return d.clock.time(c.kernel, d.stream, func() error { return d.start(function, blocks, c.slots) })
		}
		d.worker.latest = what
		d.worker.launches++
		return d.start(function, blocks, c.slots)
	})
	return nil
}

// start is done by the worker.
func (d *device) start(function cu.Function, blocks int64, slots []uint64) error {
	pointers := make([]unsafe.Pointer, len(slots))
	for i := range slots {
		pointers[i] = unsafe.Pointer(&slots[i])
	}
	return driver.Failed("cuLaunchKernel", function.Launch(int(blocks), 1, 1, kernels.Threads, 1, 1, 0, d.stream, pointers))
}
