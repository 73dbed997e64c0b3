package visualize

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/network"
)

const (
	// sweepsPerRun is how many sweeps the device makes at most between two looks
	// at the context and two reports of progress, see pace.
	sweepsPerRun = 20
	// maxChunkChains keeps such a run to a few seconds on any device; it is
	// enough to keep a large one busy, since a sweep is two products.
	maxChunkChains = 1 << 12
)

// Sample draws samples of what a unit of a Deep Belief Net stands for (section
// 4 of the paper): of p(x | h_i = 1) in the net made of layers 1..Layer.
//
// Layers Layer-1 and Layer are an RBM. In it, every chain of every unit does
// block Gibbs sampling from a random start, with the unit held at 1 and nothing
// else ([engine.Gibbs]). After BurnIn sweeps, every Every-th sweep gives one
// sample: the states h_{Layer-1} of that sweep are taken down by ancestral
// sampling, h_{l-1} ~ p(. | h_l), to the first layer, and from there to the input
// by p(x | h_1), of which the probabilities (or Gaussian means) are kept, not a
// draw.
//
// Random numbers belong to (seed, layer, unit, chain, sweep). So a sample is the
// same to the bit whatever other units, chains or sweeps are asked for, however
// the chains are cut into chunks, and with any number of threads.
//
// With more than one of Temperatures, a chain is tempered (Swendsen and Wang, 1986): it
// has replicas at higher temperatures, on the way from the model to units that know
// nothing of each other, which the unit is held in too, and neighbours change places by
// the rule of Metropolis after every second sweep. So a chain comes from one mode to
// another that it would not reach by itself, for the cost of as many chains as there are
// temperatures. Where on the way they are is found by short runs of free chains, so that
// all neighbours change places equally often.
//
// As many chains again run with no unit held: their mean is what the net
// produces by itself, against which the units' samples are compared, see
// [Mixing].
//
// As many chains are on the device at a time as about half of its free memory
// holds, up to a limit. Where that proves too many, they begin anew, half as many at
// a time. Only if a single one does not fit is that an error, wrapping
// [engine.ErrOutOfMemory].
//
// Only a Deep Belief Net has the generative half that this needs: the model of
// another kind, and one that a classifier has been trained on top of, are
// errors. progress is told how many sweeps have been made, summed over chains;
// nil if nobody wants to know. When ctx ends, Sample stops within about a second,
// or a sweep that takes longer, and returns an error that wraps the context's.
func Sample(ctx context.Context, d engine.Device, n *network.Network, o SampleOptions, progress func(done, total int)) (result *SampleResult, err error) {
	if err := o.check(n); err != nil {
		return nil, fmt.Errorf("sample: %w", err)
	}
	s, err := newSampler(ctx, d, n, o)
	if err != nil {
		return nil, fmt.Errorf("sample: layer %d: %w", o.Layer, err)
	}
	defer closeInto(&err, s)
	if progress != nil {
		most := 0 // a chunk that is done anew takes nothing back
		s.progress = func() {
			most = max(most, s.done)
			progress(most, s.rows()*s.rowSweeps())
		}
	}
	if err := s.run(); err != nil {
		return nil, fmt.Errorf("sample: layer %d: %w", o.Layer, err)
	}
	if result, err = s.conclude(n); err != nil {
		return nil, fmt.Errorf("sample: layer %d: %w", o.Layer, err)
	}
	return result, nil
}

// sampler runs the chains of one layer, chunk by chunk. Its rows are the chains
// of the first unit, then those of the second, ..., then the free ones.
type sampler struct {
	ctx     context.Context
	device  engine.Device
	options SampleOptions
	chains  int // of each unit
	width   int // units of the layer; as a unit's number it means the free chains
	inputs  int
	plan    engine.Gibbs
	ladder  *ladder
	below   *descent
	samples []float32 // [units+1, samples, inputs], the free ones last
	shown   []float32 // what the chains of a chunk show, [rows, inputs]
	pace    pace
	climbs  []climb // [rows] of tempered chains

	done     int    // sweeps, summed over chains
	progress func() // nil if nobody wants to know
}

