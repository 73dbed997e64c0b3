package cpu

import (
	"bufio"
	"bytes"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine"
)

// machine describes the processor and its memory. Linux tells in /proc;
// elsewhere the architecture is all that is known.
func machine() engine.Info {
	info := engine.Info{Name: "cpu", Description: runtime.GOARCH + " processor"}
	if cpuinfo, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if name := field(cpuinfo, "model name"); name != "" {
			info.Description = name
		}
	}
	if meminfo, err := os.ReadFile("/proc/meminfo"); err == nil {
		info.Memory, info.FreeMemory = kibibytes(field(meminfo, "MemTotal")), kibibytes(field(meminfo, "MemAvailable"))
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

// kibibytes reads "123 kB" as bytes; 0 if it is something else.
func kibibytes(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(s, " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}
