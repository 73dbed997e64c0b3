package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/engine"
)

func devicesCommand() *cli.Command {
	return &cli.Command{
		Name:        "devices",
		Usage:       "list the compute devices, and why one can't be used",
		Description: "Prints a row for each device: its name as --device takes it, what it is, the threads or multiprocessors\nthat share the work, memory, and the features in use.",
		Action:      func(ctx *cli.Context) error { return listDevices(ctx) },
	}
}

func listDevices(ctx *cli.Context) error {
	w := tabwriter.NewWriter(ctx.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DEVICE\tDESCRIPTION\tWORKERS\tMEMORY\tFREE\tFEATURES")
	for _, d := range engine.Devices() {
		if d.Unusable != nil {
			fmt.Fprintf(w, "%s\tcan't be used: %s\n", d.Name, oneLine(d.Unusable))
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", d.Name, d.Description, d.Workers, gibibytes(d.Memory), gibibytes(d.FreeMemory), strings.Join(d.Features, " "))
	}
	return w.Flush()
}

func gibibytes(bytes int64) string {
	if bytes == 0 {
		return "?"
	}
	return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
}
