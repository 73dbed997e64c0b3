package emulatortest_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/unitscope/unitscope/kernels"
	"github.com/unitscope/unitscope/kernels/emulatortest"
)

// Results of the driver.
const (
	illegalAddress    = 700
	misalignedAddress = 716
	launchFailed      = 719
)

// TestChecks launches kernels with one mistake each: the driver must find it, and
// say where.
func TestChecks(t *testing.T) {
	library, image := emulatortest.WrongLibrary(t)
	floats := func(n int) []float32 { return make([]float32, n) }
	for _, c := range []struct {
		entry     string
		blocks    int
		arguments []any
		result    int
		text      string // a regular expression
	}{
		{"past_the_end", 1, []any{floats(100), int32(100)}, illegalAddress, `thread \(100,0,0\): write to 4 bytes .* 0 bytes after the end of an allocation of 400 bytes \(.*wrong\.cu:8\)`},
		{"before_the_start", 1, []any{floats(64), int32(64)}, illegalAddress, `thread \(0,0,0\): write to 4 bytes .* 4 bytes before an allocation of 256 bytes`},
		{"far_away", 1, []any{floats(1)}, illegalAddress, `kernel far_away, block \(0,0,0\).* no device memory`},
		{"null_pointer", 1, []any{nil}, illegalAddress, `thread \(5,0,0\): write to 4 bytes at 0, which is no device memory`},
		{"unwritten", 1, []any{floats(64), emulatortest.Unwritten(256), int32(64)}, launchFailed, `read of 4 bytes .* offset 0 .* nothing has been written there`},
		{"unwritten_shared", 1, []any{floats(kernels.Threads)}, launchFailed, `read of 4 bytes of shared memory: nothing has been written there`},
		{"misaligned", 1, []any{make([]float64, 1), floats(4)}, misalignedAddress, `read of 8 bytes at .* not a multiple`},
		{"barrier_for_some", 1, []any{floats(kernels.Threads)}, launchFailed, `divergent barrier: it waits at __syncthreads, .*wrong\.cu:\d+, but thread 128 has ended`},
		{"two_barriers", 1, []any{floats(kernels.Threads)}, launchFailed, `divergent barrier: it waits at __syncthreads, .*, but thread \d+ at .*wrong\.cu`},
		{"shuffle_for_some", 1, []any{floats(kernels.Threads)}, launchFailed, `divergent barrier: it waits for lanes ffffffff of its warp, .*, but thread 7 has ended`},
		{"race_read", 1, []any{floats(kernels.Threads)}, launchFailed, `race: write to 4 bytes of shared memory that another thread has read since the last barrier|race: read of 4 bytes of shared memory that another thread has written since the last barrier`},
		{"race_write", 1, []any{floats(kernels.Threads)}, launchFailed, `race: write to 4 bytes of shared memory that another thread has written`},
		{"race_in_warp", 1, []any{floats(kernels.Threads)}, launchFailed, `race: .* shared memory|nothing has been written there`},
		{"race_of_blocks", 2, []any{floats(1)}, launchFailed, `block \(1,0,0\).* race: write to 4 bytes .* another block has written in the same launch`},
		{"race_with_atomics", 1, []any{make([]int32, kernels.Threads)}, launchFailed, `race: .* of shared memory`},
		{"outside_of_array", 1, []any{floats(1), int32(4)}, illegalAddress, `wrong\.cu:\d+: an index outside of its array`},
		{"overflow", 1, []any{floats(1), int32(1 << 20), int32(1 << 12)}, launchFailed, `wrong\.cu:\d+: a product of whole numbers overflows`},
		{"divide", 1, []any{make([]int32, kernels.Threads), int32(0)}, launchFailed, `wrong\.cu:\d+: a division of whole numbers by zero`},
		{"endless", 1, []any{make([]int32, 1)}, launchFailed, `the thread's stack has overflowed`},
	} {
		t.Run(c.entry, func(t *testing.T) {
			s := emulatortest.Start(t, library, image)
			err := s.Launch(c.entry, c.blocks, kernels.Threads, c.arguments...)
			var failure *emulatortest.Failure
			if !errors.As(err, &failure) {
				t.Fatalf("launched without a complaint: %v", err)
			}
			if failure.Result != c.result || !regexp.MustCompile(c.text).MatchString(failure.Text) {
				t.Errorf("%v; want result %d, %s", failure, c.result, c.text)
			}
		})
	}
}

// TestNoFalseAlarm launches kernels that are right.
func TestNoFalseAlarm(t *testing.T) {
	library, image := emulatortest.WrongLibrary(t)
	s := emulatortest.Start(t, library, image)
	dst, sum := make([]float32, 3*kernels.Threads), make([]int32, 1)
	if err := s.Launch("right", 3, kernels.Threads, dst, sum); err != nil {
		t.Fatal(err)
	}
	if sum[0] != 3*kernels.Threads {
		t.Errorf("%d atomic additions were counted as %d", 3*kernels.Threads, sum[0])
	}
	for i, v := range dst {
		if want := float32((kernels.Threads - 1 - i%kernels.Threads) ^ 1); v != want {
			t.Fatalf("element %d is %g, want %g", i, v, want)
		}
	}
}

// TestLanes checks what lanes of a warp get from each other.
func TestLanes(t *testing.T) {
	library, image := emulatortest.WrongLibrary(t)
	s := emulatortest.Start(t, library, image)
	dst := make([]int32, 6*kernels.Threads)
	if err := s.Launch("lanes", 1, kernels.Threads, dst); err != nil {
		t.Fatal(err)
	}
	for thread := range kernels.Threads {
		lane := int32(thread % 32)
		up, down := lane-2, lane+3
		if lane < 2 {
			up = lane
		}
		if lane%8 >= 5 {
			down = lane
		}
		reversed := int32(0)
		if lane < 16 {
			reversed = 15 - lane
		}
		for k, want := range []int32{3, up, down, lane ^ 5, 0x49249249, reversed} {
			if got := dst[k*kernels.Threads+thread]; got != want {
				t.Errorf("exchange %d, thread %d: %d, want %d", k, thread, got, want)
			}
		}
	}
}

// TestSituations runs what a program of a GPU may meet, each in a process of its
// own: see situations.c.
func TestSituations(t *testing.T) {
	library, image := emulatortest.WrongLibrary(t)
	for _, c := range []struct{ name, environment string }{
		{"order_of_calls", ""},
		{"no_devices", "UNITSCOPE_EMULATED_DEVICES=0"},
		{"three_devices", "UNITSCOPE_EMULATED_DEVICES=3"},
		{"out_of_memory", "UNITSCOPE_EMULATED_MEMORY=1M"},
		{"put_off", ""},
		{"streams", ""},
		{"events_take_time", ""},
		{"errors_stay", ""},
		{"launches_are_checked", ""},
		{"images_are_checked", "UNITSCOPE_EMULATED_CAPABILITY=7.5"},
		{"copies_are_checked", ""},
		{"used_after_free", ""},
		{"not_emulated", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			command := exec.Command(filepath.Join(filepath.Dir(library), "situations"), library, image, c.name)
			command.Env = append(os.Environ(), c.environment)
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
