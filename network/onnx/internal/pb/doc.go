// Package pb is the messages of ONNX files as Go types, generated from onnx.proto
// beside it.
package pb

//go:generate go run -C _generate . ..
