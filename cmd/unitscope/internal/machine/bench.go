// Package machine has the commands about this machine and its devices: bench and
// devices.
package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/bench"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/report/runfolder"
)

// BenchCommand is `unitscope bench`.
func BenchCommand() *cli.Command {
	var what strings.Builder
	for _, w := range bench.Workloads() {
		fmt.Fprintf(&what, "\n   %-12s %-6s %s; whole: %d steps", w.Name, w.Variant, w.What, w.Steps)
	}
	flags := []cli.Flag{
		&cli.StringFlag{Name: "workload", Value: "standard", Usage: "`NAME,...` of workloads, all, or standard: all but ascent-mass"},
		&cli.IntFlag{Name: "steps", Usage: "`N` shortens a workload without changing its meaning: products, steps of an ascent, updates, sweeps, or thousands of examples; 1 to 1000000, or 0 for the whole workload"},
		&cli.IntFlag{Name: "repeats", Value: 3, Usage: "`N` runs of each workload, 1 to 1000; the median counts"},
		&cli.StringFlag{Name: "data", Usage: "`DATA` of 28x28 pictures for training and deform (default: random pixels, and built-in digits for deform)"},
		&cli.StringFlag{Name: "precision", Value: "fp32", Usage: "`NAME` of the numbers' precision: fp32 is what the CPU computes in"},
		&cli.StringFlag{Name: "json", Usage: "`FILE` for the results, an array of objects"},
		&cli.StringFlag{Name: "plot", Usage: "`FILE`.png or .svg for a plot of an ascent's time against rows, 10 to 100,000"},
		&cli.BoolFlag{Name: "small", Usage: "the workloads at tiny sizes, which say whether all of a device works, and nothing about its speed: for an emulated card, or a first look at a real one"},
		&cli.BoolFlag{Name: "peers", Usage: "run the same work in PyTorch, scikit-learn and OpenBLAS (beside a card, in PyTorch on that card), taking turns; UNITSCOPE_PYTHON names the interpreter (default: python3)"},
		usage.SeedFlag(), usage.DeviceFlag(),
	}
	return &cli.Command{
		Name:  "bench",
		Usage: "time the standard workloads on a device, against its own floor and against other programs",
		Description: "Prints a row for each workload: the median of several runs by the fraction of the device's peak that they reach,\n" +
			"the peak being measured right before and after each run. Results are checked before their numbers count.\nWorkloads:\n" + what.String(),
		Flags:  append(flags, usage.SpeakFlags()...),
		Action: benchmark,
	}
}

// benchmark is `unitscope bench`.
func benchmark(ctx *cli.Context) (err error) {
	c, err := console.New(ctx)
	if err != nil {
		return err
	}
	all := bench.Workloads()
	if ctx.Bool("small") {
		all = bench.SmallWorkloads()
	}
	workloads, err := bench.Select(all, ctx.String("workload"))
	if err != nil {
		return usage.Mistakef("--workload: %w", err)
	}
	o, err := benchOptions(ctx, c)
	if err != nil {
		return err
	}
	if o.Data != nil {
		defer job.CloseInto(&err, o.Data)
	}
	device, err := job.OpenDevice(ctx, c)
	if err != nil {
		return err
	}
	defer job.CloseInto(&err, device)
	results, err := runWorkloads(ctx, c, device, workloads, o)
	if err != nil {
		return err
	}
	shown := writeBench(ctx.App.Writer, results)
	if path := ctx.String("json"); path != "" {
		if err := runfolder.WriteFile(path, func(w io.Writer) error { return writeResults(w, results) }); err != nil {
			return fmt.Errorf("--json: %w", err)
		}
	}
	if path := ctx.String("plot"); path != "" {
		return errors.Join(plotScaling(ctx, c, device, o, path), shown)
	}
	return shown
}

// benchOptions translates the flags, and opens --data; everything wrong with them is
// found before the first run.
func benchOptions(ctx *cli.Context, c *console.Console) (bench.Options, error) {
	o := bench.Options{Seed: ctx.Uint64("seed"), Steps: ctx.Int("steps"), Repeats: ctx.Int("repeats")}
	if o.Steps < 0 || o.Steps > 1e6 {
		return o, usage.Mistakef("--steps %d: want 0 for whole workloads, or 1 to 1000000", o.Steps)
	}
	if o.Repeats < 1 || o.Repeats > 1000 {
		return o, usage.Mistakef("--repeats %d: want 1 to 1000", o.Repeats)
	}
	if p := ctx.String("precision"); p != "fp32" {
		return o, usage.Mistakef("--precision %q: the devices here compute in fp32", p)
	}
	if path := ctx.String("plot"); path != "" {
		if _, err := plotFormat(path); err != nil {
			return o, err
		}
	}
	for _, flag := range []string{"json", "plot"} {
		path := ctx.String(flag)
		if path == "" {
			continue
		}
		if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
			return o, usage.Mistakef("--%s %s: there is no folder %s", flag, path, filepath.Dir(path))
		}
	}
	if text := ctx.String("data"); text != "" {
		data, err := job.Open(c, job.DataChoice{Flag: "data", Spec: text, Seed: o.Seed}, nil)
		if err != nil {
			return o, err
		}
		o.Data = data.Set
	}
	return o, nil
}

