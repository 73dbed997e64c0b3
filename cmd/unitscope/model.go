package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/visualize"
)

// modelFile is the file of a model that is named by it or by its run folder.
func modelFile(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, runfolder.ModelName)
	}
	return path
}

// loadModel loads --model, --dbn or --sdae, and warns of what its file made the
// reader take for granted; file is the model's file itself.
func loadModel(c *console, flag, path string) (n *network.Network, file string, err error) {
	file = modelFile(path)
	if _, err := os.Stat(file); err != nil && file != path {
		if err := runfolder.Require(path); err != nil {
			return nil, "", fmt.Errorf("--%s: %w", flag, err)
		}
	}
	if n, err = network.Load(path); err != nil {
		return nil, "", fmt.Errorf("--%s: %w", flag, err)
	}
	for _, remark := range n.Remarks {
		c.warn("--"+flag, "--%s: %s: %s", flag, file, remark)
	}
	return n, file, nil
}

func chooseUnits(n *network.Network, layer int, text string) (int, []int, error) {
	if layer < 1 || layer > len(n.Layers) {
		return 0, nil, usagef("--layer %d: the model has layers 1 to %d", layer, len(n.Layers))
	}
	units, err := visualize.ParseUnits(text, n.Sizes()[layer])
	if err != nil {
		return 0, nil, usagef("--%w, in layer %d", err, layer)
	}
	return layer, units, nil
}
