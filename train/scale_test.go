package train_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/train"
	"github.com/unitscope/unitscope/train/internal/settest"
)

func TestCheckScale(t *testing.T) {
	scaled := func(factor, mean float32) *settest.Rows {
		r := settest.Normals(200, 6, func(int) float64 { return 0 })
		for i := range r.Data {
			r.Data[i] = factor*r.Data[i] + mean
		}
		return r
	}
	for _, c := range []struct {
		name          string
		set           *settest.Rows
		warning, fail string
	}{
		{"unit variance", scaled(1, 0), "", ""},
		{"a little more", scaled(2, 0.5), "", ""},
		{"small", scaled(0.3, 0), "variance 0.0", ""},
		{"large", scaled(4, 0), "may learn little, or diverge", ""},
		{"shifted", scaled(1, 3), "mean 3", ""},
		{"between 0 and 1", settest.Greys(200, 12, 1), "use bernoulli for", ""},
		{"bytes", scaled(70, 130), "", "Visible gaussian: the numbers of normals have mean 13"},
		{"tiny", scaled(0.01, 0), "", "divide them by their standard deviation"},
		{"far away", scaled(1, -20), "", "mean -20"},
		{"constant", scaled(0, 0), "", "variance 0,"},
	} {
		o := train.Options{Visible: engine.Gaussian}
		warning, err := o.CheckScale(c.set)
		if (c.warning == "") != (warning == "") || !strings.Contains(warning, c.warning) {
			t.Errorf("%s: warning %q, want %q", c.name, warning, c.warning)
		}
		if (c.fail == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.fail) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.fail)
		}
		if warning, err := (train.Options{}).CheckScale(c.set); warning != "" || err != nil {
			t.Errorf("%s, Bernoulli: warning %q, error %v", c.name, warning, err)
		}
	}
}

// full is a device without memory.
type full struct{ engine.Device }

func (full) New(rows, cols int) (engine.Matrix, error) {
	return nil, fmt.Errorf("new matrix: %dx%d: %w", rows, cols, engine.ErrOutOfMemory)
}

func TestOutOfMemory(t *testing.T) {
	_, err := train.Train(context.Background(), full{settest.Device(t)}, settest.BarsAndStripes(3), nil, train.SDAE(5), train.Hooks{}, nil)
	if !errors.Is(err, engine.ErrOutOfMemory) {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{"train layer 1: cpu has not enough memory for training layer 1 of 5 x 9 weights", " free: ", "smaller batches", "a machine with more memory"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q doesn't say %q", err, want)
		}
	}
}
