package array

import (
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine/half"
)

// floats turns stored numbers into float32. Whole numbers beyond 2^24 and
// float64 are rounded to nearest.
func (t Type) floats(dst []float32, src []byte) {
	switch {
	case t.Kind == Float && t.Size == 2:
		for i := range dst {
			dst[i] = half.Float32(t.Order.Uint16(src[2*i:]))
		}
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

// labels turns stored numbers into labels, of which the first is number from.
func (t Type) labels(dst []int32, src []byte, from int) error {
	for i := range dst {
		raw := src[i*t.Size:]
		label := 0.0 // has room for all whole numbers that a label can be
		switch {
		case t.Kind == Bool:
			label = float64(min(raw[0], 1))
		case t.Kind == Float && t.Size == 8:
			label = math.Float64frombits(t.Order.Uint64(raw))
		case t.Kind == Float:
			var single [1]float32
			t.floats(single[:], raw)
			label = float64(single[0])
		case t.Kind == Unsigned && t.Size == 8:
			label = float64(t.Order.Uint64(raw))
		default:
			label = float64(t.integer(raw))
		}
		if label != math.Trunc(label) || math.IsInf(label, 0) {
			return fmt.Errorf("label %d is %g, want whole numbers", from+i, label)
		}
		if label < math.MinInt32 || label > math.MaxInt32 {
			return fmt.Errorf("label %d is %g: out of range, want %d to %d", from+i, label, math.MinInt32, math.MaxInt32)
		}
		dst[i] = int32(label)
	}
	return nil
}

// integer is the first whole number of src, which is no uint64.
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
