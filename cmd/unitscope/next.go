package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/report/runfolder"
)

// Every command that makes something ends with another one that goes on from there.

// wrote names the picture that a job is about, shows it if --preview asks for it,
// and tells by the words of a command what to do next.
func (j *job) wrote(name string, next ...string) {
	j.console.say("wrote %s", j.folder.Path(name))
	j.console.preview(j.folder.Path(name))
	j.console.next(next...)
}

// onUnits is another command on the units that this one has looked at.
func (j *job) onUnits(command string) []string {
	words := append(strings.Fields(command), "--model", j.ctx.String("model"), "--layer", fmt.Sprint(j.ctx.Int("layer")), "--units", j.ctx.String("units"))
	return append(words, "--out", j.besideOut(words[1]))
}

// besideOut is a name for a run folder that goes on from this one.
func (j *job) besideOut(what string) string { return filepath.Clean(j.ctx.String("out")) + "-" + what }

// afterAscent is an analysis of the patterns that an ascent has found.
func (j *job) afterAscent(all bool) []string {
	if all {
		return []string{"analyze", "restarts", "--ascent", j.ctx.String("out"), "--out", j.besideOut("modes")}
	}
	return []string{"analyze", "selectivity", "--model", j.ctx.String("model"), "--ascent", j.ctx.String("out"), "--out", j.besideOut("selectivity")}
}

// reportOn is a report of this run, and of those that it was made from: with them
// it has the models and their units too.
func (j *job) reportOn() []string {
	runs := []string{j.ctx.String("out")}
	add := func(path string) {
		folder := filepath.Dir(modelFile(path))
		if _, err := runfolder.ReadRecord(folder); path != "" && err == nil && !slices.Contains(runs, folder) {
			runs = append(runs, folder)
		}
	}
	for _, name := range []string{"model", "dbn", "sdae"} {
		add(j.ctx.String(name))
	}
	if ascent := j.ctx.String("ascent"); ascent != "" {
		folder := filepath.Clean(ascent)
		runs = append(runs, folder)
		if r, err := runfolder.ReadRecord(folder); err == nil {
			add(r.Options["model"])
		}
	}
	return append([]string{"report", "--out", j.besideOut("report")}, runs...)
}
