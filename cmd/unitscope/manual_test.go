package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/help"
)

func manual(t *testing.T) string {
	t.Helper()
	var out, errors bytes.Buffer
	if code := run(t.Context(), []string{"unitscope", "manual"}, &out, &errors); code != 0 || errors.Len() > 0 {
		t.Fatalf("exit code %d: %s", code, &errors)
	}
	return out.String()
}

// inManual is text of a command line as the manual's source has it.
func inManual(text string) string { return strings.ReplaceAll(text, "-", `\-`) }

// The manual has every command and every flag, and nothing in it is taken for a
// request by mistake.
func TestManual(t *testing.T) {
	text := manual(t)
	for _, c := range help.Leaves(program().Commands) {
		_, part, found := strings.Cut(text, "\n.SS \""+inManual(c.Name)+"\"\n")
		if !found {
			t.Fatalf("no %s", c.Name)
		}
		part, _, _ = strings.Cut(part, "\n.SS ")
		for _, o := range c.Options {
			if !strings.Contains(part, ".B \""+inManual(o.Spelling())+"\"\n") {
				t.Errorf("%s: no %s", c.Name, o.Spelling())
			}
		}
	}
	known := map[string]bool{".TH": true, ".SH": true, ".SS": true, ".PP": true, ".B": true, ".TP": true, ".nf": true, ".fi": true, ".RS": true, ".RE": true}
	for _, line := range strings.Split(text, "\n") {
		name, _, _ := strings.Cut(line, " ")
		if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !known[name] {
			t.Errorf("%q is a request", line)
		}
	}
}

// What reads manual pages has nothing to say against ours.
func TestManualIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "unitscope.1")
	if err := os.WriteFile(path, []byte(manual(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	readers := 0
	for _, reader := range [][]string{{"groff", "-man", "-ww", "-z", path}, {"mandoc", "-T", "lint", path}} {
		if _, err := exec.LookPath(reader[0]); err != nil {
			t.Logf("skipped: no %s here", reader[0])
			continue
		}
		readers++
		// The exit status of mandoc counts warnings.
		out, _ := exec.CommandContext(t.Context(), reader[0], reader[1:]...).CombinedOutput()
		for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
			// A program that was not built from a commit does not know its date.
			if line != "" && !strings.Contains(line, "missing date") {
				t.Errorf("%s: %s", reader[0], line)
			}
		}
	}
	if readers == 0 {
		t.Skip("skipped: neither groff nor mandoc is here")
	}
}
