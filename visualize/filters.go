package visualize

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
)

// Filters returns the weights [U, D] of units of the first layer, which are
// also the directions that maximise their activation (section 3 of the
// report). They are in the model's own space, after its preprocessing. Their
// norms are as trained; [Ascend] gives the same pictures at norm rho.
func Filters(n *network.Network, units []int) (*tensor.Dense, error) {
	layers, err := n.Stack(1)
	if err != nil {
		return nil, fmt.Errorf("filters: %w", err)
	}
	weight := layers[0].Weight
	if len(units) == 0 {
		return nil, fmt.Errorf("filters: no units")
	}
	filters := make([]float32, 0, len(units)*weight.Cols)
	for _, u := range units {
		if u < 0 || u >= weight.Rows {
			return nil, fmt.Errorf("filters: unit %d: layer 1 has %d units, 0..%d", u, weight.Rows, weight.Rows-1)
		}
		filters = append(filters, weight.Data[u*weight.Cols:(u+1)*weight.Cols]...)
	}
	return dense.Of(filters, len(units), weight.Cols)
}
