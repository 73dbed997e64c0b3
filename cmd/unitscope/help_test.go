package main

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// program is the page of the whole program.
func program() page { return newAppPage(newApp(io.Discard, io.Discard)) }

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
	everyLeaf(newApp(io.Discard, io.Discard).Commands, "unitscope", func(name string, c *cli.Command) {
		for _, f := range c.Flags {
			o := newOption(f.(cli.DocGenerationFlag))
			flag := name + " --" + o.names[0]
			if strings.Contains(o.usage, "`") && strings.Count(o.usage, "`")%2 != 0 || o.usage == "" {
				t.Errorf("%s: usage %q", flag, o.usage)
			}
			if o.value == "VALUE" {
				t.Errorf("%s: its value has no name", flag)
			}
			switch f.(type) {
			case *cli.IntFlag, *cli.Float64Flag, *cli.Uint64Flag:
				if !ranged.MatchString(o.usage) {
					t.Errorf("%s: no range in %q", flag, o.usage)
				}
				if o.fallback == "" && !o.required {
					t.Errorf("%s: no default", flag)
				}
			}
		}
	})
}

// Help is reached in every way that people try, fits 80 columns, and each command
// has an example, of which every word is known to the program.
func TestHelp(t *testing.T) {
	for _, c := range leaves(program().commands) {
		words := strings.Fields(c.name)
		for _, call := range [][]string{append(slices.Clone(words), "--help"), slices.Insert(slices.Clone(words), 1, "help"), append(slices.Clone(words), "-h")} {
			var out bytes.Buffer
			if code := run(t.Context(), call, &out, &out); code != 0 || out.String() != c.text() {
				t.Fatalf("%v: exit code %d:\n%s", call, code, &out)
			}
		}
		for _, line := range strings.Split(c.text(), "\n") {
			if len([]rune(line)) > helpWidth && strings.HasPrefix(line, "        ") && line[8] != ' ' {
				t.Errorf("%s: %q is wider than %d", c.name, line, helpWidth)
			}
		}
		text := strings.Join(c.examples, "\n")
		if len(c.examples) == 0 {
			for _, p := range c.about {
				text += strings.Join(p.lines, "\n")
			}
		}
		if !strings.Contains(text, c.name) {
			t.Errorf("%s: no example", c.name)
		}
		for _, line := range strings.Split(strings.ReplaceAll(strings.Join(c.examples, "\n"), "\\\n", " "), "\n") {
			checkCommand(t, c.name+": example", line)
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
		name, _, inline := cutFlag(word)
		sub := slices.IndexFunc(p.commands, func(c page) bool { return lastWord(c.name) == word })
		o := p.option(name)
		switch {
		case wants:
			wants = false
		case word == "help" || name == "help" || name == "h" || name == "version":
			return
		case strings.ToUpper(word) == word && len(p.commands) > 0 && sub < 0: // COMMAND, for any of them
			return
		case name != "" && o == nil:
			t.Errorf("%s: %q: %s has no flag %s", where, line, p.name, word)
			return
		case name != "":
			given[o.names[0]], wants = true, o.value != "" && !inline
		case sub >= 0:
			p = p.commands[sub]
		case len(p.commands) > 0 || !strings.HasSuffix(p.synopsis, "DIR..."):
			t.Errorf("%s: %q: %s does not take %q", where, line, p.name, word)
			return
		}
	}
	// A line may name a command without calling it: then it has no flag.
	for _, o := range p.options {
		if o.required && !given[o.names[0]] && len(given) > 0 && !strings.Contains(line, "...") {
			t.Errorf("%s: %q: --%s is missing", where, line, o.names[0])
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
	for _, want := range []string{"`unitscope demo` needs nothing else", "\nMake a model:\n  demo ", "\nLook at units:\n  visualize ascent ", "\nMeasure:\n", "\nReport:\n", "`unitscope COMMAND --help` explains"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}
