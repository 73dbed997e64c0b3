package train

import (
	"fmt"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/engine/words"
)

// fewer is what to do about training that there is not enough memory for.
const fewer = "fewer or smaller layers, smaller batches"

// footprint is the most that a piece of work holds at a time, in float32: in this
// process, and as matrices and plans of a device, which may be in the same memory.
type footprint struct{ host, device float64 }

// check refuses what there is no memory for, before anything is allocated. The
// error says what the work is, which option asks for it, and what fewer of to use.
func (f footprint) check(d engine.Device, field, what, fewer string) error {
	info := d.Info()
	if info.Host {
		f.host += f.device
	} else if need := 4 * f.device; info.Memory > 0 && need > float64(info.Memory) {
		return words.BadOption(field, nil, "%s takes %s, %s has %s: %w; use %s, or the device cpu", what, memory.Text(uint64(need)), info.Name, memory.Text(uint64(info.Memory)), engine.ErrOutOfMemory, fewer)
	}
	if err := memory.CheckFloats(int(min(f.host, 1<<60)), 1); err != nil {
		return words.BadOption(field, nil, "%s: %w; use %s, or a machine with more memory", what, err, fewer)
	}
	return nil
}

// work is training a layer, for people.
func (t *trainer) work(layer int) string {
	return fmt.Sprintf("training layer %d of %d x %d weights", layer, t.options.Units[layer-1], t.inputs(layer))
}

// checkMemory refuses layers and chains that can't fit.
func (t *trainer) checkMemory() error {
	for layer := 1; layer <= len(t.options.Units); layer++ {
		all, chains := t.footprint(layer)
		if err := chains.check(t.device, "Chains", fmt.Sprintf("%s of layer %d", words.Count(t.options.chains(), "chain"), layer), "fewer chains"); err != nil {
			return err
		}
		if err := all.check(t.device, "Units", t.work(layer), fewer); err != nil {
			return err
		}
	}
	return nil
}

// footprint is what training a layer holds, and how much of that its chains are.
func (t *trainer) footprint(layer int) (all, chains footprint) {
	finished := 0.0
	rows := float64(min(t.chunkExamples(layer), t.set.Len()))
	for below := 1; below < layer; below++ {
		finished += float64(t.options.Units[below-1]) * float64(t.inputs(below))
		all.device += rows * float64(t.options.Units[below-1])
	}
	inputs, units := float64(t.inputs(layer)), float64(t.options.Units[layer-1])
	weights := inputs * units
	// Finished layers, and weights and velocity where a layer begins and when a
	// checkpoint is written. A checkpoint that training went on from may be there
	// too.
	all.host = finished + 4*weights
	// The finished layers encode. Weights and velocity, and in a plan both once more
	// and the weights' other direction or the gradient by itself.
	all.device += finished + 5*weights
	// Chunks of examples: on the device, two read ahead, and one of statistics.
	all.device += rows * float64(t.set.Info().Size())
	all.host += rows * (3*float64(t.set.Info().Size()) + inputs)
	// The rows of an update and of its model, as states and as two factors each.
	model := 2 * float64(t.options.batch(t.set.Len()))
	all.device += 3 * model * (inputs + units)
	chains.device = 4 * float64(t.options.chains()) * (inputs + units)
	chains.host = 2 * float64(t.options.chains()) * units
	all.host, all.device = all.host+chains.host, all.device+chains.device
	return all, chains
}

// chunkExamples is how many examples of a layer's training are on the device at a
// time.
func (t *trainer) chunkExamples(layer int) int {
	s := t.schedule(layer)
	return s.Chunk * s.Batch
}

// checkMemory refuses layers and batches that can't fit.
func (t *tuner) checkMemory() error {
	weights, width := 0.0, 0.0
	sizes := append(t.network.Sizes()[:len(t.network.Layers)+1], t.classes)
	for i, size := range sizes {
		width += float64(size)
		if i > 0 {
			weights += float64(size) * float64(sizes[i-1])
		}
	}
	rows, size := float64(t.schedule.Batch), float64(t.set.Info().Size())
	// What a layer puts out and the gradient of it, and the noise's choices.
	batch := footprint{device: 2 * rows * width, host: rows * float64(t.schedule.Chunk) * 3 * size}
	if err := batch.check(t.device, "Batch", fmt.Sprintf("a batch of %s", words.Count(t.schedule.Batch, "example")), "a smaller batch"); err != nil {
		return err
	}
	all := footprint{device: batch.device + weights, host: batch.host}
	if t.options.Momentum != 0 {
		all.device += weights
	}
	// The parameters as a checkpoint takes them, those of it that fine-tuning went
	// on from, and the best so far.
	all.host += 4 * weights
	if t.held != nil {
		all.host += weights
	}
	return all.check(t.device, "model", fmt.Sprintf("fine-tuning %.3g weights", weights), "a smaller model, smaller batches")
}
