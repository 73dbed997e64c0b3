package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/urfave/cli/v2"
)

// follow does what the last command has told to do next, as it stands there, as far
// as a prefix of a command says that this is meant: follow visualize ascent.
func follow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: follow command")
	}
	line := ""
	for _, text := range strings.Split(ts.ReadFile("stderr")+"\n"+ts.ReadFile("stdout"), "\n") {
		if after, ok := strings.CutPrefix(text, "next: "); ok {
			line = after
		} else if _, after, ok := strings.Cut(text, "; to train it fully: "); ok {
			line = after
		}
	}
	for command := range strings.SplitSeq(line, " && ") {
		words := shellWords(ts, command)
		if len(words) == 0 {
			ts.Fatalf("nothing is said to come next")
		}
		ts.Logf("next: %q", words)
		ts.Check(ts.Exec(words[0], words[1:]...))
	}
	if words := shellWords(ts, line); len(words) <= len(args) || !slices.Equal(words[1:1+len(args)], args) {
		ts.Fatalf("next is %s, want %s", line, strings.Join(args, " "))
	}
}

// shellWords takes a line apart that [quoted] has put together.
func shellWords(ts *testscript.TestScript, line string) (words []string) {
	word, inside, some := "", false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\'':
			inside, some = !inside, true
		case c == '\\' && !inside && i+1 < len(line):
			i++
			word, some = word+line[i:i+1], true
		case c == ' ' && !inside:
			if some {
				words = append(words, word)
			}
			word, some = "", false
		default:
			word, some = word+line[i:i+1], true
		}
	}
	if inside {
		ts.Fatalf("a quote is left open in %s", line)
	}
	if some {
		words = append(words, word)
	}
	return words
}

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
		app := &cli.App{Metadata: map[string]any{calledAs: []string{c.called, "demo"}}}
		got := strings.Join(programWords(cli.NewContext(app, nil, nil)), " ")
		// A test is built into a program of another name, and may be one of go run.
		if got != c.want && !(c.want == "unitscope" && strings.HasPrefix(got, "go run github.com/unitscope/unitscope")) {
			t.Errorf("%s in %s: %q, want %q", c.called, c.folder, got, c.want)
		}
	}
}

func TestUnusedName(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "run-modes")
	for _, want := range []string{name, name + "-2", name + "-3"} {
		if got := besideFolder(filepath.Join(folder, "run")+string(filepath.Separator), "modes"); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
		if err := os.Mkdir(want, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}
