package schema

import "fmt"

// The names of arrays and columns that more than one file has, or that a reader asks for.
const (
	Unit       = "unit"
	Units      = "units" // an array: which; a column: how many
	GoalName   = "goal_name"
	GoalNames  = "goal_names"
	Layer      = "layer"
	Network    = "network"
	Method     = "method"
	Dead       = "dead"
	Activation = "activation"
	Patterns   = "patterns"

	Best            = "best"
	Restart         = "restart"
	StartActivation = "start_activation"
	Steps           = "steps"
	Stop            = "stop"
	Tangent         = "tangent"
	GainLeft        = "gain_left"
	Evaluations     = "evaluations"
	Cosine          = "cosine"
	Step            = "step"
	Penalty         = "penalty"

	Samples  = "samples"
	Mean     = "mean"
	FreeMean = "free_mean"

	DataMean        = "data_mean"
	DataFreeMean    = "data_free_mean"
	Chance          = "chance"
	DataCorrelation = "data_correlation"
	DataDistance    = "data_distance"

	InverseTemperatures = "inverse_temperatures"
	EffectiveSamples    = "effective_samples"
	Acceptance          = "acceptance"
	RoundTrips          = "round_trips"

	RHatTotal  = rHat + "_total"
	RHatFirst  = rHat + "_first"
	RHatSecond = rHat + "_second"
	rHat       = "rhat"

	Index    = "index"
	Label    = "label"
	Examples = "examples" // an array: their patterns; a column: how many

	Mode           = "mode"
	Cosines        = "cosines"
	Modes          = "modes"
	MainShare      = "main_share"
	Effective      = "effective"
	Spread         = "spread"
	RelativeSpread = "relative_spread"
	Gap            = "gap"
	ModesExpected  = "modes_expected"
	Unseen         = "unseen"

	Matrix    = "matrix"
	Dominance = "dominance"

	Edges            = "edges"
	Histogram        = "histogram"
	Percents         = "percents"
	Quantiles        = "quantiles"
	Classes          = "classes"
	ClassExamples    = "class_examples"
	ClassMean        = "class_mean"
	Class            = "class"
	ClassName        = "class_name"
	On               = "on"
	BestClass        = "best_class"
	ClassSelectivity = "class_selectivity"
	Explained        = "explained"
	Doubt            = "doubt"

	Side   = "side"
	Weight = "weight"
	Below  = "below"
	Above  = "above"

	Methods         = "methods"
	Missing         = "missing"
	Percentile      = "percentile"
	Distance        = "distance"
	Reconstruction  = "reconstruction"
	CombinationLink = "combination_link"
	Concentration   = "concentration"

	Set                   = "set"
	Error                 = "error"
	Errors                = "errors"
	Epoch                 = "epoch"
	FreeEnergyGap         = "free_energy_gap"
	FreeEnergyGapError    = "free_energy_gap_error"
	PseudoLikelihood      = "pseudo_likelihood"
	PseudoLikelihoodError = "pseudo_likelihood_error"
	TrainError            = "train_error"
	ValidationError       = "validation_error"

	TrialNumber        = "trial"
	Objective          = "objective"
	ValidationExamples = "validation_examples"
	ValidationErrors   = "validation_errors"
	ValidationLoss     = "validation_loss"
	FineTuneEpoch      = "finetune_epoch"
	FineTuneEpochs     = "finetune_epochs"
)

// CosineTo is the column of the cosine to the pattern of another method.
func CosineTo(method string) string { return Cosine + "_" + method }

// QuantilePercents are the percentages of examples that quantiles are of.
func QuantilePercents() []int { return []int{1, 5, 25, 50, 75, 95, 99} }

// Quantile is the column of the number that so many percent are at or below.
func Quantile(percent int) string { return fmt.Sprintf("q%02d", percent) }

// Connected is the name of an array about the units of a side, [Below] or [Above], that
// others are most strongly connected to: their [Layer], [Unit] or [Weight].
func Connected(side, what string) string { return side + "_" + what }
