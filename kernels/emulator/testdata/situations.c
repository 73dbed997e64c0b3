// What a program may count on, and what it may not, in situations that are rare
// with a card at hand. Each is run by name in a process of its own:
//
//	situations LIBRARY IMAGE.ptx NAME
//
// The image is wrong.ptx. The first expectation that is not met ends the process.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long Pointer;

static void *library;
static char *image;

static void *symbol(const char *name) {
  void *s = dlsym(library, name);
  if (!s) {
    fprintf(stderr, "no symbol %s\n", name);
    exit(1);
  }
  return s;
}

#define CALL(name, ...) (((int (*)())symbol(#name))(__VA_ARGS__))
#define WANT(want, name, ...)                                                                                          \
  do {                                                                                                                 \
    int got = CALL(name, __VA_ARGS__);                                                                                 \
    if (got != (want)) {                                                                                               \
      fprintf(stderr, "line %d: %s is %d, want %d\n", __LINE__, #name, got, (want));                                    \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)
#define OK(name, ...) WANT(0, name, __VA_ARGS__)
#define EXPECT(condition)                                                                                              \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition);                                                   \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

enum {
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201,
  NO_BINARY = 209,
  INVALID_PTX = 218,
  UNSUPPORTED_PTX = 222,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  NOT_READY = 600,
  ILLEGAL_ADDRESS = 700,
  LAUNCH_FAILED = 719,
  NOT_SUPPORTED = 801,
};

static void *context, *module;

static void start(void) {
  OK(cuInit, 0u);
  OK(cuDevicePrimaryCtxRetain, &context, 0);
  OK(cuCtxSetCurrent, context);
  OK(cuModuleLoadData, &module, image);
}

static void *function(const char *name) {
  void *f = NULL;
  OK(cuModuleGetFunction, &f, module, name);
  return f;
}

static int launch(void *f, int blocks, void *stream, void **parameters) {
  int (*call)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **) =
      symbol("cuLaunchKernel");
  return call(f, (unsigned)blocks, 1, 1, 256, 1, 1, 0, stream, parameters, NULL);
}

static void order_of_calls(void) {
  int count;
  Pointer p;
  WANT(NOT_INITIALIZED, cuDeviceGetCount, &count);
  WANT(NOT_INITIALIZED, cuMemAlloc_v2, &p, (size_t)4);
  WANT(INVALID_VALUE, cuInit, 1u);
  OK(cuInit, 0u);
  WANT(INVALID_CONTEXT, cuMemAlloc_v2, &p, (size_t)4);
  WANT(INVALID_DEVICE, cuDevicePrimaryCtxRetain, &context, 1);
  WANT(INVALID_CONTEXT, cuCtxSetCurrent, &count);
}

// With UNITSCOPE_EMULATED_DEVICES=0.
static void no_devices(void) { WANT(NO_DEVICE, cuInit, 0u); }

// With UNITSCOPE_EMULATED_DEVICES=3: each has memory of its own.
static void three_devices(void) {
  int count = 0;
  OK(cuInit, 0u);
  OK(cuDeviceGetCount, &count);
  EXPECT(count == 3);
  for (int device = 0; device < 3; device++) {
    size_t free, total;
    Pointer p;
    OK(cuDevicePrimaryCtxRetain, &context, device);
    OK(cuCtxSetCurrent, context);
    OK(cuMemAlloc_v2, &p, (size_t)1024);
    OK(cuMemGetInfo_v2, &free, &total);
    EXPECT(total - free == 1024);
  }
}

// With UNITSCOPE_EMULATED_MEMORY=1M.
static void out_of_memory(void) {
  size_t free, total;
  Pointer a, b;
  start();
  OK(cuMemGetInfo_v2, &free, &total);
  EXPECT(free == 1 << 20 && total == 1 << 20);
  OK(cuMemAlloc_v2, &a, (size_t)(1 << 20) - 256);
  WANT(OUT_OF_MEMORY, cuMemAlloc_v2, &b, (size_t)257);
  WANT(OUT_OF_MEMORY, cuMemAlloc_v2, &b, (size_t)-1);
  OK(cuMemAlloc_v2, &b, (size_t)256);
  OK(cuMemFree_v2, a);
  WANT(INVALID_VALUE, cuMemFree_v2, a);
  WANT(INVALID_VALUE, cuMemFree_v2, b + 4);
  OK(cuMemAlloc_v2, &a, (size_t)(1 << 20) - 256);
}

// Work waits until it is waited for; pinned memory is read only then.
static void put_off(void) {
  start();
  void *stream, *pinned;
  Pointer p;
  float pageable = 1, back = 0;
  OK(cuStreamCreate, &stream, 1u);
  OK(cuMemAlloc_v2, &p, (size_t)4);
  OK(cuMemcpyHtoDAsync_v2, p, &pageable, (size_t)4, stream);
  pageable = 2; // has been read
  OK(cuMemcpyDtoHAsync_v2, &back, p, (size_t)4, stream);
  EXPECT(back == 1);
  OK(cuMemHostAlloc, &pinned, (size_t)8, 0u);
  float *numbers = pinned;
  numbers[0] = 3;
  numbers[1] = 0;
  OK(cuMemcpyHtoDAsync_v2, p, numbers, (size_t)4, stream);
  OK(cuMemcpyDtoHAsync_v2, numbers + 1, p, (size_t)4, stream);
  numbers[0] = 4; // too early: the copy has not been made
  EXPECT(numbers[1] == 0);
  WANT(NOT_READY, cuStreamQuery, stream);
  OK(cuStreamSynchronize, stream);
  EXPECT(numbers[1] == 4);
  OK(cuStreamQuery, stream);
  OK(cuMemFreeHost, pinned);
  OK(cuStreamDestroy_v2, stream);
}

// Streams wait for each other through events, and for the null stream unless they
// were made not to.
static void streams(void) {
  start();
  void *first, *second, *event, *pinned;
  Pointer p;
  OK(cuMemAlloc_v2, &p, (size_t)4);
  OK(cuMemHostAlloc, &pinned, (size_t)4, 0u);
  float *number = pinned;
  OK(cuStreamCreate, &first, 1u);
  OK(cuStreamCreate, &second, 1u);
  OK(cuEventCreate, &event, 0u);
  OK(cuEventQuery, event);
  OK(cuMemsetD32Async, p, 0x3f800000u, (size_t)1, first);
  OK(cuEventRecord, event, first);
  OK(cuMemsetD32Async, p, 0x40000000u, (size_t)1, first);
  OK(cuStreamWaitEvent, second, event, 0u);
  OK(cuMemcpyDtoHAsync_v2, number, p, (size_t)4, second);
  OK(cuStreamSynchronize, second);
  EXPECT(*number == 1); // what came after the event has not been done
  OK(cuEventSynchronize, event);
  OK(cuStreamSynchronize, first);

  void *blocking;
  OK(cuStreamCreate, &blocking, 0u);
  OK(cuMemsetD32Async, p, 0x40400000u, (size_t)1, NULL);
  OK(cuMemcpyDtoHAsync_v2, number, p, (size_t)4, blocking);
  OK(cuStreamSynchronize, blocking);
  EXPECT(*number == 3); // the null stream came first
  OK(cuMemsetD32Async, p, 0x40800000u, (size_t)1, NULL);
  OK(cuMemcpyDtoHAsync_v2, number, p, (size_t)4, first);
  OK(cuStreamSynchronize, first);
  EXPECT(*number == 3); // and here nobody has waited for it
  WANT(INVALID_HANDLE, cuStreamSynchronize, event);
}

static void events_take_time(void) {
  start();
  void *from, *to;
  float elapsed = -1;
  OK(cuEventCreate, &from, 0u);
  OK(cuEventCreate, &to, 0u);
  WANT(INVALID_HANDLE, cuEventElapsedTime, &elapsed, from, to);
  OK(cuEventRecord, from, NULL);
  OK(cuEventRecord, to, NULL);
  WANT(NOT_READY, cuEventElapsedTime, &elapsed, from, to);
  OK(cuEventSynchronize, to);
  OK(cuEventElapsedTime, &elapsed, from, to);
  EXPECT(elapsed >= 0 && elapsed < 1000);
  OK(cuEventDestroy_v2, to);
  WANT(INVALID_HANDLE, cuEventQuery, to);
}

// The error of a kernel comes up when it is waited for, and stays.
static void errors_stay(void) {
  start();
  Pointer dst = 0;
  int count = 1;
  void *parameters[] = {&dst, &count};
  const char *text = NULL;
  EXPECT(launch(function("past_the_end"), 1, NULL, parameters) == 0);
  WANT(ILLEGAL_ADDRESS, cuCtxSynchronize, );
  WANT(ILLEGAL_ADDRESS, cuMemAlloc_v2, &dst, (size_t)4);
  OK(cuGetErrorString, ILLEGAL_ADDRESS, &text);
  EXPECT(strstr(text, "kernel past_the_end, block (0,0,0), thread (0,0,0)"));
  OK(cuGetErrorName, ILLEGAL_ADDRESS, &text);
  EXPECT(!strcmp(text, "CUDA_ERROR_ILLEGAL_ADDRESS"));
  WANT(INVALID_VALUE, cuGetErrorName, 12345, &text);
  OK(cuDevicePrimaryCtxReset_v2, 0);
  WANT(INVALID_CONTEXT, cuMemAlloc_v2, &dst, (size_t)4);
}

static void launches_are_checked(void) {
  start();
  void *f = function("null_pointer"), *parameters[] = {NULL};
  Pointer dst;
  WANT(NOT_FOUND, cuModuleGetFunction, &f, module, "nothing");
  OK(cuMemAlloc_v2, &dst, (size_t)4);
  EXPECT(launch(f, 1, NULL, parameters) == INVALID_VALUE);
  parameters[0] = &dst;
  EXPECT(launch(f, 0, NULL, parameters) == INVALID_VALUE);
  EXPECT(launch(NULL, 1, NULL, parameters) == INVALID_HANDLE);
  EXPECT(launch(f, 1, &dst, parameters) == INVALID_HANDLE);
  int (*call)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **) =
      symbol("cuLaunchKernel");
  EXPECT(call(f, 1, 1, 1, 257, 1, 1, 0, NULL, parameters, NULL) == INVALID_VALUE); // .maxntid
  EXPECT(call(f, 1, 1, 1, 256, 1, 1, 49153, NULL, parameters, NULL) == INVALID_VALUE);
  OK(cuFuncSetAttribute, f, 8, 65536);
  EXPECT(call(f, 1, 1, 1, 256, 1, 1, 49153, NULL, parameters, NULL) == 0);
  WANT(INVALID_VALUE, cuFuncSetAttribute, f, 8, 1 << 30);
  OK(cuCtxSynchronize, );
}

// With UNITSCOPE_EMULATED_CAPABILITY=7.5.
static void images_are_checked(void) {
  start();
  void *m;
  char log[300] = "";
  int options[] = {5, 6};
  void *values[] = {log, (void *)(uintptr_t)sizeof log};
  WANT(INVALID_IMAGE, cuModuleLoadData, &m, "\177ELF");
  WANT(NO_BINARY, cuModuleLoadData, &m, ".version 8.4\n.target sm_80\n");
  WANT(NO_BINARY, cuModuleLoadData, &m, ".version 8.4\n.target sm_70a\n");
  WANT(UNSUPPORTED_PTX, cuModuleLoadData, &m, ".version 9.9\n.target sm_70\n");
  OK(cuModuleLoadData, &m, ".version 8.4\n.target sm_70\n// .entry nothing()\n/* .entry\n nothing() */");
  WANT(INVALID_PTX, cuModuleLoadData, &m, ".version 8.4\n.target sm_70\n.visible .entry nothing() { ret; }");
  WANT(INVALID_PTX, cuModuleLoadDataEx, &m, ".version 8.4\n.target sm_70\n.entry race_write(.param .u32 x) { }", 2u, options, values);
  EXPECT(strstr(log, "entry race_write: its parameters differ"));
}

static void copies_are_checked(void) {
  start();
  Pointer p;
  char room[8];
  OK(cuMemAlloc_v2, &p, (size_t)8);
  WANT(INVALID_VALUE, cuMemcpyHtoD_v2, p, room, (size_t)9);
  WANT(INVALID_VALUE, cuMemcpyHtoD_v2, p + 8, room, (size_t)1);
  WANT(INVALID_VALUE, cuMemcpyHtoD_v2, (Pointer)(uintptr_t)room, room, (size_t)1);
  OK(cuMemcpyHtoD_v2, p, room, (size_t)4);
  OK(cuMemcpyDtoH_v2, room, p, (size_t)4);
  WANT(LAUNCH_FAILED, cuMemcpyDtoH_v2, room, p, (size_t)5); // nobody has written the fifth byte
}

static void used_after_free(void) {
  start();
  Pointer p;
  int count = 1;
  void *parameters[] = {&p, &count};
  const char *text;
  OK(cuMemAlloc_v2, &p, (size_t)8);
  OK(cuMemFree_v2, p);
  EXPECT(launch(function("past_the_end"), 1, NULL, parameters) == 0);
  WANT(ILLEGAL_ADDRESS, cuCtxSynchronize, );
  OK(cuGetErrorString, ILLEGAL_ADDRESS, &text);
  EXPECT(strstr(text, "in an allocation of 8 bytes that has been freed"));
}

static void not_emulated(void) {
  start();
  WANT(NOT_SUPPORTED, cuGraphCreate, NULL, 0u);
  WANT(NOT_SUPPORTED, cuLaunchCooperativeKernel, );
}

static const struct {
  const char *name;
  void (*run)(void);
} situations[] = {
    {"order_of_calls", order_of_calls},
    {"no_devices", no_devices},
    {"three_devices", three_devices},
    {"out_of_memory", out_of_memory},
    {"put_off", put_off},
    {"streams", streams},
    {"events_take_time", events_take_time},
    {"errors_stay", errors_stay},
    {"launches_are_checked", launches_are_checked},
    {"images_are_checked", images_are_checked},
    {"copies_are_checked", copies_are_checked},
    {"used_after_free", used_after_free},
    {"not_emulated", not_emulated},
};

static char *contents(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  long length = ftell(file);
  rewind(file);
  char *text = calloc(1, (size_t)length + 1);
  if (fread(text, 1, (size_t)length, file) != (size_t)length) text = NULL;
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  if (argc != 4 || !(library = dlopen(argv[1], RTLD_NOW)) || !(image = contents(argv[2]))) {
    fprintf(stderr, "usage: situations LIBRARY IMAGE.ptx NAME\n");
    return 1;
  }
  for (size_t i = 0; i < sizeof situations / sizeof situations[0]; i++) {
    if (!strcmp(argv[3], situations[i].name)) {
      situations[i].run();
      return 0;
    }
  }
  fprintf(stderr, "no situation %s\n", argv[3]);
  return 1;
}
