// Package help is what people are told of commands, all of it made from the commands
// themselves: --help, the manual, the completion of shells, and what is said of a
// command line that can't be understood. [Prepare] gives an app all of it; a [Page] has
// what is said of one command.
package help

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// Page is what people are told of a command, or of the whole program. Help, the manual
// and completion are all made from pages, and pages from the commands themselves, so that
// none of them can say something else.
type Page struct {
	Name     string   // as it is typed: "unitscope train dbn"
	Synopsis string   // what follows the name
	Examples []string // command lines, and comments on them
	usage    string   // what the command does, in a line
	about    []paragraph
	category string
	Options  []Option
	Commands []Page // of a group of commands
}

// paragraph is a part of a description: running text, or lines kept as they are.
type paragraph struct {
	lines []string
	kept  bool
}

// Option is what people are told of a flag.
type Option struct {
	Names    []string // "layers", the name first that scripts use
	Value    string   // what the value is called, "" for a switch
	Usage    string   // what the flag does
	Fallback string   // what holds without it; "" for a required one
	Required bool     // its command can't do without it
	Several  bool     // it may be given several times
	category string
}

// newPage makes the page of a command and of its commands.
func newPage(c *cli.Command, parent string) Page {
	p := Page{
		Name: strings.TrimSpace(parent + " " + c.Name), usage: c.Usage, category: c.Category,
		about: paragraphs(c.Description), Options: optionsOf(c.Flags),
	}
	for _, sub := range c.Subcommands {
		if !sub.Hidden && sub.Name != "help" {
			p.Commands = append(p.Commands, newPage(sub, p.Name))
		}
	}
	p.Examples = examplesOf(p.Name)
	p.Synopsis = synopsis(p, c.ArgsUsage)
	return p
}

// synopsis is what follows a command's name: flags that it can't do without are
// named.
func synopsis(p Page, arguments string) string {
	if len(p.Commands) > 0 {
		return "COMMAND [--flag VALUE]..."
	}
	var words []string
	for _, o := range p.Options {
		if o.Required {
			words = append(words, dashed(o.Names[0]), o.Value)
		}
	}
	if len(words) < len(p.Options) {
		words = append(words, "[--flag VALUE]...")
	}
	return strings.TrimSpace(strings.Join(append(words, arguments), " "))
}

// ProgramPage is the page of the whole program.
func ProgramPage(app *cli.App) Page {
	return newPage(&cli.Command{
		Name: app.Name, Usage: app.Usage, Description: app.Description, Flags: app.Flags, Subcommands: app.Commands,
	}, "")
}

// paragraphs takes a description apart at its empty lines; a part is kept as it
// is if its lines are indented.
func paragraphs(text string) (all []paragraph) {
	for _, part := range strings.Split(text, "\n\n") {
		lines := strings.Split(strings.Trim(part, "\n"), "\n")
		if len(lines) == 1 && lines[0] == "" {
			continue
		}
		all = append(all, paragraph{lines, strings.HasPrefix(lines[0], " ")})
	}
	return all
}

func optionsOf(flags []cli.Flag) (all []Option) {
	for _, f := range flags {
		if f, ok := f.(cli.DocGenerationFlag); ok && f.Names()[0] != "help" {
			all = append(all, newOption(f))
		}
	}
	return all
}

// newOption reads a flag: its value is called what stands in backquotes, and its
// default may also stand at the end of its usage, where no value of the flag says
// what holds without it.
func newOption(f cli.DocGenerationFlag) Option {
	o := Option{Names: f.Names(), Usage: f.GetUsage()}
	if f.TakesValue() {
		o.Value = "VALUE"
	}
	if before, rest, ok := strings.Cut(o.Usage, "`"); ok && f.TakesValue() {
		value, after, _ := strings.Cut(rest, "`")
		o.Value, o.Usage = value, before+value+after
	}
	if f, ok := f.(cli.CategorizableFlag); ok {
		o.category = f.GetCategory()
	}
	if f, ok := f.(cli.DocGenerationSliceFlag); ok {
		o.Several = f.IsSliceFlag()
	}
	_, o.Required = f.(needed)
	if r, ok := f.(cli.RequiredFlag); ok && r.IsRequired() {
		o.Required = true
	}
	if o.Required {
		return o
	}
	if text, ok := strings.CutSuffix(o.Usage, ")"); ok {
		if before, fallback, ok := strings.Cut(text, " (default: "); ok {
			o.Usage, o.Fallback = before, fallback
			return o
		}
	}
	if !f.TakesValue() {
		return o
	}
	o.Fallback = f.GetDefaultText()
	if text, err := strconv.Unquote(o.Fallback); err == nil {
		o.Fallback = text
	}
	return o
}

