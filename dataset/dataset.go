// Package dataset is where examples come from: IDX files of MNIST and its
// relatives, arrays of numpy and MATLAB, tables of text, the built-in digits,
// deformed digits without end, and patches of natural pictures: whitened ones in
// MATLAB files, folders of photographs, built-in dead leaves. A set is opened by a
// specification, which [Open] explains:
//
//	set, err := dataset.Open("digits:n=5000", 1)    // or "mnist:DIR", "npy:FILE", ...
//	x := make([]float32, 2*set.Info().Size())
//	err = set.Read(x, []int{0, 4999})               // the first example and the last
//
// A [Set] is read in batches by index, so that a data set never has to exist as
// float32 in memory, and example i is a deterministic function of the set and i.
package dataset

import "slices"

// Set is a data set. Examples are rows of finite float32; [Info] says in which
// range.
// Reading is safe for concurrent use; nothing a caller does changes an example.
type Set interface {
	// Info describes the set.
	Info() Info
	// Len is the number of examples.
	Len() int
	// Read writes the examples with these indices, one after the other, to dst
	// [len(indices), Info.Size()]. An index outside 0..Len()-1 or a dst of
	// another length is an error.
	Read(dst []float32, indices []int) error
	// Label is the class of an example; ok is false if the set has no labels.
	Label(index int) (label int, ok bool)
	// Close gives back what the set holds.
	Close() error
}

// Info describes a data set.
type Info struct {
	Name  string // the specification that opens it, as `--data` takes it
	Shape []int  // of one example, [rows, cols] for pictures
	// Low and High are the values that components can take. Patches of natural
	// pictures have rare extremes many deviations out, and for them it is the
	// usual range instead: one component in 200 lies below Low, and one above
	// High. That is what salt and pepper noise wants, which would otherwise
	// drown them; never assume that all components lie within. With whiten=none it is
	// the range of all pictures.
	Low, High float32
	Files     []string // files it was read from, for a run's record
	// Stored says in a few words how the numbers were held and what became of
	// them: "uint8 from 0 to 255, divided by 255". "" for examples that are made.
	Stored string
	// Classes are the names of the labels from 0 on, where the classes have names, such
	// as folders; nil where they are numbers.
	Classes []string
	// Remarks are what a reader of the set may want to know, a sentence without a
	// full stop each: "3 files are no pictures and were skipped: .txt (3)".
	Remarks []string
	// Warnings are remarks on what is probably not what was meant.
	Warnings []string
	// Doubt is the one of Warnings that says of a component that it may be none, as a
	// column of classes is: Low and High are then not those of the others. "" for none.
	Doubt string
}

// Size is the number of components of one example.
func (i Info) Size() int {
	size := 1
	for _, n := range i.Shape {
		size *= n
	}
	return size
}

// clone keeps a set's own description out of its callers' reach.
func (i Info) clone() Info {
	i.Shape = slices.Clone(i.Shape)
	i.Files = slices.Clone(i.Files)
	i.Classes = slices.Clone(i.Classes)
	i.Remarks = slices.Clone(i.Remarks)
	i.Warnings = slices.Clone(i.Warnings)
	return i
}
