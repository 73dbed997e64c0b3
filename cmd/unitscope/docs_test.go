package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// document is a page of the documentation, with the text of its fenced blocks by their language.
type document struct {
	name, text string
	blocks     []codeBlock
}

type codeBlock struct {
	language, text string
	line           int
}

var fence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

func readDocument(t *testing.T, path string) document {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := document{name: filepath.Base(path), text: string(text)}
	for _, m := range fence.FindAllSubmatchIndex(text, -1) {
		d.blocks = append(d.blocks, codeBlock{
			string(text[m[2]:m[3]]), string(text[m[4]:m[5]]), 2 + bytes.Count(text[:m[0]], []byte("\n")),
		})
	}
	return d
}

func documents(t *testing.T) (all []document) {
	t.Helper()
	paths, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d pages, error %v", len(paths), err)
	}
	for _, path := range append(paths, "../../README.md") {
		all = append(all, readDocument(t, path))
	}
	return append(all, guides(t)...)
}

// Every call of the program in the documentation is one that it understands.
func TestDocumentedCommands(t *testing.T) {
	inline := regexp.MustCompile("`((?:\\./)?unitscope [^`]*)`")
	calls := 0
	for _, d := range documents(t) {
		var lines []string
		for _, b := range d.blocks {
			if b.language != "python" {
				lines = append(lines, strings.Split(strings.ReplaceAll(b.text, "\\\n", " "), "\n")...)
			}
		}
		prose := fence.ReplaceAllString(d.text, "")
		for _, m := range inline.FindAllStringSubmatch(prose, -1) {
			lines = append(lines, m[1])
		}
		for _, line := range strings.Split(prose, "\n") {
			if strings.HasPrefix(line, "    unitscope ") {
				lines = append(lines, line)
			}
		}
		for _, line := range lines {
			if _, ok := callOf(line); ok {
				calls++
				checkCommand(t, d.name, line)
			}
		}
	}
	if calls < 50 {
		t.Errorf("only %d calls were found", calls)
	}
}

// Every flag that the text names, outside of what is checked above, is one of some
// command.
func TestDocumentedFlags(t *testing.T) {
	known := map[string]bool{"--gres": true} // of sbatch
	everyLeaf(newApp(io.Discard, io.Discard).Commands, "unitscope", func(_ string, c *cli.Command) {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				known["--"+name] = true
			}
		}
	})
	flag := regexp.MustCompile("(?:^|[\\s(`\"'*/])(--[a-z][a-z0-9-]*)")
	found := 0
	for _, d := range documents(t) {
		for _, line := range strings.Split(fence.ReplaceAllString(d.text, ""), "\n") {
			for _, m := range flag.FindAllStringSubmatch(line, -1) {
				found++
				if !known[m[1]] {
					t.Errorf("%s: no command has %s: %s", d.name, m[1], line)
				}
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d flags were found", found)
	}
}

// The test above notices mistakes.
func TestCheckCommand(t *testing.T) {
	for _, line := range []string{
		"unitscope vizualise ascent --model m --out x", "unitscope visualize ascent --model m --out x --speed 3",
		"unitscope visualize ascent --out x", "./unitscope train dbn --data digits", "unitscope demo extra",
		"cd x && unitscope train rbm --out x", "go run ./cmd/unitscope demo --slow",
	} {
		var p probe
		checkCommandOn(&p, "line", line)
		if p.failures == 0 {
			t.Errorf("%q passes", line)
		}
	}
}

// probe counts what it is told.
type probe struct{ failures int }

func (p *probe) Helper()               {}
func (p *probe) Errorf(string, ...any) { p.failures++ }

// Links between the pages, and to pictures, lead somewhere.
func TestDocumentedFiles(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)
	for _, d := range documents(t) {
		folder := "../../docs"
		if slices.Contains([]string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"}, d.name) {
			folder = "../.."
		}
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(d.text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(folder, m[1])); errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %s leads nowhere", d.name, m[1])
			}
		}
	}
}

