//go:build cuda

package gpu

import (
	"testing"

	"github.com/unitscope/unitscope/engine/enginetest"
)

// FuzzNets computes networks that chance makes. A card's own versions have the
// definition's bits.
func FuzzNets(f *testing.F) {
	needCard(f)
	d := openCard(f)
	f.Cleanup(func() { d.Close() })
	enginetest.Fuzz(f, true, d)
}
