package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// Range is where a hyper-parameter is drawn from, both ends included. With Low
// equal to High it is fixed.
type Range struct{ Low, High float64 }

// String is the range as LOW:HIGH.
func (r Range) String() string { return fmt.Sprintf("%g:%g", r.Low, r.High) }

// Objective names what a search makes small.
type Objective string

// The objectives, both on the examples held out.
const (
	// ObjectiveError is the share of errors after fine-tuning, which needs labels.
	ObjectiveError Objective = "error"
	// ObjectiveReconstruction is [Reconstruction] after pre-training.
	ObjectiveReconstruction Objective = "reconstruction"
)

// SearchOptions are a random search over hyper-parameters (Bergstra and Bengio,
// "Random Search for Hyper-Parameter Optimization", 2012). Every trial draws
// each of them independently: numbers of units, epochs and rates uniformly in
// their logarithm, the number of layers and the noise uniformly.
type SearchOptions struct {
	// Train and FineTune hold what is the same for all trials: the kind, the
	// batch, the seed and so on. Of Train, Units, Epochs, Rates and Noise are
	// drawn, of FineTune the rates.
	Train    Options
	FineTune FineTuneOptions
	Trials   int // >= 1

	Layers Range // number of layers, whole numbers
	Units  Range // of every layer alike, whole numbers: wider or narrower ones above gain little (Larochelle et al., 2009)
	Epochs Range // of pre-training, of every layer alike, whole numbers
	Rate   Range // learning rate of pre-training, of every layer alike
	// Noise of an SDAE, of every layer alike; of the first layer only if its
	// inputs are Gaussian, see [Options.NoiseLevel].
	Noise        Range
	FineTuneRate Range // the first learning rate of fine-tuning; the last is in the proportion that FineTune has

	Objective Objective
}

// SearchDefaults are options around the defaults of training: 20 trials with 1
// to 3 layers of 200 to 1000 units, 5 to 20 epochs, rates from a fifth to four
// times the default, noise from 0.1 to 0.5 (Gaussian noise on Gaussian inputs: 1
// to 3), and fine-tuning rates of 0.1 to 3.
func SearchDefaults(kind network.Kind, visible engine.VisibleKind) SearchOptions {
	o := SearchOptions{
		Train: Defaults(kind, visible), FineTune: FineTuneDefaults(), Trials: 20,
		Layers: Range{1, 3}, Units: Range{200, 1000}, Epochs: Range{5, 20}, FineTuneRate: Range{0.1, 3},
		Objective: ObjectiveError,
	}
	// The layers above are Bernoulli ones.
	rate := o.Train.Rate(2)
	o.Rate = Range{rate / 5, 4 * rate}
	if kind == network.SDAE {
		o.Noise = Range{0.1, 0.5}
		if visible == engine.Gaussian {
			o.Noise = Range{1, 3}
		}
	}
	return o
}

// Trial is one draw of a search, and what came of it.
type Trial struct {
	Number   int // from 1
	Train    Options
	FineTune FineTuneOptions
	// Objective and Outcome are there once the trial is done.
	Objective float64         // the smaller, the better; NaN if the trial diverged
	Outcome   FineTuneOutcome // of fine-tuning; its zero value without
}

// Diverged says whether parameters of the trial were no longer finite.
func (t Trial) Diverged() bool { return math.IsNaN(t.Objective) }

// diverged is the trial, once it has.
func (t Trial) diverged() Trial {
	t.Objective, t.Outcome = math.NaN(), FineTuneOutcome{}
	return t
}

