// Package onnx reads networks from ONNX files, as PyTorch's exporters, skl2onnx and
// others write them:
//
//	g, err := onnx.Read("model.onnx")
//
// What is read are networks of units without places: products with weights (Gemm,
// MatMul), biases, sums of values, values one behind the other (Concat), numbers by
// which each channel is multiplied or shifted, BatchNormalization as it is after
// training, and the activations of [engine.Activation], also those that exporters
// write as several operations. The first dimension of the input is the batch.
// What only moves numbers (Reshape, Flatten, Squeeze) must keep it, and what does
// nothing after training (Dropout, Identity) vanishes. Calculations with constants and
// with shapes are done while reading.
//
// Softmax, ArgMax and what else makes probabilities and labels of class units are
// left out at the end of a network, with a remark: what is read ends at the class
// units before softmax. Any other operation is refused by its name, and so is a tensor
// of real numbers that nothing reads.
//
// Files are not trusted. What they claim is checked against their size and against
// memory before anything is allocated, and weights in files of their own are read
// inside the model's folder only.
package onnx

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/network/graph"
)

// Read reads the network of an ONNX file, and of the files beside it that hold its
// weights. Every error names the file.
func Read(path string) (*graph.Graph, error) {
	data, err := content(path)
	if err != nil {
		return nil, err
	}
	g, err := read(data, filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// read reads the network of a file in a folder.
func read(data []byte, beside string) (*graph.Graph, error) {
	model, err := parse(data)
	if err != nil {
		return nil, err
	}
	outside := &folder{path: beside}
	g, err := build(model, len(data), outside)
	return g, errors.Join(err, outside.close())
}

// content is all bytes of a file.
func content(path string) ([]byte, error) {
	// Stat comes first because opening a named pipe would wait for a writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if err := memory.Check(2 * uint64(info.Size())); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}
