// Checks every access of a kernel to memory. The kernels are compiled with
// -fsanitize=thread, which calls the functions at the end of this file for each
// access; they are ours.
//
// Device memory: within one allocation, aligned, written before it is read, and
// no two threads at the same bytes, one of them writing, unless a barrier lies
// between. Two blocks have no barrier between them in one launch. Shared memory is
// checked the same way, and starts unwritten in every block. Atomic operations may
// meet each other, but not plain ones.
//
// In the same way -fsanitize=bounds and others report an index outside of its
// array, and whole numbers that overflow.
#include "emulator.h"

#include <algorithm>
#include <cstdlib>
#include <link.h>
#include <sys/mman.h>

namespace emulated {

namespace {

constexpr uint16_t ATOMIC = 0xffff;  // as a writer
constexpr uint16_t SEVERAL = 0xfffe; // as a reader: of several warps
constexpr uint16_t WARP = 0x8000;    // as a reader, with its number: several of one warp

// Where the variables of this library lie: shared memory among them.
struct Segment {
  uintptr_t from, size;          // that can be written
  uintptr_t image, image_size;   // all of the library
  Cell *cells;
};
Segment segment;

enum Kind { READ, WRITE, ATOMIC_UPDATE };

uint16_t warp_of(uint16_t thread) { return thread & WARP ? thread & ~WARP : thread / 32; }

// Whether what a thread did in this block since its last barrier is ordered before
// now: by itself, or by a barrier of its warp.
bool ordered(uint16_t thread, uint16_t warp_epoch) {
  if (thread == now.thread) return true;
  if (thread == ATOMIC || thread == SEVERAL) return false;
  return warp_of(thread) == now.warp && warp_epoch != now.warp_epoch;
}

// Who is in the way of an access after what a cell notes of the writes, or null.
const char *after_write(const Cell *c, Kind kind) {
  if (kind == ATOMIC_UPDATE && c->writer == ATOMIC) return nullptr;
  if (c->write_time < now.block_start) return "another block has written";
  if (c->write_time != now.time || ordered(c->writer, c->write_warp_epoch)) return nullptr;
  return c->writer == ATOMIC ? "an atomic operation has updated" : "another thread has written";
}

// Who is in the way of a write after what a cell notes of the reads, or null.
const char *after_read(const Cell *c) {
  if (c->read_time < now.block_start) return "another block has read";
  if (c->read_time != now.time || ordered(c->reader, c->read_warp_epoch)) return nullptr;
  return "another thread has read";
}

void note_read(Cell *c, uint64_t since, uint8_t mask) {
  // Blocks run one after the other: an earlier one's read stays noted, as it is in
  // the way of every write from now on.
  if (c->read_time >= since && c->read_time < now.block_start) return;
  uint16_t reader = now.thread;
  if (c->read_time == now.time && c->read_mask == mask && c->reader != reader) {
    reader = c->reader != SEVERAL && warp_of(c->reader) == now.warp ? WARP | now.warp : SEVERAL;
  }
  c->read_time = now.time;
  c->reader = reader;
  c->read_warp_epoch = now.warp_epoch;
  c->read_mask = mask;
}

// Checks and notes an access to the bytes of a cell in the mask. What happened
// before since is past. The result names who is in the way, or is null.
const char *touch(Cell *c, Kind kind, uint64_t since, uint8_t mask) {
  if (c->write_time >= since && (c->write_mask & mask)) {
    if (const char *who = after_write(c, kind)) return who;
  }
  if (kind == READ) {
    note_read(c, since, mask);
    return nullptr;
  }
  if (c->read_time >= since && (c->read_mask & mask)) {
    if (const char *who = after_read(c)) return who;
  }
  c->write_time = now.time;
  c->writer = kind == ATOMIC_UPDATE ? ATOMIC : now.thread;
  c->write_warp_epoch = now.warp_epoch;
  c->write_mask = mask;
  return nullptr;
}

const char *name(Kind kind) { return kind == READ ? "read of" : kind == WRITE ? "write to" : "atomic update of"; }

// The bytes of cell i that lie in size bytes from offset on.
uint8_t mask_of(size_t i, size_t offset, size_t size) {
  size_t cell = i * BYTES_PER_CELL;
  size_t from = std::max(offset, cell) - cell, to = std::min(offset + size - cell, BYTES_PER_CELL);
  return (uint8_t)((1u << to) - (1u << from));
}

void check_device(uintptr_t address, size_t size, Kind kind, const void *where) {
  static Allocation *last; // most accesses are to the same one as the one before
  Allocation *a = last;
  if (!a || a->freed || address - a->base >= a->size || size > a->size - (address - a->base)) {
    std::string report;
    if (!accessible(address, size, &report)) fail(ILLEGAL_ADDRESS, where, "%s %s", name(kind), report.c_str());
    a = last = find(address);
  }
  size_t offset = address - a->base;
  for (size_t i = 0; i < size; i++) {
    if (kind != WRITE && !a->written[offset + i]) {
      fail(LAUNCH_FAILED, where, "%s %s: nothing has been written there", name(kind), describe(address, size).c_str());
    }
    if (kind != READ) a->written[offset + i] = 1;
  }
  for (size_t i = offset / BYTES_PER_CELL; i * BYTES_PER_CELL < offset + size; i++) {
    if (const char *who = touch(&a->cells[i], kind, now.launch_start, mask_of(i, offset, size))) {
      fail(LAUNCH_FAILED, where, "race: %s %s, which %s in the same launch", name(kind), describe(address, size).c_str(), who);
    }
  }
}

void check_shared(uintptr_t address, size_t size, Kind kind, const void *where) {
  size_t offset = address - segment.from;
  for (size_t i = offset / BYTES_PER_CELL; i * BYTES_PER_CELL < offset + size; i++) {
    Cell *c = &segment.cells[i];
    if (kind != WRITE && c->write_time < now.block_start) {
      fail(LAUNCH_FAILED, where, "%s %zu bytes of shared memory: nothing has been written there in this block", name(kind), size);
    }
    if (const char *who = touch(c, kind, now.block_start, mask_of(i, offset, size))) {
      fail(LAUNCH_FAILED, where, "race: %s %zu bytes of shared memory that %s since the last barrier", name(kind), size, who);
    }
  }
}

inline void check(const void *at, size_t size, Kind kind, const void *where, bool aligned = true) {
  if (!running || size == 0) return;
  uintptr_t address = (uintptr_t)at;
  bool shared = address - segment.from < segment.size;
  if (!shared && on_stack(address)) return;
  if (!shared && kind == READ && address - segment.image < segment.image_size) return; // a constant
  if (aligned && (size & (size - 1)) == 0 && address % size != 0) {
    fail(MISALIGNED_ADDRESS, where, "%s %zu bytes at %p, which is not a multiple", name(kind), size, at);
  }
  if (shared) {
    check_shared(address, size, kind, where);
  } else {
    check_device(address, size, kind, where);
  }
}

int look(dl_phdr_info *info, size_t, void *) {
  uintptr_t self = (uintptr_t)dynamic_shared_memory;
  uintptr_t from = UINTPTR_MAX, to = 0;
  bool found = false;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const auto &p = info->dlpi_phdr[i];
    if (p.p_type != PT_LOAD) continue;
    uintptr_t start = info->dlpi_addr + p.p_vaddr;
    from = std::min(from, start);
    to = std::max(to, start + p.p_memsz);
    if (self - start < p.p_memsz) {
      found = true;
      segment.from = start;
      segment.size = p.p_memsz;
    }
  }
  if (found) {
    segment.image = from;
    segment.image_size = to - from;
  }
  return found;
}

} // namespace

