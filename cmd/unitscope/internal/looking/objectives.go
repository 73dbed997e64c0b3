package looking

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/dataset/numpy"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// climbedCategory is where help has flags for what is climbed.
const climbedCategory = "Options for what is climbed"

// AfterFlag is --after.
func AfterFlag() cli.Flag {
	return &cli.BoolFlag{Name: "after", Category: climbedCategory, Usage: "climb what comes after the nonlinearity of a layer, in place of the activation before it"}
}

// ObjectiveFlags are for commands that climb whatever they are asked to.
func ObjectiveFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "direction", Category: climbedCategory, Value: strconv.Itoa(visualize.DefaultAscent().Direction), Usage: "`WAY`: 1 to maximise, -1 to minimise; or FILE.npy, whose rows [n, units of the layer] are directions in the layer to maximise in place of its units"},
		&cli.StringSliceFlag{Name: "goal", Category: climbedCategory, KeepSpace: true, Usage: "`LAYER:UNIT*WEIGHT,...`, a weighted sum of units of any layers to climb in place of units, such as 3:12,3:40*-0.5; a weight is 1 if it is left out; may be given several times"},
		AfterFlag(),
		&cli.StringFlag{Name: "start", Category: climbedCategory, Usage: "`FILE` of what restarts begin at in place of random inputs: a picture, or .npy, of one input or several [n, inputs], one for each restart, normalised as --data are"},
	}
}

// Ascents are the ascents that flags ask for, each with the rest of its options as they
// are in o: of units, of each of the layers, or of directions or goals. files were read
// for them.
func Ascents(j *job.Job, n *network.Network, o visualize.AscentOptions, layers func() ([]int, error)) (all []visualize.AscentOptions, files []string, err error) {
	a := asked{Job: j, network: n, options: o}
	if err := a.start(); err != nil {
		return nil, nil, err
	}
	a.options.After = j.Ctx.Bool("after")
	direction := j.Ctx.String("direction")
	switch goals := usage.Values(j.Ctx, "goal"); {
	case len(goals) > 0:
		all, err = a.goals(goals, direction)
	case isWay(direction):
		all, err = a.units(layers)
	default:
		all, err = a.directions(direction, layers)
	}
	if err != nil {
		return nil, nil, err
	}
	for _, o := range all {
		a.sayLinear(o)
	}
	return all, a.files, nil
}

// isWay is true for a --direction that is no file.
func isWay(direction string) bool { return direction == "1" || direction == "-1" }

// asked is what flags ask for.
type asked struct {
	*job.Job
	network *network.Network
	options visualize.AscentOptions
	files   []string // that were read
}

// alone refuses flags that mean nothing beside another one.
func (a *asked) alone(flag, why string, others ...string) error {
	for _, name := range others {
		if a.Ctx.IsSet(name) {
			return usage.Mistakef("--%s and --%s: %s; leave --%s out", flag, name, why, name)
		}
	}
	return nil
}

