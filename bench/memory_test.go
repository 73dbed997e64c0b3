package bench

import "testing"

func TestHighWater(t *testing.T) {
	for text, want := range map[string]int64{"Name:\tx\nVmHWM:\t   12 kB\n": 12 << 10, "VmHWM: x kB": 0, "": 0} {
		if got := highWater([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
