package job

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// RunDataUsage is how the help of --data says what holds without it.
const RunDataUsage = "(default: what the model was trained on, which its run folder says)"

// RunLimitUsage is the same for --limit and --validation of commands that have both.
const RunLimitUsage = " (default: that of the model's training where --data, --limit and --validation are all left out, else 0)"

// chooseData is the data set of --data, --limit and --validation; or where --data
// is not given, what the model in a file was trained on.
func (j *Job) chooseData(model string) (DataChoice, error) {
	d := j.Given()
	if d.Spec != "" {
		return d, nil
	}
	if err := j.trainedOn(model, &d); err != nil {
		return d, err
	}
	j.Resolve(map[string]string{"data": d.Spec, "limit": strconv.Itoa(d.Limit), "validation": strconv.Itoa(d.Validation)})
	return d, nil
}

// trainedOn opens the data that a model was trained on, by the record of its run:
// with the seed of that run, and with its --limit and --validation unless one of
// them is given.
func (j *Job) trainedOn(model string, d *DataChoice) error {
	folder := filepath.Dir(model)
	record, err := runfolder.ReadRecord(folder)
	if err != nil || record.Options["data"] == "" || !slices.ContainsFunc(record.Outputs, func(o runfolder.FileDigest) bool { return o.Name == filepath.Base(model) }) {
		return usage.Mistakef("%s: it needs --data DATA too: %s does not say what it was trained on", usage.CommandName(j.Ctx), model)
	}
	if err := runfolder.Verify(folder, filepath.Base(model)); err != nil {
		return usage.Mistakef("%s: it needs --data DATA too: what the model was trained on is not known, since %w", usage.CommandName(j.Ctx), err)
	}
	own := []string{"what the model was trained on"}
	if seed := dataSeed(record); seed != d.Seed {
		d.Seed = seed
		own = append(own, fmt.Sprintf("--seed %d", seed))
	}
	if !j.Ctx.IsSet("limit") && !j.Ctx.IsSet("validation") {
		for name, to := range map[string]*int{"limit": &d.Limit, "validation": &d.Validation} {
			*to, _ = strconv.Atoi(record.Options[name]) // "" is 0
		}
		own = append(own, givenText("limit", d.Limit)...)
		own = append(own, givenText("validation", d.Validation)...)
	}
	d.own = own[0] + "; --data chooses others"
	if len(own) > 1 {
		d.own = own[0] + ", with its " + strings.Join(own[1:], " ") + "; --data chooses others"
	}
	if d.Spec, d.open, err = openTrainedOn(folder, record, d.Seed); err != nil {
		return usage.Mistakef("--data: %s was trained on %s, %w; give the data with --data", model, record.Options["data"], err)
	}
	j.inputs = append(j.inputs, filepath.Join(folder, schema.Record))
	return nil
}

func givenText(flag string, value int) []string {
	if value == 0 {
		return nil
	}
	return []string{fmt.Sprintf("--%s %d", flag, value)}
}

// dataOf is what a record says of --data; ok is false in one of an older version.
func dataOf(record runfolder.Record) (data runfolder.Data, ok bool) {
	i := slices.IndexFunc(record.Data, func(d runfolder.Data) bool { return d.Role == "data" })
	if i < 0 {
		return runfolder.Data{}, false
	}
	return record.Data[i], true
}

// dataSeed is the seed that a run opened its data with.
func dataSeed(record runfolder.Record) uint64 {
	if data, ok := dataOf(record); ok {
		return data.Seed
	}
	if seed, err := strconv.ParseUint(record.Options["seed"], 10, 64); err == nil {
		return seed
	}
	return record.Seed
}

// openTrainedOn opens the data of a run that were given by a path, which starts from
// the folder where the run was made. That may have been moved since, and today's
// Folder may have other files of the same names, so it is the SHA-256 that tells
// which are meant. spec opens them here.
func openTrainedOn(folder string, record runfolder.Record, seed uint64) (spec string, set dataset.Set, err error) {
	var tried []string
	for _, start := range []string{"", record.WorkingFolder, folderOfOut(folder, record.Options["out"])} {
		at, failed := dataset.At(record.Options["data"], start)
		if failed != nil {
			return "", nil, failed
		}
		if slices.Contains(tried, at) {
			continue
		}
		tried = append(tried, at)
		if set, failed = dataset.Open(at, seed); failed == nil {
			if failed = sameFiles(set.Info().Files, record); failed == nil {
				return at, set, nil
			}
			failed = errors.Join(failed, set.Close())
		}
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			err = failed
		}
	}
	return "", nil, fmt.Errorf("which is not here as it was: %w", err)
}

// folderOfOut is the folder that --out started from, by where the run folder is now;
// "" if that can't be told.
func folderOfOut(folder, out string) string {
	absolute, err := filepath.Abs(folder)
	if err != nil || !filepath.IsLocal(out) {
		return ""
	}
	start, ok := strings.CutSuffix(absolute, string(filepath.Separator)+filepath.Clean(out))
	if !ok {
		return ""
	}
	return start
}

// sameFiles makes sure that files are those that a run read.
func sameFiles(files []string, record runfolder.Record) error {
	read := map[string]bool{} // SHA-256
	for _, in := range record.Inputs {
		read[in.SHA256] = true
	}
	for _, path := range files {
		now, err := runfolder.DigestFile(path)
		if err != nil {
			return err
		}
		if !read[now.SHA256] {
			return fmt.Errorf("%s is another file than the run read, by its SHA-256", path)
		}
	}
	if data, ok := dataOf(record); ok && data.Files != len(files) {
		return fmt.Errorf("there are %s, the run read %d", words.Count(len(files), "file"), data.Files)
	}
	return nil
}

// DataFlag is --data of commands that look at what a model was trained on.
func DataFlag(usage string) cli.Flag {
	return &cli.StringFlag{Name: "data", Usage: "`DATA` " + usage + " " + RunDataUsage}
}
