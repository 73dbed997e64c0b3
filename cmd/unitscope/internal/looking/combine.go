package looking

import (
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/picture"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

func combineCommand() *cli.Command {
	return &cli.Command{
		Name:  "combine",
		Usage: "linear combination of filters (section 5 of Erhan et al., 2009): what a unit's strongest connections add up to",
		Description: "Adds up, for every unit, the patterns of the units below with the largest weights, from the filters of layer 1\n" +
			"upwards, and writes to --out: combine.npz (a pattern of each unit), combine.png and .svg, and run.json.",
		Flags:  append(append(usage.ModelFlags(), CombineFlag()), usage.PictureFlags()...),
		Action: combine,
	}
}

// CombineFlag is --top, for every command that combines filters.
func CombineFlag() cli.Flag {
	return &cli.StringFlag{Name: "top", Value: strconv.Itoa(visualize.DefaultTop), Usage: "`K` units of the layer below with the largest weights, in absolute value, or all; at most as many as the narrowest layer below has; without the flag all of that layer where it has fewer"}
}

// ParseTop reads --top of a linear combination; all is 0.
func ParseTop(text string) (int, error) {
	if text == "all" {
		return 0, nil
	}
	top, err := strconv.Atoi(text)
	if err != nil || top < 1 {
		return 0, usage.Mistakef("--top %q: want a number of at least 1, or all", text)
	}
	return top, nil
}

// ChooseTop is --top for a layer. One that a layer below does not have is refused;
// where nobody says, it is no more than the layers below have.
func ChooseTop(ctx *cli.Context, n *network.Network, layer int) (int, error) {
	top, err := ParseTop(ctx.String("top"))
	if err != nil {
		return 0, err
	}
	if ctx.IsSet("top") {
		if err := (visualize.CombineOptions{Layer: layer, Top: top}).CheckTop(n); err != nil {
			return 0, usage.Mistake(err)
		}
		return top, nil
	}
	for below := 1; below < layer; below++ {
		top = min(top, n.Sizes()[below])
	}
	return top, nil
}

// combine is `unitscope visualize combine`.
func combine(ctx *cli.Context) error {
	j, err := job.Begin(ctx, schema.TaskCombine)
	if err != nil {
		return err
	}
	var o visualize.CombineOptions
	if _, err := ParseTop(ctx.String("top")); err != nil {
		return err
	}
	of, units, err := LoadUnits(j)
	if err != nil {
		return err
	}
	n := of.Network
	o.Layer, o.Units = of.Layers[0], units
	if o.Top, err = ChooseTop(ctx, n, o.Layer); err != nil {
		return err
	}
	if !ctx.IsSet("top") {
		j.Resolved["top"] = strconv.Itoa(o.Top)
	}
	err = j.Compute(ctx.Uint64("seed"), []string{of.File}, func(d engine.Device, f *runfolder.Folder) error {
		j.WarnOfLayers(d, of)
		result, err := visualize.Combine(ctx.Context, d, n, o)
		if err != nil {
			return err
		}
		greys, err := report.BesideOthers(result.UnitPatterns())
		if err != nil {
			return err
		}
		img, err := picture.Units(picture.LayerHeading(n, result.Layer)+": linear combinations of filters", result.UnitPatterns(), greys)
		if err != nil {
			return err
		}
		if err := f.Write(schema.CombineArrays, result.WriteArrays); err != nil {
			return err
		}
		return picture.Write(f, schema.CombinePicture, img, result.Layer)
	})
	if err != nil {
		return err
	}
	j.Wrote(schema.CombinePicture, AscentOnUnits(j, n)...)
	return nil
}
