package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/visualize"
)

// Every command that makes something ends with another one that goes on from there.

// wrote names the picture that a job is about, shows it if --preview asks for it,
// and tells by the words of a command what to do next.
func (j *job) wrote(name string, next ...string) {
	j.console.wrote(j.folder.Path(name))
	j.console.preview(j.folder.Path(name))
	j.console.next(next...)
}

// onUnits is another command on the units that this one has looked at.
func (j *job) onUnits(command string) []string {
	words := append(strings.Fields(command), "--model", j.ctx.String("model"), "--layer", fmt.Sprint(j.ctx.Int("layer")), "--units", j.ctx.String("units"))
	if j.ctx.IsSet("seed") {
		words = append(words, "--seed", fmt.Sprint(j.ctx.Uint64("seed")))
	}
	return append(words, "--out", j.besideOut(words[1]))
}

// climbing is an ascent of the units that this command has looked at; or a report,
// where there is no norm to climb at.
func (j *job) climbing(n *network.Network) []string {
	if n.Radius == 0 {
		return j.reportOn()
	}
	return j.onUnits("visualize ascent")
}

// besideOut is a name for a run folder that goes on from this one.
func (j *job) besideOut(what string) string { return besideFolder(j.ctx.String("out"), what) }

// afterAscent is an analysis of the patterns that an ascent has found. Those of
// minimal activation are for looking at.
func (j *job) afterAscent(o visualize.AscentOptions) []string {
	switch {
	case o.KeepAll:
		return []string{"analyze", "restarts", "--ascent", j.ctx.String("out"), "--out", j.besideOut("modes")}
	case o.Direction < 0:
		return j.reportOn()
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
