package job

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
)

// LoadModel loads the model of a flag, --model, --dbn or --sdae, and says how its file
// was read; file is the model's file itself.
func (j *Job) LoadModel(flag string) (n *network.Network, file string, err error) {
	return j.LoadFrom("--"+flag, j.Ctx.String(flag))
}

// LoadFrom is LoadModel of a path that is called what in errors. Of several models, each
// takes those of the flags about files that it has a use for.
func (j *Job) LoadFrom(what, path string) (n *network.Network, file string, err error) {
	file = network.FileOf(path)
	if _, err := os.Stat(file); err != nil && file != path {
		if err := runfolder.Require(path); err != nil {
			return nil, "", fmt.Errorf("%s: %w", what, err)
		}
	}
	o, err := j.fileOptions()
	if err != nil {
		return nil, "", err
	}
	if j.Several {
		if o, err = o.For(path); err != nil {
			return nil, "", fmt.Errorf("%s: %w", what, err)
		}
		j.took(o)
	}
	if n, err = network.LoadWith(path, o); err != nil {
		var option *words.OptionError
		if _, takes := j.Resolved["activation"]; !takes && errors.As(err, &option) {
			return nil, "", usage.Mistakef("%s: %s is of another framework, whose models %s does not take", what, file, usage.CommandName(j.Ctx))
		}
		return nil, "", fileMistake(fmt.Errorf("%s: %w", what, err))
	}
	for _, remark := range n.Remarks {
		j.Console.Say("%s: %s: %s", what, file, remark)
	}
	for _, warning := range n.Warnings {
		j.Console.Warn(what, "%s: %s: %s", what, file, warning)
	}
	if n.Format != "" && !j.Several {
		if j.model, err = ModelOf(n); err != nil {
			return nil, "", fmt.Errorf("%s: %s: %w", what, file, err)
		}
		if text := j.Ctx.String("normalize"); text != "" {
			j.model.Normalised = "mean and deviation " + text
		}
	}
	return n, file, nil
}

// ModelOf is what a record says of a model.
func ModelOf(n *network.Network) (*runfolder.Model, error) {
	net, at, err := n.Net()
	if err != nil {
		return nil, err
	}
	m := &runfolder.Model{Format: n.Format, Inputs: network.FormatShape(n.InputShape), Operations: len(net.Ops)}
	for _, o := range net.Ops {
		if o.Kind == engine.Scale && o.In[0] == 0 {
			m.Normalised = "by a scale that the file has"
			continue
		}
		m.Parameters += len(o.Weight.Data) + len(o.Bias) + len(o.Factor)
	}
	for i, v := range at {
		o := net.Ops[v-1]
		l := runfolder.ModelLayer{Units: o.Weight.Rows, Activation: o.Activation.Kind.String()}
		if name := n.LayerLabel(i + 1); name != strconv.Itoa(i+1) {
			l.Name = name
		}
		if o.Activation.Kind == engine.Identity {
			l.Activation = runfolder.NoActivation
		}
		m.Layers = append(m.Layers, l)
	}
	return m, nil
}

// took keeps in mind which flags about files a model has a use for.
func (j *Job) took(o network.Options) {
	if j.taken == nil {
		j.taken = map[string]bool{}
	}
	for name, taken := range map[string]bool{"activation": o.Activation != "", "map": o.Map != nil, "input-shape": o.InputShape != nil, "normalize": o.Mean != nil} {
		j.taken[name] = j.taken[name] || taken
	}
}

// CheckTaken refuses flags about files that none of several models has a use for.
func (j *Job) CheckTaken() error {
	for _, f := range usage.FileFlags() {
		if name := f.Names()[0]; j.Several && j.Ctx.String(name) != "" && !j.taken[name] {
			return usage.Mistakef("--%s: every model here says that itself; leave it out", name)
		}
	}
	return nil
}

// fileOptions are what flags say of a model's file; nothing for commands that only take
// models of our own.
func (j *Job) fileOptions() (o network.Options, err error) {
	o.Activation = j.Ctx.String("activation")
	if text := j.Ctx.String("input-shape"); text != "" {
		if o.InputShape, err = network.ParseShape(text); err != nil {
			return o, usage.Mistakef("--input-shape %.60q: want up to 8 sizes like 28x28", text)
		}
	}
	if text := j.Ctx.String("map"); text != "" {
		if o.Map, err = parseMap(text); err != nil {
			return o, err
		}
	}
	if text := j.Ctx.String("normalize"); text != "" {
		o.Mean, o.Deviation, err = parseNormalize(text)
	}
	return o, err
}

// fileMistake makes an error about an option a mistake in the command.
func fileMistake(err error) error {
	var option *words.OptionError
	if errors.As(err, &option) {
		return usage.Mistake(err)
	}
	return err
}

// parseMap reads --map.
func parseMap(text string) (map[string]string, error) {
	all := map[string]string{}
	for _, part := range strings.Split(text, ",") {
		name, layer, ok := strings.Cut(part, "=")
		if name, layer = strings.TrimSpace(name), strings.TrimSpace(layer); !ok || name == "" || layer == "" {
			return nil, usage.Mistakef("--map: %.60q: want NAME=LAYER, such as encoder.0=1", part)
		}
		if _, twice := all[name]; twice {
			return nil, usage.Mistakef("--map: %.60q is given twice", name)
		}
		all[name] = layer
	}
	return all, nil
}

// parseNormalize reads --normalize.
func parseNormalize(text string) (mean, deviation []float32, err error) {
	parts := strings.Split(text, ",")
	if len(parts) != 2 {
		return nil, nil, usage.Mistakef("--normalize %.60q: want MEAN,DEVIATION", text)
	}
	for i, to := range []*[]float32{&mean, &deviation} {
		for _, field := range strings.Split(parts[i], ":") {
			x, err := strconv.ParseFloat(strings.TrimSpace(field), 32)
			if err != nil || x-x != 0 || i == 1 && !(float32(x) > 0) {
				return nil, nil, usage.Mistakef("--normalize %.60q: %.40q: want a finite number%s", text, field, [...]string{"", " above 0"}[i])
			}
			*to = append(*to, float32(x))
		}
	}
	return mean, deviation, nil
}
