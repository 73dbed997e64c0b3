package network

import "github.com/unitscope/unitscope/network/safetensors"

// Description is what a model file says of its network. Words are as the file has them,
// whether [Read] would take them or not; what it does not say is empty.
type Description struct {
	Kind       string
	Visible    string
	InputShape string // "28x28"
	Radius     string // rho
	Sizes      []int  // of the inputs and of each layer, as [Network.Sizes]; nil without layers
	Classes    int    // of its classifier; 0 for none
}

// Describe reads what a model file says of its network, and no tensor. It is for
// those who show what a file is, be it whole or not.
func Describe(f *safetensors.File) Description {
	m := f.Metadata
	d := Description{Kind: m[kindKey], Visible: m[visibleKey], InputShape: m[inputShapeKey], Radius: m[rhoKey]}
	for number := 1; ; number++ {
		e, ok := f.Entry(LayerName(number) + WeightSuffix)
		if !ok || len(e.Shape) != 2 {
			break
		}
		if number == 1 {
			d.Sizes = append(d.Sizes, e.Shape[1])
		}
		d.Sizes = append(d.Sizes, e.Shape[0])
	}
	if e, ok := f.Entry(outputPrefix + weightName); ok && len(e.Shape) == 2 {
		d.Classes = e.Shape[0]
	}
	return d
}
