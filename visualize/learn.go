package visualize

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
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
	for layer := 1; layer <= n.Depth(); layer++ {
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
	indices := dataset.Spread(set.Len(), min(maxLearningExamples, max(1, maxLearningNumbers/size)))
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
	units := dataset.Spread(width, maxLearningUnits)
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
	l.Scaleless = !hasScale(n, layer)
	for i, v := range deviations {
		limit := max(stillDeviation, stillInitial*l.Initial)
		if l.Scaleless {
			limit = stillShare * math.Abs(float64(a[i]))
		}
		if v < limit || v == 0 {
			l.Still++
		}
	}
	net, err := n.Upto(layer, units)
	if err != nil {
		return l, outputs, err
	}
	top := net.Ops[len(net.Ops)-1]
	l.OneSided, l.Stuck = oneSided(top.Activation.Kind), stuck(top.Activation, a, len(units))
	if l.Initial == 0 {
		l.Random = evenlySpread(top.Weight.Data)
	}
	if slices.Min(n.Sizes()[:layer]) >= narrow {
		if l.Kinds, err = kinds(d, centred(a, len(units)), l.Examples, alikeActivations); err != nil {
			return l, outputs, err
		}
	}
	l.Deviation = middle(deviations)
	return l, outputs, nil
}

// hasScale is true for a layer whose activations have a scale that is known: what a sigmoid
// follows, or, for the classes of a classifier, their shares.
func hasScale(n *network.Network, layer int) bool {
	return n.Activation(layer).Kind == engine.Sigmoid || layer > len(n.Layers) && n.Output != nil
}

// initialWeights is the deviation of a layer's weights when training begins, 0 for
// a model of another kind than this program trains, and for a classifier, which begins at 0.
func initialWeights(n *network.Network, layer int) float64 {
	if n.Kind != network.DBN && n.Kind != network.SDAE || layer > len(n.Layers) {
		return 0
	}
	sizes := n.Sizes()
	return network.InitialDeviation(n.Kind, sizes[layer-1], sizes[layer])
}

// stuck counts the units that are on for every example or off for every one: where what
// follows their activations [_, U] hardly depends on these.
func stuck(f engine.Activation, a []float32, units int) (count int) {
	limit := float32(math.Log((1 - stuckOff) / stuckOff))
	for u := range units {
		on, off := true, true
		for i := u; i < len(a) && (on || off); i += units {
			flat := a[i] > limit || a[i] < -limit
			if f.Kind != engine.Sigmoid {
				flat = isFlat(f, float64(a[i]), u)
			}
			on, off = on && flat && a[i] > 0, off && flat && a[i] <= 0
		}
		if on || off {
			count++
		}
	}
	return count
}

// isFlat is true where a nonlinearity hardly depends on the activation of a unit, as at an
// end of a sigmoid.
func isFlat(f engine.Activation, a float64, unit int) bool {
	_, slope := f.At(a, unit)
	return math.Abs(slope) < stuckOff*(1-stuckOff)
}

// oneSided is true of a nonlinearity without an upper end, as a sigmoid's 1 is.
func oneSided(k engine.ActivationKind) bool {
	return !slices.Contains([]engine.ActivationKind{engine.Sigmoid, engine.Tanh, engine.HardSigmoid, engine.Clip}, k)
}

// evenlySpread is how far from 0 weights reach if they are spread evenly between that and
// its negative, as the random ones are that PyTorch, Keras and scikit-learn begin with;
// else 0, and for too few to tell. Of such weights the means of the second
// power, the fourth and the first are 1/3, 1.8/9 and 0, but for chance, with deviations
// of about 0.3, 1.2 and 0.6 by the root of their number: five of these are allowed.
// Weights that have been trained for a minute have a mean square of 0.01 to 0.15.
func evenlySpread(weights []float32) (bound float64) {
	const enough = 500
	if len(weights) < enough {
		return 0
	}
	var first, second, fourth float64
	for _, w := range weights {
		x := float64(w)
		bound = max(bound, math.Abs(x))
		first, second, fourth = first+x, second+x*x, fourth+x*x*x*x
	}
	n := float64(len(weights))
	first, second, fourth = first/n/bound, second/n/(bound*bound), fourth/n/(second/n*second/n)
	near := func(x, want, deviation float64) bool { return math.Abs(x-want) < 5*deviation/math.Sqrt(n) }
	if near(first, 0, 0.6) && near(second, 1./3, 0.3) && near(fourth, 1.8, 1.2) {
		return bound
	}
	return 0
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
	var m engine.Matrices
	defer closeInto(&err, &m)
	a, err := m.Upload(d, engine.Host{Rows: n, Cols: width, Data: rows})
	if err != nil {
		return 0, err
	}
	product, err := m.New(d, n, n)
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

// middle is the median, NaN of nothing; it sorts the numbers.
func middle(numbers []float64) float64 {
	if len(numbers) == 0 {
		return math.NaN()
	}
	slices.Sort(numbers)
	return quantile(numbers, 0.5)
}

// LearnOfWeights looks at a layer's weights alone, for where there are no data.
func LearnOfWeights(d engine.Device, n *network.Network, layer int) (Learning, error) {
	net, err := n.Upto(layer, nil)
	if err != nil {
		return Learning{}, fmt.Errorf("what the weights tell: %w", err)
	}
	top := net.Ops[len(net.Ops)-1]
	all := top.Weight
	units := dataset.Spread(all.Rows, min(maxLearningUnits, max(2, maxLearningNumbers/all.Cols)))
	l := Learning{Layer: layer, Units: len(units), Initial: initialWeights(n, layer)}
	if l.Initial == 0 {
		l.Random = evenlySpread(all.Data)
	}
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
