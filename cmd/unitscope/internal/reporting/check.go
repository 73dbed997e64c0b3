package reporting

import (
	"fmt"
	"math"
	"os"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset/numpy"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/visualize"
)

// How far the numbers of a layer may be from those that the model's own framework has
// computed, as a share of the largest one: beyond float32's rounding there is a
// warning, and further away it is another network.
const (
	roundedAway  = 1e-4
	anotherModel = 1e-2
)

// savedNumbers are what the framework of a model has computed, of --check.
type savedNumbers struct {
	file   string
	inputs []float32     // [n, D]
	layers []savedLayers // in the file's order
}

type savedLayers struct {
	name    string // of the array
	layer   int
	numbers []float32 // [n, units], before the nonlinearity
}

// readCheck reads --check: an npz file with the inputs as x, and arrays that are called
// as the layers, or y for the last one.
func readCheck(path string, n *network.Network) (*savedNumbers, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--check: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("--check: %w", err)
	}
	archive, err := numpy.OpenArchive(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("--check %s: %w", path, err)
	}
	s := &savedNumbers{file: path}
	read := func(name string, columns int) ([]float32, error) {
		a, err := archive.Read(name)
		if err != nil {
			return nil, fmt.Errorf("--check %s: %w", path, err)
		}
		rows := 0
		if len(a.Shape) > 0 {
			rows = a.Shape[0]
		}
		if a.Floats == nil || rows == 0 || len(a.Floats) != rows*columns {
			return nil, usage.Mistakef("--check %s: array %q is %v, want floats [examples, %d]", path, name, a.Shape, columns)
		}
		return a.Floats, nil
	}
	if s.inputs, err = read("x", n.Sizes()[0]); err != nil {
		return nil, err
	}
	for _, name := range archive.Names() {
		if name == "x" {
			continue
		}
		layer := n.Depth()
		if name != "y" {
			if layer, err = n.FindLayer(name); err != nil {
				return nil, usage.Mistakef("--check %s: array %q: want x, y for the last layer, or a layer's name; the arrays are %.200q", path, name, archive.Names())
			}
		}
		numbers, err := read(name, n.Sizes()[layer])
		if err != nil {
			return nil, err
		}
		s.layers = append(s.layers, savedLayers{name, layer, numbers})
	}
	if len(s.layers) == 0 {
		return nil, usage.Mistakef("--check %s: it has inputs x alone, want y or arrays that are called as layers too", path)
	}
	return s, nil
}

// compare computes the same on a device, and says how far it is away.
func (s *savedNumbers) compare(j *job.Job, d engine.Device, n *network.Network) error {
	for _, l := range s.layers {
		got, err := visualize.Activations(d, n, l.layer, s.inputs)
		if err != nil {
			return fmt.Errorf("--check: layer %s: %w", n.LayerLabel(l.layer), err)
		}
		if len(got) != len(l.numbers) {
			return usage.Mistakef("--check %s: array %q is of another number of examples than x", s.file, l.name)
		}
		away := relativeDistance(got, l.numbers)
		about := fmt.Sprintf("--check: layer %s is within %.2g of %s, as a share of its largest number", n.LayerLabel(l.layer), away, s.file)
		switch {
		case !(away <= anotherModel):
			return fmt.Errorf("--check: layer %s differs from %s by %.2g of its largest number: what was read is another network than the one that made the file, or its inputs are prepared in another way; see --activation and --normalize", n.LayerLabel(l.layer), s.file, away)
		case away > roundedAway:
			j.Console.Warn("--check", "%s: more than rounding explains", about)
		default:
			j.Console.Say("%s", about)
		}
	}
	return nil
}

// relativeDistance is the largest difference over the largest absolute number; NaN if
// one of the differences is.
func relativeDistance(got, want []float32) float64 {
	away, largest := 0.0, math.SmallestNonzeroFloat32
	for i, w := range want {
		away = max(away, math.Abs(float64(got[i])-float64(w)))
		largest = max(largest, math.Abs(float64(w)))
	}
	return away / largest
}
