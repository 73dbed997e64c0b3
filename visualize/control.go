package visualize

import (
	"fmt"

	"github.com/unitscope/unitscope/network"
)

// Control returns the control that a trained network is compared with (section
// 6 of the paper): a network of the same kind, shape, preprocessing and radius,
// whose parameters are those that training would begin with, see
// [network.Untrained]; but for a classifier, which fine-tuning begins at 0, where no
// unit has anything to climb: its weights are as those of an MLP's layer.
func Control(n *network.Network, seed uint64) (*network.Network, error) {
	if err := n.CheckStack(); err != nil {
		return nil, fmt.Errorf("control: what another framework's training begins with is not known: %w", err)
	}
	sizes, shape := n.Sizes(), n.InputShape
	if len(shape) == 0 {
		shape = sizes[:1]
	}
	c, err := network.Untrained(n.Kind, n.Visible, shape, sizes[1:len(n.Layers)+1], seed)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	c.Radius, c.Mean, c.Scale = n.Radius, n.Mean, n.Scale
	if n.Output == nil {
		return c, nil
	}
	classifier, err := network.InitialLayer(network.MLP, n.Depth(), sizes[len(n.Layers)], sizes[n.Depth()], seed)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	c.Output = &classifier
	return c, nil
}
