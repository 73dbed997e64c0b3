package help

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/report/runfolder"
)

// ManualCommand is `unitscope manual`.
func ManualCommand() *cli.Command {
	return &cli.Command{
		Name:  "manual",
		Usage: "write the manual page",
		Description: "Writes the manual page of all commands to standard output, as man reads it. It is made from the program\n" +
			"itself, so it says what `--help` says.",
		Action: func(ctx *cli.Context) error { return writeManual(ctx.App.Writer, ProgramPage(ctx.App)) },
	}
}

// roff is a manual page in the making, in the macros of man(7). The library's own
// goes through Markdown, which knows no examples and takes each bracket for a link.
type roff struct{ strings.Builder }

// writeManual writes the manual page of a program.
func writeManual(w io.Writer, program Page) error {
	var r roff
	r.macro("TH", "UNITSCOPE", "1", builtOn(), "unitscope "+runfolder.CurrentVersions().Program, "")
	r.macro("SH", "NAME")
	r.text("unitscope - " + program.usage)
	r.macro("SH", "SYNOPSIS")
	r.macro("B", "unitscope")
	r.text(program.Synopsis)
	r.macro("SH", "DESCRIPTION")
	r.paragraphs(program.about)
	category := ""
	for _, c := range Leaves(program.Commands) {
		if c.category != category {
			category = c.category
			r.macro("SH", "COMMANDS: "+strings.ToUpper(category))
		}
		r.command(c)
	}
	r.macro("SH", "ENVIRONMENT")
	for _, v := range environment() {
		r.item(v[0], v[1])
	}
	r.macro("SH", "EXIT STATUS")
	r.item("0", "success")
	r.item(fmt.Sprint(usage.ExitFailure), "a failure, or an interruption")
	r.item(fmt.Sprint(usage.ExitUsage), "a mistake in the command")
	r.item(fmt.Sprint(usage.ExitUnread), "standard output was closed by what reads it, such as head, before everything was written; nothing is said, and results in files are complete")
	r.macro("SH", "SEE ALSO")
	r.text("D. Erhan, Y. Bengio, A. Courville and P. Vincent, Visualizing Higher-Layer Features of a Deep Network, Technical Report 1341, Université de Montréal, 2009. Sections and figures are numbered as there.")
	_, err := io.WriteString(w, r.String())
	return err
}

// environment lists the variables that the program looks at.
func environment() [][2]string {
	return [][2]string{
		{console.PreviewVariable, "kitty, sixel or blocks: how --preview draws, whatever the terminal seems to be"},
		{"UNITSCOPE_CPU", "generic, avx2 or avx512: the instructions that the CPU device uses; the best ones if it is not set"},
		{"UNITSCOPE_PYTHON", "the Python interpreter that `unitscope bench --peers` runs; python3 if it is not set"},
		{"GOMAXPROCS", "how many processors the CPU device works on; all if it is not set"},
	}
}

// builtOn is the day of the commit that the program was built from, "" if it does
// not know.
func builtOn() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if day, _, found := strings.Cut(s.Value, "T"); s.Key == "vcs.time" && found {
			return day
		}
	}
	return ""
}

func (r *roff) command(c Page) {
	r.macro("SS", c.Name)
	r.text(sentence(c.usage))
	r.macro("PP")
	r.macro("B", c.Name)
	r.text(c.Synopsis)
	if len(c.about) > 0 {
		r.macro("PP")
		r.paragraphs(c.about)
	}
	for _, o := range c.Options {
		r.item(o.Spelling(), o.explanation())
	}
	if len(c.Examples) > 0 {
		r.macro("PP")
		r.text("Examples:")
		r.verbatim(c.Examples)
	}
}

// sentence begins a text with a capital letter and ends it with a full stop.
func sentence(text string) string {
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func (r *roff) paragraphs(all []paragraph) {
	for i, p := range all {
		switch {
		case p.kept:
			r.verbatim(p.lines)
		case i > 0:
			r.macro("PP")
			fallthrough
		default:
			r.text(strings.Join(p.lines, " "))
		}
	}
}

// item is a term and its explanation, indented below it.
func (r *roff) item(term, text string) {
	r.macro("TP")
	r.macro("B", term)
	r.text(text)
}

// verbatim writes lines as they are, between paragraphs.
func (r *roff) verbatim(lines []string) {
	r.WriteString(".PP\n.nf\n.RS\n")
	for _, line := range lines {
		r.WriteString(escape(strings.TrimPrefix(line, "  ")) + "\n")
	}
	r.WriteString(".RE\n.fi\n")
}

// macro writes a line of control; empty arguments at the end are kept.
func (r *roff) macro(name string, arguments ...string) {
	r.WriteString("." + name)
	for _, a := range arguments {
		r.WriteString(` "` + strings.ReplaceAll(escape(a), `"`, `\(dq`) + `"`)
	}
	r.WriteString("\n")
}

// text writes running text.
func (r *roff) text(text string) {
	for _, line := range strings.Split(wrap(escape(text), 0), "\n") {
		if strings.HasPrefix(line, ".") {
			line = `\&` + line
		}
		r.WriteString(line + "\n")
	}
}

// escape makes roff print text as it is: nothing in it is an escape, a request or a
// hyphen where a minus was typed.
func escape(text string) string {
	var b strings.Builder
	for i, c := range text {
		switch {
		case c == '\\':
			b.WriteString(`\e`)
		case c == '-':
			b.WriteString(`\-`)
		case c == '`':
			b.WriteString(`\(ga`)
		case c == '\'':
			b.WriteString(`\(aq`)
		case c == '.' && i == 0:
			b.WriteString(`\&.`)
		case c > 127:
			fmt.Fprintf(&b, `\[u%04X]`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
