package bench

import "testing"

// TestMedian: the median is of the share of the floor, not of seconds.
func TestMedian(t *testing.T) {
	turns := []turn{{seconds: 3, peak: 10}, {seconds: 1, peak: 40}, {seconds: 2, peak: 10}}
	if got := median(turns); got.seconds != 3 {
		t.Errorf("the median took %g s", got.seconds)
	}
	if got := median(turns[:2]); got.seconds != 3 {
		t.Errorf("the median of two took %g s", got.seconds)
	}
}
