package array

import (
	"errors"
	"fmt"
	"io"

	"github.com/unitscope/unitscope/dataset/internal/gunzip"
)

// File is a file of one array, of which the header has been read. What it promises can
// be looked at before [File.Read] or [File.Labels] reads the numbers, once.
type File struct {
	Shape   []int
	Type    Type
	Fortran bool           // the first dimension runs fastest
	Numbers io.Reader      // from the first number on
	Alone   bool           // nothing may follow the numbers
	Packed  *gunzip.Stream // what Numbers reads from, nil if the file is not gzipped

	// Remarks and Warnings are what is to be said of a file that was read.
	Remarks, Warnings []string
}

// GarbageWarning is what is to be said of a file with something behind its gzipped data.
const GarbageWarning = "bytes that are no gzip follow the compressed data and were left out"

// Read reads the array, row-major. Bytes that follow it are an error or a remark.
func (f *File) Read() (*Array, error) {
	if f.Fortran {
		if err := f.checkTwice(); err != nil {
			return nil, err
		}
	}
	a, err := Read(f.Numbers, f.Shape, f.Type)
	if err == nil {
		err = f.end()
	}
	if err != nil {
		return nil, err
	}
	if f.Fortran {
		a.Bytes, a.Floats = rowMajor(a.Bytes, f.Shape), rowMajor(a.Floats, f.Shape)
	}
	return a, nil
}

// checkTwice checks that there is memory for the array and for itself in another order.
func (f *File) checkTwice() error {
	count, err := Count(f.Shape, f.Type.Size)
	if err != nil {
		return err
	}
	size := uint64(4)
	if f.Type.isBytes() {
		size = 1
	}
	return CheckRoom(2 * size * uint64(count))
}

// Labels reads an array of shape [n] or [n, 1] as [ReadLabels] does.
func (f *File) Labels() ([]int32, error) {
	count, err := Count(f.Shape, f.Type.Size)
	switch {
	case err != nil:
		return nil, err
	case len(f.Shape) == 2 && f.Shape[1] > 1:
		return nil, fmt.Errorf("labels have shape %v, want one per example; if each row has a 1 in the column of its class, save the columns instead: y.argmax(axis=1)", f.Shape)
	case len(f.Shape) == 0 || f.Shape[0] != count:
		return nil, fmt.Errorf("labels have shape %v, want one per example", f.Shape)
	}
	labels, err := ReadLabels(f.Numbers, count, f.Type)
	if err == nil {
		err = f.end()
	}
	if err != nil {
		return nil, err
	}
	return labels, nil
}

// end reads what follows the numbers, with which the checksum of a compressed file is
// checked too.
func (f *File) end() error {
	rest := f.Numbers
	if f.Alone {
		rest = io.LimitReader(rest, 1)
	}
	n, err := io.Copy(io.Discard, rest)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("truncated: its last bytes are missing")
	case err != nil:
		return err
	case n > 0 && f.Alone:
		return errors.New("bytes follow the last number that the header promises")
	case n > 0:
		f.Remarks = append(f.Remarks, fmt.Sprintf("%d bytes follow the numbers that the header promises and were left out", n))
	}
	if f.Packed != nil && f.Packed.Garbage() {
		f.Warnings = append(f.Warnings, GarbageWarning)
	}
	return nil
}

// rowMajor reorders numbers of this shape from Fortran order.
func rowMajor[T any](data []T, shape []int) []T {
	if data == nil {
		return nil
	}
	strides := make([]int, len(shape)) // in the result
	stride := 1
	for d := len(shape) - 1; d >= 0; d-- {
		strides[d] = stride
		stride *= shape[d]
	}
	result := make([]T, len(data))
	at := make([]int, len(shape))
	to := 0
	for _, v := range data {
		result[to] = v
		for d := range shape {
			at[d]++
			to += strides[d]
			if at[d] < shape[d] {
				break
			}
			to -= strides[d] * shape[d]
			at[d] = 0
		}
	}
	return result
}
