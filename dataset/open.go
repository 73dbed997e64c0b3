package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// Open opens a data set by its specification, `--data` of the program:
//
//	digits[:n=60000][,split=train|test]                              built-in digits, see below
//	mnist:DIR[,split=train|test]                                     MNIST's IDX files, gzipped or not, or those of a relative
//	infmnist:DIR[,n=2500000][,split=train]                           MNIST's digits, deformed ([Deform])
//	emnist:DIR[,set=letters][,split=train]                           one of the sets of EMNIST
//	idx:FILE[,y=FILE][,scale=255][,colour=grey]                      an IDX file, gzipped or not; y are labels
//	npy:FILE[,y=FILE][,scale=255][,colour=grey]                      a numpy array, gzipped or not; y are labels
//	npz:FILE[,x=NAME][,y=NAME][,scale=255][,colour=grey]             arrays of a numpy archive; y are labels
//	csv:FILE[,label=NAME][,header=yes|no][,scale=255]                lines of numbers, gzipped or not
//	mat:FILE[,x=NAME][,y=NAME][,examples=columns][,shape=20x20][,order=rows][,scale=255][,colour=grey]
//	                                                                 arrays of a MATLAB file; y are labels
//	patches:FILE.mat[,size=12][,n=100000][,x=NAME][,whiten=none]     patches of whitened pictures
//	images:DIR[,size=12][,n=100000][,whiten=zca|standard|none][,epsilon=0.5]
//	                                                                 patches of photographs
//	images:DIR,size=whole                                            whole pictures of one size, as grey levels
//	leaves[:size=12][,n=100000][,whiten=none]                        patches of built-in pictures
//
// A path may hold colons, spaces and commas; the options are the last parts
// that look like name=value.
//
// # Arrays
//
// Examples are arrays [n, d] or [n, rows, cols]. A dimension of 1 of four, [n, 1, rows,
// cols] or [n, rows, cols, 1], is left out. Pictures of three colours, [n, 3, rows,
// cols] or [n, rows, cols, 3], are taken as they are; colour=grey makes one number of
// three, 0.299 red + 0.587 green + 0.114 blue. Labels are [n] or [n, 1], whole numbers
// of any type.
//
// With scale=N all numbers of a file are divided by N; scale=1 keeps them. Without it
// unsigned bytes are divided by 255, so that they lie between 0 and 1, if the largest
// is 128 or more, and kept if none is above 1; from 2 to 127 they are refused, since
// dividing 0..16 by 255 leaves all but nothing. MNIST's and its relatives' are always
// divided by 255, with a warning where none is above 127. Truth values are 0 and 1. All other numbers are kept, rounded to
// float32, and [Info]'s Low and High are the smallest and the largest; NaN and
// infinities are refused. [Info]'s Stored says what was done.
//
// Every header that numpy reads is read, and numbers of its types for truth values,
// whole numbers and floating point, float16 to float64, in either order of bytes and of
// dimensions. In an archive the name x can be left out if there is one array besides
// y; of arrays of one name the last counts, with a warning. Bytes behind an array, and
// behind the data of a gzipped file, are left out and said; zeros that pad a gzipped
// file are nothing. What memory has no room for is refused before it is read.
//
// # Tables of text
//
// A line of a csv file is an example, its cells separated by commas, semicolons, tabs or
// spaces, whichever the first line has, as pandas, numpy.savetxt, R and spreadsheets
// write them in UTF-8. label is the name of the column of the classes, or its number
// from 1, where no column has that number for a name: whole numbers, or names, which
// are numbered in sorted order. Every other cell
// must be a number, and every line have as many. The first line names the columns if no
// cell of it is a number, or if four or more count them from 0 or 1; so does a line
// behind # before it; header=yes or no settles it. A first column without a name is that
// of the names of rows, and left out. What was found is in [Info]'s Remarks, and what
// may not be meant, such as a column called label that was read as a component, in its
// Warnings.
//
// # Examples in MATLAB files
//
// mat reads an array of real numbers of a MATLAB file of version 5 to 7 (up to 1 GiB;
// version 7.3 is another format), as scale says for those of numpy. Its examples are
// [n, d] (examples=rows), [d, n] (examples=columns), pictures [rows, cols, n] or [rows,
// cols, 3, n] (examples=pages), or any of those above (examples=rows). With
// examples=columns every column is one, those of all pages of [d, n, k] too, as in
// MATLAB's x(:,:). Where examples is left out it follows from the number of labels;
// without labels they are the rows of a matrix and the pages of anything else, but
// only if no other dimension is longer, and else it has to be said. [Info]'s Remarks
// say what was taken. Labels y are one number for each example, a row or a column of
// whole numbers, and are kept as they are, 1 to 10 as well. The names can be left out as
// for npz; y=NAME is said where an array could be meant.
//
// shape=20x20 makes pictures of examples of 400 numbers, whose numbers run down
// the columns of the picture, MATLAB's order (order=columns, the usual), or along its
// rows (order=rows). The pictures of pages are upright without it. Known files:
//
//	mat:ex3data1.mat,x=X,y=y,shape=20x20                         the digits of Ng's course, 0 as class 10
//	mat:mnist-original.mat,x=data,y=label,shape=28x28,order=rows mldata's MNIST
//	mat:stlSampledPatches.mat,examples=columns                   8x8 patches in three colours
//	mat:train_32x32.mat,x=X,y=y,colour=grey                      house numbers (SVHN), 0 as class 10
//	mat:usps_all.mat,examples=columns                            Roweis' USPS digits, 1100 of each, without labels
//
// # MNIST and its relatives
//
// mnist and infmnist find the files of MNIST in the folder, in its folder raw, and where
// torchvision puts them, MNIST/raw, or else the one of FashionMNIST/raw, KMNIST/raw and
// QMNIST/raw that is there; [Info]'s Remarks say what was found if it is not in the folder
// itself. QMNIST's files go by their own names, and its split for testing has 60,000
// digits, of which the first 10,000 are MNIST's. Of its eight columns of labels the
// first is the class. emnist reads one of EMNIST's sets, balanced, byclass, bymerge,
// digits, letters or mnist; set can be left out if only one is there. Its files hold
// pictures column by column, and they come out upright. Labels are as in the file: 1 to
// 26 for letters.
//
// # Digits
//
// The digits are drawn from the faces of the Go fonts, 28x28, white on black,
// each with its own stroke width, slant, rotation, size and elastic
// deformation, and look like hand-written ones at a glance. They are made while
// reading: example i, its digit included, depends on seed, split and i only, and no
// example of one split is one of the other, whatever n is. The seed matters for digits, infmnist and all patches.
//
// # Patches of natural pictures
//
// Examples are square patches of size x size pixels, 2 to 64. Patch i is cut
// while it is read, from a picture and at a place that depend on seed and i only,
// every picture and every place in it being as likely. The patch's mean is taken
// out of it, and all patches are scaled by one number to components of mean 0 and
// variance 1 (whiten=standard, the usual of patches and leaves), which is what
// Gaussian visible units are made for: train on them with Gaussian ones. That
// number, the whitening and [Info]'s Low and High come from 20,000 other patches of
// the same pictures (the range from 2,000 of them), the same ones for every seed and
// n, so that examples of the same files are always in the same unit.
//
// With whiten=none nothing of that is done. Numbers of images and leaves are grey
// levels from 0, black, to 1, white, as networks have them that were trained on bytes
// divided by 255 (PyTorch's ToTensor), and those of a MATLAB file are as stored,
// unsigned bytes divided by 255 as in arrays. Train on grey levels with Bernoulli
// visible units, not with Gaussian ones.
//
// patches are those of pictures that somebody whitened: Olshausen and Field's ten
// (IMAGES.mat, with which the report's experiments on patches were made), or any
// array [rows, cols] or [rows, cols, pictures] of real numbers of a MATLAB file as mat
// reads them. Patches keep 4 pixels off the borders, where whitening leaves false
// lines. The name x can be left out where only one array has room for a patch; but
// then an array that looks like examples is refused, one more than four times longer
// than wide or beside labels for it: give x if patches of it are meant.
//
// images are those of a folder and the folders in it, as grey levels: PNG, JPEG,
// GIF (the first frame), BMP, TIFF (the first page) and WebP, by the endings of
// their names (.png, .jpg, .jpeg, .jpe, .jfif, .gif, .bmp, .tif, .tiff, .webp, small
// or capital). They are taken as a viewer shows them: of colours the luminance,
// turned as their EXIF orientation says, transparent parts on white. One that is
// damaged, of a kind that can't be read or smaller than a patch is left out, and
// [Info]'s Warnings name it; if that is true of more than half, opening fails. Remarks
// count everything else that is left out (hidden files and folders are, and what
// has other endings), and what was turned, in colour or transparent. Links to
// folders are followed, but no folder is read twice.
//
// Where every picture lies in one of several folders in the folder, these are
// classes, numbered from 0 in the order of their names, and a patch has the class of
// its picture for a label.
//
// All pictures are kept in memory, in 2 bytes per pixel: at most 2^28 pixels
// together, and 2^25 in one. whiten=zca whitens the patches by the eigenvectors of
// their covariance (size at most 32, which takes ten seconds), each eigenvalue
// enlarged by epsilon times their mean: with 0.01 most directions of most pictures
// come out with variance 1; with the usual 0.5 the finest detail, which holds most
// directions and little but noise, comes out weaker, and networks learn edges
// instead of noise. whiten=standard leaves the spectrum of the photographs as it is,
// and whiten=none the grey levels too.
//
// With size=whole examples are the pictures themselves, all of them, in the order of
// their names, as grey levels (whiten=none, which can be left out). They must be of
// one size.
//
// leaves need no files: 16 pictures of 512x512 pixels are drawn for the seed, of
// ellipses and rectangles in uniform greys that hide one another, with radii from
// 4 to 128 pixels of density r^-3 (the dead leaves of Lee, Mumford and Huang,
// 2001), and whitened as Olshausen and Field whitened theirs, by the filter f
// exp(-(f/f0)^4) with f0 = 0.4 cycles per pixel. Edges and spectrum are those of
// pictures of nature, and networks learn the same kind of filters.
//
// Errors name the specification, and the file if one is at fault; those that are
// mistakes in the specification itself wrap [ErrSpecification].
func Open(specification string, seed uint64) (Set, error) {
	s, err := parseSpec(specification)
	if err == nil {
		var set Set
		if set, err = s.kind.open(s, seed); err == nil {
			return set, nil
		}
		if errors.Is(err, array.ErrAsked) {
			err = specErrorf("%w", err)
		}
	}
	return nil, fmt.Errorf("data %q: %w", specification, err)
}

