package help

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
)

// What the library says of values of flags that it can't read; it has no types for
// these errors.
var (
	badValue = regexp.MustCompile(`^invalid (?:boolean )?value (".*") for (?:flag )?-([^\s:]+): (.*)$`)
	noValue  = regexp.MustCompile(`^flag needs an argument: -(\S+)$`)
)

// valueMistake says what is wrong with the value of a flag, in the words of the
// library, and what it should be; "" if that is not what is wrong.
func valueMistake(text string, flags []cli.Flag) string {
	if m := noValue.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("%s: its value is missing; want %s", dashed(m[1]), wanted(m[1], flags))
	}
	m := badValue.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	value, err := strconv.Unquote(m[1])
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %q: want %s", dashed(m[2]), value, wanted(m[2], flags))
}

// wanted is what a flag's value should be, and what help says of it.
func wanted(name string, flags []cli.Flag) string {
	at := slices.IndexFunc(flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	if at < 0 {
		return "another value"
	}
	f := flags[at]
	if n, ok := f.(needed); ok {
		f, _ = n.documentedFlag.(cli.Flag)
	}
	kind := "a word"
	switch f.(type) {
	case *cli.IntFlag, *cli.Int64Flag:
		kind = "a whole number"
	case *cli.UintFlag, *cli.Uint64Flag:
		kind = "a whole number, 0 or more"
	case *cli.Float64Flag:
		kind = "a number"
	case *cli.BoolFlag:
		return "true or false, or no value"
	}
	about, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return kind
	}
	return fmt.Sprintf("%s: %s", kind, newOption(about).Usage)
}

// Repeated is a mistake in words that give a flag of a command twice, in whatever
// Spelling: which of both holds, nobody should have to guess. Words that no command
// understands are left for others to answer.
func Repeated(program Page, words []string) error {
	t := typed{page: program, given: map[string]bool{}}
	for _, word := range words {
		if word == "--" {
			return nil
		}
		name, _, _ := usage.CutFlag(word)
		if o := t.page.Option(name); t.wants == nil && name != "" && o != nil && t.given[name] && !o.Several {
			return usage.Mistakef("%s: %s is given twice; give it once", strings.TrimPrefix(t.page.Name, "unitscope "), dashed(o.Names[0]))
		}
		t.read(word)
	}
	return nil
}
