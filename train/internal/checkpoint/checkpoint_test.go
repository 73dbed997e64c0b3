package checkpoint_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/train/internal/checkpoint"
)

// written is a checkpoint of a layer of 2 units and 3 inputs, as a file.
func written(t *testing.T) *safetensors.File {
	t.Helper()
	var l network.Layer
	var err error
	if l.Weight, err = dense.Of([]float32{1, 2, 3, 4, 5, 6}, 2, 3); err != nil {
		t.Fatal(err)
	}
	if l.Bias, err = dense.Of([]float32{7, 8}, 2); err != nil {
		t.Fatal(err)
	}
	w := checkpoint.NewWriter("tests/1", map[string]string{"batch": "7"})
	w.Whole("updates", 9)
	w.Number("loss", 0.1)
	w.Layers("best.", []network.Layer{l})
	var b bytes.Buffer
	if err := w.Write(&b); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestWrittenAndRead reads what was written.
func TestWrittenAndRead(t *testing.T) {
	r := checkpoint.NewReader(written(t))
	if s := r.Settings(); !maps.Equal(s, map[string]string{"batch": "7"}) {
		t.Errorf("settings %v", s)
	}
	if updates, loss := r.Count("updates"), r.Number("loss"); updates != 9 || loss != 0.1 {
		t.Errorf("%d updates, loss %g", updates, loss)
	}
	name := "best." + network.LayerName(1)
	if !r.Has(name+".weight") || !r.Has("loss") || r.Has(name+".visible_bias") {
		t.Error("not what was written")
	}
	l := r.Affine(name, r.Rows(name+".weight"), r.Columns(name+".weight"))
	if err := r.Finish(); err != nil {
		t.Fatal(err)
	}
	if w := l.Weight.Data().([]float32); len(w) != 6 || w[5] != 6 {
		t.Errorf("weight %v", w)
	}
}

// TestFirstError makes sure that a reader remembers the first error, and goes on
// without harm.
func TestFirstError(t *testing.T) {
	for name, c := range map[string]struct {
		read func(*checkpoint.Reader)
		want string
	}{
		"missing":  {func(r *checkpoint.Reader) { r.Rows("x"); r.Layer("best.layers.1", 9, 9) }, "checkpoint: x is missing"},
		"counter":  {func(r *checkpoint.Reader) { r.Whole("updates", 1, 8); r.Number("no") }, `checkpoint: updates is "9", want a whole number from 1 to 8`},
		"shape":    {func(r *checkpoint.Reader) { r.Affine("best.layers.1", 3, 2); r.Columns("x") }, "checkpoint: best.layers.1.weight has shape [2 3], want [3 2]"},
		"not read": {func(r *checkpoint.Reader) { r.Tensor("best.layers.1.bias", 2) }, `checkpoint: unknown tensor "best.layers.1.weight"`},
	} {
		r := checkpoint.NewReader(written(t))
		c.read(r)
		if err := r.Finish(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", name, err, c.want)
		}
	}
}
