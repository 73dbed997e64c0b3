package numpy

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// numberType understands what a header says of the type of its numbers, in any of the
// ways that numpy reads: "<f4", "f4", "=f4", "|u1", "?", "float32".
func numberType(descr any) (array.Type, error) {
	text, ok := descr.(string)
	if !ok {
		return array.Type{}, fmt.Errorf("numbers of %s: want whole or floating-point ones", structured(descr))
	}
	name := text
	t := array.Type{Order: binary.LittleEndian}
	if strings.HasPrefix(text, ">") {
		t.Order = binary.BigEndian
	}
	code := strings.TrimLeft(text, "<>=|")
	if spelled, ok := spelledTypes[text]; ok {
		code = spelled
	} else if len(text)-len(code) > 1 {
		code = "" // one order at most
	} else if single, ok := singleLetters[code]; ok {
		code = single
	}
	if code == "b1" {
		return array.Type{Kind: array.Bool, Size: 1, Order: t.Order}, nil
	}
	if parts := typeCode.FindStringSubmatch(code); parts != nil {
		t.Kind = array.Kind(parts[1][0])
		t.Size, _ = strconv.Atoi(parts[2])
		if known(t) {
			return t, nil
		}
	}
	return array.Type{}, fmt.Errorf("numbers of type %.40q%s: want b1, u1, u2, u4, u8, i1, i2, i4, i8, f2, f4 or f8", name, otherTypes(code))
}

var typeCode = regexp.MustCompile(`^([iuf])([0-9]{1,2})$`)

func known(t array.Type) bool {
	switch t.Size {
	case 1:
		return t.Kind != array.Float
	case 2, 4, 8:
		return true
	}
	return false
}

// singleLetters are the types that have one letter for the same size everywhere.
var singleLetters = map[string]string{
	"?": "b1",
	"b": "i1", "B": "u1",
	"h": "i2", "H": "u2",
	"i": "i4", "I": "u4",
	"q": "i8", "Q": "u8",
	"e": "f2", "f": "f4", "d": "f8",
}

// spelledTypes are the names of types that have the same size everywhere.
var spelledTypes = map[string]string{
	"bool": "b1", "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8",
	"uint8": "u1", "uint16": "u2", "uint32": "u4", "uint64": "u8",
	"byte": "i1", "ubyte": "u1", "short": "i2", "ushort": "u2", "intc": "i4", "uintc": "u4",
	"longlong": "i8", "ulonglong": "u8",
	"float16": "f2", "float32": "f4", "float64": "f8", "half": "f2", "single": "f4", "double": "f8", "float": "f8",
}

// otherTypes says in words what a type is that has no place among examples.
func otherTypes(code string) string {
	if code == "" {
		return ""
	}
	switch letter, size := code[0], strings.TrimLeft(code, "fg"); {
	case letter == 'f' && (size == "12" || size == "16") || code == "g" || code == "longdouble":
		return " (long double, which differs from machine to machine; save it as float64)"
	case letter == 'c' || letter == 'F' || letter == 'D' || letter == 'G':
		return " (complex numbers)"
	case letter == 'S' || letter == 'a' || letter == 'U':
		return " (text; if it is digits, save it with astype(int))"
	case letter == 'O':
		return " (Python's objects; if they are numbers, save them with astype(float), or labels with astype(int))"
	case letter == 'M' || letter == 'm':
		return " (times)"
	case letter == 'V':
		return " (raw bytes)"
	case strings.Contains("lLpPnN", code) || code == "int" || code == "uint" || code == "long" || code == "ulong":
		return " (whose size differs from machine to machine)"
	}
	return ""
}

const maxFields = 8 // shown in a message

// structured says what a type of several parts is.
func structured(descr any) string {
	fields, ok := descr.(list)
	if !ok {
		return "a type of arrays"
	}
	var names []string
	for _, f := range fields {
		if len(names) == maxFields {
			names = append(names, "...")
			break
		}
		if parts, ok := f.(tuple); ok && len(parts) > 0 {
			names = append(names, fmt.Sprintf("%.20q", fmt.Sprint(parts[0])))
		}
	}
	return "a structured type of fields " + strings.Join(names, ", ")
}