// runWorkloads runs them one after the other and says each result as it comes.
func runWorkloads(ctx *cli.Context, c *console.Console, d engine.Device, workloads []bench.Workload, o bench.Options) ([]bench.Result, error) {
	if ctx.Bool("peers") && bench.PeerTuning(os.Environ()) {
		c.Say("peers run without OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE, which slow a current OpenBLAS")
	}
	var all []bench.Result
	for _, w := range workloads {
		results, err := runWorkload(ctx, c, d, w, o)
		if err != nil {
			return nil, err
		}
		for _, r := range results {
			c.Say("%s", spoken(r))
		}
		all = append(all, results...)
	}
	return all, nil
}

// runWorkload runs one workload, beside each peer that can run here.
func runWorkload(ctx *cli.Context, c *console.Console, d engine.Device, w bench.Workload, o bench.Options) (results []bench.Result, err error) {
	var peers []*bench.Peer
	defer func() {
		for _, p := range peers {
			job.CloseInto(&err, p)
		}
	}()
	if ctx.Bool("peers") {
		for _, kind := range bench.PeerKinds(w, d) {
			p, err := bench.StartPeer(ctx.Context, interpreter(), kind, d, w, o)
			if errors.Is(err, bench.ErrNoPeer) {
				c.Say("%s %s: skipped: %s", w.Name, w.Variant, usage.OneLine(err))
				continue
			}
			if err != nil {
				return nil, err
			}
			peers = append(peers, p)
		}
	}
	return bench.Run(ctx.Context, d, w, o, peers...)
}

// spoken is a result in a line.
func spoken(r bench.Result) string {
	line := fmt.Sprintf("%s %s: %.4g %s/s in %.3g s", r.Workload, r.Variant, r.PerSecond, r.Unit, r.Seconds)
	if r.Fraction > 0 {
		line += fmt.Sprintf(", %s of peak", percent(r.Fraction))
	}
	return line
}

// interpreter is the interpreter that peers run in.
func interpreter() string {
	if name := os.Getenv("UNITSCOPE_PYTHON"); name != "" {
		return name
	}
	return "python3"
}

func percent(fraction float64) string {
	if fraction == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*fraction)
}

// writeBench writes the results as a table, and how we compare with the best peer.
func writeBench(out io.Writer, results []bench.Result) error {
	rows := [][]string{{"WORKLOAD", "VARIANT", "SECONDS", "GFLOP/S", "PEAK", "FRACTION", "RATE", "", "MEMORY"}}
	for _, r := range results {
		memory := "-"
		if r.Memory > 0 {
			memory = fmt.Sprintf("%d MiB", r.Memory>>20)
		}
		rows = append(rows, []string{r.Workload, r.Variant, fmt.Sprintf("%.4g", r.Seconds),
			rateOrDash(r.GFLOPs), rateOrDash(r.Peak), percent(r.Fraction), fmt.Sprintf("%.4g", r.PerSecond), r.Unit + "/s", memory})
	}
	if err := console.WriteTable(out, rows); err != nil {
		return err
	}
	pairs := bench.Compare(results)
	if len(pairs) == 0 {
		return nil
	}
	rows = [][]string{{"WORKLOAD", "OURS", "BEST PEER", "OURS/PEER"}}
	for _, p := range pairs {
		rows = append(rows, []string{p.Ours.Workload, p.Ours.Variant, p.Best.Variant, fmt.Sprintf("%.2f", p.Ratio)})
	}
	fmt.Fprintln(out)
	return console.WriteTable(out, rows)
}

func rateOrDash(x float64) string {
	if x == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", x)
}

// writeResults writes the results as JSON, an object a line.
func writeResults(w io.Writer, results []bench.Result) error {
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

func plotFormat(path string) (string, error) {
	switch format := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), ".")); format {
	case "png", "svg":
		return format, nil
	}
	return "", usage.Mistakef("--plot %q: want a name that ends in .png or .svg", path)
}

// plotScaling draws time against rows.
func plotScaling(ctx *cli.Context, c *console.Console, d engine.Device, o bench.Options, path string) error {
	format, err := plotFormat(path)
	if err != nil {
		return err
	}
	points, err := bench.Scaling(ctx.Context, d, o)
	if err != nil {
		return err
	}
	title := fmt.Sprintf("%s: ascent, 144-100-100, 10 steps", d.Info().Description)
	if err := runfolder.WriteFile(path, func(w io.Writer) error { return bench.Plot(w, format, title, points) }); err != nil {
		return fmt.Errorf("--plot: %w", err)
	}
	c.Say("%s: from 1000 rows on, time grows as rows^%.2f", path, bench.Exponent(points))
	return nil
}
