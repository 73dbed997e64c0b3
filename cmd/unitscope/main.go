// Unitscope shows what a single unit of a deep network has learned: it trains
// Deep Belief Nets and Stacked Denoising Auto-Encoders and draws their units in
// input space, after Erhan, Bengio, Courville and Vincent, "Visualizing
// Higher-Layer Features of a Deep Network" (Technical Report 1341, Université
// de Montréal, 2009). Start with
//
//	unitscope demo
//
// Exit codes: 0 for success, 2 for a mistake in the command, 1 for a failure, 141 if
// whoever reads standard output has closed it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/figures"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/help"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/looking"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/machine"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/making"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/measuring"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/reporting"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	_ "github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/report/runfolder"
)

func main() {
	ctx, stop := console.UntilSignal()
	memory.Collect()
	code := run(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 2 && args[1] == "help" {
		// The library's help knows commands, but not commands of commands.
		args = append(append([]string{args[0]}, args[2:]...), "--help")
	}
	out := &console.Results{Writer: stdout}
	app := newApp(out, stderr)
	usage.Called(app, args, false)
	if len(args) > 1 && args[1] == help.CompleteName {
		// Before the library, which would refuse a command that is not complete.
		if help.Complete(out, help.ProgramPage(app), args[2:]) != nil {
			return usage.ExitFailure
		}
		return 0
	}
	err := help.Repeated(help.ProgramPage(app), args[min(1, len(args)):])
	if err == nil {
		err = out.Failed(app.RunContext(ctx, reporting.OptionsFirst(app, args)))
	}
	if err == nil {
		return 0
	}
	if out.Unread(err) {
		return usage.ExitUnread
	}
	code := usage.ExitFailure
	if usage.IsMistake(err) || errors.Is(err, dataset.ErrSpecification) {
		code = usage.ExitUsage
	}
	if log := console.Records(app, args); log != nil {
		log.Error(errorText(err), "exit_code", code)
	} else {
		fmt.Fprintf(stderr, "unitscope: %s\n", errorText(err))
	}
	return code
}

// errorText is what people are told of an error. A context ends here by Ctrl-C or
// SIGTERM only.
func errorText(err error) string {
	text := usage.OneLine(err)
	if errors.Is(err, context.Canceled) {
		text = strings.ReplaceAll(text, context.Canceled.Error(), "interrupted")
	}
	return text
}

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:      "unitscope",
		Usage:     "see what the units of a deep network have learned",
		UsageText: "unitscope COMMAND [--flag VALUE]...",
		Description: "Trains Deep Belief Nets and Stacked Denoising Auto-Encoders, reads networks of other frameworks, and draws any unit of any layer in input space.\n\n" +
			"New here? `unitscope demo` needs nothing else, takes about a minute on two cores and leaves pictures to look at. " +
			"With a model of your own, of this program or another framework: `unitscope look MODEL`.",
		Version:   versionText(),
		Writer:    stdout,
		ErrWriter: stderr,
		// Names of files may have commas.
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {},
		Commands: slices.Concat(
			category("Make a model", reporting.DemoCommand(newApp), making.TrainCommand(), making.FinetuneCommand(), making.SearchCommand()),
			category("Look at units", reporting.LookCommand(newApp), looking.VisualizeCommand()),
			category("Measure", measuring.AnalyzeCommand()),
			category("Report", figures.FigureCommand(), reporting.PaperCommand(newApp), reporting.ReportCommand()),
			category("Explain", help.TopicCommands()...),
			category("This machine and this program", machine.BenchCommand(), machine.DevicesCommand(), versionCommand(), help.CompletionCommand(), help.ManualCommand()),
		),
	}
	help.Prepare(app)
	return app
}

// category puts commands under a heading of their own.
func category(title string, commands ...*cli.Command) []*cli.Command {
	for _, c := range commands {
		c.Category = title
	}
	return commands
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "say which version this is, and what it was built with",
		Description: "Prints what run.json keeps of every run as versions: the program, Go, the platform.",
		Action: func(ctx *cli.Context) error {
			cli.ShowVersion(ctx)
			return nil
		},
	}
}

func versionText() string {
	v := runfolder.CurrentVersions()
	return fmt.Sprintf("%s, %s, %s", v.Program, v.Go, v.Platform)
}
