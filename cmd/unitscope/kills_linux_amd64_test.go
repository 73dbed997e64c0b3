package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// killCase is a command that is killed at every point of its way.
type killCase struct {
	name    string
	before  []string // commands that have used its folder before
	command string
	again   string // the flag that makes up for a kill: --force where it is empty
	stride  int    // kill at every so many points only, where there are too many
}

// killCases are all commands that write to run folders; b is the folder of what they
// take, and every one writes to the folder out.
func killCases() []killCase {
	const (
		few    = " --restarts 2 --steps 3 --lr 0.1"
		little = " --samples 2 --chains 2 --burn-in 1 --every 1"
		search = "search --kind dbn --data digits:n=60 --layers 1:2 --units 4:6 --epochs 1 --finetune-epochs 2 --out out"
		ascent = "visualize ascent --model b/dbn --units 0-2 --out out" + few
		paper  = "paper --quick --digits digits:n=60 --digit-layers 4,4,4 --digit-epochs 1 --patch-layers 4,4,4 --patch-count 100 --patch-epochs 1 --units 2 --out out"
	)
	return []killCase{
		{name: "train dbn", command: "train dbn --data digits:n=60 --layers 6,5 --epochs 2 --out out", again: "--resume"},
		{name: "train sdae", command: "train sdae --data digits:n=60 --layers 6,5 --epochs 1 --checkpoint-every 1 --out out", again: "--resume"},
		{name: "finetune", command: "finetune --model b/dbn --data digits:n=60 --validation 10 --epochs 3 --out out", again: "--resume"},
		{name: "search", command: search + " --trials 2", again: "--resume"},
		{name: "search of more trials", before: []string{search + " --trials 1"}, command: search + " --trials 2 --resume", again: "--resume"},
		{name: "search over another", before: []string{search + " --trials 3 --seed 7"}, command: search + " --trials 2 --force", again: "--resume"},
		{name: "visualize ascent", command: ascent},
		{name: "visualize sample", command: "visualize sample --model b/dbn --layer 2 --out out" + little},
		{name: "visualize combine", command: "visualize combine --model b/dbn --layer 2 --out out"},
		{name: "combine over a search", before: []string{search + " --trials 2"}, command: "visualize combine --model b/dbn --out out --force"},
		{name: "ascent over a training", before: []string{"train dbn --data digits:n=60 --layers 6 --epochs 1 --out out"}, command: ascent + " --force"},
		{name: "visualize examples", command: "visualize examples --model b/dbn --data digits:n=60 --out out"},
		{name: "analyze restarts", command: "analyze restarts --model b/dbn --control --resamples 3 --out out" + few},
		{name: "analyze selectivity", command: "analyze selectivity --model b/dbn --out out" + few},
		{name: "analyze compare", command: "analyze compare --model b/dbn --data digits:n=60 --resamples 3 --out out" + few + little},
		{name: "analyze tuning", command: "analyze tuning --model b/dbn --data digits:n=60 --out out"},
		{name: "analyze connections", command: "analyze connections --model b/dbn --layer 2 --out out"},
		{name: "analyze likelihood", command: "analyze likelihood --model b/dbn --data digits:n=60 --out out"},
		{name: "figure 1", command: "figure 1 --dbn b/dbn --sdae b/sdae --columns 2 --restart-units 2 --out out" + few},
		{name: "figure 3", command: "figure 3 --dbn b/dbn --layer 2 --out out" + little},
		{name: "figure 4", command: "figure 4 --dbn b/dbn --layer 2 --top all --out out" + few + little},
		{name: "figure selectivity", command: "figure selectivity --dbn b/dbn --sdae b/sdae --out out" + few},
		{name: "report", command: "report b --out out"},
		{name: "report as one file", command: "report b --out out.html"},
		{name: "bench", command: "bench --workload gibbs --steps 1 --repeats 1 --json out.json"},
		{name: "paper", command: paper, again: "--resume", stride: 211},
		{name: "demo", command: "demo --quick --out out", stride: 89},
		{name: "look", command: "look b/dbn --layer 2 --units 0-1 --restarts 2 --steps 3 --out out", again: "--resume", stride: 7},
	}
}

// TestKilledAnywhere kills every command at every system call that changes its folder:
// it goes on or starts anew without a word, its results are those of a run that nobody
// killed, to the byte, and nothing else is left behind. Without
// UNITSCOPE_KILL_POINTS=all, as `make kill-points` has it, it is killed at a few.
func TestKilledAnywhere(t *testing.T) {
	all := os.Getenv("UNITSCOPE_KILL_POINTS") == "all"
	if testing.Short() && !all {
		t.Skip("-short: every command several times over")
	}
	base := t.TempDir()
	for _, command := range []string{
		"train dbn --data digits:n=60 --layers 6,5 --epochs 1 --out b/dbn",
		"train sdae --data digits:n=60 --layers 6,5 --epochs 1 --out b/sdae",
	} {
		mustRun(t, base, command)
	}
	for _, c := range killCases() {
		if c.stride > 0 && !all {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			newCampaign(t, c, base).run(all)
		})
	}
}

