// What the parts of the emulated driver know of each other.
//
//	driver.cpp   the driver's entry points: contexts, streams, events, copies
//	module.cpp   PTX: entry names and parameter lists
//	block.cpp    runs a grid, a block at a time, a fiber for each thread
//	access.cpp   checks every access of a kernel to memory
//	memory.cpp   device memory, between guard pages
//	entry.h      how a kernel is called with parameters from memory
//
// The driver's lock is held in all of it: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace emulated {

// CUresult, as far as it is used here.
enum Result {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201,
  NO_BINARY_FOR_GPU = 209,
  INVALID_PTX = 218,
  UNSUPPORTED_PTX_VERSION = 222,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  NOT_READY = 600,
  ILLEGAL_ADDRESS = 700,
  LAUNCH_OUT_OF_RESOURCES = 701,
  HOST_MEMORY_ALREADY_REGISTERED = 712,
  HOST_MEMORY_NOT_REGISTERED = 713,
  MISALIGNED_ADDRESS = 716,
  LAUNCH_FAILED = 719,
  NOT_SUPPORTED = 801,
};

struct Dim {
  unsigned int x, y, z;
};

// ---- Kernels (entry.h, and a list that build.sh writes) ---------------------

struct Entry {
  const char *name;
  void (*function)();
  void (*call)(void (*function)(), void *const *parameters);
  std::vector<int> sizes; // of the parameters, in bytes
};

extern const std::vector<Entry> entries;

// ---- Launches (block.cpp) ---------------------------------------------------

struct Launch {
  const Entry *entry;
  Dim grid, block;
  size_t dynamic_shared;                       // bytes
  std::vector<std::vector<uint8_t>> parameters; // each by itself
};

// Runs a grid. If a check fails, report says which, and where.
Result run(const Launch &launch, std::string *report);

// Ends the launch from within a kernel: a check has failed. Does not return.
[[noreturn]] void fail(Result result, const void *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The thread that runs. Times grow from barrier to barrier and from block to
// block: the low half counts a block's barriers.
struct Moment {
  uint64_t time, block_start, launch_start;
  uint16_t thread, warp;
  uint16_t warp_epoch; // counts the barriers of the warp
};
extern Moment now;
extern bool running; // a kernel runs

// Whether an address is on a fiber's stack.
bool on_stack(uintptr_t address);

constexpr size_t MOST_SHARED = 232448; // bytes a block may have
extern char dynamic_shared_memory[MOST_SHARED];

// ---- Accesses (access.cpp) --------------------------------------------------

// Who has last written and read four bytes, or those of them in the mask.
struct Cell {
  uint64_t write_time, read_time;
  uint16_t writer, write_warp_epoch, reader, read_warp_epoch;
  uint8_t write_mask, read_mask;
};
constexpr size_t BYTES_PER_CELL = 4;

// Finds the memory that __shared__ variables lie in.
void find_shared();

// ---- Device memory (memory.cpp) ---------------------------------------------

constexpr uint32_t POISON = 0x7fc0dead; // what new memory holds, a NaN

struct Allocation {
  uintptr_t base;
  size_t size;       // bytes asked for
  size_t first_page; // of the arena; a guard page lies after the last
  size_t pages;
  int device;
  const void *owner; // context
  bool freed;
  uint8_t *written; // [size] 1 once a byte has been written
  Cell *cells;      // [size/BYTES_PER_CELL, rounded up]
};

Allocation *allocate(size_t size, int device, const void *owner); // null: no room
void release(Allocation *a);
size_t footprint(size_t size); // bytes that an allocation takes from the device

// The allocation at an address, or just before it, or freed; null if none.
Allocation *find(uintptr_t address);
bool in_arena(uintptr_t address);

// Whether size bytes lie within one allocation that is in use; if not, report
// says why.
bool accessible(uintptr_t address, size_t size, std::string *report);
std::string describe(uintptr_t address, size_t size);

// ---- PTX (module.cpp) -------------------------------------------------------

struct PtxEntry {
  std::string name;
  std::vector<int> sizes;
  int most_threads; // .maxntid, 0 if there is none
};

struct Ptx {
  int version; // 84 for 8.4
  int target;  // 80 for sm_80
  bool exact;  // sm_90a runs on 9.0 only
  std::vector<PtxEntry> entries;
};

// Reads as much of PTX text as the driver needs; false with a report if it is none.
bool parse(const char *text, Ptx *ptx, std::string *report);

std::string format(const char *format, ...) __attribute__((format(printf, 1, 2)));

} // namespace emulated
