package main

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/help"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
)

// program is the page of the whole program.
func program() help.Page { return help.ProgramPage(newApp(io.Discard, io.Discard)) }

// everyLeaf calls visit with every command that does something.
func everyLeaf(commands []*cli.Command, prefix string, visit func(name string, c *cli.Command)) {
	for _, c := range commands {
		if name := prefix + " " + c.Name; len(c.Subcommands) > 0 {
			everyLeaf(c.Subcommands, name, visit)
		} else {
			visit(name, c)
		}
	}
}

// ranged is how a usage says which numbers a flag takes.
var ranged = regexp.MustCompile(`at least \d|or more|\d to \d|above -?\d|below \d|\b0 for|from \d|N: 1 to maximise`)

// Every flag says what it is set to without it, and every number which ones it can be.
func TestFlagsExplained(t *testing.T) {
	pages := help.Leaves(program().Commands)
	everyLeaf(newApp(io.Discard, io.Discard).Commands, "unitscope", func(name string, c *cli.Command) {
		page := pages[slices.IndexFunc(pages, func(p help.Page) bool { return p.Name == name })]
		for _, f := range c.Flags {
			o := page.Option(f.Names()[0])
			flag := name + " --" + o.Names[0]
			if strings.Contains(o.Usage, "`") && strings.Count(o.Usage, "`")%2 != 0 || o.Usage == "" {
				t.Errorf("%s: usage %q", flag, o.Usage)
			}
			if o.Value == "VALUE" {
				t.Errorf("%s: its value has no name", flag)
			}
			switch f.(type) {
			case *cli.IntFlag, *cli.Float64Flag, *cli.Uint64Flag:
				if !ranged.MatchString(o.Usage) {
					t.Errorf("%s: no range in %q", flag, o.Usage)
				}
				if o.Fallback == "" && !o.Required {
					t.Errorf("%s: no default", flag)
				}
			}
		}
	})
}

// Help is reached in every way that people try, fits 80 columns, and each command
// has an example, of which every word is known to the program.
func TestHelp(t *testing.T) {
	described := map[string]string{}
	everyLeaf(newApp(io.Discard, io.Discard).Commands, "unitscope", func(name string, c *cli.Command) { described[name] = c.Description })
	for _, c := range help.Leaves(program().Commands) {
		words := strings.Fields(c.Name)
		for _, call := range [][]string{append(slices.Clone(words), "--help"), slices.Insert(slices.Clone(words), 1, "help"), append(slices.Clone(words), "-h")} {
			var out bytes.Buffer
			if code := run(t.Context(), call, &out, &out); code != 0 || out.String() != c.Text() {
				t.Fatalf("%v: exit code %d:\n%s", call, code, &out)
			}
		}
		for _, line := range strings.Split(c.Text(), "\n") {
			if len([]rune(line)) > help.Width && strings.HasPrefix(line, "        ") && line[8] != ' ' {
				t.Errorf("%s: %q is wider than %d", c.Name, line, help.Width)
			}
		}
		text := strings.Join(c.Examples, "\n")
		if len(c.Examples) == 0 {
			text = described[c.Name]
		}
		if !strings.Contains(text, c.Name) {
			t.Errorf("%s: no example", c.Name)
		}
		for _, line := range strings.Split(strings.ReplaceAll(strings.Join(c.Examples, "\n"), "\\\n", " "), "\n") {
			checkCommand(t, c.Name+": example", line)
		}
	}
}

// checkCommand fails unless a line's call of unitscope, if there is one, names
// commands and flags that exist, and no required flag is missing.
func checkCommand(t *testing.T, where, line string) {
	t.Helper()
	checkCommandOn(t, where, line)
}

// complainer is what checkCommand tells of mistakes.
type complainer interface {
	Helper()
	Errorf(format string, arguments ...any)
}

func checkCommandOn(t complainer, where, line string) {
	t.Helper()
	words, ok := callOf(line)
	if !ok {
		return
	}
	p, given, wants := program(), map[string]bool{}, false
	for _, word := range words {
		name, _, inline := usage.CutFlag(word)
		sub := p.Command(word)
		o := p.Option(name)
		switch {
		case wants:
			wants = false
		case word == "help" || name == "help" || name == "h" || name == "version":
			return
		case strings.ToUpper(word) == word && len(p.Commands) > 0 && sub == nil: // COMMAND, for any of them
			return
		case name != "" && o == nil:
			t.Errorf("%s: %q: %s has no flag %s", where, line, p.Name, word)
			return
		case name != "":
			given[o.Names[0]], wants = true, o.Value != "" && !inline
		case sub != nil:
			p = *sub
		case len(p.Commands) > 0 || !strings.HasSuffix(p.Synopsis, "DIR...") && !strings.HasSuffix(p.Synopsis, "MODEL"):
			t.Errorf("%s: %q: %s does not take %q", where, line, p.Name, word)
			return
		}
	}
	// A line may name a command without calling it: then it has no flag.
	for _, o := range p.Options {
		if o.Required && !given[o.Names[0]] && len(given) > 0 && !strings.Contains(line, "...") {
			t.Errorf("%s: %q: --%s is missing", where, line, o.Names[0])
		}
	}
}

// callOf are the words after unitscope in a line of a shell, up to the end of the
// call.
func callOf(line string) (words []string, ok bool) {
	line = regexp.MustCompile(`(^|\s)#.*`).ReplaceAllString(line, "")
	call := regexp.MustCompile(`(^|[\s(]|(?:^|\s)\./(?:cmd/)?)unitscope(\s+[^|>&;)]*|$)`).FindStringSubmatch(line)
	if call == nil {
		return nil, false
	}
	return strings.Fields(call[2]), true
}

// What the program says about itself on the first call leads on.
func TestFirstCall(t *testing.T) {
	var out, errors bytes.Buffer
	if code := run(t.Context(), []string{"unitscope"}, &out, &errors); code != 0 || errors.Len() > 0 {
		t.Fatalf("exit code %d: %s", code, &errors)
	}
	for _, want := range []string{"`unitscope demo` needs nothing else", "\nMake a model:\n  demo ", "`unitscope look MODEL`", "\nLook at units:\n  look ", "\nMeasure:\n", "\nReport:\n", "`unitscope COMMAND --help` explains"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}
