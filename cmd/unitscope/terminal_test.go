//go:build unix

package main

import (
	"bytes"
	"errors"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/mattn/go-sixel"
	"github.com/rivo/uniseg"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console/consoletest"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
)

// small trains a small model and returns its folder.
func small(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "model")
	var messages bytes.Buffer
	if code := run(t.Context(), []string{"unitscope", "train", "dbn", "--data", "digits:n=100", "--layers", "4", "--epochs", "1", "--out", out}, &messages, &messages); code != 0 {
		t.Fatal(messages.String())
	}
	return out
}

// onTerminal runs the program on a terminal of 80x24 characters that answers the
// question what it is, and returns what arrives there. toPipe takes standard
// output away from it.
func onTerminal(t *testing.T, answer string, environment, arguments []string, toPipe io.Writer) string {
	t.Helper()
	return onTerminalOf(t, pty.Winsize{Rows: 24, Cols: 80}, answer, environment, arguments, toPipe)
}

// onTerminalOf does so on a terminal of another size.
func onTerminalOf(t *testing.T, size pty.Winsize, answer string, environment, arguments []string, toPipe io.Writer) string {
	t.Helper()
	path, err := exec.LookPath("unitscope")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), path, arguments...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, environment...)
	if toPipe != nil {
		command.Stdout = toPipe
	}
	terminal, err := pty.StartWithSize(command, &size)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var seen bytes.Buffer
	piece := make([]byte, 1<<16)
	for {
		n, err := terminal.Read(piece)
		seen.Write(piece[:n])
		if bytes.Contains(piece[:n], []byte("\x1b[c")) && answer != "" {
			if _, err := terminal.WriteString(answer); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil { // at the end; Linux says EIO
			break
		}
	}
	if err := command.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &seen)
	}
	return strings.ReplaceAll(seen.String(), "\r\n", "\n")
}

