package torch

import (
	"fmt"
	"math"
	"strings"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network/graph"
)

// epsilon is what PyTorch's BatchNorm adds to variances unless it is told otherwise.
// A state dict does not have it.
const epsilon = 1e-5

// network makes a network of the parameters.
func (s *state) network(o Options) (*graph.Graph, error) {
	if err := s.checkNames(); err != nil {
		return nil, err
	}
	var layers []*layer
	var err error
	names := s.unwrapped(o.Map)
	if err := s.leaveOut(names); err != nil {
		return nil, err
	}
	if placed(names) {
		layers, err = s.mapped(names)
	} else {
		layers, err = s.chain()
	}
	if err != nil {
		return nil, err
	}
	activation, err := s.chooseActivation(o.Activation)
	if err != nil {
		return nil, err
	}
	if err := checkMemory(layers); err != nil {
		return nil, err
	}
	b, x, err := begin(layers[0].inputs(), o)
	if err != nil {
		return nil, err
	}
	for i, l := range layers {
		last := i == len(layers)-1 && i > 0
		if x, err = s.add(b, x, l, activation, !last && !l.plain); err != nil {
			return nil, err
		}
	}
	if len(layers) > 1 {
		s.remark("%s follows each layer but the last, %s", activation.Kind, called(layers[len(layers)-1].name))
	} else {
		s.remark("%s follows its only layer, %s", activation.Kind, called(layers[0].name))
	}
	switch len(s.scaled) {
	case 0:
	case 1:
		s.warn("%s adds %g to variances, as BatchNorm does unless it is told otherwise", enumerate(s.scaled), epsilon)
	default:
		s.warn("%s add %g to variances, as BatchNorm does unless it is told otherwise", enumerate(s.scaled), epsilon)
	}
	for _, remark := range s.remarks {
		b.Remark("%s", remark)
	}
	for _, warning := range s.warnings {
		b.Warn("%s", warning)
	}
	return b.Finish()
}

// chooseActivation is what the user states, or else the file.
func (s *state) chooseActivation(stated string) (engine.Activation, error) {
	name := stated
	switch {
	case stated == "" && s.activation == "":
		return engine.Activation{}, words.BadOption("Activation", nil, "a state dict does not say what follows its layers: want relu, or what else it was of %v; it holds %s", activations(), list(s.tensors))
	case stated == "":
		name = s.activation
	case s.activation != "" && s.activation != stated:
		s.warn("the file says its activation is %.40q, taken is %q", s.activation, stated)
	}
	a, err := engine.ParseActivation(name)
	if err != nil {
		hint := ""
		if meant := meantActivation(name); meant != "" {
			hint = fmt.Sprintf("did you mean %s? ", meant)
		}
		return a, words.BadOption("Activation", fmt.Sprintf("%.40q", name), "%swant one of %v", hint, activations())
	}
	return a, nil
}

// meantActivation is the activation that was probably meant by a name that is none: as
// PyTorch and others write it, or misspelt; "" if there is none.
func meantActivation(name string) string {
	bare := strings.NewReplacer("_", "", "-", "", " ", "", ".", "", "(", "", ")", "")
	plain := bare.Replace(strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(name), "torch."), "nn."))
	known := activations()
	for _, k := range known {
		if bare.Replace(k) == plain {
			return k
		}
	}
	switch plain {
	case "linear", "none":
		return engine.Identity.String()
	case "logistic":
		return engine.Sigmoid.String()
	case "swish":
		return engine.SiLU.String()
	case "hswish":
		return engine.HardSwish.String()
	case "hsigmoid":
		return engine.HardSigmoid.String()
	case "lrelu":
		return engine.LeakyReLU.String()
	case "gelunew", "gelupytorchtanh":
		return engine.GELUTanh.String()
	case "softmax", "prelu", "relu6", "clip", "selu", "celu":
		return "" // near to another, which is not meant
	}
	return words.Nearest(plain, known)
}

// activations are those that can be stated by their name alone.
func activations() (names []string) {
	for k := engine.Identity; k <= engine.Clip; k++ {
		if _, err := engine.ParseActivation(k.String()); err == nil {
			names = append(names, k.String())
		}
	}
	return names
}

// checkMemory asks for all layers at once.
func checkMemory(layers []*layer) error {
	numbers := 0
	for _, l := range layers {
		n := l.weight.size() + l.units()
		if n > math.MaxInt-numbers {
			return fmt.Errorf("%s: too many numbers", l.weight)
		}
		numbers += n
	}
	if err := memory.CheckFloats(numbers, 1); err != nil {
		return fmt.Errorf("a network of %d parameters: %w", numbers, err)
	}
	return nil
}

