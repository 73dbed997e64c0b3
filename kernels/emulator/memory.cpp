// Device memory: an arena of addresses of which allocations take pages. An
// allocation ends at the end of its last page, as near as its alignment allows,
// and the page after it is never used: what goes too far faults at once. Addresses
// are used again as late as possible, so that memory which has been freed is
// noticed too.
#include "emulator.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <sys/mman.h>

namespace emulated {

namespace {

constexpr size_t PAGE = 4096, ALIGNMENT = 256;
constexpr size_t ARENA = (size_t)1 << 40;
constexpr size_t PAGES = ARENA / PAGE;

struct Arena {
  uintptr_t base;
  uint32_t *owner;                              // [PAGES] 1 + index in allocations of who has or had the page
  std::vector<std::unique_ptr<Allocation>> allocations;
  std::map<size_t, size_t> used;                // first page -> pages, with the guard page
  size_t next = 1;                              // where to look for free pages first
};

Arena arena;

void *reserve(size_t size, int protection) {
  void *memory = mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

void open_arena() {
  if (arena.base) return;
  arena.base = (uintptr_t)reserve(ARENA, PROT_NONE);
  arena.owner = (uint32_t *)reserve(PAGES * sizeof(uint32_t), PROT_READ | PROT_WRITE);
  if (!arena.base || !arena.owner) {
    perror("emulated driver: addresses of device memory");
    abort();
  }
}

// The first gap of so many pages from page from on, or 0.
size_t gap(size_t from, size_t pages) {
  auto next = arena.used.lower_bound(from);
  if (next != arena.used.begin()) {
    auto last = std::prev(next);
    from = std::max(from, last->first + last->second);
  }
  for (; next != arena.used.end() && next->first < from + pages; ++next) from = next->first + next->second;
  return from + pages <= PAGES ? from : 0;
}

size_t cells_of(size_t size) { return (size + BYTES_PER_CELL - 1) / BYTES_PER_CELL; }

} // namespace

size_t footprint(size_t size) { return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

Allocation *allocate(size_t size, int device, const void *owner) {
  open_arena();
  size_t pages = (footprint(size) + PAGE - 1) / PAGE;
  size_t first = gap(arena.next, pages + 1);
  if (!first) first = gap(1, pages + 1);
  if (!first) return nullptr;
  uintptr_t from = arena.base + first * PAGE;
  if (mmap((void *)from, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return nullptr;
  }
  auto a = std::make_unique<Allocation>();
  *a = {from + pages * PAGE - footprint(size), size, first, pages, device, owner, false, nullptr, nullptr};
  a->written = (uint8_t *)reserve(size, PROT_READ | PROT_WRITE);
  a->cells = (Cell *)reserve(cells_of(size) * sizeof(Cell), PROT_READ | PROT_WRITE);
  if (!a->written || !a->cells) {
    munmap((void *)from, pages * PAGE);
    return nullptr;
  }
  uint32_t *word = (uint32_t *)a->base;
  for (size_t i = 0; i < footprint(size) / sizeof *word; i++) word[i] = POISON;
  arena.used[first] = pages + 1;
  arena.next = first + pages + 1;
  arena.allocations.push_back(std::move(a));
  for (size_t i = 0; i <= pages; i++) arena.owner[first + i] = (uint32_t)arena.allocations.size();
  return arena.allocations.back().get();
}

void release(Allocation *a) {
  a->freed = true;
  munmap(a->written, a->size);
  munmap(a->cells, cells_of(a->size) * sizeof(Cell));
  a->written = nullptr;
  a->cells = nullptr;
  mmap((void *)(arena.base + a->first_page * PAGE), a->pages * PAGE, PROT_NONE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  arena.used.erase(a->first_page);
}

bool in_arena(uintptr_t address) { return arena.base && address - arena.base < ARENA; }

Allocation *find(uintptr_t address) {
  if (!in_arena(address)) return nullptr;
  uint32_t owner = arena.owner[(address - arena.base) / PAGE];
  return owner ? arena.allocations[owner - 1].get() : nullptr;
}

std::string describe(uintptr_t address, size_t size) {
  std::string what = format("%zu byte%s at %#zx", size, size == 1 ? "" : "s", (size_t)address);
  Allocation *a = find(address);
  if (!a) return what + ", which is no device memory";
  if (a->freed) return what + format(", in an allocation of %zu bytes that has been freed", a->size);
  if (address < a->base) return what + format(", %zu bytes before an allocation of %zu bytes", (size_t)(a->base - address), a->size);
  if (address - a->base < a->size) return what + format(", offset %zu of an allocation of %zu bytes", (size_t)(address - a->base), a->size);
  return what + format(", %zu bytes after the end of an allocation of %zu bytes", (size_t)(address - a->base - a->size), a->size);
}

bool accessible(uintptr_t address, size_t size, std::string *report) {
  Allocation *a = find(address);
  if (a && !a->freed && address >= a->base && address - a->base <= a->size && size <= a->size - (address - a->base)) return true;
  *report = describe(address, size);
  return false;
}

} // namespace emulated
