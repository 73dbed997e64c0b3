//go:build !cuda || !cgo

package gpu

import (
	"errors"
	"fmt"

	"github.com/unitscope/unitscope/engine"
)

func init() { engine.Register("cuda", 1, unavailable{}) }

// unavailable is the driver of a program without CUDA.
type unavailable struct{}

var errUnavailable = errors.New("this program was built without CUDA; for one with it install the header cuda.h of a CUDA toolkit, set CUDA_HOME to the toolkit's folder, and run make (or go build -tags cuda)")

func (unavailable) Devices() []engine.Found {
	return []engine.Found{{Info: engine.Info{Name: "cuda:0"}, Unusable: errUnavailable}}
}

func (unavailable) Open(name string) (engine.Device, error) {
	if name != "cuda:0" && name != "cuda:all" {
		return nil, engine.ErrUnknownDevice
	}
	return nil, fmt.Errorf("open %s: %w", name, errUnavailable)
}
