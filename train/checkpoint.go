package train

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
)

// Checkpoint is training that was interrupted, as [ReadCheckpoint] returns it.
//
// Its file is safetensors: `layers.N.weight`, `layers.N.bias` and
// `layers.N.visible_bias` of the layers finished and of the one in training,
// the momentum's velocities under `velocity.`, `chains` of persistent
// contrastive divergence, `activity` and `center` of RBMs with a sparsity target
// or centered, and as metadata the counters, and every option that
// changes the result under `option.` and its name.
type Checkpoint struct {
	// Settings are the options and the data set it was made with, by the names
	// of the program's flags.
	Settings map[string]string
	Layer    int // layer in training, from 1
	Updates  int // of that layer that are done

	layers   []network.Layer // finished ones, and the one in training
	velocity network.Layer
	chains   *tensor.Dense // [chains, hidden]; nil for none
	// activity [hidden] and center [visible] are what an RBM with a sparsity
	// target or centered keeps of its data; nil for others.
	activity, center *tensor.Dense
	tally            tally
}

// tally is what the reconstruction error of the next report is made of.
type tally struct {
	squaredError float64
	examples     int64
}

func (t tally) mean() float64 { return t.squaredError / float64(t.examples) }

const (
	checkpointFormat = "unitscope-checkpoint/1"
	optionPrefix     = "option."
	velocityPrefix   = "velocity"
	chainsName       = "chains"
	activityName     = "activity"
	centerName       = "center"
)

// The settings that a difference is looked for in first.
const (
	settingKind       = "kind"
	settingVisible    = "visible"
	settingLayers     = "layers"
	settingData       = "data"
	settingExamples   = "examples"
	settingSample     = "data-sample"
	settingPersistent = "persistent"
	settingRate       = "lr"
)

func (c *Checkpoint) write(w io.Writer) error {
	metadata := map[string]string{
		"format":        checkpointFormat,
		"layer":         strconv.Itoa(c.Layer),
		"updates":       strconv.Itoa(c.Updates),
		"squared_error": number(c.tally.squaredError),
		"examples":      strconv.FormatInt(c.tally.examples, 10),
	}
	for name, value := range c.Settings {
		metadata[optionPrefix+name] = value
	}
	var tensors []safetensors.Tensor
	add := func(name string, t *tensor.Dense) error {
		data, err := dense.Data(t)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		tensors = append(tensors, safetensors.Tensor{Name: name, Shape: t.Shape(), Data: data})
		return nil
	}
	named := map[string]network.Layer{velocityPrefix: c.velocity}
	for i, l := range c.layers {
		named[network.LayerName(i+1)] = l
	}
	for prefix, l := range named {
		for suffix, t := range layerTensors(l) {
			if err := add(prefix+suffix, t); err != nil {
				return err
			}
		}
	}
	for name, t := range map[string]*tensor.Dense{chainsName: c.chains, activityName: c.activity, centerName: c.center} {
		if t == nil {
			continue
		}
		if err := add(name, t); err != nil {
			return err
		}
	}
	return safetensors.Write(w, tensors, metadata)
}

func layerTensors(l network.Layer) map[string]*tensor.Dense {
	return map[string]*tensor.Dense{network.WeightSuffix: l.Weight, network.BiasSuffix: l.Bias, network.VisibleBiasSuffix: l.VisibleBias}
}

// ReadCheckpoint reads a checkpoint and checks that it is complete and that its
// shapes agree with one another; that it fits options and data is checked when
// [Train] resumes from it.
func ReadCheckpoint(f *safetensors.File) (*Checkpoint, error) {
	if format := f.Metadata["format"]; format != checkpointFormat {
		return nil, fmt.Errorf("checkpoint: format is %.40q, want %q", format, checkpointFormat)
	}
	c := &Checkpoint{Settings: readSettings(f.Metadata)}
	if err := c.readCounters(f.Metadata); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if err := c.readTensors(f); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return c, nil
}

// readSettings returns the options among a checkpoint's metadata.
func readSettings(metadata map[string]string) map[string]string {
	settings := map[string]string{}
	for name, value := range metadata {
		if option, ok := strings.CutPrefix(name, optionPrefix); ok {
			settings[option] = value
		}
	}
	return settings
}

func (c *Checkpoint) readCounters(metadata map[string]string) error {
	whole := func(name string, least, most int64) (int64, error) {
		n, err := strconv.ParseInt(metadata[name], 10, 64)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("%s is %.40q, want a whole number from %d to %d", name, metadata[name], least, most)
		}
		return n, nil
	}
	layer, err := whole("layer", 1, maxLayers)
	if err != nil {
		return err
	}
	updates, err := whole("updates", 0, min(math.MaxUint32, math.MaxInt))
	if err != nil {
		return err
	}
	c.Layer, c.Updates = int(layer), int(updates)
	if c.tally.examples, err = whole("examples", 0, math.MaxInt64); err != nil {
		return err
	}
	c.tally.squaredError, err = strconv.ParseFloat(metadata["squared_error"], 64)
	if err != nil || !(c.tally.squaredError >= 0 && c.tally.squaredError <= math.MaxFloat64) {
		return fmt.Errorf("squared_error is %.40q, want a finite number, 0 or more", metadata["squared_error"])
	}
	return nil
}

