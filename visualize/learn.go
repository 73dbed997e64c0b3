package visualize

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// Learn looks at what every layer of a network does over a data set, and so at
// whether it has learned anything. It takes at most 1,000 examples, evenly spaced,
// and 1,024 units of a layer, and depends on nothing else. Activations that are not
// finite are an error (wrapping [engine.ErrNotFinite]). When ctx ends, Learn
// stops after a layer with an error that wraps the context's.
func Learn(ctx context.Context, d engine.Device, n *network.Network, set dataset.Set) ([]Learning, error) {
	x, err := spacedExamples(n, set)
	if err != nil {
		return nil, fmt.Errorf("what the layers have learned: %w", err)
	}
	var all []Learning
	below := variation{inputs: n.Sizes()[0]}
	below.add(x, below.inputs, asItIs)
	for layer := 1; layer <= len(n.Layers); layer++ {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("what the layers have learned: %w", err)
		}
		l, outputs, err := learn(d, n, layer, x, below.total())
		if err != nil {
			return nil, fmt.Errorf("what the layers have learned: layer %d: %w", layer, err)
		}
		all, below = append(all, l), outputs
	}
	return all, nil
}

// spacedExamples are examples of a data set as the model sees them [n, D].
func spacedExamples(n *network.Network, set dataset.Set) ([]float32, error) {
	size := n.Sizes()[0]
	if got := set.Info().Size(); got != size {
		return nil, fmt.Errorf("the data's examples have %s, the model's inputs %d", words.Count(got, "component"), size)
	}
	indices := spread(set.Len(), min(maxLearningExamples, max(1, maxLearningNumbers/size)))
	x := make([]float32, len(indices)*size)
	if err := set.Read(x, indices); err != nil {
		return nil, err
	}
	return x, n.Preprocess(x)
}

// variation is how much numbers that a layer takes vary over the examples.
type variation struct {
	inputs    int       // of the layer
	variances []float64 // of some of them
}

// asItIs leaves a number alone, where another function is its sigmoid.
func asItIs(v float64) float64 { return v }

// add takes in numbers [n, width], each as seen by a function.
func (s *variation) add(x []float32, width int, seen func(float64) float64) {
	for j := range width {
		var sum, squares, n float64
		for i := j; i < len(x); i += width {
			v := seen(float64(x[i]))
			n++
			// Welford's update: nearly constant numbers keep their variance.
			before := v - sum
			sum += before / n
			squares += before * (v - sum)
		}
		s.variances = append(s.variances, squares/n)
	}
}

// total is the variance of all inputs together.
func (s *variation) total() float64 {
	var sum float64
	for _, v := range s.variances {
		sum += v
	}
	return sum * float64(s.inputs) / float64(len(s.variances))
}

// learn looks at one layer. variance is that of all its inputs together.
func learn(d engine.Device, n *network.Network, layer int, x []float32, variance float64) (Learning, variation, error) {
	width := n.Sizes()[layer]
	units := spread(width, maxLearningUnits)
	a, err := activationsOf(d, n, layer, units, x)
	if err != nil {
		return Learning{}, variation{}, err
	}
	l := Learning{Layer: layer, Units: len(units), Examples: len(a) / len(units)}
	own, outputs := variation{}, variation{inputs: width}
	own.add(a, len(units), asItIs)
	outputs.add(a, len(units), sigmoid64)
	deviations := own.variances
	for i, v := range deviations {
		deviations[i] = math.Sqrt(v)
	}
	l.Initial = initialWeights(n, layer) * math.Sqrt(variance)
	for _, v := range deviations {
		if v < max(stillDeviation, stillInitial*l.Initial) {
			l.Still++
		}
	}
	l.Stuck = stuck(a, len(units))
	if slices.Min(n.Sizes()[:layer]) >= narrow {
		if l.Kinds, err = kinds(d, centred(a, len(units)), l.Examples, alikeActivations); err != nil {
			return l, outputs, err
		}
	}
	l.Deviation = middle(deviations)
	return l, outputs, nil
}

// initialWeights is the deviation of a layer's weights when training begins, 0 for
// a model of another kind than this program trains.
func initialWeights(n *network.Network, layer int) float64 {
	if n.Kind != network.DBN && n.Kind != network.SDAE {
		return 0
	}
	sizes := n.Sizes()
	return network.InitialDeviation(n.Kind, sizes[layer-1], sizes[layer])
}

