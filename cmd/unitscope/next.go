package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

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

// programWords are the words that call the program as it was called: ./unitscope is
// not on the path, and what `go run` has made is gone when people read its name.
func programWords(ctx *cli.Context) []string {
	called := args(ctx)
	if len(called) == 0 {
		return []string{"unitscope"}
	}
	if !madeByGoRun(called[0]) {
		return called[:1]
	}
	const here = "./cmd/unitscope"
	if info, err := os.Stat(here); err == nil && info.IsDir() {
		return []string{"go", "run", here}
	}
	build, ok := debug.ReadBuildInfo()
	switch {
	case !ok || build.Path == "":
		return []string{"unitscope"}
	case build.Main.Version == "" || build.Main.Version == "(devel)":
		return []string{"go", "run", build.Path}
	}
	return []string{"go", "run", build.Path + "@" + build.Main.Version}
}

// madeByGoRun is true for programs in the folders that the go command builds in:
// go-build followed by a number for a temporary one, go-build for its cache.
func madeByGoRun(path string) bool {
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(filepath.Dir(path)), "/"), func(folder string) bool {
		number, ok := strings.CutPrefix(folder, "go-build")
		return ok && strings.Trim(number, "0123456789") == ""
	})
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

// besideFolder is a name for what goes on from a folder, one that nothing has yet.
func besideFolder(folder, what string) string {
	name := filepath.Clean(folder) + "-" + what
	return unusedName(name)
}

// unusedName is a name, or if something has it the first of NAME-2, NAME-3 and so on
// that nothing has.
func unusedName(name string) string {
	unused := name
	for i := 2; ; i++ {
		if _, err := os.Lstat(unused); err != nil {
			return unused
		}
		unused = fmt.Sprintf("%s-%d", name, i)
	}
}

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
