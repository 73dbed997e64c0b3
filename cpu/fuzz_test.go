package cpu_test

import (
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/enginetest"
)

// FuzzNets computes networks that chance makes, with every variant of the hot loops. The CPU's own versions add up in another
// order than the definition does.
func FuzzNets(f *testing.F) {
	var devices []engine.Device
	for _, variant := range cpu.Variants() {
		d := open(f, cpu.Options{Variant: variant, Workers: 2})
		f.Cleanup(func() { d.Close() })
		devices = append(devices, d)
	}
	enginetest.Fuzz(f, false, devices...)
}
