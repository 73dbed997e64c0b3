package visualize

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/schema"
)

// archive writes numpy's .npz: a zip file with a .npy file for every array,
// stored without compression. Names, order and times are fixed, so equal
// arrays give equal bytes; the zip writer of package npyio has no say over
// times, and its .npy writer none over shapes. numpy.load opens the file
// without allow_pickle. The first error is kept, and Close returns it.
type archive struct {
	zip *zip.Writer
	err error
}

// archiveTime is the earliest time that a zip file can name.
var archiveTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func newArchive(w io.Writer) *archive { return &archive{zip: zip.NewWriter(w)} }

// addArray adds one array: its element type as numpy writes it ("<f4"), its
// shape, and the elements, row by row.
func addArray[T float32 | float64 | int64 | int32](a *archive, name, descr string, shape []int, elements []T) {
	if a.err != nil {
		return
	}
	entry, err := a.zip.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store, Modified: archiveTime})
	if err == nil {
		err = writeHeader(entry, descr, shape)
		// In pieces: binary.Write makes a copy of what it is given.
		for piece := range slices.Chunk(elements, 1<<16) {
			if err == nil {
				err = binary.Write(entry, binary.LittleEndian, piece)
			}
		}
	}
	if err != nil {
		a.err = fmt.Errorf("write array %s: %w", name, err)
	}
}

// writeHeader writes the head of a .npy file, version 1.0: magic, length, and
// a Python dictionary padded so that the elements start at a multiple of 64.
func writeHeader(w io.Writer, descr string, shape []int) error {
	const magic, align = "\x93NUMPY\x01\x00", 64
	sides := make([]string, len(shape))
	for i, n := range shape {
		sides[i] = fmt.Sprintf("%d,", n)
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.Join(sides, " "))
	before := len(magic) + 2
	text += strings.Repeat(" ", align-1-(before+len(text))%align) + "\n"
	_, err := w.Write(append(binary.LittleEndian.AppendUint16([]byte(magic), uint16(len(text))), text...))
	return err
}

// floats adds an array of float32.
func (a *archive) floats(name string, t *tensor.Dense) {
	data, err := dense.Data(t)
	if err != nil {
		if a.err == nil {
			a.err = fmt.Errorf("write array %s: %w", name, err)
		}
		return
	}
	addArray(a, name, "<f4", t.Shape(), data)
}

// ints adds an array of int64.
func (a *archive) ints(name string, numbers []int, shape ...int) {
	elements := make([]int64, len(numbers))
	for i, n := range numbers {
		elements[i] = int64(n)
	}
	addArray(a, name, "<i8", shape, elements)
}

// float64s adds numbers, as float32.
func (a *archive) float64s(name string, numbers []float64) {
	elements := make([]float32, len(numbers))
	for i, x := range numbers {
		elements[i] = float32(x)
	}
	addArray(a, name, "<f4", []int{len(numbers)}, elements)
}

// words adds an array of text, at most width letters each: numpy's <U.
func (a *archive) words(name string, words []string, width int, shape ...int) {
	elements := make([]rune, len(words)*width)
	for i, word := range words {
		copy(elements[i*width:(i+1)*width], []rune(word))
	}
	addArray(a, name, fmt.Sprintf("<U%d", width), shape, elements)
}

// names adds those of objectives [U]; nothing where there are none.
func (a *archive) names(names []string) {
	width := 1
	for _, name := range names {
		width = max(width, len([]rune(name)))
	}
	if names != nil {
		a.words(schema.GoalNames, names, width, len(names))
	}
}

// Close writes the directory of the archive; the underlying writer stays open.
func (a *archive) Close() error {
	if err := a.zip.Close(); a.err == nil && err != nil {
		a.err = fmt.Errorf("write arrays: %w", err)
	}
	return a.err
}
