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
	Spec              string // as [dataset.Open] takes it
	Seed              uint64
	Limit, Validation int  // as the flags of these names take them
	AlwaysHeld        bool // a sixth is held out where Validation is 0
	// own says what of the above is the training run's of the model, for people; "" if
	// flags say it all.
	own  string
	open dataset.Set // if it has been opened already
}

// Data are examples that a command reads, opened and looked at.
type Data struct {
	Set     dataset.Set
	Held    dataset.Set      // those held out of Set; nil for none
	Look    train.Look       // what there is to see of Set
	Records []runfolder.Data // what run.json says of Set and Held
}

// Close closes both sets.
func (d *Data) Close() error { return d.Set.Close() }

// Open is what every command does first with data: it opens them, says what they were
// taken for, and refuses what does not suit the model; n is nil where there is none yet.
func Open(c *console.Console, d DataChoice, n *network.Network) (*Data, error) {
	set, held, err := d.sets()
	if err != nil {
		return nil, err
	}
	data := &Data{Set: set, Held: held}
	if err := data.lookAt(c, d, n); err != nil {
		return nil, errors.Join(err, data.Close())
	}
	return data, nil
}

// sets opens a data set with its limit and what is held out of it. Closing set closes
// held.
func (d DataChoice) sets() (set, held dataset.Set, err error) {
	set = d.open
	if set == nil {
		if set, err = dataset.Open(d.Spec, d.Seed); err != nil {
			return nil, nil, fmt.Errorf("--%s: %w", d.Flag, err)
		}
	}
	all := set
	if d.Limit != 0 {
		if set, err = dataset.Head(set, d.Limit); err != nil {
			return nil, nil, errors.Join(usage.Mistakef("--limit: %w", err), all.Close())
		}
	}
	count := d.Validation
	if count == 0 && d.AlwaysHeld {
		if count = set.Len() / 6; count == 0 {
			return nil, nil, errors.Join(usage.Mistakef("--validation: a sixth of %s is none", words.Count(set.Len(), "example")), all.Close())
		}
	}
	if count != 0 {
		if set, held, err = dataset.Split(set, count); err != nil {
			return nil, nil, errors.Join(usage.Mistakef("--validation: %w", err), all.Close())
		}
	}
	return set, held, nil
}

// lookAt says what data were taken for, warns of what is wrong with them, and refuses
// what does not suit the model.
func (data *Data) lookAt(c *console.Console, d DataChoice, n *network.Network) (err error) {
	data.Look, err = train.LookAt(n, data.Set)
	info, all := data.Set.Info(), data.Set.Len()
	read := dataRecord(d, data.Set, data.Look)
	data.Records = append(data.Records, read)
	if data.Held != nil {
		all += data.Held.Len()
		apart := heldRecord(read, data.Held)
		data.Records = append(data.Records, apart)
		if warning := sortedLabels(read, apart); warning != "" {
			c.Warn("--validation", "--validation: %s", warning)
		}
	}
	c.Tell(describeData(d, read, data.Held), "data", read)
	for _, remark := range info.Remarks {
		c.Say("%s %s: %s", d.Flag, info.Name, remark)
	}
	if d.Limit > all {
		c.Warn("--limit", "--limit %d: %s has only %s; all are used", d.Limit, info.Name, words.Count(all, "example"))
	}
	for _, warning := range append(info.Warnings, data.Look.Warnings...) {
		c.Warn(d.Flag, "--%s: %s", d.Flag, warning)
	}
	if errors.Is(err, train.ErrUnsuitable) {
		return usage.Mistakef("--%s: %w", d.Flag, err)
	}
	if err != nil {
		return fmt.Errorf("--%s: %w", d.Flag, err)
	}
	return nil
}

// Given are the data of --data, with --seed, --limit and --validation.
func (j *Job) Given() DataChoice {
	return DataChoice{Flag: "data", Spec: j.Ctx.String("data"), Seed: j.Ctx.Uint64("seed"), Limit: j.Ctx.Int("limit"), Validation: j.Ctx.Int("validation")}
}

// Open opens data as the function Open does, and keeps for the record what they are and
// which files they were read from.
func (j *Job) Open(d DataChoice, n *network.Network) (*Data, error) {
	data, err := Open(j.Console, d, n)
	if err != nil {
		return nil, err
	}
	j.inputs = append(j.inputs, data.Set.Info().Files...)
	j.data = append(j.data, data.Records...)
	return data, nil
}

// OpenFor opens the data that a command looks at with a model: those given, else those
// that the model in a file was trained on.
func (j *Job) OpenFor(n *network.Network, file string) (*Data, error) {
	d, err := j.chooseData(file)
	if err != nil {
		return nil, err
	}
	return j.Open(d, n)
}

// OpenTest opens --test, nil without it, and warns if its examples do not belong with
// those of --data, or are among them.
func (j *Job) OpenTest(n *network.Network, data *Data) (dataset.Set, error) {
	d := DataChoice{Flag: "test", Spec: j.Ctx.String("test"), Seed: j.Ctx.Uint64("seed")}
	if d.Spec == "" {
		return nil, nil
	}
	test, err := j.Open(d, n)
	if err != nil {
		return nil, err
	}
	if warning := test.Look.Against(data.Look); warning != "" {
		j.Console.Warn(d.Flag, "--%s: %s", d.Flag, warning)
	}
	if warning := sameData(j.data); warning != "" {
		j.Console.Warn(d.Flag, "--%s: %s", d.Flag, warning)
	}
	return test.Set, nil
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
