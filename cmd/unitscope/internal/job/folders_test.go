package job

import (
	"os"
	"path/filepath"
	"testing"
)

func TestUnusedName(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "run-modes")
	for _, want := range []string{name, name + "-2", name + "-3"} {
		if got := BesideFolder(filepath.Join(folder, "run")+string(filepath.Separator), "modes"); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
		if err := os.Mkdir(want, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}
