//go:build cuda

// Every function of symbols.h as a jump through a slot of its own. They are
// hidden: the driver's own calls to itself do not come back here.
#define _GNU_SOURCE
#include "driver.h"
#include <dlfcn.h>
#include <stdio.h>

typedef int (*entry)();

enum { SUCCESS = 0, NO_DEVICE = 100, NOT_SUPPORTED = 801 }; // of CUresult

// The answers of a process without a driver.
static int no_device(void) { return NO_DEVICE; }
static int nothing_to_start(unsigned int flags) {
  (void)flags;
  return SUCCESS;
}
static int no_devices(int *count) {
  *count = 0;
  return SUCCESS;
}

// The answer of a driver that lacks a function.
static int not_supported(void) { return NOT_SUPPORTED; }

#if defined(__x86_64__)
#define JUMP(name) "endbr64\n jmp *unitscope_slot_" #name "(%rip)\n"
#elif defined(__aarch64__) // hint 34 is bti c, which not every assembler knows
#define JUMP(name)                                                                                                     \
  "hint 34\n adrp x16, unitscope_slot_" #name "\n ldr x16, [x16, #:lo12:unitscope_slot_" #name "]\n br x16\n"
#else
#error "the CUDA device is for x86-64 and arm64"
#endif

#define SYMBOL(name)                                                                                                   \
  __attribute__((used, visibility("hidden"))) entry unitscope_slot_##name = (entry)no_device;                          \
  __asm__(".pushsection .text\n .p2align 4\n .globl " #name "\n .hidden " #name "\n .type " #name ", %function\n" #name ":\n" JUMP( \
      name) ".size " #name ", . - " #name "\n .popsection\n");
#include "symbols.h"
#undef SYMBOL

static const struct {
  const char *name;
  entry *slot;
} table[] = {
#define SYMBOL(name) {#name, &unitscope_slot_##name},
#include "symbols.h"
#undef SYMBOL
};
enum { COUNT = sizeof table / sizeof table[0] };

// The slots that have another answer than no_device. The constructor runs before
// any of Go's package inits, so before that of gorgonia.org/cu.
__attribute__((constructor)) void unitscope_driver_forget(void) {
  for (int i = 0; i < COUNT; i++) *table[i].slot = (entry)no_device;
  unitscope_slot_cuInit = (entry)nothing_to_start;
  unitscope_slot_cuDeviceGetCount = (entry)no_devices;
}

int unitscope_driver_open(const char *path, char *reason, size_t size) {
  unitscope_driver_forget();
  // Libraries stay open: a driver does not survive being unloaded.
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *error = dlerror();
    snprintf(reason, size, "%s", error ? error : path);
    return -1;
  }
  const char *needed[] = {"cuInit", "cuDriverGetVersion", "cuDeviceGetCount"};
  for (int i = 0; i < 3; i++) {
    if (!dlsym(library, needed[i])) {
      snprintf(reason, size, "%s is no CUDA driver: it has no function %s", path, needed[i]);
      return -1;
    }
  }
  for (int i = 0; i < COUNT; i++) {
    void *function = dlsym(library, table[i].name);
    *table[i].slot = function ? (entry)function : (entry)not_supported;
  }
  return 0;
}
