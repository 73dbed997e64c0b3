//go:build cuda

package gpu

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/gpu/internal/driver"
)

// clock takes the time of launches, one by one.
type clock struct {
	from, to cu.Event
	spent    map[string]spent // by kernel
}

type spent struct {
	launches     int
	milliseconds float64
}

func newClock() (c *clock, err error) {
	c = &clock{spent: map[string]spent{}}
	for _, e := range []*cu.Event{&c.from, &c.to} {
		if *e, err = cu.MakeEvent(cu.DefaultEvent); err != nil {
			return c, driver.Failed("cuEventCreate", err)
		}
	}
	return c, nil
}

// time is done by the worker: it launches a kernel and waits for its end.
func (c *clock) time(kernel string, stream cu.Stream, launch func() error) error {
	if err := c.from.Record(stream); err != nil {
		return driver.Failed("cuEventRecord", err)
	}
	if err := launch(); err != nil {
		return err
	}
	if err := c.to.Record(stream); err != nil {
		return driver.Failed("cuEventRecord", err)
	}
	if err := c.to.Synchronize(); err != nil {
		return driver.Failed("cuEventSynchronize", err)
	}
	took, err := c.from.Elapsed(c.to)
	if err != nil {
		return driver.Failed("cuEventElapsedTime", err)
	}
	s := c.spent[kernel]
	c.spent[kernel] = spent{s.launches + 1, s.milliseconds + took}
	return nil
}

func (c *clock) close() (first error) {
	for _, e := range []*cu.Event{&c.from, &c.to} {
		if *e != (cu.Event{}) {
			if err := driver.Failed("cuEventDestroy", cu.DestroyEvent(e)); first == nil {
				first = err
			}
		}
	}
	return first
}

// write lists what the kernels took, the longest first.
func (c *clock) write(to io.Writer, device string) error {
	kernels := slices.SortedFunc(maps.Keys(c.spent), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.spent[b].milliseconds, c.spent[a].milliseconds), strings.Compare(a, b))
	})
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "%s\tlaunches\tms\tus each\t\n", device)
	for _, k := range kernels {
		s := c.spent[k]
		fmt.Fprintf(table, "%s\t%d\t%.3f\t%.1f\t\n", k, s.launches, s.milliseconds, 1e3*s.milliseconds/float64(s.launches))
	}
	return table.Flush()
}
