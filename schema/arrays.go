package schema

// What is in npz files. U is the number of units, D of components of a pattern. Numbers
// are float32, and int64 where they are whole.

func unitsArray() Field { return Field{Name: Units, About: "[U] the units"} }

func goalsArray() Field {
	return Field{Name: GoalNames, About: "[U] of what was climbed, where it is no unit", Sometimes: true}
}

func ascent() File {
	return File{AscentArrays, []Field{
		unitsArray(),
		{Name: Best, About: "[U, D] the best pattern of each unit"},
		{Name: Patterns, About: "[U, R, D] those of all R restarts", Sometimes: true},
		{Name: Activation, About: "[U, R] of each restart at its end, before the sigmoid"},
		{Name: StartActivation, About: "[U, R] at its start"},
		{Name: Steps, About: "[U, R] how many it took"},
		{Name: Stop, About: "[U, R] why there were no more: converged, ridge, flat, steps or vanished"},
		{Name: Tangent, About: "[U, R] share of the gradient along the sphere"},
		{Name: Cosine, About: "[U, R] to the unit's best restart"},
		{Name: GainLeft, About: "[U, R] what the gradient promises of a radius more, relative to the activation", Sometimes: true},
		{Name: Evaluations, About: "[U, R] how often activation and gradient were computed", Sometimes: true},
		{Name: Penalty, About: "[U, R] what penalties take off at its end", Sometimes: true},
		goalsArray(),
	}}
}

func curves() File {
	return File{CurvesArrays, []Field{
		unitsArray(),
		{Name: Step, About: "[S] numbers of steps, int32"},
		{Name: Activation, About: "[U, R, S] of each restart after so many"},
	}}
}

func samples() File {
	return File{SamplesArrays, []Field{
		unitsArray(),
		{Name: Samples, About: "[U, N, D] inputs drawn with the unit held"},
		{Name: Mean, About: "[U, D] of a unit's samples"},
		{Name: FreeMean, About: "[D] of samples with no unit held"},
		{Name: DataMean, About: "[U, D] of the examples, each as much as it is likely to turn the unit on", Sometimes: true},
		{Name: DataFreeMean, About: "[D] of all examples", Sometimes: true},
		{Name: InverseTemperatures, About: "[T] of tempered chains, from 1, the model, to 0", Sometimes: true},
	}}
}

func combination() File {
	return File{CombineArrays, []Field{unitsArray(), {Name: Patterns, About: "[U, D] combinations of the filters below"}}}
}

func examples() File {
	return File{ExamplesArrays, []Field{
		unitsArray(),
		{Name: Index, About: "[U, N] which examples excite a unit most, best first"},
		{Name: Activation, About: "[U, N] of the unit for them"},
		{Name: Label, About: "[U, N] theirs, -1 for none"},
		{Name: Examples, About: "[U, N, D] the examples themselves"},
	}}
}

// modesOfLayer are the arrays of the modes of a layer. Its name is by [FamilyFile].
func modesOfLayer() File {
	f := File{Fields: []Field{
		unitsArray(),
		{Name: Mode, About: "[U, R] which mode each restart is in"},
		{Name: Cosines, About: "[U, R, R] between restarts"},
	}}
	for _, e := range modeNumbers() {
		about := "[U] " + e.About
		if e.interval {
			about = "[U, 3] " + e.About + ", and its interval"
		}
		f.Fields = append(f.Fields, Field{Name: e.Name, About: about})
	}
	f.Fields = append(f.Fields, goalsArray())
	return f
}

func selectivityMatrix() File {
	return File{SelectivityArrays, []Field{
		unitsArray(),
		{Name: Matrix, About: "[U, U] response of a column's unit to the pattern of a row's, relative to the column's largest"},
		{Name: Activation, About: "[U, U] behind it, before the sigmoid"},
	}}
}

func tuningArrays() File {
	return File{TuningArrays, []Field{
		unitsArray(),
		{Name: Edges, About: "[U, B+1] of the bins of each unit's histogram, float64"},
		{Name: Histogram, About: "[U, B] examples in each bin"},
		{Name: Percents, About: "[Q] of examples"},
		{Name: Quantiles, About: "[U, Q] the number that so many percent are at or below"},
		{Name: Classes, About: "[C] the labels", Sometimes: true},
		{Name: ClassExamples, About: "[C] how many examples each has", Sometimes: true},
		{Name: ClassMean, About: "[U, C] mean over those of each", Sometimes: true},
	}}
}

func connectionArrays() File {
	f := File{ConnectionsArrays, []Field{unitsArray()}}
	for _, side := range []string{Below, Above} {
		f.Fields = append(f.Fields,
			Field{Name: Connected(side, Layer), About: "[U, K] layer of the units " + side + " with the largest weights, largest first; -1 for no more"},
			Field{Name: Connected(side, Unit), About: "[U, K] which of its units"},
			Field{Name: Connected(side, Weight), About: "[U, K] the weight between the two; NaN for no more"})
	}
	return f
}

func compared() File {
	return File{CompareArrays, []Field{
		unitsArray(),
		{Name: Methods, About: "[M] in words"},
		{Name: Patterns, About: "[U, M, D] of each method"},
		{Name: Cosine, About: "[U, M, M] between methods"},
		{Name: Activation, About: "[U, M] that the pattern reaches"},
		{Name: Percentile, About: "[U, M] where that is among the examples"},
		{Name: Distance, About: "[U, M] to the nearest example"},
		{Name: Reconstruction, About: "[U, M] error of the pattern's reconstruction"},
		{Name: CombinationLink, About: "[U] cosine between the first gradient and the combination"},
		{Name: Concentration, About: "[U] mean cosine between two samples", Sometimes: true},
	}}
}
