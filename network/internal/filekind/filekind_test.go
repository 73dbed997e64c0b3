package filekind_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/network/internal/filekind"
)

// zipped is an archive of empty files.
func zipped(t testing.TB, names ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range names {
		if _, err := w.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func kinds(t testing.TB) map[string]filekind.Kind {
	return map[string]filekind.Kind{
		"":                     filekind.Empty,
		"\x00":                 filekind.Unknown,
		"\xff\xfe\x00\x00\x12": filekind.Unknown,

		"\x02\x00\x00\x00\x00\x00\x00\x00{}":                                         filekind.Safetensors,
		"\x80\x02\x00\x00\x00\x00\x00\x00{" + strings.Repeat(" ", 0x280):             filekind.Safetensors, // begins like a pickle
		"\x80\x02\x00\x00\x00\x00\x00\x00{":                                          filekind.Pickle,      // no room for that header
		zipped(t, "a/data.pkl", "a/data/0"):                                          filekind.Torch,
		zipped(t, "a/data.pkl", "a/constants.pkl"):                                   filekind.TorchScript,
		zipped(t, "a/archive_format", "a/data/weights/weights_config.json"):          filekind.TorchExport,
		zipped(t, "metadata.json", "config.json", "model.weights.h5"):                filekind.Keras,
		zipped(t, "x.npy", "y.npy"):                                                  filekind.Numpys,
		zipped(t, "x.npy", "y.txt"):                                                  filekind.Zip,
		zipped(t):                                                                    filekind.Zip,
		"PK\x03\x04":                                                                 filekind.Zip,
		"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.":                                   filekind.TorchLegacy,
		"\x80\x04\x95\r\x00\x00\x00\x00\x00\x00\x00\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.": filekind.TorchLegacy,
		"\x80\x04N.":            filekind.Pickle,
		"\x89HDF\r\n\x1a\n\x00": filekind.HDF5,
		"\x93NUMPY\x01\x00":     filekind.Numpy,
		"\x1f\x8b\x08\x00":      filekind.Gzip,
		"version https://git-lfs.github.com/spec/v1\n": filekind.Pointer,

		"a,b\n1,2\n":                                filekind.Text,
		"version 1\r\n":                             filekind.Text,
		"\ufeffÄpfel,\t2\n":                         filekind.Text,
		"a\x00b":                                    filekind.Unknown,
		strings.Repeat("a", 511) + "ä":              filekind.Text, // cut in the middle
		strings.Repeat("a", 510) + "\xc3":           filekind.Unknown,
		"\x08\x08\x12\x07pytorch:\x02\x01\x01B\x00": filekind.ONNX,
		"\x08\x08\x12\x07pytorch:\x03\x01\x01B\x00": filekind.Unknown, // a graph that takes what comes after it
		"\x08\x08\x12\x07pytorch:\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01\x01B\x00": filekind.Unknown,
		"\x08\x08\x12\x07pytorch": filekind.Unknown, // no graph
	}
}

func TestKinds(t *testing.T) {
	for file, want := range kinds(t) {
		if got, err := filekind.Of(strings.NewReader(file), int64(len(file))); got != want || err != nil {
			t.Errorf("%.40q is %v (%v), want %v", file, got, err, want)
		}
	}
}

func TestRecognise(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if k, err := filekind.Recognise(path); k.String() != "text" || err != nil {
		t.Errorf("%v, %v", k, err)
	}
	if _, err := filekind.Recognise(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("%v", err)
	}
}

func FuzzOf(f *testing.F) {
	for file := range kinds(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		k, err := filekind.Of(strings.NewReader(file), int64(len(file)))
		if err != nil || strings.HasPrefix(k.String(), "Kind(") {
			t.Errorf("%v, %v", k, err)
		}
	})
}
