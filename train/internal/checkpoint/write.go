// Package checkpoint writes and reads the files of interrupted training: tensors of
// layers under their names, counters, and the settings that the result depends on.
// What is in them is the business of package train.
package checkpoint

import (
	"fmt"
	"io"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
)

// optionPrefix is what names of settings begin with in a file's metadata.
const optionPrefix = "option."

// Writer collects a checkpoint. It remembers the first error, which Write returns.
type Writer struct {
	metadata map[string]string
	tensors  []safetensors.Tensor
	err      error
}

// NewWriter begins a checkpoint of a format, made with these settings.
func NewWriter(format string, settings map[string]string) *Writer {
	w := &Writer{metadata: map[string]string{"format": format}}
	for name, value := range settings {
		w.metadata[optionPrefix+name] = value
	}
	return w
}

// Whole adds a whole number.
func (w *Writer) Whole(name string, n int64) { w.metadata[name] = strconv.FormatInt(n, 10) }

// Number adds a number.
func (w *Writer) Number(name string, x float64) {
	w.metadata[name] = strconv.FormatFloat(x, 'g', -1, 64)
}

// Tensor adds a tensor, unless it is nil.
func (w *Writer) Tensor(name string, t *tensor.Dense) {
	if w.err != nil || t == nil {
		return
	}
	data, err := dense.Data(t)
	if err != nil {
		w.err = fmt.Errorf("%s: %w", name, err)
		return
	}
	w.tensors = append(w.tensors, safetensors.Tensor{Name: name, Shape: t.Shape(), Data: data})
}

// Layer adds the tensors that a layer has.
func (w *Writer) Layer(prefix string, l network.Layer) {
	w.Tensor(prefix+network.WeightSuffix, l.Weight)
	w.Tensor(prefix+network.BiasSuffix, l.Bias)
	w.Tensor(prefix+network.VisibleBiasSuffix, l.VisibleBias)
}

// Layers adds the layers of a stack, whose names begin with a prefix.
func (w *Writer) Layers(prefix string, layers []network.Layer) {
	for i, l := range layers {
		w.Layer(prefix+network.LayerName(i+1), l)
	}
}

// Write writes the checkpoint.
func (w *Writer) Write(to io.Writer) error {
	if w.err != nil {
		return w.err
	}
	return safetensors.Write(to, w.tensors, w.metadata)
}
