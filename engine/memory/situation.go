//go:build linux

package memory

import (
	"bufio"
	"bytes"
	"io/fs"
	"strconv"
	"strings"
)

// margin is what is kept of a limit on addresses: the heap grows by arenas of
// 64 MiB, of which one may be begun for its own needs and another for a large
// block that fits no arena begun, and the runtime keeps books of them.
const margin = 160 << 20

// spareThreads is how many threads the runtime may start besides one for each
// processor: for the collector, for signals, and for calls that wait.
const spareThreads = 8

// situation is what memory depends on; sizes in bytes.
type situation struct {
	files          fs.FS  // the system's files: proc/..., sys/fs/cgroup/...
	page           uint64 // the size of a page
	address, data  uint64 // limits on addresses and on data; unlimited if there is none
	mapped         uint64 // what Go has of the system
	idle, released uint64 // what Go holds without using it: memory, and addresses alone
	threads        int    // at most
	thread         uint64 // the addresses that each takes
}

// The limits as people know them.
const (
	byMachine   = "this machine"
	byGroup     = "this process's control group"
	byAddresses = "ulimit -v"
	byData      = "ulimit -d"
)

// available is the least of what is left by the machine and by every limit.
func (s situation) available() limit {
	left := limit{s.machineLeft(), byMachine}
	for _, g := range s.groups() {
		left = left.least(limit{minus(g.limit, g.used), byGroup})
	}
	p, ok := s.process()
	if left.known() {
		// The system gives memory when it is written to for the first time.
		left.bytes = minus(plus(left.bytes, s.idle), minus(s.mapped, p.resident))
	}
	if !ok {
		return left
	}
	kept := plus(s.idle, s.released)
	begun := int(min(s.table("proc/self/status")["Threads"], 1<<20))
	threads := uint64(max(s.threads-begun, 0)) * s.thread
	if s.address != unlimited {
		left = left.least(limit{minus(leftOf(s.address, p.addresses, kept), threads), byAddresses})
	}
	if s.data != unlimited {
		left = left.least(limit{leftOf(s.data, p.data, kept), byData})
	}
	return left
}

// leftOf is what a limit of the process leaves that holds some and has no use for
// what it has kept of it.
func leftOf(limit, holds, kept uint64) uint64 {
	return minus(plus(minus(limit, holds), kept), margin)
}

// total is the least of the machine's memory and every limit.
func (s situation) total() limit {
	most := limit{s.address, byAddresses}.least(limit{s.data, byData})
	if all, known := s.table("proc/meminfo")["MemTotal"]; known {
		most = most.least(limit{all, byMachine})
	}
	for _, g := range s.groups() {
		most = most.least(limit{g.limit, byGroup})
	}
	return most
}

// machineLeft is what the machine has free for new work; unlimited if it does not
// say.
func (s situation) machineLeft() uint64 {
	info := s.table("proc/meminfo")
	left, ok := info["MemAvailable"]
	if free, old := info["MemFree"]; !ok && old { // Linux before 3.14
		left, ok = free+info["Buffers"]+info["Cached"], true
	}
	if !ok {
		return unlimited
	}
	// In mode 2 the system promises no more than it could keep.
	if mode, ok := s.number("proc/sys/vm/overcommit_memory"); ok && mode == 2 {
		left = min(left, minus(info["CommitLimit"], info["Committed_AS"]))
	}
	return left
}

// process is what this process has: addresses, memory, and data.
type process struct{ addresses, resident, data uint64 }

func (s situation) process() (p process, ok bool) {
	text, err := fs.ReadFile(s.files, "proc/self/statm")
	if err != nil {
		return process{resident: unlimited}, false
	}
	// size resident shared text lib data dt, in pages
	fields := strings.Fields(string(text))
	if len(fields) < 6 {
		return process{resident: unlimited}, false
	}
	for i, into := range map[int]*uint64{0: &p.addresses, 1: &p.resident, 5: &p.data} {
		n, err := strconv.ParseUint(fields[i], 10, 64)
		if err != nil {
			return process{resident: unlimited}, false
		}
		*into = n * s.page
	}
	return p, true
}

// table reads a file with a name and a number on every line, "Name: 12 kB" or
// "name 12"; what is something else is left out.
func (s situation) table(path string) map[string]uint64 {
	text, err := fs.ReadFile(s.files, path)
	if err != nil {
		return nil
	}
	values := map[string]uint64{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		n, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil {
			continue
		}
		if len(fields) > 2 && fields[2] == "kB" {
			n <<= 10
		}
		values[strings.TrimSuffix(fields[0], ":")] = n
	}
	return values
}
