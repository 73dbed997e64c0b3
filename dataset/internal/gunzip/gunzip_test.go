package gunzip_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/unitscope/unitscope/dataset/internal/gunzip"
)

func zipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unpack reads a whole gzipped file.
func unpack(file []byte) (text string, garbage bool, err error) {
	s, err := gunzip.NewStream(bufio.NewReader(iotest.HalfReader(bytes.NewReader(file))))
	if err != nil {
		return "", false, err
	}
	all, err := io.ReadAll(s)
	return string(all), s.Garbage(), err
}

// What follows the compressed data is taken as gzip(1) takes it.
func TestStream(t *testing.T) {
	hello, zeros := zipped(t, "hello"), make([]byte, 5000)
	checksum := bytes.Clone(hello)
	checksum[len(checksum)-6] ^= 1
	method := append(bytes.Clone(hello), 0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, c := range []struct {
		name    string
		file    []byte
		want    string
		garbage bool
		err     string
	}{
		{"alone", hello, "hello", false, ""},
		{"nothing", zipped(t, ""), "", false, ""},
		{"zeros", append(bytes.Clone(hello), zeros...), "hello", false, ""},
		{"one zero", append(bytes.Clone(hello), 0), "hello", false, ""},
		{"newline", append(bytes.Clone(hello), '\n'), "hello", true, ""},
		{"text", append(bytes.Clone(hello), "more text, and more"...), "hello", true, ""},
		{"zeros and text", append(append(bytes.Clone(hello), zeros...), 'x'), "hello", true, ""},
		{"zeros and a member", append(append(bytes.Clone(hello), 0), hello...), "hello", true, ""},
		{"half of a magic", append(bytes.Clone(hello), 0x1f), "hello", true, ""},
		{"two members", append(bytes.Clone(hello), zipped(t, ", world")...), "hello, world", false, ""},
		{"members and zeros", append(append(bytes.Clone(hello), zipped(t, "")...), zeros...), "hello", false, ""},
		{"cut", hello[:len(hello)-3], "hello", false, "unexpected EOF"},
		{"second member cut", append(bytes.Clone(hello), hello[:4]...), "hello", false, "unexpected EOF"},
		{"second member's header missing", append(bytes.Clone(hello), hello[:2]...), "hello", false, "unexpected EOF"},
		{"header cut", hello[:5], "", false, "truncated: it ends within its header"},
		{"checksum", checksum, "hello", false, "damaged: gzip: invalid checksum"},
		{"unknown method", method, "hello", false, "damaged: gzip: invalid header"},
		{"corrupt", append(bytes.Clone(hello[:10]), bytes.Repeat([]byte{0xff}, 40)...), "", false, "damaged: flate: corrupt input"},
	} {
		text, garbage, err := unpack(c.file)
		if text != c.want || garbage != c.garbage || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, garbage %t, error %v; want %q, %t, %s", c.name, text, garbage, err, c.want, c.garbage, c.err)
		}
	}
	broken := errors.New("broken")
	s, err := gunzip.NewStream(bufio.NewReader(io.MultiReader(bytes.NewReader(hello), iotest.ErrReader(broken))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(s); !errors.Is(err, broken) || strings.Contains(err.Error(), "damaged") {
		t.Errorf("a reader's own error becomes %v", err)
	}
}

// FuzzStream: no panic, and compress/gzip reads the same of files without what only
// gzip(1) takes.
func FuzzStream(f *testing.F) {
	hello := zipped(f, "hello")
	f.Add(hello)
	f.Add(append(bytes.Clone(hello), hello...))
	f.Add(append(bytes.Clone(hello), 0, 0))
	f.Add(append(bytes.Clone(hello), '\n'))
	f.Fuzz(func(t *testing.T, file []byte) {
		text, garbage, err := unpack(file)
		r, wantErr := gzip.NewReader(bytes.NewReader(file))
		if wantErr != nil {
			if err == nil {
				t.Fatalf("read %q, and gzip says %v", text, wantErr)
			}
			return
		}
		want, wantErr := io.ReadAll(r)
		if wantErr == nil && (err != nil || text != string(want) || garbage) {
			t.Errorf("%q, garbage %t, %v; want %q", text, garbage, err, want)
		}
		if wantErr != nil && err == nil && text != string(want) {
			t.Errorf("%q, want %q before %v", text, want, wantErr)
		}
	})
}
