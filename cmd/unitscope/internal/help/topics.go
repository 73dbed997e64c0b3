package help

import (
	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/network"
)

// TopicCommands explain what several commands take. `unitscope help data` and
// `unitscope data` print the same.
func TopicCommands() []*cli.Command {
	return []*cli.Command{
		topic("data", "explain what --data takes: every kind of data, and its options", "`unitscope data` says what can follow --data and --test.", dataset.Manual),
		topic("model", "explain what --model takes: what a model file holds, and what holds without it", "`unitscope model` says what can follow --model: a run folder, or a model file.", network.Manual),
	}
}

func topic(name, usage, first string, manual func() (string, error)) *cli.Command {
	text, err := manual()
	return &cli.Command{
		Name: name, Usage: usage, Description: first + "\n\n" + text,
		Action: func(ctx *cli.Context) error {
			if err != nil {
				return err
			}
			return cli.ShowSubcommandHelp(ctx)
		},
	}
}
