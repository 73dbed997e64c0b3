package help

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/bench"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train"
)

// CompleteName is how the scripts of `unitscope completion` call the program: with
// the words of a command line up to the cursor, the last one unfinished or empty.
// It prints a candidate for the last word a line, a tab, and what the candidate is.
const CompleteName = "__complete"

// CompletionCommand is `unitscope completion`.
func CompletionCommand() *cli.Command {
	shell := func(name, usage, script string) *cli.Command {
		return &cli.Command{
			Name: name, Usage: usage,
			Description: "Prints a script to standard output that completes commands, flags and, where they are known, their values.",
			Action: func(ctx *cli.Context) error {
				_, err := io.WriteString(ctx.App.Writer, script)
				return err
			},
		}
	}
	return &cli.Command{
		Name:  "completion",
		Usage: "make a shell complete commands",
		Subcommands: []*cli.Command{
			shell("bash", "a script for bash that completes commands", bashCompletion),
			shell("zsh", "a script for zsh that completes commands", zshCompletion),
			shell("fish", "a script for fish that completes commands", fishCompletion),
		},
	}
}

// candidate is a word that can stand at the cursor.
type candidate struct{ word, about string }

// Complete writes what the last of words can become, as the scripts of
// `unitscope completion` read it.
func Complete(w io.Writer, program Page, words []string) error {
	return writeCandidates(w, candidates(program, words))
}

// candidates are what the last of words can become.
func candidates(program Page, words []string) []candidate {
	if len(words) == 0 {
		words = []string{""}
	}
	last := words[len(words)-1]
	t := readTyped(program, words[:len(words)-1])
	var all []candidate
	name, value, inline := usage.CutFlag(last)
	o := t.page.Option(name)
	switch {
	case t.wants != nil:
		all = values(t.page, t.wants.Names[0], last)
	case inline && o != nil:
		for _, c := range values(t.page, o.Names[0], value) {
			c.word = strings.TrimSuffix(last, value) + c.word
			all = append(all, c)
		}
	case strings.HasPrefix(last, "-") || len(t.page.Commands) == 0:
		all = append(t.flags(), arguments(t.page, last)...)
	default:
		for _, c := range t.page.Commands {
			all = append(all, candidate{lastWord(c.Name), c.usage})
		}
		if len(words) == 1 {
			all = append(all, candidate{"help", "explain a command"})
		}
	}
	return slices.DeleteFunc(all, func(c candidate) bool { return !strings.HasPrefix(c.word, last) })
}

// flags are those that can be given yet, the required ones first.
func (t *typed) flags() (all []candidate) {
	for _, required := range []bool{true, false} {
		for _, o := range t.page.Options {
			if o.Required == required && (o.Several || !t.given[o.Names[0]]) {
				all = append(all, candidate{dashed(o.Names[0]), o.explanation()})
			}
		}
	}
	return append(all, candidate{"--help", "explain the command"})
}

// arguments are what a command takes besides its flags: run folders, of a report.
func arguments(p Page, last string) []candidate {
	if !strings.HasSuffix(p.Synopsis, "DIR...") || strings.HasPrefix(last, "-") {
		return nil
	}
	return paths(last, true)
}

// values are those that a flag can have, as far as they can be listed.
func values(p Page, flag, typed string) []candidate {
	switch flag {
	case "data", "test", "digits", "patches":
		return dataValues(typed)
	case "out", "ascent":
		return paths(typed, true)
	case "model", "dbn", "sdae", "json", "plot", "start":
		return paths(typed, false)
	case "device":
		return deviceValues()
	case "workload":
		return workloadValues()
	case "layer", "units", "top", "lr", "gradient-limit":
		return bare(insteadOfNumber(p, flag)...)
	}
	return bare(FixedValues(flag)...)
}