// Check returns a [words.OptionError] if an option is out of range. Those of Train and
// FineTune are called by both fields: "FineTune.Patience".
func (o SearchOptions) Check() error {
	if o.Trials < 1 || o.Trials > math.MaxInt32 {
		return words.BadOption("Trials", o.Trials, "want 1 to %d", math.MaxInt32)
	}
	if o.Objective != ObjectiveError && o.Objective != ObjectiveReconstruction {
		return words.BadOption("Objective", fmt.Sprintf("%.40q", string(o.Objective)), "want %s or %s", ObjectiveError, ObjectiveReconstruction)
	}
	for _, r := range []struct {
		field string
		Range
		least, most float64
		whole       bool
	}{
		{"Layers", o.Layers, 1, maxLayers - 1, true},
		{"Units", o.Units, 1, maxUnits, true},
		{"Epochs", o.Epochs, 1, math.MaxInt32, true},
		{"Rate", o.Rate, math.SmallestNonzeroFloat32, math.MaxFloat32, false},
		{"FineTuneRate", o.FineTuneRate, math.SmallestNonzeroFloat32, math.MaxFloat32, false},
	} {
		if !(r.Low >= r.least && r.Low <= r.High && r.High <= r.most) {
			return words.BadOption(r.field, r.Range, "want LOW:HIGH from %g to %g", r.least, r.most)
		}
		if r.whole && (r.Low != math.Trunc(r.Low) || r.High != math.Trunc(r.High)) {
			return words.BadOption(r.field, r.Range, "want whole numbers")
		}
	}
	if o.Train.Kind == network.SDAE && !(o.Noise.Low <= o.Noise.High) {
		return words.BadOption("Noise", o.Noise, "want LOW:HIGH")
	}
	// The ends are the extremes of what the trials check.
	for _, end := range []float64{0, 1} {
		t := o.draw(1, func() float64 { return end })
		if err := within("Train", t.Train.Check()); err != nil {
			return err
		}
		if err := within("FineTune", t.FineTune.Check(len(t.Train.Units))); err != nil {
			return err
		}
	}
	return nil
}

// within says of an error about an option which field of the search has that option.
func within(field string, err error) error {
	var option *words.OptionError
	if !errors.As(err, &option) {
		return err
	}
	return option.Within(field)
}

// Trial is trial number 1, 2 and so on: a function of the options, the seed of
// Train, and the number alone. All trials train with the same seed.
func (o SearchOptions) Trial(number int) Trial {
	source := engine.NewSource(o.Train.Seed, engine.PurposeSearch, 0, uint64(number))
	return o.draw(number, source.Uniform)
}

// draw takes one number for each hyper-parameter, in the same order whether or
// not it is fixed, so that fixing one leaves the others as they were.
func (o SearchOptions) draw(number int, uniform func() float64) Trial {
	layers := o.Layers.whole(uniform())
	units := int(math.Round(o.Units.logarithmic(uniform())))
	epochs := int(math.Round(o.Epochs.logarithmic(uniform())))
	rate := significant(o.Rate.logarithmic(uniform()))
	noise := significant(o.Noise.Low + (o.Noise.High-o.Noise.Low)*uniform())
	fineTuneRate := significant(o.FineTuneRate.logarithmic(uniform()))

	t := Trial{Number: number, Train: o.Train, FineTune: o.FineTune}
	t.Train.Units, t.Train.Rates = nil, nil
	t.Train.Epochs = []int{epochs}
	for range layers {
		t.Train.Units = append(t.Train.Units, units)
		t.Train.Rates = append(t.Train.Rates, rate)
	}
	if o.Train.Kind == network.SDAE {
		t.Train.Noise = []float64{noise}
		for layer := 2; layer <= layers && o.Train.Visible == engine.Gaussian; layer++ {
			t.Train.Noise = append(t.Train.Noise, o.Train.NoiseLevel(layer))
		}
	}
	if final := o.FineTune.FinalRate; final > 0 {
		t.FineTune.FinalRate = significant(fineTuneRate * final / o.FineTune.Rate)
	}
	t.FineTune.Rate = fineTuneRate
	return t
}

// whole maps 0..1 to the whole numbers of the range, each equally likely.
func (r Range) whole(u float64) int {
	return int(min(r.Low+math.Floor(u*(r.High-r.Low+1)), r.High))
}

// logarithmic maps 0..1 to the range so that the logarithm is uniform.
func (r Range) logarithmic(u float64) float64 {
	if r.Low == r.High {
		return r.Low
	}
	return min(max(r.Low*math.Exp(u*math.Log(r.High/r.Low)), r.Low), r.High)
}

