//go:build linux

package memory

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// group is a limit of a control group; sizes in bytes.
type group struct {
	limit uint64
	used  uint64 // without files that the system keeps in memory while nothing else needs it
}

// groups are the limits of the control groups that the process is in and of all
// above them: the tightest is what counts.
func (s situation) groups() (all []group) {
	for _, m := range s.mounts() {
		for _, folder := range m.upwards(s.member(m.second)) {
			all = append(all, s.group(folder, m.second)...)
		}
	}
	return all
}

// mount is where a hierarchy of control groups is seen.
type mount struct {
	root   string // the group that is seen at point
	point  string // a folder, as package fs wants it
	second bool   // of version 2
}

// mounts finds the hierarchies with memory limits in proc/self/mountinfo, whose
// lines are
//
//	35 31 0:32 ROOT POINT rw,relatime shared:1 - TYPE SOURCE OPTIONS
func (s situation) mounts() (found []mount) {
	text, err := fs.ReadFile(s.files, "proc/self/mountinfo")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		before, after, _ := strings.Cut(line, " - ")
		where, what := strings.Fields(before), strings.Fields(after)
		if len(where) < 5 || len(what) < 3 {
			continue
		}
		m := mount{root: unescaped.Replace(where[3]), point: strings.TrimPrefix(unescaped.Replace(where[4]), "/"), second: what[0] == "cgroup2"}
		if m.second || what[0] == "cgroup" && strings.Contains(","+what[2]+",", ",memory,") {
			found = append(found, m)
		}
	}
	return found
}

// unescaped undoes the escapes of mountinfo.
var unescaped = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// member is the group that the process is in, of proc/self/cgroup, whose lines are
// "0::/GROUP" for version 2 and "4:cpu,memory:/GROUP" for version 1.
func (s situation) member(second bool) string {
	text, err := fs.ReadFile(s.files, "proc/self/cgroup")
	if err != nil {
		return "/"
	}
	for line := range strings.Lines(string(text)) {
		_, after, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, name, _ := strings.Cut(after, ":")
		if second && controllers == "" || !second && strings.Contains(","+controllers+",", ",memory,") {
			return name
		}
	}
	return "/"
}

// upwards lists the folders of a group and of all above it as far as they are
// seen. A group that is not below the mount's root is that of another namespace:
// of it, the mount's top is all that is seen.
func (m mount) upwards(name string) (folders []string) {
	below, inside := strings.CutPrefix(path.Clean("/"+name)+"/", strings.TrimSuffix(m.root, "/")+"/")
	if !inside || strings.HasPrefix(m.root, "/..") {
		below = ""
	}
	for below = path.Clean("/" + below); ; below = path.Dir(below) {
		folders = append(folders, path.Join(m.point, below))
		if below == "/" {
			return folders
		}
	}
}

// group reads one group's limits; none where it has none.
func (s situation) group(folder string, second bool) (all []group) {
	limits, usage, below := []string{"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_"
	if second {
		limits, usage, below = []string{"memory.max", "memory.high"}, "memory.current", ""
	}
	used, ok := s.number(path.Join(folder, usage))
	if !ok {
		return nil
	}
	stat := s.table(path.Join(folder, "memory.stat"))
	used = minus(used, stat[below+"inactive_file"]+stat[below+"active_file"])
	for _, name := range limits {
		// Version 1 says "none" by the largest number of pages.
		if limit, ok := s.number(path.Join(folder, name)); ok && limit < none {
			all = append(all, group{limit, used})
		}
	}
	return all
}

// none is larger than the memory of any machine.
const none = 1 << 60

// number reads a file that holds one number, or nothing where it says "max".
func (s situation) number(name string) (uint64, bool) {
	text, err := fs.ReadFile(s.files, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}
