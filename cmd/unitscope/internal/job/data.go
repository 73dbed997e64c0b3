package job

import (
	"errors"
	"fmt"
	"os"
	"regexp"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/train"
)

// DataChoice says which data set a command reads, and how much of it.
type DataChoice struct {
	Flag              string // that names it, "data" or "test"
	Spec              string
	Seed              uint64
	Limit, Validation int
	// own says what of the above is the training run's of the model, for people; "" if
	// flags say it all.
	own  string
	open dataset.Set // if it has been opened already
}

// OpenData opens a data set with --limit and --validation. Closing set closes held.
func OpenData(d DataChoice) (set, held dataset.Set, err error) {
	all := d.open
	if all == nil {
		if all, err = dataset.Open(d.Spec, d.Seed); err != nil {
			return nil, nil, fmt.Errorf("--%s: %w", d.Flag, err)
		}
	}
	set = all
	if d.Limit != 0 {
		if set, err = dataset.Head(set, d.Limit); err != nil {
			return nil, nil, errors.Join(usage.Mistakef("--limit: %w", err), all.Close())
		}
	}
	if d.Validation != 0 {
		if set, held, err = dataset.Split(set, d.Validation); err != nil {
			return nil, nil, errors.Join(usage.Mistakef("--validation: %w", err), all.Close())
		}
	}
	return set, held, nil
}

// SeeData is what every command does first with data that it has opened: it says
// what they were taken for, keeps that for the record of the run, and refuses what
// does not suit the model; n is nil where there is none yet.
func SeeData(c *console.Console, d DataChoice, set, held dataset.Set, n *network.Network) (train.Look, error) {
	look, err := train.LookAt(n, set)
	info, all := set.Info(), set.Len()
	read := dataRecord(d, set, look)
	c.Data = append(c.Data, read)
	if held != nil {
		all += held.Len()
		apart := heldRecord(read, held)
		c.Data = append(c.Data, apart)
		if warning := sortedLabels(read, apart); warning != "" {
			c.Warn("--validation", "--validation: %s", warning)
		}
	}
	c.Tell(describeData(d, read, held), "data", read)
	for _, remark := range info.Remarks {
		c.Say("%s %s: %s", d.Flag, info.Name, remark)
	}
	if d.Limit > all {
		c.Warn("--limit", "--limit %d: %s has only %s; all are used", d.Limit, info.Name, words.Count(all, "example"))
	}
	for _, warning := range append(info.Warnings, look.Warnings...) {
		c.Warn(d.Flag, "--%s: %s", d.Flag, warning)
	}
	if errors.Is(err, train.ErrUnsuitable) {
		return look, usage.Mistakef("--%s: %w", d.Flag, err)
	}
	if err != nil {
		return look, fmt.Errorf("--%s: %w", d.Flag, err)
	}
	return look, nil
}

// OpenFor opens the data that a command looks at with a model, from file, those of
// chooseData.
func (j *Job) OpenFor(n *network.Network, file string) (set, held dataset.Set, look train.Look, err error) {
	d, err := j.chooseData(file)
	if err != nil {
		return nil, nil, look, err
	}
	return j.Open(d, n)
}

// Open opens data, looks at them and lists their files for the record.
func (j *Job) Open(d DataChoice, n *network.Network) (set, held dataset.Set, look train.Look, err error) {
	if set, held, err = OpenData(d); err != nil {
		return nil, nil, look, err
	}
	j.inputs = append(j.inputs, set.Info().Files...)
	if look, err = SeeData(j.Console, d, set, held, n); err != nil {
		return nil, nil, look, errors.Join(err, set.Close())
	}
	return set, held, look, nil
}

// OpenTest opens --test, nil without it, and finds out whether its examples belong
// with those of --data.
func (j *Job) OpenTest(n *network.Network, data train.Look) (dataset.Set, error) {
	d := DataChoice{Flag: "test", Spec: j.Ctx.String("test"), Seed: j.Ctx.Uint64("seed")}
	if d.Spec == "" {
		return nil, nil
	}
	test, _, look, err := j.Open(d, n)
	if err != nil {
		return nil, err
	}
	if warning := look.Against(data); warning != "" {
		j.Console.Warn(d.Flag, "--%s: %s", d.Flag, warning)
	}
	if warning := sameData(j.Console.Data); warning != "" {
		j.Console.Warn(d.Flag, "--%s: %s", d.Flag, warning)
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
func dataRecord(d DataChoice, set dataset.Set, look train.Look) runfolder.Data {
	info := set.Info()
	read := runfolder.Data{
		Role: d.Flag, Specification: info.Name, Seed: d.Seed, Files: len(info.Files),
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
func describeData(d DataChoice, read runfolder.Data, held dataset.Set) string {
	text := d.Flag + " " + read.Specification
	if d.own != "" {
		text += " (" + d.own + ")"
	}
	text += ": " + read.String()
	if held != nil {
		text += fmt.Sprintf("; %d more held out", held.Len())
	}
	return text
}
