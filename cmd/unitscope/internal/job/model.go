package job

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// ModelFile is the file of a model that is named by it or by its run folder.
func ModelFile(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, schema.Model)
	}
	return path
}

// LoadModel loads --model, --dbn or --sdae, and warns of what its file made the
// reader take for granted; file is the model's file itself.
func LoadModel(c *console.Console, flag, path string) (n *network.Network, file string, err error) {
	file = ModelFile(path)
	if _, err := os.Stat(file); err != nil && file != path {
		if err := runfolder.Require(path); err != nil {
			return nil, "", fmt.Errorf("--%s: %w", flag, err)
		}
	}
	if n, err = network.Load(path); err != nil {
		return nil, "", fmt.Errorf("--%s: %w", flag, err)
	}
	for _, remark := range n.Remarks {
		c.Warn("--"+flag, "--%s: %s: %s", flag, file, remark)
	}
	return n, file, nil
}

func ChooseUnits(n *network.Network, layer int, text string) (int, []int, error) {
	if err := n.CheckLayer(layer); err != nil {
		return 0, nil, usage.Mistake(err)
	}
	units, err := visualize.ParseUnits(text, n.Sizes()[layer])
	if err != nil {
		return 0, nil, usage.Mistakef("%w, in layer %d", err, layer)
	}
	return layer, units, nil
}
