package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/help"
)

// completionFolder has files to complete, and is the working folder of the test.
func completionFolder(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"runs/dbn/model.safetensors", "runs/dbn 2/run.json", "runs/.hidden/x", "mine.npy", "it's.npy"} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(folder)
}

func TestComplete(t *testing.T) {
	completionFolder(t)
	for _, c := range []struct{ typed, want string }{
		{"vis", "visualize"},
		{"he", "help"},
		{"help he", ""},
		{"visualize ", "ascent sample combine examples"},
		{"visualize s", "sample"},
		{"help visualize s", "sample"},
		{"visualize sample --mod", "--model --mode-cosine"},
		{"visualize sample --model=runs --mod", "--mode-cosine"},
		{"visualize ascent --model", "--model"},
		{"visualize ascent --model ", "it's.npy mine.npy runs/"},
		{"visualize ascent --model runs/dbn/", "runs/dbn/model.safetensors"},
		{"visualize ascent --model runs/.", "runs/.hidden/"},
		{"visualize ascent --out ", "runs/"},
		{"visualize ascent --model nowhere/", ""},
		{"visualize ascent --keep ", "all best"},
		{"visualize ascent --layer ", ""},
		{"analyze restarts --layer ", "all"},
		{"visualize ascent --lr ", ""},
		{"visualize ascent --units ", "all"},
		{"train dbn --lr ", ""},
		{"train dbn --gradient-limit ", "auto"},
		{"visualize combine --top ", "all"},
		{"visualize examples --top ", ""},
		{"train dbn --layers ", ""},
		{"train dbn --visible g", "gaussian"},
		{"train sdae --corruption ", "mask saltpepper gauss"},
		{"train sdae --corruption=s", "--corruption=saltpepper"},
		{"train dbn --corruption ", "--out"}, // no flag of this command
		{"train dbn --data ", "digits mnist: infmnist: emnist: idx: npy: npz: csv: mat: patches: images: leaves"},
		{"train dbn --data npy:m", "npy:mine.npy"},
		{"train dbn --data mnist:", "mnist:runs/"},
		{"train dbn --data digits:", ""},
		{"train dbn --lr 1 --layer-", ""}, // the same flag by its other name
		{"bench --workload asc", "ascent-wide ascent-paper ascent-patch ascent-mass"},
		{"bench --device ", "auto cpu"},
		{"report ru", "runs/"},
		{"report --out x ru", "runs/"},
		{"completion ", "bash zsh fish"},
		{"nothing ", "demo"},
	} {
		var got []string
		var out strings.Builder
		if err := help.Complete(&out, program(), strings.Split(c.typed, " ")); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			word, _, _ := strings.Cut(line, "\t")
			got = append(got, word)
		}
		want := strings.Fields(c.want)
		// A list that begins as wanted, where there are too many to tell.
		if long := len(want) == 1 && len(got) > 3; long && got[0] == want[0] {
			continue
		}
		if strings.HasPrefix(c.typed, "bench --device") {
			got = slices.DeleteFunc(got, func(word string) bool { return strings.HasPrefix(word, "cuda") })
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", c.typed, got, want)
		}
	}
}

// Values that completion offers are values that the program takes.
func TestCompletedValues(t *testing.T) {
	everyPage := help.Leaves(program().Commands)
	for _, c := range everyPage {
		for _, o := range c.Options {
			for _, v := range help.FixedValues(o.Names[0]) {
				// A choice is told in the help of its flag.
				if text := o.Usage + " " + o.Fallback; o.Value != "" && !strings.Contains(text, v) {
					t.Errorf("%s --%s: %q is offered, and not explained by %q", c.Name, o.Names[0], v, text)
				}
			}
		}
	}
}

// shell runs a script in a shell that can call the program by its name, and skips
// the test where there is no such shell.
func shell(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if slices.Contains(strings.Split(os.Getenv("UNITSCOPE_REQUIRE"), ","), "shells") {
			t.Fatalf("UNITSCOPE_REQUIRE asks for %s: %v", name, err)
		}
		t.Skipf("skipped: there is no %s here", name)
	}
	out, err := exec.CommandContext(t.Context(), name, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func TestBash(t *testing.T) {
	completionFolder(t)
	// Readline hands = and : to the script as words of their own.
	for _, c := range []struct{ typed, want string }{
		{"unitscope vis", "visualize"},
		{"unitscope train sdae --corruption ''", "mask saltpepper gauss"},
		{"unitscope train sdae --corruption = s", "saltpepper"},
		{"unitscope train dbn --data npy : m", "mine.npy"},
		{"unitscope train dbn --data npy :", `it\'s.npy mine.npy runs/`},
		{"unitscope visualize ascent --model runs/d", `runs/dbn/ runs/dbn\ 2/`},
		{"unitscope ''", "demo"},
	} {
		got := strings.TrimSpace(shell(t, "bash", "--norc", "-c", `source <(unitscope completion bash)
COMP_WORDS=(`+c.typed+`)
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_unitscope 2>/dev/null
echo "${COMPREPLY[*]}"`))
		if got != c.want && !(c.want == "demo" && strings.HasPrefix(got, "demo train ")) {
			t.Errorf("%s: %q, want %q", c.typed, got, c.want)
		}
	}
	if got := strings.TrimSpace(shell(t, "bash", "--norc", "-c", "source <(unitscope completion bash); complete -p unitscope")); got != "complete -F _unitscope unitscope" {
		t.Errorf("bash has %q", got)
	}
}

func TestFish(t *testing.T) {
	completionFolder(t)
	for _, c := range []struct{ typed, want string }{
		{"unitscope vis", "visualize\tshow units in input space"},
		{"unitscope train sdae --corruption ", "mask\nsaltpepper\ngauss"},
		{"unitscope train sdae --corruption=s", "--corruption=saltpepper"},
		{"unitscope train dbn --data npy:m", "npy:mine.npy"},
		{"unitscope visualize ascent --out r", "runs/"},
	} {
		got := strings.TrimSpace(shell(t, "fish", "--no-config", "-c", "unitscope completion fish | source; complete -C '"+c.typed+"'"))
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.typed, got, c.want)
		}
	}
}

// zsh completes only where it edits a line on a terminal, which zpty gives it. The
// line is completed, and then echoed instead of run.
func TestZsh(t *testing.T) {
	completionFolder(t)
	got := shell(t, "zsh", "-f", "-c", `zmodload zsh/zpty
zpty t zsh -f -i
zpty -w t 'PS1= RPS1=; bindkey -e; autoload -U compinit; compinit -u -D; source <(unitscope completion zsh); unsetopt zle_bracketed_paste; echo rea""dy'
while zpty -r t line && [[ $line != *ready* ]]; do :; done
for typed in 'unitscope vis' 'unitscope train sdae --corruption=s' 'unitscope train dbn --data npy:m' 'unitscope visualize ascent --out r'; do
  zpty -w -n t "$typed"$'\t\x01echo : \x05END\n'
  while zpty -r t line && [[ $line != :* ]]; do :; done
  print -r -- "$line"
done
zpty -d t`)
	want := `: unitscope visualizeEND
: unitscope train sdae --corruption=saltpepperEND
: unitscope train dbn --data npy:mine.npyEND
: unitscope visualize ascent --out runs/END
`
	if got = strings.ReplaceAll(strings.ReplaceAll(got, "\r", ""), "\n\n", "\n"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
