package visualize

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// Objective is what restarts climb where it is not the activation of a unit: a sum of
// numbers that a network computes. [Directions] and [ParseGoal] make some.
type Objective struct {
	Name string      // what tables and pictures call it: "direction 3"
	Goal engine.Goal // of the network's values, as [network.Network.Net] numbers them
}

// Directions are those of rows [n, units] in a layer: the dot product of a row with
// the activations of the layer's units, or with what comes after the layer's
// nonlinearity. They are called by their number: "direction 0" is that of the first row.
// A row whose numbers are all 0, or not all finite, is an error.
func Directions(n *network.Network, layer int, rows *tensor.Dense, after bool) (all []Objective, err error) {
	if err := n.CheckLayer(layer); err != nil {
		return nil, err
	}
	units := n.Sizes()[layer]
	if rows == nil || rows.Dims() != 2 || rows.Shape()[1] != units {
		return nil, fmt.Errorf("directions: want rows of %s, as layer %d has", words.Count(units, "number"), layer)
	}
	data, err := dense.Data(rows)
	if err != nil {
		return nil, fmt.Errorf("directions: %w", err)
	}
	_, at, err := n.Net()
	if err != nil {
		return nil, err
	}
	for k := range rows.Shape()[0] {
		row := data[k*units : (k+1)*units]
		if norm := norm64(row); norm == 0 || norm-norm != 0 {
			return nil, fmt.Errorf("directions: row %d has norm %g: want finite numbers that are not all 0, as float32 has them", k, norm)
		}
		goal := engine.Goal{Terms: []engine.Term{{At: at[layer-1], After: after, Direction: row, Weight: 1}}}
		all = append(all, Objective{fmt.Sprintf("direction %d", k), goal})
	}
	return all, nil
}

// ParseGoal reads a weighted sum of units of any layers: "3:12,3:40*-0.5" is the
// activation of unit 12 of layer 3, less half of that of unit 40, or the same of what
// comes after their layers' nonlinearities. Layers are named by number or by the name
// that they have in the model's file. layer is the topmost of them, and the text the
// objective's name.
func ParseGoal(text string, n *network.Network, after bool) (o Objective, layer int, err error) {
	_, at, err := n.Net()
	if err != nil {
		return o, 0, err
	}
	var names []string
	for part := range strings.SplitSeq(text, ",") {
		of, term, name, err := parseTerm(part, n)
		if err != nil {
			return o, 0, words.BadOption("Goal", strconv.Quote(abridged(text)), "%w", err)
		}
		term.At, term.After = at[of-1], after
		if slices.ContainsFunc(o.Goal.Terms, func(t engine.Term) bool { return t.At == term.At && t.Unit == term.Unit }) {
			return o, 0, words.BadOption("Goal", strconv.Quote(abridged(text)), "unit %d of layer %d is named twice", term.Unit, of)
		}
		o.Goal.Terms, layer = append(o.Goal.Terms, term), max(layer, of)
		names = append(names, name)
	}
	o.Name = strings.Join(names, ",")
	return o, layer, nil
}

// parseTerm reads LAYER:UNIT or LAYER:UNIT*WEIGHT; name is it without spaces around
// its parts, which layers' names may have within.
func parseTerm(text string, n *network.Network) (layer int, t engine.Term, name string, err error) {
	const want = "want LAYER:UNIT or LAYER:UNIT*WEIGHT, such as 3:12*0.5, or several with commas"
	t.Weight = 1
	text = strings.TrimSpace(text)
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return 0, t, "", fmt.Errorf("%q: %s", abridged(text), want)
	}
	of := strings.TrimSpace(text[:colon])
	unit, weight, weighted := strings.Cut(text[colon+1:], "*")
	unit, weight = strings.TrimSpace(unit), strings.TrimSpace(weight)
	name = of + ":" + unit
	if weighted {
		w, err := strconv.ParseFloat(weight, 32)
		if err != nil || w-w != 0 || float32(w) == 0 {
			return 0, t, "", fmt.Errorf("%q: want a finite number other than 0 behind the *", abridged(text))
		}
		t.Weight, name = float32(w), name+"*"+weight
	}
	if layer, err = n.FindLayer(of); err != nil {
		var option *words.OptionError
		if errors.As(err, &option) {
			err = option.Err
		}
		return 0, t, "", fmt.Errorf("no layer %q: %w", abridged(of), err)
	}
	if unit == "" || strings.Trim(unit, "0123456789") != "" {
		return 0, t, "", fmt.Errorf("%q: %s", abridged(text), want)
	}
	if t.Unit, err = parseUnit(unit, n.Sizes()[layer]); err != nil {
		return 0, t, "", fmt.Errorf("%w, in layer %d", err, layer)
	}
	return layer, t, name, nil
}

