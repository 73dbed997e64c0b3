package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// page is what people are told of a command. Help, the manual and completion are
// all made from pages, and pages from the commands themselves, so that none of
// them can say something else.
type page struct {
	name     string // as it is typed: "unitscope train dbn"
	usage    string // what the command does, in a line
	synopsis string // what follows the name
	about    []paragraph
	examples []string // command lines, and comments on them
	category string
	options  []option
	commands []page
}

// paragraph is a part of a description: running text, or lines kept as they are.
type paragraph struct {
	lines []string
	kept  bool
}

// option is a flag.
type option struct {
	names    []string // "layers", the name first that scripts use
	value    string   // what the value is called, "" for a switch
	usage    string
	fallback string // what holds without the flag; "" for a required one
	required bool
	category string
}

// newPage makes the page of a command and of its commands.
func newPage(c *cli.Command, parent string) page {
	p := page{
		name: strings.TrimSpace(parent + " " + c.Name), usage: c.Usage, category: c.Category,
		about: paragraphs(c.Description), options: newOptions(c.Flags),
	}
	for _, sub := range c.Subcommands {
		if !sub.Hidden && sub.Name != "help" {
			p.commands = append(p.commands, newPage(sub, p.name))
		}
	}
	p.examples = examplesOf(p.name)
	p.synopsis = synopsis(p, c.ArgsUsage)
	return p
}

// synopsis is what follows a command's name: flags that it can't do without are
// named.
func synopsis(p page, arguments string) string {
	if len(p.commands) > 0 {
		return "COMMAND [--flag VALUE]..."
	}
	var words []string
	for _, o := range p.options {
		if o.required {
			words = append(words, dashed(o.names[0]), o.value)
		}
	}
	if len(words) < len(p.options) {
		words = append(words, "[--flag VALUE]...")
	}
	return strings.TrimSpace(strings.Join(append(words, arguments), " "))
}

// newAppPage is the page of the whole program.
func newAppPage(app *cli.App) page {
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

func newOptions(flags []cli.Flag) (all []option) {
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
func newOption(f cli.DocGenerationFlag) option {
	o := option{names: f.Names(), usage: f.GetUsage()}
	if f.TakesValue() {
		o.value = "VALUE"
	}
	if before, rest, ok := strings.Cut(o.usage, "`"); ok && f.TakesValue() {
		value, after, _ := strings.Cut(rest, "`")
		o.value, o.usage = value, before+value+after
	}
	if f, ok := f.(cli.CategorizableFlag); ok {
		o.category = f.GetCategory()
	}
	_, o.required = f.(needed)
	if r, ok := f.(cli.RequiredFlag); ok && r.IsRequired() {
		o.required = true
	}
	if o.required {
		return o
	}
	if text, ok := strings.CutSuffix(o.usage, ")"); ok {
		if before, fallback, ok := strings.Cut(text, " (default: "); ok {
			o.usage, o.fallback = before, fallback
			return o
		}
	}
	if !f.TakesValue() {
		return o
	}
	o.fallback = f.GetDefaultText()
	if text, err := strconv.Unquote(o.fallback); err == nil {
		o.fallback = text
	}
	return o
}

// spelling is how an option is typed: "--layers N,N,...".
func (o option) spelling() string {
	var names []string
	for _, name := range o.names {
		names = append(names, dashed(name))
	}
	return strings.TrimSpace(strings.Join(names, ", ") + " " + o.value)
}

// dashed is a flag's name as it is typed.
func dashed(name string) string { return "--" + name }

// explanation is all that help says of an option.
func (o option) explanation() string {
	switch {
	case o.required:
		return o.usage + " (required)"
	case o.fallback != "":
		return o.usage + " (default: " + o.fallback + ")"
	}
	return o.usage
}

// helpWidth is how wide help is, so that it fits every terminal.
const helpWidth = 80

// text is what --help prints.
func (p page) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n  %s %s\n", wrap(p.name+": "+p.usage, 0), p.name, p.synopsis)
	for _, part := range p.about {
		b.WriteString("\n")
		if part.kept {
			fmt.Fprintf(&b, "%s\n", strings.Join(part.lines, "\n"))
			continue
		}
		fmt.Fprintf(&b, "%s\n", wrap(strings.Join(part.lines, " "), 0))
	}
	all := leaves(p.commands)
	width := 0
	for _, c := range all {
		width = max(width, len(c.name)-len(p.name)-1)
	}
	byCategory(all, "Commands", func(c page) string { return c.category }, func(title string, commands []page) {
		fmt.Fprintf(&b, "\n%s:\n", title)
		for _, c := range commands {
			fmt.Fprintf(&b, "  %-*s  %s\n", width, c.name[len(p.name)+1:], strings.TrimSpace(wrap(c.usage, width+4)))
		}
	})
	byCategory(p.options, "Options", func(o option) string { return o.category }, func(title string, options []option) {
		fmt.Fprintf(&b, "\n%s:\n", title)
		for _, o := range options {
			fmt.Fprintf(&b, "  %s\n%s\n", o.spelling(), wrap(o.explanation(), 8))
		}
	})
	if len(p.commands) > 0 {
		fmt.Fprintf(&b, "\n`%s COMMAND --help` explains a command.\n", p.name)
	}
	if len(p.examples) > 0 {
		fmt.Fprintf(&b, "\nExamples:\n  %s\n", strings.Join(p.examples, "\n  "))
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

// leaves are the commands that do something, groups of commands by their members,
// which are in the category of their group.
func leaves(commands []page) (all []page) {
	for _, c := range commands {
		if len(c.commands) == 0 {
			all = append(all, c)
			continue
		}
		for _, sub := range leaves(c.commands) {
			sub.category = c.category
			all = append(all, sub)
		}
	}
	return all
}

func lastWord(name string) string { return name[strings.LastIndex(name, " ")+1:] }

// wrap breaks text into lines that fit helpWidth, each after an indent.
func wrap(text string, indent int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
		case column+1+len(word) <= helpWidth:
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
func explain(c *cli.Command, p page) {
	c.CustomHelpTemplate = literalTemplate(p.text())
	for _, sub := range c.Subcommands {
		for _, q := range p.commands {
			if lastWord(q.name) == sub.Name {
				explain(sub, q)
			}
		}
	}
}
