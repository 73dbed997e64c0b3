package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/array"
	"github.com/unitscope/unitscope/dataset/internal/matlab"
)

// The ways in which an array of a MATLAB file can hold examples, the values of the
// option examples.
const (
	byRows    = "rows"    // the first dimension counts them
	byColumns = "columns" // every column is one, those of all pages
	byPages   = "pages"   // the last of three or four dimensions counts them
)

// layout is how an array holds examples, as far as the specification says, and what
// is to be said of what was found out.
type layout struct {
	examples          string // one of the ways above, or ""
	rows, cols        int    // of the pictures that examples are, or 0
	rowMajor          bool   // the numbers of such a picture run along its rows
	remarks, warnings []string
}

// layout is the value of the options examples, shape and order.
func (s spec) layout() (*layout, error) {
	l := &layout{examples: s.options["examples"]}
	if l.examples != "" && !slices.Contains([]string{byRows, byColumns, byPages}, l.examples) {
		return nil, specErrorf("examples=%s: want %s, %s or %s", l.examples, byRows, byColumns, byPages)
	}
	if err := l.parseShape(s.options["shape"]); err != nil {
		return nil, err
	}
	order := s.options["order"]
	switch {
	case order != "" && order != byRows && order != byColumns:
		return nil, specErrorf("order=%s: want %s or %s", order, byRows, byColumns)
	case order != "" && l.rows == 0:
		return nil, specErrorf("order=%s is for pictures whose shape is given: add shape=ROWSxCOLUMNS", order)
	case order == "" && l.rows > 0:
		l.remark("the numbers of an example are taken for a picture of %dx%d column by column, MATLAB's order; order=%s takes them row by row", l.rows, l.cols, byRows)
	}
	l.rowMajor = order == byRows
	return l, nil
}

// largestSide is the most rows and columns that a picture can be said to have.
const largestSide = 1 << 15

func (l *layout) parseShape(shape string) error {
	if shape == "" {
		return nil
	}
	rows, cols, _ := strings.Cut(shape, "x")
	var errors [2]error
	l.rows, errors[0] = strconv.Atoi(rows)
	l.cols, errors[1] = strconv.Atoi(cols)
	if errors[0] != nil || errors[1] != nil || min(l.rows, l.cols) < 1 || max(l.rows, l.cols) > largestSide {
		return specErrorf("shape=%s: want the rows and columns of a picture, as in 20x20", shape)
	}
	return nil
}

func (l *layout) remark(format string, args ...any) {
	l.remarks = append(l.remarks, fmt.Sprintf(format, args...))
}

// read reads the array of this name as examples [n, ...], row by row.
func (l *layout) read(file *matlab.File, name string, labels []int32) (*array.Array, error) {
	dims, err := file.Dims(name)
	if err != nil {
		return nil, err
	}
	axes, err := l.axes(dims, labels)
	if err != nil {
		return nil, fmt.Errorf("array %.40q of dimensions %v: %w", name, dims, err)
	}
	shape := make([]int, len(axes))
	for i, axis := range axes {
		shape[i] = axis.length
	}
	if _, err := checkExamples(shape, labels); err != nil {
		return nil, fmt.Errorf("array %.40q: %w", name, err)
	}
	a, err := file.Read(name)
	if err != nil {
		return nil, err
	}
	// They are there twice for a moment.
	if err := array.CheckRoom(uint64(len(a.Bytes)) + 4*uint64(len(a.Floats))); err != nil {
		return nil, fmt.Errorf("array %.40q: %w", name, err)
	}
	return &array.Array{Shape: shape, Type: a.Type, Bytes: gather(a.Bytes, axes), Floats: gather(a.Floats, axes)}, nil
}

// axis is a dimension: its length, and how far apart its numbers are in the file.
type axis struct{ length, stride int }

