package measuring

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/looking"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// ascentFlag is --ascent, for every command that takes patterns that are there already.
func ascentFlag(usage string) cli.Flag {
	return &cli.StringFlag{Name: "ascent", Usage: "`DIR`, the run folder of `visualize ascent`, " + usage}
}

// alone refuses flags that mean nothing beside another one.
func alone(ctx *cli.Context, flag string, others []cli.Flag) error {
	for _, f := range others {
		if name := f.Names()[0]; ctx.IsSet(name) {
			return usage.Mistakef("--%s and --%s: the folder's patterns are taken as they are; leave --%s out", flag, name, name)
		}
	}
	return nil
}

// storedAscent is what a run folder of `visualize ascent` holds.
type storedAscent struct {
	folder string
	record runfolder.Record
	result *visualize.AscentResult
	files  []string // that were read
}

// openAscent reads the numbers of all restarts; patterns and best read the rest.
func openAscent(folder string) (*storedAscent, error) {
	s := &storedAscent{folder: folder}
	if err := runfolder.Require(folder); err != nil {
		return nil, fmt.Errorf("--ascent: %w", err)
	}
	var err error
	if s.record, err = runfolder.ReadRecord(folder); err != nil {
		return nil, fmt.Errorf("--ascent: %w", err)
	}
	layer, errL := strconv.Atoi(s.record.Options["layer"])
	direction, errD := strconv.Atoi(s.record.Options["direction"])
	switch {
	case s.record.Task != schema.TaskAscent:
		return nil, fmt.Errorf("--ascent %s: a run of %q, want one of %q", folder, s.record.Task, schema.TaskAscent)
	case errL != nil || errD != nil || layer < 1:
		return nil, fmt.Errorf("--ascent %s: its record does not say which layer it climbed, and which way; run the ascent again", folder)
	}
	if err := runfolder.Verify(folder, schema.RestartsTable, schema.AscentArrays); err != nil {
		return nil, fmt.Errorf("--ascent: %w", err)
	}
	path := filepath.Join(folder, schema.RestartsTable)
	if s.result, err = visualize.OpenRestarts(path, layer, direction); err != nil {
		return nil, fmt.Errorf("--ascent: %w", err)
	}
	if constraint := s.record.Options["constraint"]; constraint != "" {
		if s.result.Constraint, err = looking.ParseConstraint(constraint); err != nil {
			return nil, fmt.Errorf("--ascent %s: its record: %w", folder, err)
		}
	}
	s.result.Radius, _ = strconv.ParseFloat(s.record.Options["rho"], 64)
	s.files = []string{filepath.Join(folder, schema.Record), path, s.arrays()}
	return s, nil
}

// family is the kind of model that was climbed, as pictures name it; "" if the run
// does not say one that there is.
func (s *storedAscent) family() string {
	kind := network.Kind(s.record.Options["kind"])
	if !slices.Contains([]network.Kind{network.DBN, network.SDAE, network.MLP}, kind) {
		return ""
	}
	return strings.ToUpper(string(kind))
}

func (s *storedAscent) arrays() string { return filepath.Join(s.folder, schema.AscentArrays) }

// best reads the best pattern of each unit.
func (s *storedAscent) best() (err error) {
	s.result.BestPatterns, err = s.array(schema.Best)
	return err
}

// patterns reads the patterns of all restarts.
func (s *storedAscent) patterns() (err error) {
	s.result.Patterns, err = s.array(schema.Patterns, s.result.Restarts)
	if err != nil && s.record.Options["keep"] == "best" {
		err = fmt.Errorf("%w; the ascent kept the best patterns only, run it with --keep all", err)
	}
	return err
}

