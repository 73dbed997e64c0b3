package train

import (
	"github.com/unitscope/unitscope/engine"
)

// flipNumbers bounds the weights that are on the host at once.
const flipNumbers = 1 << 18

// flips are components to flip, in turn, of some examples of 0 and 1.
type flips struct {
	each       int       // how many components of each example
	components []int     // [n, each]
	gains      []float64 // [n, each] F(v) - F(v with that component flipped), so far
}

// pseudoLogs estimates, for each example of the binary sample, the sum over its D
// components of
//
//	log p(v_j | the others) = log sigmoid(F(flipped) - F(v))
//
// as D times the mean of a few components, which are drawn anew for every measurement.
func (m *monitor) pseudoLogs(s engine.TrainingState) ([]float64, error) {
	logs, inputs := make([]float64, len(m.keys)), len(m.visibleBias)
	err := m.chunks(m.binary, s.Parameters, func(from, to int, _, hidden engine.Matrix) error {
		if err := hidden.Read(m.activations[:(to-from)*hidden.Cols()]); err != nil {
			return err
		}
		f := m.drawFlips(from, to, s.Updates)
		if err := m.flip(f, from, s.Parameters.Weight); err != nil {
			return err
		}
		for i := range to - from {
			for _, gain := range f.gains[i*f.each : (i+1)*f.each] {
				logs[from+i] -= softplus(gain) * float64(inputs) / float64(f.each)
			}
		}
		return nil
	})
	return logs, err
}

// drawFlips draws components of examples from..to-1, and begins their gains with
// the part of the visible bias.
func (m *monitor) drawFlips(from, to int, updates uint32) flips {
	inputs := len(m.visibleBias)
	f := flips{each: min(sampleFlips, inputs)}
	for i := from; i < to; i++ {
		source := engine.NewSource(m.seed, engine.PurposeMonitor, updates, m.keys[i])
		for j := range f.each {
			if inputs > sampleFlips {
				j = source.IntN(inputs)
			}
			f.components = append(f.components, j)
			f.gains = append(f.gains, m.change(i, j)*float64(m.visibleBias[j]))
		}
	}
	return f
}

// change is by how much component j of an example of the binary sample changes
// when it is flipped: 1 or -1.
func (m *monitor) change(i, j int) float64 {
	return 1 - 2*float64(m.binary.rows[i*len(m.visibleBias)+j])
}

// flip adds the part of the hidden units to the gains, given the activations. The
// weights come to the host some rows at a time: they may be larger than what
// there is room for.
func (m *monitor) flip(f flips, from int, weight engine.Matrix) error {
	units, inputs := weight.Rows(), weight.Cols()
	rows := max(1, flipNumbers/inputs)
	w := make([]float32, min(rows, units)*inputs)
	for first := 0; first < units; first += rows {
		last := min(first+rows, units)
		part, err := weight.Slice(first, last)
		if err != nil {
			return err
		}
		if err := part.Read(w[:(last-first)*inputs]); err != nil {
			return err
		}
		inParallel(len(f.gains)/f.each, func(i int) {
			activations := m.activations[i*units+first : i*units+last]
			flipped, here := make([]float64, len(activations)), softplusSum(activations, 1)
			for n := i * f.each; n < (i+1)*f.each; n++ {
				j := f.components[n]
				change := m.change(from+i, j)
				for k, a := range activations {
					flipped[k] = float64(a) + change*float64(w[k*inputs+j])
				}
				f.gains[n] += softplusSum(flipped, 1) - here
			}
		})
	}
	return nil
}
