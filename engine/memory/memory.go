// Package memory says how much memory this process may still allocate. A Go
// program whose allocation the system refuses is ended at once and can't clean
// up, so that what needs much memory asks here before it allocates.
//
// On Linux it is the least of what the machine has left, what the control groups
// (versions 1 and 2) of a container or a batch job leave, and what `ulimit -v`
// and `ulimit -d` leave. On other systems it is unknown.
package memory

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"

	"github.com/unitscope/unitscope/engine"
)

// Available is the number of bytes that this process may still allocate: memory
// that it holds and has no use for counts as free, and so do files that the system
// keeps in memory only because nothing else needs it. What it has allocated and not
// yet written to is no longer available. What other processes take meanwhile can't
// be foreseen. It is false where the system does not say.
func Available() (bytes uint64, ok bool) {
	l := available()
	return l.bytes, l.known()
}

// Total is the number of bytes that this process may hold at most, including what
// it holds: the least of the machine's memory and all limits. It is false where
// the system does not say.
func Total() (bytes uint64, ok bool) {
	l := total()
	return l.bytes, l.known()
}

// unchecked is what may be allocated without looking: less than what other
// processes take and give back at any time.
const unchecked = 4 << 20

// Check returns an error, which wraps [engine.ErrOutOfMemory], if so many bytes
// more can't be allocated. It says how many are needed, how many are left, and what
// by: "4.2 GiB are needed, ulimit -v leaves 1.3 GiB". Call it before every
// allocation whose size comes from an option or a file.
func Check(bytes uint64) error {
	if bytes < unchecked {
		return nil
	}
	left := available()
	if bytes > left.bytes {
		// What nothing refers to any more, the collector may not have found yet.
		debug.FreeOSMemory()
		left = available()
	}
	if !left.known() {
		left = largest
	}
	return left.check(bytes)
}

// largest bounds what is tried where the system does not say what there is.
var largest = limit{bytes: 1 << 40, by: "the largest machine"}

// CheckFloats is [Check] for rows times cols float32.
func CheckFloats(rows, cols int) error {
	if rows <= 0 || cols <= 0 {
		return nil
	}
	return Check(times(times(uint64(rows), uint64(cols)), 4))
}

// Collect has the garbage collector run before the memory that there is for this
// process now is used up, and not only when what is in use has doubled. The
// environment variable GOMEMLIMIT goes before.
func Collect() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	left, ok := Available()
	if !ok {
		return
	}
	debug.SetMemoryLimit(int64(min(plus(left, mapped()), math.MaxInt64)))
}

// Explain adds to an error that wraps [engine.ErrOutOfMemory] what work there is not
// enough memory for on a device, and what to do: what is fewer or smaller, in words
// that follow "use", or another device. Other errors, and nil, it leaves as they
// are.
func Explain(d engine.Device, work, fewer string, err error) error {
	if !errors.Is(err, engine.ErrOutOfMemory) {
		return err
	}
	info := d.Info()
	other := "a machine with more memory"
	if !info.Host {
		other = "the device cpu, or a card with more memory"
	}
	return fmt.Errorf("%s has not enough memory for %s with %s free: use %s, or %s: %w", info.Name, work, Text(uint64(max(info.FreeMemory, 0))), fewer, other, err)
}

// Text is a number of bytes for people: "4.2 GiB".
func Text(bytes uint64) string {
	for i, unit := range []string{"GiB", "MiB", "KiB"} {
		if size := uint64(1) << (30 - 10*i); bytes >= size {
			return fmt.Sprintf("%.1f %s", float64(bytes)/float64(size), unit)
		}
	}
	return fmt.Sprintf("%d bytes", bytes)
}

const unlimited = math.MaxUint64

// limit is a number of bytes and what sets it.
type limit struct {
	bytes uint64 // unlimited if nothing does
	by    string // "this machine", "ulimit -v"
}

func (l limit) known() bool { return l.bytes != unlimited }

func (l limit) check(bytes uint64) error {
	if bytes <= l.bytes {
		return nil
	}
	return fmt.Errorf("%s are needed, %s leaves %s: %w", Text(bytes), l.by, Text(l.bytes), engine.ErrOutOfMemory)
}

// least is the tighter of two limits.
func (l limit) least(other limit) limit {
	if other.bytes < l.bytes {
		return other
	}
	return l
}

func minus(a, b uint64) uint64 { return a - min(a, b) }

func plus(a, b uint64) uint64 { return a + min(b, unlimited-a) }

func times(a, b uint64) uint64 {
	if b > 0 && a > unlimited/b {
		return unlimited
	}
	return a * b
}
