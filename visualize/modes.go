package visualize

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
)

// ModesOptions says how restarts are sorted into modes. [DefaultModes] fills in
// all of it.
type ModesOptions struct {
	// Threshold is the smallest cosine between two restarts of one mode, -1 to 1.
	Threshold float64
	// Thresholds are more of them, for which the means over the units are worked out
	// too, to show how much they owe to the choice of Threshold; may be empty.
	Thresholds []float64
	// Resamples is the number of bootstrap resamples, 0 for no intervals.
	Resamples int
	// Level is the share of the resamples that an interval holds, above 0 and
	// below 1.
	Level float64
	Seed  uint64 // of the resamples
}

// DefaultModes returns a threshold of 0.95, others from 0.5 to 0.99, and
// intervals of 95 % from 1000 resamples.
func DefaultModes() ModesOptions {
	return ModesOptions{
		Threshold:  0.95,
		Thresholds: []float64{0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99},
		Resamples:  1000, Level: 0.95, Seed: 1,
	}
}

// maxResamples is far more than intervals need.
const maxResamples = 1000000

// Check returns a [words.OptionError] if an option is out of range.
func (o ModesOptions) Check() error {
	cosine := func(x float64) bool { return x >= -1 && x <= 1 }
	if !cosine(o.Threshold) {
		return words.BadOption("Threshold", o.Threshold, "want a cosine, -1 to 1")
	}
	for _, t := range o.Thresholds {
		if !cosine(t) {
			return words.BadOption("Thresholds", t, "want cosines, -1 to 1")
		}
	}
	return checkIntervals(o.Resamples, o.Level)
}

// checkIntervals checks the options of intervals from resamples.
func checkIntervals(resamples int, level float64) error {
	switch {
	case resamples < 0 || resamples > maxResamples:
		return words.BadOption("Resamples", resamples, "want 0 to %d", maxResamples)
	case !(level > 0 && level < 1):
		return words.BadOption("Level", level, "want the share that intervals hold, above 0 and below 1")
	}
	return nil
}

// UnitModes is what the restarts of one unit say about how many optima it has
// (section 6 of the paper, which found that nearly all restarts of a unit
// arrive at the same pattern).
type UnitModes struct {
	Unit int
	// Dead is true for a unit without a restart that found anything; all
	// numbers are then NaN.
	Dead bool
	// Found is how many restarts found something. The others, whose gradient
	// vanished before they had climbed, are still at their random starts and
	// belong to no mode.
	Found int
	// Modes is the number of modes that were found: there are at least as many. How many
	// there are in all no number of restarts bounds from above, since any share of them
	// too small to be met may hold any number. Expected is an estimate from below of the
	// number with those that no restart found (Chao, 1984), and Unseen says how much
	// they are met.
	Modes, Expected float64
	// MainShare is the share of Found in the main mode, the largest one (of
	// modes of equal size the one that climbs highest). Its interval holds the share
	// of the largest mode in all restarts that there could be, in at least Level of
	// cases: by Clopper and Pearson, with what it costs to choose the largest.
	MainShare Estimate
	// Effective is the effective number of modes, exp of the entropy of their
	// shares: 1 if all restarts agree, Found if each stands alone.
	// It has no interval, as the numbers that follow have none: what is true of all
	// restarts may rest on optima that few of them find, and nothing that is drawn
	// from those at hand shows that.
	Effective float64
	// Spread is the standard deviation of the final activations.
	Spread float64
	// RelativeSpread is Spread relative to what the restarts gained on average.
	RelativeSpread float64
	// Gap is by how much the best activation of the main mode exceeds (in the
	// direction of the ascent) that of the second largest one; negative if the
	// second climbs higher.
	Gap float64
	// SecondCosine is the cosine between the best patterns of these two modes.
	SecondCosine float64
	// Unseen is the chance, after Good and Turing, that another restart would
	// find a new mode: the share of Found that stand alone. Its interval begins at 0,
	// and its upper end is that of Clopper and Pearson for such a share.
	Unseen Estimate
}

// ModesSummary is the mean over the units of a layer that are not dead. The
// intervals are from units drawn again, each with its own restarts; so both the
// choice of units and the restarts' luck are in them.
type ModesSummary struct {
	Units, Dead int // how many there are, and how many of these are dead
	Stuck       int // restarts of the other units that found nothing
	// Single is the share of units with one mode.
	Single                                              Estimate
	Modes, MainShare, Effective, RelativeSpread, Unseen Estimate
}

// ModesAt is the mean over the units that are not dead, for one threshold.
type ModesAt struct {
	Threshold, Modes, Effective, MainShare, Single float64
}

