package visualize

import (
	"context"
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/network"
)

// Gradients returns the gradients [U, D] of the activations of units of a layer,
// each at its own point: the data [U, D] of at are the points of its units.
// They are what the first step of an ascent from there follows (section 3 of
// the paper). A unit may be named several times. When ctx ends before the work
// begins, the error wraps the context's.
func Gradients(ctx context.Context, d engine.Device, n *network.Network, layer int, at Patterns) (_ *tensor.Dense, err error) {
	units := at.Units
	if err := n.CheckLayer(layer); err != nil {
		return nil, fmt.Errorf("gradients: %w", err)
	}
	for _, u := range units {
		if width := n.Sizes()[layer]; u < 0 || u >= width {
			return nil, fmt.Errorf("gradients: unit %d: layer %d has %d units, 0..%d", u, layer, width, width-1)
		}
	}
	inputs := n.Sizes()[0]
	points, err := patternsOf("gradients", at.Data, len(units), inputs)
	if err != nil {
		return nil, err
	}
	net, err := n.Upto(layer, nil)
	if err != nil {
		return nil, fmt.Errorf("gradients: layer %d: %w", layer, err)
	}
	model, err := engine.Load(d, net)
	if err != nil {
		return nil, fmt.Errorf("gradients: layer %d: %w", layer, memory.Explain(d, "the layers", smaller, err))
	}
	defer closeInto(&err, model)
	gradients := make([]float32, len(points))
	floats := 2 * rowFloats(n, layer, 0)
	rows := fittingRows(d, len(units), floats, maxChunkRows)
	err = inChunks(d, len(units), rows, 4*int64(floats), func(from, to int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return gradientRows(d, model, units[from:to], points[from*inputs:to*inputs], gradients[from*inputs:to*inputs])
	})
	if err != nil {
		return nil, fmt.Errorf("gradients: layer %d: %w", layer, err)
	}
	return dense.Of(gradients, len(units), inputs)
}

// gradientRows computes the gradients at points [n, D] of n units of a model's last value.
func gradientRows(d engine.Device, model *engine.Model, units []int, points, gradients []float32) (err error) {
	var m engine.Matrices
	defer closeInto(&err, &m)
	inputs := model.Net().Input.Size()
	x, err := m.Upload(d, engine.Host{Rows: len(units), Cols: inputs, Data: points})
	if err != nil {
		return err
	}
	g, err := m.New(d, len(units), inputs)
	if err != nil {
		return err
	}
	top := engine.Value(len(model.Net().Ops))
	goals, rows := goals(units, func(u int) engine.Goal { return engine.UnitGoal(top, u) }, 1)
	if _, err := model.Gradient(g, x, goals, rows); err != nil {
		return err
	}
	return g.Read(gradients)
}

// CombinationLink measures the link between activation maximization and the
// linear combination of filters (section 5 of the paper): the cosine [U]
// between the gradient that the first step of an ascent follows where x is small
// (x = 0, the limit) and the combination of all units below. The two differ by
// the derivatives of the sigmoids on the way only: where no unit below is
// saturated at x = 0, these are all alike and the cosine is near 1. In layer 1
// it is 1. It is NaN where the gradient or the combination is 0.
func CombinationLink(ctx context.Context, d engine.Device, n *network.Network, layer int, units []int) ([]float64, error) {
	combination, err := Combine(ctx, d, n, CombineOptions{Layer: layer, Units: units})
	if err != nil {
		return nil, fmt.Errorf("link of section 5: %w", err)
	}
	origin, err := dense.New(len(units), n.Sizes()[0])
	if err != nil {
		return nil, fmt.Errorf("link of section 5: %w", err)
	}
	gradients, err := Gradients(ctx, d, n, layer, Patterns{Data: origin, Units: units})
	if err != nil {
		return nil, fmt.Errorf("link of section 5: %w", err)
	}
	return rowCosines(gradients, combination.Patterns)
}

// rowCosines is the cosine between each row of a and of b, both [n, D]; NaN
// where one of them is 0.
func rowCosines(a, b *tensor.Dense) ([]float64, error) {
	n, components := a.Shape()[0], a.Shape()[1]
	x, err := patternsOf("cosines", a, n, components)
	if err != nil {
		return nil, err
	}
	y, err := patternsOf("cosines", b, n, components)
	if err != nil {
		return nil, err
	}
	cosines := make([]float64, n)
	for i := range cosines {
		cosines[i] = knownCosine(x[i*components:(i+1)*components], y[i*components:(i+1)*components])
	}
	return cosines, nil
}

// knownCosine is NaN where one of the vectors is 0.
func knownCosine(a, b []float32) float64 {
	if norm64(a) == 0 || norm64(b) == 0 {
		return math.NaN()
	}
	return float64(cosine(a, b))
}

func norm64(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

// Concentration says how concentrated the samples [U, N, D] of each unit are
// (section 4 of the paper: where p(x | h_i = 1) has one narrow mode, its mean is
// near the pattern of the ascent): the mean cosine [U] between two different
// samples, 1 if all are the same. It is NaN for a single sample. A sample of
// zeros has cosine 0 with all others.
func Concentration(samples *tensor.Dense) ([]float64, error) {
	if samples == nil || samples.Dims() != 3 {
		return nil, fmt.Errorf("concentration: want samples [units, samples, components]")
	}
	units, n, components := samples.Shape()[0], samples.Shape()[1], samples.Shape()[2]
	data, err := dense.Data(samples)
	if err != nil {
		return nil, fmt.Errorf("concentration: %w", err)
	}
	concentration := make([]float64, units)
	for u := range units {
		if n == 1 {
			concentration[u] = math.NaN()
			continue
		}
		// The squared norm of the sum of unit vectors counts each pair twice and
		// each vector once.
		sum, own := make([]float64, components), 0.0
		for k := range n {
			x := data[(u*n+k)*components : (u*n+k+1)*components]
			norm := norm64(x)
			if norm == 0 {
				continue
			}
			own++
			for j, v := range x {
				sum[j] += float64(v) / norm
			}
		}
		total := 0.0
		for _, v := range sum {
			total += v * v
		}
		concentration[u] = (total - own) / (float64(n) * float64(n-1))
	}
	return concentration, nil
}
