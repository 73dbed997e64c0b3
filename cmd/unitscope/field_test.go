package main

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine/words"
)

// TestNameByFlag names options by the flags of commands that have them.
func TestNameByFlag(t *testing.T) {
	app := newApp(io.Discard, io.Discard)
	flags := func(group, name string) []cli.Flag {
		c := app.Command(group)
		for _, sub := range c.Subcommands {
			if sub.Name == name {
				return sub.Flags
			}
		}
		return c.Flags
	}
	for _, c := range []struct{ group, command, field, want string }{
		{"train", "dbn", "CheckpointEvery", "--checkpoint-every"},
		{"train", "dbn", "GibbsSteps", "--k"},
		{"train", "dbn", "Units", "--layers"},
		{"train", "dbn", "set", "--data"},
		{"train", "dbn", "gradient-limit", "--gradient-limit"},
		{"train", "sdae", "GibbsSteps", "GibbsSteps"},
		{"finetune", "", "held", "--validation"},
		{"finetune", "", "Rate", "--lr"},
		{"search", "", "Units", "--units"},
		{"search", "", "Layers", "--layers"},
		{"search", "", "FineTune.Patience", "--patience"},
		{"search", "", "FineTune.Epochs", "--finetune-epochs"},
		{"search", "", "FineTune.Rate", "--finetune-lr"},
		{"search", "", "Train.Batch", "--batch"},
		{"search", "", "FineTune.Unknown", "FineTune.Unknown"},
	} {
		for _, given := range []bool{false, true} {
			err := usage.NameByFlag(words.BadOption(c.field, 0, "no"), flags(c.group, c.command), func(string) bool { return given })
			if got := err.Error(); got != c.want+" 0: no" {
				t.Errorf("%s %s: %s is %q, want %s", c.group, c.command, c.field, got, c.want)
			}
			if got, want := usage.IsMistake(err), given && strings.HasPrefix(c.want, "--"); got != want {
				t.Errorf("%s %s: %s is a mistake: %v, want %v", c.group, c.command, c.field, got, want)
			}
		}
	}
	err := usage.Mistakef("fine-tune: %w", words.BadOption("Rate", 0, "want a number: %w", io.EOF))
	if got, want := fmt.Sprint(usage.NameByFlag(err, flags("finetune", ""), func(string) bool { return true })), "fine-tune: --lr 0: want a number: EOF"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
