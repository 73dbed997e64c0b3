package matlab

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/internal/pythontest"
)

// writeVariants has scipy write files of everything that it can save, and adds those
// that its own tests come with, if they are there. For each variable that scipy reads
// in them it prints the file, the name, whether it is an array of real numbers (for
// others nothing but a refusal will do), and where its dimensions and numbers are, as
// int64 and float32, in MATLAB's order.
const writeVariants = `
import glob, os, sys, warnings
import numpy as np
import scipy.io, scipy.sparse
folder = sys.argv[1]
warnings.simplefilter("ignore")
rng = np.random.default_rng(1)

def numbers(dtype, shape):
    d = np.dtype(dtype)
    if d.kind == "b":
        return rng.random(shape) < 0.5
    if d.kind in "iu":
        i = np.iinfo(d)
        a = rng.integers(i.min, i.max, shape, dtype=d.newbyteorder("="), endpoint=True)
        return a if rng.random() < 0.5 else (a % 100).astype(d)
    a = (rng.normal(size=shape) * 10.0 ** rng.integers(-3, 4)).astype(d)
    return a + 1j * rng.normal(size=shape).astype(d) if d.kind == "c" else a

contents = {}
for dtype in ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "f16", ">f8", ">i2", "c8", "c16"):
    for k, shape in enumerate([(), (1,), (7,), (3, 4), (4, 3, 2), (0, 3), (2, 1, 3, 2)]):
        for order in "CF":
            contents[f"a{dtype.replace('>', 'big').replace('?', 'b1')}_{k}{order}"] = np.array(numbers(dtype, shape), order=order)
contents.update(
    text="some text", texts=np.array(["some", "more"]), empty_text="", cells=np.array([np.arange(3), "a"], dtype=object), none_=np.array([]),
    structure={"a": np.arange(6.0).reshape(2, 3), "b": {"c": 1}}, structures=np.array([(1, 2.5), (3, 4.5)], dtype=[("i", "i4"), ("f", "f8")]),
    sparse=scipy.sparse.random_array((5, 6), density=0.3, rng=1), sparse_truths=scipy.sparse.csc_array(np.eye(3) > 0),
    scalar=3, listed=[1, 2, 3], nested=[[1.5, 2], [3, 4]], infinite=np.array([np.inf, -np.inf, np.nan, -0.0, 1e300]), ümlaut=np.arange(3),
)
contents = {name: value for name, value in contents.items() if name.isascii()}
files = []
for compressed in (False, True):
    for oned_as in ("row", "column"):
        files.append(os.path.join(folder, f"{compressed:d}{oned_as}.mat"))
        scipy.io.savemat(files[-1], contents, do_compression=compressed, oned_as=oned_as)
# One by one, so that nothing of one file can depend on another.
for name, value in contents.items():
    files.append(os.path.join(folder, name + "_alone.mat"))
    scipy.io.savemat(files[-1], {name: value}, do_compression=True)
files.append(os.path.join(folder, "version4.mat"))
scipy.io.savemat(files[-1], {"x": np.eye(3)}, format="4")
files += sorted(glob.glob(os.path.join(os.path.dirname(scipy.io.matlab.__file__), "tests", "data", "*.mat")))

out = 0
for file in files:
    try:
        found = scipy.io.loadmat(file, mat_dtype=False)
    except Exception as e:
        print(file, "-", "unread", "-", sep="\t")
        continue
    for name, value in found.items():
        if name.startswith("__"):
            continue
        if "version4" in file or not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf" or isinstance(value, scipy.io.matlab.mat_struct):
            print(file, name, "other", "-", sep="\t")
            continue
        out += 1
        path = os.path.join(folder, f"{out}.numbers")
        with open(path, "wb") as f, np.errstate(over="ignore"):
            f.write(np.array(value.shape, "<i8").tobytes() + value.astype("<f4").tobytes(order="F"))
        print(file, name, value.ndim, path, sep="\t")
`

// Everything that scipy saves, and the files that MATLAB and others wrote for scipy's
// tests, give scipy's values or are refused in a line.
func TestScipy(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(pythontest.Run(t, "numpy, scipy.io", writeVariants, t.TempDir())), "\n")
	files := map[string]*File{}
	read, refused := 0, 0
	for _, line := range lines {
		part := strings.Split(line, "\t")
		path, name, kind := part[0], part[1], part[2]
		ours := strings.HasPrefix(path, filepath.Dir(part[3])) // one that scipy wrote just now
		got, dims, err := readVariable(files, path, name)
		switch {
		case err != nil && strings.Contains(err.Error(), "\n"):
			t.Errorf("%s, %s: an error of several lines: %v", path, name, err)
		case kind == "unread":
			// scipy refuses it: we may do better.
		case kind == "other" && err == nil:
			t.Errorf("%s, %s: read as numbers", path, name)
		case kind == "other":
			refused++
		case err != nil && ours:
			t.Errorf("%s, %s: %v", path, name, err)
		case err != nil:
			refused++
			t.Logf("%s, %s: refused: %v", filepath.Base(path), name, err)
		default:
			read++
			wantDims, want := readNumbers(t, part[3], kind)
			if !slices.Equal(dims, wantDims) || !slices.EqualFunc(got, want, sameFloat) {
				t.Errorf("%s, %s: %v of %v, want %v of %v", path, name, got, dims, want, wantDims)
			}
		}
	}
	t.Logf("%d arrays read, %d refused", read, refused)
	if read < 1000 {
		t.Errorf("%d arrays were read, want at least 1000", read)
	}
}

func sameFloat(a, b float32) bool { return a == b || a != a && b != b }

// readVariable reads one variable of a file, which stays open in files.
func readVariable(files map[string]*File, path, name string) (numbers []float32, dims []int, err error) {
	if files[path] == nil {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, err
		}
		if files[path], err = open(data); err != nil {
			return nil, nil, err
		}
	}
	a, err := files[path].Read(name)
	if err != nil {
		return nil, nil, err
	}
	return floats(a), a.Shape, nil
}

// readNumbers reads what writeVariants wrote of an array of so many dimensions.
func readNumbers(t *testing.T, path, dimensions string) (dims []int, numbers []float32) {
	t.Helper()
	count := 0
	if _, err := fmt.Sscan(dimensions, &count); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range count {
		dims = append(dims, int(binary.LittleEndian.Uint64(raw[8*i:])))
	}
	for raw = raw[8*count:]; len(raw) > 0; raw = raw[4:] {
		numbers = append(numbers, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
	}
	return dims, numbers
}
