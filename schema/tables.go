package schema

import "fmt"

// tables are all files with columns, by their own names.
func tables() []File {
	return []File{
		trainingLog(), fineTuneLog(), learning(), scores(), trial(), search(),
		restarts(), mixing(), modes(), thresholds(), selectivity(), tuning(), classes(), connections(), comparison(),
		likelihood(), partition(), runs(),
	}
}

// Columns that many tables begin with.
func unitColumn() Field { return Field{Name: Unit, About: "which"} }
func goalColumn() Field {
	return Field{Name: GoalName, About: "of what was climbed, where it is no unit", Sometimes: true}
}
func layerColumn() Field   { return Field{Name: Layer, About: "its number, from 1"} }
func networkColumn() Field { return Field{Name: Network, About: "trained or untrained"} }

// trainingLog has a row for the end of every epoch. What a model does not have is empty.
func trainingLog() File {
	return File{Log, []Field{
		layerColumn(),
		{Name: Epoch, About: "from 1"},
		{Name: Step, About: "updates of the layer so far"},
		{Name: Error, About: "reconstruction error since the row before"},
		{Name: "held_error", About: "the same of examples held out"},
		{Name: FreeEnergyGap, About: "mean free energy of examples held out less that of training examples"},
		{Name: FreeEnergyGapError, About: "its standard error", Sometimes: true},
		{Name: PseudoLikelihood, About: "mean over training examples, in nats"},
		{Name: PseudoLikelihoodError, About: "its standard error", Sometimes: true},
		examplesPerSecond(),
	}}
}

// fineTuneLog has a row per epoch.
func fineTuneLog() File {
	return File{FineTuneTable, []Field{
		{Name: Epoch, About: "from 1"},
		{Name: "rate", About: "the learning rate"},
		{Name: "train_loss", About: "mean cross-entropy of training examples"},
		{Name: TrainError, About: "their share of errors"},
		{Name: ValidationLoss, About: "mean cross-entropy of examples held out"},
		{Name: ValidationError, About: "their share of errors"},
		examplesPerSecond(),
	}}
}

func examplesPerSecond() Field {
	return Field{Name: "examples_per_second", About: "since the row before"}
}

func learning() File {
	return File{LearningTable, []Field{
		layerColumn(),
		{Name: Units, About: "how many were looked at"},
		{Name: Examples, About: "over how many"},
		{Name: deviation, About: "of a unit's activation over the examples, median of the units"},
		{Name: "initial_deviation", About: "that with the weights that training begins with"},
		{Name: "still", About: "units whose deviation is next to none"},
		{Name: "stuck", About: "units that are on, or off, for every example"},
		{Name: "kinds", About: "how many units differ"},
		{Name: "warning", About: "what is wrong"},
	}}
}

func scores() File {
	return File{ScoresTable, []Field{
		{Name: Set, About: "validation or test"},
		{Name: Examples, About: "how many"},
		{Name: Errors, About: "how many it gets wrong"},
		{Name: Error, About: "their share"},
		{Name: "loss", About: "mean cross-entropy"},
	}}
}

// search has a row per trial, the best first.
func search() File { return named(SearchTable, trial()) }

func trial() File {
	return File{TrialTable, []Field{
		{Name: TrialNumber, About: "from 1"},
		{Name: Objective, About: "the smaller the better"},
		{Name: "layers", About: "how many"},
		{Name: Units, About: "of each layer"},
		{Name: "epochs", About: "of each layer"},
		{Name: "lr", About: "the learning rate"},
		{Name: "noise", About: "share of inputs that are masked"},
		{Name: "finetune_lr", About: "the learning rate of fine-tuning"},
		{Name: ValidationExamples, About: "how many were held out"},
		{Name: ValidationErrors, About: "how many of them are wrong"},
		{Name: ValidationLoss, About: "their mean cross-entropy"},
		{Name: FineTuneEpoch, About: "the epoch with the fewest errors"},
		{Name: FineTuneEpochs, About: "how many there were"},
	}}
}

// restarts has a row per restart, with the numbers of ascent but the patterns.
func restarts() File {
	return File{RestartsTable, []Field{
		unitColumn(),
		{Name: Restart, About: "from 0"},
		{Name: Activation, About: "at its end, before the sigmoid"},
		{Name: StartActivation, About: "at its start"},
		{Name: Steps, About: "how many it took"},
		{Name: Stop, About: "why there were no more: converged, ridge, flat, steps or vanished"},
		{Name: Tangent, About: "share of the gradient along the sphere"},
		{Name: Cosine, About: "to the unit's best restart"},
		{Name: GainLeft, About: "what the gradient promises of a radius more, relative to the activation", Sometimes: true},
		{Name: Evaluations, About: "how often activation and gradient were computed", Sometimes: true},
		{Name: Penalty, About: "what penalties take off at its end", Sometimes: true},
		goalColumn(),
	}}
}

