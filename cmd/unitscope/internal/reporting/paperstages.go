package reporting

import (
	"bytes"
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

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// stageResult is what summary.md says of a stage, kept in stages.json from one
// call of a paper to the next.
type stageResult struct {
	Folder  string   `json:"folder"`
	Command []string `json:"command"`
	Seconds float64  `json:"seconds"`
	Output  string   `json:"output"` // what the stage printed: its findings
}

// paperRun goes through the stages of a paper, or of a look at a model.
type paperRun struct {
	program Program
	job     *job.Job
	folder  *runfolder.Folder
	out     string
	title   string // of the report
	results []stageResult
}

func (p *paperRun) run(stages []stage) error {
	var before []stageResult
	if p.job.Start == runfolder.Resume {
		var err error
		if before, err = p.readResults(); err != nil {
			return err
		}
		if err := compareStages(before, stages, p.out); err != nil {
			return err
		}
	}
	began := time.Now()
	// What comes after a stage that had to be done is made from its results.
	anew := false
	for i, s := range stages {
		command := s.command(p.out)
		if result, ok := p.complete(s, before); ok && !anew {
			p.results = append(p.results, result)
			continue
		}
		anew = true
		p.job.Console.Say("stage %d of %d: %s", i+1, len(stages), strings.Join(command, " "))
		if err := p.perform(s, command); err != nil {
			return fmt.Errorf("stage %d of %d, %s: %w", i+1, len(stages), s.folder, err)
		}
	}
	p.job.Console.Say("all %s are done, %s in this call", words.Count(len(stages), "stage"), time.Since(began).Round(time.Second))
	if err := p.writeResults(p.folder.Write); err != nil {
		return err
	}
	if err := p.folder.Write(schema.Summary, p.writeSummary); err != nil {
		return err
	}
	return writeReport(p.job.Ctx.Context, p.job.Console, p.folder, p.title)
}

// compareStages refuses to go on with a paper that was made in another way: its
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
// how the paper's folder is called.
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
func (p *paperRun) complete(s stage, before []stageResult) (stageResult, bool) {
	i := slices.IndexFunc(before, func(r stageResult) bool { return r.Folder == s.folder })
	if i < 0 {
		return stageResult{}, false
	}
	folder := filepath.Join(p.out, s.folder)
	return before[i], runfolder.Verify(folder) == nil && runfolder.Tidy(folder) == nil
}

// perform runs a stage and keeps what it has found.
func (p *paperRun) perform(s stage, command []string) error {
	began := time.Now()
	call := slices.Clone(command)
	switch _, err := os.Stat(filepath.Join(p.out, s.folder)); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case s.resumable && p.begun(s, command):
		call = append(call, "--resume")
	default:
		call = append(call, "--force")
	}
	var output bytes.Buffer
	if err := p.program.runStage(p.job.Ctx.Context, call, io.MultiWriter(&output, p.job.Ctx.App.Writer), p.job.Ctx.App.ErrWriter); err != nil {
		return err
	}
	p.results = append(p.results, stageResult{s.folder, command, time.Since(began).Seconds(), output.String()})
	return p.writeResults(p.folder.WriteTemporary)
}

// begun is true for a training that this very command has begun, or ended without
// the paper's having got to know it.
func (p *paperRun) begun(s stage, command []string) bool {
	folder := filepath.Join(p.out, s.folder)
	record, err := runfolder.ReadRecord(folder)
	if err != nil || record.Status == runfolder.Complete && runfolder.Verify(folder) != nil {
		return false
	}
	called := slices.DeleteFunc(slices.Clone(record.Command), func(arg string) bool { return arg == "--resume" || arg == "--force" })
	return slices.Equal(essential(called), essential(command))
}

// maxResults bounds stages.json, which is read back.
const maxResults = 1 << 24

func (p *paperRun) readResults() ([]stageResult, error) {
	path := p.folder.Path(schema.Stages)
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
		return nil, fmt.Errorf("%s is not the list of a paper's stages; start anew with --force", path)
	}
	return results, nil
}

func (p *paperRun) writeResults(write func(name string, write func(io.Writer) error) error) error {
	return write(schema.Stages, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(p.results)
	})
}

// writeSummary lists the stages with their findings.
func (p *paperRun) writeSummary(w io.Writer) error {
	var b bytes.Buffer
	total := 0.0
	for _, r := range p.results {
		total += r.Seconds
	}
	fmt.Fprintf(&b, "# What the units have learned\n\n%d stages, %.0f seconds. Each is a command that can be called by itself; its folder has pictures, tables and arrays.\n", len(p.results), total)
	for _, r := range p.results {
		fmt.Fprintf(&b, "\n## %s\n\n`%s`, %.1f s\n", filepath.ToSlash(r.Folder), strings.Join(r.Command, " "), r.Seconds)
		if text := strings.TrimSpace(r.Output); text != "" {
			fmt.Fprintf(&b, "\n```\n%s\n```\n", text)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
