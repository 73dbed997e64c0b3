// Package driver puts the CUDA driver between gorgonia.org/cu and a program that
// must also start where there is none.
//
// cu links against libcuda, and ends the process from its init when cuInit
// fails. So this package defines every function of the driver that cu refers to,
// as a jump through a slot (trampolines.c); the linker finds them here, and
// libcuda is no longer needed, neither to build nor to start. Until [Load] has
// found a driver the slots lead to answers of our own: cuInit succeeds,
// cuDeviceGetCount says 0, and everything else says CUDA_ERROR_NO_DEVICE. The
// slots have these answers from the start of the process, so cu's init passes
// without touching a driver, and a program that never asks for a card does not
// wait for one to wake up.
//
// symbols.h is the list of these functions. It is made from the objects that cu
// and this package compile to:
//
//	go generate -tags cuda ./gpu/internal/driver
//
// The linker is told to look for libcuda in the folder nolib first, where an
// empty linker script has that name.
//
// Besides, the package has the few calls that cu lacks.
package driver
