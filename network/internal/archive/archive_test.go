package archive_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/network/internal/archive"
)

// packed is an archive of files, "name=content".
func packed(t testing.TB, method uint16, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		name, content, _ := strings.Cut(f, "=")
		to, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(to, content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func open(t testing.TB, file []byte) *archive.Archive {
	t.Helper()
	a, err := archive.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestStored(t *testing.T) {
	a := open(t, packed(t, zip.Store, "b=two", "a=one"))
	if names := a.Names(); !slices.Equal(names, []string{"b", "a"}) || !a.Has("a") || a.Has("c") {
		t.Errorf("it has %q", names)
	}
	for range 9 { // more than the archive's size in all, were it counted each time
		s, err := a.Section("b")
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(io.NewSectionReader(s, 0, s.Size())); string(text) != "two" || err != nil {
			t.Fatalf("%q, %v", text, err)
		}
	}
	if text, err := a.Read("a", 3); string(text) != "one" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

func TestRefuses(t *testing.T) {
	bomb := open(t, packed(t, zip.Deflate, "big="+strings.Repeat("0", 1<<20)))
	damaged := packed(t, zip.Store, "a=one")
	damaged[bytes.Index(damaged, []byte("one"))] = 'O'
	plain := open(t, packed(t, zip.Store, "a=one"))
	same := packed(t, zip.Store, "a=one", "b=two")
	for _, c := range []struct {
		want string
		of   func() error
	}{
		{`"big" is longer than 1000 bytes`, func() error { _, err := bomb.Read("big", 1000); return err }},
		{`"big" is compressed`, func() error { _, err := bomb.Section("big"); return err }},
		{`"a": zip: checksum error`, func() error { _, err := open(t, damaged).Section("a"); return err }},
		{`"a": zip: checksum error`, func() error { _, err := open(t, damaged).Read("a", 9); return err }},
		{`"c" is missing`, func() error { _, err := plain.Section("c"); return err }},
		{`"c" is missing`, func() error { _, err := plain.Read("c", 9); return err }},
		{`"a" is in it twice`, func() error {
			file := bytes.ReplaceAll(same, []byte("b"), []byte("a"))
			_, err := archive.Open(bytes.NewReader(file), int64(len(file)))
			return err
		}},
		{"not a valid zip file", func() error { _, err := archive.Open(strings.NewReader("none"), 4); return err }},
	} {
		if err := c.of(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want an error with %q", err, c.want)
		}
	}
}

// Many files that are the same bytes, as an archive can claim, are not read over and
// over.
func TestOverlap(t *testing.T) {
	var files []string
	for i := range 4 {
		files = append(files, fmt.Sprintf("%d=%s", i, strings.Repeat("x", 1000)))
	}
	file := packed(t, zip.Store, files...)
	// All entries of the directory point to the first file, all names are as long.
	for from := 0; ; {
		at := bytes.Index(file[from:], []byte("PK\x01\x02"))
		if at < 0 {
			break
		}
		copy(file[from+at+42:], "\x00\x00\x00\x00")
		from += at + 4
	}
	// The three other bodies are cut out, so that the archive is shorter than what it
	// claims.
	directory := bytes.Index(file, []byte("PK\x01\x02"))
	second := bytes.Index(file[4:], []byte("PK\x03\x04")) + 4
	short := slices.Concat(file[:second], file[directory:])
	end := bytes.LastIndex(short, []byte("PK\x05\x06"))
	short[end+16], short[end+17] = byte(second), byte(second>>8)
	a := open(t, short)
	var err error
	for _, name := range a.Names() {
		if _, e := a.Section(name); e != nil {
			err = e
		}
	}
	if err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("%v, want an error", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(packed(f, zip.Store, "a=one", "b=two"))
	f.Add(packed(f, zip.Deflate, "a=one"))
	f.Fuzz(func(t *testing.T, file []byte) {
		a, err := archive.Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		var all int64
		for _, name := range a.Names() {
			if s, err := a.Section(name); err == nil {
				all += s.Size()
			}
			if text, err := a.Read(name, 1000); err == nil && len(text) > 1000 {
				t.Errorf("%d bytes of %q", len(text), name)
			}
		}
		if all > int64(len(file)) {
			t.Errorf("%d bytes of sections in %d", all, len(file))
		}
	})
}
