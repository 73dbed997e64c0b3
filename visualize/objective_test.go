package visualize

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// deep is a network of three layers, whose units are not alike.
func deep(t testing.TB) *network.Network { return randomNetwork(t, 11, 3, 0.5, 17, 9, 6, 5) }

// sameRestarts compares everything that two ascents found, to the bit.
func sameRestarts(t *testing.T, what string, got, want *AscentResult) {
	t.Helper()
	if got.Rate != want.Rate || !slices.Equal(got.Steps, want.Steps) || !slices.Equal(got.Stop, want.Stop) || !slices.Equal(got.Best, want.Best) {
		t.Errorf("%s: steps, reasons to stop, best restarts or the rate differ from the units'", what)
	}
	for _, pair := range [][2][]float32{
		{numbers(t, got.Patterns), numbers(t, want.Patterns)}, {numbers(t, got.Activation), numbers(t, want.Activation)},
		{numbers(t, got.StartActivation), numbers(t, want.StartActivation)}, {numbers(t, got.Tangent), numbers(t, want.Tangent)},
	} {
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s: numbers differ from the units'", what)
		}
	}
}

// A direction that is a unit vector is the unit, and so is a goal of one term: from the
// starts of the unit by its number, with the same bits.
func TestObjectivesThatAreUnits(t *testing.T) {
	n, d := deep(t), openDevice(t)
	for layer := 1; layer <= n.Depth(); layer++ {
		units := n.Sizes()[layer]
		all, _ := ParseUnits("all", units)
		unity := make([]float32, units*units)
		for u := range units {
			unity[u*units+u] = 1
		}
		for _, after := range []bool{false, true} {
			for _, direction := range []int{1, -1} {
				o := options(layer, all...)
				o.After, o.Direction, o.MaxSteps = after, direction, 60
				want := ascend(t, d, n, o)
				o.Units, o.After = nil, false
				var err error
				if o.Objectives, err = Directions(n, layer, array(t, unity, units, units), after); err != nil {
					t.Fatal(err)
				}
				sameRestarts(t, fmt.Sprintf("directions in layer %d, after %v, way %d", layer, after, direction), ascend(t, d, n, o), want)
				o.Objectives = nil
				for u := range units {
					goal, top, err := ParseGoal(fmt.Sprintf("%d:%d", layer, u), n, after)
					if err != nil || top != layer {
						t.Fatalf("goal of unit %d: %v, layer %d", u, err, top)
					}
					o.Objectives = append(o.Objectives, goal)
				}
				sameRestarts(t, fmt.Sprintf("goals in layer %d, after %v, way %d", layer, after, direction), ascend(t, d, n, o), want)
			}
		}
	}
}

// In layer 1 the optimum of a weighted set is rho times the sum of its weights' rows,
// scaled, and its value rho times the sum's norm with the biases; a direction is the
// same sum.
func TestSumsInTheFirstLayer(t *testing.T) {
	const inputs, units = 23, 4
	n := randomNetwork(t, 5, 2, 1, inputs, units)
	weight, bias := numbers(t, n.Layers[0].Weight), numbers(t, n.Layers[0].Bias)
	goal, _, err := ParseGoal(" 1: 3 *-0.5, 1 :1 ", n, false)
	if err != nil || goal.Name != "1:3*-0.5,1:1" {
		t.Fatalf("%v, its name is %q", err, goal.Name)
	}
	rows, err := Directions(n, 1, array(t, []float32{0, 1, 0, -0.5}, 1, units), false)
	if err != nil {
		t.Fatal(err)
	}
	sum := make([]float32, inputs)
	for j := range sum {
		sum[j] = weight[inputs+j] - weight[3*inputs+j]/2
	}
	for _, direction := range []float64{1, -1} {
		o := options(1)
		o.Objectives, o.Direction = []Objective{goal, rows[0]}, int(direction)
		r := ascend(t, openDevice(t), n, o)
		want := direction*n.Radius*norm(sum) + float64(bias[1]-bias[3]/2)
		for k, name := range []string{"1:3*-0.5,1:1", "direction 0"} {
			if r.NameOf(k) != name || r.UnitPatterns().Names[k] != name {
				t.Errorf("objective %d is called %q and its pattern %q, want %q", k, r.NameOf(k), r.UnitPatterns().Names[k], name)
			}
			pattern := numbers(t, r.BestPatterns)[k*inputs : (k+1)*inputs]
			if d := distance(pattern, scaled(sum, direction*n.Radius)); d > 1e-4 {
				t.Errorf("%s: pattern is %g from the optimum", name, d)
			}
			if a := float64(numbers(t, r.Activation)[k*o.Restarts+r.Best[k]]); math.Abs(a-want) > 1e-5*math.Abs(want) {
				t.Errorf("%s: value %g, want %g", name, a, want)
			}
		}
	}
}

