package making

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/train"
)

// trainingLog is log.csv. step counts the updates of the layer.
type trainingLog struct {
	rows     [][]string
	layer    int
	examples int64
	since    time.Time
}

// maxLog bounds the log that a resumed run takes over: a million lines and more.
const maxLog = 1 << 28

// laterColumns are those that a log of an older version lacks. They stay empty.
func laterColumns() []string {
	return []string{schema.FreeEnergyGapError, schema.PseudoLikelihoodError}
}

func (l *trainingLog) add(r train.Measurement) {
	number := func(x float64) string {
		if math.IsNaN(x) {
			return ""
		}
		return strconv.FormatFloat(x, 'g', 8, 64)
	}
	if r.Layer != l.layer {
		l.layer, l.examples = r.Layer, 0
	}
	rate := math.NaN()
	if !l.since.IsZero() {
		rate = float64(r.Examples-l.examples) / time.Since(l.since).Seconds()
	}
	l.examples, l.since = r.Examples, time.Now()
	l.rows = append(l.rows, []string{
		strconv.Itoa(r.Layer), strconv.Itoa(r.Epoch), strconv.Itoa((r.Epoch-1)*r.Updates + r.Update),
		number(r.Error), number(r.HeldError), number(r.FreeEnergyGap), number(r.FreeEnergyGapError),
		number(r.PseudoLikelihood), number(r.PseudoLikelihoodError), number(rate),
	})
}

func (l *trainingLog) write(w io.Writer) error {
	return csv.NewWriter(w).WriteAll(append([][]string{schema.Columns(schema.Log)}, l.rows...))
}

// read takes over the lines of an interrupted run up to its checkpoint.
func (l *trainingLog) read(path string, c *train.Checkpoint) (err error) {
	l.rows, err = readLog(path, schema.Columns(schema.Log), laterColumns(), func(row []string) (bool, error) {
		layer, err1 := strconv.Atoi(row[0])
		step, err2 := strconv.Atoi(row[2])
		if err1 != nil || err2 != nil {
			return false, fmt.Errorf("layer %.20q, step %.20q: want whole numbers", row[0], row[2])
		}
		return layer < c.Layer || layer == c.Layer && step <= c.Updates, nil
	})
	return err
}

// readLog returns the lines of a log.csv with these columns that are to be
// kept. Columns that came later may be missing; they are left empty. A log that
// does not exist has none.
func readLog(path string, columns, later []string, keep func(row []string) (bool, error)) ([][]string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	notLog := fmt.Errorf("%s: not the log of such a run", path)
	if !info.Mode().IsRegular() || info.Size() > maxLog {
		return nil, notLog
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := csv.NewReader(f)
	var rows [][]string
	var header []string
	for line := 1; ; line++ {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil || line == 1 && !ofColumns(row, columns, later) {
			return nil, notLog
		}
		if line == 1 {
			header = row
			continue
		}
		row = inColumns(row, header, columns)
		kept, err := keep(row)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, line, err)
		}
		if kept {
			rows = append(rows, row)
		}
	}
}

// ofColumns says whether a header has these columns, but for some that came later.
func ofColumns(header, columns, later []string) bool {
	i := 0
	for _, name := range columns {
		if i < len(header) && header[i] == name {
			i++
		} else if !slices.Contains(later, name) {
			return false
		}
	}
	return i == len(header)
}

// inColumns returns a row under a header as one of all columns.
func inColumns(row, header, columns []string) []string {
	all := make([]string, len(columns))
	for i, name := range columns {
		if at := slices.Index(header, name); at >= 0 {
			all[i] = row[at]
		}
	}
	return all
}

// trainingProgress shows the layers of a model, one after the other.
type trainingProgress struct {
	console *console.Console
	kind    network.Kind
	layer   int
	bar     *console.Progress
	monitor string
}

func (p *trainingProgress) set(now train.Progress) {
	if p.layer != now.Layer {
		p.finish()
		p.layer, p.monitor = now.Layer, ""
		p.bar = p.console.Progress(fmt.Sprintf("%s layer %d of %d", p.kind, now.Layer, now.Layers), "example", now.AllExamples)
	}
	p.bar.Set(now.Examples, console.Join(fmt.Sprintf("epoch %d of %d", now.Epoch, now.Epochs), p.monitor))
}

func (p *trainingProgress) note(r train.Measurement) {
	p.monitor = fmt.Sprintf("error %.3g", r.Error)
	if !math.IsNaN(r.FreeEnergyGap) {
		p.monitor += fmt.Sprintf(", free-energy gap %.3g", r.FreeEnergyGap)
		if !math.IsNaN(r.FreeEnergyGapError) {
			p.monitor += fmt.Sprintf(" +- %.2g", r.FreeEnergyGapError)
		}
	}
}

func (p *trainingProgress) finish() {
	if p.bar != nil {
		p.bar.Finish(p.monitor)
	}
	p.bar = nil
}

func (p *trainingProgress) stop() {
	if p.bar != nil {
		p.bar.Stop()
	}
}
