package visualize

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
)

// SampleResult is what [Sample] drew: U units, N samples of each, D components.
// Components are probabilities where the model's inputs are Bernoulli, and
// means, in the model's own input space, where they are Gaussian.
type SampleResult struct {
	Layer   int
	Visible engine.VisibleKind // of the inputs
	Shape   []int              // of one sample, as the model's input; nil if it has none
	Units   []int              // [U]
	Chains  int                // of each unit; sample n is from chain n%Chains
	// Samples [U, N, D] are the samples.
	Samples *tensor.Dense
	// Mean [U, D] is the mean of each unit's samples, E[x | h_i = 1].
	Mean *tensor.Dense
	// FreeMean [D] is the mean of N samples of as many chains without a unit
	// held: what the net produces by itself.
	FreeMean *tensor.Dense
	// Temperatures are the inverse ones of tempered chains, from 1 to 0; nil for plain
	// chains.
	Temperatures []float64
	// Mixing [U] says how far to trust the samples.
	Mixing []Mixing
	// Data is what samples have been held against, and Agreement [U] the outcome, see
	// [SampleResult.Hold]; both nil until then.
	Data      *DataMeans
	Agreement []Agreement
}

// UnitPatterns are the mean of each unit's samples.
func (r *SampleResult) UnitPatterns() Patterns { return r.patterns("means of samples", r.Mean) }

// SamplePatterns are the samples.
func (r *SampleResult) SamplePatterns() Patterns { return r.patterns("samples", r.Samples) }

func (r *SampleResult) patterns(name string, data *tensor.Dense) Patterns {
	p := Patterns{Name: name, Data: data, Shape: r.Shape, Units: r.Units}
	p.Low, p.High = given(r.Visible)
	return p
}

// conclude works out what needs all samples of a unit.
func (s *sampler) conclude(n *network.Network) (*SampleResult, error) {
	o, units := s.options, len(s.options.Units)
	r := &SampleResult{
		Layer: o.Layer, Visible: n.Visible, Shape: slices.Clone(n.InputShape),
		Units: slices.Clone(o.Units), Chains: s.chains, Mixing: make([]Mixing, units),
	}
	if o.tempered() {
		r.Temperatures = slices.Clone(s.ladder.betas)
	}
	means := make([]float32, 0, (units+1)*s.inputs)
	for u := range units + 1 {
		mean, err := s.mean(s.of(u))
		if err != nil {
			return nil, err
		}
		means = append(means, mean...)
	}
	free := means[units*s.inputs:]
	compare, err := newComparison(s.device, min(o.Samples, maxMixing), s.inputs)
	if err != nil {
		return nil, fmt.Errorf("comparing samples: %w", err)
	}
	defer closeInto(&err, compare)
	for u := range units {
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		samples, err := compare.samples(s.of(u), free, s.chains)
		if err != nil {
			return nil, fmt.Errorf("comparing samples of unit %d: %w", o.Units[u], err)
		}
		r.Mixing[u] = samples.mixing(o.Cosine)
		source := engine.NewSource(o.Seed, engine.PurposeChance, 0, engine.RowKey(o.Layer, o.Units[u], 0))
		r.Mixing[u].Acceptance, r.Mixing[u].RoundTrips = tempering(s.climbs[u*s.chains : (u+1)*s.chains])
		r.Mixing[u].Chance = chanceOf(s.of(u), s.of(units), s.chains, s.inputs, source)
	}
	var errs [3]error
	r.Samples, errs[0] = dense.Of(s.samples[:units*o.Samples*s.inputs], units, o.Samples, s.inputs)
	r.Mean, errs[1] = dense.Of(means[:units*s.inputs], units, s.inputs)
	r.FreeMean, errs[2] = dense.Of(free, s.inputs)
	return r, errors.Join(errs[:]...)
}

// of are the samples [N, D] of a unit by its place, the free ones after the last.
func (s *sampler) of(place int) []float32 {
	size := s.options.Samples * s.inputs
	return s.samples[place*size : (place+1)*size]
}

// mean is of samples [_, D], which must be finite.
func (s *sampler) mean(samples []float32) ([]float32, error) {
	sum := make([]float64, s.inputs)
	rows := 0
	for row := range slices.Chunk(samples, s.inputs) {
		for j, x := range row {
			sum[j] += float64(x)
		}
		rows++
	}
	mean := make([]float32, s.inputs)
	for j, x := range sum {
		if x-x != 0 {
			return nil, fmt.Errorf("component %d of the samples: %w; the weights are too large, as from training at too high a learning rate", j, engine.ErrNotFinite)
		}
		mean[j] = float32(x / float64(rows))
	}
	return mean, nil
}

