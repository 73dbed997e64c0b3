package console

import "testing"

func TestRateText(t *testing.T) {
	for _, c := range []struct {
		done    int64
		seconds float64
		want    string
	}{{0, 0, "0/s"}, {0, 3, "0/s"}, {10, 2, "5/s"}, {2, 2, "1/s"}, {3, 7.5, "2.5 s each"}} {
		if got := rateText(c.done, c.seconds); got != c.want {
			t.Errorf("%d in %g s: %q, want %q", c.done, c.seconds, got, c.want)
		}
	}
}
