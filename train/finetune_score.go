package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/feed"
)

// Score is how well a classifier did on examples.
type Score struct {
	Examples int
	Errors   int     // examples whose largest score is not that of their class
	Loss     float64 // sum over the examples of -log p(class), in nats
}

// ErrorRate is the share of errors, 0 to 1; NaN of no examples.
func (s Score) ErrorRate() float64 { return float64(s.Errors) / float64(s.Examples) }

// MeanLoss is the mean of -log p(class), in nats; NaN of no examples.
func (s Score) MeanLoss() float64 { return s.Loss / float64(s.Examples) }

func (s Score) plus(more Score) Score {
	return Score{s.Examples + more.Examples, s.Errors + more.Errors, s.Loss + more.Loss}
}

// better says whether s is better than another score of the same examples:
// fewer errors, or as many and less loss.
func (s Score) better(than Score) bool {
	return s.Errors < than.Errors || s.Errors == than.Errors && s.Loss < than.Loss
}

// Classify scores a network that has a classifier, [network.Network.Output], on
// the labels of a set. The set goes through the device a few examples at a
// time. A network without a classifier, examples of another size, and labels
// that the classifier does not have are errors; so is a score that is not
// finite, which wraps [engine.ErrNotFinite].
func Classify(ctx context.Context, d engine.Device, n *network.Network, set dataset.Set) (s Score, err error) {
	if err := n.Check(); err != nil {
		return Score{}, fmt.Errorf("classify: %w", err)
	}
	if n.Output == nil {
		return Score{}, errors.New("classify: the model has no classifier (output.weight); fine-tuning gives it one")
	}
	info := set.Info()
	if inputs := n.Sizes()[0]; info.Size() != inputs {
		return Score{}, fmt.Errorf("classify %s: examples have %s, the model's inputs %d", info.Name, words.Count(info.Size(), "component"), inputs)
	}
	c := &classifier{device: d, buffers: buffers{device: d}, preprocess: n.Preprocess, classes: n.Output.Weight.Shape()[0]}
	if err := checkLabels("set", set, c.classes); err != nil {
		return Score{}, fmt.Errorf("classify: %w", err)
	}
	c.upload(append(slices.Clone(n.Layers), *n.Output))
	if err = c.buffers.err; err == nil {
		s, err = c.score(ctx, set)
	}
	if err = errors.Join(err, c.buffers.close()); err != nil {
		return Score{}, fmt.Errorf("classify %s: %w", info.Name, err)
	}
	return s, nil
}

// maxClasses bounds the classifier that labels ask for.
const maxClasses = 1 << 16

// classesOf is the number of classes of a set's labels: one more than the
// largest.
func classesOf(set dataset.Set) (int, error) {
	largest, several := 0, false
	first, _ := set.Label(0)
	for i := range set.Len() {
		label, err := labelOf("set", set, i, maxClasses)
		if err != nil {
			return 0, err
		}
		largest = max(largest, label)
		several = several || label != first
	}
	if !several {
		return 0, words.BadOption("set", set.Info().Name, "all %s have the label %d, want at least two classes", words.Count(set.Len(), "example"), first)
	}
	return largest + 1, nil
}

// CheckTestLabels makes sure that a classifier that learns from the labels of set
// can be scored on test: that every label of test is one of its classes, and that
// names of classes have the same numbers in both. Long work calls it first.
func CheckTestLabels(set, test dataset.Set) error {
	classes, err := classesOf(set)
	if err != nil {
		return err
	}
	if err := checkLabels("test", test, classes); err != nil {
		return err
	}
	return checkNames(set.Info(), test.Info())
}

// checkNames makes sure that names of classes, which are numbered in sorted order for
// each set alone, have the same numbers in both sets.
func checkNames(set, test dataset.Info) error {
	if set.Classes == nil || test.Classes == nil {
		return nil
	}
	for label, name := range test.Classes {
		if label >= len(set.Classes) || set.Classes[label] != name {
			return words.BadOption("test", test.Name, "label %d is the class %.40q, which is another of %s; bring examples of all of its classes, or number them", label, name, set.Name)
		}
	}
	return nil
}

// checkLabels makes sure that every example has one of so many classes; name is which
// of the sets it is, for errors.
func checkLabels(name string, set dataset.Set, classes int) error {
	for i := range set.Len() {
		if _, err := labelOf(name, set, i, classes); err != nil {
			return err
		}
	}
	return nil
}

func labelOf(name string, set dataset.Set, index, classes int) (int, error) {
	label, ok := set.Label(index)
	if !ok {
		return 0, words.BadOption(name, set.Info().Name, "example %d has no label; a classifier learns from labels", index)
	}
	if label < 0 || label >= classes {
		return 0, words.BadOption(name, set.Info().Name, "example %d has the label %d, want 0 to %d", index, label, classes-1)
	}
	return label, nil
}

// scoreRows is how many examples at most are scored at once.
const scoreRows = 1024

