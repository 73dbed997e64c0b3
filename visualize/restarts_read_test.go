package visualize

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
)

// What WriteTable writes comes back.
func TestReadRestarts(t *testing.T) {
	d := openDevice(t)
	for _, units := range [][]int{{0, 4, 2}, {3}} {
		r := ascend(t, d, randomNetwork(t, 5, 3, 0.1, 10, 6, 5), options(2, units...))
		var table bytes.Buffer
		if err := r.WriteTable(&table); err != nil {
			t.Fatal(err)
		}
		got, err := ReadRestarts(&table, 2, 1)
		if err != nil {
			t.Fatal(err)
		}
		want := *r
		want.Rate, want.Radius, want.Shape = 0, 0, nil
		want.BestPatterns, want.Average, want.Patterns = nil, nil, nil
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("read %+v, want %+v", *got, want)
		}
	}
}

const restartsHead = "unit,restart,activation,start_activation,steps,stop,tangent,cosine\n"

func TestReadRestartsMistakes(t *testing.T) {
	const row = "0,0,1,0,5,converged,0,1\n"
	for _, c := range []struct{ name, table, want string }{
		{"empty", "", "not a table of restarts"},
		{"another table", "unit,modes\n0,1\n", "not a table of restarts"},
		{"no rows", restartsHead, "no rows"},
		{"ragged", restartsHead + "0,0,1\n", "wrong number of fields"},
		{"words", restartsHead + "a,0,1,0,5,converged,0,1\n", `unit "a"`},
		{"NaN", restartsHead + "0,0,NaN,0,5,converged,0,1\n", "not a finite number"},
		{"stop", restartsHead + "0,0,1,0,5,running,0,1\n", "no reason to stop"},
		{"restart left out", restartsHead + row + "0,2,1,0,5,converged,0,1\n", "restart 2 of unit 0, want 1"},
		{"fewer restarts", restartsHead + row + "0,1,1,0,5,converged,0,1\n1,0,1,0,5,converged,0,1\n", "unit 1 has 1 restarts, unit 0 has 2"},
		{"more restarts", restartsHead + row + "1,0,1,0,5,converged,0,1\n1,1,1,0,5,converged,0,1\n2,0,1,0,5,converged,0,1\n", "unit 1 has 2 restarts, unit 0 has 1"},
		{"unit twice", restartsHead + row + "1,0,1,0,5,converged,0,1\n" + row, "restart 0 of unit 0 comes out of order"},
		{"negative unit", restartsHead + "-1,0,1,0,5,converged,0,1\n", "unit -1"},
	} {
		if _, err := ReadRestarts(strings.NewReader(c.table), 1, 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := ReadRestarts(strings.NewReader(restartsHead+row), 1, 0); err == nil {
		t.Error("direction 0 is accepted")
	}
}

// Whatever is read is whole, and comes out as it went in.
func FuzzReadRestarts(f *testing.F) {
	f.Add(restartsHead + "0,0,1,0,5,converged,0,1\n0,1,1.5,0,1000,steps,0.5,0.25\n")
	f.Add(restartsHead + "7,0,0,0,0,vanished,0,1\n2,0,1e-30,0,5,converged,0,1\n")
	f.Add("unit,restart\n\"")
	f.Fuzz(func(t *testing.T, table string) {
		r, err := ReadRestarts(strings.NewReader(table), 1, 1)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := r.WriteTable(&out); err != nil {
			t.Fatal(err)
		}
		again, err := ReadRestarts(&out, 1, 1)
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("%+v came out as %+v, %v", r, again, err)
		}
	})
}

const restartsTable = "unit,restart,activation,start_activation,steps,stop,tangent,cosine\n7,0,2,1,5,converged,0,1\n"

func TestOpenRestarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "restarts.csv")
	if err := os.WriteFile(path, []byte(restartsTable), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := OpenRestarts(path, 1, 1)
	if err != nil || len(r.Units) != 1 || r.Units[0] != 7 || r.Restarts != 1 {
		t.Errorf("read %+v, %v", r, err)
	}
	if err := os.WriteFile(path, []byte("unit\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRestarts(path, 1, 1); err == nil || !strings.HasPrefix(err.Error(), path+": read restarts: not a table") {
		t.Errorf("error %v", err)
	}
	if _, err := OpenRestarts(path+"x", 1, 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// A line without an end, longer than any memory, is refused before it is read.
func TestOpenRestartsWithoutMemory(t *testing.T) {
	if _, ok := memory.Available(); !ok {
		t.Skip("how much memory is left is not known here")
	}
	path := filepath.Join(t.TempDir(), "restarts.csv")
	if err := os.WriteFile(path, []byte(restartsTable), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<42); err != nil {
		t.Skipf("no files with holes here: %v", err)
	}
	if _, err := OpenRestarts(path, 1, 1); !errors.Is(err, engine.ErrOutOfMemory) || !strings.HasPrefix(err.Error(), path+": ") {
		t.Errorf("error %v", err)
	}
}