// checkObjectives refuses objectives that an ascent of this layer can't have.
func checkObjectives(n *network.Network, layer int, all []Objective) error {
	if err := n.CheckLayer(layer); err != nil {
		return err
	}
	_, at, err := n.Net()
	if err != nil {
		return err
	}
	for k, o := range all {
		if o.Name == "" || strings.ContainsFunc(o.Name, func(r rune) bool { return r < ' ' }) {
			return words.BadOption("Objectives", k, "its name %q: want one of letters that can be shown", o.Name)
		}
		for _, t := range o.Goal.Terms {
			if t.At > at[layer-1] {
				return words.BadOption("Objectives", k, "%s reads what layer %d does not", o.Name, layer)
			}
		}
	}
	return nil
}

// after is true where what is climbed, or some of it, comes after nonlinearities.
func (o AscentOptions) after() bool {
	for _, objective := range o.Objectives {
		if slices.ContainsFunc(objective.Goal.Terms, func(t engine.Term) bool { return t.After }) {
			return true
		}
	}
	return o.After
}

// rows names n rows by what they climb, a unit or an objective by its number, and
// their restart.
type rows struct {
	n  int
	at func(i int) (unit, restart int)
	// layer is the layer of the units.
	layer int
	goal  func(unit int) engine.Goal
	name  func(unit int) string
	// starts [restarts, D] are where restarts begin; nil for random starts.
	starts []float32
}

// rowsOf returns all restarts of the first unit, then those of the second, ...
func (a *layerAscent) rowsOf(units []int, restarts int) rows {
	top, after := engine.Value(len(a.net.Ops)), a.options.after()
	return rows{
		n:     len(units) * restarts,
		at:    func(i int) (unit, restart int) { return units[i/restarts], i % restarts },
		layer: a.options.Layer,
		goal: func(unit int) engine.Goal {
			g := engine.UnitGoal(top, unit)
			g.Terms[0].After = after
			return g
		},
		name: unitName,
	}
}

// asked are the rows that an ascent is about.
func (a *layerAscent) asked() rows {
	r := a.rowsOf(a.options.Units, a.options.Restarts)
	if all := a.options.Objectives; all != nil {
		r.goal = func(k int) engine.Goal { return all[k].Goal }
		r.name = func(k int) string { return all[k].Name }
	}
	r.starts = a.starts
	return r
}

// goals are those of units [n], each one once, and which of them each has. direction
// is -1 to go down.
func goals(units []int, goal func(unit int) engine.Goal, direction float32) (all []engine.Goal, of []int) {
	at := map[int]int{}
	for _, u := range units {
		k, known := at[u]
		if !known {
			k = len(all)
			g := goal(u)
			g.Terms = slices.Clone(g.Terms)
			for i := range g.Terms {
				g.Terms[i].Weight *= direction
			}
			at[u], all = k, append(all, g)
		}
		of = append(of, k)
	}
	return all, of
}

func unitName(unit int) string { return fmt.Sprintf("unit %d", unit) }

// nameOf is what the result at a place is of: its unit, or by names an objective.
func nameOf(names []string, unit, place int) string {
	if names == nil {
		return unitName(unit)
	}
	return names[place]
}
