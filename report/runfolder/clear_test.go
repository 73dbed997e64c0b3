package runfolder

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/schema"
)

// planning is the record of a run that is going to write files, and in folders below.
func planning(t *testing.T, planned, folders string) Record {
	r := newRecord(t, "task")
	r.Planned, r.Folders = strings.Fields(planned), strings.Fields(folders)
	return r
}

// begin starts a run in a folder and writes files of it.
func begin(t *testing.T, path string, start Start, r Record, written ...string) *Folder {
	t.Helper()
	f, err := Create(path, start, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range written {
		if err := f.Write(name, text("by the run")); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// finished makes the folder of a complete run.
func finished(t *testing.T, path string, r Record, written ...string) {
	t.Helper()
	if err := begin(t, path, Fresh, r, written...).Finish(); err != nil {
		t.Fatal(err)
	}
}

// killed makes the folder of a run that was killed: as if the system took its lock.
func killed(t *testing.T, path string, r Record, written ...string) {
	t.Helper()
	if err := begin(t, path, Fresh, r, written...).unlock(); err != nil {
		t.Fatal(err)
	}
}

// put writes a file as a user would.
func put(t *testing.T, parts ...string) {
	t.Helper()
	path := filepath.Join(parts...)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte("by the user"), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// What Force removes is what a run made, and nothing else.
func TestForceRemoves(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(t *testing.T, path string)
		want   string // part of the error; "" for none
		left   string // in the folder afterwards
	}{
		{"files that no run made stay", func(t *testing.T, path string) {
			put(t, path, "other.npz")
			put(t, path, "log.csv")
		}, "", "log.csv other.npz run.json"},
		{"what would replace such a file is refused", func(t *testing.T, path string) {
			put(t, path, "new.npz")
		}, `new.npz in it is not as a run made it, and "task" would replace it`, "new.npz"},
		{"also where a pattern has it", func(t *testing.T, path string) {
			put(t, path, "layer7-new.csv")
		}, "layer7-new.csv in it", "layer7-new.csv"},
		{"and a folder by that name", func(t *testing.T, path string) {
			put(t, path, "new.npz", "x")
		}, "new.npz in it", "new.npz"},
		{"a complete run of another kind", func(t *testing.T, path string) {
			finished(t, path, planning(t, "old.npz", ""), "old.npz", "unplanned.csv")
			put(t, path, "notes")
		}, "", "notes run.json"},
		{"one of the same kind", func(t *testing.T, path string) {
			finished(t, path, planning(t, "new.npz", ""), "new.npz")
		}, "", "run.json"},
		{"a killed run of another kind", func(t *testing.T, path string) {
			killed(t, path, planning(t, "old.npz layer*-old.csv never.png", ""), "old.npz", "layer3-old.csv", "unplanned.csv")
			put(t, path, "notes")
		}, "", "notes run.json"},
		{"a file that was changed since is the user's", func(t *testing.T, path string) {
			finished(t, path, planning(t, "old.npz", ""), "old.npz")
			put(t, path, "old.npz")
		}, "", "old.npz run.json"},
		{"and is not replaced", func(t *testing.T, path string) {
			finished(t, path, planning(t, "new.npz", ""), "new.npz")
			put(t, path, "new.npz")
		}, "new.npz in it is not as a run made it", "new.npz run.json"},
		{"a record that nobody can read", func(t *testing.T, path string) {
			put(t, path, schema.Record)
		}, "not the record of a run", "run.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "run")
			c.before(t, path)
			f, err := Create(path, Force, planning(t, "new.npz layer*-new.csv", ""))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if got := names(t, path); got != c.left {
				t.Errorf("the folder holds %q, want %q", got, c.left)
			}
			if err == nil {
				if err := errors.Join(f.Write("new.npz", text("new")), f.Finish(), Verify(path)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Run folders below that belong to a run go with it; what no run made in them stays.
func TestForceRemovesFolders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	f := begin(t, path, Fresh, planning(t, "table.csv", "trial-1 trial-2 deep/er/trial trial-4 trial-5 link ../run"), "table.csv")
	for _, name := range []string{"trial-1", "deep/er/trial", "keeps"} {
		finished(t, f.below(name), planning(t, "result", ""), "result")
	}
	killed(t, f.below("trial-2"), planning(t, "result", ""), "result")
	put(t, f.below("trial-2"), "notes")
	put(t, f.below("trial-4"), "notes")
	put(t, f.below("trial-5"), ".run.json.partial-12")
	finished(t, filepath.Join(path, "..", "outside"), planning(t, "result", ""), "result")
	if err := os.Symlink(filepath.Join("..", "outside"), f.below("link")); err != nil {
		t.Log("no symbolic links here: ", err)
	} else {
		defer func() {
			if got := names(t, filepath.Join(path, "..", "outside")); got != "result run.json" {
				t.Errorf("outside of the folder only %q is left", got)
			}
		}()
	}
	if err := f.Finish(); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path, Force, planning(t, "table.csv", "trial-1 keeps")); err == nil || !strings.Contains(err.Error(), `keeps in it was not made by a run of "task" there`) {
		t.Errorf("a run that would write to a folder that no run before it made: error %v", err)
	}
	begin(t, path, Force, planning(t, "table.csv", "trial-1"))
	if got := strings.TrimPrefix(names(t, path), "keeps link "); got != "run.json trial-2 trial-4" {
		t.Errorf("the folder holds %q", got)
	}
	if got := names(t, f.below("trial-2")) + "," + names(t, f.below("trial-4")); got != "notes,notes" {
		t.Errorf("the folders that stay hold %q", got)
	}
}

// A clearing that is cut short anywhere is finished by the next run, whether that
// forces its way or resumes.
func TestClearingIsCutShort(t *testing.T) {
	for _, start := range []Start{Force, Resume} {
		path := filepath.Join(t.TempDir(), "run")
		finished(t, path, planning(t, "", ""), "a", "b")
		finished(t, filepath.Join(path, "sub"), planning(t, "", ""), "c")
		put(t, path, "notes")
		f := &Folder{path: path}
		cut := newRecord(t, "task")
		cut.Status, cut.Planned, cut.Folders = Clearing, []string{"a", "b"}, []string{"sub"}
		if err := errors.Join(f.writeRecord(cut), os.Remove(f.Path("a"))); err != nil {
			t.Fatal(err)
		}
		if err := Require(path); err == nil {
			t.Error("Require takes a folder that is being cleared for a complete one")
		}
		f = begin(t, path, start, planning(t, "a", ""), "a")
		if got := names(t, path); got != "a notes run.json" {
			t.Errorf("start %d: the folder holds %q", start, got)
		}
		if err := errors.Join(f.Finish(), Verify(path)); err != nil {
			t.Error(err)
		}
	}
}

// A complete folder holds what its record lists, whatever parts of the run wrote.
func TestFinishRemovesTheRest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	killed(t, path, planning(t, "log.csv part.npz", ""), "log.csv", "part.npz", "unplanned.csv")
	put(t, path, "notes")
	f := begin(t, path, Resume, planning(t, "log.csv", ""), "log.csv")
	if err := errors.Join(f.WriteTemporary(schema.Checkpoint, text("state")), f.Finish()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); got != "log.csv notes run.json" {
		t.Errorf("the folder holds %q", got)
	}
	r, err := ReadRecord(path)
	if err != nil || strings.Join(r.Temporary, " ") != "checkpoint.safetensors part.npz unplanned.csv" || r.Planned != nil {
		t.Errorf("temporary %q, planned %q, error %v", r.Temporary, r.Planned, err)
	}
	// Killed before they were gone.
	put(t, path, schema.Checkpoint)
	put(t, path, ".run.json.partial-3")
	if err := Tidy(path); err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); got != "log.csv notes run.json" {
		t.Errorf("the tidied folder holds %q", got)
	}
}

// Nothing that only this package makes keeps a run out.
func TestDebrisIsNothing(t *testing.T) {
	for _, start := range []Start{Fresh, Resume, Force} {
		path := t.TempDir()
		put(t, path, ".run.json.partial-1234")
		if err := os.WriteFile(filepath.Join(path, lockName), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		begin(t, path, start, newRecord(t, "task"))
		if got := names(t, path); got != "run.json" {
			t.Errorf("start %d: the folder holds %q", start, got)
		}
	}
	path := t.TempDir()
	put(t, path, lockName) // with something in it
	if _, err := Create(path, Fresh, newRecord(t, "task")); err == nil {
		t.Error("a file of the user's by the name of the lock was taken for one")
	}
}

// Force must not remove an input of the run from a folder below either.
func TestForceSparesInputsBelow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	f := begin(t, path, Fresh, planning(t, "", "dbn"))
	finished(t, f.below("dbn"), planning(t, "", ""), schema.Model)
	if err := f.Finish(); err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(f.below("dbn"), schema.Model)
	if _, err := Create(path, Force, newRecord(t, "task", model)); err == nil || !strings.Contains(err.Error(), "which this run reads") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(model); err != nil {
		t.Error(err)
	}
}

// A hostile record must not have anything removed that is not directly in its folders.
func FuzzClear(f *testing.F) {
	f.Add("[", "../outside", "..", "sub/..")
	f.Add("*", "sub/../../outside", "/", ".")
	f.Add("../*", "./../outside", "sub", "sub//x")
	f.Fuzz(func(t *testing.T, planned, output, folder, temporary string) {
		parent := t.TempDir()
		path := filepath.Join(parent, "run")
		for _, name := range []string{"outside/result", "run/sub/result", "run/own"} {
			put(t, parent, filepath.FromSlash(name))
		}
		killed(t, filepath.Join(parent, "other"), planning(t, "", ""), "result")
		for _, status := range []Status{Running, Complete, Clearing} {
			r := planning(t, "", "")
			r.Status, r.Planned, r.Temporary, r.Folders = status, []string{planned}, []string{temporary}, []string{folder, output}
			r.Outputs = []FileDigest{{Name: output}}
			raw, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(path, schema.Record), raw, 0o644); err != nil {
				t.Fatal(err)
			}
			created, err := Create(path, Force, planning(t, "", ""))
			if err == nil {
				err = created.unlock()
			}
			if err != nil {
				t.Log(err)
			}
			for _, name := range []string{"outside/result", "run/sub/result", "other/result", "other/run.json"} {
				if _, err := os.Stat(filepath.Join(parent, filepath.FromSlash(name))); err != nil {
					t.Errorf("status %s: %v", status, err)
				}
			}
		}
	})
}
