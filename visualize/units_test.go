package visualize

import (
	"slices"
	"strings"
	"testing"
)

func TestParseUnits(t *testing.T) {
	for _, c := range []struct {
		text  string
		units int
		want  []int
	}{
		{"all", 4, []int{0, 1, 2, 3}},
		{" all ", 1, []int{0}},
		{"0-3", 10, []int{0, 1, 2, 3}},
		{"3,7,9", 10, []int{3, 7, 9}},
		{"0-3,8", 10, []int{0, 1, 2, 3, 8}},
		{"9,3", 10, []int{9, 3}},
		{" 1 , 4 - 5 ", 10, []int{1, 4, 5}},
		{"007", 10, []int{7}},
		{"5-5", 10, []int{5}},
	} {
		got, err := ParseUnits(c.text, c.units)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("ParseUnits(%q, %d) = %v, %v, want %v", c.text, c.units, got, err, c.want)
		}
	}
}

func TestParseUnitsRefuses(t *testing.T) {
	for _, c := range []struct {
		text  string
		units int
		want  string
	}{
		{"", 10, "want"},
		{",", 10, "want"},
		{"3,", 10, "want"},
		{"-", 10, "want"},
		{"-3", 10, "want"},
		{"3-", 10, "want"},
		{"+3", 10, "want"},
		{"1-2-3", 10, "want"},
		{"1.5", 10, "want"},
		{"all,3", 10, "want"},
		{"٣", 10, "want"},
		{"10", 10, "no unit 10: the layer has 10 units, 0..9"},
		{"0-10", 10, "no unit 10: the layer has 10 units, 0..9"},
		{"0-99999999999999999999", 10, "no unit 99999999999999999999"},
		{"0-9223372036854775807", 10, "no unit 9223372036854775807"},
		{strings.Repeat("9", 1e6), 10, "no unit"},
		{"5-3", 10, "range 5-3 runs backwards"},
		{"3-1", 10, "range 3-1 runs backwards"},
		{"3,3", 10, "unit 3 is named twice"},
		{"0-4,2", 10, "unit 2 is named twice"},
		{"0", 0, "no units"},
	} {
		got, err := ParseUnits(c.text, c.units)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 250 {
			t.Errorf("ParseUnits(%.20q, %d) = %v, %v, want %q", c.text, c.units, got, err, c.want)
		}
	}
}

func FuzzParseUnits(f *testing.F) {
	for _, text := range []string{"all", "0-3,8", "3,7,9", "9223372036854775807-9223372036854775808", "-", "1-2-3", "\n", "0-99999999"} {
		f.Add(text, 12)
	}
	f.Fuzz(func(t *testing.T, text string, units int) {
		units %= 1 << 16
		chosen, err := ParseUnits(text, units)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		seen := map[int]bool{}
		for _, u := range chosen {
			if u < 0 || u >= units || seen[u] {
				t.Fatalf("ParseUnits(%q, %d) = %v", text, units, chosen)
			}
			seen[u] = true
		}
		if len(chosen) == 0 {
			t.Errorf("ParseUnits(%q, %d) chose nothing", text, units)
		}
	})
}
