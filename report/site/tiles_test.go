package site

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
)

// A model by itself shows the filters of its first layer, all of them.
func TestFiltersOfAModelAlone(t *testing.T) {
	dir := t.TempDir()
	n := trained(t, filepath.Join(dir, "dbn"), 1)
	r := build(t, dir)
	page := written(t, r)[schema.IndexPage]
	l := dataOf(t, page, 0)
	if len(r.Models[0].Layers) != 1 || l.Number != 1 || fmt.Sprint(l.Units) != "[0 1 2 3 4 5 6 7]" || len(l.Thumbs) != 1 {
		t.Fatalf("%d layers, the first %+v", len(r.Models[0].Layers), l)
	}
	if want := "8 units, each by its weights, the filter. Grey is zero"; !strings.Contains(page, want) {
		t.Errorf("the page lacks %q", want)
	}
	weight := n.Layers[0].Weight.Data().([]float32)
	compareTile(t, page, l, 5, weight[5*30:6*30])
}

// compareTile compares the tile that stands for a unit with its pattern.
func compareTile(t *testing.T, page string, l layer, place int, pattern []float32) {
	t.Helper()
	from := l.thumbsOf(place)
	if from == nil {
		t.Fatalf("place %d has no tile", place)
	}
	tile := from.Places[place] * from.Each
	img := sheetOf(t, page, 0, from.Tiles.Sheets[tile/from.Tiles.Per]).(*image.Gray)
	x, y := tile%from.Tiles.Per%from.Tiles.Columns*l.Cols, tile%from.Tiles.Per/from.Tiles.Columns*l.Rows
	largest := float32(0)
	for _, v := range pattern {
		largest = max(largest, v, -v)
	}
	for i, v := range pattern {
		want := uint8(128 + math.Round(127*float64(v)/float64(largest)))
		if got := img.GrayAt(x+i%l.Cols, y+i/l.Cols).Y; got != want {
			t.Fatalf("place %d, component %d is grey %d, want %d", place, i, got, want)
		}
	}
}

// Where no method has all units, each unit has the tile of the first that has it.
func TestTilesOfSeveralMethods(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	found := climbed(t, filepath.Join(dir, "ascent"), model, n, 2, "0-2")
	makeRun(t, filepath.Join(dir, "combine"), schema.TaskCombine, map[string]string{"layer": "2"}, []string{filepath.Join(model, schema.Model)}, files{
		"combine.npz": npzOf(map[string][]byte{"units": unitsFrom(5), "patterns": npyOf("<f4", "5, 30", 5*30*4)}),
	})
	r := build(t, filepath.Join(dir, "ascent"), filepath.Join(dir, "combine"))
	page := written(t, r)[schema.IndexPage]
	l := dataOf(t, page, 0)
	if fmt.Sprint(l.Units) != "[0 1 2 3 4]" || len(l.Thumbs) != 2 {
		t.Fatalf("units %v, tiles of %d methods", l.Units, len(l.Thumbs))
	}
	for _, want := range []string{"5 units, 3 by the best pattern of activation maximization", ", 2 by the linear combination of the filters below", "No run folder among those given made this model"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	best := found.BestPatterns.Data().([]float32)
	compareTile(t, page, l, 1, best[30:60])
	if l.thumbsOf(4) != &l.Thumbs[1] {
		t.Error("unit 4 has no tile of the combination")
	}
}

// A colour picture's tiles are in colour on the page, weights on one scale for all
// channels, and what is read there says so.
func TestColourTiles(t *testing.T) {
	dir := t.TempDir()
	for name, shape := range map[string][]int{"first": {3, 2, 5}, "last": {2, 5, 3}} {
		path := filepath.Join(dir, name)
		n, err := network.Untrained(network.DBN, engine.Bernoulli, shape, []int{8}, 1)
		if err != nil {
			t.Fatal(err)
		}
		makeRun(t, path, "train dbn", map[string]string{"data": "colours"}, nil, files{schema.Model: n.Write})
		page := written(t, build(t, path))[schema.IndexPage]
		if want := "8 units, each by its weights, the filter. Grey is zero, bright positive, dark negative; every tile has its own scale. Three channels are drawn as red, green and blue."; !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
		l := dataOf(t, page, 0)
		if l.Rows != 2 || l.Cols != 5 {
			t.Fatalf("%s: tiles of %dx%d", name, l.Rows, l.Cols)
		}
		row, img := l.Thumbs[0].Tiles, sheetOf(t, page, 0, l.Thumbs[0].Tiles.Sheets[0])
		pattern := n.Layers[0].Weight.Data().([]float32)[4*30 : 5*30]
		largest := float64(max(slices.Max(pattern), -slices.Min(pattern)))
		for y := range 2 {
			for x := range 5 {
				got := color.NRGBAModel.Convert(img.At(4%row.Columns*5+x, 4/row.Columns*2+y)).(color.NRGBA)
				for c, have := range []uint8{got.R, got.G, got.B} {
					k := (c*2+y)*5 + x
					if name == "last" {
						k = (y*5+x)*3 + c
					}
					if want := uint8(128 + math.Round(127*float64(pattern[k])/largest)); have != want || got.A != 255 {
						t.Fatalf("%s: channel %d of pixel %d, %d is %d, want %d", name, c, x, y, have, want)
					}
				}
			}
		}
	}
}

// What runs have warned of is in the report, once.
func TestWarningsOfRuns(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"a", "b"} {
		trained(t, filepath.Join(dir, name), uint64(i+1))
		edit(t, filepath.Join(dir, name, schema.Record), `"inputs": null`, `"inputs": null, "warnings": [{"about": "--model", "text": "no <bias>"}]`)
	}
	r := build(t, dir)
	if len(r.Warnings) != 1 || r.Warnings[0] != (Problem{"a, b", "no <bias>"}) || len(r.Problems) != 0 {
		t.Errorf("warnings %v, problems %v", r.Warnings, r.Problems)
	}
	if page := written(t, r)[schema.IndexPage]; !strings.Contains(page, "<li><code>a, b</code>: no &lt;bias&gt;</li>") {
		t.Error("the page does not have them")
	}
}

