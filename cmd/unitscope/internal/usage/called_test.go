package usage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// What `go run` has made is gone when its name is read.
func TestProgramWords(t *testing.T) {
	module := t.TempDir()
	if err := os.MkdirAll(filepath.Join(module, "cmd", "unitscope"), 0o700); err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	for _, c := range []struct{ folder, called, want string }{
		{elsewhere, "unitscope", "unitscope"},
		{elsewhere, "./unitscope", "./unitscope"},
		{module, "./unitscope", "./unitscope"},
		{module, "/home/me/go-builders/unitscope", "/home/me/go-builders/unitscope"},
		{module, "/tmp/go-build3774550810/b001/exe/unitscope", "go run ./cmd/unitscope"},
		{module, "/root/.cache/go-build/3f/3fa1-d/unitscope", "go run ./cmd/unitscope"},
		{elsewhere, "/tmp/go-build3774550810/b001/exe/unitscope", "unitscope"},
	} {
		t.Chdir(c.folder)
		app := &cli.App{}
		Called(app, []string{c.called, "demo"}, false)
		got := strings.Join(ProgramWords(cli.NewContext(app, nil, nil)), " ")
		// A test is built into a program of another name, and may be one of go run.
		if got != c.want && !(c.want == "unitscope" && strings.HasPrefix(got, "go run github.com/unitscope/unitscope")) {
			t.Errorf("%s in %s: %q, want %q", c.called, c.folder, got, c.want)
		}
	}
}
