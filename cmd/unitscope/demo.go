package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/report/site"
)

const demoFolder = "unitscope-demo"

func demoCommand() *cli.Command {
	flags := []cli.Flag{outFlag(demoFolder), forceFlag(), seedFlag(), deviceFlag(), demoQuickFlag(), previewFlag()}
	return &cli.Command{
		Name:  "demo",
		Usage: "train a small DBN and SDAE on built-in digits and show their units in a report; about a minute on two cores",
		Description: "Writes to --out: dbn/ and sdae/, the run folders of two models of three layers, figure1.png, the units of every\n" +
			"layer in input space, a run folder of every method and layer (dbn-layer1-ascent, ...), and index.html, the report of all\n" +
			"of it, to open in a browser. Nothing has to be downloaded.",
		Flags:  append(flags, speakFlags()...),
		Action: demo,
	}
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
	size := chooseDemoSize(ctx)
	if err := runfolder.Check(out, mode, task); err != nil {
		return err
	}
	// Only the demo's own models may be replaced, not those that somebody
	// keeps in folders of these names.
	before, err := runfolder.ReadRecord(out)
	look := &demoLook{ctx: ctx, console: c, out: out, size: size}
	if own := err == nil && before.Task == task; !own {
		folders := []string{string(network.DBN), string(network.SDAE)}
		for _, s := range look.stages() {
			folders = append(folders, s.folder)
		}
		for _, name := range folders {
			if err := runfolder.Check(filepath.Join(out, name), runfolder.Fresh, task); err != nil {
				return fmt.Errorf("--out: no demo made this: %w", err)
			}
		}
	}
	device, err := openDevice(ctx, c)
	if err != nil {
		return err
	}
	defer closeInto(&err, device)
	set, held, err := openData(size.data, 0, size.validation, seed)
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
	f := size.figure(c, seed)
	for _, kind := range []network.Kind{network.DBN, network.SDAE} {
		part := record
		part.Task, part.Started = "train "+string(kind), time.Now().UTC().Truncate(time.Second)
		t := &training{console: c, device: device, set: set, held: held, options: size.training(kind, seed)}
		part.Options = t.options.Settings()
		part.Options["data"], part.Options["validation"] = size.data, fmt.Sprint(size.validation)
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
	if err := look.run(); err != nil {
		return err
	}
	if err := writeReport(c, folder, "What the units of the demo have learned", f.name); err != nil {
		return err
	}
	if err := folder.Finish(); err != nil {
		return err
	}
	c.say("the demo took %s; its picture is %s, and its report, to open in a browser:", time.Since(began).Round(time.Second), folder.Path(f.name))
	fmt.Fprintln(ctx.App.Writer, folder.Path(site.IndexName))
	c.preview(folder.Path(f.name))
	c.next(climbTop(f.models[0], filepath.Join(out, string(network.DBN)))...)
	return nil
}
