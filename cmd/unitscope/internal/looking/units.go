package looking

import (
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/visualize"
)

// ChosenUnits are the layer and the units of --layer and --units.
func ChosenUnits(j *job.Job, n *network.Network) (layer int, units []int, err error) {
	if layer, err = ChosenLayer(j, n); err != nil {
		return 0, nil, err
	}
	units, err = UnitsOf(j, n, layer)
	return layer, units, err
}

// LoadUnits loads --model and chooses its layer and units, for commands that look at the
// units of one layer.
func LoadUnits(j *job.Job) (of job.LookedAt, units []int, err error) {
	if of.Network, of.File, err = j.LoadModel("model"); err != nil {
		return of, nil, err
	}
	j.Describe(of.Network)
	layer, units, err := ChosenUnits(j, of.Network)
	of.Layers = []int{layer}
	return of, units, err
}

// ChosenLayer is the layer of --layer, by number or name; the record has its number,
// and its name if it has one.
func ChosenLayer(j *job.Job, n *network.Network) (int, error) {
	layer, err := n.FindLayer(j.Ctx.String("layer"))
	if err != nil {
		return 0, usage.Mistake(err)
	}
	recordLayer(j, n, layer)
	return layer, nil
}

// recordLayer records the number of a layer, and its name if it has one.
func recordLayer(j *job.Job, n *network.Network, layer int) {
	number := strconv.Itoa(layer)
	j.Resolved["layer"] = number
	if name := n.LayerLabel(layer); name != number {
		j.Resolved["layer_name"] = name
	}
}

// UnitsOf are the units of a layer that --units chooses.
func UnitsOf(j *job.Job, n *network.Network, layer int) ([]int, error) {
	return ParseUnits(j.Ctx.String("units"), n, layer)
}

// ParseUnits reads units of a layer as --units has them.
func ParseUnits(text string, n *network.Network, layer int) ([]int, error) {
	if err := n.CheckLayer(layer); err != nil {
		return nil, usage.Mistake(err)
	}
	units, err := visualize.ParseUnits(text, n.Sizes()[layer])
	if err != nil {
		return nil, usage.Mistakef("%w, in layer %d", err, layer)
	}
	return units, nil
}

// ChosenLayers are the layers of --layer, where it may be all, or several with commas.
func ChosenLayers(j *job.Job, n *network.Network) (layers []int, err error) {
	text := j.Ctx.String("layer")
	if text == "all" {
		return job.AllLayers(n), nil
	}
	// A name may have a comma in it.
	if _, err := n.FindLayer(text); err == nil || !strings.Contains(text, ",") {
		layer, err := ChosenLayer(j, n)
		return []int{layer}, err
	}
	for _, name := range strings.Split(text, ",") {
		layer, err := n.FindLayer(strings.TrimSpace(name))
		if err != nil {
			return nil, usage.Mistake(err)
		}
		if slices.Contains(layers, layer) {
			return nil, usage.Mistakef("--layer %.60q: it names %s twice", text, n.LayerTitle(layer))
		}
		layers = append(layers, layer)
	}
	j.Resolved["layer"] = usage.JoinInts(layers)
	return layers, nil
}

// checked are options that are in range, as far as that can be told without a model.
func checked[T interface{ Check() error }](o T) (T, error) {
	if err := o.Check(); err != nil {
		return o, usage.Mistake(err)
	}
	return o, nil
}