// ModesResult is how the restarts of U units, R each, fall into modes.
type ModesResult struct {
	// Network is the name of the network that it is about in tables and pictures:
	// "trained", or "untrained" for its control ([Control]). [Modes] leaves it to
	// the caller.
	Network     string
	Layer       int
	Threshold   float64
	Restarts    int         // R
	Units       []UnitModes // [U]
	Names       []string    // [U] of objectives, nil for units
	Summary     ModesSummary
	ByThreshold []ModesAt
	// Mode [U*R], unit by unit, is the mode of each restart: 0 for the main
	// one, 1 for the next largest, ..., -1 for a restart that found nothing.
	Mode []int
	// Cosines [U, R, R] are between the patterns of each two restarts of a unit.
	Cosines *tensor.Dense
}

// NameOf is what the modes at a place are of: "unit 12", or the name of an objective.
func (r *ModesResult) NameOf(place int) string { return nameOf(r.Names, r.Units[place].Unit, place) }

// Modes sorts the restarts of each unit into modes (section 6 of the paper).
// Of an ascent it takes Layer, Direction, Units, Names, Restarts, Patterns [U, R, D],
// Activation, StartActivation and Stop; so the ascent must have kept all
// patterns.
//
// Restarts are agglomerated by complete linkage: each begins as a group by
// itself, and the two groups whose least similar members have the highest cosine
// are joined as long as that cosine is at least the threshold. Any two restarts
// of a mode are then alike. (Single linkage would chain a continuum of optima,
// such as the phases of a grating, into one mode as soon as there are enough
// restarts.) One tree serves all thresholds, so that the number of modes never
// falls as the threshold rises.
//
// A unit's numbers depend on its own restarts only. Intervals of the summary draw
// units again, by (seed, layer, resample). progress is
// told how many units are done; nil if nobody wants to know. When ctx ends,
// Modes stops after the unit in work with an error that wraps the context's.
func Modes(ctx context.Context, d engine.Device, r *AscentResult, o ModesOptions, progress func(done, total int)) (result *ModesResult, err error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("modes: %w", err)
	}
	in, err := newRestarts(r)
	if err != nil {
		return nil, fmt.Errorf("modes: %w", err)
	}
	need := 4 * float64(len(r.Units)) * float64(r.Restarts) * float64(r.Restarts)
	if err := checkResults(fmt.Sprintf("modes: the cosines between %d restarts of each of %d units", r.Restarts, len(r.Units)), need, "fewer restarts or units"); err != nil {
		return nil, err
	}
	a := &modesAnalysis{restarts: in, options: o, trees: make([]tree, len(r.Units))}
	a.result = &ModesResult{Layer: r.Layer, Names: r.Names, Threshold: o.Threshold, Restarts: r.Restarts, Mode: make([]int, len(r.Units)*r.Restarts)}
	if a.result.Cosines, err = dense.New(len(r.Units), r.Restarts, r.Restarts); err != nil {
		return nil, fmt.Errorf("modes: %w", err)
	}
	if a.cosines, err = dense.Data(a.result.Cosines); err != nil {
		return nil, err
	}
	if err := a.run(ctx, d, progress); err != nil {
		return nil, fmt.Errorf("modes: layer %d: %w", r.Layer, err)
	}
	a.summarise()
	return a.result, nil
}

// restarts are the parts of an ascent's result that modes are about.
type restarts struct {
	*AscentResult
	collector            // knows which restarts found nothing
	patterns   []float32 // [U, R, D]
	components int
}

func newRestarts(r *AscentResult) (*restarts, error) {
	if r == nil || len(r.Units) == 0 || r.Restarts < 1 {
		return nil, fmt.Errorf("no units or no restarts")
	}
	if r.Patterns == nil || r.Patterns.Dims() != 3 || r.Patterns.Shape()[0] != len(r.Units) || r.Patterns.Shape()[1] != r.Restarts {
		return nil, fmt.Errorf("there are no patterns of %d units with %d restarts; the ascent must keep all patterns", len(r.Units), r.Restarts)
	}
	if r.Direction != 1 && r.Direction != -1 {
		return nil, fmt.Errorf("direction %d, want 1 or -1", r.Direction)
	}
	if err := engine.CheckRowKey(r.Layer, slices.Max(r.Units), r.Restarts-1); err != nil {
		return nil, err
	}
	in := &restarts{AscentResult: r, components: r.Patterns.Shape()[2]}
	in.result = r
	rows := len(r.Units) * r.Restarts
	if len(r.Stop) != rows {
		return nil, fmt.Errorf("%d units with %d restarts, %d reasons to stop", len(r.Units), r.Restarts, len(r.Stop))
	}
	var err error
	if in.patterns, err = dense.Data(r.Patterns); err != nil {
		return nil, fmt.Errorf("patterns: %w", err)
	}
	if in.activation, err = dense.Data(r.Activation); err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	if in.start, err = dense.Data(r.StartActivation); err != nil {
		return nil, fmt.Errorf("start activation: %w", err)
	}
	if len(in.activation) != rows || len(in.start) != rows {
		return nil, fmt.Errorf("%d units with %d restarts, %d activations and %d of starts", len(r.Units), r.Restarts, len(in.activation), len(in.start))
	}
	return in, nil
}

