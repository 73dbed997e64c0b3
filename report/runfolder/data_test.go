package runfolder

import "testing"

func TestDataText(t *testing.T) {
	for want, d := range map[string]Data{
		"1,797 examples of 8x8, float64 from 0 to 16, kept; 10 classes; rho 55.7 (mean norm of 1,797 examples)": {
			Examples: 1797, Shape: []int{8, 8}, Stored: "float64 from 0 to 16, kept", High: 16, Labelled: true, Classes: 10, Rho: 55.68, RhoExamples: 1797,
		},
		"2,500,000 examples of 28x28, numbers from 0 to 1; with labels; rho 8.71 (mean norm of the first 10,000)": {
			Examples: 2500000, Shape: []int{28, 28}, High: 1, Labelled: true, Rho: 8.712, RhoExamples: 10000,
		},
		"1 example of 144 numbers, numbers mostly from -3.1 to 3.2; no labels":  {Examples: 1, Shape: []int{144}, Low: -3.1, High: 3.2},
		"500 examples of 1 number, numbers mostly from -3.1 to 3.2; no labels":  {Examples: 500, Shape: []int{1}, Low: -3.1, High: 3.2},
		"999 examples of 6x6x3, uint8 from 0 to 255, divided by 255; no labels": {Examples: 999, Shape: []int{6, 6, 3}, Stored: "uint8 from 0 to 255, divided by 255", High: 1},
	} {
		if got := d.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
