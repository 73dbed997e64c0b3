package visualize

import (
	"fmt"
	"slices"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
)

// Filters returns the weights [U, D] of units of the first layer, which are
// also the directions that maximise their activation (section 3 of the
// paper). They are in the model's own space, after its preprocessing. Their
// norms are as trained; [Ascend] gives the same pictures at norm rho.
func Filters(n *network.Network, units []int) (Patterns, error) {
	layers, err := n.Chain(1)
	if err != nil {
		return Patterns{}, fmt.Errorf("filters: %w", err)
	}
	weight := layers[0].Weight
	if len(units) == 0 {
		return Patterns{}, fmt.Errorf("filters: no units")
	}
	filters := make([]float32, 0, len(units)*weight.Cols)
	for _, u := range units {
		if u < 0 || u >= weight.Rows {
			return Patterns{}, fmt.Errorf("filters: unit %d: layer 1 has %d units, 0..%d", u, weight.Rows, weight.Rows-1)
		}
		filters = append(filters, weight.Data[u*weight.Cols:(u+1)*weight.Cols]...)
	}
	data, err := dense.Of(filters, len(units), weight.Cols)
	return Patterns{Name: "filters", Data: data, Shape: slices.Clone(n.InputShape), Units: slices.Clone(units)}, err
}