// significant rounds to three significant digits, which a search can't tell
// apart and people can type.
func significant(x float64) float64 {
	if x == 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-2)
	if unit == 0 {
		return x
	}
	// A quotient of whole numbers is the decimal number itself where it can be.
	if unit < 1 {
		return math.Round(x/unit) / math.Round(1/unit)
	}
	return math.Round(x/unit) * unit
}

// TrialStart is how a trial begins.
type TrialStart struct {
	// Done is the trial's result if it was finished before; the rest is not used
	// then.
	Done *Trial
	// Pretrained is the model if pre-training was finished before; Resume and
	// ResumeFineTune are where the trial was interrupted. Nil for none.
	Pretrained     *network.Network
	Resume         *Checkpoint
	ResumeFineTune *FineTuneCheckpoint
	Hooks          Hooks         // of pre-training
	FineTuneHooks  FineTuneHooks // of fine-tuning
}

// SearchHooks are called while [Search] runs, from its goroutine. Any may be
// nil. An error of a hook ends the search.
type SearchHooks struct {
	// Start is called when it is a trial's turn.
	Start func(Trial) (TrialStart, error)
	// Pretrained is called between pre-training and fine-tuning.
	Pretrained func(Trial, *network.Network) error
	// Finish is called at a trial's end with its model, which is nil if the trial
	// has diverged; not for trials that were done before.
	Finish func(Trial, *network.Network) error
}

// Search runs the trials of a random search in order and returns their results
// in that order. held, the examples that trials are judged by, must not be
// empty. A trial that diverges is a result; every other failure ends the
// search. Cancelling ctx ends it as it ends [Train] and [FineTune].
func Search(ctx context.Context, d engine.Device, set, held dataset.Set, o SearchOptions, h SearchHooks) ([]Trial, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if held == nil || held.Len() == 0 {
		return nil, words.BadOption("held", nil, "a search needs examples held out to judge by")
	}
	var results []Trial
	for number := 1; number <= o.Trials; number++ {
		s := searchTrial{device: d, set: set, held: held, objective: o.Objective, trial: o.Trial(number), hooks: h}
		r, err := s.run(ctx)
		if err != nil {
			return nil, fmt.Errorf("trial %d: %w", number, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// searchTrial is one trial of a search.
type searchTrial struct {
	device    engine.Device
	set, held dataset.Set
	objective Objective
	trial     Trial
	hooks     SearchHooks
}

func (s searchTrial) run(ctx context.Context) (Trial, error) {
	var start TrialStart
	if s.hooks.Start != nil {
		var err error
		if start, err = s.hooks.Start(s.trial); err != nil {
			return Trial{}, err
		}
	}
	if start.Done != nil {
		return *start.Done, nil
	}
	n, r, err := s.train(ctx, start)
	if errors.Is(err, engine.ErrNotFinite) || errors.Is(err, ErrDiverged) {
		n, r, err = nil, s.trial.diverged(), nil
	}
	if err != nil {
		return Trial{}, err
	}
	if s.hooks.Finish != nil {
		err = s.hooks.Finish(r, n)
	}
	return r, err
}

// train does what is left of a trial.
func (s searchTrial) train(ctx context.Context, start TrialStart) (n *network.Network, r Trial, err error) {
	r = s.trial
	if n = start.Pretrained; n == nil {
		if n, err = Train(ctx, s.device, s.set, s.held, s.trial.Train, start.Hooks, start.Resume); err != nil {
			return nil, r, err
		}
		if s.hooks.Pretrained != nil {
			if err := s.hooks.Pretrained(s.trial, n); err != nil {
				return nil, r, err
			}
		}
	}
	if s.objective == ObjectiveReconstruction {
		r.Objective, err = Reconstruction(ctx, s.device, n, s.held)
		return n, r, err
	}
	n, r.Outcome, err = FineTune(ctx, s.device, n, s.set, s.held, s.trial.FineTune, start.FineTuneHooks, start.ResumeFineTune)
	r.Objective = r.Outcome.Held.ErrorRate()
	return n, r, err
}
