package job

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
)

// OpenDevice opens --device and says which device computes, and why that one.
func OpenDevice(ctx *cli.Context, c *console.Console) (engine.Device, error) {
	name := ctx.String("device")
	d, skipped, err := engine.OpenFirst(name)
	if err != nil {
		err = fmt.Errorf("--device: %w", err)
		// A device that is there and fails is no mistake in the command.
		if errors.Is(err, engine.ErrUnknownDevice) {
			err = usage.Mistake(err)
		}
		return nil, err
	}
	info := d.Info()
	text := fmt.Sprintf("device %s: %s, %s", d.Name(), info.Description, words.Count(info.Workers, "worker"))
	if why := whyDevice(name, skipped); why != "" {
		text += " (" + why + ")"
	}
	c.Tell(text, "device", d.Name(), "description", info.Description, "workers", info.Workers)
	return d, nil
}

// whyDevice says why a device was opened: it was asked for, or is the first that
// could be, and why not those before it. A program that was built without CUDA has
// nothing to say of it: `unitscope devices` does, and --device cuda.
func whyDevice(asked string, skipped []engine.Skipped) string {
	var reasons []string
	for _, s := range skipped {
		reason, _, _ := strings.Cut(usage.OneLine(s.Reason), ";")
		reason = strings.TrimPrefix(reason, "open "+s.Name+": ")
		switch none := "no CUDA driver"; {
		case strings.HasPrefix(reason, "this program was built without CUDA"):
		case strings.HasPrefix(reason, none):
			reasons = append(reasons, none)
		default:
			reasons = append(reasons, fmt.Sprintf("%s can't be used: %s", s.Name, reason))
		}
	}
	switch {
	case len(reasons) > 0:
		return strings.Join(reasons, "; ")
	case asked != "auto":
		return "asked for by --device"
	case len(skipped) == 0:
		return "the first that can be used"
	}
	return ""
}
