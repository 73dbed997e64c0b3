// Package network holds what is trained and visualised: stacks of layers, and
// the safetensors files that carry them.
package network

import (
	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
)

// Kind names the family of a model.
type Kind string

// The families of section 2 of the report, and a plain multi-layer perceptron.
const (
	DBN  Kind = "dbn"  // Deep Belief Net: stacked Restricted Boltzmann Machines
	SDAE Kind = "sdae" // Stacked Denoising Auto-Encoder
	MLP  Kind = "mlp"  // weights and biases only
)

// Layer is one layer: h = sigmoid(Weight h_below + Bias).
type Layer struct {
	Weight      *tensor.Dense // [out, in], as PyTorch's Linear
	Bias        *tensor.Dense // [out]
	VisibleBias *tensor.Dense // [in]; nil if the layer can't reconstruct its input
}

// Network is a stack of layers with what is needed to use it on data.
type Network struct {
	Kind       Kind
	Visible    engine.VisibleKind // of the first layer
	InputShape []int              // of one example, [rows, cols] for pictures
	// Radius is rho, the mean Euclidean norm of the data's examples after
	// preprocessing; 0 if unknown.
	Radius float64
	Layers []Layer
	// Mean and Scale [in] are the preprocessing: x = (data - Mean) * Scale. Nil
	// means none.
	Mean, Scale *tensor.Dense
	// Training records the options that trained the model, by name.
	Training map[string]string
}