// A goal that reads several layers is the sum of what each of them computes.
func TestGoalOfSeveralLayers(t *testing.T) {
	n := deep(t)
	goal, layer, err := ParseGoal("3:1,1:4*2,2:0*-0.25", n, false)
	if err != nil || layer != 3 {
		t.Fatalf("%v, layer %d", err, layer)
	}
	o := options(layer)
	o.Objectives = []Objective{goal}
	r := ascend(t, openDevice(t), n, o)
	best := make([]float64, 17)
	for j, x := range numbers(t, r.BestPatterns) {
		best[j] = float64(x)
	}
	want := activation64(t, n, 3, 1, best) + 2*activation64(t, n, 1, 4, best) - activation64(t, n, 2, 0, best)/4
	if a := float64(numbers(t, r.Activation)[r.Best[0]]); math.Abs(a-want) > 1e-4*math.Abs(want) {
		t.Errorf("its value is %g, that of the pattern %g", a, want)
	}
	if gain := numbers(t, r.Activation)[0] - numbers(t, r.StartActivation)[0]; gain <= 0 {
		t.Errorf("it has gained %g", gain)
	}
}

// Restarts begin at the pictures given, whatever is climbed.
func TestGivenStarts(t *testing.T) {
	const inputs = 17
	n := deep(t)
	o := options(2, 3, 0)
	o.Restarts, o.MaxSteps, o.Start = 2, 0, array(t, normals(8, 1, 2*inputs), 2, inputs)
	r := ascend(t, openDevice(t), n, o)
	for i := range 4 {
		start := numbers(t, o.Start)[i%2*inputs : (i%2+1)*inputs]
		if d := distance(numbers(t, r.Patterns)[i*inputs:(i+1)*inputs], scaled(start, n.Radius)); d > 1e-5 {
			t.Errorf("row %d begins %g from the picture", i, d)
		}
	}
	before, o2 := o.Start, o
	o2.MaxSteps = 300
	climbed := ascend(t, openDevice(t), n, o2)
	if o.Start != before || climbed.Steps[0] == 0 {
		t.Error("nothing was climbed from the picture")
	}
}

