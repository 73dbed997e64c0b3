package machine

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
)

// DevicesCommand is `unitscope devices`.
func DevicesCommand() *cli.Command {
	return &cli.Command{
		Name:  "devices",
		Usage: "list the compute devices, and why one can't be used",
		Description: "Prints a row for each device: its name as --device takes it, what it is, the threads or multiprocessors\n" +
			"that share the work, memory, and the features in use. Every device is opened for a moment: what is listed\n" +
			"can be used, and FREE is what is left on it for the work. Of several cards together, MEMORY and FREE are\n" +
			"those of the card with the least.",
		Action: func(ctx *cli.Context) error { return listDevices(ctx) },
	}
}

func listDevices(ctx *cli.Context) error {
	rows := [][]string{{"DEVICE", "DESCRIPTION", "WORKERS", "MEMORY", "FREE", "FEATURES"}}
	for _, found := range engine.Devices() {
		d, err := lookInto(found)
		if err != nil {
			rows = append(rows, []string{found.Name, "can't be used: " + usage.OneLine(err)})
			continue
		}
		rows = append(rows, []string{d.Name, d.Description, fmt.Sprint(d.Workers), gibibytes(d.Memory), gibibytes(d.FreeMemory), strings.Join(d.Features, " ")})
	}
	return console.WriteTable(ctx.App.Writer, rows)
}

// lookInto opens a device for what is only known then: whether it can be used, and
// how much of its memory is free.
func lookInto(found engine.Found) (info engine.Info, err error) {
	if found.Unusable != nil {
		return info, found.Unusable
	}
	d, err := engine.Open(found.Name)
	if err != nil {
		return info, err
	}
	defer job.CloseInto(&err, d)
	return d.Info(), nil
}

func gibibytes(bytes int64) string {
	if bytes == 0 {
		return "?"
	}
	return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
}
