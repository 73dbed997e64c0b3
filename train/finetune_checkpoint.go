package train

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
)

// FineTuneCheckpoint is fine-tuning that was interrupted, as
// [ReadFineTuneCheckpoint] returns it.
//
// Its file is safetensors: `layers.N.weight` and `layers.N.bias` of all layers,
// the classifier's last, the same under `velocity.` if there is momentum and
// under `best.` if there are best parameters, and as metadata the counters, and
// everything that the result depends on under `option.` and its name.
type FineTuneCheckpoint struct {
	// Settings are the options, the network and the data it was made with, by
	// the names of the program's flags.
	Settings map[string]string
	Updates  int // that are done

	judged   int
	tally    Score
	layers   []network.Layer
	velocity []network.Layer // nil without momentum
	best     *best           // nil for none
}

// Epochs is how many epochs are done, with their reports.
func (c *FineTuneCheckpoint) Epochs() int { return c.judged }

const (
	fineTuneFormat = "unitscope-finetune-checkpoint/1"
	bestPrefix     = "best"
)

// checkpoint has the state written, if it is finite.
func (t *tuner) checkpoint() error {
	if t.hooks.Checkpoint == nil {
		return nil
	}
	c := &FineTuneCheckpoint{Settings: t.settings, Updates: t.updates, judged: t.judged, tally: t.tally, best: t.best}
	var err error
	if c.layers, err = t.download(t.layers); err != nil {
		return err
	}
	if c.velocity, err = t.download(t.velocity); err != nil {
		return err
	}
	if err := t.hooks.Checkpoint(c.write); err != nil {
		return fmt.Errorf("checkpoint at %s: %w", t.where(), err)
	}
	return nil
}

func (c *FineTuneCheckpoint) write(w io.Writer) error {
	metadata := map[string]string{
		"format":   fineTuneFormat,
		"updates":  strconv.Itoa(c.Updates),
		"judged":   strconv.Itoa(c.judged),
		"examples": strconv.Itoa(c.tally.Examples),
		"errors":   strconv.Itoa(c.tally.Errors),
		"loss":     number(c.tally.Loss),
	}
	for name, value := range c.Settings {
		metadata[optionPrefix+name] = value
	}
	sets := []layerSet{{"", c.layers}, {velocityPrefix + ".", c.velocity}}
	if c.best != nil {
		sets = append(sets, layerSet{bestPrefix + ".", c.best.layers})
		metadata["best_epoch"] = strconv.Itoa(c.best.epoch)
		metadata["best_examples"] = strconv.Itoa(c.best.score.Examples)
		metadata["best_errors"] = strconv.Itoa(c.best.score.Errors)
		metadata["best_loss"] = number(c.best.score.Loss)
	}
	var tensors []safetensors.Tensor
	for _, s := range sets {
		more, err := s.tensors()
		if err != nil {
			return err
		}
		tensors = append(tensors, more...)
	}
	return safetensors.Write(w, tensors, metadata)
}

// layerSet is the layers of a stack under one prefix of a checkpoint's names.
type layerSet struct {
	prefix string
	layers []network.Layer
}

func (s layerSet) tensors() (all []safetensors.Tensor, err error) {
	for i, l := range s.layers {
		for suffix, t := range map[string]*tensor.Dense{network.WeightSuffix: l.Weight, network.BiasSuffix: l.Bias} {
			name := s.prefix + network.LayerName(i+1) + suffix
			data, err := dense.Data(t)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			all = append(all, safetensors.Tensor{Name: name, Shape: t.Shape(), Data: data})
		}
	}
	return all, nil
}

// ErrNotFineTune is what the error of [ReadFineTuneCheckpoint] wraps if the file
// is something else, such as the checkpoint of the pre-training before it.
var ErrNotFineTune = errors.New("not of fine-tuning")

// ReadFineTuneCheckpoint reads a checkpoint of fine-tuning and checks that it
// is complete and that its shapes agree with one another; that it fits network,
// options and data is checked when [FineTune] resumes from it.
func ReadFineTuneCheckpoint(f *safetensors.File) (*FineTuneCheckpoint, error) {
	if format := f.Metadata["format"]; format != fineTuneFormat {
		return nil, fmt.Errorf("checkpoint: %w: format is %.40q, want %q", ErrNotFineTune, format, fineTuneFormat)
	}
	c := &FineTuneCheckpoint{Settings: readSettings(f.Metadata)}
	if err := c.readCounters(f.Metadata); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if err := c.readTensors(f); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return c, nil
}

func (c *FineTuneCheckpoint) readCounters(metadata map[string]string) error {
	r := counterReader{metadata: metadata}
	c.Updates = r.whole("updates")
	c.judged = r.whole("judged")
	c.tally = Score{r.whole("examples"), r.whole("errors"), r.loss("loss")}
	if _, ok := metadata["best_epoch"]; ok {
		c.best = &best{epoch: r.whole("best_epoch")}
		c.best.score = Score{r.whole("best_examples"), r.whole("best_errors"), r.loss("best_loss")}
		if r.err == nil && (c.best.epoch < 1 || c.best.epoch > c.judged) {
			r.err = fmt.Errorf("best_epoch is %d of %d", c.best.epoch, c.judged)
		}
	}
	return r.err
}

