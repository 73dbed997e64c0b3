// Package graph is what readers of other people's model files make of them: a
// network's operations, with the names that its author knows them by. A reader makes
// a [Builder] and tells it what the file has, node by node; [Builder.Finish] folds
// what frameworks write as several operations into one, and checks the whole:
//
//	b := graph.New(engine.Flat(784))
//	h := b.Affine("fc1", b.Input(), weight, bias)
//	h = b.Activate("relu", h, engine.Activation{Kind: engine.ReLU})
//	g, err := b.Finish()
package graph

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/unitscope/unitscope/engine"
)

// Graph is a network as a file describes it.
type Graph struct {
	Net      engine.Net
	Shapes   []engine.Shape // of Net's values, the input first
	Names    []string       // of Net.Ops, each one once
	Remarks  []string       // what is worth knowing of how the file was read, a line each
	Warnings []string       // what the reader guessed, which may not be so
}

// Layers are the operations that have units of their own, by their place in Net.Ops.
func (g *Graph) Layers() (at []int) {
	for i, o := range g.Net.Ops {
		if o.Kind == engine.Affine {
			at = append(at, i)
		}
	}
	return at
}

// Builder collects the operations of a file. It remembers its first error, which
// Finish returns, so that readers need not ask after each operation.
type Builder struct {
	input    engine.Shape
	ops      []engine.Op
	names    []string
	remarks  []string
	warnings []string
	err      error
}

// New begins a network with inputs of a shape.
func New(input engine.Shape) *Builder { return &Builder{input: input} }

// Input is the network's input.
func (b *Builder) Input() engine.Value { return 0 }

// Remark keeps a line about how the file was read.
func (b *Builder) Remark(format string, args ...any) {
	b.remarks = append(b.remarks, fmt.Sprintf(format, args...))
}

// Warn keeps a line about what the reader guessed.
func (b *Builder) Warn(format string, args ...any) {
	b.warnings = append(b.warnings, fmt.Sprintf(format, args...))
}

// Affine adds y = weight x + bias; a missing bias is zeros. name is what the file
// calls it.
func (b *Builder) Affine(name string, in engine.Value, weight engine.Host, bias []float32) engine.Value {
	if bias == nil {
		bias = make([]float32, max(0, weight.Rows))
	}
	return b.add(name, engine.Op{Kind: engine.Affine, In: []engine.Value{in}, Weight: weight, Bias: bias})
}

// Scale adds y = factor x + bias for each channel, as a normalisation of batches is
// in a trained network.
func (b *Builder) Scale(name string, in engine.Value, factor, bias []float32) engine.Value {
	return b.add(name, engine.Op{Kind: engine.Scale, In: []engine.Value{in}, Factor: factor, Bias: bias})
}

// Add adds the sum of values of one shape.
func (b *Builder) Add(name string, in ...engine.Value) engine.Value {
	return b.add(name, engine.Op{Kind: engine.Add, In: in})
}

// Concat adds the channels of values, one after the other.
func (b *Builder) Concat(name string, in ...engine.Value) engine.Value {
	return b.add(name, engine.Op{Kind: engine.Concat, In: in})
}

// Activate applies a nonlinearity to a value.
func (b *Builder) Activate(name string, in engine.Value, a engine.Activation) engine.Value {
	return b.add(name, engine.Op{Kind: engine.Add, In: []engine.Value{in}, Activation: a})
}

// Plain is a name of a file without what is not visible, as Names have it.
func Plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return '_'
	}, name)
}

func (b *Builder) add(name string, o engine.Op) engine.Value {
	if slices.ContainsFunc(o.In, func(v engine.Value) bool { return v < 0 || int(v) > len(b.ops) }) {
		b.err = errors.Join(b.err, fmt.Errorf("%s reads a value that is not there", name))
	}
	b.ops, b.names = append(b.ops, o), append(b.names, Plain(name))
	return engine.Value(len(b.ops))
}

// Finish returns the network. A scale after an affine operation, or after another
// scale, goes into that one's numbers, an activation into the operation before it, where nothing else
// reads what is between them. Names that are there twice get a number. What ends the
// network must be its last operation: values that nothing reads are an error, since
// somebody meant something by them.
func (b *Builder) Finish() (*Graph, error) {
	if b.err != nil {
		return nil, b.err
	}
	f := folding{ops: slices.Clone(b.ops), names: slices.Clone(b.names), reads: make([]int, len(b.ops)+1)}
	for _, o := range f.ops {
		for _, v := range o.In {
			f.reads[v]++
		}
	}
	if err := f.fold(); err != nil {
		return nil, err
	}
	g := f.graph(b.input)
	g.Remarks, g.Warnings = b.remarks, b.warnings
	if err := g.finite(); err != nil {
		return nil, err
	}
	shapes, err := g.Net.Check()
	if err != nil {
		return nil, err
	}
	g.Shapes = shapes
	return g, nil
}

// finite names the operation whose parameters are not, which [engine.Net.Check] only
// counts.
func (g *Graph) finite() error {
	bad := func(x float32) bool { return x-x != 0 }
	for i, o := range g.Net.Ops {
		for _, of := range []struct {
			what    string
			numbers []float32
		}{{"weights", o.Weight.Data}, {"factors", o.Factor}, {"biases", o.Bias}} {
			if slices.ContainsFunc(of.numbers, bad) {
				return fmt.Errorf("%s: %w among its %s", g.Names[i], engine.ErrNotFinite, of.what)
			}
		}
	}
	return nil
}