// units are those of --units, of each layer.
func (a *asked) units(layers func() ([]int, error)) (all []visualize.AscentOptions, err error) {
	a.options.Direction, _ = strconv.Atoi(a.Ctx.String("direction"))
	chosen, err := layers()
	if err != nil {
		return nil, err
	}
	for _, layer := range chosen {
		o := a.options
		o.Layer = layer
		if o.Units, err = UnitsOf(a.Job, a.network, layer); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// directionsFile is the option of a record that has the file of directions.
const directionsFile = "directions file"

// goals are those of --goal, all of one ascent.
func (a *asked) goals(texts []string, direction string) ([]visualize.AscentOptions, error) {
	if err := a.alone("goal", "goals name their layers and units", "layer", "units"); err != nil {
		return nil, err
	}
	if !isWay(direction) {
		return nil, usage.Mistakef("--goal and --direction %s: both say what is climbed; give one of them", direction)
	}
	o := a.options
	o.Direction, _ = strconv.Atoi(direction)
	for _, text := range texts {
		goal, layer, err := visualize.ParseGoal(text, a.network, o.After)
		if err != nil {
			return nil, usage.Mistake(err)
		}
		if slices.ContainsFunc(o.Objectives, func(other visualize.Objective) bool { return other.Name == goal.Name }) {
			return nil, usage.Mistakef("--goal %s: it is given twice; leave one of them out", usage.Quoted(goal.Name))
		}
		o.Objectives, o.Layer = append(o.Objectives, goal), max(o.Layer, layer)
	}
	o.After = false // goals say so themselves
	recordLayer(a.Job, a.network, o.Layer)
	a.Resolved[schema.Climbed] = schema.Goals
	return []visualize.AscentOptions{o}, nil
}

// directions are the rows of a file, in one layer.
func (a *asked) directions(path string, layers func() ([]int, error)) ([]visualize.AscentOptions, error) {
	if err := a.alone("direction FILE", "its rows are climbed in place of units", "units"); err != nil {
		return nil, err
	}
	chosen, err := layers()
	if err != nil {
		return nil, err
	}
	if len(chosen) != 1 {
		return nil, usage.Mistakef("--direction %s: its rows are directions in one layer; say which by --layer", path)
	}
	o := a.options
	o.Layer, o.Direction = chosen[0], 1
	rows, err := readDirections(path, a.network.Sizes()[o.Layer])
	if err != nil {
		return nil, err
	}
	if o.Objectives, err = visualize.Directions(a.network, o.Layer, rows, o.After); err != nil {
		return nil, fmt.Errorf("--direction %s: %w", path, err)
	}
	o.After = false
	a.files = append(a.files, path)
	a.Resolved[schema.Climbed], a.Resolved[directionsFile], a.Resolved["direction"] = schema.Directions, path, "1"
	return []visualize.AscentOptions{o}, nil
}

// readDirections reads rows [n, units], or a single one [units].
func readDirections(path string, units int) (*tensor.Dense, error) {
	if !strings.HasSuffix(strings.ToLower(path), ".npy") {
		return nil, usage.Mistakef("--direction %.60q: want 1, -1, or a file .npy of directions", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("--direction: %w", err)
	}
	if !info.Mode().IsRegular() { // a folder, or a pipe that may never end
		return nil, usage.Mistakef("--direction %s: want a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--direction: %w", err)
	}
	defer f.Close()
	array, err := numpy.Read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("--direction %s: %w", path, err)
	}
	if array.Floats == nil { // bytes, or truth values
		array.Floats = make([]float32, len(array.Bytes))
		for i, b := range array.Bytes {
			array.Floats[i] = float32(b)
		}
	}
	shape := array.Shape
	if len(shape) == 1 {
		shape = []int{1, shape[0]}
	}
	if len(shape) != 2 || shape[0] < 1 || shape[1] != units {
		return nil, usage.Mistakef("--direction %s: it is %v, want numbers [n, %d]: the layer has %s", path, array.Shape, units, words.Count(units, "unit"))
	}
	return dense.Of(array.Floats, shape...)
}

// start reads --start, one input for each restart.
func (a *asked) start() (err error) {
	path := a.Ctx.String("start")
	if path == "" {
		return nil
	}
	if strings.EqualFold(filepath.Ext(path), ".npz") {
		return usage.Mistakef("--start %s: want a picture or .npy: .npz holds arrays by their names", path)
	}
	inputs := a.network.Sizes()[0]
	set, err := dataset.OpenFile(path, inputs)
	if err != nil {
		return fmt.Errorf("--start %w", err)
	}
	defer job.CloseInto(&err, set)
	for _, remark := range set.Info().Remarks {
		a.Console.Say("--start: %s", remark)
	}
	for _, warning := range set.Info().Warnings {
		a.Console.Warn("--start", "--start: %s", warning)
	}
	n := set.Len()
	if a.Ctx.IsSet("restarts") && a.options.Restarts != n {
		return usage.Mistakef("--restarts %d and --start %s: a restart begins at each of its %s; leave --restarts out", a.options.Restarts, path, words.Count(n, "input"))
	}
	if err := engine.CheckNew(n, inputs); err != nil {
		return fmt.Errorf("--start %s: %w", path, err)
	}
	x, indices := make([]float32, n*inputs), make([]int, n)
	for i := range indices {
		indices[i] = i
	}
	if err := set.Read(x, indices); err != nil {
		return fmt.Errorf("--start %s: %w", path, err)
	}
	if err := a.network.Preprocess(x); err != nil {
		return err
	}
	a.files, a.options.Restarts = append(a.files, path), n
	a.Resolved["restarts"] = strconv.Itoa(n)
	a.options.Start, err = dense.Of(x, n, inputs)
	return err
}

// sayLinear says where --after changes nothing.
func (a *asked) sayLinear(o visualize.AscentOptions) {
	net, at, err := a.network.Net()
	if err != nil || !a.Ctx.Bool("after") {
		return
	}
	top := net.Ops[at[o.Layer-1]-1]
	if top.Activation.Kind == engine.Identity {
		a.Console.Say("--after: %s has no nonlinearity (a softmax at a model's end is left out), so that its units are climbed as they are", a.network.LayerTitle(o.Layer))
	}
}
