package measuring

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/train"
)

func likelihoodCommand() *cli.Command {
	o := train.DefaultLikelihood(1)
	flags := []cli.Flag{
		&cli.StringFlag{Name: "model", Required: true, Usage: "`FILE` of a Deep Belief Net, or its run folder"},
		&cli.IntFlag{Name: "layer", Value: o.Layer, Usage: "`N` of the layer, from 1, the first hidden one, to the number of layers; the layers below encode the data"},
		job.DataFlag("that the model was trained on, see `unitscope train dbn --help`"),
		&cli.StringFlag{Name: "test", Usage: "`DATA` that it was not trained on"},
		&cli.IntFlag{Name: "limit", Usage: "use only the first `N` examples of --data, 0 for all" + job.RunLimitUsage},
		&cli.IntFlag{Name: "validation", Usage: "count the last `N` examples of --data as held out, as in training; 0 for none" + job.RunLimitUsage},
		&cli.StringFlag{Name: "method", Value: string(o.Method), Usage: fmt.Sprintf("`HOW` to find the partition function: exact (all states of up to %d hidden units, or inputs), ais (annealed importance sampling), or auto for exact where it can be done", train.MaxEnumerated)},
		&cli.IntFlag{Name: "runs", Value: o.Runs, Usage: "`N` runs of annealed importance sampling, at least 2"},
		&cli.IntFlag{Name: "temperatures", Value: o.Temperatures, Usage: "`N` steps of each run from the base to the model, at least 1"},
		&cli.IntFlag{Name: "sweeps", Value: o.Sweeps, Usage: "`N` sweeps of Gibbs sampling from training examples before reverse annealing, 0 or more"},
	}
	return &cli.Command{
		Name:  "likelihood",
		Usage: "the log-likelihood of data in one Restricted Boltzmann Machine of a Deep Belief Net, in nats",
		Description: "Prints a table, and writes to --out: likelihood.csv (the table, a row per data set), partition.csv (log Z\n" +
			"with its errors), run.json, and with annealed importance sampling runs.csv (log Z by each run).\n\n" +
			"LOW and HIGH are the likelihood at log Z plus and less three standard deviations by the runs from a base-rate\n" +
			"model. REVERSE has log Z by reverse annealing, from the model to the base: in expectation log Z is too low\n" +
			"forward and too high in reverse, so the two are a bracket, if the chains had reached the model's distribution\n" +
			"(--sweeps); what speaks against that is said. GAP is the free energy less that of the training data, above 0 where it was learned by heart.\n" +
			"Grey values between 0 and 1 are taken in place of states 0 and 1, and above layer 1 the likelihood is that of\n" +
			"the codes that the layers below make of the data, not of the data.",
		Flags:  append(flags, usage.RunFlags()...),
		Action: likelihood,
	}
}

// likelihood is `unitscope analyze likelihood`.
func likelihood(ctx *cli.Context) (err error) {
	j, err := job.Begin(ctx, schema.TaskLikelihood)
	if err != nil {
		return err
	}
	n, file, err := j.LoadModel("model")
	if err != nil {
		return err
	}
	o := train.LikelihoodOptions{
		Layer: ctx.Int("layer"), Method: train.LikelihoodMethod(ctx.String("method")), Runs: ctx.Int("runs"),
		Temperatures: ctx.Int("temperatures"), Sweeps: ctx.Int("sweeps"), Seed: ctx.Uint64("seed"),
	}
	if err := o.Check(n); err != nil {
		return usage.Mistake(err)
	}
	sets, err := likelihoodSets(j, n, file, o.Layer)
	if err != nil {
		return err
	}
	defer func() {
		for _, s := range sets {
			job.CloseInto(&err, s)
		}
	}()
	var l *train.Likelihood
	err = j.Compute(o.Seed, []string{file}, func(d engine.Device, f *runfolder.Folder) (err error) {
		j.WarnOfLayers(d, job.LookedAt{Network: n, File: file, Set: sets[0].Set, Layers: []int{o.Layer}})
		l, err = measureLikelihood(j, d, f, n, sets, o)
		return err
	})
	if err != nil {
		return err
	}
	return printLikelihood(ctx.App.Writer, l)
}

