// Package network holds what is trained and visualised: stacks of layers, the
// safetensors files that carry them, and networks out of other frameworks' files.
//
//	n, err := network.Load("runs/dbn")              // a run folder or a model file
//	weight := n.Layers[0].Weight                    // [units, inputs], a *tensor.Dense
//	encoder, err := n.NewEncoder(device, 2, 100)    // activations of layer 2, 100 rows at a time
//	layers, err := n.Stack(2)                       // the layers as plans of package engine take them
//
// Package train makes them, package visualize finds out what their units have learned.
//
// # The model file
//
// A model is a safetensors file ([Load], [Network.Write]). Its tensors are
//
//	layers.1.weight        [units, inputs], as PyTorch's Linear
//	layers.1.bias          [units]
//	layers.1.visible_bias  [inputs], if the layer can reconstruct its input
//	layers.2.weight        and so on, numbered from 1 without a gap, to 255 at most
//	input.mean             [inputs of layer 1], optional, see Network.Mean
//	input.scale            [inputs of layer 1], optional
//	output.weight          [classes, units of the last layer], optional, a classifier
//	output.bias            [classes], with output.weight
//
// and its metadata, all of them strings,
//
//	format       "unitscope/1"
//	kind         "dbn", "sdae" or "mlp"
//	visible      "bernoulli" or "gaussian", the inputs of layer 1
//	activation   "sigmoid"
//	input_shape  "28x28", the shape of one example; "3x32x32" or "32x32x3" for colours
//	rho          "9.21", see Network.Radius
//	sizes        "784,1000,500", for people; not read
//	training.X   option X of the training that made the model
//
// Only layers.N.weight is required, so a file written by hand in Python is a
// model:
//
//	safetensors.numpy.save_file({"layers.1.weight": w, "layers.1.bias": b}, "model.safetensors")
//
// A layer or a classifier without a bias is a Linear without one: its biases are
// zeros. Numbers may be F32, F16, BF16 or F64. Metadata that is missing gets
// defaults: kind mlp, visible bernoulli, activation sigmoid, rho unknown, and as
// input_shape a square picture if the number of inputs is a square, else [inputs].
//
// A tensor that is none of these is an error: what reads "bn1.weight" as if it
// were not there computes another network. Only an optimizer's state
// ("optimizer." and what follows), counters (num_batches_tracked, step, epoch,
// global_step) and tensors without a number are left out. That, biases that count as
// zeros, a rho of 0, and inputs without a shape that are as many as a colour picture has, is in
// Network.Warnings.
//
// A format that does not begin with "unitscope" is a framework's word for itself
// ("pt", "np", "pd") and says nothing. Other metadata is ignored, unless its key is
// one of the above in another spelling, or speaks of another activation.
//
// # Other frameworks
//
// [Load] also reads ONNX files, files of Keras (.keras and .h5), and parameters that
// PyTorch has saved (.pt, or safetensors with other names), of layers of units with any
// activation of engine.Activation, in a chain or with sums and rows of them. Parameters
// alone do not say what follows their layers: that is --activation, relu for example,
// after each but the last. --map says which tensors are of which layer where their
// order does not, "encoder.0=1,encoder.2=2", and "-" in place of a number that one is
// left out. --normalize MEAN,DEVIATION is what the data were normalised with. A layer
// can be called by its name in the file. What no reader knows is refused by its name.
// Sparse autoencoders of SAELens, a folder with cfg.json and sae_weights.safetensors, are
// read without their decoders: latents are units.
package network

import (
	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network/graph"
)

// Kind names the family of a model.
type Kind string

// The families of section 2 of the paper, and a plain multi-layer perceptron.
const (
	DBN  Kind = "dbn"  // Deep Belief Net: stacked Restricted Boltzmann Machines
	SDAE Kind = "sdae" // Stacked Denoising Auto-Encoder
	MLP  Kind = "mlp"  // weights and biases only
)

// Layer is one layer: h = sigmoid(Weight h_below + Bias).
type Layer struct {
	Name string // what another framework's file calls it; "" for none

	Weight      *tensor.Dense // [out, in], as PyTorch's Linear
	Bias        *tensor.Dense // [out]
	VisibleBias *tensor.Dense // [in]; nil if the layer can't reconstruct its input
}

// Network is a stack of layers with what is needed to use it on data; or a network of
// another framework, which may be any.
type Network struct {
	Kind       Kind
	Visible    engine.VisibleKind // of the first layer
	InputShape []int              // of one example: [rows, cols] for pictures, [3, rows, cols] or [rows, cols, 3] for colours
	// Radius is rho, the mean Euclidean norm of the data's examples after
	// preprocessing; 0 if unknown. Training takes it from the first 10,000 examples,
	// or from all where they are fewer.
	Radius float64
	Layers []Layer
	// Graph is what a network computes that is no stack of sigmoid layers; else nil.
	// It has no Layers, no Output and no preprocessing but what is in it. What it and a
	// stack have in common is asked of [Network.Net] and the like.
	Graph *graph.Graph
	// Mean and Scale [in] are the preprocessing: x = (data - Mean) * Scale. Nil
	// means none.
	Mean, Scale *tensor.Dense
	// Output is a linear classifier on the last layer's h: its classes' scores
	// are Weight h + Bias. Nil if there is none. Its class units are one more layer, above
	// those of Layers, called [OutputName]. A model that has been fine-tuned
	// with it keeps its Kind but has no visible biases: its weights no longer
	// generate what it was trained on.
	Output *Layer
	// Training records the options that trained the model, by name.
	Training map[string]string
	// Format is what kind of file of another framework it was read from, "ONNX"; "" for
	// our own.
	Format string
	// Remarks are what is worth knowing of how the file was read, a line each, for the
	// people whose file it is; Warnings what may not have been meant, as it was guessed
	// or left out. They are not written.
	Remarks, Warnings []string
}

// Sizes returns the width of the network at each level: the inputs, the units of
// layer 1, the units of layer 2, and so on, class units last. The inputs are the product of
// InputShape, or what layer 1 takes if there is no InputShape. It is meant for a
// network that passes [Network.Check]; a width that can't be known is 0.
func (n *Network) Sizes() []int {
	sizes := []int{n.inputs()}
	g := n.described()
	for _, at := range g.Layers() {
		sizes = append(sizes, g.Shapes[at+1].Size())
	}
	return sizes
}

func (n *Network) inputs() int {
	if len(n.InputShape) > 0 {
		size := 1
		for _, side := range n.InputShape {
			size *= side
		}
		return size
	}
	if len(n.Layers) == 0 {
		return 0
	}
	_, inputs := matrixShape(n.Layers[0].Weight)
	return inputs
}

// matrixShape returns 0, 0 for what isn't a matrix.
func matrixShape(t *tensor.Dense) (rows, cols int) {
	if t == nil || t.Dims() != 2 {
		return 0, 0
	}
	return t.Shape()[0], t.Shape()[1]
}
