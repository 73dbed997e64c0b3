package figures

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/looking"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/picture"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
)

// Model is one of those that a figure shows.
type Model struct {
	Network *network.Network
	Name    string  // as people read it: "DBN"
	InFiles string  // as names of files have it: "dbn"
	Radius  float64 // the norm of its patterns; 0 for the model's own
	of      string  // Name where there are others, else "": warnings say it
	given   string  // as its command has it: "--dbn runs/dbn"
	file    string
}

// OfKind is a model that is called by its kind, which no other one has.
func OfKind(n *network.Network) Model {
	return Model{Network: n, Name: picture.FamilyName(n), InFiles: string(n.Kind)}
}

// heading is what pictures call a layer.
func (m Model) heading(layer int) string { return m.Name + " " + m.Network.LayerTitle(layer) }

// modelsFlags are for figures that show one model or several.
func modelsFlags() []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "dbn", Usage: "`DIR`, the run folder of a Deep Belief Net, or its model file"},
		&cli.StringFlag{Name: "sdae", Usage: "`DIR`, the run folder of a Stacked Denoising Auto-Encoder, or its model file"},
		&cli.StringSliceFlag{Name: "model", KeepSpace: true, Usage: "`FILE` of any model, or its run folder, after those of --dbn and --sdae; may be given several times; see `unitscope help model`"},
	}
	return append(flags, looking.RadiusFlags()...)
}

// loadModels loads --dbn, --sdae and each --model, at least one, and finds out the norm
// of their patterns.
func loadModels(j *job.Job) (models []Model, err error) {
	others := usage.Values(j.Ctx, "model")
	j.Several = len(others) > 1 || len(others) == 1 && (j.Ctx.IsSet("dbn") || j.Ctx.IsSet("sdae"))
	for _, kind := range []network.Kind{network.DBN, network.SDAE} {
		path := j.Ctx.String(string(kind))
		if path == "" {
			continue
		}
		n, file, err := j.LoadModel(string(kind))
		if err != nil {
			return nil, err
		}
		m := OfKind(n)
		if m.given, m.file = fmt.Sprintf("--%s %s", kind, path), file; n.Kind != kind {
			return nil, usage.Mistakef("%s: the model is of kind %s", m.given, n.Kind)
		}
		models = append(models, m)
	}
	for _, path := range others {
		m := Model{given: "--model " + path, InFiles: unusedName(path, models)}
		if m.Network, m.file, err = j.LoadFrom("--model", path); err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(models, func(o Model) bool { return filepath.Clean(o.file) == filepath.Clean(m.file) }); i >= 0 {
			return nil, usage.Mistakef("%s and %s: both are the same model; give it once", models[i].given, m.given)
		}
		models = append(models, m)
	}
	if len(models) == 0 {
		return nil, usage.Mistakef("--model: there is nothing to show; give a model, or several, or --dbn and --sdae")
	}
	if err := j.CheckTaken(); err != nil {
		return nil, err
	}
	nameModels(models)
	if err := chooseRadii(j, models); err != nil {
		return nil, err
	}
	var names []string
	for _, m := range models {
		names = append(names, m.InFiles)
		j.Resolved["rho of "+m.InFiles] = fmt.Sprint(m.Radius)
	}
	j.Resolved[schema.ModelNames] = strings.Join(names, ",")
	return models, nil
}

// nameModels has people read of what kind a model is where that tells it from the
// others, else what files call it.
func nameModels(models []Model) {
	kinds := map[network.Kind]int{}
	for _, m := range models {
		kinds[m.Network.Kind]++
	}
	for i, m := range models {
		switch {
		case m.Name != "":
		case kinds[m.Network.Kind] == 1:
			models[i].Name = picture.FamilyName(m.Network)
		default:
			models[i].Name = m.InFiles
		}
		if len(models) > 1 {
			models[i].of = models[i].Name
		}
	}
}

// chooseRadii finds out the norm of each model's patterns. Data are read once for all
// models that take the same inputs.
func chooseRadii(j *job.Job, models []Model) (err error) {
	known := map[string]float64{}
	for i, m := range models {
		inputs := fmt.Sprint(m.Network.Sizes()[0], m.Network.Visible)
		radius, found := known[inputs]
		if !found || j.Ctx.String("data") == "" {
			if radius, err = looking.ChooseRadiusOf(j, m.given, m.Network); err != nil {
				return err
			}
		}
		models[i].Radius, known[inputs] = radius, radius
	}
	return nil
}

// unusedName is what names of files call the model of a path that none of the others is
// called: by its folder where the file has the name that all models have.
func unusedName(path string, others []Model) string {
	base := nameInFiles(path)
	name := base
	for i := 2; slices.ContainsFunc(others, func(m Model) bool { return m.InFiles == name }); i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	return name
}

// nameInFiles is the name of a file or folder in letters that are the same on every
// system, and not too many of them.
func nameInFiles(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	if filepath.Base(path) == schema.Model {
		path = filepath.Dir(path)
	}
	name := filepath.Base(path)
	if schema.IsModel(name) {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	const longest = 60
	if name = strings.Trim(name[:min(len(name), longest)], "-"); name == "" {
		return "model"
	}
	return name
}

// files are those of models.
func files(models []Model) (all []string) {
	for _, m := range models {
		all = append(all, m.file)
	}
	return all
}

// warn warns of all layers of models that have learned nothing.
func warn(j *job.Job, d engine.Device, models []Model) (said []string) {
	for _, m := range models {
		said = append(said, j.WarnOfLayers(d, job.LookedAt{Network: m.Network, File: m.file, Of: m.of, Layers: job.AllLayers(m.Network)})...)
	}
	return said
}
