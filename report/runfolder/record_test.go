package runfolder

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"format":"unitscope-run/1","status":"complete","started":"2009-06-09T12:00:00Z"}`))
	f.Add([]byte(`{"format":"unitscope-run/2"}`))
	f.Add([]byte(`{"format":"unitscope-run/1","status":"lost"}`))
	f.Add([]byte(`[]`))
	f.Add([]byte(`{"outputs":[{"bytes":1e400}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := parseRecord(raw)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		if r.Format != Format || r.Status != Running && r.Status != Complete {
			t.Errorf("accepted: %+v", r)
		}
	})
}

func TestVerify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	f, err := Create(path, Fresh, newRecord(t, "task"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if err := f.Write(name, text("abc")); err != nil {
			t.Fatal(err)
		}
	}
	if err := Verify(path); err == nil || !strings.Contains(err.Error(), "not complete") {
		t.Errorf("a run that goes on: %v", err)
	}
	if err := f.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(Verify(path), Verify(path, "b")); err != nil {
		t.Error(err)
	}
	if err := Verify(path, "c"); err == nil || !strings.Contains(err.Error(), "did not write c") {
		t.Errorf("a file that the run did not write: %v", err)
	}
	for _, c := range []struct{ content, want string }{{"abd", "has changed"}, {"abcd", "by its size"}} {
		if err := os.WriteFile(filepath.Join(path, "a"), []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Verify(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q in place of abc: %v", c.content, err)
		}
		if err := Verify(path, "b"); err != nil {
			t.Error(err)
		}
	}
}