func newSampler(ctx context.Context, d engine.Device, n *network.Network, o SampleOptions) (s *sampler, err error) {
	layers, err := n.Stack(o.Layer)
	if err != nil {
		return nil, err
	}
	top := layers[o.Layer-1]
	bias, err := dense.Data(n.Layers[o.Layer-1].VisibleBias)
	if err != nil {
		return nil, err
	}
	s = &sampler{
		ctx: ctx, device: d, options: o, pace: pace{most: sweepsPerRun}, chains: o.chains(), width: top.Weight.Rows, inputs: layers[0].Weight.Cols,
		plan: engine.Gibbs{Layer: top, VisibleBias: bias, Visible: visibleKind(n, o.Layer), Seed: o.Seed},
	}
	s.samples = make([]float32, (len(o.Units)+1)*o.Samples*s.inputs)
	path, betas, err := chooseLadder(ctx, d, s.plan, o)
	if err != nil {
		return nil, err
	}
	if s.ladder, err = newLadder(d, path, betas); err != nil {
		return nil, err
	}
	s.climbs = make([]climb, s.rows())
	if s.below, err = newDescent(d, n, o); err != nil {
		closeInto(&err, s.ladder)
		return nil, memory.Explain(d, "the layers", smaller, err)
	}
	return s, nil
}

// Close gives the device's memory back.
func (s *sampler) Close() (err error) {
	closeInto(&err, s.ladder)
	closeInto(&err, s.below)
	return err
}

// visibleKind is what the inputs of a layer are: only the data can be real.
func visibleKind(n *network.Network, layer int) engine.VisibleKind {
	if layer == 1 {
		return n.Visible
	}
	return engine.Bernoulli
}

func (s *sampler) rows() int { return (len(s.options.Units) + 1) * s.chains }

// chunkRows is how many chains to have on the device at a time.
func (s *sampler) chunkRows() int {
	if s.options.ChunkRows > 0 {
		return min(s.options.ChunkRows, s.rows())
	}
	return fittingRows(s.device, s.rows(), int(s.rowBytes()/4), maxChunkChains)
}

// rowBytes is about what a chain takes on the device.
func (s *sampler) rowBytes() int64 {
	// Hidden states, those held, visible states, means, and at most one more
	// of each of the layers below.
	w := s.plan.Layer.Weight
	numbers := 2*w.Rows + 3*w.Cols + 2*s.inputs
	if rungs := len(s.ladder.betas); rungs > 1 {
		numbers += (rungs-1)*(w.Rows+w.Cols) + w.Cols
	}
	return 4 * int64(numbers)
}

// rowSweeps is how many sweeps a chain's replicas make together.
func (s *sampler) rowSweeps() int { return s.options.sweeps() * len(s.ladder.betas) }

// row names chain i: the unit it holds, -1 for none, and its identity.
func (s *sampler) row(i int) (unit int, key uint64) {
	owner, chain := i/s.chains, i%s.chains
	if owner == len(s.options.Units) {
		return -1, engine.RowKey(s.options.Layer, s.width, chain)
	}
	unit = s.options.Units[owner]
	return unit, engine.RowKey(s.options.Layer, unit, chain)
}

// run runs all chains and fills samples.
func (s *sampler) run() error {
	return inChunks(s.device, s.rows(), s.chunkRows(), s.rowBytes(), s.runChunk)
}

// runChunk runs chains from..to-1.
func (s *sampler) runChunk(from, to int) (err error) {
	s.done = from * s.rowSweeps()
	n := to - from
	clamp, keys := make([]int, n), make([]uint64, n)
	for k := range n {
		clamp[k], keys[k] = s.row(from + k)
	}
	if err := s.below.makeRoom(n); err != nil {
		return err
	}
	s.shown = slices.Grow(s.shown[:0], n*s.inputs)[:n*s.inputs]
	chains, err := newClimbers(s.ladder, clamp, keys)
	if err != nil {
		return err
	}
	defer closeInto(&err, chains)
	state := chains.states[0]
	if s.options.Layer == 1 {
		// Without layers below, what p(v|h) was drawn from is what is shown.
		if state.Means, err = s.device.New(len(clamp), s.inputs); err != nil {
			return err
		}
	}
	if err := s.sweep(chains, s.options.BurnIn); err != nil {
		return err
	}
	chains.forget()
	for moment := range s.options.moments() {
		if err := s.sweep(chains, s.options.Every); err != nil {
			return err
		}
		shown := state.Means
		if s.options.Layer > 1 {
			if shown, err = s.below.run(state.Visible, keys, state.Sweeps); err != nil {
				return err
			}
		}
		if err := shown.Read(s.shown); err != nil {
			return err
		}
		s.keep(s.shown, from, moment)
	}
	for i := range n {
		s.climbs[from+i] = chains.climb(i)
	}
	return nil
}

