package reporting

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/figures"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/making"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// demoFolder is where the demo writes unless it is told otherwise.
const demoFolder = "unitscope-demo"

// DemoCommand is `unitscope demo`, which calls other commands of a program.
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
	j, err := job.Begin(ctx, schema.TaskDemo)
	if err != nil {
		return err
	}
	size := chooseDemoSize(ctx)
	look := &demoLook{program: program, ctx: ctx, console: j.Console, out: ctx.String("out"), size: size}
	device, err := job.OpenDevice(ctx, j.Console)
	if err != nil {
		return err
	}
	defer job.CloseInto(&err, device)
	data, err := j.Open(job.DataChoice{Flag: "data", Spec: size.data, Seed: ctx.Uint64("seed"), Validation: size.validation}, nil)
	if err != nil {
		return err
	}
	defer job.CloseInto(&err, data)
	j.Folders = []string{string(network.DBN), string(network.SDAE)}
	for _, s := range look.stages() {
		j.Folders = append(j.Folders, s.folder)
	}
	record, err := j.NewRecord(ctx.Uint64("seed"), device.Info(), nil)
	if err != nil {
		return err
	}
	folder, err := runfolder.Create(ctx.String("out"), j.Start, record)
	if err != nil {
		return err
	}
	j.Console.KeepWarnings(folder)
	d := &demoRun{Job: j, device: device, data: data, size: size, record: record, folder: folder, look: look}
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
	j.Console.Say("the demo took %s; its picture is %s, and its report, to open in a browser:", time.Since(began).Round(time.Second), folder.Path(demoFigure()))
	fmt.Fprintln(ctx.App.Writer, folder.Path(schema.IndexPage))
	j.Console.Preview(folder.Path(demoFigure()))
	j.Console.Next(d.look.compareTop()...)
	return nil
}

// demoRun is the work of a demo, in its folder.
type demoRun struct {
	*job.Job
	device engine.Device
	data   *job.Data
	size   demoSize
	record runfolder.Record
	folder *runfolder.Folder
	look   *demoLook
}

// demoFigure is the picture of a demo.
func demoFigure() string { return schema.FigurePicture("1") }

// run trains the models, draws their units, and writes the report. The caller
// finishes or abandons the folder.
func (d *demoRun) run() error {
	var models []figures.Model
	for _, kind := range []network.Kind{network.DBN, network.SDAE} {
		n, err := d.train(kind)
		if err != nil {
			return err
		}
		models = append(models, figures.OfKind(n))
	}
	o := d.size.figure
	o.Ascent.Seed = d.Ctx.Uint64("seed")
	rows, err := figures.AscendUnits(d.Ctx.Context, d.Console, d.device, models, o)
	if err != nil {
		return err
	}
	if err := figures.WriteUnits(d.folder, demoFigure(), models, rows); err != nil {
		return err
	}
	if err := d.look.run(); err != nil {
		return err
	}
	return writeReport(d.Ctx.Context, d.Console, d.folder, "What the units of the demo have learned", demoFigure())
}

// train trains a model into a folder of its own.
func (d *demoRun) train(kind network.Kind) (*network.Network, error) {
	o := d.size.training(kind, d.Ctx.Uint64("seed"))
	resolved := o.Settings()
	resolved["data"], resolved["validation"] = d.size.data, fmt.Sprint(d.size.validation)
	record := job.PartOf(d.record, schema.TaskTrain(kind), resolved, o.Seed)
	f, err := runfolder.Create(filepath.Join(d.Ctx.String("out"), string(kind)), d.Start, record)
	if err != nil {
		return nil, err
	}
	c := d.Console.ForPart()
	c.KeepWarnings(f)
	n, err := making.Train(d.Ctx.Context, c, d.device, f, d.data, o)
	if err != nil {
		return nil, errors.Join(err, f.Abandon())
	}
	if err := f.Finish(); err != nil {
		return nil, err
	}
	c.Wrote(f.Path(schema.Model))
	return n, nil
}
