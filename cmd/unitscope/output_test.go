package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/help"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
)

// full is standard output on a disk without room.
type full struct{ asked bool }

var errFull = errors.New("no space left on device")

func (f *full) Write([]byte) (int, error) {
	f.asked = true
	return 0, errFull
}

// TestOutputFails calls every command that prints results where they can't be
// written: each ends with one line that says so and exit code 1, and what it wrote
// to files is complete.
func TestOutputFails(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	var said bytes.Buffer
	call := func(words ...string) int {
		said.Reset()
		return run(t.Context(), append([]string{"unitscope"}, words...), &bytes.Buffer{}, &said)
	}
	for _, words := range [][]string{
		{"train", "dbn", "--data", "digits:n=60", "--layers", "6,4", "--epochs", "1", "--out", in("dbn")},
		{"train", "sdae", "--data", "digits:n=60", "--layers", "6,4", "--epochs", "1", "--out", in("sdae")},
		{"visualize", "ascent", "--model", in("dbn"), "--layer", "2", "--steps", "3", "--keep", "all", "--out", in("climbed")},
	} {
		if code := call(words...); code != 0 {
			t.Fatal(said.String())
		}
	}
	// Commands whose results are files, and what the others are called with.
	silent := []string{"train dbn", "train sdae", "visualize ascent", "visualize sample", "visualize combine", "visualize examples", "figure 1", "figure 2", "figure 3", "figure 4"}
	printing := map[string][]string{
		"version":             {},
		"devices":             {},
		"data":                {},
		"model":               {},
		"manual":              {},
		"completion bash":     {},
		"completion zsh":      {},
		"completion fish":     {},
		"report":              {"--out", in("report"), in("dbn")},
		"finetune":            {"--model", in("dbn"), "--data", "digits:n=60", "--test", "digits:n=60,split=test", "--epochs", "1", "--out", in("finetune")},
		"search":              {"--kind", "sdae", "--data", "digits:n=100", "--trials", "1", "--layers", "1:1", "--units", "5:9", "--epochs", "1:1", "--finetune-epochs", "1", "--out", in("search")},
		"look":                {in("dbn"), "--data", "digits:n=60", "--layer", "2", "--units", "0-2", "--restarts", "1", "--steps", "3", "--out", in("look")},
		"analyze compare":     {"--model", in("dbn"), "--ascent", in("climbed"), "--data", "digits:n=60", "--out", in("compare")},
		"analyze restarts":    {"--ascent", in("climbed"), "--out", in("restarts")},
		"analyze selectivity": {"--model", in("dbn"), "--ascent", in("climbed"), "--out", in("selectivity")},
		"analyze tuning":      {"--model", in("dbn"), "--data", "digits:n=60", "--out", in("tuning")},
		"analyze connections": {"--model", in("dbn"), "--layer", "2", "--out", in("connections")},
		"analyze likelihood":  {"--model", in("dbn"), "--data", "digits:n=60", "--out", in("likelihood")},
	}
	// These take their time; they print as the others do.
	slow := []string{"demo", "paper", "bench", "figure selectivity"}
	for _, c := range help.Leaves(program().Commands) {
		name := strings.TrimPrefix(c.Name, "unitscope ")
		_, prints := printing[name]
		if !prints && !slices.Contains(silent, name) && !slices.Contains(slow, name) {
			t.Errorf("%s: does it print results? then call it here", name)
		}
		checkFull(t, name+" --help", append(strings.Fields(name), "--help"), "")
		if slices.Contains(slow, name) || !prints {
			continue
		}
		out := ""
		if at := slices.Index(printing[name], "--out"); at >= 0 {
			out = printing[name][at+1]
		}
		checkFull(t, name, append(strings.Fields(name), printing[name]...), out)
	}
	checkFull(t, "nothing", nil, "")
	checkFull(t, "help", []string{"help"}, "")
	checkFull(t, "help train dbn", []string{"help", "train", "dbn"}, "")
	checkFull(t, "--version", []string{"--version"}, "")
	checkFull(t, "--help", []string{"--help"}, "")
	checkFull(t, "figure selectivity", []string{"figure", "selectivity", "--dbn", in("dbn"), "--sdae", in("sdae"), "--layer", "2", "--steps", "3", "--out", in("figure")}, in("figure"))
}

// checkFull calls the program where standard output has no room.
func checkFull(t *testing.T, name string, words []string, out string) {
	t.Run(name, func(t *testing.T) {
		disk, said := &full{}, bytes.Buffer{}
		code := run(t.Context(), append([]string{"unitscope"}, words...), disk, &said)
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		if last := lines[len(lines)-1]; !disk.asked || code != usage.ExitFailure || last != "unitscope: results could not be written to standard output: no space left on device" {
			t.Errorf("written %v, exit code %d: %s", disk.asked, code, &said)
		}
		if strings.Count(said.String(), errFull.Error()) != 1 {
			t.Errorf("said more than once: %s", &said)
		}
		if out == "" {
			return
		}
		record, err := os.ReadFile(filepath.Join(out, "run.json"))
		if err != nil || !bytes.Contains(record, []byte(`"status": "complete"`)) {
			t.Errorf("the files in %s are not complete: %v", out, err)
		}
	})
}

// A real full disk, and a real pipe that nobody reads.
func TestOutputFile(t *testing.T) {
	path, err := exec.LookPath("unitscope")
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	defer write.Close()
	outputs := map[string]*os.File{}
	if runtime.GOOS == "linux" {
		disk, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer disk.Close()
		outputs[errFull.Error()] = disk
	}
	// Whoever has closed a pipe has seen enough, and is told nothing.
	if runtime.GOOS != "windows" {
		for _, words := range [][]string{{"help", "train", "dbn"}, {"manual"}, {"data"}, {"version"}, {"model", "--help"}} {
			command := exec.CommandContext(t.Context(), path, words...)
			var said bytes.Buffer
			command.Stdout, command.Stderr = write, &said
			var failed *exec.ExitError
			if err := command.Run(); !errors.As(err, &failed) || failed.ExitCode() != usage.ExitUnread || said.Len() > 0 {
				t.Errorf("%v, nobody reads: %v, %q", words, err, &said)
			}
		}
	}
	for say, output := range outputs {
		command := exec.CommandContext(t.Context(), path, "help", "train", "dbn")
		var said bytes.Buffer
		command.Stdout, command.Stderr = output, &said
		var failed *exec.ExitError
		if err := command.Run(); !errors.As(err, &failed) || failed.ExitCode() != usage.ExitFailure || strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), say) {
			t.Errorf("%v: %q, want %q", err, &said, say)
		}
	}
}