// sweep makes so many sweeps more.
func (s *sampler) sweep(chains *climbers, sweeps int) error {
	for sweeps > 0 {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		now, began := min(sweeps, s.pace.next()), time.Now()
		done, err := chains.Run(now)
		if err != nil {
			return err
		}
		s.pace.took(now, time.Since(began))
		sweeps -= done.Sweeps
		s.done += int(done.ChainSweeps)
		if s.progress != nil {
			s.progress()
		}
	}
	return nil
}

// keep stores what the chains from row from on show at a moment.
func (s *sampler) keep(x []float32, from, moment int) {
	for i := from; len(x) > 0; i++ {
		owner, chain := i/s.chains, i%s.chains
		// The last moment may be asked for fewer samples than there are chains.
		if number := moment*s.chains + chain; number < s.options.Samples {
			at := (owner*s.options.Samples + number) * s.inputs
			copy(s.samples[at:at+s.inputs], x)
		}
		x = x[s.inputs:]
	}
}

// descent is ancestral sampling from the states of one layer down to the input.
type descent struct {
	device   engine.Device
	matrices engine.Matrices
	room     engine.Matrices // of one chunk
	seed     uint64
	layer    int            // of the units that are sampled
	levels   []descentLevel // the highest first
}

// descentLevel is p(h_{number-1} | h_number).
type descentLevel struct {
	number      int           // of the layer that it leads down from
	weight      engine.Matrix // [units, inputs]
	visibleBias engine.Matrix // [1, inputs]
	out         engine.Matrix // [rows, inputs]
	real        bool          // the inputs are Gaussian
}

// newDescent puts the layers below o.Layer on the device.
func newDescent(d engine.Device, n *network.Network, o SampleOptions) (*descent, error) {
	s := &descent{device: d, seed: o.Seed, layer: o.Layer}
	for number := o.Layer - 1; number >= 1; number-- {
		if err := s.add(n, number); err != nil {
			closeInto(&err, s)
			return nil, fmt.Errorf("layer %d: %w", number, err)
		}
	}
	return s, nil
}

func (s *descent) add(n *network.Network, number int) error {
	l := n.Layers[number-1]
	weight, err := dense.Host(l.Weight)
	if err != nil {
		return err
	}
	bias, err := dense.Data(l.VisibleBias)
	if err != nil {
		return err
	}
	level := descentLevel{number: number, real: visibleKind(n, number) == engine.Gaussian}
	if level.weight, err = s.matrices.Upload(s.device, weight); err != nil {
		return err
	}
	if level.visibleBias, err = s.matrices.Upload(s.device, engine.Host{Rows: 1, Cols: len(bias), Data: bias}); err != nil {
		return err
	}
	s.levels = append(s.levels, level)
	return nil
}

// makeRoom prepares for runs of so many rows.
func (s *descent) makeRoom(rows int) error {
	if err := s.room.Close(); err != nil {
		return err
	}
	for i, l := range s.levels {
		out, err := s.room.New(s.device, rows, l.weight.Cols())
		if err != nil {
			return err
		}
		s.levels[i].out = out
	}
	return nil
}

// Close gives the device's memory back.
func (s *descent) Close() error {
	err := s.room.Close()
	closeInto(&err, &s.matrices)
	return err
}

// run goes down from states h of layer s.layer-1 and returns E[x | h_1], valid
// until the next run. keys are the chains', sweep says when.
func (s *descent) run(h engine.Matrix, keys []uint64, sweep uint32) (engine.Matrix, error) {
	for _, l := range s.levels {
		out, err := l.out.Slice(0, h.Rows())
		if err != nil {
			return nil, err
		}
		p := engine.Multiply(false, false)
		p.Epilogue.Bias = l.visibleBias
		switch {
		case l.number > 1:
			p.Epilogue.Kind = engine.EpilogueBernoulli
			// One step for each layer within a sweep; see SampleOptions.check.
			p.Epilogue.At = engine.Stream{Seed: s.seed, Purpose: engine.PurposeAncestral, Step: sweep*uint32(s.layer) + uint32(l.number), Keys: keys}
		case !l.real:
			p.Epilogue.Kind = engine.EpilogueSigmoid
		}
		if err := s.device.Gemm(out, h, l.weight, p); err != nil {
			return nil, fmt.Errorf("down from layer %d: %w", l.number, err)
		}
		h = out
	}
	return h, nil
}