void find_shared() {
  if (segment.cells) return;
  dl_iterate_phdr(look, nullptr);
  size_t size = (segment.size / BYTES_PER_CELL + 1) * sizeof(Cell);
  segment.cells = (Cell *)mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (segment.cells == MAP_FAILED) abort();
}

} // namespace emulated

using namespace emulated;

#define HOOK(name, size, kind, aligned)                                                                                \
  extern "C" void name(void *at) { check(at, size, kind, __builtin_return_address(0), aligned); }

HOOK(__tsan_read1, 1, READ, true)
HOOK(__tsan_read2, 2, READ, true)
HOOK(__tsan_read4, 4, READ, true)
HOOK(__tsan_read8, 8, READ, true)
HOOK(__tsan_read16, 16, READ, true)
HOOK(__tsan_write1, 1, WRITE, true)
HOOK(__tsan_write2, 2, WRITE, true)
HOOK(__tsan_write4, 4, WRITE, true)
HOOK(__tsan_write8, 8, WRITE, true)
HOOK(__tsan_write16, 16, WRITE, true)
// What the compiler calls unaligned has an alignment that it doesn't know.
HOOK(__tsan_unaligned_read2, 2, READ, false)
HOOK(__tsan_unaligned_read4, 4, READ, false)
HOOK(__tsan_unaligned_read8, 8, READ, false)
HOOK(__tsan_unaligned_read16, 16, READ, false)
HOOK(__tsan_unaligned_write2, 2, WRITE, false)
HOOK(__tsan_unaligned_write4, 4, WRITE, false)
HOOK(__tsan_unaligned_write8, 8, WRITE, false)
HOOK(__tsan_unaligned_write16, 16, WRITE, false)

