package reporting

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// Program makes the program anew, with these outputs: a command that is made of
// others calls them through it, as people would.
type Program func(stdout, stderr io.Writer) *cli.App

// runStage runs the command line of a stage.
func (p Program) runStage(ctx context.Context, call []string, stdout, stderr io.Writer) error {
	app := p(stdout, stderr)
	usage.Called(app, call, true)
	return app.RunContext(ctx, call)
}

// stage is one command of a paper, or of a look at a model, with a run folder of its own.
type stage struct {
	folder    string   // under --out
	args      []string // of unitscope, without --out
	resumable bool     // it takes --resume
	aside     bool     // what it finds is for the summary and the report alone
}

// isAside is true for commands that find more than people watching would read: two lines
// for each unit.
func isAside(command string) bool { return command == schema.TaskConnections }

// command is the stage as it can be called by itself.
func (s stage) command(out string) []string {
	return slices.Concat([]string{"unitscope"}, s.args, []string{"--out", filepath.Join(out, s.folder)})
}

// shown is a command for those who watch: of a long list there are the ends.
func shown(command []string) string {
	const most = 8
	var words []string
	for _, word := range command {
		if parts := strings.Split(word, ","); len(parts) > most {
			word = strings.Join(parts[:3], ",") + ",...," + parts[len(parts)-1]
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// stageResult is what summary.md says of a stage, kept in stages.json from one
// call of their command to the next.
type stageResult struct {
	Folder  string   `json:"folder"`
	Command []string `json:"command"`
	Seconds float64  `json:"seconds"`
	Output  string   `json:"output"` // what the stage printed: its findings
}

// stagesRun is a run of several commands, a paper or a look at a model: those that are
// complete are kept, the others are done in their order, and their summary and report written.
type stagesRun struct {
	program Program
	job     *job.Job
	folder  *runfolder.Folder
	out     string
	title   string // of the report
	results []stageResult
}

func (r *stagesRun) run(stages []stage) error {
	var before []stageResult
	if r.job.Start == runfolder.Resume {
		var err error
		if before, err = r.readResults(); err != nil {
			return err
		}
		if err := compareStages(before, stages, r.out); err != nil {
			return err
		}
	}
	began := time.Now()
	// What comes after a stage that had to be done is made from its results.
	anew := false
	for i, s := range stages {
		command := s.command(r.out)
		if result, ok := r.complete(s, before); ok && !anew {
			r.results = append(r.results, result)
			continue
		}
		anew = true
		r.job.Console.Say("stage %d of %d: %s", i+1, len(stages), shown(command))
		if err := r.perform(s, command); err != nil {
			return fmt.Errorf("stage %d of %d, %s: %w", i+1, len(stages), s.folder, err)
		}
	}
	r.job.Console.Say("all %s are done, %s in this call", words.Count(len(stages), "stage"), time.Since(began).Round(time.Second))
	if err := r.writeResults(r.folder.Write); err != nil {
		return err
	}
	if err := r.folder.Write(schema.Summary, r.writeSummary); err != nil {
		return err
	}
	return writeReport(r.job.Ctx.Context, r.job.Console, r.folder, r.title)
}

// compareStages refuses to go on with a run that was made in another way: its
// stages would be done again over those that are there.
func compareStages(before []stageResult, stages []stage, out string) error {
	for _, r := range before {
		i := slices.IndexFunc(stages, func(s stage) bool { return s.folder == r.Folder })
		if i < 0 {
			return usage.Mistakef("--resume: the run in %s has a stage %s that this one has not; give the options it was made with, or start anew with --force", out, r.Folder)
		}
		if now := stages[i].command(out); !slices.Equal(essential(r.Command), essential(now)) {
			return usage.Mistakef("--resume: the stage %s was made by `%s`, now it would be `%s`; give the same options, or start anew with --force", r.Folder, strings.Join(r.Command, " "), strings.Join(now, " "))
		}
	}
	return nil
}

// essential is a command without what does not change its results, and without
// how the run's own folder is called.
func essential(command []string) (kept []string) {
	for i := 0; i < len(command); i++ {
		switch command[i] {
		case "--quiet":
		case "--log", "--device", "--out", "--model", "--dbn", "--sdae", "--ascent":
			i++
		default:
			kept = append(kept, command[i])
		}
	}
	return kept
}

// complete finds a stage's result if the folder holds all of it and nothing in it
// has changed since. That it was made by the same command, compareStages has seen.
func (r *stagesRun) complete(s stage, before []stageResult) (stageResult, bool) {
	i := slices.IndexFunc(before, func(done stageResult) bool { return done.Folder == s.folder })
	if i < 0 {
		return stageResult{}, false
	}
	folder := filepath.Join(r.out, s.folder)
	return before[i], runfolder.Verify(folder) == nil && runfolder.Tidy(folder) == nil
}

// perform runs a stage and keeps what it has found.
func (r *stagesRun) perform(s stage, command []string) error {
	began := time.Now()
	call := slices.Clone(command)
	switch _, err := os.Stat(filepath.Join(r.out, s.folder)); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case s.resumable && r.begun(s, command):
		call = append(call, "--resume")
	default:
		call = append(call, "--force")
	}
	var output bytes.Buffer
	findings := io.MultiWriter(&output, r.job.Ctx.App.Writer)
	if s.aside {
		findings = &output
	}
	if err := r.program.runStage(r.job.Ctx.Context, call, findings, r.job.Ctx.App.ErrWriter); err != nil {
		return err
	}
	r.results = append(r.results, stageResult{s.folder, command, time.Since(began).Seconds(), output.String()})
	return r.writeResults(r.folder.WriteTemporary)
}

// begun is true for a training that this very command has begun, or ended without
// the paper's having got to know it.
func (r *stagesRun) begun(s stage, command []string) bool {
	folder := filepath.Join(r.out, s.folder)
	record, err := runfolder.ReadRecord(folder)
	if err != nil || record.Status == runfolder.Complete && runfolder.Verify(folder) != nil {
		return false
	}
	called := slices.DeleteFunc(slices.Clone(record.Command), func(arg string) bool { return arg == "--resume" || arg == "--force" })
	return slices.Equal(essential(called), essential(command))
}

// maxResults bounds stages.json, which is read back.
const maxResults = 1 << 24

func (r *stagesRun) readResults() ([]stageResult, error) {
	path := r.folder.Path(schema.Stages)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxResults+1))
	if err != nil {
		return nil, err
	}
	var results []stageResult
	if err := json.Unmarshal(text, &results); err != nil || len(text) > maxResults {
		return nil, fmt.Errorf("%s is not a list of stages; start anew with --force", path)
	}
	return results, nil
}

func (r *stagesRun) writeResults(write func(name string, write func(io.Writer) error) error) error {
	return write(schema.Stages, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r.results)
	})
}

// writeSummary lists the stages with their findings.
func (r *stagesRun) writeSummary(w io.Writer) error {
	var b bytes.Buffer
	total := 0.0
	for _, result := range r.results {
		total += result.Seconds
	}
	fmt.Fprintf(&b, "# What the units have learned\n\n%d stages, %.0f seconds. Each is a command that can be called by itself; its folder has pictures, tables and arrays.\n", len(r.results), total)
	for _, result := range r.results {
		fmt.Fprintf(&b, "\n## %s\n\n`%s`, %.1f s\n", filepath.ToSlash(result.Folder), strings.Join(result.Command, " "), result.Seconds)
		if text := strings.TrimSpace(result.Output); text != "" {
			fmt.Fprintf(&b, "\n```\n%s\n```\n", text)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
