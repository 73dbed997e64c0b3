// A driver for tests: it has cards with memory, and launches nothing. Settings:
#include <stdlib.h>
#include <string.h>

#ifndef VERSION
#define VERSION 12040 // of cuDriverGetVersion
#endif
#ifndef INIT
#define INIT 0 // what cuInit answers
#endif
#ifndef DEVICES
#define DEVICES 1 // number of cards
#endif
#ifndef MEMORY
#define MEMORY (1 << 28) // bytes of a card
#endif
#ifndef CAPABILITY
#define CAPABILITY 80 // compute capability, times ten
#endif
#ifndef COMPILER
#define COMPILER 0 // what cuModuleLoadDataEx answers
#endif
#ifndef COMPILER_SAYS
#define COMPILER_SAYS "" // and what its compiler writes
#endif
#ifndef LAUNCH
#define LAUNCH 0 // what cuLaunchKernel answers
#endif
#ifndef LATER
#define LATER 0 // what waiting for a stream answers once something was launched
#endif

enum { OUT_OF_MEMORY = 2, INVALID_VALUE = 1, INVALID_DEVICE = 101 };

int cuInit(unsigned flags) { return INIT; }
int cuDriverGetVersion(int *v) {
  *v = VERSION;
  return 0;
}

// Errors.
int cuGetErrorName(int r, const char **s) {
  *s = r == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : r == 100 ? "CUDA_ERROR_NO_DEVICE" : r == 218 ? "CUDA_ERROR_INVALID_PTX" : r == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : 0;
  return *s ? 0 : INVALID_VALUE;
}
int cuGetErrorString(int r, const char **s) {
  *s = r == 2 ? "out of memory" : r == 100 ? "no CUDA-capable device is detected" : r == 218 ? "a PTX JIT compilation failed" : r == 700 ? "an illegal memory access was encountered" : 0;
  return *s ? 0 : INVALID_VALUE;
}

// Cards.
int cuDeviceGetCount(int *n) {
  *n = DEVICES;
  return 0;
}
int cuDeviceGet(int *d, int i) {
  *d = i;
  return i < DEVICES ? 0 : INVALID_DEVICE;
}
int cuDeviceGetName(char *s, int n, int d) {
  strncpy(s, "Stand-in", n);
  return 0;
}
int cuDeviceTotalMem_v2(size_t *n, int d) {
  *n = MEMORY;
  return 0;
}
int cuDeviceGetAttribute(int *v, int attribute, int d) {
  switch (attribute) {
  case 16: // multiprocessors
    *v = 4;
    return 0;
  case 75:
    *v = CAPABILITY / 10;
    return 0;
  case 76:
    *v = CAPABILITY % 10;
    return 0;
  }
  return INVALID_VALUE;
}

// Contexts, modules, streams and events are all the same thing.
static int thing;
int cuDevicePrimaryCtxRetain(void **c, int d) {
  *c = &thing;
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int d) { return 0; }
int cuCtxSetCurrent(void *c) { return 0; }
int cuCtxGetCurrent(void **c) {
  *c = &thing;
  return 0;
}
int cuModuleLoadDataEx(void **m, const void *image, unsigned n, int *options, void **values) {
  for (unsigned i = 0; i < n; i++) {
    if (options[i] == 5) strcpy(values[i], COMPILER_SAYS); // the buffer for errors
  }
  *m = &thing;
  return COMPILER;
}
int cuModuleUnload(void *m) { return 0; }
int cuModuleGetFunction(void **f, void *m, const char *name) {
  *f = &thing;
  return 0;
}
int cuFuncSetAttribute(void *f, int attribute, int value) { return attribute == 8 && value <= 1 << 17 ? 0 : INVALID_VALUE; }
static int launched;
int cuLaunchKernel() {
  launched = 1;
  return LAUNCH;
}
int cuStreamCreate(void **s, unsigned flags) {
  *s = &thing;
  return 0;
}
int cuStreamDestroy_v2(void *s) { return 0; }
int cuStreamWaitEvent(void *s, void *e, unsigned flags) { return 0; }
int cuStreamSynchronize(void *s) { return launched ? LATER : 0; }
int cuEventCreate(void **e, unsigned flags) {
  *e = &thing;
  return 0;
}
int cuEventDestroy_v2(void *e) { return 0; }
int cuEventRecord(void *e, void *s) { return 0; }
int cuEventSynchronize(void *e) { return launched ? LATER : 0; }
int cuEventElapsedTime(float *ms, void *from, void *to) {
  *ms = 1;
  return 0;
}

// Memory. Each piece begins with its size.
static size_t used;
int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
  *total = MEMORY;
  *free_bytes = MEMORY - used;
  return 0;
}
int cuMemAlloc_v2(unsigned long long *p, size_t n) {
  if (used + n > MEMORY) return OUT_OF_MEMORY;
  size_t *piece = malloc(n + 256);
  if (!piece) return OUT_OF_MEMORY;
  *piece = n;
  used += n;
  *p = (unsigned long long)piece + 256;
  return 0;
}
int cuMemFree_v2(unsigned long long p) {
  size_t *piece = (size_t *)(p - 256);
  used -= *piece;
  free(piece);
  return 0;
}
int cuMemHostAlloc(void **p, size_t n, unsigned flags) { return (*p = malloc(n)) ? 0 : OUT_OF_MEMORY; }
int cuMemFreeHost(void *p) {
  free(p);
  return 0;
}
int cuMemcpyHtoDAsync_v2(unsigned long long to, const void *from, size_t n, void *s) {
  memcpy((void *)to, from, n);
  return 0;
}
int cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t n, void *s) {
  memcpy(to, (void *)from, n);
  return 0;
}
int cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t n, void *s) {
  memcpy((void *)to, (void *)from, n);
  return 0;
}
int cuMemsetD8Async(unsigned long long to, unsigned char value, size_t n, void *s) {
  memset((void *)to, value, n);
  return 0;
}
