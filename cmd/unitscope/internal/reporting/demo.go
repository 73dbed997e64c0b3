package reporting

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/figures"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/making"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// demoFolder is where the demo writes unless it is told otherwise.
const demoFolder = "unitscope-demo"

func DemoCommand(program Program) *cli.Command {
	flags := []cli.Flag{usage.OutFlag(demoFolder), usage.ForceFlag(), usage.SeedFlag(), usage.DeviceFlag(), demoQuickFlag(), usage.PreviewFlag()}
	return &cli.Command{
		Name:  schema.TaskDemo,
		Usage: "train a small DBN and SDAE on built-in digits and show their units in an HTML report; about a minute on two cores",
		Description: "Writes to --out: dbn/ and sdae/, the run folders of two models of three layers, figure1.png, the units of every\n" +
			"layer in input space, a run folder of every method and layer (dbn-layer1-ascent, ...), and index.html, an HTML report of all\n" +
			"of it, to open in a browser. Nothing has to be downloaded.",
		Flags:  append(flags, usage.SpeakFlags()...),
		Action: func(ctx *cli.Context) error { return demo(ctx, program) },
	}
}

// demo is `unitscope demo`.
func demo(ctx *cli.Context, program Program) (err error) {
	began := time.Now()
	c, err := console.New(ctx)
	if err != nil {
		return err
	}
	start, err := usage.FolderStart(ctx)
	if err != nil {
		return err
	}
	out, seed := ctx.String("out"), ctx.Uint64("seed")
	size := chooseDemoSize(ctx)
	if err := runfolder.Check(out, start, schema.TaskDemo); err != nil {
		return err
	}
	look := &demoLook{program: program, ctx: ctx, console: c, out: out, size: size}
	device, err := job.OpenDevice(ctx, c)
	if err != nil {
		return err
	}
	defer job.CloseInto(&err, device)
	data := job.DataChoice{Flag: "data", Spec: size.data, Seed: seed, Validation: size.validation}
	set, held, err := job.OpenData(data)
	if err != nil {
		return err
	}
	defer job.CloseInto(&err, set)
	if _, err := job.SeeData(c, data, set, held, nil); err != nil {
		return err
	}
	record, err := job.NewRecord(ctx, schema.TaskDemo, usage.Options(ctx), seed, device.Info(), nil)
	if err != nil {
		return err
	}
	record.Data = c.Data
	record.Folders = []string{string(network.DBN), string(network.SDAE)}
	for _, s := range look.stages() {
		record.Folders = append(record.Folders, s.folder)
	}
	folder, err := runfolder.Create(out, start, record)
	if err != nil {
		return err
	}
	c.KeepWarnings(folder)
	d := &demoRun{ctx: ctx, console: c, device: device, set: set, held: held, size: size, record: record, folder: folder, look: look, figure: size.figure(c, seed)}
	if err := d.run(); err != nil {
		err = errors.Join(err, folder.Abandon())
		if ctx.Err() != nil {
			err = fmt.Errorf("%w; start it anew with --force", err)
		}
		return err
	}
	if err := folder.Finish(); err != nil {
		return err
	}
	name := d.figure.Name
	c.Say("the demo took %s; its picture is %s, and its report, to open in a browser:", time.Since(began).Round(time.Second), folder.Path(name))
	fmt.Fprintln(ctx.App.Writer, folder.Path(schema.IndexPage))
	c.Preview(folder.Path(name))
	c.Next(d.look.compareTop()...)
	return nil
}

// demoRun is the work of a demo, in its folder.
type demoRun struct {
	ctx       *cli.Context
	console   *console.Console
	device    engine.Device
	set, held dataset.Set
	size      demoSize
	record    runfolder.Record
	folder    *runfolder.Folder
	look      *demoLook
	figure    figures.Figure
}

// run trains the models, draws their units, and writes the report. The caller
// finishes or abandons the folder.
func (d *demoRun) run() error {
	for _, kind := range []network.Kind{network.DBN, network.SDAE} {
		n, err := d.train(kind)
		if err != nil {
			return err
		}
		d.figure.Models = append(d.figure.Models, n)
	}
	img, err := d.figure.Draw(d.ctx.Context, d.device)
	if err != nil {
		return err
	}
	if err := d.figure.WriteFiles(d.folder, img); err != nil {
		return err
	}
	if err := d.look.run(); err != nil {
		return err
	}
	return writeReport(d.ctx.Context, d.console, d.folder, "What the units of the demo have learned", d.figure.Name)
}

// train trains a model into a folder of its own.
func (d *demoRun) train(kind network.Kind) (*network.Network, error) {
	o := d.size.training(kind, d.ctx.Uint64("seed"))
	resolved := o.Settings()
	resolved["data"], resolved["validation"] = d.size.data, fmt.Sprint(d.size.validation)
	record := job.PartOf(d.record, schema.TaskTrain(kind), resolved, o.Seed)
	t := &making.Training{Console: d.console.ForPart(), Device: d.device, Set: d.set, Held: d.held, Options: o}
	start, err := usage.FolderStart(d.ctx)
	if err != nil {
		return nil, err
	}
	return t.Run(d.ctx.Context, filepath.Join(d.ctx.String("out"), string(kind)), start, record)
}