// requirePython skips a test where Python lacks modules, or fails it where
// UNITSCOPE_REQUIRE asks for them by that name.
func requirePython(t *testing.T, asked string, modules ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "python3", "-c", "import "+strings.Join(modules, ", ")).CombinedOutput()
	if err == nil {
		return
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	missing := fmt.Sprintf("python3 with %s is not here: %v %s", strings.Join(modules, ", "), err, lines[len(lines)-1])
	if slices.Contains(strings.Split(os.Getenv("UNITSCOPE_REQUIRE"), ","), asked) {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// The commands of formats.md write what their kinds of run have, and its snippets work
// on that.
func TestFormats(t *testing.T) {
	d := readDocument(t, "../../docs/formats.md")
	t.Chdir(t.TempDir())
	for _, line := range strings.Split(strings.TrimSpace(d.blocks[0].text), "\n") {
		var messages bytes.Buffer
		if code := run(t.Context(), append(strings.Fields(line), "--quiet"), &messages, &messages); code != 0 {
			t.Fatalf("%s: exit code %d: %s", line, code, &messages)
		}
	}
	if n := checkSchema(t, "."); n < 12 {
		t.Errorf("only %d files with arrays or columns were found", n)
	}
	requirePython(t, "python", "numpy", "pandas", "safetensors")
	runPython(t, d, slices.DeleteFunc(d.blocks, func(b codeBlock) bool { return b.language != "python" })...)
}

// The snippets of recipes.md work one after the other, and make what the program
// takes. Those that need more than numpy and its like run where that is.
func TestRecipes(t *testing.T) {
	requirePython(t, "python", "numpy", "pandas", "safetensors")
	d := readDocument(t, "../../docs/recipes.md")
	t.Chdir(t.TempDir())
	ran := 0
	for _, b := range d.blocks {
		switch {
		case b.language != "python":
		case strings.Contains(b.text, "import torch"):
			t.Run("PyTorch", func(t *testing.T) {
				requirePython(t, "pytorch", "torch", "safetensors.torch")
				runPython(t, d, b)
				checkModel(t, "torch-model.safetensors")
			})
		default:
			if strings.Contains(b.text, "units/run.json") {
				checkModel(t, "model.safetensors")
			}
			runPython(t, d, b)
			ran++
		}
	}
	if ran < 4 {
		t.Errorf("only %d snippets were found", ran)
	}
	var messages bytes.Buffer
	train := []string{"unitscope", "train", "sdae", "--data", "npz:mine.npz,x=images,y=labels", "--layers", "8", "--epochs", "1", "--quiet", "--out", "mine"}
	if code := run(t.Context(), train, &messages, &messages); code != 0 {
		t.Errorf("exit code %d: %s", code, &messages)
	}
}

// checkModel climbs units of a model that a snippet has written.
func checkModel(t *testing.T, file string) {
	t.Helper()
	var messages bytes.Buffer
	call := []string{"unitscope", "visualize", "ascent", "--model", file, "--layer", "2", "--data", "npy:mine.npy", "--units", "0-3", "--steps", "20", "--quiet", "--force", "--out", "units"}
	if code := run(t.Context(), call, &messages, &messages); code != 0 {
		t.Fatalf("%s: exit code %d: %s", file, code, &messages)
	}
}

// runPython runs blocks one after the other, each for itself, but in one interpreter:
// importing pandas takes longer than all of them.
func runPython(t *testing.T, d document, blocks ...codeBlock) {
	t.Helper()
	type snippet struct {
		Name, Text string
	}
	var all []snippet
	for _, b := range blocks {
		all = append(all, snippet{fmt.Sprintf("%s, line %d", d.name, b.line), b.text})
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "python3", "-c", "import json, sys\nfor b in json.load(sys.stdin):\n    exec(compile(b['Text'], b['Name'], 'exec'), {'__name__': '__main__'})")
	command.Stdin = bytes.NewReader(text)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
