package bench_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/bench"
)

// The keys of the file are part of what people rely on.
func TestKeys(t *testing.T) {
	text, err := json.Marshal(bench.Result{Workload: "product", Memory: 1, Peer: "x"})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := []string{"device", "flops", "fraction", "gflops", "hardware", "peak_gflops", "peer", "per_second", "precision", "seconds", "unit", "variant", "workload"}
	if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
}

func TestCompare(t *testing.T) {
	results := []bench.Result{
		{Workload: "product", PerSecond: 30, Peak: 100},
		{Workload: "product", Variant: "slow", PerSecond: 10, Peak: 100, Peer: "a"},
		{Workload: "product", Variant: "fast", PerSecond: 10, Peak: 50, Peer: "b"},
		{Workload: "deform", PerSecond: 1},
	}
	pairs := bench.Compare(results)
	if len(pairs) != 1 || pairs[0].Best.Variant != "fast" || pairs[0].Ratio != 1.5 {
		t.Errorf("pairs %+v", pairs)
	}
}

func TestExponent(t *testing.T) {
	points := []bench.Point{{10, 7}, {1000, 1}, {10000, 100}, {100000, 10000}}
	if got := bench.Exponent(points); math.Abs(got-2) > 1e-9 {
		t.Errorf("exponent %g, want 2", got)
	}
}

func TestPlot(t *testing.T) {
	points := []bench.Point{{10, 1e-4}, {1000, 1e-2}, {100000, 1}}
	for format, want := range map[string]string{"png": "\x89PNG", "svg": "<?xml"} {
		var picture bytes.Buffer
		if err := bench.Plot(&picture, format, "a device", points); err != nil || !strings.HasPrefix(picture.String(), want) {
			t.Errorf("%s: %v, begins with %.10q", format, err, picture.String())
		}
	}
	for name, bad := range map[string][]bench.Point{"none": nil, "no time": {{10, 0}}, "no rows": {{0, 1}}, "infinite": {{10, math.Inf(1)}}} {
		if err := bench.Plot(&bytes.Buffer{}, "png", "", bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := bench.Plot(&bytes.Buffer{}, "gif", "", points); err == nil {
		t.Error("gif: no error")
	}
}
