package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/train"
	"github.com/unitscope/unitscope/visualize"
)

const demoFolder = "unitscope-demo"

func demoCommand() *cli.Command {
	flags := []cli.Flag{outFlag(demoFolder), forceFlag(), seedFlag(), deviceFlag()}
	return &cli.Command{
		Name:  "demo",
		Usage: "train a small DBN and SDAE on built-in digits and draw their units; under a minute on two cores",
		Description: "Writes to --out: dbn/ and sdae/, the run folders of two models of three layers, and figure1.png, the units\n" +
			"of every layer in input space. Nothing has to be downloaded.",
		Flags:  append(flags, speakFlags()...),
		Action: demo,
	}
}

// The size of the demo: enough for strokes in the first layer and more complex
// patterns above, small enough for less than a minute on two cores.
const (
	demoData       = "digits:n=20500"
	demoValidation = 500
)

func demoOptions(kind network.Kind, seed uint64) train.Options {
	o := train.Defaults(kind, engine.Bernoulli, 200, 200, 200)
	o.Seed = seed
	return o
}

// demo is `unitscope demo`.
func demo(ctx *cli.Context) (err error) {
	began := time.Now()
	c, err := newConsole(ctx)
	if err != nil {
		return err
	}
	mode, err := folderMode(ctx)
	if err != nil {
		return err
	}
	const task = "demo"
	out, seed := ctx.String("out"), ctx.Uint64("seed")
	if err := runfolder.Check(out, mode, task); err != nil {
		return err
	}
	// Only the demo's own models may be replaced, not those that somebody
	// keeps in folders of these names.
	before, err := runfolder.ReadRecord(out)
	if own := err == nil && before.Task == task; !own {
		for _, kind := range []network.Kind{network.DBN, network.SDAE} {
			if err := runfolder.Check(filepath.Join(out, string(kind)), runfolder.Fresh, task); err != nil {
				return fmt.Errorf("--out: no demo made this: %w", err)
			}
		}
	}
	device, err := openDevice(ctx, c)
	if err != nil {
		return err
	}
	defer closeInto(&err, device)
	set, held, err := openData(demoData, 0, demoValidation, seed)
	if err != nil {
		return err
	}
	defer closeInto(&err, set)
	record, err := runfolder.NewRecord(task, args(ctx), options(ctx), seed, device.Info(), nil)
	if err != nil {
		return err
	}
	folder, err := runfolder.Create(out, mode, record)
	if err != nil {
		return err
	}
	f := figure{console: c, name: "figure1.png", ascent: visualize.DefaultAscent(), columns: 6, restartUnits: 4}
	f.ascent.Seed = seed
	for _, kind := range []network.Kind{network.DBN, network.SDAE} {
		part := record
		part.Task, part.Started = "train "+string(kind), time.Now().UTC().Truncate(time.Second)
		t := &training{console: c, device: device, set: set, held: held, options: demoOptions(kind, seed)}
		n, err := t.run(ctx.Context, filepath.Join(out, string(kind)), mode, part)
		if err != nil {
			return errors.Join(err, folder.Abandon())
		}
		f.models = append(f.models, n)
	}
	img, err := f.draw(ctx.Context, device)
	if err != nil {
		return err
	}
	if err := f.writeFiles(folder, img); err != nil {
		return err
	}
	if err := folder.Finish(); err != nil {
		return err
	}
	c.say("the demo took %s; its picture is %s", time.Since(began).Round(time.Second), folder.Path(f.name))
	fmt.Fprintln(ctx.App.Writer, folder.Path(f.name))
	return nil
}