// FixedValues are the values of flags that choose from a list.
func FixedValues(flag string) []string {
	switch flag {
	case "visible":
		return []string{engine.Bernoulli.String(), engine.Gaussian.String()}
	case "corruption":
		return []string{engine.CorruptionMask.String(), engine.CorruptionSaltPepper.String(), engine.CorruptionGaussian.String()}
	case "kind":
		return []string{string(network.DBN), string(network.SDAE)}
	case "method":
		return []string{string(train.AutoPartition), string(train.ExactPartition), string(train.AnnealPartition)}
	case "objective":
		return []string{"auto", string(train.ObjectiveError), string(train.ObjectiveReconstruction)}
	case "log":
		return []string{"text", "json"}
	case "keep":
		return []string{"all", "best"}
	case "curves":
		return []string{"auto", "yes", "no"}
	case "upper":
		return []string{"means", "samples"}
	case "direction":
		return []string{"1", "-1"}
	case "constraint":
		return []string{engine.Sphere.String(), engine.Ball.String(), engine.Box.String() + "=0,1"}
	case "precision":
		return []string{"fp32"}
	}
	return nil
}

// insteadOfNumber are the words that a flag takes where others take only numbers,
// as its explanation says.
func insteadOfNumber(p Page, flag string) (taken []string) {
	o := p.Option(flag)
	if o == nil {
		return nil
	}
	for _, word := range []string{"auto", "all"} {
		if slices.Contains(strings.FieldsFunc(o.explanation(), func(r rune) bool { return !unicode.IsLetter(r) }), word) {
			taken = append(taken, word)
		}
	}
	return taken
}

func bare(all ...string) (cs []candidate) {
	for _, word := range all {
		cs = append(cs, candidate{word: word})
	}
	return cs
}

func deviceValues() []candidate {
	all := []candidate{{"auto", "the first usable card, else the processor"}}
	for _, d := range engine.Devices() {
		if d.Unusable == nil {
			all = append(all, candidate{d.Name, d.Description})
		}
	}
	return all
}

func workloadValues() []candidate {
	all := bare("standard", "all")
	for _, w := range bench.Workloads() {
		if !slices.ContainsFunc(all, func(c candidate) bool { return c.word == w.Name }) {
			all = append(all, candidate{w.Name, w.What})
		}
	}
	return all
}

// dataValues are the kinds of data, and the paths of the kinds that have one.
func dataValues(typed string) (all []candidate) {
	kind, path, colon := strings.Cut(typed, ":")
	for _, usage := range strings.Split(dataset.Kinds(), "\n") {
		name := usage[:strings.IndexFunc(usage+"[", func(r rune) bool { return !unicode.IsLower(r) })]
		takesPath := strings.HasPrefix(usage, name+":")
		switch {
		case !colon && takesPath:
			all = append(all, candidate{name + ":", usage})
		case !colon:
			all = append(all, candidate{name, usage})
		case name == kind && takesPath:
			for _, c := range paths(path, strings.HasPrefix(usage, name+":DIR")) {
				all = append(all, candidate{name + ":" + c.word, c.about})
			}
		}
	}
	return all
}

// pathsListed bounds how many files are offered.
const pathsListed = 1000

// paths are the folders, and the files unless only folders are wanted, whose names
// begin as typed. Folders end in a slash, so that one can go on.
func paths(typed string, foldersOnly bool) (all []candidate) {
	parent, prefix := filepath.Split(typed)
	entries, err := os.ReadDir(filepath.FromSlash(expandHome(parent)))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		name := e.Name()
		hidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(prefix, ".")
		if hidden || !strings.HasPrefix(name, prefix) || strings.ContainsFunc(name, unicode.IsControl) || len(all) == pathsListed {
			continue
		}
		info, err := os.Stat(filepath.Join(expandHome(parent), name))
		switch {
		case err == nil && info.IsDir():
			all = append(all, candidate{parent + name + "/", ""})
		case err == nil && !foldersOnly:
			all = append(all, candidate{parent + name, ""})
		}
	}
	return all
}

// expandHome is a folder's name as shells have it; "" is the current one.
func expandHome(folder string) string {
	if rest, ok := strings.CutPrefix(folder, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if folder == "" {
		return "."
	}
	return folder
}

// aboutLength is how much is said of a candidate in a list of them.
const aboutLength = 70

func writeCandidates(w io.Writer, all []candidate) error {
	for _, c := range all {
		about := []rune(c.about)
		if len(about) > aboutLength {
			about = append(about[:aboutLength-3], []rune("...")...)
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\n", c.word, string(about)); err != nil {
			return err
		}
	}
	return nil
}
