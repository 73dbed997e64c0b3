package pickle_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/network/torch/internal/pickle"
)

// host knows the name "m.f", which returns its arguments, and keeps nothing outside.
type host struct{}

func (host) Known(g pickle.Global) error {
	if g != (pickle.Global{Module: "m", Name: "f"}) {
		return fmt.Errorf("%s is not known", g)
	}
	return nil
}

func (host) Call(_ pickle.Global, arguments pickle.Tuple) (any, error) { return arguments, nil }

func (host) Persistent(id any) (any, error) {
	if id != "here" {
		return nil, errors.New("nothing is outside")
	}
	return int64(7), nil
}

func values() map[string]any {
	return map[string]any{
		"N.":                 nil,
		"\x80\x02\x88.":      true,
		"\x89.":              false,
		"K\xff.":             int64(255),
		"M\xff\xff.":         int64(65535),
		"J\xff\xff\xff\xff.": int64(-1),
		"\x8a\x00.":          int64(0),
		"\x8a\x01\xff.":      int64(-1),
		"\x8a\x02\x00\x80.":  int64(-32768),
		"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.": int64(math.MaxInt64),
		"\x8a\x0a0123456789.":                       pickle.Long("0123456789"),
		"G?\xf8\x00\x00\x00\x00\x00\x00.":           1.5,
		"X\x02\x00\x00\x00\xc3\xa4.":                "ä",
		"\x8c\x01a.":                                "a",
		"\x8d\x01\x00\x00\x00\x00\x00\x00\x00a.":    "a",
		"U\x01a.":                                   "a",
		"T\x01\x00\x00\x00a.":                       "a",
		"C\x01a.":                                   pickle.Opaque{What: "bytes"},
		"B\x01\x00\x00\x00a.":                       pickle.Opaque{What: "bytes"},
		").":                                        pickle.Tuple{},
		"K\x01\x85.":                                pickle.Tuple{int64(1)},
		"K\x01K\x02\x86.":                           pickle.Tuple{int64(1), int64(2)},
		"K\x01K\x02N\x87.":                          pickle.Tuple{int64(1), int64(2), nil},
		"(K\x01(K\x02tt.":                           pickle.Tuple{int64(1), pickle.Tuple{int64(2)}},
		"]K\x01a.":                                  &pickle.List{Items: []any{int64(1)}},
		"](K\x01K\x02e.":                            &pickle.List{Items: []any{int64(1), int64(2)}},
		"}K\x01Ns.":                                 &pickle.Dict{Entries: []pickle.Entry{{Key: int64(1)}}},
		"}(K\x01NK\x01Nu.":                          &pickle.Dict{Entries: []pickle.Entry{{Key: int64(1)}, {Key: int64(1)}}},
		"}}b.":                                      &pickle.Dict{},
		"K\x01q\x05r\x06\x00\x00\x00\x94h\x05j\x06\x00\x00\x00h\x02\x87.": pickle.Tuple{int64(1), int64(1), int64(1)},
		"K\x01N0.":                               int64(1),
		"K\x01(NN1.":                             int64(1),
		"\x95\x00\x00\x00\x00\x00\x00\x00\x00N.": nil,
		"cm\nf\n.":                               pickle.Global{Module: "m", Name: "f"},
		"\x8c\x01m\x8c\x01f\x93K\x05\x85R.":      pickle.Tuple{int64(5)},
		"\x8c\x04hereQ.":                         int64(7),
	}
}

func TestValues(t *testing.T) {
	for text, want := range values() {
		got, length, err := pickle.Load([]byte(text+"more"), host{})
		if err != nil || !reflect.DeepEqual(got, want) || length != len(text) {
			t.Errorf("%q is %v of %d bytes (%v), want %v", text, got, length, err, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":           "ends too early",
		"N":          "ends too early",
		".":          "stack is empty",
		"(.":         "stack is empty",
		"\x80\x06N.": "protocol 6",
		"cos\nsystem\nX\x04\x00\x00\x00true\x85R.": "byte 0: os.system is not known",
		"\x8c\x02os\x8c\x06system\x93.":            "os.system is not known",
		"X\xff\xff\xff\xff.":                       "ends too early",
		"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.":    "ends too early",
		"B\xff\xff\xff\xff.":                       "ends too early",
		"\x8a\xff.":                                "ends too early",
		"X\x01\x00\x00\x00\xff.":                   "not UTF-8",
		"c\xff\n\n.":                               "not UTF-8",
		"cos":                                      "ends too early",
		"h\x01.":                                   "value 1, which was not kept",
		"NK\x01a.":                                 "adds to None as to a list",
		"NK\x01K\x02s.":                            "puts 2 keys and values into None",
		"}(K\x01u.":                                "puts 1 keys and values into a dictionary",
		"N(K\x01K\x02s.":                           "stack is empty", // values below a mark are not taken
		"t.":                                       "no mark",
		"NNR.":                                     "calls None with None",
		"cm\nf\n]R.":                               "calls m.f with a list",
		"NNb.":                                     "gives attributes to None",
		"NQ.":                                      "nothing is outside",
		"NN\x93.":                                  "None and None where",
		"I1\n.":                                    "instruction 0x49",
		"(cm\nf\no.":                               "instruction 0x6f",
		"cm\nf\n)\x81.":                            "instruction 0x81",
		strings.Repeat("N0", 1<<20) + ".":          "more than 2097152 instructions",
	} {
		if v, _, err := pickle.Load([]byte(text), host{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q is %v, %v, want an error with %q", text, v, err, want)
		}
	}
}

// A list that holds itself is read, and can be described.
func TestCircle(t *testing.T) {
	v, _, err := pickle.Load([]byte("]q\x00h\x00a."), host{})
	l, ok := v.(*pickle.List)
	if err != nil || !ok || l.Items[0] != any(l) || pickle.Describe(v) != "a list" {
		t.Errorf("%v", err)
	}
}

func FuzzLoad(f *testing.F) {
	for text := range values() {
		f.Add([]byte(text))
	}
	f.Add([]byte("]q\x00h\x00a."))
	f.Fuzz(func(t *testing.T, text []byte) {
		v, length, err := pickle.Load(text, host{})
		if err == nil && (length > len(text) || pickle.Describe(v) == "") {
			t.Errorf("%d bytes of %d", length, len(text))
		}
	})
}