// The names of objectives are in arrays and tables, and come back from these.
func TestNamesAreKept(t *testing.T) {
	n := deep(t)
	goal, layer, err := ParseGoal("2:0,2:5*-1", n, true)
	if err != nil {
		t.Fatal(err)
	}
	o := options(layer)
	o.Objectives = []Objective{goal, {"another", goal.Goal}}
	r := ascend(t, openDevice(t), n, o)
	var table, arrays, modes bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	back, err := ReadRestarts(bytes.NewReader(table.Bytes()), layer, 1)
	if err != nil || !slices.Equal(back.Names, r.Names) || !slices.Equal(back.Units, []int{0, 1}) {
		t.Errorf("read again: %v, names %q of %v", err, back.Names, back.Units)
	}
	if err := r.WriteArrays(&arrays); err != nil || !strings.Contains(arrays.String(), "goal_names.npy") {
		t.Errorf("arrays: %v, or no names", err)
	}
	m, err := Modes(t.Context(), openDevice(t), r, DefaultModes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteModesTable(&modes, []*ModesResult{m}); err != nil || m.NameOf(0) != goal.Name || !strings.Contains(modes.String(), `,"2:0,2:5*-1"`) {
		t.Errorf("modes are of %q: %v\n%s", m.NameOf(0), err, modes.String())
	}
	for what, change := range map[string][2]string{
		"another name":  {"0,1,", "0,1,"},
		"no name":       {",another\n", ",\n"},
		"another later": {"another\n1,1", "another\n1,1"},
	} {
		text := strings.Replace(table.String(), change[0], change[1], 1)
		switch what {
		case "another name":
			lines := strings.Split(text, "\n")
			lines[2] = strings.Replace(lines[2], "2:5", "2:4", 1)
			text = strings.Join(lines, "\n")
		case "another later":
			text = strings.Replace(text, ",another", ",other", 1)
		}
		if _, err := ReadRestarts(strings.NewReader(text), layer, 1); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// What can't be climbed is refused, with what is wrong.
func TestObjectiveMistakes(t *testing.T) {
	n := deep(t)
	for text, want := range map[string]string{
		"":              "want LAYER:UNIT",
		"3":             "want LAYER:UNIT",
		"4:0":           "layers 1 to 3",
		"fc:0":          "which have no names",
		"3:5":           "no unit 5: the layer has 5 units, 0..4, in layer 3",
		"3:x":           "want LAYER:UNIT",
		"3:":            "want LAYER:UNIT",
		":3":            "no layer",
		"3:0-2":         "want LAYER:UNIT",
		"3:1 2":         "want LAYER:UNIT",
		"3:1*1 0":       "want a finite number",
		"3:1*":          "want a finite number other than 0",
		"3:1*0":         "want a finite number other than 0",
		"3:1*NaN":       "want a finite number other than 0",
		"3:1,3:1*2":     "unit 1 of layer 3 is named twice",
		"3:1,":          "want LAYER:UNIT",
		"3:1*2*3":       "want a finite number other than 0",
		"3:-1":          "want",
		"3:1*1e60":      "want a finite number other than 0",
		"3:1;3:2*1e-60": "want",
	} {
		if _, _, err := ParseGoal(text, n, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("goal %q: %v, want %q", text, err, want)
		}
	}
	for _, rows := range [][]float32{{0, 0, 0, 0, 0}, {1, 0, float32(math.NaN()), 0, 0}, {1, 2}} {
		if _, err := Directions(n, 3, array(t, rows, 1, len(rows)), false); err == nil {
			t.Errorf("directions %v: no error", rows)
		}
	}
	if _, err := Directions(n, 4, nil, false); err == nil {
		t.Error("directions in layer 4: no error")
	}
	goal := Objective{"deep", engine.UnitGoal(3, 0)}
	for what, change := range map[string]func(o *AscentOptions){
		"units beside objectives":  func(o *AscentOptions) { o.Units = []int{0} },
		"a layer above":            func(o *AscentOptions) { o.Layer = 2 },
		"no layer":                 func(o *AscentOptions) { o.Layer = 4 },
		"no name":                  func(o *AscentOptions) { o.Objectives = []Objective{{"", goal.Goal}} },
		"no terms":                 func(o *AscentOptions) { o.Objectives = []Objective{{"none", engine.Goal{}}} },
		"starts of another number": func(o *AscentOptions) { o.Start = array(t, normals(1, 1, 17), 1, 17) },
		"starts of another size":   func(o *AscentOptions) { o.Start = array(t, normals(1, 1, 9*16), 9, 16) },
		"a start of zeros":         func(o *AscentOptions) { o.Start = array(t, make([]float32, 9*17), 9, 17) },
	} {
		o := options(3)
		o.Units, o.Objectives = nil, []Objective{goal}
		change(&o)
		if _, err := Ascend(t.Context(), openDevice(t), n, o, nil); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error of one line", what, err)
		}
	}
}
