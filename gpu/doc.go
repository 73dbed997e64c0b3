// Package gpu is the CUDA device of package engine, through gorgonia.org/cu.
// Import it for its side effect and open a card by its name, "cuda:0", or the
// first that can be used, "cuda":
//
//	import (
//		"github.com/unitscope/unitscope/engine"
//		_ "github.com/unitscope/unitscope/gpu"
//	)
//
//	device, err := engine.Open("cuda")
//
// The device is there in programs built for Linux with cgo and the build tag
// cuda, which needs the header cuda.h of a CUDA toolkit, version 11.8 or later,
// and neither a card, nor a driver, nor the compiler nvcc. gpu/include stands
// before the toolkit's folder, for CUDA 13:
//
//	CGO_CFLAGS="-I$PWD/gpu/include -I/usr/local/cuda/include" go build -tags cuda ./...
//
// In any other program there is one device, cuda:0, that can't be opened and
// says how to build one that can.
//
// A program with the device starts on every machine. The driver's library is
// looked for when devices are listed or opened, and not before; what it lacks is
// told by engine.Devices and engine.Open. Needed are driver 550 or later and a
// card of compute capability 7.0 or later.
//
// # How it works
//
// The kernels are in package kernels, as PTX that the driver compiles for the
// card when a device is opened. Each device has a goroutine on an OS thread of
// its own, where everything that concerns its card is done, in order: operations
// check their operands, hand over a launch, and return. Errors that come up later
// are kept: nothing more is launched, Matrix.Read returns the error, and so does
// Sync, after which the device goes on, if the card does.
//
// Matrices that are closed leave their memory to later ones, and it goes back to
// the card where that is short of memory, and when the device is closed.
// What goes to the card or comes back passes through page-locked memory, while
// the card computes.
//
// # Environment
//
// UNITSCOPE_CUDA_DRIVER names another library than libcuda.so.1 as the driver.
//
// UNITSCOPE_CUDA_SYNC=1 waits for every launch, so that an error names the one
// that caused it, gives every matrix memory of exactly its size and of its own,
// for tools that watch over its bounds, and writes the time that each kernel took
// to the standard error output when a device is closed.
package gpu
