package hdf5

import (
	"errors"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/network/safetensors"
)

// maxRank is how many dimensions HDF5 allows.
const maxRank = 32

// Dataset is an array of numbers.
type Dataset struct {
	Name  string // with those of the groups it is in, "layers/dense/vars/0"
	Shape []int  // no entries: a single number
	Type  string // "float32", "int64", "opaque"

	file     *File
	of       datatype
	size     uint64 // how many numbers it has
	layout   []byte
	filtered bool
}

// dataset is the object with these messages as an array.
func (f *File) dataset(path string, messages []message) (*Dataset, error) {
	d := &Dataset{Name: path, file: f}
	found := 0
	for _, m := range messages {
		var err error
		switch m.kind {
		case dataspaceMessage:
			d.Shape, d.size, err = dimensions(m.data)
		case datatypeMessage:
			d.of, err = newDatatype(m.data)
			d.Type = d.of.name
		case layoutMessage:
			d.layout = m.data
		case filterMessage:
			d.filtered = true
			continue
		case externalMessage:
			err = errors.New("its numbers are in another file, and such are not read")
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		found |= 1 << m.kind
	}
	if found != 1<<dataspaceMessage|1<<datatypeMessage|1<<layoutMessage {
		return nil, errors.New("it is neither a group nor an array")
	}
	return d, nil
}

// dimensions reads a dataspace: version 1, dimensions 1, flags 1, 0 1, 0 4 or, in
// version 2, the last two and the kind in one byte; each dimension 8.
func dimensions(data []byte) (shape []int, size uint64, err error) {
	c := &cursor{data: data}
	version, rank := c.number(1), c.number(1)
	c.take(1)
	switch {
	case version == 1:
		c.take(5)
	case version == 2:
		if c.number(1) == 2 {
			return nil, 0, errors.New("it holds nothing")
		}
	default:
		return nil, 0, fmt.Errorf("a shape of version %d", version)
	}
	if rank > maxRank {
		return nil, 0, fmt.Errorf("%d dimensions", rank)
	}
	size = 1
	for range rank {
		n := c.number(8)
		if n > math.MaxInt32 || n > 0 && size > math.MaxInt32/n {
			return nil, 0, errors.New("more than 2^31 numbers")
		}
		shape, size = append(shape, int(n)), size*n
	}
	return shape, size, c.err
}

// The classes of types that are told apart.
const (
	wholeClass  = 0
	realClass   = 1
	textClass   = 3
	opaqueClass = 5
	listClass   = 9
)

// datatype is a type of elements.
type datatype struct {
	class uint64
	flags uint64
	bytes uint64
	name  string // for people
	code  string // as safetensors calls it; "" for what is no parameter
}

// newDatatype reads a type: class and version 1, flags 3, bytes 4, and of real numbers
// where their bits are: offset 2, precision 2, exponent 1 1, mantissa 1 1, bias 4.
func newDatatype(data []byte) (datatype, error) {
	c := &cursor{data: data}
	t := datatype{class: c.number(1) & 15, flags: c.number(3), bytes: c.number(4)}
	if t.bytes == 0 || t.bytes > math.MaxInt32 {
		return t, fmt.Errorf("elements of %d bytes", t.bytes)
	}
	switch t.class {
	case wholeClass:
		t.name = fmt.Sprintf("int%d", 8*t.bytes)
		if t.flags&8 == 0 {
			t.name = "u" + t.name
		}
	case realClass:
		t.name = fmt.Sprintf("float%d", 8*t.bytes)
		var form [6]uint64
		for i, bytes := range []int{2, 2, 1, 1, 1, 1} {
			form[i] = c.number(bytes)
		}
		bias := c.number(4)
		t.code = realTypes[[4]uint64{t.bytes, form[3], form[5], bias}]
		if t.flags&1 != 0 || form[0] != 0 || form[1] != 8*t.bytes || form[4] != 0 || form[2] != form[5] {
			t.code, t.name = "", "another "+t.name
		}
	case textClass:
		t.name = "text"
	case opaqueClass:
		t.name = "opaque"
	default:
		t.name = fmt.Sprintf("class %d", t.class)
	}
	return t, c.err
}

// realTypes are the types of real numbers by their bytes, the bits of exponent and
// mantissa, and the exponent's bias.
var realTypes = map[[4]uint64]string{
	{8, 11, 52, 1023}: "F64", {4, 8, 23, 127}: "F32", {2, 5, 10, 15}: "F16", {2, 8, 7, 127}: "BF16",
}

// Numbers are the numbers of the array, row by row.
func (d *Dataset) Numbers() ([]float32, error) {
	code := d.of.code
	if d.of.class == opaqueClass && d.of.bytes == 2 {
		// How Keras writes numbers of a type that numpy does not have.
		if text, _, err := d.file.Attribute(d.Name, "dtype"); err != nil || text == "bfloat16" {
			code = "BF16"
		}
	}
	if code == "" {
		return nil, fmt.Errorf("%s: numbers of type %s, want float16, bfloat16, float32 or float64", d, d.Type)
	}
	decode, err := safetensors.Decoder(code)
	if err != nil {
		return nil, err
	}
	raw, err := d.bytes()
	if err == nil {
		err = memory.Check(4 * d.size)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d, err)
	}
	out := make([]float32, d.size)
	for i := range out {
		if out[i], err = decode(raw[uint64(i)*d.of.bytes:]); err != nil {
			return nil, fmt.Errorf("%s: %w", d, err)
		}
	}
	return out, nil
}

// String is "layers/dense/vars/0 [784 100]".
func (d *Dataset) String() string { return fmt.Sprintf("%.120q %.80s", d.Name, fmt.Sprint(d.Shape)) }

// bytes are those of all elements. The layout is version 1, class 1, and of class 0
// length 2 and the elements; of class 1 address 8, length 8; of class 2 what chunks
// reads.
func (d *Dataset) bytes() ([]byte, error) {
	c := &cursor{data: d.layout}
	version, class := c.number(1), c.number(1)
	length := d.size * d.of.bytes // below 2^62
	switch {
	case d.filtered:
		return nil, errors.New("it is compressed: write it without compression, as Keras does")
	case version < 3 || version > 4 || class > 2 || class == 2 && version > 3:
		return nil, fmt.Errorf("it is stored in a way that can't be read, %d of version %d: write the file with h5py's usual libver", class, version)
	case class == 2:
		return d.chunks(c, length)
	}
	if class == 0 {
		if has := c.number(2); c.err == nil && has != length {
			return nil, fmt.Errorf("%d bytes for %d", has, length)
		}
		data := c.take(length)
		return data, c.err
	}
	at, has := c.number(8), c.number(8)
	if c.err != nil || length == 0 {
		return nil, c.err
	}
	if at == undefined || has != length {
		return nil, fmt.Errorf("%d bytes of %d are there", has, length)
	}
	if err := memory.Check(length); err != nil {
		return nil, err
	}
	return d.file.read(at, length)
}