// axes are the dimensions [n, ...] of the examples in an array of these dimensions.
func (l *layout) axes(dims []int, labels []int32) ([]axis, error) {
	if len(dims) > 4 || !areExamples(dims) {
		return nil, fmt.Errorf("want two to four dimensions, of which one counts examples")
	}
	if err := l.decide(dims, labels); err != nil {
		return nil, err
	}
	all, stride := make([]axis, len(dims)), 1
	for i, n := range dims {
		all[i] = axis{n, stride}
		stride *= n
	}
	last := len(all) - 1
	switch l.examples {
	case byPages:
		if last < 2 {
			return nil, specErrorf("examples=%s: want three or four dimensions", byPages)
		}
		all = slices.Concat(all[last:], all[:last])
	case byColumns:
		all = []axis{{stride / max(dims[0], 1), dims[0]}, all[0]}
	}
	if l.rows == 0 {
		if len(all) == 2 {
			l.remark("the numbers of an example stay in their order; shape=ROWSxCOLUMNS makes pictures of them")
		}
		return all, nil
	}
	if len(all) != 2 || all[1].length != l.rows*l.cols {
		return nil, specErrorf("shape=%dx%d: its %s are not examples of %d numbers", l.rows, l.cols, l.examples, l.rows*l.cols)
	}
	one := all[1].stride
	if l.rowMajor {
		return []axis{all[0], {l.rows, one * l.cols}, {l.cols, one}}, nil
	}
	return []axis{all[0], {l.rows, one}, {l.cols, one * l.rows}}, nil
}

// way is one way in which an array can hold examples, and how many they are then.
type way struct {
	name  string
	count int
}

func (w way) String() string { return fmt.Sprintf("examples=%s (%d)", w.name, w.count) }

// ways are the ways in which an array of these dimensions can hold examples, the
// usual one first.
func ways(dims []int) []way {
	others := 1
	for _, n := range dims[1:] {
		others *= n
	}
	all := []way{{byRows, dims[0]}, {byColumns, others}}
	if last := len(dims) - 1; last > 1 {
		all = slices.Insert(all, 0, way{byPages, dims[last]})
	}
	return all
}

// decide finds out which dimension counts the examples where the specification
// doesn't say: the one that is as long as there are labels, or without labels the
// usual one, if no other is longer.
func (l *layout) decide(dims []int, labels []int32) error {
	if l.examples != "" {
		return nil
	}
	all := ways(dims)
	fit := slices.DeleteFunc(slices.Clone(all), func(w way) bool { return labels != nil && w.count != len(labels) })
	switch {
	case len(fit) == 0:
		return fmt.Errorf("there are %d labels, and its examples can be %s", len(labels), anyOf(all))
	case labels == nil && slices.Max(dims) > fit[0].count:
		return specErrorf("which of its dimensions counts the examples? say %s", anyOf(fit))
	}
	l.examples = fit[0].name
	l.remark("the examples are the %d %s of the array", fit[0].count, l.examples)
	longest := slices.DeleteFunc(slices.Clone(dims), func(n int) bool { return n < fit[0].count })
	if labels == nil && len(longest) > 1 || labels != nil && len(fit) > 1 {
		l.warnings = append(l.warnings, fmt.Sprintf("the %s of the array are taken for examples, and another dimension is as long: say %s", l.examples, anyOf(fit)))
	}
	return nil
}

func anyOf(ways []way) string {
	var texts []string
	for _, w := range ways {
		texts = append(texts, w.String())
	}
	return orList(texts)
}

// gather copies numbers to the order of these axes.
func gather[T any](data []T, axes []axis) []T {
	if data == nil {
		return nil
	}
	result := make([]T, 0, len(data))
	at := make([]int, len(axes))
	for from := 0; len(result) < len(data); {
		result = append(result, data[from])
		for d := len(axes) - 1; d >= 0; d-- {
			at[d]++
			from += axes[d].stride
			if at[d] < axes[d].length {
				break
			}
			from -= axes[d].stride * axes[d].length
			at[d] = 0
		}
	}
	return result
}

// hintLabels says which other arrays could be the labels of so many examples.
func (l *layout) hintLabels(file *matlab.File, examples string, count int) {
	for _, a := range file.Arrays() {
		if a.Name != examples && !areExamples(a.Dims) && slices.Max(a.Dims) == count {
			l.remark("%.40q has a number for each example: y=%s takes them for labels", a.Name, a.Name)
		}
	}
}
