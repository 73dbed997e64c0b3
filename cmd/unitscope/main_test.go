package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"unitscope": main})
}

// TestScripts runs testdata/script: commands as people type them, and what they
// must say, write and leave alone.
func TestScripts(t *testing.T) {
	mnist := mnistFolder(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("MNIST", mnist)
			return nil
		},
		Condition: func(name string) (bool, error) {
			return name == "mnist" && mnist != "" || name == "python" && hasPython(), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"limited":  limited,
			"truncate": truncate,
			"oneline":  oneline,
			"patch":    patch,
			"python":   python,
			"tensors":  tensors,
			"numbers":  numbers,
			"follow":   follow,
			"forget":   forget,
			"wait-for": waitFor,
		},
	})
}

// mnistFolder is where the real MNIST is, "" if it is not here.
func mnistFolder(t *testing.T) string {
	path := os.Getenv("UNITSCOPE_MNIST")
	if path == "" {
		path = filepath.Join("..", "..", "..", "shared", "data", "mnist")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		if strings.Contains(os.Getenv("UNITSCOPE_REQUIRE"), "mnist") {
			t.Fatalf("UNITSCOPE_REQUIRE asks for MNIST: %v", err)
		}
		t.Logf("scripts that need MNIST are skipped (set UNITSCOPE_MNIST to its folder): %v", err)
		return ""
	}
	return path
}

// limited ARGS... runs the program with some 700 MB of addresses beyond those that
// every Go program takes, as `ulimit -v` would.
func limited(ts *testscript.TestScript, neg bool, args []string) {
	kibibytes := 2300000 + (runtime.GOMAXPROCS(0)+8)*72<<10
	script := fmt.Sprintf(`ulimit -v %d && exec unitscope "$@"`, kibibytes)
	if err := ts.Exec("bash", append([]string{"-c", script, "limited"}, args...)...); (err != nil) != neg {
		ts.Fatalf("with ulimit -v %d: %v", kibibytes, err)
	}
}

// truncate FILE BYTES cuts a file.
func truncate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: truncate file bytes")
	}
	content := ts.ReadFile(args[0])
	n := int64(number(ts, args[1]))
	if n > int64(len(content)) {
		ts.Fatalf("%s holds %d bytes only", args[0], len(content))
	}
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// patch FILE OFFSET TEXT overwrites bytes of a file from an offset, counted from
// the end if it is negative.
func patch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: patch file offset text")
	}
	content := []byte(ts.ReadFile(args[0]))
	at := number(ts, args[1])
	if at < 0 {
		at += len(content)
	}
	text := strings.NewReplacer(`\xff`, "\xff", `\x7f`, "\x7f", `\x00`, "\x00", `\x02`, "\x02", `\x08`, "\x08").Replace(args[2])
	copy(content[at:], text)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o644))
}

// oneline checks that standard error of the last command was a single line that
// begins with "unitscope: ", the way every error is told.
func oneline(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile("stderr")
	if neg || len(args) != 0 {
		ts.Fatalf("usage: oneline")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "unitscope: ") {
		ts.Fatalf("the last line of standard error is %q", last)
	}
	for _, bad := range []string{"goroutine ", "panic:", ".go:"} {
		if strings.Contains(text, bad) {
			ts.Fatalf("standard error holds %q:\n%s", bad, text)
		}
	}
}

// wait-for FILE waits up to a minute until a file exists.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: wait-for file")
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
	}
	ts.Fatalf("%s did not appear", args[0])
}

// hasPython is true where Python has numpy and safetensors.
func hasPython() bool {
	return exec.Command("python3", "-c", "import numpy, safetensors").Run() == nil
}

// python runs a script where Python has numpy and safetensors.
func python(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: python script")
	}
	if !hasPython() {
		if strings.Contains(os.Getenv("UNITSCOPE_REQUIRE"), "python") {
			ts.Fatalf("UNITSCOPE_REQUIRE asks for Python with numpy and safetensors")
		}
		ts.Logf("skipped: no Python with numpy and safetensors here")
		return
	}
	ts.Check(ts.Exec("python3", ts.MkAbs(args[0])))
}

func number(ts *testscript.TestScript, text string) int {
	n := 0
	sign := 1
	for i, c := range text {
		if i == 0 && c == '-' {
			sign = -1
			continue
		}
		if c < '0' || c > '9' {
			ts.Fatalf("%q is not a number", text)
		}
		n = 10*n + int(c-'0')
	}
	return sign * n
}

// A run canceled before it begins leaves nothing behind.
func TestCancelledEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := filepath.Join(t.TempDir(), "run")
	var stderr bytes.Buffer
	args := []string{"unitscope", "visualize", "ascent", "--model", "none", "--out", out}
	if code := run(ctx, args, &stderr, &stderr); code == 0 {
		t.Error("exit code 0")
	}
	if _, err := os.Stat(out); err == nil {
		t.Errorf("%s was created", out)
	}
}
