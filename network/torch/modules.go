package torch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine/words"
)

// module is the tensors that a module of PyTorch owns itself, without those of the
// modules in it.
type module struct {
	name    string
	tensors []Tensor
}

// What tensors are called in their modules. The last one is not needed.
const (
	weightPart   = "weight"
	biasPart     = "bias"
	meanPart     = "running_mean"
	variancePart = "running_var"
	batchesPart  = "num_batches_tracked"
)

// split splits the name of a tensor, or of a module, into its owner's and its own.
func split(name string) (owner, own string) {
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		return name[:dot], name[dot+1:]
	}
	return "", name
}

// modules groups tensors in their order by their owners.
func modules(tensors []Tensor) (all []*module) {
	at := map[string]*module{}
	for _, t := range tensors {
		owner, _ := split(t.Name)
		m := at[owner]
		if m == nil {
			m = &module{name: owner}
			at[owner], all = m, append(all, m)
		}
		m.tensors = append(m.tensors, t)
	}
	return all
}

// part is a tensor of the module, nil if it has none of this name.
func (m *module) part(name string) *Tensor {
	for i, t := range m.tensors {
		if _, own := split(t.Name); own == name {
			return &m.tensors[i]
		}
	}
	return nil
}

// linear is a Linear module: weights [units, inputs] and perhaps biases.
type linear struct {
	name       string
	weight     Tensor
	transposed bool // its weights are [inputs, units]
	bias       *Tensor
}

func (l linear) units() int {
	if l.transposed {
		return l.weight.Shape[1]
	}
	return l.weight.Shape[0]
}

func (l linear) inputs() int { return l.weight.Shape[0] * l.weight.Shape[1] / l.units() }

// norm is a BatchNorm in a trained network.
type norm struct {
	name           string
	factor, bias   *Tensor
	mean, variance Tensor
}

func (n norm) width() int { return n.mean.Shape[0] }

// foreign are the tensors that no module of a chain has.
func (m *module) foreign() (all []Tensor) {
	parts := []string{weightPart, biasPart}
	if m.part(meanPart) != nil {
		parts = append(parts, meanPart, variancePart, batchesPart)
	}
	for _, t := range m.tensors {
		if _, own := split(t.Name); !slices.Contains(parts, own) {
			all = append(all, t)
		}
	}
	if m.part(weightPart) == nil && m.part(meanPart) == nil {
		return m.tensors
	}
	return all
}

// checkKnown refuses what can't be in a chain of Linear modules, all of it in one error.
func checkKnown(all []*module) error {
	var foreign []Tensor
	for _, m := range all {
		if w := m.part(weightPart); w != nil && len(w.Shape) > 2 {
			return fmt.Errorf("%s is a convolution's, and convolutions can't be read: only chains of Linear modules", *w)
		}
		foreign = append(foreign, m.foreign()...)
	}
	if len(foreign) == 0 {
		return nil
	}
	do := "say with it which tensors are of which layer, or leave these out with NAME=-"
	if slices.ContainsFunc(foreign, parametrized) {
		do = "make it a part of the weights before saving, with remove_parametrizations or what else removes it"
	}
	return words.BadOption("Map", nil, "there is no use for %s in a chain of Linear modules: %s", list(foreign), do)
}

// parametrized says whether a tensor is one that weights are computed of, by a
// normalisation or by pruning.
func parametrized(t Tensor) bool {
	return strings.Contains(t.Name, "parametrizations.") || strings.HasSuffix(t.Name, "weight_g") || strings.HasSuffix(t.Name, "weight_orig")
}

// known returns what a module is that [checkKnown] has let through.
func (m *module) known() (*linear, *norm, error) {
	if m.part(meanPart) != nil {
		n, err := m.norm()
		return nil, n, err
	}
	weight := m.part(weightPart)
	if len(weight.Shape) < 2 {
		return nil, nil, fmt.Errorf("%s is no Linear's and no BatchNorm's (of a LayerNorm or PReLU?), and can't be part of a chain of Linear modules", *weight)
	}
	l := &linear{name: m.title(), weight: *weight, bias: m.part(biasPart)}
	return l, nil, l.check()
}

// title is the module's name as it is shown.
func (m *module) title() string {
	if m.name == "" {
		return "linear" // of the state dict of a module that is a Linear itself
	}
	return m.name
}

func (l linear) check() error {
	if len(l.weight.Shape) != 2 || l.weight.size() == 0 {
		return fmt.Errorf("%s: want weights [units inputs]", l.weight)
	}
	if l.bias != nil && (len(l.bias.Shape) != 1 || l.bias.Shape[0] != l.units()) {
		return fmt.Errorf("%s: want %d biases, as %s has units", *l.bias, l.units(), l.weight)
	}
	return nil
}

// norm is the module as a BatchNorm.
func (m *module) norm() (*norm, error) {
	n := &norm{name: m.title(), factor: m.part(weightPart), bias: m.part(biasPart), mean: *m.part(meanPart)}
	variance := m.part(variancePart)
	if variance == nil {
		return nil, fmt.Errorf("%s has no %s beside it", n.mean, variancePart)
	}
	n.variance = *variance
	for _, t := range []*Tensor{&n.mean, &n.variance, n.factor, n.bias} {
		if t != nil && (len(t.Shape) != 1 || t.Shape[0] != n.mean.Shape[0]) || len(n.mean.Shape) != 1 {
			return nil, fmt.Errorf("%s: want one number for each unit, as %s has", *t, n.mean)
		}
	}
	return n, nil
}

// place is where a module is in a Sequential: "net.3" is number 3 of "net".
func place(name string) (parent string, number int, ok bool) {
	parent, own := split(name)
	number, err := strconv.Atoi(own)
	return parent, number, err == nil && number >= 0
}