func (c *Checkpoint) readTensors(f *safetensors.File) error {
	r := &tensorReader{file: f, known: map[string]bool{}}
	inputs := r.columns(network.LayerName(1) + network.WeightSuffix)
	for i := range c.Layer {
		l := r.layer(network.LayerName(i+1), r.rows(network.LayerName(i+1)+network.WeightSuffix), inputs)
		c.layers = append(c.layers, l)
		inputs = r.rows(network.LayerName(i+1) + network.WeightSuffix)
	}
	top := network.LayerName(c.Layer) + network.WeightSuffix
	c.velocity = r.layer(velocityPrefix, r.rows(top), r.columns(top))
	if _, ok := f.Entry(chainsName); ok {
		c.chains = r.tensor(chainsName, r.rows(chainsName), r.rows(top))
	}
	if _, ok := f.Entry(activityName); ok {
		c.activity = r.tensor(activityName, r.rows(top))
	}
	if _, ok := f.Entry(centerName); ok {
		c.center = r.tensor(centerName, r.columns(top))
	}
	return r.finish()
}

// tensorReader reads tensors whose shapes are known before anything is
// allocated, and remembers the first error.
type tensorReader struct {
	file  *safetensors.File
	known map[string]bool
	err   error
}

// side returns one dimension of a matrix as the file has it.
func (r *tensorReader) side(name string, dimension int) int {
	e, ok := r.file.Entry(name)
	if r.err == nil && !ok {
		r.err = fmt.Errorf("%s is missing", name)
	}
	if r.err == nil && (len(e.Shape) != 2 || e.Shape[0] < 1 || e.Shape[1] < 1) {
		r.err = fmt.Errorf("%s has shape %v, want two dimensions of at least 1", name, e.Shape[:min(len(e.Shape), 4)])
	}
	if r.err != nil {
		return 0
	}
	return e.Shape[dimension]
}

func (r *tensorReader) rows(name string) int    { return r.side(name, 0) }
func (r *tensorReader) columns(name string) int { return r.side(name, 1) }

func (r *tensorReader) layer(prefix string, units, inputs int) network.Layer {
	return network.Layer{
		Weight:      r.tensor(prefix+network.WeightSuffix, units, inputs),
		Bias:        r.tensor(prefix+network.BiasSuffix, units),
		VisibleBias: r.tensor(prefix+network.VisibleBiasSuffix, inputs),
	}
}

func (r *tensorReader) tensor(name string, shape ...int) *tensor.Dense {
	if r.err != nil {
		return nil
	}
	r.known[name] = true
	e, ok := r.file.Entry(name)
	if !ok {
		r.err = fmt.Errorf("%s is missing", name)
		return nil
	}
	if !slices.Equal(e.Shape, shape) {
		r.err = fmt.Errorf("%s has shape %v, want %v", name, e.Shape[:min(len(e.Shape), 4)], shape)
		return nil
	}
	t, err := r.file.Tensor(name)
	if err == nil && !allFinite(t.Data) {
		err = fmt.Errorf("%s: %w", name, engine.ErrNotFinite)
	}
	var result *tensor.Dense
	if err == nil {
		result, err = dense.Of(t.Data, shape...)
	}
	r.err = err
	return result
}

// finish returns the first error, or says which tensor is none of a checkpoint's.
func (r *tensorReader) finish() error {
	if r.err != nil {
		return r.err
	}
	for _, name := range r.file.Names() {
		if !r.known[name] {
			return fmt.Errorf("unknown tensor %.40q", name)
		}
	}
	return nil
}

// Fits checks that [Train] would resume from the checkpoint with this data and
// these options; the error names what differs.
func (c *Checkpoint) Fits(set, held dataset.Set, o Options) error {
	t, err := newTrainer(nil, set, held, o, Hooks{})
	if err != nil {
		return err
	}
	return c.fits(t)
}

// fits checks that a checkpoint belongs to a training run.
func (c *Checkpoint) fits(t *trainer) error {
	if err := compareSettings(t.settings, c.Settings); err != nil {
		return err
	}
	o := t.options
	if c.Layer > len(o.Units) {
		return fmt.Errorf("resume: the checkpoint is in layer %d of %d", c.Layer, len(o.Units))
	}
	for layer := 1; layer <= c.Layer; layer++ {
		if shape := c.layers[layer-1].Weight.Shape(); shape[0] != o.Units[layer-1] || shape[1] != t.inputs(layer) {
			return fmt.Errorf("resume: weight of layer %d is %dx%d in the checkpoint, want %dx%d", layer, shape[0], shape[1], o.Units[layer-1], t.inputs(layer))
		}
	}
	if total := t.schedule(c.Layer).total(); c.Updates > total {
		return fmt.Errorf("resume: the checkpoint has done %s of layer %d, there are %d", words.Count(c.Updates, "update"), c.Layer, total)
	}
	chains := 0
	if c.chains != nil {
		chains = c.chains.Shape()[0]
	}
	if want := o.chains(); chains != want {
		return fmt.Errorf("resume: the checkpoint has %s, want %d", words.Count(chains, "chain"), want)
	}
	for _, part := range []struct {
		name string
		has  bool
		want bool
	}{
		{activityName, c.activity != nil, o.tracks(c.Layer)},
		{centerName, c.center != nil, o.Centered},
	} {
		if part.has != part.want {
			return fmt.Errorf("resume: tensor %s is there: %v, want %v", part.name, part.has, part.want)
		}
	}
	return nil
}

// finished returns the layers below the one in training.
func (c *Checkpoint) finished() []network.Layer { return slices.Clone(c.layers[:c.Layer-1]) }

func allFinite(xs []float32) bool {
	for _, x := range xs {
		if x-x != 0 {
			return false
		}
	}
	return true
}
