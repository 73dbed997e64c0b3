package train

import "io"

// Hooks are called while [Train] runs, from its goroutine. Any may be nil.
type Hooks struct {
	// Progress is called after every chunk of updates, a few times a second.
	Progress func(Progress)
	// Measured is called every [Options.MeasureEvery] updates and at the end of
	// every layer.
	Measured func(Measurement)
	// Checkpoint is called every [Options.CheckpointEvery] updates, at the end
	// of every layer, and when training is cancelled. write writes a whole
	// checkpoint; the caller makes the file appear all at once. An error ends
	// training.
	Checkpoint func(write func(io.Writer) error) error
}

// Measurement is what the monitors show at some moment. A number that a model or an input
// does not have is NaN.
//
// All but Error come from a fixed sample of the training examples and one of
// the examples held out, drawn by the seed. Each has a 20th as many examples as are
// trained on between two measurements, but at least 100 and at most 10,000, or all
// there are; and no more than 2^22 numbers, but for 100 examples. So the monitors
// take a few per cent of the time. An error is the standard error by the choice of
// the sample: a gap of less than two of them may well have the other sign over all
// examples. NaN for a single example. They read the parameters and change nothing.
type Measurement struct {
	Progress
	// Error is the mean of ||reconstruction - x||^2 over the examples trained
	// on since the last measurement, x the layer's inputs. An RBM's reconstruction
	// is vk of CD-k, or with persistent chains E[v|h0]; an SDAE's is of the
	// corrupted input.
	Error float64
	// HeldError is the same over examples held out, with the reconstruction
	// E[v|h] of the mean activations h of the uncorrupted input.
	HeldError float64
	// FreeEnergyGap is the mean free energy of examples held out minus that of
	// training examples, of an RBM. It grows as the model begins to overfit
	// (Hinton's guide, section 6).
	FreeEnergyGap, FreeEnergyGapError float64
	// PseudoLikelihood estimates the mean over training examples, rounded to 0
	// and 1, of the sum over components of log p(x_j | all others), in nats, of
	// an RBM with Bernoulli inputs. Each example contributes the mean of two
	// components drawn anew for every measurement, times their number, or all of
	// its components if there are no more. Its error is by the choice of both.
	PseudoLikelihood, PseudoLikelihoodError float64
}
