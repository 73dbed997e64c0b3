package site

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// layer is all that a page needs to know of a layer's units; places count them.
type layer struct {
	Key    string `json:"key"` // of addresses: "dbn/2"
	Name   string `json:"name"`
	Model  string `json:"model"`
	Number int    `json:"layer"`
	Title  string `json:"-"`     // without the model
	Units  []int  `json:"units"` // [U], ascending
	// Names [U] are those of directions or goals, which the page is about in place of
	// units; nil for units.
	Names []string `json:"names,omitempty"`
	Rows  int      `json:"rows"` // of a pattern, in pixels
	Cols  int      `json:"cols"`
	size  int      // how many units the model has there, 0 if that is not known
	// Thumbs are where the units' own tiles come from: each unit's is the first of
	// its tiles in the first row that has any.
	Thumbs []thumbs `json:"thumbs"`

	Ascent      *ascentData      `json:"ascent,omitempty"`
	Samples     *samplesData     `json:"samples,omitempty"`
	Combine     *placedTiles     `json:"combine,omitempty"`
	Examples    *examplesData    `json:"examples,omitempty"`
	Selectivity *selectivityData `json:"selectivity,omitempty"`
	Tuning      *tuningData      `json:"tuning,omitempty"`
	Connections *connectionsData `json:"connections,omitempty"`
	Others      []other          `json:"others"`   // patterns of comparisons and figures
	Warnings    []string         `json:"warnings"` // of runs, that concern the layer
	// Facts are the units' numbers, which can be sorted by.
	Facts []fact `json:"facts"`
	Dead  []int  `json:"dead"` // places

	components int
	tile       report.Tile
	seen       map[string]bool // tasks that gave results
}

// A fact is one number for each unit [U].
type fact struct {
	Key    string  `json:"key"`
	Name   string  `json:"name"`
	About  string  `json:"about"`
	Values numbers `json:"values"`
	// Words are what values stand for, by their number; nil for numbers.
	Words []string `json:"words,omitempty"`
}

// placedTiles is tiles of some of the units: Places[u] is the unit's place in the
// row, -1 if it has none; Each tiles belong to it.
type placedTiles struct {
	Tiles  *tileRow `json:"tiles"`
	Places []int    `json:"places"`
	Each   int      `json:"each"`
}

// thumbs are tiles that stand for their units, and how they were found.
type thumbs struct {
	placedTiles
	Method string `json:"method"`
}

type ascentData struct {
	Restarts   *placedTiles `json:"restarts"` // best only: one for each unit
	Count      int          `json:"count"`    // restarts of a unit
	Best       []int        `json:"best"`     // [U], -1 for no ascent
	Activation numbers      `json:"activation"`
	Start      numbers      `json:"start"`
	Cosine     numbers      `json:"cosine"`
	Steps      []int        `json:"steps"`
	Stop       []string     `json:"stop"`
	Curves     *curveData   `json:"curves,omitempty"`
	All        bool         `json:"all"`  // Restarts has all, not only the best
	Kept       string       `json:"kept"` // by the run: "all" or "best"
}

type curveData struct {
	Step       []int   `json:"step"`
	Activation numbers `json:"activation"` // [U, R, T]
}

type samplesData struct {
	Samples *placedTiles `json:"samples"`
	Mean    *placedTiles `json:"mean"`
	RHat    numbers      `json:"rhat,omitempty"` // [U], the largest of a unit
	Limit   float64      `json:"limit"`          // above which chains disagree
}

type examplesData struct {
	Examples   *placedTiles `json:"examples"`
	Activation numbers      `json:"activation"` // [U, n]
	Label      []int        `json:"label"`      // -1 for none
	Index      []int        `json:"index"`
}

type selectivityData struct {
	Places []int `json:"places"`
	// Matrix is base64 of int8 [S, S], 127 times the response, rows are patterns.
	Matrix string `json:"matrix"`
	Units  []int  `json:"units"` // [S] units of rows and columns
}

// builder fills one layer from the runs that looked at it.
type builder struct {
	*layer
	sheets *sheets
	shape  []int // of the model's input; nil if unknown
}

