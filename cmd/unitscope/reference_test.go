package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every number of the tables that people read is what numpy and scipy, in float64,
// make of the arrays that it comes from.
func TestNumbersAgainstPython(t *testing.T) {
	requirePython(t, "python", "numpy", "pandas", "safetensors", "scipy")
	script, err := filepath.Abs("testdata/reference.py")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, line := range []string{
		"train dbn --data digits:n=300 --validation 60 --layers 18,15 --lr 0.6 --epochs 15 --out dbn",
		"visualize ascent --model dbn --layer 2 --keep all --steps 60 --restarts 12 --out units",
		"visualize sample --model dbn --layer 2 --samples 60 --chains 4 --burn-in 10 --every 3 --out samples",
		"visualize examples --model dbn --layer 2 --units 0 --top 300 --data digits:n=300 --out examples",
		"analyze restarts --ascent units --threshold 0.99 --resamples 50 --out modes",
		"analyze selectivity --model dbn --ascent units --out selectivity",
		"analyze compare --model dbn --ascent units --data digits:n=300 --samples 6 --burn-in 5 --every 2 --top all --resamples 50 --out compare",
		"analyze likelihood --model dbn --data digits:n=300 --validation 60 --method ais --runs 40 --temperatures 50 --sweeps 5 --out ais",
		"analyze likelihood --model dbn --data digits:n=300 --validation 60 --method exact --out exact",
	} {
		var messages bytes.Buffer
		if code := run(t.Context(), append([]string{"unitscope"}, append(strings.Fields(line), "--quiet")...), &messages, &messages); code != 0 {
			t.Fatalf("%s: exit code %d: %s", line, code, &messages)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "python3", script).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
