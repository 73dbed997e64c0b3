package job

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// Every command that makes something ends with another one that goes on from there.

// Wrote names the picture that a job is about, shows it if --preview asks for it,
// and tells by the words of a command what to do next.
func (j *Job) Wrote(name string, next ...string) {
	j.Console.Wrote(j.Folder.Path(name))
	j.Console.Preview(j.Folder.Path(name))
	j.Console.Next(next...)
}

// OnUnits is another command on the units that this one has looked at.
func (j *Job) OnUnits(command string) []string {
	words := append(strings.Fields(command), "--model", j.Ctx.String("model"), "--layer", fmt.Sprint(j.Ctx.Int("layer")), "--units", j.Ctx.String("units"))
	if j.Ctx.IsSet("seed") {
		words = append(words, "--seed", fmt.Sprint(j.Ctx.Uint64("seed")))
	}
	return append(words, "--out", j.besideOut(words[1]))
}

// AscentOnUnits is an ascent of the units that this command has looked at; or a report,
// where there is no norm to climb at.
func (j *Job) AscentOnUnits(n *network.Network) []string {
	if n.Radius == 0 {
		return j.ReportOn()
	}
	return j.OnUnits(schema.TaskAscent)
}

// besideOut is a name for a run folder that goes on from this one.
func (j *Job) besideOut(what string) string { return BesideFolder(j.Ctx.String("out"), what) }

// AfterAscent is an analysis of the patterns that an ascent has found. Those of
// minimal activation are for looking at.
func (j *Job) AfterAscent(o visualize.AscentOptions) []string {
	switch {
	case o.KeepAll:
		return append(strings.Fields(schema.TaskRestarts), "--ascent", j.Ctx.String("out"), "--out", j.besideOut("modes"))
	case o.Direction < 0:
		return j.ReportOn()
	}
	return append(strings.Fields(schema.TaskSelectivity), "--model", j.Ctx.String("model"), "--ascent", j.Ctx.String("out"), "--out", j.besideOut("selectivity"))
}

// ReportOn is a report of this run, and of those that it was made from: with them
// it has the models and their units too.
func (j *Job) ReportOn() []string {
	runs := []string{j.Ctx.String("out")}
	add := func(path string) {
		folder := filepath.Dir(ModelFile(path))
		if _, err := runfolder.ReadRecord(folder); path != "" && err == nil && !slices.Contains(runs, folder) {
			runs = append(runs, folder)
		}
	}
	for _, name := range []string{"model", "dbn", "sdae"} {
		add(j.Ctx.String(name))
	}
	if ascent := j.Ctx.String("ascent"); ascent != "" {
		folder := filepath.Clean(ascent)
		runs = append(runs, folder)
		if r, err := runfolder.ReadRecord(folder); err == nil {
			add(r.Options["model"])
		}
	}
	return append([]string{schema.TaskReport, "--out", j.besideOut(schema.TaskReport)}, runs...)
}