extern "C" void __tsan_init() {}
extern "C" void __tsan_read_range(void *at, size_t size) { check(at, size, READ, __builtin_return_address(0)); }
extern "C" void __tsan_write_range(void *at, size_t size) { check(at, size, WRITE, __builtin_return_address(0)); }
extern "C" void __tsan_vptr_update(void **, void *) {}
extern "C" void __tsan_func_entry(void *) {}
extern "C" void __tsan_func_exit() {}

// Atomic operations on 4 and 8 bytes.
#define ATOMICS(bits, type)                                                                                            \
  extern "C" type __tsan_atomic##bits##_load(const volatile type *at, int) {                                           \
    check((const void *)at, sizeof(type), ATOMIC_UPDATE, __builtin_return_address(0));                                 \
    return *at;                                                                                                        \
  }                                                                                                                    \
  extern "C" void __tsan_atomic##bits##_store(volatile type *at, type value, int) {                                    \
    check((const void *)at, sizeof(type), ATOMIC_UPDATE, __builtin_return_address(0));                                 \
    *at = value;                                                                                                       \
  }                                                                                                                    \
  extern "C" type __tsan_atomic##bits##_exchange(volatile type *at, type value, int) {                                 \
    check((const void *)at, sizeof(type), ATOMIC_UPDATE, __builtin_return_address(0));                                 \
    type old = *at;                                                                                                    \
    *at = value;                                                                                                       \
    return old;                                                                                                        \
  }                                                                                                                    \
  extern "C" type __tsan_atomic##bits##_fetch_add(volatile type *at, type value, int) {                                \
    check((const void *)at, sizeof(type), ATOMIC_UPDATE, __builtin_return_address(0));                                 \
    type old = *at;                                                                                                    \
    *at = old + value;                                                                                                 \
    return old;                                                                                                        \
  }                                                                                                                    \
  extern "C" int __tsan_atomic##bits##_compare_exchange_strong(volatile type *at, type *expected, type value, int,     \
                                                               int) {                                                 \
    check((const void *)at, sizeof(type), ATOMIC_UPDATE, __builtin_return_address(0));                                 \
    type old = *at;                                                                                                    \
    if (old == *expected) {                                                                                            \
      *at = value;                                                                                                     \
      return 1;                                                                                                        \
    }                                                                                                                  \
    *expected = old;                                                                                                   \
    return 0;                                                                                                          \
  }                                                                                                                    \
  extern "C" type __tsan_atomic##bits##_compare_exchange_val(volatile type *at, type expected, type value, int,        \
                                                             int) {                                                   \
    __tsan_atomic##bits##_compare_exchange_strong(at, &expected, value, 0, 0);                                         \
    return expected;                                                                                                   \
  }

ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)

// Where a mistake is: what every description of one starts with.
struct Place {
  const char *file;
  uint32_t line, column;
};

#define MISTAKE(name, result, text)                                                                                    \
  extern "C" void __ubsan_handle_##name(const Place *place) {                                                          \
    if (running) fail(result, nullptr, "%s:%u: %s", place->file, place->line, text);                                   \
  }

MISTAKE(out_of_bounds, ILLEGAL_ADDRESS, "an index outside of its array")
MISTAKE(add_overflow, LAUNCH_FAILED, "a sum of whole numbers overflows")
MISTAKE(sub_overflow, LAUNCH_FAILED, "a difference of whole numbers overflows")
MISTAKE(mul_overflow, LAUNCH_FAILED, "a product of whole numbers overflows")
MISTAKE(negate_overflow, LAUNCH_FAILED, "a negated whole number overflows")
MISTAKE(divrem_overflow, LAUNCH_FAILED, "a division of whole numbers by zero, or one that overflows")
MISTAKE(shift_out_of_bounds, LAUNCH_FAILED, "a shift by more bits than there are")
MISTAKE(float_cast_overflow, LAUNCH_FAILED, "a number that the whole number it is turned into has no room for")
