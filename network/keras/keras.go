// Package keras reads networks that Keras has saved whole:
//
//	g, err := keras.Load("model.keras")
//
// It reads the archives of model.save("model.keras") and the older .h5 files, of
// Sequential and Functional models, also of models. Layers that are read are Dense, Flatten, Reshape,
// BatchNormalization as it is after training, Normalization, Rescaling, Add,
// Concatenate, the activations of [engine.Activation] as layers, as arguments of Dense
// and as functions, and what does nothing after training, such as Dropout. Any other
// layer is refused by its name, and so are weights that no layer uses.
//
// Softmax at the end of a network is left out, with a remark: what is read ends at the
// class units before it. Keras has the channels of a pixel together; pictures of
// several channels are taken one channel after the other, and weights are put in that
// order.
//
// Files are other people's: no code of theirs is run, and whatever they claim of
// themselves, reading takes no more memory than a few times their size.
package keras

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/internal/filekind"
	"github.com/unitscope/unitscope/network/keras/internal/hdf5"
)

// Load reads a .keras archive or an .h5 file. Every error names the file.
func Load(path string) (*graph.Graph, error) {
	f, err := filekind.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.Kind != filekind.Keras && f.Kind != filekind.HDF5 {
		return nil, fmt.Errorf("%s: it looks like %s, want a model of Keras, .keras or .h5", path, f.Kind)
	}
	g, err := Read(f, f.Size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// Read reads a .keras archive or an .h5 file of size bytes.
func Read(source io.ReaderAt, size int64) (*graph.Graph, error) {
	start := make([]byte, min(max(size, 0), 8))
	if n, err := source.ReadAt(start, 0); n < len(start) {
		return nil, err
	}
	var f *file
	var err error
	switch {
	case strings.HasPrefix(string(start), "PK"):
		f, err = readArchive(source, size)
	case string(start) == hdf5.Magic:
		f, err = readLegacy(source, size)
	default:
		err = errors.New("it is neither an archive nor HDF5, want a model of Keras, .keras or .h5")
	}
	if err != nil {
		return nil, err
	}
	m, err := parse(f.config)
	if err != nil {
		return nil, err
	}
	return build(m, f, size)
}
