package job

import (
	"fmt"
	"os"
	"path/filepath"
)

// BesideFolder is a name for what goes on from a folder, one that nothing has yet.
func BesideFolder(folder, what string) string {
	name := filepath.Clean(folder) + "-" + what
	return UnusedName(name)
}

// UnusedName is a name, or if something has it the first of NAME-2, NAME-3 and so on
// that nothing has.
func UnusedName(name string) string {
	unused := name
	for i := 2; ; i++ {
		if _, err := os.Lstat(unused); err != nil {
			return unused
		}
		unused = fmt.Sprintf("%s-%d", name, i)
	}
}
