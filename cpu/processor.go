package cpu

import (
	"bufio"
	"bytes"
	"math"
	"os"
	"runtime"
	"strings"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
)

// machine describes the processor and the memory that this process may use of it.
// Linux tells in /proc; elsewhere the architecture is all that is known.
func machine() engine.Info {
	info := engine.Info{Name: "cpu", Description: runtime.GOARCH + " processor", Host: true}
	if cpuinfo, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if name := field(cpuinfo, "model name"); name != "" {
			info.Description = name
		}
	}
	// A limit above what an int64 holds is no limit of any machine.
	if total, ok := memory.Total(); ok {
		info.Memory = int64(min(total, math.MaxInt64))
	}
	if available, ok := memory.Available(); ok {
		info.FreeMemory = int64(min(available, math.MaxInt64))
	}
	return info
}

// field is the value of the first line "name : value", or nothing.
func field(text []byte, name string) string {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		key, value, found := strings.Cut(lines.Text(), ":")
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