// comparison compares the samples of one unit with each other, on the device.
type comparison struct {
	engine.Matrices
	device       engine.Device
	inputs       int
	x, products  engine.Matrix // [n, inputs], [n, n]
	host, square []float32     // their numbers
}

func newComparison(d engine.Device, n, inputs int) (c *comparison, err error) {
	c = &comparison{device: d, inputs: inputs, host: make([]float32, n*inputs), square: make([]float32, n*n)}
	if c.x, err = c.New(d, n, inputs); err == nil {
		c.products, err = c.New(d, n, n)
	}
	if err != nil {
		closeInto(&err, c)
		return nil, err
	}
	return c, nil
}

// samples takes in the first samples [_, D] of a unit, as many as there is room
// for. free is the free mean.
func (c *comparison) samples(samples, free []float32, chains int) (*samplesOf, error) {
	samples = samples[:len(c.host)]
	n := c.x.Rows()
	s := &samplesOf{n: n, chains: chains, total: make([]float64, n), square: make([]float64, n), along: make([]float64, n)}
	centre := make([]float64, c.inputs)
	for i := range n {
		for j, x := range samples[i*c.inputs : (i+1)*c.inputs] {
			x := float64(x)
			centre[j] += x
			s.total[i] += x
			s.square[i] += x * x
		}
	}
	for j := range centre {
		centre[j] /= float64(n)
		away := centre[j] - float64(free[j])
		s.offset += away * away
	}
	for k, x := range samples {
		i, j := k/c.inputs, k%c.inputs
		own := float64(x) - centre[j]
		c.host[k] = float32(own)
		s.along[i] += own * (centre[j] - float64(free[j]))
	}
	var err error
	s.gram, err = c.gram()
	return s, err
}

// gram returns the inner products of the rows of host.
func (c *comparison) gram() ([]float64, error) {
	if err := c.x.Write(c.host); err != nil {
		return nil, err
	}
	if err := c.device.Gemm(c.products, c.x, c.x, engine.Multiply(false, true)); err != nil {
		return nil, err
	}
	if err := c.products.Read(c.square); err != nil {
		return nil, err
	}
	gram := make([]float64, len(c.square))
	for i, x := range c.square {
		if x-x != 0 {
			return nil, fmt.Errorf("products: %w", engine.ErrNotFinite)
		}
		gram[i] = float64(x)
	}
	return gram, nil
}

// WriteArrays writes samples.npz: units [U], samples [U, N, D], mean [U, D] and
// free_mean [D], and where samples have been held against data, data_mean [U, D] and
// data_free_mean [D], and of tempered chains inverse_temperatures [T]. Numbers are float32 or int64. The same result gives the same
// bytes.
func (r *SampleResult) WriteArrays(w io.Writer) error {
	a := newArchive(w)
	a.ints(schema.Units, r.Units, len(r.Units))
	a.floats(schema.Samples, r.Samples)
	a.floats(schema.Mean, r.Mean)
	a.floats(schema.FreeMean, r.FreeMean)
	if r.Data != nil {
		a.floats(schema.DataMean, r.Data.Mean)
		a.floats(schema.DataFreeMean, r.Data.FreeMean)
	}
	if r.Temperatures != nil {
		a.float64s(schema.InverseTemperatures, r.Temperatures)
	}
	return a.Close()
}

// WriteTable writes mixing.csv: a line of names, then a line per unit with the
// numbers of its [Mixing] and, if there is one, of its [Agreement]. A number that is NaN
// is left empty.
func (r *SampleResult) WriteTable(w io.Writer) error {
	if len(r.Mixing) != len(r.Units) {
		return fmt.Errorf("write table of mixing: %d units, %d rows", len(r.Units), len(r.Mixing))
	}
	var rows [][]string
	for i, m := range r.Mixing {
		row := []string{strconv.Itoa(r.Units[i])}
		for _, s := range []Statistic{m.Total, m.First, m.Second} {
			row = append(row, numberText(s.RHat))
		}
		for _, s := range []Statistic{m.Total, m.First, m.Second} {
			row = append(row, numberText(s.Autocorrelation))
		}
		agreed := Agreement{math.NaN(), math.NaN()}
		if r.Agreement != nil {
			agreed = r.Agreement[i]
		}
		acceptance, trips := math.NaN(), math.NaN()
		if r.Temperatures != nil {
			acceptance, trips = m.Acceptance, m.RoundTrips
		}
		rows = append(rows, append(row, strconv.Itoa(m.Modes), numberText(m.MainMode), numberText(m.Concentration), numberText(m.Chance),
			numberText(agreed.Correlation), numberText(agreed.Distance),
			numberText(m.Effective), numberText(acceptance), numberText(trips)))
	}
	return writeRows(w, "mixing", schema.Columns(schema.MixingTable), rows)
}