// A link to a folder is as good as the folder.
func TestLinkToAFolder(t *testing.T) {
	dir := t.TempDir()
	trained(t, filepath.Join(dir, "dbn"), 1)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "dbn"), link); err != nil {
		t.Skipf("no links here: %v", err)
	}
	if r := build(t, link); len(r.Models) != 1 || r.Models[0].Name != "link" {
		t.Errorf("models %v", r.Models)
	}
}

// Folders whose paths end alike are told apart by their whole paths.
func TestNamesOfFoldersThatEndAlike(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a", "dbn"), filepath.Join(dir, "b", "dbn")
	trained(t, a, 1)
	trained(t, b, 2)
	r := build(t, a, b)
	if got := []string{r.Models[0].Name, r.Models[1].Name}; got[0] != filepath.ToSlash(a) || got[1] != filepath.ToSlash(b) {
		t.Errorf("models %v", got)
	}
}

// Models that are called alike, whatever their records say of their digests, have
// pages of their own.
func TestModelsOfOneName(t *testing.T) {
	dir := t.TempDir()
	digest := strings.Repeat("0", 63)
	for i := range 3 {
		path := makeRun(t, filepath.Join(dir, fmt.Sprint("run", i)), schema.TaskCombine, map[string]string{"layer": "1"}, nil, files{
			"combine.npz": npzOf(map[string][]byte{"units": unitsFrom(1), "patterns": npyOf("<f4", "1, 30", 120)}),
		})
		edit(t, filepath.Join(path, schema.Record), `"inputs": null`, fmt.Sprintf(`"inputs": [{"name": "dbn/model.safetensors", "bytes": 1, "sha256": "%s%d"}]`, digest, i))
	}
	names := map[string]bool{}
	for _, m := range build(t, dir).Models {
		names[m.Name] = true
	}
	if len(names) != 3 {
		t.Errorf("three models have the names %v", names)
	}
}

// A folder leads to its layers whatever is in its name, and no two addresses are
// alike: of dbn's layer 1, unit 2, and of layer 2 of a model dbn/1.
func TestAddresses(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"50%25 a#b?c", "a:b", "a-b", "\xff", "模型", "dbn", "dbn/1"} {
		trained(t, filepath.Join(dir, name), uint64(i+1))
	}
	r := build(t, dir)
	page := written(t, r)[schema.IndexPage]
	safe, seen := regexp.MustCompile(`^[A-Za-z0-9-]+/[1-9][0-9]*$`), map[string]bool{}
	for _, m := range r.Models {
		for _, l := range m.Layers {
			if !safe.MatchString(l.Key) || seen[l.Key] {
				t.Errorf("the address of %q is %q, others are %v", l.Name, l.Key, seen)
			}
			seen[l.Key] = true
			if want := `href="#` + l.Key + `"`; !strings.Contains(page, want) {
				t.Errorf("the page lacks %s", want)
			}
		}
	}
	if len(seen) != 7 || strings.Contains(page, "ZgotmplZ") {
		t.Errorf("addresses %v of 7 models", seen)
	}
}

