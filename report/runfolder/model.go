package runfolder

// Model is what a record says of a model of another framework, whose file no report
// reads again.
type Model struct {
	Format     string `json:"format"`               // of its file: "ONNX"
	Inputs     string `json:"inputs"`               // their shape: "28x28"
	Normalised string `json:"normalised,omitempty"` // what the model does to inputs first; "" for nothing
	Parameters int    `json:"parameters"`           // weights and biases, and those of scales but of the inputs
	Operations int    `json:"operations"`           // its layers, and sums, rows and scales between them
	// Layers are those with units, the first one nearest to the inputs.
	Layers []ModelLayer `json:"layers"`
}

// ModelLayer is one of them.
type ModelLayer struct {
	Name       string `json:"name,omitempty"` // in the file
	Units      int    `json:"units"`
	Activation string `json:"activation"` // what follows the sums: "relu", or NoActivation
}

// NoActivation is what follows the sums of a layer that nothing follows.
const NoActivation = "none"