// array reads an array of one pattern, or several, of each unit. The npz file is
// read as a data set of the patterns whose labels are the units.
func (s *storedAscent) array(name string, several ...int) (patterns *tensor.Dense, err error) {
	set, err := dataset.Open("npz:"+s.arrays()+",x="+name+",y="+schema.Units, 0)
	if err != nil {
		return nil, fmt.Errorf("--ascent: %w", err)
	}
	defer job.CloseInto(&err, set)
	size, units := set.Info().Size(), s.result.Units
	shape := append(append([]int{set.Len()}, several...), size)
	for _, n := range several {
		shape[len(shape)-1] /= max(1, n)
	}
	if len(set.Info().Shape) != len(shape)-1 || !slices.Equal(set.Info().Shape[:len(several)], several) || set.Len() != len(units) {
		return nil, fmt.Errorf("--ascent: %s: %s are [%d, %v], which does not go with the %s and %s of restarts.csv", s.arrays(), name, set.Len(), set.Info().Shape, words.Count(len(units), "unit"), words.Count(s.result.Restarts, "restart"))
	}
	for i, unit := range units {
		if label, ok := set.Label(i); !ok || label != unit {
			return nil, fmt.Errorf("--ascent: %s: unit %d at place %d, restarts.csv has unit %d there", s.arrays(), label, i, unit)
		}
	}
	if err := memory.CheckFloats(len(units), size); err != nil {
		return nil, fmt.Errorf("--ascent: %s: %s: %w", s.arrays(), name, err)
	}
	data, all := make([]float32, len(units)*size), make([]int, len(units))
	for i := range all {
		all[i] = i
	}
	if err := set.Read(data, all); err != nil {
		return nil, fmt.Errorf("--ascent: %w", err)
	}
	return dense.Of(data, shape...)
}

// readAlike makes sure that what is said of the model's file is what was said when the
// ascent read it: parameters with another activation are another network.
func (s *storedAscent) readAlike(ctx *cli.Context) error {
	for _, name := range []string{"activation", "map", "normalize"} {
		if was, is := s.record.Options[name], ctx.String(name); was != is {
			return usage.Mistakef("--ascent %s: it climbed with --%s %q, and here it is %q; give the same, as it is another network without", s.folder, name, was, is)
		}
	}
	return nil
}

// storedBest reads the best patterns of units of a model's layer from --ascent.
func storedBest(ctx *cli.Context, n *network.Network) (*storedAscent, error) {
	if err := alone(ctx, "ascent", append(looking.AscentFlags(), layerFlags()...)); err != nil {
		return nil, err
	}
	s, err := openAscent(ctx.String("ascent"))
	if err != nil {
		return nil, err
	}
	model, err := runfolder.DigestFile(network.FileOf(ctx.String("model")))
	if err != nil {
		return nil, fmt.Errorf("--model: %w", err)
	}
	if !slices.ContainsFunc(s.record.Inputs, func(in runfolder.FileDigest) bool { return in.SHA256 == model.SHA256 }) {
		return nil, usage.Mistakef("--ascent %s: it climbed units of another model than --model %s", s.folder, ctx.String("model"))
	}
	if err := s.readAlike(ctx); err != nil {
		return nil, err
	}
	if s.result.Names != nil {
		return nil, usage.Mistakef("--ascent %s: it climbed %s (%.60s), which are no units; patterns of units are wanted", s.folder, words.Count(len(s.result.Names), report.Noun(s.result.Names)), s.result.Names[0])
	}
	if s.result.Direction != 1 {
		return nil, usage.Mistakef("--ascent %s: it minimised the activations; patterns that maximise them are wanted", s.folder)
	}
	if s.result.Layer < 1 || s.result.Layer > n.Depth() {
		return nil, usage.Mistakef("--ascent %s: it climbed layer %d, the model has layers 1 to %d", s.folder, s.result.Layer, n.Depth())
	}
	if err := s.best(); err != nil {
		return nil, err
	}
	if got := s.result.BestPatterns.Shape()[1]; got != n.Sizes()[0] {
		return nil, usage.Mistakef("--ascent %s: its patterns have %s, the model's inputs %d", s.folder, words.Count(got, "component"), n.Sizes()[0])
	}
	return s, nil
}

// layerFlags choose units of one layer.
func layerFlags() []cli.Flag {
	return slices.DeleteFunc(usage.ModelFlags(), func(f cli.Flag) bool { return !slices.Contains([]string{"layer", "units"}, f.Names()[0]) })
}
