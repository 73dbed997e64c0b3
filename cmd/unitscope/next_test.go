package main

import (
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// follow does what the last command has told to do next, as it stands there, as far
// as a prefix of a command says that this is meant: follow visualize ascent.
func follow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: follow command")
	}
	line := ""
	for _, text := range strings.Split(ts.ReadFile("stderr")+"\n"+ts.ReadFile("stdout"), "\n") {
		if after, ok := strings.CutPrefix(text, "next: "); ok {
			line = after
		} else if _, after, ok := strings.Cut(text, "; to train it fully: "); ok {
			line = after
		}
	}
	for command := range strings.SplitSeq(line, " && ") {
		words := shellWords(ts, command)
		if len(words) == 0 {
			ts.Fatalf("nothing is said to come next")
		}
		ts.Logf("next: %q", words)
		ts.Check(ts.Exec(words[0], words[1:]...))
	}
	if words := shellWords(ts, line); len(words) <= len(args) || !slices.Equal(words[1:1+len(args)], args) {
		ts.Fatalf("next is %s, want %s", line, strings.Join(args, " "))
	}
}

// shellWords takes a line apart that [quoted] has put together.
func shellWords(ts *testscript.TestScript, line string) (words []string) {
	word, inside, some := "", false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\'':
			inside, some = !inside, true
		case c == '\\' && !inside && i+1 < len(line):
			i++
			word, some = word+line[i:i+1], true
		case c == ' ' && !inside:
			if some {
				words = append(words, word)
			}
			word, some = "", false
		default:
			word, some = word+line[i:i+1], true
		}
	}
	if inside {
		ts.Fatalf("a quote is left open in %s", line)
	}
	if some {
		words = append(words, word)
	}
	return words
}
