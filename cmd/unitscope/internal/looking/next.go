package looking

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// OnUnits is another command on the units that this one has looked at.
func OnUnits(j *job.Job, command string) []string {
	words := slices.Concat(strings.Fields(command), theModel(j), []string{"--layer", j.Ctx.String("layer"), "--units", j.Ctx.String("units")})
	if j.Ctx.IsSet("seed") {
		words = append(words, "--seed", fmt.Sprint(j.Ctx.Uint64("seed")))
	}
	return append(words, "--out", j.BesideOut(words[1]))
}

// AscentOnUnits is an ascent of the units that this command has looked at; or a report,
// where there is no norm to climb at.
func AscentOnUnits(j *job.Job, n *network.Network) []string {
	if n.Radius == 0 {
		return j.ReportOn()
	}
	return OnUnits(j, schema.TaskAscent)
}

// afterAscent is an analysis of the patterns that an ascent has found. Those of
// minimal activation, or of what are no units, are for looking at.
func afterAscent(j *job.Job, o visualize.AscentOptions) []string {
	out := j.Ctx.String("out")
	switch {
	case o.KeepAll:
		return append(strings.Fields(schema.TaskRestarts), "--ascent", out, "--out", j.BesideOut("modes"))
	case o.Direction < 0 || o.Objectives != nil:
		return j.ReportOn()
	}
	return slices.Concat(strings.Fields(schema.TaskSelectivity), theModel(j), []string{"--ascent", out, "--out", j.BesideOut("selectivity")})
}

// theModel is the model of this command, with what was said of its file.
func theModel(j *job.Job) []string {
	return append([]string{"--model", j.Ctx.String("model")}, usage.Given(j.Ctx, usage.FileFlags())...)
}
