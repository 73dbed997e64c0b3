package numpy

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseLiteral(t *testing.T) {
	for _, c := range []struct {
		text string
		want any
		err  string
	}{
		{"{}", map[string]any{}, ""},
		{"{'a': 1, \"b\": (True, False, None), }", map[string]any{"a": 1, "b": tuple{true, false, nil}}, ""},
		{"()", tuple(nil), ""},
		{"(1)", 1, ""},
		{"(1,)", tuple{1}, ""},
		{"((1, 2), [3, [], 4,])", tuple{tuple{1, 2}, list{3, list(nil), 4}}, ""},
		{" \t\n# a comment\n7 # the end", 7, ""},
		{"12L", 12, ""},
		{"-3", -3, ""},
		{"0x1F", 31, ""},
		{"'it''s' \"one\"", "itsone", ""},
		{`'\'\x41\u00e9\\'`, `'Aé\`, ""},
		{"u'unicode'", "unicode", ""},
		{"'on \\\nand on'", "on and on", ""},
		{"", nil, "it ends too early"},
		{"(1, 2", nil, "it ends too early"},
		{"(1 2)", nil, `"2)" where a comma or ) should be`},
		{"(,)", nil, `",)" is no value`},
		{"[1)", nil, `")" where a comma or ] should be`},
		{"{1: 2}", nil, "where a name and a colon should be"},
		{"{'a' 2}", nil, `"2}" where a name and a colon should be`},
		{"{'a': 2 'b': 3}", nil, `"'b': 3}" where a comma or } should be`},
		{"'open", nil, "a string does not end"},
		{"'over\nlines'", nil, "a string does not end"},
		{`'\q'`, nil, "is no character of a string"},
		{"07", nil, `"07" is no whole number`},
		{"1.5", nil, `".5" follows its end`},
		{"1e5", nil, `"1e5" is no whole number`},
		{"99999999999999999999", nil, "too large for this machine's address space"},
		{"true", nil, `"true" is no value`},
		{"1 2", nil, `"2" follows its end`},
		{strings.Repeat("(", 99), nil, "it is nested too deep"},
	} {
		got, err := parseLiteral(c.text)
		if c.err == "" && (err != nil || !reflect.DeepEqual(got, c.want)) {
			t.Errorf("%q: %#v, %v; want %#v", c.text, got, err, c.want)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q: %#v, %v; want an error with %s", c.text, got, err, c.err)
		}
	}
}

// python writes a value as Python's repr does.
func python(value any) string {
	switch v := value.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case string:
		return fmt.Sprintf("%+q", v)
	case tuple:
		return "(" + items(v) + ")"
	case list:
		return "[" + items(v) + "]"
	case map[string]any:
		var b strings.Builder
		for key, entry := range v {
			fmt.Fprintf(&b, "%+q: %s, ", key, python(entry))
		}
		return "{" + b.String() + "}"
	}
	return fmt.Sprint(value)
}

func items(values []any) string {
	var b strings.Builder
	for _, v := range values {
		b.WriteString(python(v) + ", ")
	}
	return b.String()
}

// FuzzLiteral: no panic, errors of one line, and a value that is written again means
// the same.
func FuzzLiteral(f *testing.F) {
	for _, text := range []string{
		"{'descr': '<f4', 'fortran_order': False, 'shape': (7, 12), }", "{'descr': [('a', '<f4'), ('b', '<i2', (3,))]}",
		"(7L, 0x12,)", "u'a' \"b\\x00\\u1234\\\n\"", "# comment\n[None]", "((((", "-1_0", "'\\'",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return // headers are decoded first
		}
		value, err := parseLiteral(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%q: an error of several lines: %v", text, err)
			}
			return
		}
		again, err := parseLiteral(python(value))
		if err != nil || !reflect.DeepEqual(again, value) {
			t.Errorf("%q is %#v, and %s is %#v, %v", text, value, python(value), again, err)
		}
	})
}
