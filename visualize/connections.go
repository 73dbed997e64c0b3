package visualize

import (
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// DefaultConnections is how many units of each side are told of where nobody says
// otherwise.
const DefaultConnections = 8

// ConnectionsOptions says of which units to find the strongest connections.
type ConnectionsOptions struct {
	Layer int   // 1 is the first hidden layer
	Units []int // 0-based, each at most once, in the order of the results; see [ParseUnits]
	Top   int   // K, how many units of each side at most; more than the network has are all of them
}

// ConnectionsResult is the units below and above that U units of a layer have the
// largest weights to.
type ConnectionsResult struct {
	Layer int
	Units []int // [U]
	Top   int   // K
	// Below and Above [U] are up to K units each, those of the largest weights, whatever
	// their sign, first.
	Below, Above [][]Connection
	// Remarks say of a side without any why that is so, a sentence without a full stop
	// each.
	Remarks []string
}

// Connection is a unit at the other end of a weight.
type Connection struct {
	Layer, Unit int
	Weight      float32
}

// Connections finds the units below and above to which units of a layer have the largest
// weights. The weight between two units is what the upper one's activation changes by
// where the lower one puts out 1 more, if nothing else does: that of the upper layer,
// times the factor of a scale (a normalisation) on the way. A layer may have several
// others at a side, as those whose outputs stand side by side in its input.
//
// Where something else comes between, such as a sum of several values or another
// nonlinearity, units are not connected by weights, and none are made up: Remarks say so.
// The weights of the first layer are to inputs, which are no units: they are its filters,
// see [Filters].
func Connections(n *network.Network, o ConnectionsOptions) (*ConnectionsResult, error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("connections: %w", err)
	}
	if err := checkChoice(n, o.Layer, o.Units); err != nil {
		return nil, fmt.Errorf("connections: %w", err)
	}
	net, at, err := n.Net()
	if err != nil {
		return nil, fmt.Errorf("connections: %w", err)
	}
	shapes, err := net.Check()
	if err != nil {
		return nil, fmt.Errorf("connections: %w", err)
	}
	w := wiring{net: net, shapes: shapes, layer: map[engine.Value]int{}}
	for i, v := range at {
		w.layer[v] = i + 1
	}
	r := &ConnectionsResult{Layer: o.Layer, Units: slices.Clone(o.Units), Top: o.Top}
	others := 0
	for _, units := range n.Sizes()[1:] {
		others += units
	}
	r.Top = min(r.Top, others)
	const perPlace = 2 * (8 + 8 + 4 + 24) // bytes of both sides, as they are found and as they are written
	if err := checkResults(fmt.Sprintf("the connections of %s", words.Count(len(o.Units), "unit")), perPlace*float64(len(o.Units))*float64(r.Top), "fewer units, or fewer of each side"); err != nil {
		return nil, fmt.Errorf("connections: %w", err)
	}
	inputs := r.below(w, at[o.Layer-1])
	above := r.above(w, at)
	if len(slices.Concat(r.Below...)) == 0 {
		r.Remarks = append(r.Remarks, fmt.Sprintf("%s: no units below are joined to its own by weights alone: %s", n.LayerTitle(o.Layer), inputs))
	}
	if len(slices.Concat(r.Above...)) == 0 {
		r.Remarks = append(r.Remarks, fmt.Sprintf("%s: no units above are joined to its own by weights alone: %s", n.LayerTitle(o.Layer), above))
	}
	return r, nil
}

// Check returns a [words.OptionError] if an option is out of range, whatever the network.
func (o ConnectionsOptions) Check() error {
	if o.Top < 1 {
		return words.BadOption("Top", o.Top, "want at least 1")
	}
	return nil
}

// wiring finds out where the numbers that an operation reads come from.
type wiring struct {
	net    engine.Net
	shapes []engine.Shape       // of its values
	layer  map[engine.Value]int // those that are layers' units
}

// source is where a number of a value comes from: a unit, times a factor.
type source struct {
	layer, unit int
	factor      float32
}

// sources are where the numbers of a value come from: layer -1 where that is no single
// unit, and 0 where it is an input.
func (w wiring) sources(v engine.Value) []source {
	all := make([]source, w.shapes[v].Size())
	if layer, ok := w.layer[v]; ok || v == 0 {
		for i := range all {
			all[i] = source{layer, i, 1}
		}
		return all
	}
	o := w.net.Ops[v-1]
	linear := o.Activation.Kind == engine.Identity
	switch {
	case linear && o.Kind == engine.Scale:
		copy(all, w.sources(o.In[0]))
		places := w.shapes[v].Rows * w.shapes[v].Cols
		for i := range all {
			all[i].factor *= o.Factor[i/places]
		}
		return all
	case linear && (o.Kind == engine.Concat || len(o.In) == 1):
		var joined []source
		for _, in := range o.In {
			joined = append(joined, w.sources(in)...)
		}
		return joined
	}
	for i := range all {
		all[i].layer = -1
	}
	return all
}

// below finds the strongest units below, and says what there is where there are none.
func (r *ConnectionsResult) below(w wiring, at engine.Value) string {
	op := w.net.Ops[at-1]
	from := w.sources(op.In[0])
	for _, u := range r.Units {
		var s strongest
		row := op.Weight.Data[u*op.Weight.Cols : (u+1)*op.Weight.Cols]
		for i, weight := range row {
			s.offer(from[i], weight, r.Top)
		}
		r.Below = append(r.Below, s)
	}
	if slices.ContainsFunc(from, func(s source) bool { return s.layer < 0 }) {
		return "what comes between is no weight"
	}
	return "it takes the inputs, and its weights to them are its filters"
}

// above finds the strongest units above, and says what there is where there are none.
func (r *ConnectionsResult) above(w wiring, at []engine.Value) string {
	best := map[int]*strongest{}
	for _, u := range r.Units {
		best[u] = &strongest{}
	}
	for i, v := range at {
		if i+1 == r.Layer {
			continue
		}
		op := w.net.Ops[v-1]
		for column, s := range w.sources(op.In[0]) {
			to := best[s.unit]
			if s.layer != r.Layer || to == nil {
				continue
			}
			for unit := range op.Weight.Rows {
				to.offer(source{i + 1, unit, s.factor}, op.Weight.Data[unit*op.Weight.Cols+column], r.Top)
			}
		}
	}
	for _, u := range r.Units {
		r.Above = append(r.Above, *best[u])
	}
	if r.Layer == len(at) {
		return "it is the last layer"
	}
	return "what comes between is no weight"
}

// strongest are the connections of the largest weights so far.
type strongest []Connection

// offer takes in a weight to a unit if it is among the top ones.
func (s *strongest) offer(to source, weight float32, top int) {
	if to.layer < 1 {
		return
	}
	c := Connection{to.layer, to.unit, weight * to.factor}
	all := *s
	if len(all) == top && !c.before(all[top-1]) {
		return
	}
	place := len(all)
	for place > 0 && c.before(all[place-1]) {
		place--
	}
	*s = slices.Insert(all, place, c)[:min(len(all)+1, top)]
}

// before is true if a comes before b: by the size of the weight, then by layer and unit.
func (a Connection) before(b Connection) bool {
	x, y := math.Abs(float64(a.Weight)), math.Abs(float64(b.Weight))
	switch {
	case x != y:
		return x > y
	case a.Layer != b.Layer:
		return a.Layer < b.Layer
	}
	return a.Unit < b.Unit
}
