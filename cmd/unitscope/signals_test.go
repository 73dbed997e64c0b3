//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
)

// longTraining is training whose first epoch is most of it, so that what an
// interruption leaves is no checkpoint of an epoch's end.
func longTraining(out string, more ...string) []string {
	return append([]string{"train", "dbn", "--data", "digits:n=20000", "--layers", "200", "--epochs", "2", "--batch", "10", "--out", out}, more...)
}

// underWay is a bar that shows that examples have been learned from.
var underWay = regexp.MustCompile(`layer 1 of 1[^\r]*\([1-9][0-9.k]*/`)

// startOnTerminal starts the program on a terminal and waits until it is under way.
// rest takes what arrives after that, until the terminal's end.
func startOnTerminal(t *testing.T, command *exec.Cmd) (terminal *os.File, rest func() string) {
	t.Helper()
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TERM=xterm"}
	terminal, err := pty.StartWithSize(command, &pty.Winsize{Rows: 24, Cols: 120})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	var seen bytes.Buffer
	piece := make([]byte, 1<<12)
	for !underWay.Match(seen.Bytes()) {
		n, err := terminal.Read(piece)
		seen.Write(piece[:n])
		if err != nil {
			t.Fatalf("%v, after %v\n%s", command.Wait(), err, &seen)
		}
	}
	return terminal, func() string {
		// Linux ends a terminal with EIO.
		_, _ = io.Copy(&seen, terminal)
		return seen.String()
	}
}

// Ctrl-C, SIGTERM, a hang-up and a terminal that is closed save a checkpoint in the
// middle of the first epoch, and the resumed run writes the model of one that was
// never interrupted.
func TestInterrupt(t *testing.T) {
	path, err := exec.LookPath("unitscope")
	if err != nil {
		t.Fatal(err)
	}
	// Tests that nohup has begun ignore hang-ups, and so would the programs that they
	// begin. A signal that is caught here is theirs again.
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP)
	defer signal.Stop(hangUps)
	folder := t.TempDir()
	model := func(out string) []byte {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(folder, out, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if out, err := exec.CommandContext(t.Context(), path, longTraining(filepath.Join(folder, "whole"))...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, end := range map[string]func(terminal *os.File, p *os.Process) error{
		"interrupt": func(_ *os.File, p *os.Process) error { return p.Signal(os.Interrupt) },
		"Ctrl-C":    func(terminal *os.File, _ *os.Process) error { _, err := terminal.Write([]byte{3}); return err },
		"terminate": func(_ *os.File, p *os.Process) error { return p.Signal(syscall.SIGTERM) },
		"hang-ups": func(_ *os.File, p *os.Process) error {
			return errors.Join(p.Signal(syscall.SIGHUP), p.Signal(syscall.SIGHUP))
		},
		"closed": func(terminal *os.File, _ *os.Process) error { return terminal.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "closed" {
				t.Skip("-short: one way to end does")
			}
			// On a busy machine the first epoch may be over before a signal arrives.
			const attempts = 5
			for attempt := range attempts {
				out := fmt.Sprint(name, attempt)
				if interruptOnce(t, path, filepath.Join(folder, out), name != "closed", end) {
					if !bytes.Equal(model(out), model("whole")) {
						t.Error("the resumed run wrote another model")
					}
					return
				}
			}
			t.Errorf("%d runs were beyond their first epoch", attempts)
		})
	}
}

// interruptOnce ends a training in one way, and resumes it. inTime is false if its
// first epoch was over by then. listens says whether it has anybody to talk to.
func interruptOnce(t *testing.T, path, out string, listens bool, end func(*os.File, *os.Process) error) (inTime bool) {
	t.Helper()
	command := exec.CommandContext(t.Context(), path, longTraining(out)...)
	terminal, rest := startOnTerminal(t, command)
	if err := end(terminal, command.Process); err != nil {
		t.Fatal(err)
	}
	seen := rest()
	err := command.Wait()
	if err == nil {
		return false
	}
	var failed *exec.ExitError
	if !errors.As(err, &failed) || failed.ExitCode() != usage.ExitFailure {
		t.Fatalf("%v\n%s", err, seen)
	}
	if listens && !strings.Contains(seen, "interrupted; go on with the same command and --resume") {
		t.Errorf("it said %s", seen)
	}
	if _, err := os.Stat(filepath.Join(out, "checkpoint.safetensors")); err != nil {
		t.Fatal(err)
	}
	resumed, err := exec.CommandContext(t.Context(), path, longTraining(out, "--resume")...).CombinedOutput()
	if err != nil || !bytes.Contains(resumed, []byte("resuming layer 1 after ")) {
		t.Fatalf("%v\n%s", err, resumed)
	}
	return !bytes.Contains(resumed, []byte("resuming layer 1 after 2000 updates"))
}

// What was begun by nohup, which ignores hang-ups, goes on after one.
func TestNoHangUp(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	command := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `trap "" HUP; exec unitscope "$@"`, "sh"}, longTraining(out)...)...)
	_, rest := startOnTerminal(t, command)
	if err := command.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	seen := rest()
	if err := command.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, seen)
	}
	if _, err := os.Stat(filepath.Join(out, "model.safetensors")); err != nil {
		t.Error(err)
	}
}

// A pipe for messages that nobody reads any more does not end the work.
func TestNobodyListens(t *testing.T) {
	path, err := exec.LookPath("unitscope")
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Close(); err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	out := filepath.Join(t.TempDir(), "run")
	command := exec.CommandContext(t.Context(), path, "train", "dbn", "--data", "digits:n=100", "--layers", "4", "--epochs", "1", "--out", out)
	command.Stderr = write
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(out, "model.safetensors")); err != nil {
		t.Error(err)
	}
}
