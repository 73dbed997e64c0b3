//go:build cuda

package driver

/*
#cgo CFLAGS: -Wall -Wextra -Wno-unused-parameter
#cgo LDFLAGS: -Wl,--as-needed -L${SRCDIR}/nolib -ldl

#include <cuda.h>
#include <stdlib.h>
#include "driver.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/kernels"
)

// Library is the name of the CUDA driver's library, which the dynamic loader
// finds wherever the system keeps it.
const Library = "libcuda.so.1"

// The reasons why there is no driver to use. Load's error wraps one of them.
var (
	ErrNotFound = errors.New("no CUDA driver")
	ErrTooOld   = errors.New("the CUDA driver is too old")
	ErrNoDevice = errors.New("no CUDA device")
)

// Load opens a driver, given by the path or name of its library ("" is
// [Library]), and starts it. It returns the driver's version (12040 is 12.4).
// After an error the process has no driver, as at its start. Nothing else may be
// asked of cu while Load is at work.
func Load(library string) (version int, err error) {
	if library == "" {
		library = Library
	}
	path := C.CString(library)
	defer C.free(unsafe.Pointer(path))
	reason := make([]C.char, 512)
	if C.unitscope_driver_open(path, &reason[0], C.size_t(len(reason))) != 0 {
		return 0, fmt.Errorf("%w: %s", ErrNotFound, C.GoString(&reason[0]))
	}
	if version, err = start(); err != nil {
		C.unitscope_driver_forget()
		return 0, err
	}
	return version, nil
}

func start() (version int, err error) {
	var v, count C.int
	if r := C.cuDriverGetVersion(&v); r != C.CUDA_SUCCESS {
		return 0, fmt.Errorf("%w: cuDriverGetVersion: %s", ErrNotFound, describe(r))
	}
	version = int(v)
	if version < kernels.MinimumDriver {
		return 0, fmt.Errorf("%w: it is for CUDA %s; needed is %s, which comes with driver 550", ErrTooOld, VersionText(version), VersionText(kernels.MinimumDriver))
	}
	if r := C.cuInit(0); r != C.CUDA_SUCCESS {
		return 0, fmt.Errorf("%w: cuInit: %s", ErrNoDevice, describe(r))
	}
	if r := C.cuDeviceGetCount(&count); r != C.CUDA_SUCCESS {
		return 0, fmt.Errorf("%w: cuDeviceGetCount: %s", ErrNoDevice, describe(r))
	}
	if count < 1 {
		return 0, fmt.Errorf("%w: the driver is there and knows of no card", ErrNoDevice)
	}
	return version, nil
}

// VersionText writes a version as people do: 12040 is "12.4".
func VersionText(version int) string { return fmt.Sprintf("%d.%d", version/1000, version%1000/10) }

// describe says what a result means, in the driver's words and with its name.
func describe(r C.CUresult) string {
	var name, text *C.char
	if C.cuGetErrorName(r, &name) != C.CUDA_SUCCESS || name == nil {
		return fmt.Sprintf("CUDA error %d", int(r))
	}
	if C.cuGetErrorString(r, &text) != C.CUDA_SUCCESS || text == nil {
		return C.GoString(name)
	}
	return fmt.Sprintf("%s (%s)", C.GoString(text), C.GoString(name))
}

// Error is what a call of the driver has answered.
type Error struct {
	Call string // "cuMemAlloc"
	Code int    // CUresult
	text string
}

func (e *Error) Error() string { return e.Call + ": " + e.text }

// Is says that the card's memory, or page-locked memory, is used up, where target
// is [engine.ErrOutOfMemory].
func (e *Error) Is(target error) bool {
	return target == engine.ErrOutOfMemory && e.Code == C.CUDA_ERROR_OUT_OF_MEMORY
}

// Failed turns what cu returned from a call of the driver into an [*Error], or
// nil into nil. cu's own errors are numbers of a type that it does not export.
func Failed(call string, err error) error {
	if err == nil {
		return nil
	}
	if v := reflect.ValueOf(err); v.CanInt() {
		return failed(call, C.CUresult(v.Int()))
	}
	return fmt.Errorf("%s: %w", call, err)
}

func failed(call string, r C.CUresult) error {
	if r == C.CUDA_SUCCESS {
		return nil
	}
	return &Error{Call: call, Code: int(r), text: describe(r)}
}

// LoadModule loads an image of PTX into the current context. The error has what
// the driver's compiler said.
func LoadModule(image string) (module cu.Module, err error) {
	source := C.CString(image)
	defer C.free(unsafe.Pointer(source))
	const size = 1 << 14
	log := (*C.char)(C.calloc(size, 1))
	defer C.free(unsafe.Pointer(log))
	options := [...]C.CUjit_option{C.CU_JIT_ERROR_LOG_BUFFER, C.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES}
	// The second value is a number in a pointer's place. Both lie in C's memory,
	// since Go's may not hold pointers to C that are none.
	values := (*[len(options)]uintptr)(C.calloc(C.size_t(len(options)), C.size_t(unsafe.Sizeof(uintptr(0)))))
	defer C.free(unsafe.Pointer(values))
	values[0], values[1] = uintptr(unsafe.Pointer(log)), size-1
	var handle C.CUmodule
	r := C.cuModuleLoadDataEx(&handle, unsafe.Pointer(source), C.uint(len(options)), &options[0], (*unsafe.Pointer)(unsafe.Pointer(values)))
	if err := failed("cuModuleLoadDataEx", r); err != nil {
		if said := strings.Join(strings.Fields(C.GoString(log)), " "); said != "" {
			err = fmt.Errorf("%w: %s", err, said)
		}
		return module, err
	}
	// cu.Module is a struct of this handle alone.
	return *(*cu.Module)(unsafe.Pointer(&handle)), nil
}

// AllowSharedMemory lets a kernel be launched with so many bytes of dynamic
// shared memory; without, 48 KiB is the most.
func AllowSharedMemory(f cu.Function, bytes int) error {
	return failed("cuFuncSetAttribute", C.cuFuncSetAttribute(*(*C.CUfunction)(unsafe.Pointer(&f)), C.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, C.int(bytes)))
}

// AllocHost returns page-locked memory of the host, which the card copies from
// and to without the processor's help. [FreeHost] gives it back.
func AllocHost(bytes int) ([]byte, error) {
	var p unsafe.Pointer
	if err := failed("cuMemHostAlloc", C.cuMemHostAlloc(&p, C.size_t(bytes), 0)); err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), bytes), nil
}

// FreeHost gives back what [AllocHost] returned.
func FreeHost(memory []byte) error {
	return failed("cuMemFreeHost", C.cuMemFreeHost(unsafe.Pointer(unsafe.SliceData(memory))))
}
