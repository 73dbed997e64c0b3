package usage

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// Where the app keeps its command line, and that its call is a stage of a paper.
const calledAs, asStage = "called as", "as a stage"

// Called tells an app how it is called, and whether as a stage of a paper.
func Called(app *cli.App, words []string, stage bool) {
	app.Metadata = map[string]any{calledAs: words, asStage: stage}
}

// CommandLine is the command as it was called, for the record of its run.
func CommandLine(ctx *cli.Context) []string {
	called, _ := ctx.App.Metadata[calledAs].([]string)
	return called
}

// CommandName is a command as errors call it, which begin with the program's name:
// "train dbn".
func CommandName(ctx *cli.Context) string {
	if ctx.Command == nil {
		return ""
	}
	return strings.TrimPrefix(ctx.Command.HelpName, "unitscope ")
}

// Quoted is a word for a shell.
func Quoted(word string) string {
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !strings.ContainsRune("-_./:=,+@%", r) && !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	}) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// IsStage says whether a command is a stage of a paper.
func IsStage(ctx *cli.Context) bool { return ctx.App.Metadata[asStage] == true }

// ProgramWords are the words that call the program as it was called: ./unitscope is
// not on the path, and what `go run` has made is gone when people read its name.
func ProgramWords(ctx *cli.Context) []string {
	called := CommandLine(ctx)
	if len(called) == 0 {
		return []string{"unitscope"}
	}
	if !madeByGoRun(called[0]) {
		return called[:1]
	}
	const here = "./cmd/unitscope"
	if info, err := os.Stat(here); err == nil && info.IsDir() {
		return []string{"go", "run", here}
	}
	build, ok := debug.ReadBuildInfo()
	switch {
	case !ok || build.Path == "":
		return []string{"unitscope"}
	case build.Main.Version == "" || build.Main.Version == "(devel)":
		return []string{"go", "run", build.Path}
	}
	return []string{"go", "run", build.Path + "@" + build.Main.Version}
}

// madeByGoRun is true for programs in the folders that the go command builds in:
// go-build followed by a number for a temporary one, go-build for its cache.
func madeByGoRun(path string) bool {
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(filepath.Dir(path)), "/"), func(folder string) bool {
		number, ok := strings.CutPrefix(folder, "go-build")
		return ok && strings.Trim(number, "0123456789") == ""
	})
}

// CutFlag takes a word like --name=value or -name apart; name is "" if it is none.
func CutFlag(word string) (name, value string, inline bool) {
	short := strings.TrimPrefix(word, "-")
	if short == word || short == "" {
		return "", "", false
	}
	return strings.Cut(strings.TrimPrefix(short, "-"), "=")
}
