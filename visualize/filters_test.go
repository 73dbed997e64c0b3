package visualize

import (
	"slices"
	"testing"
)

func TestFilters(t *testing.T) {
	n := randomNetwork(t, 2, 1, 0, 4, 3, 2)
	weight := numbers(t, n.Layers[0].Weight)
	filters, err := Filters(n, []int{2, 0})
	f := filters.Data
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Concat(weight[8:12], weight[0:4]); !slices.Equal(numbers(t, f), want) || !slices.Equal(f.Shape(), []int{2, 4}) {
		t.Errorf("filters %v %v, want %v", f.Shape(), numbers(t, f), want)
	}
	numbers(t, f)[0]++
	if weight[8] == numbers(t, f)[0] {
		t.Error("filters share the model's memory")
	}
	for _, units := range [][]int{nil, {3}, {-1}} {
		if _, err := Filters(n, units); err == nil {
			t.Errorf("units %v: no error", units)
		}
	}
}
