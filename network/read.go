package network

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/network/safetensors"
)

// FileName is the name of the model file in a run's folder.
const FileName = "model.safetensors"

// The names of tensors in a model file.
const (
	layersPrefix    = "layers."
	outputPrefix    = "output."
	inputPrefix     = "input."
	weightName      = "weight"
	biasName        = "bias"
	visibleBiasName = "visible_bias"
	meanName        = inputPrefix + "mean"
	scaleName       = inputPrefix + "scale"
)

// The keys of a model file's metadata.
const (
	formatKey      = "format"
	kindKey        = "kind"
	visibleKey     = "visible"
	activationKey  = "activation"
	inputShapeKey  = "input_shape"
	rhoKey         = "rho"
	sizesKey       = "sizes"
	trainingPrefix = "training."
)

// What comes after the name of a layer, or of anything else that is held for each of its
// parameters, in the names of tensors: of models, and of what training goes on from.
const (
	WeightSuffix      = "." + weightName
	BiasSuffix        = "." + biasName
	VisibleBiasSuffix = "." + visibleBiasName
)

const (
	formatName     = "unitscope/1"
	formatsPrefix  = "unitscope" // of the names of all our formats
	activationName = "sigmoid"
	maxDimensions  = 8   // of InputShape
	maxLayers      = 255 // which random numbers have identities for
)

// LayerName is what the names of a layer's tensors begin with: "layers.1".
func LayerName(number int) string { return layersPrefix + strconv.Itoa(number) }

func layerPrefix(number int) string { return LayerName(number) + "." }

// Read reads a model from an open file, see the package's description of the
// format. What it returns passes [Network.Check] and has at least one layer.
func Read(f *safetensors.File) (*Network, error) {
	r := reader{file: f, left: map[string]bool{}}
	for _, name := range f.Names() {
		r.left[name] = true
	}
	n, err := r.metadata()
	if err != nil {
		return nil, err
	}
	if err := r.checkMemory(); err != nil {
		return nil, err
	}
	if err := r.tensors(n); err != nil {
		return nil, err
	}
	if n.InputShape == nil {
		if n.InputShape, err = defaultShape(n.Layers[0].Weight); err != nil {
			return nil, err
		}
		if say := asColours(n.InputShape); say != "" {
			r.warn("there is no %s: %s", inputShapeKey, say)
		}
	}
	if err := n.Check(); err != nil {
		return nil, err
	}
	n.Warnings = r.warnings
	return n, nil
}

// reader takes a model out of a file.
type reader struct {
	file     *safetensors.File
	left     map[string]bool // names of tensors that haven't been read
	warnings []string
}

func (r *reader) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

// checkMemory asks whether there is room for all that will be read, before any of it
// is.
func (r *reader) checkMemory() error {
	numbers := 0
	for name := range r.left {
		e, _ := r.file.Entry(name)
		if !isModels(name) || e.Size() > math.MaxInt-numbers {
			continue
		}
		if len(e.Shape) > 0 && slices.Max(e.Shape) > maxInputs {
			return fmt.Errorf("%.80s has shape %.80s, want at most %d inputs or units", name, fmt.Sprint(e.Shape), maxInputs)
		}
		numbers += e.Size()
	}
	if err := memory.CheckFloats(numbers, 1); err != nil {
		return fmt.Errorf("a model of %d parameters: %w", numbers, err)
	}
	return nil
}

// isModels is true for names that tensors of a model begin with.
func isModels(name string) bool {
	return isLayers(name) || strings.HasPrefix(name, inputPrefix) || strings.HasPrefix(name, outputPrefix)
}

func (r *reader) metadata() (*Network, error) {
	m := r.file.Metadata
	if err := checkKeys(m); err != nil {
		return nil, err
	}
	// Anything else is a framework's word for itself: "pt", "np", "pd".
	switch format := m[formatKey]; {
	case strings.HasPrefix(format, formatsPrefix+"-"):
		return nil, fmt.Errorf("format %.60q: not a model but what interrupted training goes on from, with --resume", format)
	case strings.HasPrefix(format, formatsPrefix) && format != formatName:
		return nil, fmt.Errorf("unknown format %.40q, want %q", format, formatName)
	}
	if activation, ok := m[activationKey]; ok && activation != activationName {
		return nil, fmt.Errorf("unknown activation %.40q, want %q", activation, activationName)
	}
	n := &Network{Kind: MLP}
	if kind, ok := m[kindKey]; ok {
		n.Kind = Kind(kind)
	}
	if visible, ok := m[visibleKey]; ok {
		switch visible {
		case engine.Bernoulli.String():
			n.Visible = engine.Bernoulli
		case engine.Gaussian.String():
			n.Visible = engine.Gaussian
		default:
			return nil, fmt.Errorf("unknown visible %.40q, want %q or %q", visible, engine.Bernoulli, engine.Gaussian)
		}
	}
	// Before the tensors are read, so that a mistake in a word costs no time.
	if err := n.checkKinds(); err != nil {
		return nil, err
	}
	err := n.parseNumbers(m)
	if rho, given := m[rhoKey]; given && err == nil && n.Radius == 0 {
		r.warn("%s is %.40q, which counts as not said", rhoKey, rho)
	}
	return n, err
}

