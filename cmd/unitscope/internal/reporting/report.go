// Package reporting has the commands that are made of others, look, demo and paper,
// and report, which makes a page of run folders.
package reporting

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/report/site"
	"github.com/unitscope/unitscope/schema"
)

const reportFolder = "unitscope-report"

// ReportCommand is `unitscope report`.
func ReportCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "out", Value: reportFolder, Usage: "`DIR`, the run folder for the report, which must be new or empty; or FILE.html for one file and nothing else"},
		&cli.BoolFlag{Name: "force", Usage: "use --out even if it is there: a file is replaced, and so is all that a report before made; other files stay"},
		&cli.StringFlag{Name: "title", Value: "What the units have learned", Usage: "`TEXT` above the report"},
	}
	return &cli.Command{
		Name:      schema.TaskReport,
		Usage:     "one self-contained HTML file from run folders",
		ArgsUsage: "DIR...",
		Description: "Takes run folders, and folders with run folders in them, such as those of a demo or a paper, and writes\n" +
			"index.html to --out: pictures, training curves and tables, a grid of units for every layer, and a page for every\n" +
			"unit. It needs no network and no other file. A report of more than 40 MiB of pictures has a file for every layer,\n" +
			"unless --out is a FILE.html, which takes all of it, to send to somebody.\n" +
			"Folders of runs that are not complete, of another version, or changed since, are named in it and not shown.",
		Flags:  append(flags, usage.SpeakFlags()...),
		Action: reportRuns,
	}
}

// reportRuns is `unitscope report`.
func reportRuns(ctx *cli.Context) error {
	folders := ctx.Args().Slice()
	if len(folders) == 0 {
		return usage.Mistakef("report: no run folder given; want `unitscope report DIR...`, as `unitscope report %s`", demoFolder)
	}
	out := ctx.String("out")
	if ext := filepath.Ext(out); ext == ".html" || ext == ".htm" {
		return reportFile(ctx, folders, out)
	}
	j, err := job.Begin(ctx, schema.TaskReport)
	if err != nil {
		return err
	}
	// --force is for the report before, not for what reports are made from.
	switch before, err := runfolder.ReadRecord(out); {
	case err == nil && before.Task != schema.TaskReport:
		return usage.Mistakef("--out %s: it holds a run of %q, which a report does not replace; choose another folder", out, before.Task)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	began := time.Now()
	r, err := buildReport(ctx, j.Console, folders, out)
	if err != nil {
		return err
	}
	record, err := j.NewRecord(0, engine.Info{}, r.Inputs())
	if err != nil {
		return err
	}
	f, err := runfolder.Create(out, j.Start, record)
	if err != nil {
		return err
	}
	j.Console.KeepWarnings(f)
	if err := r.Write(ctx.Context, f.Write); err != nil {
		return errors.Join(fmt.Errorf("%w; the folder %s is not complete", err, out), f.Abandon())
	}
	if err := f.Finish(); err != nil {
		return err
	}
	sayReport(ctx, j.Console, began, filepath.Join(out, schema.IndexPage))
	return nil
}

// reportFile writes one file, without a run folder around it.
func reportFile(ctx *cli.Context, folders []string, out string) error {
	c, err := console.New(ctx)
	if err != nil {
		return err
	}
	switch info, err := os.Stat(out); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("--out: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("--out %s: it is no file; name a new one, or a folder without .html", out)
	case ofRun(out):
		return usage.Mistakef("--out %s: it is a file of the run in %s, which would no longer be what the run wrote; name another file", out, filepath.Dir(out))
	case !ctx.Bool("force"):
		return fmt.Errorf("--out %s: the file is there already; choose another, or replace it with --force", out)
	}
	began := time.Now()
	r, err := buildReport(ctx, c, folders, "")
	if err != nil {
		return err
	}
	if err := runfolder.WriteFile(out, func(w io.Writer) error { return r.WriteOne(ctx.Context, w) }); err != nil {
		return err
	}
	sayReport(ctx, c, began, out)
	return nil
}

// ofRun is true for a file that a run has written into its folder.
func ofRun(path string) bool {
	r, err := runfolder.ReadRecord(filepath.Dir(path))
	return err == nil && slices.ContainsFunc(r.Outputs, func(o runfolder.FileDigest) bool { return o.Name == filepath.Base(path) })
}

// buildReport puts a report together and says what is not shown in it.
func buildReport(ctx *cli.Context, c *console.Console, folders []string, out string) (*site.Report, error) {
	r, err := site.Build(ctx.Context, folders, site.Options{Title: ctx.String("title"), Folder: out})
	if err != nil {
		return nil, err
	}
	for _, p := range r.Problems {
		c.Warn("run folder", "%s: %s", p.Folder, p.Text)
	}
	return r, nil
}

func sayReport(ctx *cli.Context, c *console.Console, began time.Time, file string) {
	c.Say("the report took %s; open it in a browser", time.Since(began).Round(100*time.Millisecond))
	fmt.Fprintln(ctx.App.Writer, file)
}

// OptionsFirst puts the options of a command that takes arguments before them:
// the library reads no option after the first argument, and people write them
// there.
func OptionsFirst(app *cli.App, args []string) []string {
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
		case valued || alone[name]:
			options = append(options, args[i])
			if name == "help" || name == "h" {
				return append(args[:2:2], "--help")
			}
		case i+1 == len(args):
			// The library says that its value is missing.
			return slices.Concat(args[:2], options, args[i:])
		default:
			options = append(options, args[i], args[i+1])
			i++
		}
	}
	return slices.Concat(args[:2], options, []string{"--"}, others)
}
