package job

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// ModelFile is the file of a model that is named by it or by its run folder.
func ModelFile(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, schema.Model)
	}
	return path
}

// LoadModel loads the model of a flag, --model, --dbn or --sdae, and warns of what its
// file made the reader take for granted; file is the model's file itself.
func (j *Job) LoadModel(flag string) (n *network.Network, file string, err error) {
	path := j.Ctx.String(flag)
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
		j.Console.Warn("--"+flag, "--%s: %s: %s", flag, file, remark)
	}
	return n, file, nil
}