// campaign is the killing of one command.
type campaign struct {
	killCase
	*testing.T
	start string            // a folder as it is before the command
	want  map[string][]byte // the results of a run that nobody killed
	// counted
	kills, refusals, wrong int
}

func newCampaign(t *testing.T, c killCase, base string) *campaign {
	k := &campaign{killCase: c, T: t, start: t.TempDir()}
	if err := os.CopyFS(k.start, os.DirFS(base)); err != nil {
		t.Fatal(err)
	}
	for _, command := range c.before {
		mustRun(t, k.start, command)
	}
	return k
}

// mustRun runs a command that nobody kills.
func mustRun(t *testing.T, dir, command string) {
	t.Helper()
	if _, err := runWhole(dir, command); err != nil {
		t.Fatal(err)
	}
}

func runWhole(dir, line string) (stdout string, err error) {
	command := exec.Command("unitscope", strings.Fields(line)...)
	command.Dir = dir
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("unitscope %s: %w: %s", line, err, strings.TrimSpace(said.String()))
	}
	return out.String(), nil
}

func (k *campaign) run(all bool) {
	whole := k.copyOf(k.start)
	traced, err := runTraced(k.T, whole, 0, strings.Fields(k.command)...)
	if errors.Is(err, errNoTracing) && !strings.Contains(os.Getenv("UNITSCOPE_REQUIRE"), "ptrace") {
		k.Skip(err)
	}
	if err != nil || traced.status.ExitStatus() != 0 {
		k.Fatalf("error %v, %s", err, traced.stderr)
	}
	k.want = results(k.T, whole)
	checkSchema(k.T, filepath.Join(whole, "out"))
	first, stride := 1, max(1, k.stride)
	if !all {
		// The first one makes the folder.
		first, stride = 2, max(1, (traced.points+1)/2)
	}
	points := 0
	for at := first; at <= traced.points; at += stride {
		points++
		k.killAt(at)
	}
	k.Logf("%s: %d system calls change its folder, %d of them tried: %d kills, %d refusals, %d wrong results", k.name, traced.points, points, k.kills, k.refusals, k.wrong)
	if k.kills == 0 {
		k.Error("nothing was killed")
	}
}

// copyOf is another folder with the same in it.
func (k *campaign) copyOf(folder string) string {
	k.Helper()
	to := filepath.Join(k.TempDir(), "run")
	if err := os.CopyFS(to, os.DirFS(folder)); err != nil {
		k.Fatal(err)
	}
	return to
}

// killAt kills the command at one point, and has it make up for that.
func (k *campaign) killAt(at int) {
	cut := k.copyOf(k.start)
	traced, err := runTraced(k.T, cut, at, strings.Fields(k.command)...)
	if err != nil {
		k.Fatal(err)
	}
	if !traced.killed {
		k.Logf("point %d: it ended before", at)
		return
	}
	k.kills++
	plain := strings.TrimSuffix(strings.TrimSuffix(k.command, " --force"), " --resume")
	if k.again == "--resume" && k.begun(cut) {
		k.makeUp(at, k.copyOf(cut), plain+" --resume")
	}
	switch {
	case strings.HasSuffix(k.command, " --resume"): // --force would not go on from what was before
	case strings.HasPrefix(k.command, "bench"):
		k.makeUp(at, cut, plain)
	default:
		k.makeUp(at, cut, plain+" --force")
	}
}

// begun is true unless the folder is still that of the run before, which --force was
// to replace.
func (k *campaign) begun(folder string) bool {
	r, err := runfolder.ReadRecord(filepath.Join(folder, "out"))
	return err != nil || !strings.HasSuffix(k.command, " --force") || slices.Contains(r.Command, "--force")
}

// makeUp runs the command again in a folder that a kill has left.
func (k *campaign) makeUp(at int, folder, command string) {
	if _, err := runWhole(folder, command); err != nil {
		k.refusals++
		k.Errorf("killed at point %d: %v", at, err)
		return
	}
	got := results(k.T, folder)
	if differ := difference(k.want, got); differ != "" {
		k.wrong++
		k.Errorf("killed at point %d, then unitscope %s: %s", at, command, differ)
	}
}

// results are the files in a folder, the names of all and the content of those that do
// not hold times.
func results(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	timed := []string{schema.Record, schema.Log, schema.FineTuneTable, schema.Stages, schema.Summary}
	files := map[string][]byte{}
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil || e.IsDir() {
			files[name+"/"] = nil
			return err
		}
		if slices.Contains(timed, e.Name()) || filepath.Ext(name) == ".html" || name == "out.json" {
			files[name] = nil
			return runsComplete(path)
		}
		files[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return files
}

// runsComplete makes sure that the folder of a record holds a complete run, and all
// that it wrote.
func runsComplete(path string) error {
	if filepath.Base(path) != schema.Record {
		return nil
	}
	return runfolder.Verify(filepath.Dir(path))
}

// difference names a file that only one of two folders has, or that is not the same.
func difference(want, got map[string][]byte) string {
	for name, content := range want {
		if has, ok := got[name]; !ok {
			return name + " is missing"
		} else if !bytes.Equal(has, content) {
			return name + " is not that of a run that nobody killed"
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			return name + " is left behind"
		}
	}
	return ""
}