// kinds are all kinds of data, in the order of the manual.
func kinds() []kind {
	return []kind{
		{"digits", "", []option{{"n", "60000", ""}, {"split", "", "train"}}, openDigits},
		{"mnist", "DIR", []option{{"split", "train", ""}}, openMNIST},
		{"infmnist", "DIR", []option{{"n", "2500000", ""}, {"split", "train", ""}}, openDeformedMNIST},
		{"emnist", "DIR", []option{{"set", "", "letters"}, {"split", "train", ""}}, openEMNIST},
		{"idx", "FILE", []option{{"y", "", aFile}, {"scale", "", "255"}, {"colour", "", grey}}, openIDX},
		{"npy", "FILE", []option{{"y", "", aFile}, {"scale", "", "255"}, {"colour", "", grey}}, openNPY},
		{"npz", "FILE", []option{{"x", "", "NAME"}, {"y", "", "NAME"}, {"scale", "", "255"}, {"colour", "", grey}}, openNPZ},
		{"csv", "FILE", []option{{"label", "", "NAME"}, {"header", "", "yes"}, {"scale", "", "255"}}, openCSV},
		{"mat", "FILE", []option{{"x", "", "NAME"}, {"y", "", "NAME"}, {"examples", "", byColumns}, {"shape", "", "20x20"}, {"order", "", byRows}, {"scale", "", "255"}, {"colour", "", grey}}, openMAT},
		{"patches", "FILE.mat", []option{{"size", "12", ""}, {"n", usualPatches, ""}, {"x", "", "NAME"}, {"whiten", "", untouched}}, openPatches},
		{"images", "DIR", []option{{"size", "12", ""}, {"n", "", usualPatches}, {"whiten", "", byZCA}, {"epsilon", "", fmt.Sprint(usualEpsilon)}}, openImages},
		{"leaves", "", []option{{"size", "12", ""}, {"n", usualPatches, ""}, {"whiten", "", untouched}}, openLeaves},
	}
}

// Scalable are the kinds of data that take scale=N.
func Scalable() (names []string) {
	for _, k := range kinds() {
		if slices.Contains(k.optionNames(), "scale") {
			names = append(names, k.name)
		}
	}
	return names
}

func kindNames() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// Kinds lists how every kind of data is written, for a program's help.
func Kinds() string {
	var lines []string
	for _, k := range kinds() {
		lines = append(lines, k.usage())
	}
	return strings.Join(lines, "\n")
}