// stuck counts the units that are on for every example or off for every one.
func stuck(a []float32, units int) (count int) {
	limit := float32(math.Log((1 - stuckOff) / stuckOff))
	for u := range units {
		on, off := true, true
		for i := u; i < len(a); i += units {
			on, off = on && a[i] > limit, off && a[i] < -limit
		}
		if on || off {
			count++
		}
	}
	return count
}

// centred are the units' activations [n, U] less their means, as rows [U, n] of norm
// 1; a row of what is constant is 0.
func centred(a []float32, units int) []float32 {
	rows := make([]float32, 0, len(a))
	row := make([]float64, len(a)/units)
	for u := range units {
		for i := range row {
			row[i] = float64(a[i*units+u])
		}
		middle := mean(row)
		for i := range row {
			row[i] -= middle
		}
		rows = appendNormalised(rows, row)
	}
	return rows
}

// appendNormalised appends a row with the norm 1, if it has one.
func appendNormalised(rows []float32, row []float64) []float32 {
	normalise(row)
	for _, v := range row {
		rows = append(rows, float32(v))
	}
	return rows
}

// kinds counts how many different rows there are, of norm 1 and so many numbers: a
// row is of the kind of an earlier one if their cosine is above a limit, or below
// its negative; rows of zeros are of one kind.
func kinds(d engine.Device, rows []float32, width int, limit float32) (count int, err error) {
	n := len(rows) / width
	m := matrices{device: d}
	defer closeInto(&err, &m)
	a, err := m.matrix(engine.Host{Rows: n, Cols: width, Data: rows})
	if err != nil {
		return 0, err
	}
	product, err := m.matrix(engine.Host{Rows: n, Cols: n})
	if err != nil {
		return 0, err
	}
	if err := d.Gemm(product, a, a, engine.Multiply(false, true)); err != nil {
		return 0, err
	}
	cosines := make([]float32, n*n)
	if err := product.Read(cosines); err != nil {
		return 0, err
	}
	var first []int // of each kind
	for i := range n {
		alike := func(k int) bool {
			both := cosines[i*n+i] == 0 && cosines[k*n+k] == 0
			return both || cosines[i*n+k] > limit || cosines[i*n+k] < -limit
		}
		if !slices.ContainsFunc(first, alike) {
			first = append(first, i)
		}
	}
	return len(first), nil
}

// middle is the median; it sorts the numbers.
func middle(numbers []float64) float64 {
	slices.Sort(numbers)
	return quantile(numbers, 0.5)
}

// LearnOfWeights looks at a layer's weights alone, for where there are no data.
func LearnOfWeights(d engine.Device, n *network.Network, layer int) (Learning, error) {
	if layer < 1 || layer > len(n.Layers) {
		return Learning{}, fmt.Errorf("what the weights tell: layer %d of a network of %d", layer, len(n.Layers))
	}
	all, err := dense.Host(n.Layers[layer-1].Weight)
	if err != nil {
		return Learning{}, fmt.Errorf("what the weights tell: layer %d: %w", layer, err)
	}
	units := spread(all.Rows, min(maxLearningUnits, max(2, maxLearningNumbers/all.Cols)))
	l := Learning{Layer: layer, Units: len(units), Initial: initialWeights(n, layer)}
	var rows []float32
	var deviations []float64
	row := make([]float64, all.Cols)
	for _, u := range units {
		for j := range row {
			row[j] = float64(all.Data[u*all.Cols+j])
		}
		deviation := math.Sqrt(inner(row, row) / float64(all.Cols))
		deviations = append(deviations, deviation)
		if deviation < smallWeights*l.Initial || deviation == 0 {
			l.Still++
		}
		rows = appendNormalised(rows, row)
	}
	l.Deviation = middle(deviations)
	if slices.Min(n.Sizes()[:layer]) >= narrow {
		if l.Kinds, err = kinds(d, rows, all.Cols, alikeWeights); err != nil {
			return l, fmt.Errorf("what the weights tell: layer %d: %w", layer, err)
		}
	}
	return l, nil
}
