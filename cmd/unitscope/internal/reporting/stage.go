package reporting

import (
	"context"
	"io"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
)

// Program makes the program anew, with these outputs: a command that is made of
// others calls them through it, as people would.
type Program func(stdout, stderr io.Writer) *cli.App

// runStage runs the command line of a stage.
func (p Program) runStage(ctx context.Context, call []string, stdout, stderr io.Writer) error {
	app := p(stdout, stderr)
	usage.Called(app, call, true)
	return app.RunContext(ctx, call)
}

// stage is one command of a paper with a run folder of its own.
type stage struct {
	folder    string   // under --out
	args      []string // of unitscope, without --out
	resumable bool     // it takes --resume
}

// command is the stage as it can be called by itself.
func (s stage) command(out string) []string {
	return slices.Concat([]string{"unitscope"}, s.args, []string{"--out", filepath.Join(out, s.folder)})
}
