// Package looking has the commands that look at units of one layer, visualize ascent,
// sample, combine and examples, and what others share with them: flags and their options,
// the choice of units and of a norm, and [Ascend] and [Draw], which do the work.
package looking

import "github.com/urfave/cli/v2"

// VisualizeCommand is `unitscope visualize`.
func VisualizeCommand() *cli.Command {
	return &cli.Command{
		Name:        "visualize",
		Usage:       "show units in input space",
		Subcommands: []*cli.Command{ascentCommand(), sampleCommand(), combineCommand(), examplesCommand()},
	}
}
