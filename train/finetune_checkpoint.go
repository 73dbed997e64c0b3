package train

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/train/internal/checkpoint"
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

// Epochs is how many epochs are done, with what is due at their ends.
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
		return fmt.Errorf("checkpoint at %s: %w", t.progress().where(), err)
	}
	return nil
}

// write writes the checkpoint's file.
func (c *FineTuneCheckpoint) write(to io.Writer) error {
	w := checkpoint.NewWriter(fineTuneFormat, c.Settings)
	w.Whole("updates", int64(c.Updates))
	w.Whole("judged", int64(c.judged))
	c.tally.write(w, "")
	w.Layers("", c.layers)
	w.Layers(velocityPrefix+".", c.velocity)
	if c.best != nil {
		w.Whole(bestPrefix+"_epoch", int64(c.best.epoch))
		c.best.score.write(w, bestPrefix+"_")
		w.Layers(bestPrefix+".", c.best.layers)
	}
	return w.Write(to)
}

func (s Score) write(w *checkpoint.Writer, prefix string) {
	w.Whole(prefix+"examples", int64(s.Examples))
	w.Whole(prefix+"errors", int64(s.Errors))
	w.Number(prefix+"loss", s.Loss)
}

func readScore(r *checkpoint.Reader, prefix string) Score {
	return Score{r.Count(prefix + "examples"), r.Count(prefix + "errors"), r.Number(prefix + "loss")}
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
	r := checkpoint.NewReader(f)
	c := &FineTuneCheckpoint{Settings: r.Settings()}
	c.Updates, c.judged, c.tally = r.Count("updates"), r.Count("judged"), readScore(r, "")
	if r.Has(bestPrefix + "_epoch") {
		c.best = &best{epoch: r.Count(bestPrefix + "_epoch"), score: readScore(r, bestPrefix+"_")}
		if c.best.epoch < 1 || c.best.epoch > c.judged {
			r.Fail(fmt.Errorf("best_epoch is %d of %d", c.best.epoch, c.judged))
		}
	}
	c.readTensors(r)
	if err := r.Finish(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *FineTuneCheckpoint) readTensors(r *checkpoint.Reader) {
	layers := 0
	for layers < maxLayers && r.Has(network.LayerName(layers+1)+network.WeightSuffix) {
		layers++
	}
	// Those of velocities and of the best are the shapes of these.
	stack := func(prefix string) (all []network.Layer) {
		inputs := r.Columns(network.LayerName(1) + network.WeightSuffix)
		for i := range layers {
			name := network.LayerName(i + 1)
			units := r.Rows(name + network.WeightSuffix)
			all = append(all, r.Affine(prefix+name, units, inputs))
			inputs = units
		}
		return all
	}
	c.layers = stack("")
	if r.Has(velocityPrefix + "." + network.LayerName(1) + network.WeightSuffix) {
		c.velocity = stack(velocityPrefix + ".")
	}
	if c.best != nil {
		c.best.layers = stack(bestPrefix + ".")
	}
}

// Fits returns an error unless
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
	perEpoch := t.schedule.PerEpoch()
	switch {
	case c.Updates > t.schedule.Total():
		return fmt.Errorf("resume: the checkpoint has done %s, there are %d", words.Count(c.Updates, "update"), t.schedule.Total())
	case c.judged > c.Updates/perEpoch || c.judged < (c.Updates-1)/perEpoch:
		return fmt.Errorf("resume: the checkpoint has finished %s after %s, want %d", words.Count(c.judged, "epoch"), words.Count(c.Updates, "update"), c.Updates/perEpoch)
	case (c.best != nil) != (t.held != nil && c.judged > 0):
		return resumeError("held", nil, "the checkpoint's best parameters do not go with it")
	case c.best != nil && c.best.score.Examples != t.held.Len():
		return fmt.Errorf("resume: the checkpoint's best epoch was judged by %s, there are %d", words.Count(c.best.score.Examples, "example"), t.held.Len())
	case (c.velocity != nil) != (t.options.Momentum > 0):
		return resumeError("Momentum", nil, "the checkpoint's velocities do not go with it")
	}
	return nil
}
