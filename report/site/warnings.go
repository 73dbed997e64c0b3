package site

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// warnings collects what the runs have warned of. What several say, as all that read
// one model do, is there once.
func (r *Report) warnings() {
	var texts []string
	of := map[string][]string{} // names of runs, by text
	for _, run := range r.Runs {
		for _, w := range run.record.Warnings {
			if of[w.Text] == nil {
				texts = append(texts, w.Text)
			}
			of[w.Text] = append(of[w.Text], run.name)
		}
	}
	for _, text := range texts {
		r.Warnings = append(r.Warnings, Problem{strings.Join(slices.Compact(of[text]), ", "), text})
	}
}

// aboutLayer is what a warning of one layer is about, and the kind or name of its model
// where the run looked at several.
var aboutLayer = regexp.MustCompile(`^(?:([A-Za-z0-9-]{1,80}) )?layer ([0-9]{1,4})$`)

// warningsOf are what runs have warned of that concerns a layer of a model: those that
// made the model, and those that looked at the layer.
func (r *Report) warningsOf(m *Model, number int) (texts []string) {
	for _, run := range r.Runs {
		names := map[string]bool{"": true, strings.ToUpper(m.Kind): true} // of the model, in warnings
		among := false
		for name, digest := range run.shown() {
			if m.shownBy(run, digest) {
				names[name], among = true, true
			}
		}
		if run.of != m && !among || len(run.record.Warnings) == 0 {
			continue
		}
		looked := run != m.run && run.of == m && layerOf(run) == number
		for _, w := range run.record.Warnings {
			about := aboutLayer.FindStringSubmatch(w.About)
			concerns := about == nil && looked
			if about != nil {
				concerns = about[2] == fmt.Sprint(number) && names[about[1]]
			}
			if concerns && !slices.Contains(texts, w.Text) {
				texts = append(texts, w.Text)
			}
		}
	}
	// What another run repeats with the model's kind or name in front is said once.
	return slices.DeleteFunc(texts, func(text string) bool {
		_, rest, ok := strings.Cut(text, ": ")
		return ok && slices.Contains(texts, rest)
	})
}

// learning is what has been found out about what a layer has learned.
func (r *Report) learning(m *Model, number int) []string {
	return slices.DeleteFunc(r.warningsOf(m, number), func(text string) bool {
		return !strings.HasPrefix(text, fmt.Sprintf("layer %d ", number))
	})
}
