// Package console is where commands speak to people: remarks, warnings and progress by a
// [Console], which a command makes by [New], tables by [WriteTable], pictures in a
// terminal by [Console.Preview]. What happens goes to standard error, so that standard
// output, see [Results], carries results only.
package console

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/report/runfolder"
)

// Console is where a command speaks to people, as its flags --quiet and --log want it.
type Console struct {
	err      io.Writer
	quiet    bool
	log      *slog.Logger // set by --log json: everything becomes a record
	terminal bool         // progress may be redrawn in place
	screen   *screen      // for --preview, nil to show no pictures
	stage    bool         // of a paper, which has its own order of what comes next
	program  []string     // the words that call it, for hints to copy
	warnings []runfolder.Warning
	folder   *runfolder.Folder // whose record keeps them too, once there is one
}

// jsonLog is where the app keeps the records of --log json, for [Records].
const jsonLog = "log"

// leastMemory is what every command needs that has a console: for threads, for
// reading files and drawing pictures.
const leastMemory = 32 << 20

// New makes the console of a command.
func New(ctx *cli.Context) (*Console, error) {
	c := &Console{err: ctx.App.ErrWriter, quiet: ctx.Bool("quiet"), stage: usage.IsStage(ctx), program: usage.ProgramWords(ctx)}
	switch format := ctx.String("log"); format {
	case "text":
		f := fileOf(c.err)
		c.terminal = f != nil && term.IsTerminal(int(f.Fd()))
	case "json":
		c.log = slog.New(slog.NewJSONHandler(c.err, nil))
		ctx.App.Metadata[jsonLog] = c.log
	default:
		return nil, usage.Mistakef("--log %q: want text or json", format)
	}
	if err := memory.Check(leastMemory); err != nil {
		return nil, fmt.Errorf("%s: %w", usage.CommandName(ctx), err)
	}
	return c, c.findScreen(ctx)
}

// Say writes a line about what happens.
func (c *Console) Say(format string, args ...any) { c.Tell(fmt.Sprintf(format, args...)) }

// Tell writes a line about what happens; with --log json, the same with these fields:
// names and values in turn.
func (c *Console) Tell(text string, fields ...any) {
	switch {
	case c.quiet:
	case c.log != nil:
		c.log.Info(text, fields...)
	default:
		fmt.Fprintln(c.err, usage.Printable(text))
	}
}

// Wrote says that a file was written.
func (c *Console) Wrote(path string) { c.Tell("wrote "+path, "path", path) }

// Warn says that a result is probably not what was meant: on standard error,
// --quiet or not, and in the record of the run. about is what it is of, in a word or
// two: "data", "layer 2", "--limit".
func (c *Console) Warn(about, format string, args ...any) {
	w := runfolder.Warning{About: about, Text: usage.Printable(fmt.Sprintf(format, args...))}
	if slices.Contains(c.warnings, w) {
		return
	}
	c.warnings = append(c.warnings, w)
	if c.folder != nil {
		c.folder.Warn(w)
	}
	if c.log != nil {
		c.log.Warn(w.Text, "about", w.About)
		return
	}
	fmt.Fprintln(c.err, "warning: "+w.Text)
}

// KeepWarnings has a run folder's record keep the warnings, those before it was there
// too.
func (c *Console) KeepWarnings(f *runfolder.Folder) {
	c.folder = f
	for _, w := range c.warnings {
		f.Warn(w)
	}
}

// Next tells people a command that goes on from here; scripts, which ask for --quiet
// or --log json, know what they do next.
func (c *Console) Next(words ...string) {
	if c.quiet || c.log != nil || c.stage || len(words) == 0 {
		return
	}
	fmt.Fprintln(c.err, usage.Printable("next: "+c.CommandLine(words...)))
}

// CommandLine is a call of the program, for a shell.
func (c *Console) CommandLine(words ...string) string {
	var line []string
	for _, word := range slices.Concat(c.program, words) {
		line = append(line, usage.Quoted(word))
	}
	return strings.Join(line, " ")
}

// GoOn says after an interrupt how to go on. Of a stage, the paper says it.
func GoOn(ctx *cli.Context, err error) error {
	if err == nil || ctx.Err() == nil || usage.IsStage(ctx) {
		return err
	}
	return fmt.Errorf("%w; go on with the same command and --resume", err)
}

// plainInterval is how often progress writes a line where it can't draw a bar.
const plainInterval = 10 * time.Second

// Progress shows how far one piece of work has come: a bar with rate and time
// left on a terminal, elsewhere a line now and then.
type Progress struct {
	console *Console
	label   string
	unit    string // what is counted: "example", "row"
	total   int64
	done    int64
	began   time.Time
	spoke   time.Time
	bar     *progressbar.ProgressBar
	moving  bool // something is done
}

