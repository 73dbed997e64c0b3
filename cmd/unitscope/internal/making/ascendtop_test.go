package making

import (
	"io"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/network"
)

// What to look at next is the highest layer that has learned, if one has.
func TestAscendTop(t *testing.T) {
	n := &network.Network{InputShape: []int{4}, Layers: make([]network.Layer, 3)}
	for i := range n.Layers {
		n.Layers[i].Weight = tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(5, 4))
	}
	c := console.Plain(io.Discard)
	for _, want := range []string{"--layer 3", "--layer 2", "--layer 2", ""} {
		got := strings.Join(ascendTop(c, n, "out"), " ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want %q", c.Warnings(), got, want)
		}
		at := []int{3, 1, 2}[min(len(c.Warnings()), 2)]
		c.Warn(job.AboutLayer("", at), "it has learned nothing")
	}
}
