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
// What goes to the card or comes back passes through page-locked memory. What goes
// there and is large has a stream of its own, and travels while the card computes
// what was asked for before.
//
// Plans and networks stay on the card: weights, chains, velocities and buffers are
// there from Compile or Load on, or from call to call, and a run waits for the card
// once, at its end.
// Only an ascent waits at each step: the host moves rows, from gradients that the card
// computes. Their kernels round as the definitions do, and so give the same bits. A step is
// few launches:
//
//	gradient               2 for each hidden layer, and 2
//	Gibbs                  2 a sweep
//	contrastive divergence 4 and 2 for each Gibbs step; 1 more for persistent chains,
//	                       1 for a gradient limit, and 1 if it is centered
//	denoise                7
//
// # Several cards
//
// Where more than one card can be used, "cuda:all" is all of them. Ascents and Gibbs
// chains are cut into parts of consecutive rows, which the cards work on side by
// side, and a row has the bits that it has on one card. Training, which is a series
// of updates, and single operations run on the first card. Rows travel between cards
// by the driver's copies from context to context.
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

//go:generate go run ./internal/launchers
