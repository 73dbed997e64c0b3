package network

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network/safetensors"
)

// Write writes the model as a safetensors file, see the package's description
// of the format. The same model always gives the same bytes. A network that
// fails [Network.Check] or has no layers is an error, and nothing is written.
func (n *Network) Write(w io.Writer) error {
	if err := n.Check(); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	if err := n.CheckStack(); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	if len(n.Layers) == 0 {
		return fmt.Errorf("write model: %w", errNoLayers)
	}
	var tensors []safetensors.Tensor
	for _, t := range n.named() {
		data, err := dense.Data(t.tensor)
		if err != nil {
			return fmt.Errorf("write model: %s: %w", t.name, err)
		}
		tensors = append(tensors, safetensors.Tensor{Name: t.name, Shape: t.tensor.Shape(), Data: data})
	}
	return safetensors.Write(w, tensors, n.metadata())
}

// named lists the tensors that the network has.
func (n *Network) named() []namedTensor {
	var all []namedTensor
	add := func(name string, t *tensor.Dense) {
		if t != nil {
			all = append(all, namedTensor{name, t})
		}
	}
	layer := func(prefix string, l Layer) {
		add(prefix+weightName, l.Weight)
		add(prefix+biasName, l.Bias)
		add(prefix+visibleBiasName, l.VisibleBias)
	}
	for i, l := range n.Layers {
		layer(layerPrefix(i+1), l)
	}
	add(meanName, n.Mean)
	add(scaleName, n.Scale)
	if n.Output != nil {
		layer(outputPrefix, *n.Output)
	}
	return all
}

func (n *Network) metadata() map[string]string {
	m := map[string]string{
		formatKey:     formatName,
		kindKey:       string(n.Kind),
		visibleKey:    n.Visible.String(),
		activationKey: activationName,
		inputShapeKey: FormatShape(n.InputShape),
		sizesKey:      join(n.Sizes()[:len(n.Layers)+1], ","),
	}
	if n.Radius > 0 {
		m[rhoKey] = strconv.FormatFloat(n.Radius, 'g', -1, 64)
	}
	for option, value := range n.Training {
		m[trainingPrefix+option] = value
	}
	return m
}

// FormatShape writes an InputShape as a file has it: "28x28".
func FormatShape(shape []int) string { return join(shape, "x") }

func join(numbers []int, separator string) string {
	var words []string
	for _, n := range numbers {
		words = append(words, strconv.Itoa(n))
	}
	return strings.Join(words, separator)
}