// found returns which restarts of a unit found something.
func (r *restarts) found(unit int) (found []int) {
	for k := range r.Restarts {
		if !r.foundNothing(unit*r.Restarts + k) {
			found = append(found, k)
		}
	}
	return found
}

// modesAnalysis is Modes in the making.
type modesAnalysis struct {
	*restarts
	options ModesOptions
	result  *ModesResult
	cosines []float32 // [U, R, R]
	trees   []tree    // [U]
}

func (a *modesAnalysis) run(ctx context.Context, d engine.Device, progress func(done, total int)) (err error) {
	x, err := d.New(a.Restarts, a.components)
	if err != nil {
		return err
	}
	defer closeInto(&err, x)
	products, err := d.New(a.Restarts, a.Restarts)
	if err != nil {
		return err
	}
	defer closeInto(&err, products)
	for u := range a.Units {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.compare(d, x, products, u); err != nil {
			return fmt.Errorf("%s: %w", a.NameOf(u), err)
		}
		a.result.Units = append(a.result.Units, a.unit(u))
		if progress != nil {
			progress(u+1, len(a.Units))
		}
	}
	return nil
}

// compare works out the cosines between the restarts of a unit.
func (a *modesAnalysis) compare(d engine.Device, x, products engine.Matrix, u int) error {
	size := a.Restarts * a.components
	if err := x.Write(a.patterns[u*size : (u+1)*size]); err != nil {
		return err
	}
	if err := d.Project(x, 1); err != nil {
		return err
	}
	if err := d.Gemm(products, x, x, engine.Multiply(false, true)); err != nil {
		return err
	}
	cosines := a.cosinesOf(u)
	if err := products.Read(cosines); err != nil {
		return err
	}
	for _, c := range cosines {
		if c-c != 0 {
			return fmt.Errorf("a pattern: %w", engine.ErrNotFinite)
		}
	}
	return nil
}

func (a *modesAnalysis) cosinesOf(u int) []float32 {
	size := a.Restarts * a.Restarts
	return a.cosines[u*size : (u+1)*size]
}

// unit sorts the restarts of a unit into modes and works out its numbers.
func (a *modesAnalysis) unit(u int) UnitModes {
	found, cosines := a.found(u), a.cosinesOf(u)
	a.trees[u] = linkage(len(found), func(i, j int) float32 { return cosines[found[i]*a.Restarts+found[j]] })
	g := a.group(u, found, a.options.Threshold)
	modes := a.result.Mode[u*a.Restarts : (u+1)*a.Restarts]
	for k := range modes {
		modes[k] = -1
	}
	for i, k := range found {
		modes[k] = g.mode[i]
	}
	s := g.statistics()
	m := UnitModes{
		Unit: a.Units[u], Dead: len(found) == 0, Found: len(found),
		Modes: s.modes, Expected: expectedModes(g.size), MainShare: mainShare(g.size, a.options.Level), Effective: s.effective,
		Spread: s.spread, RelativeSpread: s.relative, Gap: s.gap, SecondCosine: math.NaN(), Unseen: unseen(g.size, a.options.Level),
	}
	if len(g.best) > 1 {
		m.SecondCosine = float64(cosines[found[g.best[0]]*a.Restarts+found[g.best[1]]])
	}
	return m
}

// group cuts a unit's tree at a threshold.
func (a *modesAnalysis) group(u int, found []int, threshold float64) *grouped {
	g := &grouped{mode: a.trees[u].cut(threshold), climbed: make([]float64, len(found)), gained: make([]float64, len(found))}
	for i, k := range found {
		row := u*a.Restarts + k
		g.climbed[i] = float64(a.Direction) * float64(a.activation[row])
		g.gained[i] = g.climbed[i] - float64(a.Direction)*float64(a.start[row])
	}
	g.order()
	return g
}
