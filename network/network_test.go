package network_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
)

func checkError(t *testing.T, err error, say string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", say)
	}
	if !strings.Contains(err.Error(), say) {
		t.Errorf("error %q does not say %q", err, say)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q has more than one line", err)
	}
}

func of(t testing.TB, data []float32, shape ...int) *tensor.Dense {
	t.Helper()
	d, err := dense.Of(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func numbers(t testing.TB, d *tensor.Dense) []float32 {
	t.Helper()
	if d == nil {
		return nil
	}
	data, err := dense.Data(d)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// fill returns n numbers that differ, of size about 1.
func fill(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(math.Sin(float64(i*i + 1)))
	}
	return out
}

func untrained(t testing.TB, kind network.Kind, shape []int, units ...int) *network.Network {
	t.Helper()
	n, err := network.Untrained(kind, engine.Gaussian, shape, units, 7)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// full returns a network that uses everything a file can hold.
func full(t testing.TB, kind network.Kind) *network.Network {
	n := untrained(t, kind, []int{2, 3}, 5, 4, 3)
	n.Radius = 9.2123456789
	n.Mean, n.Scale = of(t, fill(6), 6), of(t, fill(6), 6)
	n.Output = &network.Layer{Weight: of(t, fill(6), 2, 3), Bias: of(t, fill(2), 2)}
	n.Training = map[string]string{"epochs": "10", "": "empty", "layer-lr": "0.1,0.2,ü"}
	return n
}

func write(t testing.TB, n *network.Network) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := n.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(b []byte) (*network.Network, error) {
	f, err := safetensors.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	return network.Read(f)
}

// plain turns a network into values that reflect.DeepEqual can compare.
func plain(t testing.TB, n *network.Network) map[string]any {
	t.Helper()
	all := map[string]any{"kind": n.Kind, "visible": n.Visible, "shape": n.InputShape, "rho": n.Radius, "training": n.Training}
	add := func(name string, d *tensor.Dense) {
		if d != nil {
			all[name], all[name+" shape"] = numbers(t, d), append([]int{}, d.Shape()...)
		}
	}
	for i, l := range n.Layers {
		add(fmt.Sprint(i, "weight"), l.Weight)
		add(fmt.Sprint(i, "bias"), l.Bias)
		add(fmt.Sprint(i, "visible"), l.VisibleBias)
	}
	add("mean", n.Mean)
	add("scale", n.Scale)
	if n.Output != nil {
		add("output weight", n.Output.Weight)
		add("output bias", n.Output.Bias)
	}
	return all
}

func TestRoundTrip(t *testing.T) {
	for _, kind := range []network.Kind{network.DBN, network.SDAE, network.MLP} {
		for _, n := range []*network.Network{full(t, kind), untrained(t, kind, []int{4}, 1)} {
			back, err := read(write(t, n))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := plain(t, back), plain(t, n); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: read %v\nwrote %v", kind, got, want)
			}
		}
	}
}

func TestSameModelSameBytes(t *testing.T) {
	want := write(t, full(t, network.DBN))
	for range 10 {
		if !bytes.Equal(write(t, full(t, network.DBN)), want) {
			t.Fatal("the bytes differ")
		}
	}
	// A weight that lies in memory in another way is the same model.
	n := full(t, network.DBN)
	weight := numbers(t, n.Layers[0].Weight)
	turned := make([]float32, len(weight))
	for i := range 5 {
		for j := range 6 {
			turned[j*5+i] = weight[i*6+j]
		}
	}
	n.Layers[0].Weight = of(t, turned, 6, 5)
	if err := n.Layers[0].Weight.T(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(write(t, n), want) {
		t.Error("a transposed weight gives other bytes")
	}
}

func TestMetadata(t *testing.T) {
	b := write(t, full(t, network.DBN))
	f, err := safetensors.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"format": "unitscope/1", "kind": "dbn", "visible": "gaussian", "activation": "sigmoid", "input_shape": "2x3",
		"rho": "9.2123456789", "sizes": "6,5,4,3", "training.epochs": "10", "training.": "empty", "training.layer-lr": "0.1,0.2,ü",
	}
	if !maps.Equal(f.Metadata, want) {
		t.Errorf("metadata %q, want %q", f.Metadata, want)
	}
	wantNames := []string{
		"input.mean", "input.scale", "layers.1.bias", "layers.1.visible_bias", "layers.1.weight", "layers.2.bias", "layers.2.visible_bias",
		"layers.2.weight", "layers.3.bias", "layers.3.visible_bias", "layers.3.weight", "output.bias", "output.weight",
	}
	if !slices.Equal(f.Names(), wantNames) {
		t.Errorf("names %q", f.Names())
	}
}

func TestDescribe(t *testing.T) {
	odd := handmade()
	odd.set("layers.2.weight", fill(6), 6)
	odd.metadata["kind"] = "cnn"
	for name, c := range map[string]struct {
		file []byte
		want network.Description
	}{
		"all that a file can hold":    {write(t, full(t, network.DBN)), network.Description{Kind: "dbn", Visible: "gaussian", InputShape: "2x3", Radius: "9.2123456789", Sizes: []int{6, 5, 4, 3}, Classes: 2}},
		"only what a file must have":  {handmade().bytes(t), network.Description{Sizes: []int{6, 3, 2}}},
		"what no reader takes":        {odd.bytes(t), network.Description{Kind: "cnn", Sizes: []int{6, 3}}},
		"tensors that are no layer's": {file{map[string]safetensors.Tensor{"bn.weight": {Shape: []int{1}, Data: fill(1)}}, nil}.bytes(t), network.Description{}},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := safetensors.Read(bytes.NewReader(c.file), int64(len(c.file)))
			if err != nil {
				t.Fatal(err)
			}
			if got := network.Describe(f); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, network.FileName)
	n := full(t, network.SDAE)
	save := func(b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := network.Load(dir)
	checkError(t, err, path)
	save(write(t, n))
	for _, from := range []string{path, dir, dir + "/"} {
		got, err := network.Load(from)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(plain(t, got), plain(t, n)) {
			t.Errorf("%s: another network", from)
		}
	}
	_, err = network.Load(filepath.Join(dir, "nothing"))
	checkError(t, err, filepath.Join(dir, "nothing"))
	f := handmade()
	f.set("layers.2.bias", fill(3), 3)
	save(f.bytes(t))
	_, err = network.Load(dir)
	checkError(t, err, path+": layers.2.bias holds 3 numbers for 2 units")
	save([]byte("#!/bin/sh\n"))
	_, err = network.Load(dir)
	checkError(t, err, path+": safetensors")
}

func TestCheck(t *testing.T) {
	empty := &network.Network{Kind: network.DBN, InputShape: []int{28, 28}}
	if err := empty.Check(); err != nil {
		t.Errorf("a network without layers: %v", err)
	}
	checkError(t, empty.Write(new(bytes.Buffer)), "write model: there are no layers")
	for _, c := range []struct {
		name   string
		change func(n *network.Network)
		say    string
	}{
		{"visible", func(n *network.Network) { n.Visible = 7 }, "unknown kind of visible units 7"},
		{"kind", func(n *network.Network) { n.Kind = "" }, `unknown kind ""`},
		{"no shape", func(n *network.Network) { n.InputShape = nil }, "input shape has 0 dimensions"},
		{"radius", func(n *network.Network) { n.Radius = math.NaN() }, "rho is NaN"},
		{"nil weight", func(n *network.Network) { n.Layers[1].Weight = nil }, "layers.2.weight is missing"},
		{"weight of float64", func(n *network.Network) {
			n.Layers[0].Weight = tensor.New(tensor.WithShape(5, 6), tensor.Of(tensor.Float64))
		}, "layers.1.weight: tensor holds numbers of type float64, want float32"},
		{"bias of int", func(n *network.Network) { n.Layers[0].Bias = tensor.New(tensor.WithShape(5), tensor.Of(tensor.Int)) }, "layers.1.bias: tensor holds"},
		{"classifier's visible bias", func(n *network.Network) { n.Output.VisibleBias = of(t, fill(3), 3) }, "the output layer has a visible bias"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := full(t, network.DBN)
			c.change(n)
			checkError(t, n.Check(), c.say)
			var b bytes.Buffer
			checkError(t, n.Write(&b), "write model: "+c.say)
			if b.Len() > 0 {
				t.Error("something was written")
			}
		})
	}
}

// FuzzRead reads hostile bytes as a model. What is read must pass Check and
// come back the same from what Write makes of it.
func FuzzRead(f *testing.F) {
	for _, kind := range []network.Kind{network.DBN, network.SDAE, network.MLP} {
		f.Add(write(f, full(f, kind)))
	}
	f.Add(handmade().bytes(f))
	classifier := handmade()
	classifier.set("output.weight", fill(8), 4, 2)
	classifier.set("output.bias", fill(4), 4)
	classifier.metadata["rho"], classifier.metadata["input_shape"] = "1e3", "3x2"
	f.Add(classifier.bytes(f))
	header := `{"layers.1.weight":{"dtype":"F16","shape":[1,1],"data_offsets":[0,2]},"layers.1.bias":{"dtype":"F64","shape":[1],"data_offsets":[2,10]}}`
	f.Add(append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), make([]byte, 10)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := read(b)
		if err != nil {
			if n != nil || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q with network %v", err, n)
			}
			return
		}
		if err := n.Check(); err != nil {
			t.Fatal(err)
		}
		written := write(t, n)
		again, err := read(written)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(plain(t, again), plain(t, n)) || !bytes.Equal(write(t, again), written) {
			t.Fatal("another network came back")
		}
	})
}
