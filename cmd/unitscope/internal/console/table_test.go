package console

import (
	"bytes"
	"testing"
)

func TestWriteTable(t *testing.T) {
	for _, c := range []struct {
		name string
		rows [][]string
		want string
	}{
		{"numbers", [][]string{{"NAME", "N", "SHARE"}, {"a", "1", "9.5 %"}, {"longer", "100", "-"}}, "" +
			"NAME      N  SHARE\n" +
			"a         1  9.5 %\n" +
			"longer  100      -\n"},
		{"a remark", [][]string{{"DEVICE", "WHAT", "N"}, {"cuda:0", "can't be used: it is not there"}, {"cpu", "Xeon", "12"}}, "" +
			"DEVICE  WHAT   N\n" +
			"cuda:0  can't be used: it is not there\n" +
			"cpu     Xeon  12\n"},
		{"no rows", [][]string{{"A", "B"}}, "A  B\n"},
		{"wide letters", [][]string{{"É", "X"}, {"ρ", "y"}}, "É  X\nρ  y\n"},
	} {
		var got bytes.Buffer
		if err := WriteTable(&got, c.rows); err != nil || got.String() != c.want {
			t.Errorf("%s: error %v, got\n%swant\n%s", c.name, err, &got, c.want)
		}
	}
}