// folding is a network on its way to fewer operations. An operation that has gone
// into another one is named by it in at.
type folding struct {
	ops   []engine.Op
	names []string
	reads []int // how often each value is read, by whatever of its names
	at    []engine.Value
	kept  []bool
}

// fold goes through the operations in their order.
func (f *folding) fold() error {
	f.at, f.kept = make([]engine.Value, len(f.ops)+1), make([]bool, len(f.ops))
	for i := range f.ops {
		o := &f.ops[i]
		for k, v := range o.In {
			if k == 0 {
				o.In = slices.Clone(o.In)
			}
			o.In[k] = f.at[v]
		}
		if i+1 < len(f.ops) && f.reads[i+1] == 0 {
			return fmt.Errorf("nothing reads %s: a network has one end, and this one has several", f.names[i])
		}
		f.kept[i], f.at[i+1] = true, engine.Value(i+1)
		if into := f.into(i); into > 0 {
			f.drop(i, into)
		} else if o.Kind == engine.Add && len(o.In) == 1 && o.Activation.Kind == engine.Identity {
			f.drop(i, o.In[0])
		}
	}
	return nil
}

// drop leaves out operation i, which reads the value v alone: whatever reads its own
// value now reads v.
func (f *folding) drop(i int, v engine.Value) {
	f.kept[i], f.at[i+1] = false, v
	f.reads[v] += f.reads[i+1] - 1
}

// into folds operation i into the one that it reads and returns that one's value, 0
// where it can't be.
func (f *folding) into(i int) engine.Value {
	o := f.ops[i]
	if len(o.In) != 1 || o.In[0] == 0 {
		return 0
	}
	before := &f.ops[o.In[0]-1]
	// Between them is a value that only this operation reads.
	if f.reads[o.In[0]] > 1 || before.Activation.Kind != engine.Identity {
		return 0
	}
	switch {
	case o.Kind == engine.Add:
		before.Activation = o.Activation
	case o.Kind == engine.Scale && scales(*before, o):
		scaleRows(before, o)
	default:
		return 0
	}
	return o.In[0]
}

// scales says whether an operation has a unit or a channel for each factor.
func scales(before, by engine.Op) bool {
	n := len(by.Factor)
	switch before.Kind {
	case engine.Affine:
		return n == before.Weight.Rows && n == len(before.Bias) && n == len(by.Bias)
	case engine.Scale:
		return n == len(before.Factor) && n == len(before.Bias) && n == len(by.Bias)
	}
	return false
}

// scaleRows multiplies an affine operation, or a scale, by a factor a unit, in
// float64.
func scaleRows(o *engine.Op, by engine.Op) {
	weight, scale, bias := slices.Clone(o.Weight.Data), slices.Clone(o.Factor), slices.Clone(o.Bias)
	for u, factor := range by.Factor {
		for k := u * o.Weight.Cols; k < (u+1)*o.Weight.Cols && k < len(weight); k++ {
			weight[k] = float32(factor64(factor, weight[k]))
		}
		if o.Kind == engine.Scale {
			scale[u] = float32(factor64(factor, scale[u]))
		}
		bias[u] = float32(factor64(factor, bias[u]) + float64(by.Bias[u]))
	}
	o.Weight.Data, o.Factor, o.Bias = weight, scale, bias
}

func factor64(factor, x float32) float64 { return float64(factor) * float64(x) }

// graph returns what is left, with each name once.
func (f *folding) graph(input engine.Shape) *Graph {
	g := &Graph{Net: engine.Net{Input: input}}
	now := make([]engine.Value, len(f.ops)+1)
	seen := map[string]int{}
	for i, o := range f.ops {
		if !f.kept[i] {
			continue
		}
		for k, v := range o.In {
			o.In[k] = now[v]
		}
		name := f.names[i]
		for again := f.names[i]; seen[name] > 0; name = fmt.Sprintf("%s.%d", again, seen[again]) {
			seen[again]++
		}
		seen[name]++
		g.Net.Ops, g.Names = append(g.Net.Ops, o), append(g.Names, name)
		now[i+1] = engine.Value(len(g.Net.Ops))
	}
	return g
}

// Normalize returns the network with (x - mean) / deviation before all else, for each
// channel of its input, or one of each for all channels.
func (g *Graph) Normalize(mean, deviation []float32) (*Graph, error) {
	channels := g.Net.Input.Channels
	at := func(numbers []float32, c int) float32 { return numbers[min(c, len(numbers)-1)] }
	for _, numbers := range [][]float32{mean, deviation} {
		if len(numbers) != 1 && len(numbers) != channels {
			return nil, fmt.Errorf("normalisation by %d means and %d deviations of an input of %d channels", len(mean), len(deviation), channels)
		}
	}
	scale := engine.Op{Kind: engine.Scale, In: []engine.Value{0}}
	for c := range channels {
		scale.Factor = append(scale.Factor, 1/at(deviation, c))
		scale.Bias = append(scale.Bias, -at(mean, c)/at(deviation, c))
	}
	to := &Graph{Names: slices.Insert(slices.Clone(g.Names), 0, "normalize"), Remarks: g.Remarks, Warnings: g.Warnings}
	to.Net = engine.Net{Input: g.Net.Input, Ops: []engine.Op{scale}}
	for _, o := range g.Net.Ops {
		o.In = slices.Clone(o.In)
		for k := range o.In {
			o.In[k]++ // the input is now the value of the normalisation
		}
		to.Net.Ops = append(to.Net.Ops, o)
	}
	var err error
	to.Shapes, err = to.Net.Check()
	return to, err
}
