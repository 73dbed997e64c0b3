package measuring

import (
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/looking"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/picture"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

func analyzeConnectionsCommand() *cli.Command {
	flags := append(usage.ModelFlags(),
		&cli.IntFlag{Name: "top", Value: visualize.DefaultConnections, Usage: "`N` units of each side, at least 1"})
	return &cli.Command{
		Name:  "connections",
		Usage: "the units below and above that a unit has the largest weights to",
		Description: "Writes to --out: connections.npz and connections.csv (for each unit those below and above with the largest weights,\n" +
			"whatever their sign, with these) and run.json. Standard output gets a table. Where layers are joined by something else than\n" +
			"weights, such as a sum of several, there are none, and that is said; of a row of such a sum and another layer, the other's units\n" +
			"alone are listed, though weights to the sum may be larger. The weights of layer 1 are its filters.",
		Flags:  append(flags, usage.RunFlags()...),
		Action: analyzeConnections,
	}
}

// analyzeConnections is `unitscope analyze connections`.
func analyzeConnections(ctx *cli.Context) error {
	j, err := job.Begin(ctx, schema.TaskConnections)
	if err != nil {
		return err
	}
	o := visualize.ConnectionsOptions{Top: ctx.Int("top")}
	if err := o.Check(); err != nil {
		return usage.Mistake(err)
	}
	of, units, err := looking.LoadUnits(j)
	if err != nil {
		return err
	}
	n := of.Network
	o.Layer, o.Units = of.Layers[0], units
	var result *visualize.ConnectionsResult
	err = j.Compute(ctx.Uint64("seed"), []string{of.File}, func(d engine.Device, f *runfolder.Folder) error {
		j.WarnOfLayers(d, of)
		if result, err = visualize.Connections(n, o); err != nil {
			return err
		}
		for _, remark := range result.Remarks {
			j.Console.Say("%s", remark)
		}
		if err := f.Write(schema.ConnectionsArrays, result.WriteArrays); err != nil {
			return err
		}
		return f.Write(schema.ConnectionsTable, result.WriteTable)
	})
	if err != nil {
		return err
	}
	// Lines that can not be printed are noticed at the end.
	fmt.Fprintf(ctx.App.Writer, "%s, largest weights below and above:\n", picture.LayerHeading(n, result.Layer))
	_ = console.WriteTable(ctx.App.Writer, connectionsTable(n, result))
	j.Console.Wrote(j.Folder.Path(schema.ConnectionsTable))
	j.Console.Next(looking.AscentOnUnits(j, n)...)
	return nil
}

// listedConnections are as many of a side as a line on the terminal has.
const listedConnections = 4

// connectionsTable is a line for each side of each of the first units.
func connectionsTable(n *network.Network, r *visualize.ConnectionsResult) [][]string {
	rows := [][]string{{"unit", "side", "strongest"}}
	for u, unit := range r.Units[:min(len(r.Units), listedUnits)] {
		for _, side := range []struct {
			name string
			of   []visualize.Connection
		}{{schema.Below, r.Below[u]}, {schema.Above, r.Above[u]}} {
			text := "none"
			for k, c := range side.of[:min(len(side.of), listedConnections)] {
				if k == 0 {
					text = ""
				} else {
					text += ", "
				}
				text += fmt.Sprintf("%s unit %d: %+.3g", n.LayerTitle(c.Layer), c.Unit, c.Weight)
			}
			rows = append(rows, []string{strconv.Itoa(unit), side.name, text})
		}
	}
	if more := len(r.Units) - listedUnits; more > 0 {
		rows = append(rows, []string{fmt.Sprintf("and %s, see %s", words.Count(more, "more unit"), schema.ConnectionsTable)})
	}
	return rows
}
