package visualize

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
)

// Patterns are inputs that stand for U units, one for each or N of each, with what
// those need to know who draw them or measure them. Results of every method have
// some, as [AscentResult.UnitPatterns], and [Filters] are some.
type Patterns struct {
	// Name says what they are, "filters", in notes and tables.
	Name string
	// Data [U, D], or [U, N, D], are the patterns, of D components.
	Data *tensor.Dense
	// Shape is that of one pattern, as the model's input; nil if it has none.
	Shape []int
	// Units [U] are the numbers of the units; nil if they are of no units.
	Units []int
	// Names [U] are what is written for them where they are objectives and no units;
	// else nil.
	Names []string
	// Radius is the norm of all patterns, 0 if they have none in common.
	Radius float64
	// Low and High are the ends of what components can be, 0 and 1 for
	// probabilities: they are drawn black and white. Both are 0 for numbers around
	// zero.
	Low, High float32
	// Missing marks those that nothing was found for, whatever their components
	// are: units [U], or each pattern [U*N]. Nil means none.
	Missing []bool
}

// Check makes sure that the parts go together: an error says which do not. Whether
// components are finite is left to those who look at them.
func (p Patterns) Check() error {
	if p.Data == nil {
		return fmt.Errorf("patterns are missing (nil)")
	}
	if dims := p.Data.Dims(); dims != 2 && dims != 3 {
		return fmt.Errorf("patterns are %v, want [units, components] or [units, patterns of each, components]", []int(p.Data.Shape()))
	}
	if _, err := dense.Data(p.Data); err != nil {
		return err
	}
	units, each, components := p.Size()
	ranged := p.Low != 0 || p.High != 0
	low, high := float64(p.Low), float64(p.High)
	switch {
	case p.Shape != nil && !holds(p.Shape, components):
		return fmt.Errorf("shape %v does not hold %d components", p.Shape, components)
	case p.Units != nil && len(p.Units) != units:
		return fmt.Errorf("%d units for patterns of %d", len(p.Units), units)
	case p.Names != nil && len(p.Names) != units:
		return fmt.Errorf("%d names for patterns of %d", len(p.Names), units)
	case p.Missing != nil && len(p.Missing) != units && len(p.Missing) != units*each:
		return fmt.Errorf("%d patterns of %d units, %d marks of missing ones", units*each, units, len(p.Missing))
	case !(p.Radius >= 0) || math.IsInf(p.Radius, 0):
		return fmt.Errorf("radius %g, want a finite number, 0 or more", p.Radius)
	case ranged && (!(high > low) || high-high != 0 || low-low != 0):
		return fmt.Errorf("components from %g to %g, want two finite numbers, the lower one first", low, high)
	}
	return nil
}

// holds is true for the shape of so many components.
func holds(shape []int, components int) bool {
	for _, side := range shape {
		if side < 1 || components%side != 0 {
			return false
		}
		components /= side
	}
	return components == 1
}

// Size is of the data, which must be there: U, N (1 where there is one for each unit)
// and D.
func (p Patterns) Size() (units, each, components int) {
	shape := p.Data.Shape()
	if len(shape) == 2 {
		return shape[0], 1, shape[1]
	}
	return shape[0], shape[1], shape[2]
}

// IsMissing is true for a pattern, counted unit by unit, that is marked.
func (p Patterns) IsMissing(pattern int) bool {
	if p.Missing == nil {
		return false
	}
	units, each, _ := p.Size()
	if len(p.Missing) == units {
		pattern /= each
	}
	return p.Missing[pattern]
}

// Named are the same patterns under another name.
func (p Patterns) Named(name string) Patterns {
	p.Name = name
	return p
}

// First are at most so many of the units, the first ones, with at most so many
// patterns of each.
func (p Patterns) First(units, each int) (Patterns, error) {
	if err := p.Check(); err != nil {
		return p, err
	}
	u, n, _ := p.Size()
	return p.part(0, min(u, units), min(n, each))
}

// Of are the patterns of one unit, by its place.
func (p Patterns) Of(place int) (Patterns, error) {
	if err := p.Check(); err != nil {
		return p, err
	}
	units, n, _ := p.Size()
	if place < 0 || place >= units {
		return p, fmt.Errorf("patterns number %d, there are those of %d units", place, units)
	}
	return p.part(place, place+1, n)
}

// Before are these patterns, and behind those of each unit the ones that others has for
// it: all else is as it was.
func (p Patterns) Before(others Patterns) (Patterns, error) {
	units, n, size := 0, 0, 0
	for _, q := range []Patterns{p, others} {
		if err := q.Check(); err != nil {
			return p, err
		}
		u, each, components := q.Size()
		if n > 0 && (u != units || components != size) {
			return p, fmt.Errorf("patterns of %d units and %d components before those of %d and %d", units, size, u, components)
		}
		units, n, size = u, n+each, components
	}
	front, err := dense.Data(p.Data)
	if err != nil {
		return p, err
	}
	back, err := dense.Data(others.Data)
	if err != nil {
		return p, err
	}
	all := make([]float32, 0, units*n*size)
	missing := make([]bool, 0, units*n)
	for u := range units {
		for _, of := range []struct {
			Patterns
			data []float32
		}{{p, front}, {others, back}} {
			_, each, _ := of.Size()
			all = append(all, of.data[u*each*size:(u+1)*each*size]...)
			for k := range each {
				missing = append(missing, of.IsMissing(u*each+k))
			}
		}
	}
	if p.Missing != nil || others.Missing != nil {
		p.Missing = missing
	}
	p.Data, err = dense.Of(all, units, n, size)
	return p, err
}

// part is the first patterns of each unit in a range of places.
func (p Patterns) part(from, to, each int) (Patterns, error) {
	if to-from < 1 || each < 1 {
		return p, fmt.Errorf("%d units with %d patterns of each, want at least 1", to-from, each)
	}
	data, err := dense.Data(p.Data)
	if err != nil {
		return p, err
	}
	_, n, size := p.Size()
	var kept []float32
	var missing []bool
	for u := from; u < to; u++ {
		kept = append(kept, data[u*n*size:(u*n+each)*size]...)
		for k := range each {
			missing = append(missing, p.IsMissing(u*n+k))
		}
	}
	if p.Missing != nil {
		p.Missing = missing
	}
	if p.Units != nil {
		p.Units = p.Units[from:to]
	}
	if p.Names != nil {
		p.Names = p.Names[from:to]
	}
	p.Data, err = dense.Of(kept, to-from, each, size)
	return p, err
}

// given are the ends of what a net gives for its inputs: 0 and 1 for
// probabilities, none for real numbers.
func given(kind engine.VisibleKind) (low, high float32) {
	if kind == engine.Bernoulli {
		return 0, 1
	}
	return 0, 0
}

// patternsOf is a tensor's numbers as patterns [n, D]; what names it in errors.
func patternsOf(what string, t *tensor.Dense, n, components int) ([]float32, error) {
	if t == nil || t.Dims() != 2 || t.Shape()[0] != n || t.Shape()[1] != components {
		return nil, fmt.Errorf("%s: patterns of another shape than [%d, %d]", what, n, components)
	}
	data, err := dense.Data(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return data, nil
}