// counterReader reads numbers of a checkpoint's metadata and remembers the
// first error.
type counterReader struct {
	metadata map[string]string
	err      error
}

func (r *counterReader) whole(name string) int {
	n, err := strconv.ParseInt(r.metadata[name], 10, 64)
	if r.err == nil && (err != nil || n < 0 || n > min(math.MaxUint32, math.MaxInt)) {
		r.err = fmt.Errorf("%s is %.40q, want a whole number from 0 to %d", name, r.metadata[name], min(math.MaxUint32, math.MaxInt))
	}
	return int(n)
}

func (r *counterReader) loss(name string) float64 {
	x, err := strconv.ParseFloat(r.metadata[name], 64)
	if r.err == nil && (err != nil || !(x >= 0 && x <= math.MaxFloat64)) {
		r.err = fmt.Errorf("%s is %.40q, want a finite number, 0 or more", name, r.metadata[name])
	}
	return x
}

func (c *FineTuneCheckpoint) readTensors(f *safetensors.File) error {
	r := &tensorReader{file: f, known: map[string]bool{}}
	layers := 0
	for _, ok := f.Entry(network.LayerName(1) + network.WeightSuffix); ok && layers < maxLayers; layers++ {
		_, ok = f.Entry(network.LayerName(layers+2) + network.WeightSuffix)
	}
	if layers == 0 {
		return fmt.Errorf("%s is missing", network.LayerName(1)+network.WeightSuffix)
	}
	c.layers = r.affine("", layers)
	if _, ok := f.Entry(velocityPrefix + "." + network.LayerName(1) + network.WeightSuffix); ok {
		c.velocity = r.affine(velocityPrefix+".", layers)
	}
	if c.best != nil {
		c.best.layers = r.affine(bestPrefix+".", layers)
	}
	return r.finish()
}

// affine reads layers whose shapes are those of the layers without a prefix.
func (r *tensorReader) affine(prefix string, layers int) (all []network.Layer) {
	inputs := r.columns(network.LayerName(1) + network.WeightSuffix)
	for i := range layers {
		name := prefix + network.LayerName(i+1)
		units := r.rows(network.LayerName(i+1) + network.WeightSuffix)
		all = append(all, network.Layer{Weight: r.tensor(name+network.WeightSuffix, units, inputs), Bias: r.tensor(name+network.BiasSuffix, units)})
		inputs = units
	}
	return all
}

// Fits returns an error, in the words of the program's flags, unless
// fine-tuning of a network with these data and options can go on from the
// checkpoint.
func (c *FineTuneCheckpoint) Fits(n *network.Network, set, held dataset.Set, o FineTuneOptions) error {
	t, err := newTuner(n, set, held, o, FineTuneHooks{})
	if err != nil {
		return err
	}
	return c.fits(t)
}

func (c *FineTuneCheckpoint) fits(t *tuner) error {
	if err := compareSettings(t.settings, c.Settings); err != nil {
		return err
	}
	first, err := t.firstLayers()
	if err != nil {
		return err
	}
	if len(c.layers) != len(first) {
		return fmt.Errorf("resume: the checkpoint has %s, want %d", words.Count(len(c.layers), "layer"), len(first))
	}
	for i, l := range first {
		if got, want := c.layers[i].Weight.Shape(), l.Weight.Shape(); !slices.Equal(got, want) {
			return fmt.Errorf("resume: weight of layer %d is %v in the checkpoint, want %v", i+1, []int(got), []int(want))
		}
	}
	perEpoch := t.plan.perEpoch()
	switch {
	case c.Updates > t.plan.total():
		return fmt.Errorf("resume: the checkpoint has done %s, there are %d", words.Count(c.Updates, "update"), t.plan.total())
	case c.judged > c.Updates/perEpoch || c.judged < (c.Updates-1)/perEpoch:
		return fmt.Errorf("resume: the checkpoint has finished %s after %s, want %d", words.Count(c.judged, "epoch"), words.Count(c.Updates, "update"), c.Updates/perEpoch)
	case (c.best != nil) != (t.held != nil && c.judged > 0):
		return errors.New("resume: the checkpoint's best parameters and --validation do not go together")
	case c.best != nil && c.best.score.Examples != t.held.Len():
		return fmt.Errorf("resume: the checkpoint's best epoch was judged by %s, there are %d", words.Count(c.best.score.Examples, "example"), t.held.Len())
	case (c.velocity != nil) != (t.options.Momentum > 0):
		return errors.New("resume: the checkpoint's velocities and --momentum do not go together")
	}
	return nil
}
