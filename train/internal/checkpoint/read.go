package checkpoint

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
)

// Reader reads a checkpoint's tensors, whose shapes are known before anything is
// allocated, and its counters. It remembers the first error, which Finish returns.
type Reader struct {
	file  *safetensors.File
	known map[string]bool
	err   error
}

// NewReader begins to read a file.
func NewReader(f *safetensors.File) *Reader { return &Reader{file: f, known: map[string]bool{}} }

// Settings are what the checkpoint was made with.
func (r *Reader) Settings() map[string]string {
	settings := map[string]string{}
	for name, value := range r.file.Metadata {
		if option, ok := strings.CutPrefix(name, optionPrefix); ok {
			settings[option] = value
		}
	}
	return settings
}

// Whole is a whole number from least to most.
func (r *Reader) Whole(name string, least, most int64) int64 {
	text := r.file.Metadata[name]
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		r.Fail(fmt.Errorf("%s is %.40q, want a whole number from %d to %d", name, text, least, most))
		return least
	}
	return n
}

// Count is a whole number of things that an int and a uint32 can count.
func (r *Reader) Count(name string) int {
	return int(r.Whole(name, 0, min(math.MaxUint32, math.MaxInt)))
}

// Number is a finite number, 0 or more.
func (r *Reader) Number(name string) float64 {
	text := r.file.Metadata[name]
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x >= 0 && x <= math.MaxFloat64) {
		r.Fail(fmt.Errorf("%s is %.40q, want a finite number, 0 or more", name, text))
	}
	return x
}

// Has says whether the file has a tensor, or a counter.
func (r *Reader) Has(name string) bool {
	_, isTensor := r.file.Entry(name)
	_, isCounter := r.file.Metadata[name]
	return isTensor || isCounter
}

// Rows is the first dimension of a matrix as the file has it.
func (r *Reader) Rows(name string) int { return r.side(name, 0) }

// Columns is the second.
func (r *Reader) Columns(name string) int { return r.side(name, 1) }

func (r *Reader) side(name string, dimension int) int {
	e, ok := r.file.Entry(name)
	if !ok {
		r.Fail(fmt.Errorf("%s is missing", name))
	} else if len(e.Shape) != 2 || e.Shape[0] < 1 || e.Shape[1] < 1 {
		r.Fail(fmt.Errorf("%s has shape %v, want two dimensions of at least 1", name, e.Shape[:min(len(e.Shape), 4)]))
	}
	if r.err != nil {
		return 0
	}
	return e.Shape[dimension]
}

// Affine is the weight and the bias of a layer.
func (r *Reader) Affine(prefix string, units, inputs int) network.Layer {
	return network.Layer{Weight: r.Tensor(prefix+network.WeightSuffix, units, inputs), Bias: r.Tensor(prefix+network.BiasSuffix, units)}
}

// Layer is a layer with its visible bias.
func (r *Reader) Layer(prefix string, units, inputs int) network.Layer {
	l := r.Affine(prefix, units, inputs)
	l.VisibleBias = r.Tensor(prefix+network.VisibleBiasSuffix, inputs)
	return l
}

// Tensor is a tensor of a shape, all of whose numbers are finite.
func (r *Reader) Tensor(name string, shape ...int) *tensor.Dense {
	if r.err != nil {
		return nil
	}
	r.known[name] = true
	e, ok := r.file.Entry(name)
	if !ok {
		r.err = fmt.Errorf("%s is missing", name)
		return nil
	}
	if !slices.Equal(e.Shape, shape) {
		r.err = fmt.Errorf("%s has shape %v, want %v", name, e.Shape[:min(len(e.Shape), 4)], shape)
		return nil
	}
	t, err := r.file.Tensor(name)
	if err == nil && !Finite(t.Data) {
		err = fmt.Errorf("%s: %w", name, engine.ErrNotFinite)
	}
	var result *tensor.Dense
	if err == nil {
		result, err = dense.Of(t.Data, shape...)
	}
	r.err = err
	return result
}

// Fail remembers an error, if it is the first.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Finish returns the first error, or says which tensor is none of a checkpoint's.
func (r *Reader) Finish() error {
	if r.err != nil {
		return fmt.Errorf("checkpoint: %w", r.err)
	}
	for _, name := range r.file.Names() {
		if !r.known[name] {
			return fmt.Errorf("checkpoint: unknown tensor %.40q", name)
		}
	}
	return nil
}

// Finite says whether all numbers are.
func Finite(xs []float32) bool {
	for _, x := range xs {
		if x-x != 0 {
			return false
		}
	}
	return true
}
