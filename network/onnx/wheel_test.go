package onnx

import (
	"encoding/binary"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/unitscope/unitscope/internal/pythontest"
	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/onnx/internal/pb"
)

// TestCases reads the test cases that ONNX's own package brings, some of which are for
// one operation and some networks: each is read, and then computes what the case says,
// or is refused with one line that names what is in the way. UNITSCOPE_ONNX_CASES may name another folder of such
// cases, as testdata/random_networks.py writes.
func TestCases(t *testing.T) {
	folder := os.Getenv("UNITSCOPE_ONNX_CASES")
	if folder == "" {
		folder = strings.TrimSpace(pythontest.Run(t, "onnx", "import onnx, os; print(os.path.join(os.path.dirname(onnx.__file__), 'backend', 'test', 'data'))"))
	}
	read, compared, refused := map[string]int{}, 0, map[string]int{}
	total := map[string]int{} // by the folder, as light and pytorch-converted
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".onnx" {
			return err
		}
		within, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		kind, _, _ := strings.Cut(filepath.ToSlash(within), "/")
		total[kind]++
		g, err := Read(path)
		if err != nil {
			if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), filepath.Base(path)) {
				t.Errorf("%s: want one line that names the file: %v", path, err)
			}
			if !named.MatchString(err.Error()) {
				t.Errorf("%s: it does not say what of the file is in the way: %v", path, err)
			}
			refused[reason(err)]++
			return nil
		}
		read[kind]++
		if compareCase(t, path, g) {
			compared++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for _, kind := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%s: %d models, %d read, %d refused by name", kind, total[kind], read[kind], total[kind]-read[kind])
		all += read[kind]
	}
	t.Logf("%d models that were read are compared", compared)
	for _, why := range slices.SortedFunc(maps.Keys(refused), func(a, b string) int { return refused[b] - refused[a] }) {
		t.Logf("%5d %s", refused[why], why)
	}
	if all < 15 || compared < 15 {
		t.Errorf("only %d models of %s are read, and %d compared", all, folder, compared)
	}
}

// named is an error that names a part of a network, or says that there is none, or more
// than one.
var named = regexp.MustCompile(`(node|tensor|input) "|it (has several (inputs|ends)|computes nothing)`)

var particular = regexp.MustCompile(`"[^"]*"|[0-9]+`)

// reason is an error without what is particular to a file.
func reason(err error) string {
	_, why, _ := strings.Cut(err.Error(), ".onnx: ")
	return particular.ReplaceAllString(why, "_")
}

// compareCase compares with the case's outputs, where it has them.
func compareCase(t *testing.T, path string, g *graph.Graph) bool {
	folder := filepath.Join(filepath.Dir(path), "test_data_set_0")
	x, y := caseTensor(t, filepath.Join(folder, "input_0.pb")), caseTensor(t, filepath.Join(folder, "output_0.pb"))
	in, out := g.Shapes[0].Size(), g.Shapes[len(g.Shapes)-1].Size()
	left := slices.ContainsFunc(g.Remarks, func(remark string) bool { return strings.HasPrefix(remark, "left out") })
	if x == nil || y == nil || left {
		return false
	}
	if len(x)%in != 0 || len(y) != len(x)/in*out {
		t.Errorf("%s: %d inputs and %d outputs, want %d and %d for each example", path, len(x), len(y), in, out)
		return false
	}
	for i := range len(x) / in {
		for k, got := range evaluate(t, g, x[i*in:(i+1)*in]) {
			if want := y[i*out+k]; !(math.Abs(got-want) <= 1e-5*max(1, math.Abs(want))) {
				t.Errorf("%s: example %d, output %d is %v, want %v", path, i, k, got, want)
				return false
			}
		}
	}
	return true
}

// caseTensor is a tensor of float32, nil where there is none.
func caseTensor(t *testing.T, path string) (numbers []float64) {
	data, err := os.ReadFile(path)
	var tensor pb.TensorProto
	if err != nil || (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, &tensor) != nil {
		return nil
	}
	for raw := tensor.GetRawData(); len(raw) >= 4 && tensor.GetDataType() == int32(pb.TensorProto_FLOAT); raw = raw[4:] {
		numbers = append(numbers, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
	}
	for _, x := range tensor.GetFloatData() {
		numbers = append(numbers, float64(x))
	}
	return numbers
}
