package site

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// files are what a run writes, by their names.
type files map[string]func(io.Writer) error

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// makeRun makes a complete run folder.
func makeRun(t testing.TB, path, task string, options map[string]string, inputs []string, write files) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	record, err := runfolder.NewRecord(task, []string{"unitscope", task}, options, 1, engine.Info{Name: "cpu"}, inputs)
	if err != nil {
		t.Fatal(err)
	}
	f, err := runfolder.Create(path, runfolder.Fresh, record)
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range write {
		if err := f.Write(name, to); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Finish(); err != nil {
		t.Fatal(err)
	}
	return path
}

// trained makes the run folder of a small model of two layers, and returns both.
func trained(t testing.TB, path string, seed uint64) *network.Network {
	t.Helper()
	n, err := network.Untrained(network.DBN, engine.Bernoulli, []int{6, 5}, []int{8, 7}, seed)
	if err != nil {
		t.Fatal(err)
	}
	n.Radius = 3
	makeRun(t, path, "train dbn", map[string]string{"data": "digits"}, nil, files{
		schema.Model: n.Write,
		"log.csv":    text("layer,epoch,step,error\n1,1,10,5\n1,2,20,4\n2,1,10,3\n2,2,20,2.5\n"),
	})
	return n
}

// climbed makes the run folder of an ascent and returns what it found.
func climbed(t testing.TB, path, model string, n *network.Network, layer int, units string) *visualize.AscentResult {
	t.Helper()
	d, err := engine.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	o := visualize.DefaultAscent()
	o.Layer, o.Restarts, o.Rate, o.MaxSteps, o.KeepAll, o.Curves = layer, 3, 0.2, 20, true, true
	if o.Units, err = visualize.ParseUnits(units, n.Sizes()[layer]); err != nil {
		t.Fatal(err)
	}
	r, err := visualize.Ascend(context.Background(), d, n, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	makeRun(t, path, "visualize ascent", map[string]string{"layer": fmt.Sprint(layer), "direction": "1"}, []string{filepath.Join(model, schema.Model)}, files{
		"ascent.npz": r.WriteArrays, "restarts.csv": r.WriteTable,
	})
	return r
}

// written are the files of a report.
func written(t testing.TB, r *Report) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := r.Write(context.Background(), func(name string, to func(io.Writer) error) error {
		var b bytes.Buffer
		err := to(&b)
		all[name] = b.String()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func build(t testing.TB, folders ...string) *Report {
	t.Helper()
	r, err := Build(context.Background(), folders, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// dataOf reads the JSON of a page's layer as a browser does.
func dataOf(t testing.TB, page string, number int) (l layer) {
	t.Helper()
	_, rest, ok := strings.Cut(page, fmt.Sprintf(`<script type="application/json" id="data-%d">`, number))
	body, _, closed := strings.Cut(rest, "</script>")
	if !ok || !closed {
		t.Fatalf("no data of layer %d in the page", number)
	}
	// numbers only write themselves; null stands for what is not known.
	body = strings.ReplaceAll(body, "null", "0")
	if err := json.Unmarshal([]byte(body), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func sheetOf(t testing.TB, page string, layer, number int) image.Image {
	t.Helper()
	_, rest, ok := strings.Cut(page, fmt.Sprintf(`id="sheet-%d-%d">`, layer, number))
	body, _, _ := strings.Cut(rest, "<")
	file, err := base64.StdEncoding.DecodeString(body)
	if !ok || err != nil {
		t.Fatalf("no sheet %d of layer %d: %v", number, layer, err)
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestReport(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	climbed(t, filepath.Join(dir, "one"), model, n, 1, "all")
	found := climbed(t, filepath.Join(dir, "two"), model, n, 2, "1,4,6")
	page := written(t, build(t, dir))[schema.IndexPage]

	for _, want := range []string{`href="#dbn/1"`, `href="#dbn/2"`, "<svg", "unitscope visualize sample", "unitscope analyze restarts", "<code>one</code> visualize ascent", "30 – 8 – 7"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	l := dataOf(t, page, 1)
	if fmt.Sprint(l.Units) != "[1 4 6]" || l.Rows != 6 || l.Cols != 5 || l.Ascent.Count != 3 || !l.Ascent.All {
		t.Errorf("units %v of %dx%d, %d restarts", l.Units, l.Rows, l.Cols, l.Ascent.Count)
	}
	best := found.Best[1]
	want, _ := found.Activation.At(1, best)
	if got := l.Facts[0].Values[1]; l.Facts[0].Key != "activation" || math.Abs(float64(got-want.(float32))) > 1e-4*math.Abs(float64(want.(float32))) {
		t.Errorf("fact %s is %v, want %v", l.Facts[0].Key, got, want)
	}
	// The tile of unit 4, restart 2, to the grey.
	patterns := found.Patterns.Data().([]float32)[(1*3+2)*30 : (1*3+3)*30]
	largest := float32(0)
	for _, x := range patterns {
		largest = max(largest, x, -x)
	}
	tiles := l.Ascent.Restarts.Tiles
	place := l.Ascent.Restarts.Places[1]*3 + 2
	img := sheetOf(t, page, 1, tiles.Sheets[place/tiles.Per]).(*image.Gray)
	x, y := place%tiles.Per%tiles.Columns*5, place%tiles.Per/tiles.Columns*6
	for i, v := range patterns {
		want := uint8(128 + math.Round(127*float64(v)/float64(largest)))
		if got := img.GrayAt(x+i%5, y+i/5).Y; got != want {
			t.Fatalf("component %d is grey %d, want %d", i, got, want)
		}
	}
}

// An ascent belongs to the model that it read, whatever the folders are called.
func TestModelsAreNotMixed(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	na, nb := trained(t, a, 1), trained(t, b, 2)
	climbed(t, filepath.Join(dir, "x"), b, nb, 1, "0-2")
	climbed(t, filepath.Join(dir, "y"), a, na, 1, "3,5")
	r := build(t, dir)
	for i, want := range []string{"[3 5]", "[0 1 2]"} {
		if m := r.Models[i]; len(m.Layers) != 1 || fmt.Sprint(m.Layers[0].Units) != want {
			t.Errorf("model %s has layers %v, want units %s", m.Name, m.Layers, want)
		}
	}
}

// Of two runs of the same kind the one with more units is shown, or the later one, and
// the other named.
func TestTwoRunsOfALayer(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	climbed(t, filepath.Join(dir, "a"), model, n, 1, "0-2")
	climbed(t, filepath.Join(dir, "b"), model, n, 1, "0-4")
	later := climbed(t, filepath.Join(dir, "c"), model, n, 1, "2")
	edit(t, filepath.Join(dir, "c", schema.Record), `"finished": "2`, `"finished": "3`)
	r := build(t, dir)
	if l := r.Models[0].Layers; len(l) != 1 || len(l[0].Units) != 5 || len(later.Units) != 1 || len(r.Problems) != 2 {
		t.Errorf("layers %v, problems %v", l, r.Problems)
	}
	for _, p := range r.Problems {
		if !strings.Contains(p.Text, "units are not shown: b, another run") || !strings.Contains(p.Text, "has more units") {
			t.Errorf("problem %v", p)
		}
	}
	climbed(t, filepath.Join(dir, "d"), model, n, 1, "1-5")
	edit(t, filepath.Join(dir, "d", schema.Record), `"finished": "2`, `"finished": "4`)
	if l := build(t, dir).Models[0].Layers; len(l) != 1 || fmt.Sprint(l[0].Units) != "[1 2 3 4 5]" {
		t.Errorf("layers %v, want the later one of two with five units", l)
	}
}

func TestProblemsAreNamed(t *testing.T) {
	damage := map[string]func(t *testing.T, path string){
		"not complete": func(t *testing.T, path string) {
			edit(t, filepath.Join(path, schema.Record), `"complete"`, `"running"`)
		},
		"this version reads": func(t *testing.T, path string) {
			edit(t, filepath.Join(path, schema.Record), runfolder.Format, "unitscope-run/99")
		},
		"has changed since": func(t *testing.T, path string) { edit(t, filepath.Join(path, "restarts.csv"), "0,0,", "0,1,") },
		"no such file": func(t *testing.T, path string) {
			if err := os.Remove(filepath.Join(path, "ascent.npz")); err != nil {
				t.Fatal(err)
			}
		},
		"can't be read": func(t *testing.T, path string) {
			if err := os.WriteFile(filepath.Join(path, schema.Record), []byte("{"), 0o666); err != nil {
				t.Fatal(err)
			}
		},
	}
	for want, damage := range damage {
		t.Run(want, func(t *testing.T) {
			dir := t.TempDir()
			model, bad := filepath.Join(dir, "dbn"), filepath.Join(dir, "bad")
			n := trained(t, model, 1)
			climbed(t, filepath.Join(dir, "good"), model, n, 2, "0-2")
			climbed(t, bad, model, n, 1, "0-2")
			damage(t, bad)
			r := build(t, dir)
			if len(r.Problems) != 1 || r.Problems[0].Folder != "bad" || !strings.Contains(r.Problems[0].Text, want) {
				t.Errorf("problems %v, want one of bad with %q", r.Problems, want)
			}
			// The bad one's layer has the model's own filters only.
			if l := r.Models[0].Layers; len(l) != 2 || l[0].Ascent != nil || l[1].Ascent == nil {
				t.Errorf("layers %v, want an ascent of the second only", l)
			}
			if page := written(t, r)[schema.IndexPage]; !strings.Contains(page, "Not shown") {
				t.Error("the page does not name it")
			}
			if _, err := Build(context.Background(), []string{bad}, Options{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("alone: error %v, want %q", err, want)
			}
		})
	}
}

func edit(t *testing.T, path, old, with string) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(body, []byte(old)) {
		t.Fatalf("%s: no %q in it, %v", path, old, err)
	}
	if err := os.WriteFile(path, bytes.Replace(body, []byte(old), []byte(with), 1), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestNothingToShow(t *testing.T) {
	empty := t.TempDir()
	file := filepath.Join(empty, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		folders []string
		want    string
	}{
		{nil, "unitscope demo"},
		{[]string{empty}, "no run folder in it (no run.json)"},
		{[]string{file}, "want a run folder"},
		{[]string{filepath.Join(empty, "none")}, "no such file"},
		{[]string{makeRun(t, filepath.Join(t.TempDir(), "bench"), "bench", nil, nil, files{"x.csv": text("a\n")})}, "unitscope visualize ascent"},
	} {
		if _, err := Build(context.Background(), c.folders, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q", c.folders, err, c.want)
		}
	}
}

func TestEscaping(t *testing.T) {
	const evil = `x</script><script>alert(1)</script>&"'<img src=x onerror=alert(1)>`
	dir := t.TempDir()
	model := filepath.Join(dir, strings.ReplaceAll(evil, "/", "\u2215"))
	n := trained(t, model, 1)
	makeRun(t, filepath.Join(dir, "scores"), "finetune", map[string]string{"data": evil}, []string{filepath.Join(model, schema.Model)}, files{
		"scores.csv": text("set," + `"` + strings.ReplaceAll(evil, `"`, `""`) + `"` + "\ntest," + `"` + strings.ReplaceAll(evil, `"`, `""`) + `"` + "\n"),
	})
	climbed(t, filepath.Join(dir, "ascent"), model, n, 1, "0-2")
	r, err := Build(context.Background(), []string{dir}, Options{Title: evil})
	if err != nil {
		t.Fatal(err)
	}
	page := written(t, r)[schema.IndexPage]
	// Sheets, data of the one layer, and the page's own script.
	if got, want := strings.Count(page, "<script"), len(r.sheets[r.Models[0].Layers[0].Key].pictures)+1+1; got != want {
		t.Errorf("%d scripts, want %d", got, want)
	}
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "<img src=x") {
		t.Error("data got through as HTML")
	}
	if l := dataOf(t, page, 0); !strings.Contains(l.Name, "<script>") {
		t.Errorf("the layer's name is %q", l.Name)
	}
}

func TestPolicyNamesStyleAndScript(t *testing.T) {
	dir := t.TempDir()
	trained(t, filepath.Join(dir, "dbn"), 1)
	page := written(t, build(t, dir))[schema.IndexPage]
	for _, part := range []string{"style", "script"} {
		parts := regexp.MustCompile(`(?s)<`+part+`>(.*?)</`+part+`>`).FindAllStringSubmatch(page, -1)
		if len(parts) != 1 {
			t.Fatalf("%d elements <%s>", len(parts), part)
		}
		if !strings.Contains(strings.ReplaceAll(page, "&#43;", "+"), part+"-src &#39;"+hash(parts[0][1])+"&#39;") {
			t.Errorf("the policy does not name the page's %s", part)
		}
	}
}

// A folder that is under way by the run that makes the report is not held against
// it, and its own pictures are in.
func TestOwnFolder(t *testing.T) {
	dir := t.TempDir()
	record, err := runfolder.NewRecord("demo", nil, nil, 1, engine.Info{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := runfolder.Create(dir, runfolder.Fresh, record)
	if err != nil {
		t.Fatal(err)
	}
	trained(t, filepath.Join(dir, "dbn"), 1)
	picture := func(w io.Writer) error { return png.Encode(w, image.NewGray(image.Rect(0, 0, 3, 2))) }
	if err := f.Write("figure1.png", picture); err != nil {
		t.Fatal(err)
	}
	r, err := Build(context.Background(), []string{dir}, Options{Folder: dir, Own: []string{"figure1.png"}})
	if err = errors.Join(err, f.Finish()); err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) != 0 || len(r.Figures) != 1 || r.Figures[0].Width != 3 {
		t.Errorf("problems %v, figures %v", r.Problems, r.Figures)
	}
}
