package matlab

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"
)

// writer builds MATLAB files, right ones and, piece by piece, wrong ones.
type writer struct{ order binary.AppendByteOrder }

func little() writer { return writer{binary.LittleEndian} }

func big() writer { return writer{binary.BigEndian} }

func (w writer) file(elements ...[]byte) []byte {
	data := bytes.Repeat([]byte{' '}, 124)
	copy(data, "MATLAB 5.0 MAT-file, written by a test")
	data = w.order.AppendUint16(data, 0x0100)
	data = w.order.AppendUint16(data, 'M'<<8|'I')
	return append(data, bytes.Join(elements, nil)...)
}

// element is a tag, a body and its padding.
func (w writer) element(k kind, body []byte) []byte {
	return w.padded(append(w.tag(k, len(body)), body...))
}

func (w writer) tag(k kind, size int) []byte {
	return w.order.AppendUint32(w.order.AppendUint32(nil, uint32(k)), uint32(size))
}

func (w writer) padded(data []byte) []byte {
	return append(data, make([]byte, padding(int64(len(data))))...)
}

// small is an element whose body of at most four bytes is in its tag.
func (w writer) small(k kind, body []byte) []byte {
	return w.padded(append(w.order.AppendUint32(nil, uint32(len(body))<<16|uint32(k)), body...))
}

// fitting is the form that MATLAB gives an element.
func (w writer) fitting(k kind, body []byte) []byte {
	if len(body) >= 1 && len(body) <= 4 {
		return w.small(k, body)
	}
	return w.element(k, body)
}

// beginning is the flags, dimensions and name of a variable.
func (w writer) beginning(name string, flags uint32, dims ...int) []byte {
	body := w.element(miUint32, w.order.AppendUint32(w.order.AppendUint32(nil, flags), 0))
	var raw []byte
	for _, n := range dims {
		raw = w.order.AppendUint32(raw, uint32(n))
	}
	return append(append(body, w.fitting(miInt32, raw)...), w.fitting(miInt8, []byte(name))...)
}

// array is a variable whose numbers are stored in one of the types.
func (w writer) array(name string, c class, k kind, numbers []float64, dims ...int) []byte {
	body := append(w.beginning(name, uint32(c), dims...), w.fitting(k, w.numbers(k, numbers))...)
	return w.element(miMatrix, body)
}

func (w writer) numbers(k kind, numbers []float64) []byte {
	var data []byte
	for _, v := range numbers {
		switch k {
		case miInt8:
			data = append(data, byte(int8(v)))
		case miUint8:
			data = append(data, byte(v))
		case 3:
			data = w.order.AppendUint16(data, uint16(int16(v)))
		case 4:
			data = w.order.AppendUint16(data, uint16(v))
		case miInt32:
			data = w.order.AppendUint32(data, uint32(int32(v)))
		case miUint32:
			data = w.order.AppendUint32(data, uint32(v))
		case 7:
			data = w.order.AppendUint32(data, math.Float32bits(float32(v)))
		case 9:
			data = w.order.AppendUint64(data, math.Float64bits(v))
		case 12:
			data = w.order.AppendUint64(data, uint64(int64(v)))
		case 13:
			data = w.order.AppendUint64(data, uint64(v))
		}
	}
	return data
}

// compressed packs an element as MATLAB 7 does, without padding.
func (w writer) compressed(element []byte) []byte {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(element) // a bytes.Buffer takes everything
	_ = z.Close()
	return append(w.tag(miCompressed, packed.Len()), packed.Bytes()...)
}