// add reads what a run has to say of the layer.
func (b *builder) add(r *runFolder) (err error) {
	switch r.record.Task {
	case schema.TaskAscent:
		err = b.ascent(r)
	case schema.TaskSample:
		err = b.samples(r)
	case schema.TaskCombine:
		err = b.combination(r)
	case schema.TaskExamples:
		err = b.examples(r)
	case schema.TaskSelectivity:
		err = b.selectivity(r)
	case schema.TaskTuning:
		err = b.tuning(r)
	case schema.TaskConnections:
		err = b.connections(r)
	default:
		return nil
	}
	if err == nil {
		b.seen[r.record.Task] = true
	}
	return err
}

// layout settles the size of a tile; all patterns of a layer have the same.
func (b *builder) layout(components int) error {
	if b.components != 0 {
		if components != b.components {
			return fmt.Errorf("patterns of %d numbers, others of this layer have %d", components, b.components)
		}
		return nil
	}
	tile, err := report.NewTile(b.shape, components)
	if err != nil {
		if tile, err = report.NewTile(nil, components); err != nil {
			return err
		}
	}
	if tile.Rows > sheetWidth || tile.Cols > sheetWidth {
		return fmt.Errorf("patterns of %dx%d are larger than a report shows", tile.Rows, tile.Cols)
	}
	b.components, b.tile, b.Rows, b.Cols = components, tile, tile.Rows, tile.Cols
	return nil
}

// placeTiles puts an array [S, each, D], or [S, D], of patterns on sheets.
func (b *builder) placeTiles(a *array, g greys) (*placedTiles, error) {
	each := 1
	if len(a.shape) > 1 {
		each = a.shape[0]
	}
	if each < 1 || a.size() < 1 || len(a.shape) > 2 {
		return nil, fmt.Errorf("patterns of shape %v", a.shape)
	}
	components := a.size() / each
	if err := b.layout(components); err != nil {
		return nil, err
	}
	t, err := b.sheets.tiles(a.data, components, b.tile, each, g)
	if err != nil {
		return nil, err
	}
	return &placedTiles{t, b.places(a.units), each}, nil
}

// places says for each unit of the layer where it is among others.
func (b *builder) places(units []int) []int {
	at := map[int]int{}
	for i, u := range units {
		at[u] = i
	}
	places := make([]int, len(b.Units))
	for i, u := range b.Units {
		if place, ok := at[u]; ok {
			places[i] = place
		} else {
			places[i] = -1
		}
	}
	return places
}

// room is an error where so many numbers of each unit are more than a page holds.
func (b *builder) room(each int) error {
	if each > maxNumbers/max(1, len(b.Units)) {
		return fmt.Errorf("%d numbers of each of %d units are more than a report shows (%d in all)", each, len(b.Units), maxNumbers)
	}
	return nil
}

// spread gives every unit of the layer the numbers, each of them, that some units
// have; the others get NaN. Whether there is room, its caller has asked.
func (b *builder) spread(units []int, data []float32, each int) numbers {
	all := make(numbers, len(b.Units)*each)
	for i := range all {
		all[i] = float32(math.NaN())
	}
	for i, place := range b.places(units) {
		if place >= 0 {
			copy(all[i*each:(i+1)*each], data[place*each:(place+1)*each])
		}
	}
	return all
}

// stand makes tiles stand for units that nothing came before for.
func (b *builder) stand(p *placedTiles, method string) {
	for i, place := range p.Places {
		if place >= 0 && b.thumbsOf(i) == nil {
			b.Thumbs = append(b.Thumbs, thumbs{*p, method})
			return
		}
	}
}

// thumbsOf is where a unit's tile comes from; nil if it has none.
func (l *layer) thumbsOf(place int) *thumbs {
	for i := range l.Thumbs {
		if l.Thumbs[i].Places[place] >= 0 {
			return &l.Thumbs[i]
		}
	}
	return nil
}

// Noun is what the page is about.
func (l *layer) Noun() string { return report.Noun(l.Names) }