// parseNumbers reads the metadata that isn't a word out of a few.
func (n *Network) parseNumbers(m map[string]string) (err error) {
	if rho, ok := m[rhoKey]; ok {
		n.Radius, err = strconv.ParseFloat(rho, 64)
		if err != nil || n.Radius < 0 || math.IsNaN(n.Radius) || math.IsInf(n.Radius, 0) {
			return fmt.Errorf("rho %.40q: want a finite number, 0 or above", rho)
		}
	}
	if shape, ok := m[inputShapeKey]; ok {
		if n.InputShape, err = ParseShape(shape); err != nil {
			return err
		}
	}
	for key, value := range m {
		option, ok := strings.CutPrefix(key, trainingPrefix)
		if !ok {
			continue
		}
		if n.Training == nil {
			n.Training = map[string]string{}
		}
		n.Training[option] = value
	}
	return nil
}

// ParseShape reads an InputShape as a file has it: "28x28".
func ParseShape(text string) ([]int, error) {
	var shape []int
	for part := range strings.SplitSeq(text, "x") {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil || len(shape) == maxDimensions {
			return nil, fmt.Errorf("input_shape %.40q: want up to %d sizes like \"28x28\"", text, maxDimensions)
		}
		shape = append(shape, int(n))
	}
	return shape, checkShape(shape)
}

// defaultShape guesses the shape of one example from the first layer.
func defaultShape(weight *tensor.Dense) ([]int, error) {
	if weight.Dims() != 2 {
		return nil, fmt.Errorf("%s%s has %d dimensions, want [units, inputs]", layerPrefix(1), weightName, weight.Dims())
	}
	inputs := weight.Shape()[1]
	if side := int(math.Sqrt(float64(inputs)) + 0.5); side > 1 && side*side == inputs {
		return []int{side, side}, nil
	}
	return []int{inputs}, nil
}

// leastColours is the smallest side of pictures that a number of inputs is taken
// for: 48 features of something are no colours.
const leastColours = 8

// asColours speaks of inputs without a shape that are as many as a square colour
// picture has; of others it is empty.
func asColours(shape []int) string {
	side := int(math.Sqrt(float64(shape[0])/3) + 0.5)
	if len(shape) != 1 || side < leastColours || 3*side*side != shape[0] {
		return ""
	}
	return fmt.Sprintf("%d inputs are drawn as grey numbers, row by row; for colours say \"3x%dx%d\" or \"%dx%dx3\"", shape[0], side, side, side, side)
}

func (r *reader) tensors(n *Network) error {
	for number := 1; r.left[layerPrefix(number)+weightName]; number++ {
		if number > maxLayers {
			return fmt.Errorf("there is %q: want at most %d layers", layerPrefix(number)+weightName, maxLayers)
		}
		l, err := r.layer(layerPrefix(number))
		if err != nil {
			return err
		}
		n.Layers = append(n.Layers, l)
	}
	var err error
	if n.Mean, err = r.optional(meanName); err != nil {
		return err
	}
	if n.Scale, err = r.optional(scaleName); err != nil {
		return err
	}
	if r.left[outputPrefix+weightName] || r.left[outputPrefix+biasName] {
		l, err := r.layer(outputPrefix)
		if err != nil {
			return err
		}
		n.Output = &l
	}
	return r.checkLeft(len(n.Layers))
}

// layer reads the tensors of one layer. Without a bias it is a Linear without
// one, whose biases are zeros. A missing weight stays nil, which Check reports.
func (r *reader) layer(prefix string) (l Layer, err error) {
	if l.Weight, err = r.optional(prefix + weightName); err != nil {
		return l, err
	}
	if l.Bias, err = r.optional(prefix + biasName); err != nil {
		return l, err
	}
	if units, _ := matrixShape(l.Weight); l.Bias == nil && units > 0 {
		if l.Bias, err = dense.Of(make([]float32, units), units); err != nil {
			return l, err
		}
		r.warn("there is no %s%s: its biases count as zeros", prefix, biasName)
	}
	if prefix != outputPrefix {
		l.VisibleBias, err = r.optional(prefix + visibleBiasName)
	}
	return l, err
}

// optional reads a tensor, nil if the file has none of this name.
func (r *reader) optional(name string) (*tensor.Dense, error) {
	if !r.left[name] {
		return nil, nil
	}
	delete(r.left, name)
	t, err := r.file.Tensor(name)
	if err != nil {
		return nil, err
	}
	d, err := dense.Of(t.Data, t.Shape...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}