// classifier is a stack of layers with a softmax on top, on a device.
type classifier struct {
	device     engine.Device
	buffers    buffers
	preprocess func(examples []float32) error
	classes    int
	layers     []engine.Parameters // without visible biases; the last one is the classifier
	scoring    *room               // of score; nil before the first call
}

func (c *classifier) upload(layers []network.Layer) {
	for _, l := range layers {
		c.layers = append(c.layers, c.uploadAffine(l))
	}
}

func (c *classifier) uploadAffine(l network.Layer) engine.Parameters {
	return engine.Parameters{Weight: c.buffers.upload(l.Weight), Bias: c.buffers.upload(l.Bias)}
}

// room is what a batch takes on the way up and down the stack. Layer n computes
// values[n] from values[n-1].
type room struct {
	values []engine.Matrix // [rows, width]: the examples, h of each layer, the scores
	deltas []engine.Matrix // [rows, width] of h: gradients before the sigmoid; nil for the others, or without learning
	scores []float32       // [rows*classes] on the host
}

// newRoom makes room for batches of rows examples, to learn or only to score.
func (c *classifier) newRoom(rows int, learning bool) *room {
	if c.buffers.err != nil {
		return nil
	}
	r := &room{scores: make([]float32, rows*c.classes)}
	r.values = append(r.values, c.buffers.matrix(rows, c.layers[0].Weight.Cols()))
	r.deltas = append(r.deltas, nil)
	for i, layer := range c.layers {
		r.values = append(r.values, c.buffers.matrix(rows, layer.Weight.Rows()))
		var delta engine.Matrix
		if learning && i < len(c.layers)-1 {
			delta = c.buffers.matrix(rows, layer.Weight.Rows())
		}
		r.deltas = append(r.deltas, delta)
	}
	return r
}

// view is the first rows of a room.
func (c *classifier) view(r *room, rows int) *room {
	if c.buffers.err != nil {
		return nil
	}
	return &room{values: c.buffers.views(r.values, rows), deltas: c.buffers.views(r.deltas, rows), scores: r.scores[:rows*c.classes]}
}

// up is the product that a layer computes: scale W x + b, and the sigmoid of it
// except in the classifier.
func (c *classifier) up(layer int, scale float32) engine.Product {
	p := engine.Multiply(false, true)
	p.Alpha = scale
	p.Epilogue.Bias = c.layers[layer-1].Bias
	if layer < len(c.layers) {
		p.Epilogue.Kind = engine.EpilogueSigmoid
	}
	return p
}

// score is the score of all examples of a set, whose labels are known to fit.
func (c *classifier) score(ctx context.Context, set dataset.Set) (Score, error) {
	if c.scoring == nil {
		c.scoring = c.newRoom(scoreRows, false)
	}
	if c.buffers.err != nil {
		return Score{}, c.buffers.err
	}
	var sum Score
	labels := make([]int32, 0, scoreRows)
	err := feed.All(ctx, set, scoreRows, func(p feed.Part) error {
		labels = labels[:0]
		for _, index := range p.Indices {
			label, _ := set.Label(index)
			labels = append(labels, int32(label))
		}
		s, err := c.scoreBatch(p.Examples, labels)
		sum = sum.plus(s)
		return err
	})
	return sum, err
}

func (c *classifier) scoreBatch(examples []float32, labels []int32) (Score, error) {
	r := c.view(c.scoring, len(labels))
	if c.buffers.err != nil {
		return Score{}, c.buffers.err
	}
	if err := c.preprocess(examples); err != nil {
		return Score{}, err
	}
	if err := r.values[0].Write(examples); err != nil {
		return Score{}, err
	}
	for layer := 1; layer <= len(c.layers); layer++ {
		if err := c.device.Gemm(r.values[layer], r.values[layer-1], c.layers[layer-1].Weight, c.up(layer, 1)); err != nil {
			return Score{}, err
		}
	}
	if err := r.values[len(c.layers)].Read(r.scores); err != nil {
		return Score{}, err
	}
	s := softmax(r.scores, labels, c.classes)
	if s.Loss-s.Loss != 0 {
		return Score{}, fmt.Errorf("the scores of the classes: %w", engine.ErrNotFinite)
	}
	return s, nil
}

// softmax turns scores [len(labels), classes] into the gradient of the
// cross-entropy, in place: softmax(scores) - 1 at the label. Of equal scores the
// first counts as the largest. A score that is not finite makes the loss so.
func softmax(scores []float32, labels []int32, classes int) Score {
	s := Score{Examples: len(labels)}
	for i, label := range labels {
		row := scores[i*classes : (i+1)*classes]
		largest := 0
		for k, x := range row {
			if x > row[largest] {
				largest = k
			}
		}
		if largest != int(label) {
			s.Errors++
		}
		top, sum := float64(row[largest]), 0.0
		for _, x := range row {
			sum += math.Exp(float64(x) - top)
		}
		logSum := top + math.Log(sum)
		s.Loss += logSum - float64(row[label])
		for k, x := range row {
			row[k] = float32(math.Exp(float64(x) - logSum))
		}
		row[label]--
	}
	return s
}
