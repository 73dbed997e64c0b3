//go:build cuda

package gpu

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/gpu/internal/driver"
	"github.com/unitscope/unitscope/kernels"
)

// The variables that the package doc explains.
const (
	driverVariable = "UNITSCOPE_CUDA_DRIVER"
	syncVariable   = "UNITSCOPE_CUDA_SYNC"
)

func init() {
	engine.Register("cuda", 1, &cards{load: func() (int, error) { return driver.Load(os.Getenv(driverVariable)) }})
}

// cards are the devices of this machine, for package engine.
type cards struct {
	load    func() (version int, err error)
	once    sync.Once
	version int
	err     error // why there is no driver
}

// start loads the driver, the first time.
func (c *cards) start() error {
	c.once.Do(func() { c.version, c.err = c.load() })
	return c.err
}

// Devices lists the cards, and where several can be used, all of them together.
// Without any there is one device, cuda:0, that says why.
func (c *cards) Devices() []engine.Found {
	none := func(err error) []engine.Found {
		return []engine.Found{{Info: engine.Info{Name: "cuda:0"}, Unusable: err}}
	}
	if err := c.start(); err != nil {
		return none(err)
	}
	count, err := cu.NumDevices()
	if err != nil {
		return none(driver.Failed("cuDeviceGetCount", err))
	}
	var found []engine.Found
	var usable []engine.Info
	for i := range count {
		card, err := c.look(i)
		found = append(found, engine.Found{Info: card.info, Unusable: err})
		if err == nil {
			usable = append(usable, card.info)
		}
	}
	if len(usable) > 1 {
		found = append(found, engine.Found{Info: together(usable)})
	}
	return found
}

// card is what is known of a card without opening it.
type card struct {
	device       cu.Device
	info         engine.Info
	major, minor int // compute capability
}

// look asks the driver about a card. After an error the card, as far as it is
// known, can't be used. What is free of its memory is not asked: that needs a
// context, which takes time and memory of every card, and whoever opens one of
// them looks at all.
func (c *cards) look(i int) (card, error) {
	k := card{info: engine.Info{Name: fmt.Sprintf("cuda:%d", i)}}
	var err error
	try := func(call string, ask func() error) {
		if err == nil {
			err = driver.Failed(call, ask())
		}
	}
	try("cuDeviceGet", func() (err error) { k.device, err = cu.GetDevice(i); return err })
	try("cuDeviceGetName", func() (err error) { k.info.Description, err = k.device.Name(); return err })
	try("cuDeviceTotalMem", func() (err error) { k.info.Memory, err = k.device.TotalMem(); return err })
	attribute := func(what cu.DeviceAttribute) (value int) {
		try("cuDeviceGetAttribute", func() (err error) { value, err = k.device.Attribute(what); return err })
		return value
	}
	k.info.Workers = attribute(cu.MultiprocessorCount)
	k.major, k.minor = attribute(cu.ComputeCapabilityMajor), attribute(cu.ComputeCapabilityMinor)
	if err != nil {
		return k, err
	}
	k.info.Features = []string{fmt.Sprintf("compute-%d.%d", k.major, k.minor), "driver-" + driver.VersionText(c.version)}
	_, _, err = kernels.Image(k.major, k.minor)
	return k, err
}

// Open opens a card by its name, "cuda:1", or all that can be used, "cuda:all":
// where that is one, the card itself.
func (c *cards) Open(name string) (engine.Device, error) {
	d, err := c.open(name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return d, nil
}

func (c *cards) open(name string) (engine.Device, error) {
	if err := c.start(); err != nil {
		return nil, err
	}
	count, err := cu.NumDevices()
	if err != nil {
		return nil, driver.Failed("cuDeviceGetCount", err)
	}
	o := options{}
	if os.Getenv(syncVariable) == "1" {
		o = options{oneByOne: true, trace: os.Stderr}
	}
	if name == allName {
		return c.openUsable(count, o)
	}
	number, _ := strings.CutPrefix(name, "cuda:")
	i, err := strconv.Atoi(number)
	// Only as it is listed: cuda:00 and cuda:+0 are other words for no device.
	if err != nil || i < 0 || i >= count || strconv.Itoa(i) != number {
		return nil, engine.ErrUnknownDevice
	}
	k, err := c.look(i)
	if err != nil {
		return nil, err
	}
	return open(k, o)
}

// openUsable opens all of so many cards that can be used.
func (c *cards) openUsable(count int, o options) (engine.Device, error) {
	var usable []card
	var reasons []string
	for i := range count {
		if k, err := c.look(i); err == nil {
			usable = append(usable, k)
		} else {
			reasons = append(reasons, fmt.Sprintf("%s: %v", k.info.Name, err))
		}
	}
	switch len(usable) {
	case 0:
		return nil, fmt.Errorf("none of %d cards can be used: %s", count, strings.Join(reasons, "; "))
	case 1:
		d, err := open(usable[0], o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", usable[0].info.Name, err)
		}
		return d, nil
	}
	return openAll(usable, o)
}