// About says what the tiles of the grid are.
func (l *layer) About() string {
	count, without := map[*thumbs]int{}, 0
	for i := range l.Units {
		if t := l.thumbsOf(i); t != nil {
			count[t]++
		} else {
			without++
		}
	}
	parts := []string{words.Count(len(l.Units), l.Noun())}
	if l.size > len(l.Units) {
		parts[0] = fmt.Sprintf("%d of %d units", len(l.Units), l.size)
	}
	var scales []string
	for i := range l.Thumbs {
		n, who := count[&l.Thumbs[i]], "each"
		if n < len(l.Units) {
			who = strconv.Itoa(n)
		}
		parts = append(parts, who+" by "+l.Thumbs[i].Method)
		if scale := l.Thumbs[i].Tiles.Scale; !slices.Contains(scales, scale) {
			scales = append(scales, scale)
		}
	}
	if without > 0 {
		parts = append(parts, strconv.Itoa(without)+" without a pattern")
	}
	return strings.Join(parts, ", ") + ". " + strings.Join(scales, " Or: ")
}

func (b *builder) samples(r *runFolder) error {
	path := r.file(schema.SamplesArrays)
	samples, err := readArray(path, schema.Samples)
	if err != nil {
		return err
	}
	mean, err := readArray(path, schema.Mean)
	if err != nil {
		return err
	}
	g := greyOfSamples(samples.data)
	var s samplesData
	if s.Samples, err = b.placeTiles(samples, g); err != nil {
		return err
	}
	if s.Mean, err = b.placeTiles(mean, g); err != nil {
		return err
	}
	b.Samples = &s
	b.stand(s.Mean, "the mean of samples")
	if err := b.mixing(r); err != nil {
		return err
	}
	return b.column(r, schema.MixingTable, []fact{
		{Key: schema.Concentration, Name: "concentration of samples", About: "mean cosine between samples and their mean: 1 if all are alike"},
		{Key: "sample_modes", Name: "modes of samples", About: "modes among the samples of the unit"},
		{Key: schema.Chance, Name: "chance of the samples", About: "of a mean that differs as much from that of free samples if the unit said nothing: above 0.05 it can't be told from it"},
		{Key: schema.DataCorrelation, Name: "samples and data", About: "correlation, over components, of how the mean of samples and what the data say of the unit deviate: 1 if samples are true"},
	}, map[string]string{"sample_modes": schema.Modes})
}

func (b *builder) combination(r *runFolder) (err error) {
	a, err := readArray(r.file(schema.CombineArrays), schema.Patterns)
	if err != nil {
		return err
	}
	if b.Combine, err = b.placeTiles(a, besideOthers(a)); err == nil {
		b.stand(b.Combine, "the linear combination of the filters below")
	}
	return err
}

func (b *builder) examples(r *runFolder) error {
	path := r.file(schema.ExamplesArrays)
	examples, err := readArray(path, schema.Examples)
	if err != nil {
		return err
	}
	var e examplesData
	if e.Examples, err = b.placeTiles(examples, greyOf(examples.data)); err != nil {
		return err
	}
	n := e.Examples.Each
	if err := b.room(n); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		to   func(numbers)
	}{
		{schema.Activation, func(x numbers) { e.Activation = x }},
		{schema.Label, func(x numbers) { e.Label = x.whole() }},
		{schema.Index, func(x numbers) { e.Index = x.whole() }},
	} {
		a, err := readArray(path, part.name)
		if err != nil {
			return err
		}
		if len(a.shape) != 1 || a.shape[0] != n || !slices.Equal(a.units, examples.units) {
			return fmt.Errorf("%s of shape %v for %d examples", part.name, a.shape, n)
		}
		part.to(b.spread(a.units, a.data, n))
	}
	b.Examples = &e
	b.stand(e.Examples, "the example that excites it most")
	return nil
}

// filters makes the weights of the first layer's units stand for those that have
// no other tile; without any other result, for all units.
func (b *builder) filters(n *network.Network) error {
	if len(b.Units) == 0 {
		for u := range min(n.Sizes()[1], maxUnits) {
			b.Units = append(b.Units, u)
		}
	}
	var without []int
	for i, u := range b.Units {
		if b.thumbsOf(i) == nil {
			without = append(without, u)
		}
	}
	if len(without) == 0 {
		return nil
	}
	weights, err := visualize.Filters(n, without)
	if err != nil {
		return err
	}
	data, err := dense.Data(weights.Data)
	if err != nil {
		return err
	}
	filters := &array{units: without, shape: weights.Data.Shape()[1:], data: data}
	tiles, err := b.placeTiles(filters, besideOthers(filters))
	if err == nil {
		b.stand(tiles, "its weights, the filter")
	}
	return err
}
