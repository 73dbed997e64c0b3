package array

import "math"

// floats turns stored numbers into float32. Whole numbers beyond 2^24 and
// float64 are rounded to nearest.
func (t Type) floats(dst []float32, src []byte) {
	switch {
	case t.Kind == Float && t.Size == 4:
		for i := range dst {
			dst[i] = math.Float32frombits(t.Order.Uint32(src[4*i:]))
		}
	case t.Kind == Float && t.Size == 8:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(t.Order.Uint64(src[8*i:])))
		}
	case t.Kind == Unsigned && t.Size == 8:
		for i := range dst {
			dst[i] = float32(t.Order.Uint64(src[8*i:]))
		}
	default:
		for i := range dst {
			dst[i] = float32(t.integer(src[t.Size*i:]))
		}
	}
}

// truths turns truth values into 0 and 1: any byte but 0 is true.
func truths(dst, src []byte) {
	for i, b := range src {
		dst[i] = min(b, 1)
	}
}

func (t Type) integers(dst []int64, src []byte) {
	for i := range dst {
		dst[i] = t.integer(src[t.Size*i:])
	}
}

// integer is the first whole number of src. Unsigned numbers from 2^63 on come
// out negative; they are no labels anyone has.
func (t Type) integer(src []byte) int64 {
	var bits uint64
	switch t.Size {
	case 1:
		bits = uint64(src[0])
	case 2:
		bits = uint64(t.Order.Uint16(src))
	case 4:
		bits = uint64(t.Order.Uint32(src))
	default:
		bits = t.Order.Uint64(src)
	}
	if t.Kind == Unsigned {
		return int64(bits)
	}
	unused := 64 - 8*t.Size
	return int64(bits<<unused) >> unused
}