// begin begins a network with the inputs that the options say.
func begin(inputs int, o Options) (*graph.Builder, engine.Value, error) {
	shape := o.Input
	if shape == (engine.Shape{}) {
		shape = engine.Flat(inputs)
		if side := int(math.Sqrt(float64(inputs)) + 0.5); side > 1 && side*side == inputs {
			shape = engine.Shape{Channels: 1, Rows: side, Cols: side}
		}
	}
	if shape.Size() != inputs {
		return nil, 0, words.BadOption("Input", shape, "its first layer has %d inputs", inputs)
	}
	b := graph.New(shape)
	if len(o.Mean) == 0 && len(o.Deviation) == 0 {
		return b, b.Input(), nil
	}
	factor, bias := make([]float32, shape.Channels), make([]float32, shape.Channels)
	for c := range factor {
		mean, ok := channel(o.Mean, c, shape.Channels, 0)
		if !ok {
			return nil, 0, words.BadOption("Mean", nil, "%d numbers for %d channels", len(o.Mean), shape.Channels)
		}
		deviation, ok := channel(o.Deviation, c, shape.Channels, 1)
		if !ok || !(deviation > 0) {
			return nil, 0, words.BadOption("Deviation", nil, "%d numbers for %d channels, want them above 0", len(o.Deviation), shape.Channels)
		}
		factor[c], bias[c] = float32(1/deviation), float32(-mean/deviation)
	}
	return b, b.Scale("normalize", b.Input(), factor, bias), nil
}

// channel is a channel's number of one for each, one for all, or none.
func channel(of []float32, c, channels int, none float64) (x float64, ok bool) {
	switch len(of) {
	case 0:
		return none, true
	case 1:
		return float64(of[0]), true
	case channels:
		return float64(of[c]), true
	}
	return 0, false
}

// add adds a layer.
func (s *state) add(b *graph.Builder, x engine.Value, l *layer, a engine.Activation, active bool) (engine.Value, error) {
	weight, bias, err := l.read()
	if err != nil {
		return 0, err
	}
	if l.bias == nil {
		s.remark("%s has no biases: they count as zeros", called(l.name))
	}
	for _, n := range l.ahead {
		factor, shift, err := s.readNorm(n)
		if err != nil {
			return 0, err
		}
		weight, bias = absorb(weight, bias, factor, shift)
		s.remark("%s normalises inputs, and has become a part of %s", called(n.name), called(l.name))
	}
	x = b.Affine(l.name, x, weight, bias)
	if x, err = s.scales(b, x, l.norms); err != nil {
		return 0, err
	}
	if active {
		x = b.Activate(l.name+".activation", x, a)
	}
	return s.scales(b, x, l.behind)
}

// read reads weights [units, inputs] and biases.
func (l *layer) read() (engine.Host, []float32, error) {
	data, err := l.weight.numbers()
	if err != nil {
		return engine.Host{}, nil, err
	}
	if l.transposed {
		data = transposed(data, l.weight.Shape[0], l.weight.Shape[1])
	}
	bias := make([]float32, l.units())
	if l.bias != nil {
		if bias, err = l.bias.numbers(); err != nil {
			return engine.Host{}, nil, err
		}
	}
	return engine.Host{Rows: l.units(), Cols: l.inputs(), Data: data}, bias, nil
}

// transposed is a matrix [rows, cols] as [cols, rows].
func transposed(m []float32, rows, cols int) []float32 {
	out := make([]float32, len(m))
	for r := range rows {
		for c := range cols {
			out[c*rows+r] = m[r*cols+c]
		}
	}
	return out
}

// scales adds normalisations.
func (s *state) scales(b *graph.Builder, x engine.Value, norms []norm) (engine.Value, error) {
	for _, n := range norms {
		factor, shift, err := s.readNorm(n)
		if err != nil {
			return 0, err
		}
		x = b.Scale(n.name, x, factor, shift)
	}
	return x, nil
}

// readNorm returns what a BatchNorm does in a trained network: y = factor x + shift,
// with factor = weight / sqrt(variance + epsilon) and shift = bias - factor mean.
func (s *state) readNorm(n norm) (factor, shift []float32, err error) {
	s.scaled = append(s.scaled, n.name)
	values := make([][]float32, 4)
	for i, t := range []*Tensor{&n.mean, &n.variance, n.factor, n.bias} {
		if t == nil {
			continue
		}
		if values[i], err = t.numbers(); err != nil {
			return nil, nil, err
		}
	}
	for u, mean := range values[0] {
		f, b := 1/math.Sqrt(float64(values[1][u])+epsilon), 0.
		if n.factor != nil {
			f *= float64(values[2][u])
		}
		if n.bias != nil {
			b = float64(values[3][u])
		}
		factor, shift = append(factor, float32(f)), append(shift, float32(b-f*float64(mean)))
	}
	return factor, shift, nil
}

// absorb returns weights and biases for inputs before a scale: W (f x + s) + b.
func absorb(weight engine.Host, bias, factor, shift []float32) (engine.Host, []float32) {
	scaled := engine.Host{Rows: weight.Rows, Cols: weight.Cols, Data: make([]float32, len(weight.Data))}
	moved := make([]float32, len(bias))
	for u := range bias {
		sum := float64(bias[u])
		for c := range weight.Cols {
			w := float64(weight.Data[u*weight.Cols+c])
			sum += w * float64(shift[c])
			scaled.Data[u*weight.Cols+c] = float32(w * float64(factor[c]))
		}
		moved[u] = float32(sum)
	}
	return scaled, moved
}