func TestPreview(t *testing.T) {
	model := small(t)
	picture := func(args ...string) []string {
		out := filepath.Join(t.TempDir(), "units")
		return append([]string{"visualize", "combine", "--model", model, "--out", out}, args...)
	}
	kitty := []string{"TERM=xterm-kitty", "KITTY_WINDOW_ID=1"}
	color := []string{"TERM=xterm-256color", "COLORTERM=truecolor"}

	t.Run("kitty", func(t *testing.T) {
		t.Parallel()
		if img := consoletest.ReadKitty(t, onTerminal(t, "", kitty, picture("--preview"), nil)); img.Bounds().Empty() {
			t.Error("an empty picture arrived")
		}
	})
	t.Run("sixel", func(t *testing.T) {
		t.Parallel()
		if got := onTerminal(t, "\x1b[?62;4;22c", color, picture("--preview"), nil); !strings.Contains(got, "\x1bP0;0;8q") || !strings.Contains(got, "\x1b\\") {
			t.Errorf("no sixels: %.200q", got)
		}
	})
	t.Run("small sixels", func(t *testing.T) {
		t.Parallel()
		got := onTerminal(t, "\x1b[?2;0;50;40S\x1b[?62;4;22c", color, picture("--preview"), nil)
		from, to := strings.Index(got, "\x1bP"), strings.LastIndex(got, "\x1b\\")
		if from < 0 || to < from {
			t.Fatalf("no sixels: %.200q", got)
		}
		var img image.Image
		if err := sixel.NewDecoder(strings.NewReader(got[from : to+2])).Decode(&img); err != nil {
			t.Fatal(err)
		}
		if size := img.Bounds().Size(); size.X > 50 || size.Y > 42 || size.X < 25 {
			t.Errorf("a picture of %v on a terminal that draws 50x40", size)
		}
	})
	t.Run("blocks", func(t *testing.T) {
		t.Parallel()
		got := onTerminal(t, "\x1b[?62;22c", color, picture("--preview", "--quiet"), nil)
		at := strings.Index(got, "\x1b[38;2;")
		if at < 0 {
			t.Fatalf("no blocks: %.200q", got)
		}
		if size := consoletest.ReadBlocks(t, got[at:]).Bounds().Size(); size.X > 80 || size.Y > 44 || size == (image.Point{}) {
			t.Errorf("a picture of %v on a terminal of 80x24", size)
		}
	})
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		began := time.Now()
		if got := onTerminal(t, "", color, picture("--preview"), nil); !strings.Contains(got, "\x1b[38;2;") {
			t.Errorf("no blocks: %.200q", got)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
	t.Run("chosen", func(t *testing.T) {
		t.Parallel()
		if got := onTerminal(t, "", append(kitty, "UNITSCOPE_PREVIEW=blocks"), picture("--preview"), nil); !strings.Contains(got, "▀") {
			t.Errorf("no blocks: %.200q", got)
		}
	})
	t.Run("not asked for", func(t *testing.T) {
		t.Parallel()
		if got := onTerminal(t, "", kitty, picture(), nil); strings.Contains(got, "\x1b_G") || strings.Contains(got, "▀") {
			t.Errorf("a picture arrived: %.200q", got)
		}
	})
}

// Pictures are for people: where an output is a pipe, there are none.
func TestPreviewToPipe(t *testing.T) {
	model := small(t)
	picture := func() []string {
		return []string{"visualize", "combine", "--model", model, "--out", filepath.Join(t.TempDir(), "units"), "--preview"}
	}
	t.Run("output to a pipe", func(t *testing.T) {
		t.Parallel()
		var pipe bytes.Buffer
		got := onTerminal(t, "", []string{"TERM=xterm-kitty", "KITTY_WINDOW_ID=1"}, picture(), &pipe)
		if strings.Contains(got+pipe.String(), "\x1b_G") || !strings.Contains(got, "--preview: no pictures here: the output is not a terminal") {
			t.Errorf("on the terminal %.300q, in the pipe %.200q", got, &pipe)
		}
	})
	t.Run("everything to a pipe", func(t *testing.T) {
		t.Parallel()
		var out, messages bytes.Buffer
		if code := run(t.Context(), append([]string{"unitscope"}, picture()...), &out, &messages); code != 0 || strings.Contains(out.String()+messages.String(), "\x1b") || !strings.Contains(messages.String(), "no pictures here") {
			t.Errorf("exit code %d: %q, %q", code, &out, &messages)
		}
	})
}

// On a terminal, what to do next is said; it is a command that works.
func TestNext(t *testing.T) {
	model := small(t)
	out := filepath.Join(t.TempDir(), "my units")
	got := onTerminal(t, "", []string{"TERM=dumb"}, []string{"visualize", "ascent", "--model", model, "--steps", "3", "--out", out}, nil)
	_, next, found := strings.Cut(got, "\nnext: ")
	if want := "unitscope analyze restarts --ascent '" + out + "' --out '" + out + "-modes'\n"; !found || next != want {
		t.Errorf("got %q, want %q", next, want)
	}
	if _, err := exec.CommandContext(t.Context(), "sh", "-c", next).Output(); err != nil {
		t.Errorf("%s: %v", next, err)
	}
	for _, silent := range [][]string{{"--quiet"}, {"--log", "json"}} {
		var messages bytes.Buffer
		call := append([]string{"unitscope", "visualize", "ascent", "--model", model, "--steps", "3", "--force", "--out", out}, silent...)
		if code := run(t.Context(), call, &messages, &messages); code != 0 || strings.Contains(messages.String(), "next:") {
			t.Errorf("%v: exit code %d: %s", silent, code, &messages)
		}
	}
}

// Ctrl-C while the terminal is asked what it is ends the program, though the
// terminal sends no signal then.
func TestPreviewInterrupted(t *testing.T) {
	path, err := exec.LookPath("unitscope")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "units")
	command := exec.CommandContext(t.Context(), path, "visualize", "combine", "--model", small(t), "--out", out, "--preview")
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TERM=xterm-256color"}
	terminal, err := pty.Start(command)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var seen bytes.Buffer
	piece := make([]byte, 1<<16)
	for err == nil {
		var n int
		n, err = terminal.Read(piece)
		seen.Write(piece[:n])
		if bytes.Contains(piece[:n], []byte("\x1b[c")) {
			if _, err := terminal.Write([]byte{3}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var failed *exec.ExitError
	if err := command.Wait(); !errors.As(err, &failed) || failed.ExitCode() != usage.ExitFailure || !strings.Contains(seen.String(), "unitscope: --preview: interrupted") {
		t.Errorf("error %v\n%q", err, &seen)
	}
	if _, err := os.Stat(out); err == nil {
		t.Errorf("%s was made", out)
	}
}

// A bar shows a rate and the time left as soon as there is something to go by.
func TestBarBegins(t *testing.T) {
	got := onTerminal(t, "", []string{"TERM=dumb"}, []string{"visualize", "ascent", "--model", small(t), "--steps", "400", "--restarts", "200", "--out", filepath.Join(t.TempDir(), "units")}, nil)
	if strings.Contains(got, "0s:0s") || strings.Contains(got, "/hr") || !strings.Contains(got, "(0/800)") {
		t.Errorf("the terminal shows %q", got)
	}
}

// drawnOver are the lines that were drawn over one another, without those that end in a
// newline.
func drawnOver(text string) (lines []string) {
	for line := range strings.SplitSeq(text, "\n") {
		parts := strings.Split(line, "\r")
		lines = append(lines, parts[:len(parts)-1]...)
	}
	return lines
}

// A bar never wraps, however narrow the terminal is or becomes.
func TestBarFits(t *testing.T) {
	long := strings.Repeat("very-long-name-", 8)
	model := small(t)
	for _, columns := range []uint16{120, 80, 40, 20, 1} {
		climb := []string{"visualize", "ascent", "--model", model, "--steps", "300", "--tol", "0", "--restarts", "100", "--out", filepath.Join(t.TempDir(), long)}
		got := onTerminalOf(t, pty.Winsize{Rows: 24, Cols: columns}, "", []string{"TERM=dumb"}, climb, nil)
		lines := drawnOver(got)
		if len(lines) < 2 {
			t.Fatalf("%d columns: no bar in %q", columns, got)
		}
		widest := 0
		for _, line := range lines {
			widest = max(widest, uniseg.StringWidth(line))
		}
		if widest >= int(columns) {
			t.Errorf("%d columns: a line of %d in %q", columns, widest, lines)
		}
	}
}

// A window that becomes narrow while a bar is drawn has all that is drawn from then on
// cut to its width.
func TestBarBecomesNarrow(t *testing.T) {
	path, err := exec.LookPath("unitscope")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), path, longTraining(filepath.Join(t.TempDir(), "run"))...)
	terminal, rest := startOnTerminal(t, command)
	const columns = 30
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	seen := strings.ReplaceAll(rest(), "\r\n", "\n")
	if err := command.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, seen)
	}
	// What the program drew before it could know has the width of before. The first
	// line that is cut ends that.
	lines := drawnOver(seen[underWay.FindStringIndex(seen)[1]:])
	cut := slices.IndexFunc(lines, func(line string) bool { return uniseg.StringWidth(line) == columns-1 })
	if cut < 0 {
		t.Fatalf("nothing was cut to the new width: %q", lines)
	}
	for _, line := range lines[cut:] {
		if width := uniseg.StringWidth(line); width >= columns {
			t.Errorf("%d columns: a line of %d, %q", columns, width, line)
		}
	}
}

