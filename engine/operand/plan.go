package operand

import "github.com/unitscope/unitscope/engine"

// Gibbs takes the matrices of chains; means may be missing.
func Gibbs[M Own](d engine.Device, chains *engine.GibbsState) (hidden, visible, means M, err error) {
	s := Set[M]{Device: d, Operation: "gibbs"}
	hidden, visible, means = s.Take("hidden", chains.Hidden), s.Take("visible", chains.Visible), s.Take("means", chains.Means)
	s.Apart("visible", visible, "hidden", hidden)
	s.Apart("means", means, "hidden", hidden)
	s.Apart("means", means, "visible", visible)
	return hidden, visible, means, s.Err
}

// Lesson is the matrices of a run of a plan for training. Those that the plan has no
// use for are missing.
type Lesson[M Own] struct {
	Data                     M
	Value, Velocity          Parameters[M]
	Chains, Activity, Center M
}

// Parameters is [engine.Parameters] as a device knows them.
type Parameters[M Own] struct{ Weight, Bias, VisibleBias M }

// Training takes the matrices of a run. No two share memory.
func Training[M Own](d engine.Device, operation string, state *engine.TrainingState, data engine.Matrix) (l Lesson[M], err error) {
	s := Set[M]{Device: d, Operation: operation}
	names := [...]string{"data", "weight", "bias", "visible bias", "velocity of weight", "velocity of bias", "velocity of visible bias", "chains", "activity", "center"}
	p, v := state.Parameters, state.Velocity
	var m [len(names)]M
	for i, operand := range [...]engine.Matrix{data, p.Weight, p.Bias, p.VisibleBias, v.Weight, v.Bias, v.VisibleBias, state.Chains, state.Activity, state.Center} {
		m[i] = s.Take(names[i], operand)
		for j := range i {
			s.Apart(names[i], m[i], names[j], m[j])
		}
	}
	return Lesson[M]{
		Data: m[0], Value: Parameters[M]{m[1], m[2], m[3]}, Velocity: Parameters[M]{m[4], m[5], m[6]},
		Chains: m[7], Activity: m[8], Center: m[9],
	}, s.Err
}
