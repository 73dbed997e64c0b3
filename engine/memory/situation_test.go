//go:build linux

package memory

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/unitscope/unitscope/engine"
)

const gib = 1 << 30

// Lines of proc/self/mountinfo.
const (
	second      = "35 31 0:32 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup rw\n"
	first       = "36 31 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	ofContainer = "35 31 0:32 /docker/4f /sys/fs/cgroup rw,relatime - cgroup2 cgroup rw\n"
	spaced      = `35 31 0:32 / /mnt/my\040groups rw - cgroup2 cgroup rw` + "\n"
	above       = "35 31 0:32 /../.. /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
)

func TestSituations(t *testing.T) {
	const meminfo = "MemTotal:       8388608 kB\nMemFree:  1048576 kB\nMemAvailable:    4194304 kB\nBuffers: 524288 kB\nCached: 524288 kB\nHugePages_Total: 0\nCommitLimit: 3145728 kB\nCommitted_AS: 2097152 kB\n"
	for _, c := range []struct {
		name             string
		files            map[string]string
		s                situation
		by               string // what leaves no more
		available, total uint64
	}{
		{name: "nothing is known", available: unlimited, total: unlimited},
		{name: "the machine", files: map[string]string{"proc/meminfo": meminfo}, by: byMachine, available: 4 * gib, total: 8 * gib},
		{name: "an old Linux", files: map[string]string{"proc/meminfo": "MemTotal: 8388608 kB\nMemFree: 1048576 kB\nBuffers: 524288 kB\nCached: 524288 kB\n"}, by: byMachine, available: 2 * gib, total: 8 * gib},
		{name: "no overcommitting", files: map[string]string{"proc/meminfo": meminfo, "proc/sys/vm/overcommit_memory": "2\n"}, by: byMachine, available: 1 * gib, total: 8 * gib},
		{name: "overcommitting as usual", files: map[string]string{"proc/meminfo": meminfo, "proc/sys/vm/overcommit_memory": "0\n"}, by: byMachine, available: 4 * gib, total: 8 * gib},
		{name: "what the heap does not use", files: map[string]string{"proc/meminfo": meminfo}, s: situation{idle: gib, released: 2 * gib}, by: byMachine, available: 5 * gib, total: 8 * gib},
		{name: "what was allocated and not yet written to", files: map[string]string{"proc/meminfo": meminfo, "proc/self/statm": "999999999 262144 1 1 0 1 0\n"},
			s: situation{mapped: 3 * gib, idle: gib}, by: byMachine, available: 3 * gib, total: 8 * gib},
		{name: "memory.max, and files that may go", files: map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": second, "proc/self/cgroup": "0::/job\n",
			"sys/fs/cgroup/job/memory.max": "2147483648\n", "sys/fs/cgroup/job/memory.high": "max\n", "sys/fs/cgroup/job/memory.current": "1610612736\n",
			"sys/fs/cgroup/job/memory.stat": "anon 1073741824\ninactive_file 268435456\nactive_file 268435456\n",
		}, by: byGroup, available: 1 * gib, total: 2 * gib},
		{name: "memory.high below memory.max", files: map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": second, "proc/self/cgroup": "0::/job\n",
			"sys/fs/cgroup/job/memory.max": "3221225472", "sys/fs/cgroup/job/memory.high": "2147483648", "sys/fs/cgroup/job/memory.current": "1073741824",
		}, by: byGroup, available: 1 * gib, total: 2 * gib},
		{name: "a limit two groups above", files: map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": second, "proc/self/cgroup": "0::/a.slice/b/c\n",
			"sys/fs/cgroup/a.slice/b/c/memory.max": "max", "sys/fs/cgroup/a.slice/b/c/memory.current": "1",
			"sys/fs/cgroup/a.slice/memory.max": "3221225472", "sys/fs/cgroup/a.slice/memory.current": "1073741824",
		}, by: byGroup, available: 2 * gib, total: 3 * gib},
		{name: "a container that sees its own group only", files: map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": ofContainer, "proc/self/cgroup": "0::/docker/4f/inner\n",
			"sys/fs/cgroup/memory.max": "2147483648", "sys/fs/cgroup/memory.current": "0",
			"sys/fs/cgroup/inner/memory.max": "1073741824", "sys/fs/cgroup/inner/memory.current": "0",
		}, by: byGroup, available: 1 * gib, total: 1 * gib},
		{name: "a name that the mount does not show", files: map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": ofContainer, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "2147483648", "sys/fs/cgroup/memory.current": "0",
		}, by: byGroup, available: 2 * gib, total: 2 * gib},
		{name: "a mount above the namespace", files: map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": above, "proc/self/cgroup": "0::/../x\n",
			"sys/fs/cgroup/memory.max": "2147483648", "sys/fs/cgroup/memory.current": "0",
		}, by: byGroup, available: 2 * gib, total: 2 * gib},
		{name: "a mount with a space", files: map[string]string{
			"proc/self/mountinfo": spaced, "proc/self/cgroup": "0::/\n",
			"mnt/my groups/memory.max": "2147483648", "mnt/my groups/memory.current": "1073741824",
		}, by: byGroup, available: 1 * gib, total: 2 * gib},
		{name: "a group that holds more than its limit", files: map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": second, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.high": "1073741824", "sys/fs/cgroup/memory.current": "2147483648",
		}, by: byGroup, available: 0, total: 1 * gib},
		{name: "version 1", files: map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": first, "proc/self/cgroup": "9:cpu:/elsewhere\n4:memory:/jobs/7\n0::/\n",
			"sys/fs/cgroup/memory/jobs/7/memory.limit_in_bytes": "2147483648", "sys/fs/cgroup/memory/jobs/7/memory.usage_in_bytes": "2147483648",
			"sys/fs/cgroup/memory/jobs/7/memory.stat":     "inactive_file 1\ntotal_inactive_file 536870912\ntotal_active_file 536870912\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":  "9223372036854771712",
			"sys/fs/cgroup/memory/memory.usage_in_bytes":  "5368709120",
			"sys/fs/cgroup/cpu/elsewhere/memory.max":      "1",
			"sys/fs/cgroup/cpu/elsewhere/memory.current":  "1",
			"sys/fs/cgroup/memory/elsewhere/memory.stat":  "x",
			"sys/fs/cgroup/memory/jobs/memory.irrelevant": "7",
		}, by: byGroup, available: 1 * gib, total: 2 * gib},
		{name: "version 1 without a limit on a machine that says nothing", files: map[string]string{
			"proc/self/mountinfo": first, "proc/self/cgroup": "4:memory:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712", "sys/fs/cgroup/memory/memory.usage_in_bytes": "1",
		}, available: unlimited, total: unlimited},
		{name: "ulimit -v", files: map[string]string{"proc/meminfo": meminfo, "proc/self/statm": "262144 1 1 1 0 1 0\n"},
			s: situation{address: 3 * gib, data: unlimited}, by: byAddresses, available: 2*gib - margin, total: 3 * gib},
		{name: "ulimit -v and what the heap has", files: map[string]string{"proc/meminfo": meminfo, "proc/self/statm": "262144 1 1 1 0 1 0\n"},
			s: situation{address: 3 * gib, data: unlimited, idle: gib / 4, released: gib / 4}, by: byAddresses, available: 2*gib + gib/2 - margin, total: 3 * gib},
		{name: "ulimit -v, and threads that may still begin", files: map[string]string{"proc/meminfo": meminfo, "proc/self/statm": "262144 1 1 1 0 1 0\n", "proc/self/status": "Name:\tunitscope\nThreads:\t7\n"},
			s: situation{address: 3 * gib, data: unlimited, threads: 10, thread: 100 << 20}, by: byAddresses, available: 2*gib - margin - 300<<20, total: 3 * gib},
		{name: "ulimit -d", files: map[string]string{"proc/meminfo": meminfo, "proc/self/statm": "999999999 1 1 1 0 262144 0\n"},
			s: situation{address: unlimited, data: 2 * gib}, by: byData, available: gib - margin, total: 2 * gib},
		{name: "a limit that is nearly reached", files: map[string]string{"proc/meminfo": meminfo, "proc/self/statm": "262144 1 1 1 0 262144 0\n"},
			s: situation{address: gib + 1, data: gib + 1}, by: byAddresses, available: 0, total: gib + 1},
		{name: "files of another form", files: map[string]string{
			"proc/meminfo": "MemTotal: many kB\nMemAvailable:\n", "proc/self/mountinfo": "short\n1 2 3 4 - \n1 2 3 / /g rw - cgroup2\n", "proc/self/cgroup": "nothing\n", "proc/self/statm": "1 2\n",
		}, s: situation{address: 5}, available: unlimited, total: 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{}
			for name, text := range c.files {
				tree[name] = &fstest.MapFile{Data: []byte(text)}
			}
			c.s.files, c.s.page = tree, 4096
			if c.s.address == 0 {
				c.s.address = unlimited
			}
			if c.s.data == 0 {
				c.s.data = unlimited
			}
			if got := c.s.available(); got.bytes != c.available || got.known() && got.by != c.by {
				t.Errorf("%s leaves %d, want %s and %d", got.by, got.bytes, c.by, c.available)
			}
			if got := c.s.total(); got.bytes != c.total {
				t.Errorf("total %d, want %d", got.bytes, c.total)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	l := limit{bytes: 3 << 29, by: byAddresses}
	if err := l.check(3 << 29); err != nil {
		t.Errorf("all that is left: %v", err)
	}
	err := l.check(4 << 30)
	if !errors.Is(err, engine.ErrOutOfMemory) || err.Error() != "4.0 GiB are needed, ulimit -v leaves 1.5 GiB: out of memory" {
		t.Errorf("error %v", err)
	}
	if err := Check(1 << 62); !errors.Is(err, engine.ErrOutOfMemory) {
		t.Errorf("2^62 bytes: %v", err)
	}
	for _, size := range [][2]int{{0, 1 << 62}, {-1, 1}, {1, 1}, {1000, 1000}} {
		if err := CheckFloats(size[0], size[1]); err != nil {
			t.Errorf("%v floats: %v", size, err)
		}
	}
	if err := CheckFloats(1<<62, 1<<62); !errors.Is(err, engine.ErrOutOfMemory) {
		t.Errorf("a product that overflows: %v", err)
	}
	for bytes, want := range map[uint64]string{0: "0 bytes", 1023: "1023 bytes", 1536: "1.5 KiB", 5 << 20: "5.0 MiB", 3 << 40: "3072.0 GiB"} {
		if got := Text(bytes); got != want {
			t.Errorf("%d bytes are %q, want %q", bytes, got, want)
		}
	}
}
