// Package torch reads networks that PyTorch has saved as their parameters:
//
//	g, err := torch.Load("model.pt", torch.Options{Activation: "relu"})
//
// It reads state dicts, written by torch.save(model.state_dict(), "model.pt") or as
// safetensors, and the sparse autoencoders of SAELens.
//
// A state dict has parameters and their names, and says nothing of how they are
// used. It is taken for a chain of Linear modules in the order of the file, each
// followed by the activation that the user states, but for the last one, whose units
// are class outputs; if there is only one, it is followed by the activation. A
// BatchNorm1d behind a Linear module is one of its layer. What else the file holds
// is an error, and so is a file whose modules don't fit one after the other;
// [Options.Map] then says which tensors are whose. What was taken for granted is in
// the network's remarks, what was guessed in its warnings.
//
// Files are other people's: no code of theirs is run, and whatever they claim of
// themselves, reading takes no more memory than a few times their size.
package torch

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/internal/filekind"
	"github.com/unitscope/unitscope/network/safetensors"
)

// Options are what a file of parameters does not say of its network.
type Options struct {
	// Activation is the name of what follows each layer but the last, see
	// [engine.ParseActivation]. "" is what the metadata of a safetensors file has as
	// "activation".
	Activation string
	// Input is the shape of an example. The zero Shape is a square picture where the
	// number of inputs is one's, and flat otherwise.
	Input engine.Shape
	// Map says of modules and tensors, by their names, what they are; if it has
	// anything, all of them. "1" is layer 1, as Linear module or as the
	// normalisation before its activation, "1.after" a normalisation after its
	// activation, "1.weight" and "1.bias" are single tensors, "1.weight.T" weights
	// [inputs, units], and "-" is left out.
	Map map[string]string
	// Mean and Deviation normalise inputs before the first layer, (x - Mean) /
	// Deviation, for each channel or one for all; none: 0 and 1.
	Mean, Deviation []float32
}

// Load reads a file that torch.save has written, or a safetensors file with names
// that are not this program's own. Every error names the file.
func Load(path string, o Options) (*graph.Graph, error) {
	f, err := filekind.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	g, err := load(f, f.Size, f.Kind, filepath.Dir(path), o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// load reads a file of a kind, which lies in a folder.
func load(source io.ReaderAt, size int64, kind filekind.Kind, folder string, o Options) (*graph.Graph, error) {
	switch kind {
	case filekind.Torch, filekind.TorchLegacy, filekind.TorchScript:
		return Read(source, size, o)
	case filekind.Pickle:
		return nil, errors.New("it is a pickle that torch.save has not written: save a model of PyTorch by torch.save(model.state_dict(), ...), one of scikit-learn as ONNX")
	case filekind.Safetensors:
		f, err := safetensors.Read(source, size)
		if err != nil {
			return nil, err
		}
		if isAutoencoder(f) {
			return autoencoder(f, filepath.Join(folder, configName), o)
		}
		return FromSafetensors(f, o)
	}
	return nil, fmt.Errorf("it looks like %s, want a state dict of PyTorch", kind)
}

// Read reads a file of size bytes that torch.save has written.
func Read(source io.ReaderAt, size int64, o Options) (*graph.Graph, error) {
	start := make([]byte, min(max(size, 0), 4))
	if n, err := source.ReadAt(start, 0); n < len(start) {
		return nil, err
	}
	read := readLegacy
	if strings.HasPrefix(string(start), "PK") {
		read = readZip
	}
	value, err := read(source, size)
	if err != nil {
		return nil, err
	}
	s, err := stateDict(value)
	if err != nil {
		return nil, err
	}
	return s.network(o)
}

// FromSafetensors reads the parameters in a safetensors file. It does not keep the
// order of tensors, which are therefore taken by their names, with numbers in them as
// numbers: "net.2" comes before "net.10".
func FromSafetensors(f *safetensors.File, o Options) (*graph.Graph, error) {
	s := &state{activation: f.Metadata["activation"], sorted: true}
	for _, name := range f.Names() {
		e, _ := f.Entry(name)
		s.tensors = append(s.tensors, Tensor{name, e.Shape, e.Type, func() ([]float32, error) {
			t, err := f.Tensor(name)
			return t.Data, err
		}})
	}
	sortByName(s.tensors)
	s.strip()
	return s.network(o)
}

// FromTensors makes a network of parameters in their order.
func FromTensors(tensors []Tensor, o Options) (*graph.Graph, error) {
	s := &state{tensors: tensors}
	s.strip()
	return s.network(o)
}
