package looking

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train"
)

// RhoFlag is for commands that show patterns of one norm.
func RhoFlag() cli.Flag {
	return &cli.StringFlag{Name: "rho", Usage: fmt.Sprintf("`X`, the norm of the patterns, above 0 (default: the model's, the mean norm of the first %s of its training data, or of all if they are fewer)", words.Count(train.NormExamples, "example"))}
}

// RadiusFlags are RhoFlag, and another way to say it.
func RadiusFlags() []cli.Flag {
	return []cli.Flag{RhoFlag(), &cli.StringFlag{Name: "data", Usage: fmt.Sprintf("`DATA` whose mean norm is rho, that of the first %s, for a model that does not have one", words.Count(train.NormExamples, "example"))}}
}

// ChooseRadius finds rho: --rho, else that of --data, else the model's own.
func ChooseRadius(j *job.Job, n *network.Network) (radius float64, err error) {
	return ChooseRadiusOf(j, "--model", n)
}

// ChooseRadiusOf is ChooseRadius of a model that is called what in errors.
func ChooseRadiusOf(j *job.Job, what string, n *network.Network) (radius float64, err error) {
	rho, data := j.Ctx.String("rho"), j.Ctx.String("data")
	switch {
	case rho != "" && data != "":
		return 0, usage.Mistakef("--rho and --data: both say the norm of the patterns; give one of them")
	case rho != "":
		return usage.ParsePositive("rho", rho)
	case data == "" && n.Radius == 0:
		return 0, usage.Mistakef("%s: the model does not say rho, the mean norm of its data; give --rho or --data", what)
	case data == "":
		return n.Radius, nil
	}
	opened, err := j.Open(job.DataChoice{Flag: "data", Spec: data, Seed: j.Ctx.Uint64("seed")}, n)
	if err != nil {
		return 0, err
	}
	return opened.Look.Rho, opened.Close()
}