// Runs that are complete and can't be shown are named: of no layer, of one that the
// model does not have, and of an ascent that is elsewhere.
func TestRunsOfNoLayer(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	trained(t, model, 1)
	weights := []string{filepath.Join(model, schema.Model)}
	for name, c := range map[string]struct {
		layer  string
		inputs []string
		want   string
	}{
		"none":      {"first", weights, "does not say which layer"},
		"ninth":     {"9", weights, "layer 9 of a model of 2"},
		"elsewhere": {"1", nil, "names no model"},
	} {
		path := makeRun(t, filepath.Join(dir, name), schema.TaskCombine, map[string]string{"layer": c.layer}, c.inputs, files{
			"combine.npz": npzOf(map[string][]byte{"units": unitsFrom(1), "patterns": npyOf("<f4", "1, 30", 120)}),
		})
		r := build(t, dir)
		if len(r.Problems) != 1 || r.Problems[0].Folder != name || !strings.Contains(r.Problems[0].Text, c.want) {
			t.Errorf("problems %v, want one of %s with %q", r.Problems, name, c.want)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

// Runs far below the folder that is given are found.
func TestDeepFolders(t *testing.T) {
	dir := t.TempDir()
	trained(t, filepath.Join(dir, "a/b/c/d/e/f/g/h"), 1)
	if r := build(t, dir); len(r.Models) != 1 || r.Models[0].Name != "a/b/c/d/e/f/g/h" {
		t.Errorf("models %v", r.Models)
	}
}

// cancelAfter is a context that ends when it has been asked so often.
type cancelAfter struct {
	context.Context
	left int
}

func (c *cancelAfter) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// Wherever a report is when its context ends, it stops with the context's error.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	climbed(t, filepath.Join(dir, "ascent"), model, n, 2, "all")
	stops := 0
	for left := range 100 {
		ctx := &cancelAfter{context.Background(), left}
		r, err := Build(ctx, []string{dir}, Options{})
		if err == nil {
			err = r.WriteOne(ctx, io.Discard)
		}
		if err == nil {
			break
		}
		if stops++; !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d looks at the context: %v", left, err)
		}
	}
	if stops < 5 {
		t.Errorf("it looked at its context %d times", stops)
	}
}

// An ascent that goes down is no pattern of what a unit likes, and is named.
func TestDescentIsNamed(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	climbed(t, filepath.Join(dir, "down"), model, n, 2, "0-2")
	edit(t, filepath.Join(dir, "down", schema.Record), `"direction": "1"`, `"direction": "-1"`)
	r := build(t, dir)
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Text, "--direction -1") || len(r.Models[0].Layers) != 1 {
		t.Errorf("problems %v, layers %v", r.Problems, r.Models[0].Layers)
	}
}

// What is missing is said in commands that a shell takes as they are.
func TestMissingCommands(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my runs")
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	climbed(t, filepath.Join(dir, "ascent"), model, n, 2, "all")
	missing := strings.Join(build(t, dir).Models[0].Missing, "\n")
	for _, want := range []string{
		"unitscope visualize ascent --model '" + model + "' --layer 1 --out NEW",
		"unitscope analyze compare --model '" + model + "' --layer 2 --data digits --out NEW",
		"unitscope visualize sample --model '" + model + "' --layer 2 --out NEW",
		"unitscope analyze restarts --model '" + model + "' --out NEW",
	} {
		if !strings.Contains(missing, want) {
			t.Errorf("%q is not among the missing:\n%s", want, missing)
		}
	}
	if strings.Contains(missing, "visualize ascent --model '"+model+"' --layer 2") {
		t.Errorf("an ascent that is there is missing:\n%s", missing)
	}
}

// WriteOne writes one file, with what Write puts into several.
func TestWriteOne(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	climbed(t, filepath.Join(dir, "one"), model, n, 2, "all")
	r := build(t, dir)
	var page strings.Builder
	if err := r.WriteOne(context.Background(), &page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`id="overview"`, `id="data-0"`, `id="data-1"`, `href="#dbn/2"`} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if err := r.WriteOne(context.Background(), failing{}); err == nil {
		t.Error("a file that can't be written is no error")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
