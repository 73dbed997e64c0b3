package help

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine/words"
)

// needed is a flag that its command can't do without. The library would print the
// whole help before it says that one is missing, so it is not told.
type needed struct{ documentedFlag }

// documentedFlag is what help asks of every flag.
type documentedFlag interface {
	cli.DocGenerationFlag
	cli.CategorizableFlag
	cli.RequiredFlag
	cli.VisibleFlag
}

func (needed) IsRequired() bool { return false }

// strict makes a command refuse what it does not understand: unknown flags,
// arguments that nothing reads, and a group of commands without one of them; and
// a call without the flags that it needs.
func strict(c *cli.Command) {
	c.OnUsageError = onUsageError
	if len(c.Subcommands) > 0 {
		c.Action = needCommand
		for _, sub := range c.Subcommands {
			strict(sub)
		}
		return
	}
	for i, f := range c.Flags {
		if f, ok := f.(documentedFlag); ok && f.IsRequired() {
			c.Flags[i] = needed{f}
		}
	}
	action := c.Action
	c.Action = func(ctx *cli.Context) error {
		if ctx.NArg() > 0 && c.ArgsUsage == "" {
			return usage.Mistakef("%s: unexpected argument %q; options look like --name VALUE and come before it", usage.CommandName(ctx), ctx.Args().First())
		}
		if missing := missingFlags(ctx, c); len(missing) > 0 {
			return usage.Mistakef("%s: it needs %s too; see `%s --help`", usage.CommandName(ctx), strings.Join(missing, " and "), ctx.Command.HelpName)
		}
		return usage.NameByFlag(action(ctx), c.Flags, ctx.IsSet)
	}
}

// missingFlags are those that a command needs and was not given, as they are typed.
func missingFlags(ctx *cli.Context, c *cli.Command) (missing []string) {
	for _, f := range c.Flags {
		if f, ok := f.(needed); ok && !ctx.IsSet(f.Names()[0]) {
			missing = append(missing, newOption(f).Spelling())
		}
	}
	return missing
}

// onUsageError says what is wrong with a flag.
func onUsageError(ctx *cli.Context, err error, _ bool) error {
	name, of := "unitscope", ""
	var flags []cli.Flag
	if ctx.Command != nil && ctx.Command.HelpName != "" && ctx.Command.HelpName != name {
		name, of, flags = ctx.Command.HelpName, usage.CommandName(ctx)+": ", ctx.Command.Flags
	}
	// The library has no type for this error.
	if unknown, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		var known []string
		for _, f := range flags {
			known = append(known, f.Names()...)
		}
		hint := ""
		if near := words.Nearest(unknown, known); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", dashed(near))
		} else if others := siblingsWith(unknown, name, ProgramPage(ctx.App).Commands); len(others) > 0 {
			hint = "; it is one of " + strings.Join(others, " and ")
		}
		return usage.Mistakef("%sthere is no flag %s%s; see `%s --help`", of, dashed(unknown), hint, name)
	}
	if text := valueMistake(err.Error(), flags); text != "" {
		return usage.Mistakef("%s%s; see `%s --help`", of, text, name)
	}
	return usage.Mistakef("%s%w; see `%s --help`", of, err, name)
}

// needCommand answers a call that names no command, or none that exists.
func needCommand(ctx *cli.Context) error {
	commands, name, of := ctx.App.Commands, "unitscope", ""
	if ctx.Command != nil && len(ctx.Command.Subcommands) > 0 && ctx.Command.HelpName != "" && ctx.Command.HelpName != name {
		commands, name, of = ctx.Command.Subcommands, ctx.Command.HelpName, usage.CommandName(ctx)+": "
	}
	var known []string
	for _, c := range commands {
		if !c.Hidden && c.Name != "help" {
			known = append(known, c.Name)
		}
	}
	if ctx.NArg() > 0 {
		hint := ""
		if near := words.Nearest(ctx.Args().First(), known); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		} else if groups := groupsWith(ctx.Args().First(), commands); len(groups) > 0 {
			hint = fmt.Sprintf("; did you mean %s?", strings.Join(groups, " or "))
		}
		return usage.Mistakef("%sthere is no command %q%s; the commands are %s", of, ctx.Args().First(), hint, strings.Join(known, ", "))
	}
	if of == "" {
		return cli.ShowAppHelp(ctx)
	}
	return usage.Mistakef("%swhich one? %s; see `%s --help`", of, strings.Join(known, ", "), name)
}

// groupsWith are the commands by a name that are within others: "analyze restarts".
func groupsWith(name string, commands []*cli.Command) (found []string) {
	for _, c := range commands {
		for _, sub := range c.Subcommands {
			if sub.Name == name && name != "help" {
				found = append(found, c.Name+" "+name)
			}
		}
	}
	return found
}

// siblingsWith are the commands of the same group as another, as in "train dbn" and
// "train sdae", that have a flag.
func siblingsWith(flag, name string, commands []Page) (found []string) {
	group := name[:strings.LastIndex(name, " ")+1]
	for _, c := range Leaves(commands) {
		if !strings.HasPrefix(c.Name, group) || strings.Count(group, " ") < 2 {
			continue
		}
		for _, o := range c.Options {
			if slices.Contains(o.Names, flag) {
				found = append(found, "`"+c.Name+"`")
			}
		}
	}
	return found
}
