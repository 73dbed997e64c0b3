package making

import (
	"slices"
	"testing"

	"github.com/unitscope/unitscope/visualize"
)

// What is said to help depends on what is wrong, and on what was asked for.
func TestRemedies(t *testing.T) {
	good := visualize.Learning{Units: 8, Kinds: 8, Examples: 9, Deviation: 1}
	nothing, saturated, duplicates := good, good, good
	nothing.Still, saturated.Stuck, duplicates.Kinds = 8, 8, 1
	const longer, less, above = "more --epochs or a larger --lr may help", "a smaller --lr may help a layer that is saturated", "a layer on top of one that has learned nothing can't learn either"
	for name, c := range map[string]struct {
		layers     []visualize.Learning
		persistent bool
		want       []string
	}{
		"well":                  {[]visualize.Learning{good, good}, true, nil},
		"nothing":               {[]visualize.Learning{good, nothing}, false, []string{longer}},
		"nothing, persistently": {[]visualize.Learning{good, nothing}, true, []string{"training without --persistent may help, or more --epochs or a larger --lr"}},
		"nothing below":         {[]visualize.Learning{nothing, nothing, nothing}, false, []string{longer, above}},
		"nothing below good":    {[]visualize.Learning{nothing, good}, false, []string{longer}},
		"saturated":             {[]visualize.Learning{saturated}, false, []string{less}},
		"saturated twice":       {[]visualize.Learning{saturated, saturated}, true, []string{less}},
		"saturated below":       {[]visualize.Learning{saturated, nothing}, false, []string{less, longer}},
		"duplicates":            {[]visualize.Learning{duplicates}, false, []string{"another --lr may help a layer of duplicates"}},
	} {
		if got := remedies(c.layers, c.persistent); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
