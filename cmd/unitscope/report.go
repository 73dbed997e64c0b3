package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/report/site"
)

const reportFolder = "unitscope-report"

func reportCommand() *cli.Command {
	flags := []cli.Flag{
		outFlag(reportFolder), forceFlag(),
		&cli.StringFlag{Name: "title", Value: "What the units have learned", Usage: "`TEXT` above the report"},
	}
	return &cli.Command{
		Name:      site.Task,
		Usage:     "one self-contained HTML file from run folders",
		ArgsUsage: "DIR...",
		Description: "Takes run folders, and folders with run folders in them, such as those of a demo or a paper, and writes\n" +
			"index.html to --out: pictures, training curves and tables, a grid of units for every layer, and a page for every\n" +
			"unit. It needs no network and no other file; a report of more than 40 MiB has a file for every layer.\n" +
			"Folders of runs that are not complete, of another version, or changed since, are named in it and not shown.",
		Flags:  append(flags, speakFlags()...),
		Action: reportRuns,
	}
}

// reportRuns is `unitscope report`.
func reportRuns(ctx *cli.Context) error {
	folders := ctx.Args().Slice()
	if len(folders) == 0 {
		return usagef("report: no run folder given; want `unitscope report DIR...`, as `unitscope report %s`", demoFolder)
	}
	j, err := begin(ctx, site.Task)
	if err != nil {
		return err
	}
	began := time.Now()
	out := ctx.String("out")
	r, err := site.Build(folders, site.Options{Title: ctx.String("title"), Folder: out})
	if err != nil {
		return err
	}
	for _, p := range r.Problems {
		j.console.say("%s: %s", p.Folder, p.Text)
	}
	record, err := runfolder.NewRecord(site.Task, args(ctx), j.resolved, 0, engine.Info{}, r.Inputs())
	if err != nil {
		return err
	}
	f, err := runfolder.Create(out, j.mode, record)
	if err != nil {
		return err
	}
	if err := r.Write(f.Write); err != nil {
		return fmt.Errorf("%w; the folder %s is not complete", err, out)
	}
	if err := f.Finish(); err != nil {
		return err
	}
	index := filepath.Join(out, site.IndexName)
	j.console.say("the report took %s; open it in a browser", time.Since(began).Round(100*time.Millisecond))
	fmt.Fprintln(ctx.App.Writer, index)
	return nil
}

// optionsFirst puts the options of a command that takes arguments before them:
// the library reads no option after the first argument, and people write them
// there.
func optionsFirst(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	c := app.Command(args[1])
	if c == nil || c.ArgsUsage == "" {
		return args
	}
	alone := map[string]bool{"help": true, "h": true} // options without a value
	for _, f := range c.Flags {
		if _, ok := f.(*cli.BoolFlag); ok {
			alone[f.Names()[0]] = true
		}
	}
	var options, others []string
	for i := 2; i < len(args); i++ {
		name, _, valued := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		switch {
		case args[i] == "--":
			others = append(others, args[i+1:]...)
			i = len(args)
		case !strings.HasPrefix(args[i], "-") || args[i] == "-":
			others = append(others, args[i])
		case valued || alone[name] || i+1 == len(args):
			options = append(options, args[i])
		default:
			options = append(options, args[i], args[i+1])
			i++
		}
	}
	return slices.Concat(args[:2], options, []string{"--"}, others)
}
