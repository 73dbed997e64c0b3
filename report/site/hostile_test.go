package site

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// npyOf is an npy file of zeros with this header, and as many bytes as it
// promises; a shape with a zero in it promises none.
func npyOf(kind, shape string, bytes int) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", kind, shape)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), binary.LittleEndian.AppendUint16(nil, uint16(len(header)))...)
	return append(append(b, header...), make([]byte, bytes)...)
}

// npzOf is an npz file of arrays as [npyOf] makes them.
func npzOf(arrays map[string][]byte) func(io.Writer) error {
	return func(w io.Writer) error {
		z := zip.NewWriter(w)
		for name, body := range arrays {
			f, err := z.Create(name + ".npy")
			if err == nil {
				_, err = f.Write(body)
			}
			if err != nil {
				return err
			}
		}
		return z.Close()
	}
}

// unitsFrom is the array units [n], 0 to n-1.
func unitsFrom(n int) []byte {
	b := npyOf("<i4", fmt.Sprintf("%d,", n), 0)
	for i := range n {
		b = binary.LittleEndian.AppendUint32(b, uint32(i))
	}
	return b
}

// Small files must not make a report take memory by numbers that they name: each
// is refused by itself, and the rest of the report is made.
func TestNumbersDoNotTakeMemory(t *testing.T) {
	many := 1 << 16 // units of one file, times as many numbers of a unit of another
	manyUnits := npzOf(map[string][]byte{"units": unitsFrom(many), "patterns": npyOf("|u1", fmt.Sprintf("%d, 1", many), many)})
	for _, c := range []struct {
		name, want string
		runs       map[string]files // by task
	}{
		{"no units, and a length that no memory holds", "no units", map[string]files{
			schema.TaskExamples: {"examples.npz": npzOf(map[string][]byte{
				"units": npyOf("<i4", "0,", 0), "examples": npyOf("<f4", "0, 4611686018427387903, 30", 0),
				"activation": npyOf("<f4", "0, 4611686018427387903", 0), "label": npyOf("<i4", "0, 4611686018427387903", 0), "index": npyOf("<i4", "0, 4611686018427387903", 0),
			})},
		}},
		{"many units of one run, many numbers of another", "more than a report shows", map[string]files{
			schema.TaskCombine: {"combine.npz": manyUnits},
			schema.TaskExamples: {"examples.npz": npzOf(map[string][]byte{
				"units": unitsFrom(1), "examples": npyOf("|u1", fmt.Sprintf("1, %d, 1", many), many),
				"activation": npyOf("<f4", fmt.Sprintf("1, %d", many), 4*many), "label": npyOf("<i4", fmt.Sprintf("1, %d", many), 4*many), "index": npyOf("<i4", fmt.Sprintf("1, %d", many), 4*many),
			})},
		}},
		{"many units, many restarts", "more than a report shows", map[string]files{
			schema.TaskCombine: {"combine.npz": manyUnits},
			schema.TaskAscent:  {"ascent.npz": npzOf(map[string][]byte{"units": unitsFrom(1), "best": npyOf("<f4", "1, 1", 4)}), "restarts.csv": text(restartsOf(many))},
		}},
		{"more units than a page shows", "more than a report shows", map[string]files{
			schema.TaskCombine: {"combine.npz": npzOf(map[string][]byte{"units": unitsFrom(maxUnits + 1), "patterns": npyOf("|u1", fmt.Sprintf("%d, 1", maxUnits+1), maxUnits+1)})},
		}},
		{"more bytes of units than are read", "more than a report shows", map[string]files{
			schema.TaskCombine: {"combine.npz": npzOf(map[string][]byte{"units": npyOf("<i8", fmt.Sprint(maxLabels/8, ","), maxLabels), "patterns": npyOf("|u1", "1, 1", 1)})},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			model := filepath.Join(dir, "dbn")
			n := trained(t, model, 1)
			climbed(t, filepath.Join(dir, "good"), model, n, 2, "0-2")
			for task, write := range c.runs {
				makeRun(t, filepath.Join(dir, strings.ReplaceAll(task, " ", "-")), task, map[string]string{"layer": "1", "direction": "1"}, []string{filepath.Join(model, schema.Model)}, write)
			}
			r := build(t, dir)
			if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Text, c.want) {
				t.Errorf("problems %v, want one with %q", r.Problems, c.want)
			}
			written(t, r)
		})
	}
}

