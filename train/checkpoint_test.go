package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// parts is a checkpoint's file taken to pieces.
type parts struct {
	tensors  map[string]safetensors.Tensor
	metadata map[string]string
}

func takeApart(t testing.TB, file []byte) parts {
	t.Helper()
	f, err := safetensors.Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	p := parts{map[string]safetensors.Tensor{}, maps.Clone(f.Metadata)}
	for _, name := range f.Names() {
		if p.tensors[name], err = f.Tensor(name); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p parts) bytes(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := safetensors.Write(&b, slices.Collect(maps.Values(p.tensors)), p.metadata); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (p parts) set(name string, shape ...int) {
	size := 1
	for _, n := range shape {
		size *= n
	}
	p.tensors[name] = safetensors.Tensor{Name: name, Shape: shape, Data: make([]float32, size)}
}

// TestCheckpointHostile changes a good file in one way after another.
func TestCheckpointHostile(t *testing.T) {
	d, set := settest.Device(t), settest.Greys(45, 12, 5)
	o := dbn(9, 6)
	o.Persistent, o.Chains, o.Centered = true, 5, true
	var k Keep
	mustTrain(t, d, set, nil, o, Hooks{Checkpoint: k.Checkpoint}, 1024)
	file := k.Files[4] // in layer 2
	for name, test := range map[string]struct {
		change func(parts)
		want   string
	}{
		"unchanged":         {func(p parts) {}, ""},
		"another format":    {func(p parts) { p.metadata["format"] = "unitscope/1" }, `checkpoint: format is "unitscope/1", want "unitscope-checkpoint/1"`},
		"no layer":          {func(p parts) { delete(p.metadata, "layer") }, `checkpoint: layer is "", want a whole number from 1 to 255`},
		"layer 0":           {func(p parts) { p.metadata["layer"] = "0" }, `checkpoint: layer is "0"`},
		"layer 3":           {func(p parts) { p.metadata["layer"] = "3" }, `checkpoint: layers.3.weight is missing`},
		"layer 1":           {func(p parts) { p.metadata["layer"] = "1" }, `checkpoint: velocity.weight has shape [6 9], want [9 12]`},
		"layer 1e9":         {func(p parts) { p.metadata["layer"] = "1000000000" }, `checkpoint: layer is "1000000000"`},
		"updates":           {func(p parts) { p.metadata["updates"] = "-1" }, `checkpoint: updates is "-1"`},
		"too many updates":  {func(p parts) { p.metadata["updates"] = "22" }, `resume: the checkpoint has done 22 updates of layer 2, there are 21`},
		"squared error":     {func(p parts) { p.metadata["squared_error"] = "NaN" }, `checkpoint: squared_error is "NaN"`},
		"examples":          {func(p parts) { p.metadata["examples"] = "x" }, `checkpoint: examples is "x"`},
		"missing tensor":    {func(p parts) { delete(p.tensors, "layers.1.bias") }, `checkpoint: layers.1.bias is missing`},
		"missing velocity":  {func(p parts) { delete(p.tensors, "velocity.bias") }, `checkpoint: velocity.bias is missing`},
		"missing chains":    {func(p parts) { delete(p.tensors, "chains") }, `resume: the checkpoint has 0 chains, want 5`},
		"chains too narrow": {func(p parts) { p.set("chains", 5, 5) }, `checkpoint: chains has shape [5 5], want [5 6]`},
		"chains too many":   {func(p parts) { p.set("chains", 6, 6) }, `resume: the checkpoint has 6 chains, want 5`},
		"missing activity":  {func(p parts) { delete(p.tensors, "activity") }, `resume: tensor activity is there: false, want true`},
		"missing center":    {func(p parts) { delete(p.tensors, "center") }, `resume: tensor center is there: false, want true`},
		"activity shape":    {func(p parts) { p.set("activity", 5) }, `checkpoint: activity has shape [5], want [6]`},
		"center shape":      {func(p parts) { p.set("center", 1, 9) }, `checkpoint: center has shape [1 9], want [9]`},
		"no dimensions":     {func(p parts) { p.set("layers.1.weight") }, `checkpoint: layers.1.weight has shape [], want two dimensions`},
		"one dimension":     {func(p parts) { p.set("layers.2.weight", 54) }, `checkpoint: layers.2.weight has shape [54], want two dimensions`},
		"empty":             {func(p parts) { p.set("layers.1.weight", 0, 12) }, `checkpoint: layers.1.weight has shape [0 12], want two dimensions`},
		"layers disagree":   {func(p parts) { p.set("layers.2.weight", 6, 8) }, `checkpoint: layers.2.weight has shape [6 8], want [6 9]`},
		"another width": {func(p parts) {
			p.set("layers.1.weight", 9, 11)
			p.set("layers.1.visible_bias", 11)
		}, `resume: weight of layer 1 is 9x11 in the checkpoint, want 9x12`},
		"bias shape":     {func(p parts) { p.set("layers.1.bias", 3, 3) }, `checkpoint: layers.1.bias has shape [3 3], want [9]`},
		"NaN":            {func(p parts) { p.tensors["velocity.weight"].Data[3] = float32(math.NaN()) }, `checkpoint: velocity.weight: NaN or Inf`},
		"infinity":       {func(p parts) { p.tensors["layers.1.weight"].Data[3] = float32(math.Inf(1)) }, `checkpoint: layers.1.weight: NaN or Inf`},
		"unknown tensor": {func(p parts) { p.set("surprise", 1) }, `checkpoint: unknown tensor "surprise"`},
		"option":         {func(p parts) { p.metadata["option.batch"] = "1" }, `resume: batch "7": the checkpoint was made with "1"`},
		"another option": {func(p parts) { p.metadata["option.x"] = "1" }, `resume: x "": the checkpoint was made with "1"`},
	} {
		t.Run(name, func(t *testing.T) {
			p := takeApart(t, file)
			test.change(p)
			changed := p.bytes(t)
			f, err := safetensors.Read(bytes.NewReader(changed), int64(len(changed)))
			if err != nil {
				t.Fatal(err)
			}
			c, err := ReadCheckpoint(f)
			if err == nil {
				_, err = Train(context.Background(), d, set, nil, o, Hooks{}, c)
			}
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// FuzzReadCheckpoint reads hostile files. What is accepted must survive
// writing and reading again.
func FuzzReadCheckpoint(f *testing.F) {
	d := settest.Device(f)
	o := dbn(3, 2)
	o.Persistent, o.Chains, o.Batch, o.Centered = true, 2, 4, true
	var k Keep
	mustTrain(f, d, settest.Greys(8, 4, 5), nil, o, Hooks{Checkpoint: k.Checkpoint}, 1024)
	for _, file := range k.Files {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		source, err := safetensors.Read(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		c, err := ReadCheckpoint(source)
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := c.write(&first); err != nil {
			t.Fatal(err)
		}
		if err := readBack(t, first.Bytes()).write(&second); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Error("written and read, it changed")
		}
	})
}

// TestCheckpointsWithoutMemory reads files that are as long as they say, with layers
// that no machine has the memory for. An allocation would end the test's process.
func TestCheckpointsWithoutMemory(t *testing.T) {
	if _, ok := memory.Available(); !ok {
		t.Skip("how much memory is left is not known here")
	}
	const size = 1 << 42
	header := fmt.Sprintf(`{"__metadata__":{"format":"%%s","layer":"1","updates":"0","examples":"0","squared_error":"0","judged":"0","errors":"0","loss":"0"},`+
		`"layers.1.weight":{"dtype":"F32","shape":[1024,1073741824],"data_offsets":[0,%d]}}`, size)
	for format, read := range map[string]func(*safetensors.File) error{
		checkpointFormat: func(f *safetensors.File) error { _, err := ReadCheckpoint(f); return err },
		fineTuneFormat:   func(f *safetensors.File) error { _, err := ReadFineTuneCheckpoint(f); return err },
	} {
		path, text := filepath.Join(t.TempDir(), "checkpoint"), fmt.Sprintf(header, format)
		file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, int64(len(file))+size); err != nil {
			t.Skipf("no files with holes here: %v", err)
		}
		f, err := safetensors.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(read(f), f.Close())
		if !errors.Is(err, engine.ErrOutOfMemory) || !strings.Contains(err.Error(), `tensor "layers.1.weight": 4096.0 GiB are needed`) {
			t.Errorf("%s: %v", format, err)
		}
	}
}
