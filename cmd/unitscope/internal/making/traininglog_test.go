package making

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/unitscope/unitscope/train"
)

// TestOldLog goes on with the log of a version that did not give errors, and
// refuses other tables.
func TestOldLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	read := func(text string) ([][]string, error) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		var l trainingLog
		err := l.read(path, &train.Checkpoint{Layer: 2, Updates: 20})
		return l.rows, err
	}
	got, err := read("layer,epoch,step,error,held_error,free_energy_gap,pseudo_likelihood,examples_per_second\n" +
		"1,1,30,5,4,0.5,-9,100\n2,1,10,3,,,,100\n2,2,20,3,2,1,-8,90\n2,3,30,1,1,1,-7,80\n")
	want := [][]string{
		{"1", "1", "30", "5", "4", "0.5", "", "-9", "", "100"},
		{"2", "1", "10", "3", "", "", "", "", "", "100"},
		{"2", "2", "20", "3", "2", "1", "", "-8", "", "90"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for _, text := range []string{
		"layer,epoch,step,error\n1,1,30,5\n",
		"layer,epoch,step,error,held_error,pseudo_likelihood,free_energy_gap,examples_per_second\n",
		"layer,epoch,step,error,held_error,free_energy_gap,pseudo_likelihood,examples_per_second,more\n",
		"layer,epoch,step,error,held_error,free_energy_gap,pseudo_likelihood,examples_per_second\n1,1\n",
	} {
		if got, err := read(text); err == nil {
			t.Errorf("%q: %q, want an error", text, got)
		}
	}
}