// Spelling is how an option is typed: "--layers N,N,...".
func (o Option) Spelling() string {
	var names []string
	for _, name := range o.Names {
		names = append(names, dashed(name))
	}
	return strings.TrimSpace(strings.Join(names, ", ") + " " + o.Value)
}

// dashed is a flag's name as it is typed.
func dashed(name string) string { return "--" + name }

// explanation is all that help says of an option.
func (o Option) explanation() string {
	switch {
	case o.Required:
		return o.Usage + " (required)"
	case o.Fallback != "":
		return o.Usage + " (default: " + o.Fallback + ")"
	}
	return o.Usage
}

// Width is how wide help is, so that it fits every terminal.
const Width = 80

// Text is what --help prints.
func (p Page) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n  %s %s\n", wrap(p.Name+": "+p.usage, 0), p.Name, p.Synopsis)
	for _, part := range p.about {
		b.WriteString("\n")
		if part.kept {
			fmt.Fprintf(&b, "%s\n", strings.Join(part.lines, "\n"))
			continue
		}
		fmt.Fprintf(&b, "%s\n", wrap(strings.Join(part.lines, " "), 0))
	}
	all := Leaves(p.Commands)
	width := 0
	for _, c := range all {
		width = max(width, len(c.Name)-len(p.Name)-1)
	}
	byCategory(all, "Commands", func(c Page) string { return c.category }, func(title string, commands []Page) {
		fmt.Fprintf(&b, "\n%s:\n", title)
		for _, c := range commands {
			fmt.Fprintf(&b, "  %-*s  %s\n", width, c.Name[len(p.Name)+1:], strings.TrimSpace(wrap(c.usage, width+4)))
		}
	})
	byCategory(p.Options, "Options", func(o Option) string { return o.category }, func(title string, options []Option) {
		fmt.Fprintf(&b, "\n%s:\n", title)
		for _, o := range options {
			fmt.Fprintf(&b, "  %s\n%s\n", o.Spelling(), wrap(o.explanation(), 8))
		}
	})
	if len(p.Commands) > 0 {
		fmt.Fprintf(&b, "\n`%s COMMAND --help` explains a command.\n", p.Name)
	}
	if len(p.Examples) > 0 {
		fmt.Fprintf(&b, "\nExamples:\n  %s\n", strings.Join(p.Examples, "\n  "))
	}
	return b.String()
}

// byCategory goes through things by category, in the order in which categories
// first appear; those without one are listed under general.
func byCategory[T any](things []T, general string, category func(T) string, list func(title string, things []T)) {
	var titles []string
	groups := map[string][]T{}
	for _, t := range things {
		title := category(t)
		if title == "" {
			title = general
		}
		if groups[title] == nil {
			titles = append(titles, title)
		}
		groups[title] = append(groups[title], t)
	}
	for _, title := range titles {
		list(title, groups[title])
	}
}

// Leaves are the commands that do something, groups of commands by their members,
// which are in the category of their group.
func Leaves(commands []Page) (all []Page) {
	for _, c := range commands {
		if len(c.Commands) == 0 {
			all = append(all, c)
			continue
		}
		for _, sub := range Leaves(c.Commands) {
			sub.category = c.category
			all = append(all, sub)
		}
	}
	return all
}

// lastWord is a command's name within its group.
func lastWord(name string) string { return name[strings.LastIndex(name, " ")+1:] }

// wrap breaks text into lines that fit Width, each after an indent.
func wrap(text string, indent int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
		case column+1+len(word) <= Width:
			b.WriteString(" ")
			column++
		default:
			b.WriteString("\n")
			column = 0
		}
		if column == 0 {
			b.WriteString(strings.Repeat(" ", indent))
			column = indent
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// literalTemplate is a template that prints text: the library prints help by
// templates.
func literalTemplate(text string) string { return "{{" + strconv.Quote(text) + "}}" }

// explain makes --help of a command, and of its commands, print their pages.
func explain(c *cli.Command, p Page) {
	c.CustomHelpTemplate = literalTemplate(p.Text())
	for _, sub := range c.Subcommands {
		if q := p.Command(sub.Name); q != nil {
			explain(sub, *q)
		}
	}
}

// Prepare makes an app, which has all its commands, answer --help with their pages, and
// say what is wrong with a command line that it does not understand.
func Prepare(app *cli.App) {
	app.Action = needCommand
	app.OnUsageError = onUsageError
	p := ProgramPage(app)
	for i, c := range app.Commands {
		strict(c)
		explain(c, p.Commands[i])
	}
	app.CustomAppHelpTemplate = literalTemplate(p.Text())
}
