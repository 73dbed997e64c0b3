package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/train"
)

// dataChoice says which data set a command reads, and how much of it.
type dataChoice struct {
	flag              string // that names it, "data" or "test"
	spec              string
	seed              uint64
	limit, validation int
	// own says what of the above is the training run's of the model, for people; "" if
	// flags say it all.
	own  string
	open dataset.Set // if it has been opened already
}

// openData opens a data set with --limit and --validation. Closing set closes held.
func openData(d dataChoice) (set, held dataset.Set, err error) {
	all := d.open
	if all == nil {
		if all, err = dataset.Open(d.spec, d.seed); err != nil {
			return nil, nil, fmt.Errorf("--%s: %w", d.flag, err)
		}
	}
	set = all
	if d.limit != 0 {
		if set, err = dataset.Head(set, d.limit); err != nil {
			return nil, nil, errors.Join(usagef("--limit: %w", err), all.Close())
		}
	}
	if d.validation != 0 {
		if set, held, err = dataset.Split(set, d.validation); err != nil {
			return nil, nil, errors.Join(usagef("--validation: %w", err), all.Close())
		}
	}
	return set, held, nil
}

// seeData is what every command does first with data that it has opened: it says
// what they were taken for, keeps that for the record of the run, and refuses what
// does not suit the model; n is nil where there is none yet.
func seeData(c *console, d dataChoice, set, held dataset.Set, n *network.Network) (train.Look, error) {
	look, err := train.LookAt(n, set)
	info, all := set.Info(), set.Len()
	read := dataRecord(d, set, look)
	c.data = append(c.data, read)
	if held != nil {
		all += held.Len()
		apart := heldRecord(read, held)
		c.data = append(c.data, apart)
		if warning := sortedLabels(read, apart); warning != "" {
			c.warn("--validation", "--validation: %s", warning)
		}
	}
	c.tell(describeData(d, read, held), "data", read)
	for _, remark := range info.Remarks {
		c.say("%s %s: %s", d.flag, info.Name, remark)
	}
	if d.limit > all {
		c.warn("--limit", "--limit %d: %s has only %s; all are used", d.limit, info.Name, words.Count(all, "example"))
	}
	for _, warning := range append(info.Warnings, look.Warnings...) {
		c.warn(d.flag, "--%s: %s", d.flag, warning)
	}
	if errors.Is(err, train.ErrUnsuitable) {
		return look, usagef("--%s: %w", d.flag, err)
	}
	if err != nil {
		return look, fmt.Errorf("--%s: %w", d.flag, err)
	}
	return look, nil
}

// openFor opens the data that a command looks at with a model, from file, those of
// chooseData.
func (j *job) openFor(n *network.Network, file string) (set, held dataset.Set, look train.Look, err error) {
	d, err := j.chooseData(file)
	if err != nil {
		return nil, nil, look, err
	}
	return j.open(d, n)
}

// open opens data, looks at them and lists their files for the record.
func (j *job) open(d dataChoice, n *network.Network) (set, held dataset.Set, look train.Look, err error) {
	if set, held, err = openData(d); err != nil {
		return nil, nil, look, err
	}
	j.inputs = append(j.inputs, set.Info().Files...)
	if look, err = seeData(j.console, d, set, held, n); err != nil {
		return nil, nil, look, errors.Join(err, set.Close())
	}
	return set, held, look, nil
}

// openTest opens --test, nil without it, and finds out whether its examples belong
// with those of --data.
func (j *job) openTest(n *network.Network, data train.Look) (dataset.Set, error) {
	d := dataChoice{flag: "test", spec: j.ctx.String("test"), seed: j.ctx.Uint64("seed")}
	if d.spec == "" {
		return nil, nil
	}
	test, _, look, err := j.open(d, n)
	if err != nil {
		return nil, err
	}
	if warning := look.Against(data); warning != "" {
		j.console.warn(d.flag, "--%s: %s", d.flag, warning)
	}
	if warning := sameData(j.console.data); warning != "" {
		j.console.warn(d.flag, "--%s: %s", d.flag, warning)
	}
	return test, nil
}

// sameData warns, "" for no need, of a test that shows examples of the training.
func sameData(all []runfolder.Data) (warning string) {
	here, err := os.Getwd()
	if err != nil {
		return ""
	}
	// The first n examples of a set are those of any n.
	number := regexp.MustCompile(`[:,]n=[0-9]+`)
	source := map[string]string{}
	for _, data := range all {
		at, err := dataset.At(data.Specification, here)
		if err != nil {
			return ""
		}
		source[data.Role] = number.ReplaceAllString(at, "")
		if number.MatchString(at) {
			source[data.Role] += fmt.Sprintf(", seed %d", data.Seed)
		}
		if data.Role == "test" && source["test"] == source["data"] {
			return fmt.Sprintf("the examples of %s are among those of --data: what a model has learned from says little about anything else", data.Specification)
		}
	}
	return ""
}

// maxLabelled is how many labels are counted.
const maxLabelled = 1 << 20

// dataRecord is what run.json says of a data set.
func dataRecord(d dataChoice, set dataset.Set, look train.Look) runfolder.Data {
	info := set.Info()
	read := runfolder.Data{
		Role: d.flag, Specification: info.Name, Seed: d.seed, Files: len(info.Files),
		Examples: set.Len(), Shape: info.Shape, Stored: info.Stored, Low: info.Low, High: info.High, Remarks: info.Remarks,
	}
	if look.Rho > 0 {
		read.Rho, read.RhoExamples = look.Rho, look.Examples
	}
	if set.Len() == 0 {
		return read
	}
	_, read.Labelled = set.Label(0)
	read.Classes = countClasses(set)
	return read
}

// countClasses is how many different labels a set has; 0 if it has none, or too many
// examples to look at all.
func countClasses(set dataset.Set) int {
	classes := map[int]bool{}
	if set.Len() > maxLabelled {
		return 0
	}
	for i := range set.Len() {
		if label, ok := set.Label(i); ok {
			classes[label] = true
		}
	}
	return len(classes)
}

// heldRecord is what run.json says of examples that are held out of a data set.
func heldRecord(of runfolder.Data, held dataset.Set) runfolder.Data {
	of.Role, of.Examples, of.Classes = "validation", held.Len(), countClasses(held)
	of.Rho, of.RhoExamples, of.Remarks = 0, 0, nil
	return of
}

// sortedLabels warns, "" for no need, of the last examples of data that are sorted by
// their labels: nothing can be judged by a few classes.
func sortedLabels(data, held runfolder.Data) (warning string) {
	if !data.Labelled || data.Classes == 0 || held.Examples < 3*data.Classes || 2*held.Classes > data.Classes {
		return ""
	}
	return fmt.Sprintf("the %d examples held out have %d of the %d classes of the others: the data seem to be sorted by their labels; shuffle them", held.Examples, held.Classes, data.Classes)
}

// describeData is a line on what data were taken for.
func describeData(d dataChoice, read runfolder.Data, held dataset.Set) string {
	text := d.flag + " " + read.Specification
	if d.own != "" {
		text += " (" + d.own + ")"
	}
	text += ": " + read.String()
	if held != nil {
		text += fmt.Sprintf("; %d more held out", held.Len())
	}
	return text
}
