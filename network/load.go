package network

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/internal/filekind"
	"github.com/unitscope/unitscope/network/keras"
	"github.com/unitscope/unitscope/network/onnx"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/network/torch"
)

// Options are what a file of another framework may leave open. Our own files say all
// of it themselves.
type Options struct {
	// Activation, of a file of parameters alone, is what follows each layer but the
	// last: a name as of [engine.ParseActivation].
	Activation string
	// Map says of such a file's tensors what they are, see [torch.Options].
	Map map[string]string
	// InputShape is that of one example; nil for what the file says, or a square
	// picture where the number of inputs is one's.
	InputShape []int
	// Mean and Deviation normalise inputs before the first layer, (x - Mean) /
	// Deviation, for each channel or one for all.
	Mean, Deviation []float32
}

// FileOf is the file of a model that is named by it or by its folder: a run's, which has a
// [FileName], or one of SAELens.
func FileOf(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return path
	}
	own, theirs := filepath.Join(path, FileName), filepath.Join(path, torch.AutoencoderFile)
	if _, err := os.Stat(own); err == nil {
		return own
	}
	if _, err := os.Stat(theirs); err == nil {
		return theirs
	}
	return own
}

// LoadWith is [Load] of any file that there is a reader for: a model of our own, ONNX,
// Keras, or what PyTorch saves. It looks at what the file holds, not at its name.
func LoadWith(path string, o Options) (*Network, error) {
	path = FileOf(path)
	kind, err := filekind.Recognise(path)
	if err != nil {
		return nil, err
	}
	var g *graph.Graph
	switch kind {
	case filekind.ONNX, filekind.Keras, filekind.HDF5:
		g, err = o.describing(path, kind)
	case filekind.Torch, filekind.TorchLegacy, filekind.TorchScript, filekind.TorchExport, filekind.Pickle:
		g, err = torch.Load(path, o.ofParameters())
	case filekind.Safetensors:
		if own, err := isOwn(path); own || err != nil {
			if err == nil {
				err = o.none(path)
			}
			if err != nil {
				return nil, err
			}
			return loadOwn(path)
		}
		g, err = torch.Load(path, o.ofParameters())
	default:
		if filepath.Ext(path) == filepath.Ext(FileName) {
			return loadOwn(path) // which says what is wrong with it
		}
		return nil, unreadable(path, kind)
	}
	if err == nil {
		err = o.fits(g)
	}
	if err != nil {
		return nil, o.shapeMistake(err)
	}
	n, err := FromGraph(g, o.InputShape)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	n.Format = strings.TrimPrefix(kind.String(), "a ")
	if say := asColours(n.InputShape); say != "" && o.InputShape == nil {
		n.Warnings = append(n.Warnings, "it does not say the shape of its inputs: "+say)
	}
	return n, nil
}

// For is what of the options the file of a model takes, for files that are loaded by the
// same ones: not what it says itself.
func (o Options) For(path string) (Options, error) {
	path = FileOf(path)
	kind, err := filekind.Recognise(path)
	if err != nil {
		return o, err
	}
	switch kind {
	case filekind.ONNX, filekind.Keras, filekind.HDF5:
		o.Activation, o.Map = "", nil
	case filekind.Safetensors:
		own, err := isOwn(path)
		if own || err != nil {
			return Options{}, err
		}
	}
	return o, nil
}

// describing reads a file that says itself what its network computes.
func (o Options) describing(path string, kind filekind.Kind) (g *graph.Graph, err error) {
	if err := o.alone(path, kind.String()); err != nil {
		return nil, err
	}
	if kind == filekind.ONNX {
		g, err = onnx.Read(path)
	} else {
		g, err = keras.Load(path)
	}
	if err != nil || o.Mean == nil {
		return g, err
	}
	if g, err = g.Normalize(o.Mean, o.Deviation); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// fits makes sure that a network takes inputs of the shape that is stated.
func (o Options) fits(g *graph.Graph) error {
	if inputs := g.Net.Input.Size(); o.InputShape != nil && engineShape(o.InputShape).Size() != inputs {
		return words.BadOption("InputShape", nil, "the network has %d inputs", inputs)
	}
	return nil
}

// shapeMistake has an error of a reader about the inputs' shape name it as it was given.
func (o Options) shapeMistake(err error) error {
	if e := (*words.OptionError)(nil); errors.As(err, &e) && (e.Field == "Input" || e.Field == "InputShape") {
		return &words.OptionError{Field: "InputShape", Value: FormatShape(o.InputShape), Err: e.Err}
	}
	return err
}

// unreadable says what a file is that is no model, and what is.
func unreadable(path string, kind filekind.Kind) error {
	cut := ""
	if slices.Contains([]string{".onnx", ".pt", ".pth", ".keras", ".h5"}, filepath.Ext(path)) && (kind == filekind.Unknown || kind == filekind.Zip) {
		cut = "; is the file complete?"
	}
	return fmt.Errorf("%s: it looks like %s; a model is a run folder or model.safetensors of this program, a PyTorch state dict (.pt, .safetensors), an ONNX file or one of Keras (.keras, .h5)%s", path, kind, cut)
}

// alone refuses options of parameters alone for a file that says more.
func (o Options) alone(path, kind string) error {
	switch {
	case o.Activation != "":
		return words.BadOption("Activation", o.Activation, "%s is %s, which says its activations itself; leave it out", path, kind)
	case o.Map != nil:
		return words.BadOption("Map", nil, "%s is %s, which says itself what its tensors are; leave it out", path, kind)
	}
	return nil
}

// none refuses all options.
func (o Options) none(path string) error {
	const kind = "a model of this program"
	if err := o.alone(path, kind); err != nil {
		return err
	}
	switch {
	case o.InputShape != nil:
		return words.BadOption("InputShape", FormatShape(o.InputShape), "%s is %s, which says its own; leave it out", path, kind)
	case o.Mean != nil:
		return words.BadOption("Mean", nil, "%s is %s, which says its own preprocessing; leave it out", path, kind)
	}
	return nil
}

func (o Options) ofParameters() torch.Options {
	t := torch.Options{Activation: o.Activation, Map: o.Map, Mean: o.Mean, Deviation: o.Deviation}
	if o.InputShape != nil {
		t.Input = engineShape(o.InputShape)
	}
	return t
}

// isOwn says whether a safetensors file is of our format, by its word for itself or
// by the name of its first tensor.
func isOwn(path string) (own bool, err error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return false, err
	}
	_, named := f.Entry(LayerName(1) + WeightSuffix)
	return named || strings.HasPrefix(f.Metadata[formatKey], formatsPrefix), f.Close()
}

// Load reads a model from its file, or from its folder, see [FileOf].
// Every error names the file and, where there is one, the tensor. Files of other
// frameworks that need to be told something are for [LoadWith].
func Load(path string) (*Network, error) { return LoadWith(path, Options{}) }

// loadOwn reads a file of our own format.
func loadOwn(path string) (*Network, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	n, err := Read(f)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}
