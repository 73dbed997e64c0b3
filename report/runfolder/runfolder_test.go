package runfolder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/schema"
)

func newRecord(t testing.TB, task string, inputs ...string) Record {
	t.Helper()
	r, err := NewRecord(task, []string{"unitscope"}, map[string]string{"seed": "1"}, 1, engine.Info{Name: "cpu"}, inputs)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func names(t testing.TB, path string) string {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestRun(t *testing.T) {
	input := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(input, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a", "run")
	f, err := Create(path, Fresh, newRecord(t, "task", input))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ReadRecord(path)
	if err != nil || r.Status != Running {
		t.Fatalf("record of a run that goes on: status %q, error %v", r.Status, err)
	}
	if err := Require(path); err == nil || !strings.Contains(err.Error(), "not complete") {
		t.Errorf("Require of a run that goes on: %v", err)
	}
	for _, content := range []string{"first", "abc"} {
		if err := f.Write("result.csv", text(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.WriteTemporary(schema.Checkpoint, text("state")); err != nil {
		t.Fatal(err)
	}
	if err := f.Finish(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); got != "result.csv run.json" {
		t.Errorf("the folder holds %q", got)
	}
	if r, err = ReadRecord(path); err != nil {
		t.Fatal(err)
	}
	// The SHA-256 of "abc", from FIPS 180-2, appendix B.1.
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	want := []FileDigest{{Name: "result.csv", Bytes: 3, SHA256: sum}}
	if r.Status != Complete || len(r.Outputs) != 1 || r.Outputs[0] != want[0] {
		t.Errorf("status %q, outputs %v, want %v", r.Status, r.Outputs, want)
	}
	if r.Seconds == nil || *r.Seconds < 0 || *r.Seconds > 60 || r.Finished.IsZero() {
		t.Errorf("seconds %v, finished %v", r.Seconds, r.Finished)
	}
	if len(r.Inputs) != 1 || r.Inputs[0] != (FileDigest{Name: input, Bytes: 3, SHA256: sum}) {
		t.Errorf("inputs %v", r.Inputs)
	}
	if err := Require(path); err != nil {
		t.Errorf("Require of a complete run: %v", err)
	}
}

// A run that took no time says so, and one that goes on does not say 0.
func TestSeconds(t *testing.T) {
	r := Record{}
	r.Start()
	for _, complete := range []bool{false, true} {
		if complete {
			r.began = time.Now()
			r.finish()
			*r.Seconds = 0
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Contains(text, []byte(`"seconds":0,`)); got != complete {
			t.Errorf("complete %v: %s", complete, text)
		}
	}
	r.began = time.Now().Add(-1500 * time.Millisecond)
	if r.finish(); *r.Seconds < 1.5 || *r.Seconds > 60 {
		t.Errorf("a second and a half: %g", *r.Seconds)
	}
}

func TestTakenFolders(t *testing.T) {
	run := func(t *testing.T, task string) string {
		path := filepath.Join(t.TempDir(), "run")
		f, err := Create(path, Fresh, newRecord(t, task))
		if err == nil {
			err = f.Write("old.csv", text("old"))
		}
		if err == nil {
			err = f.Finish()
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	foreign := func(t *testing.T) string {
		path := t.TempDir()
		if err := os.WriteFile(filepath.Join(path, "thesis.tex"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := func(t *testing.T) string { return filepath.Join(foreign(t), "thesis.tex") }
	for _, c := range []struct {
		name  string
		path  string
		start Start
		want  string // part of the error; "" for none
		left  string // in the folder afterwards
	}{
		{"another run", run(t, "task"), Fresh, "holds another run", "old.csv run.json"},
		{"another run, forced", run(t, "task"), Force, "", "run.json"},
		{"the same task, resumed", run(t, "task"), Resume, "", "old.csv run.json"},
		{"another task, resumed", run(t, "other"), Resume, `of "other"`, "old.csv run.json"},
		{"foreign files", foreign(t), Fresh, "not empty", "thesis.tex"},
		{"foreign files, resumed", foreign(t), Resume, "not empty", "thesis.tex"},
		{"foreign files, forced", foreign(t), Force, "", "run.json thesis.tex"},
		{"a file", file(t), Fresh, "it is a file", ""},
		{"a file, forced", file(t), Force, "it is a file", ""},
		{"nothing, resumed", filepath.Join(t.TempDir(), "new"), Resume, "", "run.json"},
		{"empty", t.TempDir(), Fresh, "", "run.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Create(c.path, c.start, newRecord(t, "task"))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if c.left != "" && names(t, c.path) != c.left {
				t.Errorf("the folder holds %q, want %q", names(t, c.path), c.left)
			}
		})
	}
}

func TestAbandon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	f, err := Create(path, Fresh, newRecord(t, "task"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Abandon(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	if f, err = Create(path, Fresh, newRecord(t, "task")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.WriteTemporary(schema.Checkpoint, text("state")), f.Abandon()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); got != "checkpoint.safetensors run.json" {
		t.Errorf("a folder with a checkpoint was abandoned: it holds %q", got)
	}
}

func TestWriteFailsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := WriteFile(path, text("good")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := WriteFile(path, func(w io.Writer) error {
		fmt.Fprint(w, "half")
		return broken
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names %s", err, path)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != "good" {
		t.Errorf("the file holds %q, error %v", got, err)
	}
	if left := names(t, filepath.Dir(path)); left != "file" {
		t.Errorf("left behind: %q", left)
	}
}

func TestDebris(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a[b]")
	f, err := Create(path, Fresh, newRecord(t, "task"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".model.safetensors.partial-123", "thesis.partial-4", ".notes.partial-draft"} {
		if err := os.WriteFile(f.Path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(f.Path(".folder.partial-5"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := f.Abandon(); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path, Resume, newRecord(t, "task")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); got != ".folder.partial-5 .notes.partial-draft run.json thesis.partial-4" {
		t.Errorf("the folder holds %q", got)
	}
}

func TestBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	f, err := Create(path, Fresh, newRecord(t, "task"))
	if err != nil {
		t.Fatal(err)
	}
	for _, start := range []Start{Fresh, Resume, Force} {
		if _, err := Create(path, start, newRecord(t, "task")); !errors.Is(err, ErrBusy) {
			t.Errorf("start %d: error %v, want %v", start, err, ErrBusy)
		}
	}
	if err := f.Finish(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); got != "run.json" {
		t.Errorf("the folder holds %q after the run", got)
	}
	f, err = Create(path, Resume, newRecord(t, "task"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Abandon(); err != nil {
		t.Fatal(err)
	}
	// What a killed run leaves behind keeps nobody out.
	if err := os.WriteFile(filepath.Join(path, lockName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path, Force, newRecord(t, "task")); err != nil {
		t.Error(err)
	}
}

// Force must not remove what the run itself reads.
func TestForceSparesInputs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	f, err := Create(path, Fresh, newRecord(t, "task"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Write(schema.Model, text("model")), f.Finish()); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(f.Path(schema.Model), link); err != nil {
		t.Skip("no symbolic links here")
	}
	for _, input := range []string{f.Path(schema.Model), link} {
		if _, err := Create(path, Force, newRecord(t, "task", input)); err == nil || !strings.Contains(err.Error(), "which this run reads") {
			t.Errorf("input %s: error %v", input, err)
		}
		if got := names(t, path); got != "model.safetensors run.json" {
			t.Errorf("the folder holds %q", got)
		}
	}
}

// A hostile record must not make Force delete anything outside its folder.
func TestForceStaysInside(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, "run")
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(parent, "precious")
	record := `{"format":"unitscope-run/1","status":"complete","outputs":[{"name":"../precious"},{"name":".."},{"name":"` + strings.ReplaceAll(outside, `\`, `\\`) + `"}]}`
	for name, content := range map[string]string{outside: "x", filepath.Join(path, schema.Record): record} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Create(path, Force, newRecord(t, "task")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}

func TestUnwritable(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs a folder that nobody may write to: /proc")
	}
	path := "/proc/unitscope/run"
	if _, err := Create(path, Fresh, newRecord(t, "task")); err == nil || !strings.Contains(err.Error(), "/proc/unitscope") {
		t.Errorf("error %v, want one that names the folder", err)
	}
}

func TestNames(t *testing.T) {
	f, err := Create(t.TempDir(), Fresh, newRecord(t, "task"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "/"} {
		if err := f.Write(name, text("x")); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
}
