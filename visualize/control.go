package visualize

import (
	"fmt"

	"github.com/unitscope/unitscope/network"
)

// Control returns the control that a trained network is compared with (section
// 6 of the paper): a network of the same kind, shape, preprocessing and radius,
// whose parameters are those that training would begin with, see
// [network.Untrained].
func Control(n *network.Network, seed uint64) (*network.Network, error) {
	if n.Graph != nil {
		return nil, fmt.Errorf("control: what another framework's training begins with is not known: %w", network.ErrNoStack)
	}
	sizes, shape := n.Sizes(), n.InputShape
	if len(shape) == 0 {
		shape = sizes[:1]
	}
	c, err := network.Untrained(n.Kind, n.Visible, shape, sizes[1:], seed)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	c.Radius, c.Mean, c.Scale = n.Radius, n.Mean, n.Scale
	return c, nil
}