// restartsOf is restarts.csv of one unit.
func restartsOf(restarts int) string {
	var b strings.Builder
	b.WriteString("unit,restart,activation,start_activation,steps,stop,tangent,cosine\n")
	for i := range restarts {
		fmt.Fprintf(&b, "0,%d,1,0,1,converged,0,1\n", i)
	}
	return b.String()
}

// Patterns of the restarts that can't be shown are named, and the page does not say
// that the run had none. Their numbers are shown.
func TestPatternsThatAreNotShown(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	trained(t, model, 1)
	makeRun(t, filepath.Join(dir, "ascent"), schema.TaskAscent, map[string]string{"layer": "2", "direction": "1"}, []string{filepath.Join(model, schema.Model)}, files{
		"ascent.npz":   npzOf(map[string][]byte{"units": unitsFrom(1), "best": npyOf("<f4", "1, 30", 120), "patterns": npyOf("<f4", "1, 5, 30", 600)}),
		"restarts.csv": text(restartsOf(3)),
	})
	r := build(t, dir)
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Text, "patterns of shape [5 30] for 3 restarts") {
		t.Errorf("problems %v", r.Problems)
	}
	if l := dataOf(t, written(t, r)[schema.IndexPage], 1); l.Ascent == nil || l.Ascent.All || l.Ascent.Kept != "all" || len(l.Ascent.Activation) != 3 {
		t.Errorf("ascent %+v", l.Ascent)
	}
}

// Whatever a run's files hold, a report is made or an error is said.
func FuzzFiles(f *testing.F) {
	names := []string{"ascent.npz", "restarts.csv", "curves.npz", "samples.npz", "mixing.csv", "combine.npz", "examples.npz", "selectivity.npz", "selectivity.csv", "modes.csv", "compare.csv", "log.csv", "scores.csv", "figure1.png", "compare.npz", "layer1-samples.npz", "layer1-combine.npz", "tuning.npz", "tuning.csv", "classes.csv", "connections.npz"}
	dir := f.TempDir()
	n := trained(f, filepath.Join(dir, "dbn"), 1)
	found := climbed(f, filepath.Join(dir, "ascent"), filepath.Join(dir, "dbn"), n, 1, "0-2")
	for i, name := range names {
		var b bytes.Buffer
		switch filepath.Ext(name) {
		case ".npz":
			if err := found.WriteArrays(&b); err != nil {
				f.Fatal(err)
			}
		default:
			if err := found.WriteTable(&b); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(uint8(i), b.Bytes())
	}
	f.Add(uint8(9), []byte("network,layer,unit,modes\ntrained,1,0,2\nuntrained,1,0,1\n"))
	tuning := tuningOf(1, 3, nil, 0, 2)
	connections, err := visualize.Connections(n, visualize.ConnectionsOptions{Layer: 1, Units: []int{0, 2}, Top: 2})
	if err != nil {
		f.Fatal(err)
	}
	for name, write := range map[string]func(io.Writer) error{"tuning.npz": tuning.WriteArrays, "tuning.csv": tuning.WriteTable, "classes.csv": tuning.WriteClasses, "connections.npz": connections.WriteArrays} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(slices.Index(names, name)), b.Bytes())
	}
	tasks := []string{schema.TaskAscent, schema.TaskSample, schema.TaskCombine, schema.TaskExamples, schema.TaskSelectivity, schema.TaskRestarts, schema.TaskCompare, "figure 4", schema.TaskTuning, schema.TaskConnections}
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		dir := t.TempDir()
		model := filepath.Join(dir, "dbn")
		n := trained(t, model, 1)
		for i, task := range tasks {
			good := files{"tuning.npz": tuning.WriteArrays, "connections.npz": connections.WriteArrays, "restarts.csv": found.WriteTable, "ascent.npz": found.WriteArrays, "compare.csv": text("layer,unit,method,missing\n1,0,ascent,false\n1,1,ascent,true\n")}
			good[names[int(which)%len(names)]] = func(w io.Writer) error { _, err := w.Write(content); return err }
			makeRun(t, filepath.Join(dir, fmt.Sprint(i)), task, map[string]string{"layer": "1", "direction": "1"}, []string{filepath.Join(model, schema.Model)}, good)
		}
		_ = n
		r, err := Build(context.Background(), []string{dir}, Options{})
		if err != nil {
			return
		}
		if err := r.Write(context.Background(), func(_ string, to func(io.Writer) error) error { return to(io.Discard) }); err != nil {
			t.Errorf("a report that can't be written: %v", err)
		}
	})
}
