package network_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
)

// file is a model file in the making.
type file struct {
	tensors  map[string]safetensors.Tensor
	metadata map[string]string
}

// handmade is what a user writes in Python: two layers, 6 inputs, 3 and 2 units.
func handmade() file {
	return file{map[string]safetensors.Tensor{
		"layers.1.weight": {Shape: []int{3, 6}, Data: fill(18)},
		"layers.1.bias":   {Shape: []int{3}, Data: fill(3)},
		"layers.2.weight": {Shape: []int{2, 3}, Data: fill(6)},
		"layers.2.bias":   {Shape: []int{2}, Data: fill(2)},
	}, map[string]string{}}
}

func (f file) read(t testing.TB) (*network.Network, error) {
	return read(f.bytes(t))
}

func (f file) bytes(t testing.TB) []byte {
	t.Helper()
	var all []safetensors.Tensor
	for name, x := range f.tensors {
		x.Name = name
		all = append(all, x)
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, all, f.metadata); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (f file) set(name string, data []float32, shape ...int) {
	f.tensors[name] = safetensors.Tensor{Shape: shape, Data: data}
}

func TestDefaults(t *testing.T) {
	n, err := handmade().read(t)
	if err != nil {
		t.Fatal(err)
	}
	if n.Kind != network.MLP || n.Visible != engine.Bernoulli || n.Radius != 0 || n.Training != nil || n.Mean != nil || n.Scale != nil || n.Output != nil {
		t.Errorf("defaults are %+v", n)
	}
	if !slices.Equal(n.Sizes(), []int{6, 3, 2}) {
		t.Errorf("sizes %v", n.Sizes())
	}
	for inputs, want := range map[int][]int{1: {1}, 2: {2}, 4: {2, 2}, 6: {6}, 144: {12, 12}, 784: {28, 28}, 783: {783}, 48: {48}, 192: {192}, 193: {193}, 3072: {3072}} {
		f := file{tensors: map[string]safetensors.Tensor{}}
		f.set("layers.1.weight", fill(inputs), 1, inputs)
		f.set("layers.1.bias", fill(1), 1)
		n, err := f.read(t)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(n.InputShape, want) {
			t.Errorf("%d inputs: shape %v, want %v", inputs, n.InputShape, want)
		}
		if colours := inputs == 192 || inputs == 3072; colours != (len(n.Warnings) == 1 && strings.Contains(n.Warnings[0], `for colours say "3x`)) || !colours && n.Warnings != nil {
			t.Errorf("%d inputs: warnings %q", inputs, n.Warnings)
		}
	}
}

func nothingWarnedOf(n *network.Network) bool { return n.Warnings == nil }

func TestReadAccepts(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(f file)
		check  func(n *network.Network) bool
	}{
		{"framework's format", func(f file) { f.metadata["format"] = "pt" }, nothingWarnedOf},
		{"pandas' format", func(f file) { f.metadata["format"] = "pd" }, nothingWarnedOf},
		{"numpy's format", func(f file) { f.metadata["format"] = "numpy" }, nothingWarnedOf},
		{"no format", func(f file) { f.metadata["format"] = "" }, nothingWarnedOf},
		{"own format", func(f file) { f.metadata["format"] = "unitscope/1" }, nil},
		{"unknown metadata", func(f file) { f.metadata["author"] = "someone" }, func(n *network.Network) bool { return n.Training == nil }},
		{"sizes are not read", func(f file) { f.metadata["sizes"] = "1,2" }, nil},
		{"training's tensors", func(f file) {
			f.set("optimizer.0.exp_avg", fill(1), 1)
			f.set("epoch", fill(1))
			f.set("layers.1.bn.num_batches_tracked", fill(1))
			f.set("layers.1.gamma", nil, 0)
		}, func(n *network.Network) bool {
			return slices.Equal(n.Warnings, []string{`left out, as no layer computes with it: tensors "epoch", "layers.1.bn.num_batches_tracked", "layers.1.gamma" and 1 more`})
		}},
		{"linear without bias", func(f file) { delete(f.tensors, "layers.2.bias") }, func(n *network.Network) bool {
			return slices.Equal(n.Warnings, []string{"there is no layers.2.bias: its biases count as zeros"}) && slices.Equal(n.Layers[1].Bias.Data().([]float32), []float32{0, 0}) && len(n.Sizes()) == 3
		}},
		{"classifier without bias", func(f file) { f.set("output.weight", fill(8), 4, 2) }, func(n *network.Network) bool {
			return slices.Equal(n.Warnings, []string{"there is no output.bias: its biases count as zeros"}) && slices.Equal(n.Output.Bias.Data().([]float32), make([]float32, 4))
		}},
		{"rho 0", func(f file) { f.metadata["rho"] = "0" }, func(n *network.Network) bool {
			return n.Radius == 0 && slices.Equal(n.Warnings, []string{`rho is "0", which counts as not said`})
		}},
		{"rho", func(f file) { f.metadata["rho"] = "9.25" }, func(n *network.Network) bool { return n.Radius == 9.25 }},
		{"shape", func(f file) { f.metadata["input_shape"] = "1x3x2" }, func(n *network.Network) bool { return slices.Equal(n.InputShape, []int{1, 3, 2}) }},
		{"visible bias of one layer", func(f file) { f.set("layers.1.visible_bias", fill(6), 6) }, func(n *network.Network) bool { return n.Layers[0].VisibleBias != nil && n.Layers[1].VisibleBias == nil }},
		{"sdae without visible bias", func(f file) { f.metadata["kind"] = "sdae" }, func(n *network.Network) bool { return n.Kind == network.SDAE }},
		{"mean alone", func(f file) { f.set("input.mean", fill(6), 6) }, func(n *network.Network) bool { return n.Mean != nil && n.Scale == nil }},
		{"classifier", func(f file) { f.set("output.weight", fill(8), 4, 2); f.set("output.bias", fill(4), 4) }, func(n *network.Network) bool { return n.Output != nil }},
		{"fine-tuned dbn", func(f file) {
			f.metadata["kind"] = "dbn"
			f.set("output.weight", fill(8), 4, 2)
			f.set("output.bias", fill(4), 4)
		}, func(n *network.Network) bool { return n.Kind == network.DBN && n.Layers[0].VisibleBias == nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := handmade()
			c.change(f)
			n, err := f.read(t)
			if err != nil {
				t.Fatal(err)
			}
			if c.check != nil && !c.check(n) {
				t.Errorf("read %+v", n)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, c := range []struct {
		name   string
		change func(f file)
		say    string
	}{
		{"no layers", func(f file) { clear(f.tensors) }, "there are no layers: want tensors layers.1.weight"},
		{"no layer 1", func(f file) { delete(f.tensors, "layers.1.weight"); delete(f.tensors, "layers.1.bias") }, `layers.1.weight is missing, but there is "layers.2.bias"`},
		{"gap", func(f file) { f.set("layers.4.weight", fill(2), 1, 2) }, `layers.3.weight is missing, but there is "layers.4.weight"`},
		{"numbered from 0", func(f file) { f.set("layers.0.weight", fill(2), 1, 2) }, `but there is "layers.0.weight": layers are numbered from 1`},
		{"no weight", func(f file) { delete(f.tensors, "layers.2.weight") }, `layers.2.weight is missing, but there is "layers.2.bias"`},
		{"mistyped name", func(f file) { f.set("layers.1.wieght", fill(1), 1) }, `tensor "layers.1.wieght" is none of a model's: want only layers.N.weight`},
		{"mistyped bias", func(f file) {
			f.tensors["layers.1.bais"] = f.tensors["layers.1.bias"]
			delete(f.tensors, "layers.1.bias")
		}, `tensor "layers.1.bais" is none of a model's`},
		{"batch norm beside a layer", func(f file) {
			f.set("bn1.weight", fill(3), 3)
			f.set("bn1.bias", fill(3), 3)
			f.set("bn1.running_mean", fill(3), 3)
			f.set("bn1.running_var", fill(3), 3)
			f.set("bn1.num_batches_tracked", fill(1))
		}, `tensors "bn1.bias", "bn1.running_mean", "bn1.running_var" and 1 more are none of a model's: want only layers.N.weight, .bias, .visible_bias, input.mean, input.scale, output.weight and output.bias; save the file without the rest if the network computes without it`},
		{"batch norm in a layer", func(f file) { f.set("layers.2.gamma", fill(2), 2) }, `tensor "layers.2.gamma" is none`},
		{"a convolution", func(f file) { f.set("conv.weight", fill(9), 1, 1, 3, 3) }, `tensor "conv.weight" is none`},
		{"statistics of a layer", func(f file) { f.set("running_mean", fill(2), 2) }, `tensor "running_mean" is none`},
		{"a mask of whole numbers", func(f file) { f.set("mask", fill(6), 6) }, `tensor "mask" is none`},
		{"another's names", func(f file) { clear(f.tensors); f.set("fc1.weight", fill(6), 1, 6); f.set("fc1.bias", fill(1), 1) }, `want tensors layers.1.weight, layers.1.bias and so on; the file has tensors "fc1.bias", "fc1.weight"`},
		{"checkpoint", func(f file) { f.metadata["format"] = "unitscope-checkpoint/1" }, `format "unitscope-checkpoint/1": not a model but what interrupted training goes on from, with --resume`},
		{"another spelling", func(f file) { f.metadata["inputShape"] = "2x3" }, `metadata "inputShape" is not read: want "input_shape"`},
		{"another case", func(f file) { f.metadata["Rho"] = "3" }, `metadata "Rho" is not read: want "rho"`},
		{"activation by another name", func(f file) { f.metadata["hidden-activation"] = "relu" }, `metadata "hidden-activation" is "relu", want "activation" "sigmoid"`},
		{"number with zeros", func(f file) { f.set("layers.01.weight", fill(1), 1) }, `tensor "layers.01.weight" is none`},
		{"unknown input", func(f file) { f.set("input.std", fill(6), 6) }, `tensor "input.std" is none`},
		{"too many layers", func(f file) {
			for n := 3; n < 257; n++ {
				f.set(fmt.Sprintf("layers.%d.weight", n), fill(4), 2, 2)
			}
		}, `there is "layers.256.weight": want at most 255 layers`},
		{"long name", func(f file) { f.set("layers."+strings.Repeat("9", 1000), fill(6), 6) }, "is none of a model's"},
		{"weight of one dimension", func(f file) { f.set("layers.1.weight", fill(18), 18) }, "layers.1.weight has 1 dimensions, want [units, inputs]"},
		{"weight of three dimensions", func(f file) { f.set("layers.2.weight", fill(6), 2, 3, 1) }, "layers.2.weight has 3 dimensions"},
		{"weight empty", func(f file) { f.set("layers.1.weight", nil, 3, 0) }, "layers.1.weight: tensor of data: shape [3 0]"},
		{"weight a number", func(f file) { f.set("layers.1.weight", fill(1)) }, "layers.1.weight: tensor of data: a shape needs"},
		{"sizes do not chain", func(f file) { f.set("layers.2.weight", fill(8), 2, 4) }, "layers.2.weight is 2x4, but what is below it has 3 numbers"},
		{"bias length", func(f file) { f.set("layers.2.bias", fill(3), 3) }, "layers.2.bias holds 3 numbers for 2 units"},
		{"bias a matrix", func(f file) { f.set("layers.2.bias", fill(2), 2, 1) }, "layers.2.bias has 2 dimensions, want [2]"},
		{"visible bias length", func(f file) { f.set("layers.2.visible_bias", fill(2), 2) }, "layers.2.visible_bias holds 2 numbers for 3 inputs"},
		{"mean length", func(f file) { f.set("input.mean", fill(5), 5) }, "input.mean holds 5 numbers for 6 inputs"},
		{"scale a matrix", func(f file) { f.set("input.scale", fill(6), 2, 3) }, "input.scale has 2 dimensions"},
		{"classifier too wide", func(f file) { f.set("output.weight", fill(3), 1, 3); f.set("output.bias", fill(1), 1) }, "output.weight is 1x3, but what is below it has 2 numbers"},
		{"classifier without weight", func(f file) { f.set("output.bias", fill(2), 2) }, "output.weight is missing"},
		{"classifier with visible bias", func(f file) {
			f.set("output.weight", fill(2), 1, 2)
			f.set("output.bias", fill(1), 1)
			f.set("output.visible_bias", fill(2), 2)
		}, `tensor "output.visible_bias" is none`},
		{"NaN in a weight", func(f file) { f.tensors["layers.2.weight"].Data[4] = nan }, "layers.2.weight: NaN or Inf at index 4"},
		{"Inf in a bias", func(f file) { f.tensors["layers.1.bias"].Data[0], f.tensors["layers.1.bias"].Data[2] = inf, nan }, "layers.1.bias: NaN or Inf at index 0"},
		{"NaN in a mean", func(f file) { f.set("input.mean", []float32{0, 0, 0, 0, 0, nan}, 6) }, "input.mean: NaN or Inf at index 5"},
		{"unknown format", func(f file) { f.metadata["format"] = "unitscope/2" }, `unknown format "unitscope/2", want "unitscope/1"`},
		{"unknown activation", func(f file) { f.metadata["activation"] = "relu" }, `unknown activation "relu", want "sigmoid"`},
		{"unknown kind", func(f file) { f.metadata["kind"] = strings.Repeat("cnn\n", 1000) }, `unknown kind "cnn\ncnn`},
		{"empty kind", func(f file) { f.metadata["kind"] = "" }, `unknown kind ""`},
		{"unknown visible", func(f file) { f.metadata["visible"] = "Gaussian" }, `unknown visible "Gaussian", want "bernoulli" or "gaussian"`},
		{"dbn without visible bias", func(f file) { f.metadata["kind"] = "dbn"; f.set("layers.1.visible_bias", fill(6), 6) }, "layers.2.visible_bias is missing: every layer of a dbn needs one"},
		{"rho a word", func(f file) { f.metadata["rho"] = "nine" }, `rho "nine": want a finite number`},
		{"rho negative", func(f file) { f.metadata["rho"] = "-1" }, `rho "-1"`},
		{"rho NaN", func(f file) { f.metadata["rho"] = "NaN" }, `rho "NaN"`},
		{"rho infinite", func(f file) { f.metadata["rho"] = "1e999" }, `rho "1e999"`},
		{"rho empty", func(f file) { f.metadata["rho"] = "" }, `rho ""`},
		{"shape does not match", func(f file) { f.metadata["input_shape"] = "2x4" }, "layers.1.weight is 3x6, but what is below it has 8 numbers (want [units, 8]); that is the product of input_shape, [2 4]"},
		{"transposed", func(f file) {
			f.set("layers.1.weight", fill(18), 6, 3)
			f.set("layers.2.weight", fill(6), 3, 2)
		}, "layers.1.bias holds 3 numbers for 6 units; it looks like [inputs, units], as Keras has it: save the transposes, W.T"},
		{"transposed with a shape", func(f file) {
			f.metadata["input_shape"] = "2x3"
			f.set("layers.1.weight", fill(18), 6, 3)
		}, "layers.1.weight is 6x3, but what is below it has 6 numbers (want [units, 6]); it looks like [inputs, units]"},
		{"transposed without biases", func(f file) {
			clear(f.tensors)
			f.set("layers.1.weight", fill(18), 6, 3)
			f.set("layers.2.weight", fill(6), 3, 2)
		}, "layers.2.weight is 3x2, but what is below it has 6 numbers (want [units, 6]); it looks like [inputs, units]"},
		{"shape a word", func(f file) { f.metadata["input_shape"] = "2 x 3" }, `input_shape "2 x 3"`},
		{"shape empty", func(f file) { f.metadata["input_shape"] = "" }, `input_shape ""`},
		{"shape negative", func(f file) { f.metadata["input_shape"] = "-2x-3" }, `input_shape "-2x-3"`},
		{"shape zero", func(f file) { f.metadata["input_shape"] = "0x6" }, "input shape [0 6]"},
		{"shape overflows", func(f file) { f.metadata["input_shape"] = "2000000000x2000000000x2000000000" }, "input shape [2000000000"},
		{"shape long", func(f file) { f.metadata["input_shape"] = strings.Repeat("1x", 100_000) + "6" }, "input_shape"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := handmade()
			c.change(f)
			n, err := f.read(t)
			checkError(t, err, c.say)
			if n != nil {
				t.Error("there is a network beside the error")
			}
			if len(err.Error()) > 400 {
				t.Errorf("error of %d bytes: %.100s", len(err.Error()), err)
			}
			if strings.Contains(c.say, "NaN or Inf") && !errors.Is(err, engine.ErrNotFinite) {
				t.Errorf("%v is not engine.ErrNotFinite", err)
			}
		})
	}
}

// What is too wide is refused before any number of it is read.
func TestReadTooWide(t *testing.T) {
	for _, shape := range []string{"1,67108865", "67108865,1"} {
		header := fmt.Sprintf(`{"layers.1.weight":{"dtype":"F32","shape":[%s],"data_offsets":[0,268435460]}}`, shape)
		text := string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header
		f, err := safetensors.Read(strings.NewReader(text), int64(len(text))+268435460)
		if err != nil {
			t.Fatal(err)
		}
		_, err = network.Read(f)
		checkError(t, err, "want at most 67108864 inputs or units")
	}
}

// TestOtherTypes reads a model in other precisions than float32.
func TestOtherTypes(t *testing.T) {
	for dtype, ones := range map[string][]byte{
		"F64":  binary.LittleEndian.AppendUint64(nil, math.Float64bits(1)),
		"F16":  {0x00, 0x3c},
		"BF16": {0x80, 0x3f},
	} {
		size := len(ones)
		header := fmt.Sprintf(`{"layers.1.weight":{"dtype":%[1]q,"shape":[2,3],"data_offsets":[0,%[2]d]},"layers.1.bias":{"dtype":%[1]q,"shape":[2],"data_offsets":[%[2]d,%[3]d]}}`, dtype, 6*size, 8*size)
		b := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
		n, err := read(append(b, bytes.Repeat(ones, 8)...))
		if err != nil {
			t.Errorf("%s: %v", dtype, err)
			continue
		}
		for _, x := range append(numbers(t, n.Layers[0].Weight), numbers(t, n.Layers[0].Bias)...) {
			if x != 1 {
				t.Errorf("%s: read %g, want 1", dtype, x)
			}
		}
	}
}
