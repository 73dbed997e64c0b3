package train

import (
	"errors"
	"fmt"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/train/internal/feed"
)

// Progress says how far training has come.
type Progress struct {
	Layer, Layers int // layer in training, from 1, and how many there are
	Epoch, Epochs int // epoch of the layer that is going on or has just ended, from 1, and how many there are
	// Update is how many updates of this epoch are done, of Updates.
	Update, Updates int
	// Examples is how many examples this layer has been shown, of AllExamples.
	Examples, AllExamples int64
}

// progressAt is how far training by a schedule is after some updates.
func progressAt(s feed.Schedule, updates int) Progress {
	epoch, within, examples := s.Done(updates)
	return Progress{
		Epoch: epoch + 1, Epochs: s.Epochs,
		Update: within, Updates: s.PerEpoch(),
		Examples: examples, AllExamples: int64(s.Epochs) * int64(s.Examples),
	}
}

// where is the update that was done last, for people.
func (p Progress) where() string {
	return fmt.Sprintf("epoch %d of %d, update %d of %d", p.Epoch, p.Epochs, p.Update, p.Updates)
}

// stopped has a checkpoint written and says where training was cancelled.
func (p Progress) stopped(cause error, checkpoint func() error) error {
	err := fmt.Errorf("stopped at %s: %w", p.where(), cause)
	if failed := checkpoint(); failed != nil {
		err = fmt.Errorf("%w; its checkpoint could not be written: %w", err, failed)
	}
	return err
}

// explain says of an error that wraps [engine.ErrNotFinite] where it was, and the
// likely cause: the learning rate, in a field of the options. Other errors stay as
// they are.
func (p Progress) explain(err error, field string, rate float64) error {
	if !errors.Is(err, engine.ErrNotFinite) {
		return err
	}
	return fmt.Errorf("parameters are no longer finite at %s: %w: %w", p.where(), engine.ErrNotFinite, p.tooLarge(field, rate, ""))
}

// tooLarge is the error of a learning rate that made training diverge.
func (p Progress) tooLarge(field string, rate float64, advice string) error {
	value := fmt.Sprintf("%g", rate)
	if p.Layer > 0 {
		value += fmt.Sprintf(" for layer %d", p.Layer)
	}
	return words.BadOption(field, value, "the learning rate is probably too large; try %.1g%s", rate/10, advice)
}