func mixing() File {
	const autocorrelation = "autocorrelation"
	return File{MixingTable, []Field{
		unitColumn(),
		{Name: RHatTotal, About: "potential scale reduction, of the sum of a sample's components"},
		{Name: RHatFirst, About: "of the first principal component"},
		{Name: RHatSecond, About: "of the second"},
		{Name: autocorrelation + "_total", About: "between neighbours of a chain, of the sum of a sample's components"},
		{Name: autocorrelation + "_first", About: "of the first principal component"},
		{Name: autocorrelation + "_second", About: "of the second"},
		{Name: Modes, About: "groups of samples"},
		{Name: "main_mode", About: "share of the largest"},
		{Name: Concentration, About: "mean cosine between a sample and the mean"},
		{Name: Chance, About: "of a mean that differs as much from the free one if the unit said nothing; above 0.05 it can't be told from it"},
		{Name: DataCorrelation, About: "between the mean less the free one and the same of the data, over components"},
		{Name: DataDistance, About: "between the two, relative to that of the data"},
		{Name: EffectiveSamples, About: "independent samples that the unit's are worth"},
		{Name: Acceptance, About: "of tempered chains, chance of an exchange of the two temperatures between which it is the least"},
		{Name: RoundTrips, About: "of tempered chains, how often a chain's replicas have come from the highest temperature"},
	}}
}

// modeNumber is a number of a unit's modes, and whether it has an interval.
type modeNumber struct {
	Field
	interval bool
}

// modeNumbers are what is told of a unit's modes.
func modeNumbers() []modeNumber {
	return []modeNumber{
		{Field{Name: Modes, About: "clusters of the patterns that restarts found: there are at least as many"}, false},
		{Field{Name: ModesExpected, About: "with those that no restart found, estimated from below"}, false},
		{Field{Name: MainShare, About: "share of the restarts in the largest"}, true},
		{Field{Name: Effective, About: "effective number of modes"}, false},
		{Field{Name: Spread, About: "standard deviation of the final activations"}, false},
		{Field{Name: RelativeSpread, About: "relative to what restarts gained"}, false},
		{Field{Name: Gap, About: "by how much the main mode's best activation exceeds that of the second"}, false},
		{Field{Name: Unseen, About: "chance that another restart finds a new mode"}, true},
	}
}

// modes has a row per network, layer and unit.
func modes() File {
	f := File{ModesTable, []Field{
		networkColumn(), layerColumn(), unitColumn(),
		{Name: Dead, About: "whether no restart had a gradient"},
		{Name: "restarts", About: "how many"},
		{Name: "found", About: "how many had a gradient to climb"},
	}}
	for _, e := range modeNumbers() {
		if e.Name == Unseen {
			f.Fields = append(f.Fields, Field{Name: "second_cosine", About: "between the best patterns of the two largest modes"})
		}
		f.Fields = append(f.Fields, e.Field)
		if e.interval {
			f.Fields = append(f.Fields, Field{Name: e.Name + "_low", About: "end of its interval"}, Field{Name: e.Name + "_high", About: "the other"})
		}
	}
	f.Fields = append(f.Fields, goalColumn())
	return f
}

// thresholds has a row per network, layer and threshold.
func thresholds() File {
	return File{ThresholdTable, []Field{
		networkColumn(), layerColumn(),
		{Name: "threshold", About: "cosine within a mode"},
		{Name: Modes, About: "mean over units"},
		{Name: Effective, About: "mean over units"},
		{Name: MainShare, About: "mean over units"},
		{Name: "single", About: "share of units with one mode"},
	}}
}

// selective is how selective a pattern is for its unit.
func selective() []Field {
	return []Field{
		{Name: "own", About: "response of the unit to its own pattern"},
		{Name: "rank", About: "its place among the responses of all"},
		{Name: Dominance, About: "its share of their sum"},
		{Name: "entropy", About: "of the shares, in nats"},
	}
}

func selectivity() File {
	return File{SelectivityTable, append([]Field{layerColumn(), unitColumn(), {Name: Dead, About: "whether it has no pattern"}}, selective()...)}
}

