package looking

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/visualize"
)

// ConstraintFlags are for commands that climb elsewhere than on a sphere, too.
func ConstraintFlags() []cli.Flag {
	const category = "Options for where patterns may be"
	return []cli.Flag{
		&cli.StringFlag{Name: "constraint", Category: category, Value: "sphere", Usage: "`WHERE` patterns may be: sphere, of norm rho; ball, of norm rho or less; or box=LOW,HIGH, with each component between the two, such as box=0,1, where rho is the norm that random starts have, if it is known"},
		&cli.Float64Flag{Name: "l2", Category: category, Usage: "`W` of the penalty W/2 ||x||^2 on a pattern x, 0 or more"},
		&cli.Float64Flag{Name: "total-variation", Category: category, Usage: "`W` of the penalty on differences between neighbours in a picture, 0 or more, which makes patterns smooth"},
	}
}

// ChooseBounds finds where patterns may be, and rho, that are left to fill in of o.
func ChooseBounds(j *job.Job, n *network.Network, o *visualize.AscentOptions) (err error) {
	if err := ParseBounds(j.Ctx, o); err != nil {
		return err
	}
	if o.Penalty.TotalVariation > 0 && n.Graph != nil && len(n.InputShape) < 2 {
		return usage.Mistakef("--total-variation: the model does not say what pictures its inputs are; give --input-shape too")
	}
	if o.Constraint.Kind == engine.Box {
		j.Resolved["constraint"] = fmt.Sprintf("%s=%g,%g", o.Constraint.Kind, o.Constraint.Lowest, o.Constraint.Highest)
		if n.Radius == 0 && !j.Ctx.IsSet("rho") && !j.Ctx.IsSet("data") {
			return nil
		}
	}
	if o.Radius, err = ChooseRadius(j, n); err == nil {
		j.Resolved["rho"] = fmt.Sprint(o.Radius)
	}
	return err
}

// ParseBounds reads ConstraintFlags.
func ParseBounds(ctx *cli.Context, o *visualize.AscentOptions) (err error) {
	if o.Constraint, err = ParseConstraint(ctx.String("constraint")); err != nil {
		return err
	}
	o.Penalty.L2, o.Penalty.TotalVariation = float32(ctx.Float64("l2")), float32(ctx.Float64("total-variation"))
	if _, err := checked(*o); err != nil {
		return err
	}
	if o.Constraint.Kind == engine.Sphere && o.Penalty.L2 > 0 {
		return usage.Mistakef("--l2 and --constraint sphere: all patterns have one norm there, and the penalty changes nothing; give --constraint ball or box=0,1")
	}
	return nil
}

// ParseConstraint reads --constraint.
func ParseConstraint(text string) (c engine.Constraint, err error) {
	kind, ends, box := strings.Cut(text, "=")
	switch {
	case !box && kind == engine.Sphere.String():
		return c, nil
	case !box && kind == engine.Ball.String():
		return engine.Constraint{Kind: engine.Ball}, nil
	case !box || kind != engine.Box.String():
		return c, usage.Mistakef("--constraint %.60q: want sphere, ball, or box=LOW,HIGH such as box=0,1", text)
	}
	low, high, _ := strings.Cut(ends, ",")
	lowest, errLow := strconv.ParseFloat(strings.TrimSpace(low), 32)
	highest, errHigh := strconv.ParseFloat(strings.TrimSpace(high), 32)
	if errLow != nil || errHigh != nil || !(lowest < highest) || highest-lowest-(highest-lowest) != 0 {
		return c, usage.Mistakef("--constraint %.60q: want two finite numbers, the lower one first, such as box=0,1", text)
	}
	return engine.Constraint{Kind: engine.Box, Lowest: float32(lowest), Highest: float32(highest)}, nil
}
