package visualize

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine/words"
)

// ParseUnits reads a choice among a layer's units, numbered from 0: "all",
// "5", "0-35" (both ends included), or any of these separated by commas,
// "0-3,8". The order is kept as written. A unit that the layer does not have
// and a unit named twice are errors.
func ParseUnits(text string, units int) ([]int, error) {
	if units < 1 {
		return nil, words.BadOption("Units", strconv.Quote(text), "the layer has no units")
	}
	if strings.TrimSpace(text) == "all" {
		return appendRange(nil, 0, units-1), nil
	}
	var chosen []int
	seen := make([]bool, units)
	for part := range strings.SplitSeq(text, ",") {
		first, last, err := parseRange(strings.TrimSpace(part), units)
		if err != nil {
			return nil, words.BadOption("Units", strconv.Quote(abridged(text)), "%w", err)
		}
		for u := first; u <= last; u++ {
			if seen[u] {
				return nil, words.BadOption("Units", strconv.Quote(abridged(text)), "unit %d is named twice", u)
			}
			seen[u] = true
		}
		chosen = appendRange(chosen, first, last)
	}
	return chosen, nil
}

// parseRange reads "5" or "0-35" and checks that the layer has these units.
func parseRange(part string, units int) (first, last int, err error) {
	from, to, isRange := strings.Cut(part, "-")
	if !isRange {
		to = from
	}
	if first, err = parseUnit(from, units); err != nil {
		return 0, 0, err
	}
	if last, err = parseUnit(to, units); err != nil {
		return 0, 0, err
	}
	if last < first {
		return 0, 0, fmt.Errorf("range %d-%d runs backwards", first, last)
	}
	return first, last, nil
}

func parseUnit(text string, units int) (int, error) {
	text = strings.TrimSpace(text)
	for _, c := range text {
		if c < '0' || c > '9' {
			text = ""
		}
	}
	if text == "" {
		return 0, fmt.Errorf(`want "all", a unit (7), a range (0-35) or several with commas (0-3,8)`)
	}
	u, err := strconv.Atoi(text)
	if err != nil || u >= units {
		return 0, fmt.Errorf("no unit %s: the layer has %s, 0..%d", abridged(text), words.Count(units, "unit"), units-1)
	}
	return u, nil
}

func appendRange(to []int, first, last int) []int {
	for u := first; u <= last; u++ {
		to = append(to, u)
	}
	return to
}

// abridged keeps an error to one line of a readable length.
func abridged(text string) string {
	if len(text) > 60 {
		return text[:60] + "..."
	}
	return text
}
