package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"

	_ "github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
)

// rows is a data set in memory.
type rows struct {
	info dataset.Info
	data []float32
}

func (r *rows) Info() dataset.Info      { return r.info }
func (r *rows) Len() int                { return len(r.data) / r.info.Size() }
func (r *rows) Label(int) (int, bool)   { return 0, false }
func (r *rows) Close() error            { return nil }
func (r *rows) example(i int) []float32 { return r.data[i*r.info.Size() : (i+1)*r.info.Size()] }

func (r *rows) Read(dst []float32, indices []int) error {
	for i, index := range indices {
		if index < 0 || index >= r.Len() {
			return fmt.Errorf("example %d of %d", index, r.Len())
		}
		copy(dst[i*r.info.Size():], r.example(index))
	}
	return nil
}

// barsAndStripes is every side x side picture whose rows are all on or off, and
// every one whose columns are, each once.
func barsAndStripes(side int) *rows {
	r := &rows{info: dataset.Info{Name: "bars", Shape: []int{side, side}, High: 1}}
	for direction := range 2 {
		for pattern := range 1 << side {
			if direction == 1 && (pattern == 0 || pattern == 1<<side-1) {
				continue
			}
			for i := range side * side {
				line := i / side
				if direction == 1 {
					line = i % side
				}
				r.data = append(r.data, float32(pattern>>line&1))
			}
		}
	}
	return r
}

// greys is n examples in [0, 1]: a bump of some height somewhere.
func greys(n, size int, seed uint64) *rows {
	r := &rows{info: dataset.Info{Name: fmt.Sprintf("greys:n=%d,seed=%d", n, seed), Shape: []int{size}, High: 1}}
	source := engine.NewSource(seed, engine.PurposeGlyph, 0, 0)
	for range n {
		center := source.IntN(size)
		height := 0.5 + source.Uniform()/2
		for j := range size {
			d := float64(j - center)
			r.data = append(r.data, float32(height*math.Exp(-d*d/4)))
		}
	}
	return r
}

// normals is n examples of Gaussian noise around a mean that differs by
// component: mean(j).
func normals(n, size int, mean func(j int) float64) *rows {
	r := &rows{info: dataset.Info{Name: "normals", Shape: []int{size}, Low: -10, High: 10}}
	source := engine.NewSource(3, engine.PurposeGlyph, 0, 0)
	for range n {
		for j := range size {
			r.data = append(r.data, float32(mean(j)+source.Normal()))
		}
	}
	return r
}

func device(t testing.TB) engine.Device {
	t.Helper()
	d, err := engine.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// mustTrain trains with chunks of about chunk examples, and returns the model.
func mustTrain(t testing.TB, d engine.Device, set, held dataset.Set, o Options, h Hooks, chunk int) *network.Network {
	t.Helper()
	tr, err := newTrainer(d, set, held, o, h)
	if err != nil {
		t.Fatal(err)
	}
	tr.chunk = chunk
	n, err := tr.run(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// modelBytes is a model's file.
func modelBytes(t testing.TB, n *network.Network) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := n.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readBack(t testing.TB, file []byte) *Checkpoint {
	t.Helper()
	f, err := safetensors.Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := ReadCheckpoint(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// keep collects checkpoints' files.
type keep struct {
	files [][]byte
	// stop, if > 0, is the number of checkpoints after which the hook fails.
	stop int
}

var errStop = errors.New("the disk is full")

func (k *keep) checkpoint(write func(io.Writer) error) error {
	if k.stop > 0 && len(k.files) == k.stop {
		return errStop
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	k.files = append(k.files, b.Bytes())
	return nil
}

// dbn, sdae are small options for tests.
func dbn(units ...int) Options {
	o := Defaults(network.DBN, engine.Bernoulli, units...)
	o.Epochs, o.Batch, o.Momentum, o.Decay, o.Rates = []int{3}, 7, 0.8, 0, []float64{0.05}
	return o
}

func sdae(units ...int) Options {
	o := Defaults(network.SDAE, engine.Bernoulli, units...)
	o.Epochs, o.Batch, o.Momentum, o.Decay, o.Rates = []int{3}, 7, 0.8, 0, []float64{0.05}
	return o
}
