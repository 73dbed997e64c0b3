package cpu_test

import (
	"testing"
	"time"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
)

// peaker is what a device is to package bench.
type peaker interface {
	engine.Device
	Peak(within time.Duration) float64
}

func TestPeak(t *testing.T) {
	opened, err := cpu.Open(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := opened.(peaker)
	const within = 20 * time.Millisecond
	began := time.Now()
	if p := d.Peak(within); !(p > 0) {
		t.Errorf("the peak is %g GFLOP/s", p)
	}
	if took := time.Since(began); took < within {
		t.Errorf("it was measured for %s, want %s", took, within)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if p := d.Peak(within); p != 0 {
		t.Errorf("the peak of a closed device is %g", p)
	}
}