// What to do next is called as this call was.
func TestNextAsCalled(t *testing.T) {
	var messages bytes.Buffer
	call := []string{"./unitscope", "train", "dbn", "--data", "digits:n=100", "--layers", "4", "--epochs", "20", "--out", filepath.Join(t.TempDir(), "model")}
	if code := run(t.Context(), call, &messages, &messages); code != 0 || !strings.Contains(messages.String(), "\nnext: ./unitscope visualize ascent ") {
		t.Errorf("exit code %d: %s", code, &messages)
	}
}

// The report that comes next has the model and its units, and not the last run
// alone.
func TestNextReport(t *testing.T) {
	model := small(t)
	ascent := filepath.Join(filepath.Dir(model), "units")
	modes := ascent + "-modes"
	var messages bytes.Buffer
	for _, call := range [][]string{
		{"visualize", "ascent", "--model", model, "--steps", "3", "--out", ascent},
		{"analyze", "restarts", "--ascent", ascent, "--out", modes},
	} {
		messages.Reset()
		if code := run(t.Context(), append([]string{"unitscope"}, call...), io.Discard, &messages); code != 0 {
			t.Fatal(messages.String())
		}
	}
	_, next, _ := strings.Cut(messages.String(), "\nnext: ")
	if want := strings.Join([]string{"unitscope report --out", modes + "-report", modes, ascent, model}, " "); next != want+"\n" {
		t.Fatalf("next is %q, want %q", next, want)
	}
	if code := run(t.Context(), strings.Fields(next), io.Discard, &messages); code != 0 {
		t.Fatal(messages.String())
	}
	page, err := os.ReadFile(filepath.Join(modes+"-report", "index.html"))
	if err != nil || !bytes.Contains(page, []byte(`href="#model/1"`)) || !bytes.Contains(page, []byte("Training of model")) {
		t.Errorf("the report has no layer or no curve of the model; error %v", err)
	}
}
