//go:build cuda

package gpu

import (
	"fmt"
	"io"
	"slices"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/gpu/internal/driver"
)

// options are the ways to open a device that the environment chooses among.
type options struct {
	oneByOne bool      // every launch is waited for; memory is not kept for later
	trace    io.Writer // where Close writes what the kernels took, with oneByOne
}

// device is a card as an engine.Device.
type device struct {
	card     card
	options  options
	worker   *worker
	memory   memory
	retained bool // the card's context
	stream   cu.Stream
	kernels  module
	clock    *clock // with options.oneByOne
	ring     *ring
	closed   bool
}

// open opens a card. What fails is the first call that does; what was there
// already is given back.
func open(k card, o options) (*device, error) {
	d := &device{card: k, options: o, worker: startWorker()}
	d.memory = memory{worker: d.worker, name: k.info.Name, exact: o.oneByOne, kept: map[int64][]cu.DevicePtr{}}
	if err := d.worker.wait(d.build); err != nil {
		d.worker.wait(d.dismantle)
		d.worker.end()
		return nil, err
	}
	return d, nil
}

// build is done by the worker.
func (d *device) build() error {
	context, err := d.card.device.RetainPrimaryCtx()
	if err != nil {
		return driver.Failed("cuDevicePrimaryCtxRetain", err)
	}
	d.retained = true
	if err := cu.SetCurrentContext(context); err != nil {
		return driver.Failed("cuCtxSetCurrent", err)
	}
	if d.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return driver.Failed("cuStreamCreate", err)
	}
	if d.kernels, err = loadKernels(d.card); err != nil {
		return err
	}
	if d.options.oneByOne {
		if d.clock, err = newClock(); err != nil {
			return err
		}
	}
	d.ring, err = openRing()
	return err
}

// dismantle is done by the worker; it gives back what build has made.
func (d *device) dismantle() (first error) {
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	if d.ring != nil {
		keep(d.ring.close())
	}
	if d.clock != nil {
		keep(d.clock.close())
	}
	keep(d.kernels.unload())
	if d.stream != (cu.Stream{}) {
		keep(driver.Failed("cuStreamDestroy", d.stream.Destroy()))
	}
	if d.retained {
		keep(driver.Failed("cuDevicePrimaryCtxRelease", d.card.device.ReleasePrimaryCtx()))
	}
	return first
}

func (d *device) Name() string { return d.card.info.Name }

// Info says what is free on the card now, with the memory that is kept here for
// later matrices.
func (d *device) Info() engine.Info {
	info := d.card.info
	info.Features = append(slices.Clone(info.Features), d.kernels.image)
	if !d.closed {
		if free, _, err := d.memory.card(); err == nil {
			info.FreeMemory = free + d.memory.idle
		}
	}
	return info
}

// Compile prepares a plan, which then stays on the card.
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

// Sync waits for the card. The error it returns is forgotten afterwards.
func (d *device) Sync() error {
	if err := d.open("sync"); err != nil {
		return err
	}
	err := d.worker.wait(func() error {
		err := d.synchronize()
		d.worker.failed = nil
		return err
	})
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}

// synchronize is done by the worker: it waits until the card is done and returns
// the first error since the last Sync.
func (d *device) synchronize() error {
	return d.worker.blame(driver.Failed("cuStreamSynchronize", d.stream.Synchronize()))
}

// Close waits until the card is done. An operation's error that nobody has asked
// for is returned.
func (d *device) Close() error {
	if d.closed {
		return nil
	}
	d.closed = true
	err := d.worker.wait(d.synchronize)
	if released := d.memory.release(); err == nil {
		err = released
	}
	if dismantled := d.worker.wait(d.dismantle); err == nil {
		err = dismantled
	}
	d.worker.end()
	if err == nil && d.clock != nil {
		err = d.clock.write(d.options.trace, d.Name())
	}
	if err != nil {
		return fmt.Errorf("close %s: %w", d.Name(), err)
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
