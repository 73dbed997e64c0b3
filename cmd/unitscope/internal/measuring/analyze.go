// Package measuring has the commands that measure what pictures only show, analyze
// restarts, selectivity, compare, tuning, connections and likelihood, and what a figure
// of selectivity shares with them.
package measuring

import "github.com/urfave/cli/v2"

// AnalyzeCommand is `unitscope analyze`.
func AnalyzeCommand() *cli.Command {
	return &cli.Command{
		Name:        "analyze",
		Usage:       "measure what pictures only show (section 6 of Erhan et al., 2009)",
		Subcommands: []*cli.Command{analyzeRestartsCommand(), analyzeSelectivityCommand(), analyzeCompareCommand(), analyzeTuningCommand(), analyzeConnectionsCommand(), likelihoodCommand()},
	}
}
