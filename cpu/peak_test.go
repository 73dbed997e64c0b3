package cpu

import (
	"testing"
	"time"
)

func TestPeak(t *testing.T) {
	opened, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := opened.(*device)
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
