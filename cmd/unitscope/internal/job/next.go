package job

import (
	"path/filepath"
	"slices"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// Every command that makes something ends with another one that goes on from there.

// Wrote names the picture that a job is about, shows it if --preview asks for it,
// and tells by the words of a command what to do next.
func (j *Job) Wrote(name string, next ...string) {
	j.Console.Wrote(j.Folder.Path(name))
	j.Console.Preview(j.Folder.Path(name))
	j.Console.Next(next...)
}

// BesideOut is a name for a run folder that goes on from this one.
func (j *Job) BesideOut(what string) string { return BesideFolder(j.Ctx.String("out"), what) }

// ReportOn is a report of this run, and of those that it was made from: with them
// it has the models and their units too.
func (j *Job) ReportOn() []string {
	runs := []string{j.Ctx.String("out")}
	add := func(path string) {
		folder := filepath.Dir(network.FileOf(path))
		if _, err := runfolder.ReadRecord(folder); path != "" && err == nil && !slices.Contains(runs, folder) {
			runs = append(runs, folder)
		}
	}
	for _, name := range []string{"model", "dbn", "sdae"} {
		for _, path := range usage.Values(j.Ctx, name) {
			add(path)
		}
	}
	if ascent := j.Ctx.String("ascent"); ascent != "" {
		folder := filepath.Clean(ascent)
		runs = append(runs, folder)
		if r, err := runfolder.ReadRecord(folder); err == nil {
			add(r.Options["model"])
		}
	}
	return append([]string{schema.TaskReport, "--out", j.BesideOut(schema.TaskReport)}, runs...)
}
