package reporting

import (
	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/figures"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train"
	"github.com/unitscope/unitscope/visualize"
)

func demoQuickFlag() cli.Flag {
	return &cli.BoolFlag{Name: "quick", Usage: "fewer digits, narrower layers and short ascents of a fixed step: about ten seconds, to see that everything works; the strokes are coarser"}
}

// demoSize is how much a demo computes.
type demoSize struct {
	data       string
	validation int
	units      []int // of each layer
	epochs     int   // of each layer; 0 for the default
	figure     figures.UnitsOptions
	look       lookSize
}

// lookSize is how much the report of a demo has of each layer.
type lookSize struct {
	units    int // the first ones; all of them would make a file that is too large to send
	restarts int
	data     string   // for examples
	tuning   string   // data for the tuning of units, fewer of them
	sampling []string // flags
	analysis []string // flags of analyze restarts
}

// chooseDemoSize is the whole demo, enough for strokes in the first layer and
// more complex patterns above, small enough for about a minute on two cores;
// or the one of --quick, small enough for an emulated card.
func chooseDemoSize(ctx *cli.Context) demoSize {
	size := demoSize{
		data: "digits:n=20500", validation: 500, units: []int{200, 200, 200},
		figure: figures.UnitsOptions{Ascent: visualize.DefaultAscent(), Columns: 6, RestartUnits: 4},
		look:   lookSize{100, 9, "digits:n=20500", "digits:n=3000", []string{"--samples", "20", "--burn-in", "100", "--every", "20"}, []string{"--resamples", "100"}},
	}
	if ctx.Bool("quick") {
		size.data, size.validation, size.units, size.epochs = "digits:n=2100", 100, []int{40, 30, 20}, 2
		size.figure.Columns, size.figure.RestartUnits = 3, 2
		size.figure.Ascent.MaxSteps = 1000
		size.look = lookSize{6, 3, "digits:n=300", "digits:n=300", []string{"--samples", "4", "--chains", "2", "--burn-in", "5", "--every", "2"}, []string{"--resamples", "20"}}
	}
	return size
}

func (s demoSize) training(kind network.Kind, seed uint64) train.Options {
	o := train.Defaults(kind, engine.Bernoulli, s.units...)
	o.Seed = seed
	if s.epochs > 0 {
		o.Epochs = []int{s.epochs}
	}
	return o
}
