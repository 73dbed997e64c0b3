package train

import (
	"fmt"
	"io"
	"math"
	"slices"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/train/internal/checkpoint"
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

// tally is what the reconstruction error of the next measurement is made of.
type tally struct {
	squaredError float64
	examples     int64
}

func (t tally) mean() float64 { return t.squaredError / float64(t.examples) }

const (
	checkpointFormat = "unitscope-checkpoint/1"
	velocityPrefix   = "velocity"
	chainsName       = "chains"
	activityName     = "activity"
	centerName       = "center"
)

// write writes the checkpoint's file.
func (c *Checkpoint) write(to io.Writer) error {
	w := checkpoint.NewWriter(checkpointFormat, c.Settings)
	w.Whole("layer", int64(c.Layer))
	w.Whole("updates", int64(c.Updates))
	w.Number("squared_error", c.tally.squaredError)
	w.Whole("examples", c.tally.examples)
	w.Layers("", c.layers)
	w.Layer(velocityPrefix, c.velocity)
	w.Tensor(chainsName, c.chains)
	w.Tensor(activityName, c.activity)
	w.Tensor(centerName, c.center)
	return w.Write(to)
}

// ReadCheckpoint reads a checkpoint and checks that it is complete and that its
// shapes agree with one another; that it fits options and data is checked when
// [Train] resumes from it.
func ReadCheckpoint(f *safetensors.File) (*Checkpoint, error) {
	if format := f.Metadata["format"]; format != checkpointFormat {
		return nil, fmt.Errorf("checkpoint: format is %.40q, want %q", format, checkpointFormat)
	}
	r := checkpoint.NewReader(f)
	c := &Checkpoint{Settings: r.Settings()}
	c.Layer = int(r.Whole("layer", 1, maxLayers))
	c.Updates = r.Count("updates")
	c.tally = tally{examples: r.Whole("examples", 0, math.MaxInt64), squaredError: r.Number("squared_error")}
	c.readTensors(r)
	if err := r.Finish(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Checkpoint) readTensors(r *checkpoint.Reader) {
	inputs := r.Columns(network.LayerName(1) + network.WeightSuffix)
	for i := range c.Layer {
		name := network.LayerName(i + 1)
		units := r.Rows(name + network.WeightSuffix)
		c.layers = append(c.layers, r.Layer(name, units, inputs))
		inputs = units
	}
	top := network.LayerName(c.Layer) + network.WeightSuffix
	units, inputs := r.Rows(top), r.Columns(top)
	c.velocity = r.Layer(velocityPrefix, units, inputs)
	if r.Has(chainsName) {
		c.chains = r.Tensor(chainsName, r.Rows(chainsName), units)
	}
	if r.Has(activityName) {
		c.activity = r.Tensor(activityName, units)
	}
	if r.Has(centerName) {
		c.center = r.Tensor(centerName, inputs)
	}
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
	if total := t.schedule(c.Layer).Total(); c.Updates > total {
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