// tuning has a row per unit.
func tuning() File {
	f := File{TuningTable, []Field{
		layerColumn(), unitColumn(),
		{Name: Mean, About: "of the unit over the examples"},
		{Name: deviation, About: "standard deviation over them"},
		{Name: "least", About: "the smallest"},
		{Name: "largest", About: "the largest"},
		{Name: On, About: "share of examples at which its activation is above 0"},
	}}
	for _, p := range QuantilePercents() {
		f.Fields = append(f.Fields, Field{Name: Quantile(p), About: fmt.Sprintf("what %d %% are at or below", p)})
	}
	f.Fields = append(f.Fields,
		Field{Name: BestClass, About: "label with the largest mean"},
		Field{Name: ClassSelectivity, About: "(a - b)/(a + b) of its mean and that of the others' means"},
		Field{Name: Explained, About: "share of the variance that is between classes"},
		Field{Name: Doubt, About: "never on, saturated or constant, if it is"})
	return f
}

// classes has a row per label.
func classes() File {
	return File{ClassesTable, []Field{
		{Name: Class, About: "the label"},
		{Name: ClassName, About: "what it is called, if it has a name"},
		{Name: Examples, About: "how many"},
	}}
}

// connections has a row per unit, side and place.
func connections() File {
	return File{ConnectionsTable, []Field{
		layerColumn(), unitColumn(),
		{Name: Side, About: "below or above: where the other unit is"},
		{Name: "place", About: "1 for the largest weight"},
		{Name: "other_layer", About: "that of the other unit"},
		{Name: "other_unit", About: "which"},
		{Name: Weight, About: "between the two"},
	}}
}

// comparison has a row per unit and method.
func comparison() File {
	f := File{CompareTable, []Field{
		layerColumn(), unitColumn(),
		{Name: Method, About: "that found the pattern"},
		{Name: Missing, About: "whether it found none"},
		{Name: Activation, About: "that the pattern reaches"},
		{Name: Percentile, About: "where that is among the examples"},
	}}
	f.Fields = append(f.Fields, selective()...)
	f.Fields = append(f.Fields, []Field{
		{Name: Distance, About: "to the nearest example"},
		{Name: "nearest", About: "its number"},
		{Name: Reconstruction, About: "error of the pattern's reconstruction"},
		{Name: CosineTo("*"), About: "to the pattern of that method"},
		{Name: "cosine_gradient", About: "to the gradient at 0"},
		{Name: "data_max", About: "largest activation of any example"},
		{Name: CombinationLink, About: "cosine between the first gradient and the combination"},
		{Name: Concentration, About: "mean cosine between two samples"},
		{Name: DataCorrelation, About: "between the mean of samples less the free one and the same of the data, over components"},
		{Name: DataDistance, About: "between the two, relative to that of the data"},
	}...)
	return f
}

// likelihood has a row per data set, in nats.
func likelihood() File {
	return File{LikelihoodTable, []Field{
		{Name: Set, About: "which"},
		{Name: Examples, About: "how many"},
		{Name: "log_likelihood", About: "mean over them"},
		{Name: low, About: "end of its interval"},
		{Name: high, About: "the other"},
		{Name: reverse, About: "by reverse annealing"},
		{Name: deviation, About: "of the mean by the choice of examples"},
		{Name: "free_energy", About: "mean over them"},
		{Name: FreeEnergyGap, About: "that less the first set's"},
		{Name: PseudoLikelihood, About: "mean over them"},
	}}
}

const (
	low          = "low"
	high         = "high"
	reverse      = "reverse"
	deviation    = "deviation"
	logPartition = "log_partition"
)

// partition has a row per estimate of log Z.
func partition() File {
	return File{PartitionTable, []Field{
		{Name: "estimate", About: "exact, ais or reverse"},
		{Name: logPartition, About: "log Z"},
		{Name: low, About: "end of its interval"},
		{Name: high, About: "the other"},
		{Name: "bootstrap_low", About: "end of that by runs drawn again"},
		{Name: "bootstrap_high", About: "the other"},
		{Name: deviation, About: "of the estimate"},
		{Name: "effective_runs", About: "how many count"},
	}}
}

// runs has a row per annealing run.
func runs() File {
	return File{RunsTable, []Field{
		{Name: "run", About: "from 0"},
		{Name: logPartition, About: "log Z by it"},
		{Name: reverse, About: "log Z by the one in reverse"},
	}}
}
