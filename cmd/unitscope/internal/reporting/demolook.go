package reporting

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/report/site"
	"github.com/unitscope/unitscope/schema"
)

// demoLook looks at the first units of the demo's models by every method, with the
// commands that people would use.
type demoLook struct {
	program Program
	ctx     *cli.Context
	console *console.Console
	out     string
	size    demoSize
}

// stages are the commands in their order; those of a layer need its ascent.
func (d *demoLook) stages() (all []stage) {
	look := d.size.look
	for _, kind := range []network.Kind{network.DBN, network.SDAE} {
		m := layerMethods{
			model:  []string{"--model", filepath.Join(d.out, string(kind))},
			common: []string{"--seed", fmt.Sprint(d.ctx.Uint64("seed")), "--device", d.ctx.String("device"), "--quiet"},
			out:    d.out, ascent: d.size.ascentFlags(), combines: true, examples: []string{"--data", look.data}, tuning: []string{"--data", look.tuning}, analysis: look.analysis,
		}
		if kind == network.DBN {
			m.sampling = look.sampling
		}
		for layer, units := range d.size.units {
			all = append(all, m.stages(fmt.Sprintf("%s-layer%d-", kind, layer+1), layer+1, fmt.Sprintf("0-%d", min(units, look.units)-1))...)
		}
	}
	return all
}

// compareTop is what the demo leaves to do: the methods measured against each other,
// on a few units of the DBN's last layer.
func (d *demoLook) compareTop() []string {
	layer := len(d.size.units)
	last := min(d.size.look.units, comparedUnits, d.size.units[layer-1]) - 1
	model := filepath.Join(d.out, string(network.DBN))
	return append(strings.Fields(schema.TaskCompare), "--model", model, "--layer", fmt.Sprint(layer), "--units", fmt.Sprintf("0-%d", last), "--data", d.size.look.data, "--out", job.BesideFolder(model, "compare"))
}

// comparedUnits are as many as a picture shows well.
const comparedUnits = 10

// ascentFlags are the flags of an ascent that the demo's size sets.
func (s demoSize) ascentFlags() []string {
	return []string{"--steps", fmt.Sprint(s.figure.Ascent.MaxSteps), "--restarts", fmt.Sprint(s.look.restarts)}
}

// run does the stages. What they print is not the demo's own result.
func (d *demoLook) run() error {
	stages := d.stages()
	p := d.console.Progress("looking at units by all methods", "stage", int64(len(stages)))
	for i, s := range stages {
		p.Set(int64(i), s.folder)
		call := s.command(d.out)
		if _, err := os.Stat(filepath.Join(d.out, s.folder)); err == nil {
			call = append(call, "--force")
		} else if !errors.Is(err, fs.ErrNotExist) {
			p.Stop()
			return err
		}
		if err := d.program.runStage(d.ctx.Context, call, io.Discard, io.Discard); err != nil {
			p.Stop()
			return fmt.Errorf("%s: %w", s.folder, err)
		}
	}
	p.Set(int64(len(stages)), "")
	p.Finish("")
	return nil
}

// writeReport writes the report of all run folders below that of a run that is
// about to end, which has written the pictures itself.
func writeReport(ctx context.Context, c *console.Console, f *runfolder.Folder, title string, pictures ...string) error {
	folder := f.Path("")
	r, err := site.Build(ctx, []string{folder}, site.Options{Title: title, Folder: folder, Own: pictures})
	if err != nil {
		return err
	}
	for _, p := range r.Problems {
		c.Warn("run folder", "%s: %s", p.Folder, p.Text)
	}
	return r.Write(ctx, f.Write)
}