// likelihoodSets opens --data, with what --validation holds out, and --test.
func likelihoodSets(j *job.Job, n *network.Network, file string, layer int) (sets []train.NamedSet, err error) {
	defer func() {
		if err != nil {
			for _, s := range sets {
				err = errors.Join(err, s.Close())
			}
		}
	}()
	data, err := j.OpenFor(n, file)
	if err != nil {
		return nil, err
	}
	sets = append(sets, train.NamedSet{Name: "train", Set: data.Set})
	if layer == 1 && n.Visible == engine.Bernoulli && data.Look.Grey() {
		j.Console.Warn("data", "grey values between 0 and 1 are taken in place of states 0 and 1: the log-likelihood is that of no distribution of states, and compares with that of the same grey data only")
	}
	if data.Held != nil {
		sets = append(sets, train.NamedSet{Name: "validation", Set: data.Held})
	}
	test, err := j.OpenTest(n, data)
	if test != nil {
		sets = append(sets, train.NamedSet{Name: "test", Set: test})
	}
	return sets, err
}

// measureLikelihood measures and writes the files.
func measureLikelihood(j *job.Job, d engine.Device, f *runfolder.Folder, n *network.Network, sets []train.NamedSet, o train.LikelihoodOptions) (*train.Likelihood, error) {
	var shown *console.Progress
	work := ""
	l, err := train.MeasureLikelihood(j.Ctx.Context, d, n, sets, o, func(now string, done, total int64) {
		if now != work {
			unit := "example"
			if now == train.AnnealingWork {
				unit = "sweep"
			}
			work, shown = now, j.Console.Progress(now, unit, total)
		}
		if shown.Set(done, ""); done == total {
			shown.Finish("")
		}
	})
	if err != nil {
		if shown != nil {
			shown.Stop()
		}
		return nil, err
	}
	j.Resolved["method"] = string(l.Method)
	err = errors.Join(f.Write(schema.LikelihoodTable, l.WriteTable), f.Write(schema.PartitionTable, l.WritePartition))
	if l.Annealing != nil {
		err = errors.Join(err, f.Write(schema.RunsTable, l.WriteRuns))
	}
	if err != nil {
		return nil, err
	}
	sayPartition(j, l)
	j.Console.Wrote(f.Path(schema.LikelihoodTable))
	return l, nil
}

// sayPartition says how log Z was found, and warns of estimates not to be trusted.
func sayPartition(j *job.Job, l *train.Likelihood) {
	p, r := l.Partition, l.Reverse
	if r == nil {
		j.Console.Say("log Z %.4f, exact", p.LogPartition)
		return
	}
	runs := float64(len(l.Annealing.Forward))
	j.Console.Say("log Z %.3f (%.3f to %.3f), %.1f of %.0f runs effective; in reverse %.3f (%.3f to %.3f)",
		p.LogPartition, p.Low, p.High, p.Effective, runs, r.LogPartition, r.Low, r.High)
	for _, doubt := range l.Annealing.Doubts() {
		j.Console.Warn("log Z", "%s", doubt)
	}
}

func printLikelihood(out io.Writer, l *train.Likelihood) error {
	rows := [][]string{{"SET", "EXAMPLES", "LOG-LIKELIHOOD", "LOW", "HIGH", "REVERSE", "+-", "GAP", "PSEUDO-LIKELIHOOD"}}
	for _, s := range l.Sets {
		row := []string{s.Name, fmt.Sprint(s.Examples)}
		for _, x := range []float64{s.LogLikelihood, s.Low, s.High, s.Reverse, s.Deviation, s.FreeEnergyGap} {
			if math.IsNaN(x) {
				row = append(row, "-")
				continue
			}
			row = append(row, fmt.Sprintf("%.3f", x))
		}
		rows = append(rows, append(row, fmt.Sprintf("%.2f", s.PseudoLikelihood)))
	}
	return console.WriteTable(out, rows)
}
