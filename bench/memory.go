package bench

import (
	"bufio"
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// resetWorkingSet gives back what is free and begins the peak working set anew,
// where the system can do that.
func resetWorkingSet() {
	debug.FreeOSMemory()
	// Linux begins VmHWM anew on this. Where that fails the peak is that of the
	// whole process, which is never too low, so the error does not matter.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200)
}

// workingSet is the peak working set in bytes: what Linux has seen, elsewhere
// what the Go runtime has taken from the system.
func workingSet() int64 {
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		if bytes := highWater(status); bytes > 0 {
			return bytes
		}
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.Sys)
}

// highWater reads VmHWM of /proc/self/status, in bytes; 0 if it isn't there.
func highWater(status []byte) int64 {
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}