// Progress begins to show work of total units.
func (c *Console) Progress(label, unit string, total int64) *Progress {
	p := &Progress{console: c, label: label, unit: unit, total: total, began: time.Now(), spoke: time.Now()}
	if c.terminal && !c.quiet {
		p.bar = progressbar.NewOptions64(max(total, 1),
			progressbar.OptionSetWriter(fitted{to: c.err, columns: c.columns}),
			progressbar.OptionSetDescription(label),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(barWidth(c.columns())),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

// barWidth is how wide a bar is on a terminal of so many columns, 0 if unknown: what
// is said beside it comes first.
func barWidth(columns int) int {
	if columns < 1 {
		return widestBar
	}
	return max(0, min(widestBar, columns-70))
}

const widestBar = 24

// columns is how wide the terminal is now; 0 if it does not say, or is none.
func (c *Console) columns() int {
	if f := fileOf(c.err); f != nil {
		return columnsOf(f)
	}
	return 0
}

// Of sets how much there is to do, where that is known only now.
func (p *Progress) Of(total int64) *Progress {
	p.total = total
	return p
}

// Set says how much is done. note is a short state of the work, "" for none.
func (p *Progress) Set(done int64, note string) {
	p.done = done
	if p.bar != nil {
		progressbar.OptionSetWidth(barWidth(p.console.columns()))(p.bar)
		p.bar.Describe(Join(p.label, note))
		if done > 0 && !p.moving {
			// A rate and the time left, from when there is one. What Describe has
			// drawn is how it was before.
			p.moving = true
			progressbar.OptionSetItsString(words.Plural(p.unit))(p.bar)
			progressbar.OptionShowIts()(p.bar)
			progressbar.OptionSetPredictTime(true)(p.bar)
		}
		// The bar only fails when it can't write; then there is nobody to tell.
		_ = p.bar.Set64(min(done, p.total))
		return
	}
	if time.Since(p.spoke) < plainInterval {
		return
	}
	p.spoke = time.Now()
	seconds := time.Since(p.began).Seconds()
	rate := float64(done) / seconds
	if p.console.log != nil {
		if !p.console.quiet {
			p.console.log.Info("progress", "work", p.label, "done", done, "total", p.total, "unit", words.Plural(p.unit), "per_second", rate, "note", note)
		}
		return
	}
	if done == 0 {
		p.console.Say("%s: %d of %s after %s", Join(p.label, note), done, words.Count(p.total, p.unit), time.Since(p.began).Round(time.Second))
		return
	}
	left := time.Duration(float64(p.total-done) / rate * float64(time.Second)).Round(time.Second)
	p.console.Say("%s: %d of %s, %s, %s left", Join(p.label, note), done, words.Count(p.total, p.unit), rateText(done, seconds), left)
}

// Finish ends the display and says how long it took.
func (p *Progress) Finish(note string) {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
	elapsed := time.Since(p.began)
	p.console.Tell(fmt.Sprintf("%s: %s in %s (%s)", Join(p.label, note), words.Count(p.done, p.unit), elapsed.Round(100*time.Millisecond), rateText(p.done, elapsed.Seconds())),
		"work", p.label, "done", p.done, "unit", words.Plural(p.unit), "seconds", elapsed.Seconds(), "note", note)
}

// rateText is how fast work goes: so many a second, or so long for each where that
// would be a fraction.
func rateText(done int64, seconds float64) string {
	seconds = max(seconds, 1e-9)
	if rate := float64(done) / seconds; rate >= 1 || done == 0 {
		return fmt.Sprintf("%.0f/s", rate)
	}
	return fmt.Sprintf("%.1f s each", seconds/float64(done))
}

// Stop ends the display without a word, before an error speaks.
func (p *Progress) Stop() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// Join puts a note behind a label, if there is one.
func Join(label, note string) string {
	if note == "" {
		return label
	}
	return label + ", " + note
}

// Plain is a console that only says things, each in a line.
func Plain(to io.Writer) *Console { return &Console{err: to} }

// Records are those of --log json, where the last words of the program belong too; nil
// if a command line does not ask for them. It may be one that can't be read otherwise.
func Records(app *cli.App, called []string) *slog.Logger {
	if log, ok := app.Metadata[jsonLog].(*slog.Logger); ok {
		return log
	}
	for i, word := range called {
		name, value, inline := usage.CutFlag(word)
		if name == "log" && (inline && value == "json" || !inline && i+1 < len(called) && called[i+1] == "json") {
			return slog.New(slog.NewJSONHandler(app.ErrWriter, nil))
		}
	}
	return nil
}

// Warnings are those so far.
func (c *Console) Warnings() []runfolder.Warning { return c.warnings }

// WarnedOf is true if something was found to be wrong with what a warning is about.
func (c *Console) WarnedOf(about string) bool {
	return slices.ContainsFunc(c.warnings, func(w runfolder.Warning) bool { return w.About == about })
}

// ForPart is the console of a run within a run: what it warns of stays out of the
// records of the others.
func (c *Console) ForPart() *Console {
	own := *c
	own.warnings = slices.Clip(own.warnings)
	return &own
}
