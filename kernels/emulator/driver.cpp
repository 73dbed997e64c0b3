// The entry points of the CUDA driver, on a CPU.
//
// Work that was asked for on a stream is put off for as long as the rules allow:
// it is done when something waits for it. So a program that forgets to wait reads
// old numbers here every time, and on a card now and then.
//
// A check that fails is an error of the launch, as on a card: it comes up when the
// stream is waited for, and stays with the context. What was found is written to
// standard error, and cuGetErrorString says it too.
//
// The environment sets what is emulated:
//
//	UNITSCOPE_EMULATED_DEVICES     number of devices, 1
//	UNITSCOPE_EMULATED_MEMORY      bytes of memory of each, K, M or G may follow; 2G
//	UNITSCOPE_EMULATED_CAPABILITY  compute capability, 8.0
#include "emulator.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>

using namespace emulated;

namespace {

using Pointer = unsigned long long; // CUdeviceptr

constexpr int DRIVER_VERSION = 12040;
constexpr int PTX_VERSION = 84;

struct Context;

// Point names a place in a stream's order of work.
struct Stream;
struct Point {
  std::shared_ptr<Stream> stream;
  uint64_t count; // of operations that have to be done
};

struct Operation {
  std::function<Result(std::string *)> work;
  std::vector<Point> after;
};

struct Stream {
  Context *context;
  bool waits_for_null; // and the null stream for it
  unsigned int flags;
  std::deque<Operation> queue;
  uint64_t asked, done;
};

struct Event {
  Context *context;
  Point at; // stream is null before the first record
  bool timed;
  std::shared_ptr<double> milliseconds; // when it was reached
};

struct Module;

struct Function {
  Module *module;
  const Entry *entry;
  int most_threads;
  int most_dynamic_shared;
};

struct Module {
  Context *context;
  std::map<std::string, std::unique_ptr<Function>> functions;
};

struct Context {
  int device;
  unsigned int flags;
  bool primary;
  int uses; // of a primary context
  Result error; // stays
  std::shared_ptr<Stream> null;
  std::map<Stream *, std::shared_ptr<Stream>> streams; // with the null stream
  std::map<Event *, std::shared_ptr<Event>> events;
  std::map<Module *, std::unique_ptr<Module>> modules;
  std::map<Pointer, Allocation *> memory;
};

struct Device {
  size_t memory, used;
  Context *primary;
};

struct Driver {
  bool ready;
  int major, minor;
  std::vector<Device> devices;
  std::set<Context *> contexts;
  std::map<uintptr_t, std::pair<size_t, bool>> pinned; // host memory: size, whether it is ours
  std::string report;                                  // of the last failed check
};

std::recursive_mutex mutex;
Driver driver;
thread_local std::vector<Context *> current; // of a thread, the last is current

#define LOCKED std::lock_guard<std::recursive_mutex> locked(mutex)

// ---- Setting up -------------------------------------------------------------

size_t number_in(const char *variable, size_t otherwise) {
  const char *text = getenv(variable);
  if (!text || !*text) return otherwise;
  char *end;
  size_t number = strtoull(text, &end, 10);
  const char *units = "KMG", *unit = *end ? strchr(units, *end) : nullptr;
  if (unit) number <<= 10 * (unit - units + 1), end++;
  if (end == text || *end) {
    fprintf(stderr, "emulated driver: %s=%s is not a number\n", variable, text);
    exit(2);
  }
  return number;
}

void set_up() {
  if (driver.ready) return;
  driver.major = 8;
  driver.minor = 0;
  if (const char *text = getenv("UNITSCOPE_EMULATED_CAPABILITY")) {
    if (sscanf(text, "%d.%d", &driver.major, &driver.minor) != 2) {
      fprintf(stderr, "emulated driver: UNITSCOPE_EMULATED_CAPABILITY=%s is not like 8.0\n", text);
      exit(2);
    }
  }
  size_t memory = number_in("UNITSCOPE_EMULATED_MEMORY", (size_t)2 << 30);
  driver.devices.resize(number_in("UNITSCOPE_EMULATED_DEVICES", 1), Device{memory, 0, nullptr});
  driver.ready = true;
}

bool known(Context *c) { return driver.contexts.count(c) > 0; }

// The context of the thread, or null with the reason.
Context *in_use(Result *why) {
  *why = SUCCESS;
  if (!driver.ready) {
    *why = NOT_INITIALIZED;
  } else if (current.empty() || !known(current.back())) {
    *why = INVALID_CONTEXT;
  } else if (current.back()->error) {
    *why = current.back()->error;
  } else {
    return current.back();
  }
  return nullptr;
}

// At the start of an entry point that needs a context: c.
#define IN_CONTEXT                                                                                                     \
  LOCKED;                                                                                                              \
  Result why;                                                                                                          \
  Context *c = in_use(&why);                                                                                           \
  if (!c) return why

#define WANT(condition)                                                                                                \
  if (!(condition)) return INVALID_VALUE

// ---- Streams ----------------------------------------------------------------

void run_until(const std::shared_ptr<Stream> &stream, uint64_t count) {
  while (stream->done < count && !stream->queue.empty()) {
    Operation operation = std::move(stream->queue.front());
    stream->queue.pop_front();
    for (const Point &p : operation.after) run_until(p.stream, p.count);
    Context *c = stream->context;
    if (!c->error) {
      std::string report;
      c->error = operation.work(&report);
      if (c->error) {
        driver.report = report;
        fprintf(stderr, "emulated driver: %s\n", report.c_str());
      }
    }
    stream->done++;
  }
}

Result finish(const std::shared_ptr<Stream> &stream) {
  run_until(stream, stream->asked);
  return stream->context->error;
}

Result finish(Context *c) {
  for (const auto &s : c->streams) finish(s.second);
  return c->error;
}

// The stream of a handle: 0 and 1 are the null stream.
std::shared_ptr<Stream> stream_of(Context *c, void *handle) {
  if ((uintptr_t)handle <= 1) return c->null;
  auto s = c->streams.find((Stream *)handle);
  return s == c->streams.end() ? nullptr : s->second;
}

void ask(const std::shared_ptr<Stream> &stream, std::function<Result(std::string *)> work, std::vector<Point> after = {}) {
  Context *c = stream->context;
  if (stream == c->null) {
    for (const auto &s : c->streams) {
      if (s.second->waits_for_null) after.push_back({s.second, s.second->asked});
    }
  } else if (stream->waits_for_null) {
    after.push_back({c->null, c->null->asked});
  }
  stream->queue.push_back({std::move(work), std::move(after)});
  stream->asked++;
}

// ---- Contexts ---------------------------------------------------------------

Context *new_context(int device, unsigned int flags, bool primary) {
  Context *c = new Context{device, flags, primary, 0, SUCCESS, nullptr, {}, {}, {}, {}};
  c->null = std::make_shared<Stream>(Stream{c, false, 0, {}, 0, 0});
  c->streams[c->null.get()] = c->null;
  driver.contexts.insert(c);
  return c;
}

void delete_context(Context *c) {
  finish(c);
  for (const auto &m : c->memory) {
    driver.devices[c->device].used -= footprint(m.second->size);
    release(m.second);
  }
  driver.contexts.erase(c);
  if (driver.devices[c->device].primary == c) driver.devices[c->device].primary = nullptr;
  delete c;
}

// ---- Copies -----------------------------------------------------------------

bool is_pinned(uintptr_t from, size_t size) {
  auto p = driver.pinned.upper_bound(from);
  if (p == driver.pinned.begin()) return false;
  --p;
  return from - p->first <= p->second.first && size <= p->second.first - (from - p->first);
}

struct Span {
  uintptr_t at;
  bool device;
};

// What a copy does when its turn comes.
Result copy_now(Span to, Span from, size_t size, std::string *report) {
  std::string what;
  if ((to.device && !accessible(to.at, size, &what)) || (from.device && !accessible(from.at, size, &what))) {
    *report = "copy: access to " + what;
    return ILLEGAL_ADDRESS;
  }
  Allocation *source = from.device ? find(from.at) : nullptr, *target = to.device ? find(to.at) : nullptr;
  if (source && !target) {
    const uint8_t *written = source->written + (from.at - source->base);
    if (const void *gap = memchr(written, 0, size)) {
      size_t offset = (const uint8_t *)gap - written;
      *report = "copy to the host: access to " + describe(from.at + offset, 1) + ": nothing has been written there";
      return LAUNCH_FAILED;
    }
  }
  memmove((void *)to.at, (const void *)from.at, size);
  if (target) {
    uint8_t *written = target->written + (to.at - target->base);
    if (source) {
      memmove(written, source->written + (from.at - source->base), size);
    } else {
      memset(written, 1, size);
    }
  }
  return SUCCESS;
}

// Copies on a stream. Pageable host memory has been read, or written, when the
// call returns; pinned memory may be used until the stream has been waited for.
Result copy(Span to, Span from, size_t size, const std::shared_ptr<Stream> &stream, bool wait) {
  std::string what;
  if (size == 0) return wait ? finish(stream) : SUCCESS;
  WANT(!to.device || accessible(to.at, size, &what));
  WANT(!from.device || accessible(from.at, size, &what));
  WANT((to.device || to.at) && (from.device || from.at));
  if (!wait && !from.device && !is_pinned(from.at, size)) {
    auto staged = std::make_shared<std::vector<uint8_t>>((const uint8_t *)from.at, (const uint8_t *)from.at + size);
    ask(stream, [=](std::string *report) { return copy_now(to, {(uintptr_t)staged->data(), false}, size, report); });
    return SUCCESS;
  }
  ask(stream, [=](std::string *report) { return copy_now(to, from, size, report); });
  if (wait || (!to.device && !is_pinned(to.at, size))) return finish(stream);
  return SUCCESS;
}

Span host(const void *p) { return {(uintptr_t)p, false}; }
Span device(Pointer p) { return {(uintptr_t)p, true}; }
// With one address space for both, an address says what it is.
Span either(Pointer p) { return {(uintptr_t)p, in_arena((uintptr_t)p)}; }

Result set(Pointer at, uint32_t value, size_t unit, size_t count, const std::shared_ptr<Stream> &stream, bool wait) {
  std::string what;
  WANT(count == 0 || accessible(at, unit * count, &what));
  WANT(at % unit == 0);
  ask(stream, [=](std::string *report) {
    std::string found;
    if (count > 0 && !accessible(at, unit * count, &found)) {
      *report = "set: access to " + found;
      return ILLEGAL_ADDRESS;
    }
    if (count == 0) return SUCCESS;
    for (size_t i = 0; i < count; i++) memcpy((char *)at + i * unit, &value, unit);
    Allocation *a = find(at);
    memset(a->written + (at - a->base), 1, unit * count);
    return SUCCESS;
  });
  return wait ? finish(stream) : SUCCESS;
}

double milliseconds() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// ---- Attributes -------------------------------------------------------------

int most_shared() {
  int capability = 10 * driver.major + driver.minor;
  return capability >= 90 ? 232448 : capability == 80 || capability == 87 ? 166912 : capability >= 80 ? 101376 : 98304;
}

int attribute(int which) {
  switch (which) {
  case 1: return 1024;        // MAX_THREADS_PER_BLOCK
  case 2: case 3: return 1024; // MAX_BLOCK_DIM_X, _Y
  case 4: return 64;          // MAX_BLOCK_DIM_Z
  case 5: return 2147483647;  // MAX_GRID_DIM_X
  case 6: case 7: return 65535; // MAX_GRID_DIM_Y, _Z
  case 8: return 49152;       // MAX_SHARED_MEMORY_PER_BLOCK
  case 9: return 65536;       // TOTAL_CONSTANT_MEMORY
  case 10: return 32;         // WARP_SIZE
  case 11: return 2147483647; // MAX_PITCH
  case 12: return 65536;      // MAX_REGISTERS_PER_BLOCK
  case 13: return 1000000;    // CLOCK_RATE, kHz
  case 16: return 4;          // MULTIPROCESSOR_COUNT
  case 19: return 0;          // CAN_MAP_HOST_MEMORY
  case 31: return 1;          // CONCURRENT_KERNELS
  case 36: return 1000000;    // MEMORY_CLOCK_RATE, kHz
  case 37: return 64;         // GLOBAL_MEMORY_BUS_WIDTH, bits
  case 38: return 1 << 20;    // L2_CACHE_SIZE
  case 39: return 2048;       // MAX_THREADS_PER_MULTIPROCESSOR
  case 40: return 1;          // ASYNC_ENGINE_COUNT
  case 41: return 1;          // UNIFIED_ADDRESSING
  case 75: return driver.major;
  case 76: return driver.minor;
  case 81: return most_shared() + 1024; // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
  case 82: return 65536;      // MAX_REGISTERS_PER_MULTIPROCESSOR
  case 97: return most_shared(); // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
  }
  return 0; // what is not there
}

struct ErrorText {
  int result;
  const char *name, *text;
};

const ErrorText errors[] = {
    {SUCCESS, "CUDA_SUCCESS", "no error"},
    {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {NO_BINARY_FOR_GPU, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {INVALID_PTX, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {UNSUPPORTED_PTX_VERSION, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain."},
    {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {LAUNCH_OUT_OF_RESOURCES, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {HOST_MEMORY_ALREADY_REGISTERED, "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED", "part or all of the requested memory range is already mapped"},
    {HOST_MEMORY_NOT_REGISTERED, "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED", "pointer does not correspond to a registered memory region"},
    {MISALIGNED_ADDRESS, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
};

const ErrorText *error_text(int result) {
  for (const auto &e : errors) {
    if (e.result == result) return &e;
  }
  return nullptr;
}

// ---- Modules ----------------------------------------------------------------

const Entry *emulated_entry(const std::string &name) {
  for (const auto &e : entries) {
    if (name == e.name) return &e;
  }
  return nullptr;
}

Result load(Context *c, const char *text, Module **out, std::string *log) {
  Ptx ptx;
  if (!text || !parse(text, &ptx, log)) return text ? INVALID_IMAGE : INVALID_VALUE;
  int capability = 10 * driver.major + driver.minor;
  if (ptx.version > PTX_VERSION) {
    *log = format("PTX version %d.%d is newer than this driver's %d.%d", ptx.version / 10, ptx.version % 10, PTX_VERSION / 10, PTX_VERSION % 10);
    return UNSUPPORTED_PTX_VERSION;
  }
  if (ptx.exact ? ptx.target != capability : ptx.target > capability) {
    *log = format("target sm_%d%s does not run on capability %d.%d", ptx.target, ptx.exact ? "a" : "", driver.major, driver.minor);
    return NO_BINARY_FOR_GPU;
  }
  auto module = std::make_unique<Module>();
  module->context = c;
  for (const auto &e : ptx.entries) {
    const Entry *own = emulated_entry(e.name);
    if (!own || own->sizes != e.sizes) {
      *log = "entry " + e.name + (own ? ": its parameters differ from those of the emulated kernel" : ": not among the emulated kernels") +
             "; compile both from the same sources";
      return INVALID_PTX;
    }
    auto function = std::make_unique<Function>();
    *function = {module.get(), own, e.most_threads ? e.most_threads : 1024, 49152};
    module->functions[e.name] = std::move(function);
  }
  *out = module.get();
  c->modules[module.get()] = std::move(module);
  return SUCCESS;
}

Function *function_of(Context *c, void *handle) {
  for (const auto &m : c->modules) {
    for (const auto &f : m.second->functions) {
      if (f.second.get() == handle) return f.second.get();
    }
  }
  return nullptr;
}

Result launch(Context *c, void *handle, Dim grid, Dim block, unsigned int shared, void *stream, void **parameters, void **extra) {
  Function *f = function_of(c, handle);
  auto s = stream_of(c, stream);
  if (!f || !s) return INVALID_HANDLE;
  if (extra) return NOT_SUPPORTED;
  auto fits = [](Dim d, unsigned int x, unsigned int y, unsigned int z) {
    return d.x >= 1 && d.y >= 1 && d.z >= 1 && d.x <= x && d.y <= y && d.z <= z;
  };
  WANT(fits(grid, 2147483647, 65535, 65535) && fits(block, 1024, 1024, 64));
  WANT((uint64_t)block.x * block.y * block.z <= (uint64_t)f->most_threads);
  WANT(shared <= (unsigned int)f->most_dynamic_shared);
  WANT(parameters || f->entry->sizes.empty());
  Launch l = {f->entry, grid, block, shared, {}};
  for (size_t i = 0; i < f->entry->sizes.size(); i++) {
    WANT(parameters[i]);
    const uint8_t *p = (const uint8_t *)parameters[i];
    l.parameters.emplace_back(p, p + f->entry->sizes[i]);
  }
  ask(s, [l](std::string *report) { return run(l, report); });
  return SUCCESS;
}

} // namespace

// ---- Entry points -----------------------------------------------------------

#define API extern "C" __attribute__((visibility("default")))

API int cuInit(unsigned int flags) {
  LOCKED;
  WANT(flags == 0);
  set_up();
  return driver.devices.empty() ? NO_DEVICE : SUCCESS;
}

API int cuDriverGetVersion(int *version) {
  WANT(version);
  *version = DRIVER_VERSION;
  return SUCCESS;
}

API int cuGetErrorName(int error, const char **text) {
  WANT(text);
  const ErrorText *e = error_text(error);
  *text = e ? e->name : nullptr;
  return e ? SUCCESS : INVALID_VALUE;
}

API int cuGetErrorString(int error, const char **text) {
  LOCKED;
  WANT(text);
  const ErrorText *e = error_text(error);
  *text = e ? e->text : nullptr;
  bool check = error == ILLEGAL_ADDRESS || error == MISALIGNED_ADDRESS || error == LAUNCH_FAILED || error == INVALID_PTX;
  if (check && !driver.report.empty()) {
    static std::set<std::string> kept; // the caller's for as long as it likes
    *text = kept.insert(std::string(e->text) + ": " + driver.report).first->c_str();
  }
  return e ? SUCCESS : INVALID_VALUE;
}

// Devices.

#define DEVICE(d)                                                                                                      \
  LOCKED;                                                                                                              \
  if (!driver.ready) return NOT_INITIALIZED;                                                                           \
  if ((d) < 0 || (d) >= (int)driver.devices.size()) return INVALID_DEVICE

API int cuDeviceGetCount(int *count) {
  LOCKED;
  if (!driver.ready) return NOT_INITIALIZED;
  WANT(count);
  *count = (int)driver.devices.size();
  return SUCCESS;
}

API int cuDeviceGet(int *device, int ordinal) {
  DEVICE(ordinal);
  WANT(device);
  *device = ordinal;
  return SUCCESS;
}

API int cuDeviceGetName(char *name, int length, int device) {
  DEVICE(device);
  WANT(name && length > 0);
  snprintf(name, (size_t)length, "Emulated GPU");
  return SUCCESS;
}

API int cuDeviceGetUuid(void *uuid, int device) {
  DEVICE(device);
  WANT(uuid);
  memset(uuid, 0, 16);
  ((unsigned char *)uuid)[15] = (unsigned char)(device + 1);
  return SUCCESS;
}
API int cuDeviceGetUuid_v2(void *uuid, int device) { return cuDeviceGetUuid(uuid, device); }

API int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  DEVICE(device);
  WANT(bytes);
  *bytes = driver.devices[device].memory;
  return SUCCESS;
}

API int cuDeviceGetAttribute(int *value, int which, int device) {
  DEVICE(device);
  WANT(value && which > 0);
  *value = attribute(which);
  return SUCCESS;
}

API int cuDeviceGetPCIBusId(char *text, int length, int device) {
  DEVICE(device);
  WANT(text && length > 0);
  snprintf(text, (size_t)length, "0000:%02x:00.0", device + 1);
  return SUCCESS;
}

API int cuDeviceCanAccessPeer(int *can, int device, int peer) {
  DEVICE(device);
  if (peer < 0 || peer >= (int)driver.devices.size()) return INVALID_DEVICE;
  WANT(can);
  *can = 0;
  return SUCCESS;
}

// Contexts.

API int cuDevicePrimaryCtxRetain(Context **context, int device) {
  DEVICE(device);
  WANT(context);
  Device &d = driver.devices[device];
  if (!d.primary) d.primary = new_context(device, 0, true);
  d.primary->uses++;
  *context = d.primary;
  return SUCCESS;
}

API int cuDevicePrimaryCtxRelease_v2(int device) {
  DEVICE(device);
  Context *c = driver.devices[device].primary;
  if (!c) return INVALID_CONTEXT;
  if (--c->uses == 0) delete_context(c);
  return SUCCESS;
}

API int cuDevicePrimaryCtxReset_v2(int device) {
  DEVICE(device);
  if (Context *c = driver.devices[device].primary) delete_context(c);
  return SUCCESS;
}

API int cuDevicePrimaryCtxGetState(int device, unsigned int *flags, int *active) {
  DEVICE(device);
  Context *c = driver.devices[device].primary;
  if (flags) *flags = c ? c->flags : 0;
  if (active) *active = c != nullptr;
  return SUCCESS;
}

API int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned int flags) {
  DEVICE(device);
  if (Context *c = driver.devices[device].primary) c->flags = flags;
  return SUCCESS;
}

API int cuCtxCreate_v2(Context **context, unsigned int flags, int device) {
  DEVICE(device);
  WANT(context);
  *context = new_context(device, flags, false);
  current.push_back(*context);
  return SUCCESS;
}

API int cuCtxDestroy_v2(Context *context) {
  LOCKED;
  if (!known(context) || context->primary) return INVALID_CONTEXT;
  if (!current.empty() && current.back() == context) current.pop_back();
  delete_context(context);
  return SUCCESS;
}

API int cuCtxSetCurrent(Context *context) {
  LOCKED;
  if (context && !known(context)) return INVALID_CONTEXT;
  if (!current.empty()) current.pop_back();
  if (context) current.push_back(context);
  return SUCCESS;
}

API int cuCtxGetCurrent(Context **context) {
  LOCKED;
  WANT(context);
  *context = current.empty() ? nullptr : current.back();
  return SUCCESS;
}

API int cuCtxPushCurrent_v2(Context *context) {
  LOCKED;
  if (!known(context)) return INVALID_CONTEXT;
  current.push_back(context);
  return SUCCESS;
}

API int cuCtxPopCurrent_v2(Context **context) {
  LOCKED;
  if (current.empty()) return INVALID_CONTEXT;
  if (context) *context = current.back();
  current.pop_back();
  return SUCCESS;
}

API int cuCtxGetDevice(int *device) {
  IN_CONTEXT;
  WANT(device);
  *device = c->device;
  return SUCCESS;
}

API int cuCtxGetFlags(unsigned int *flags) {
  IN_CONTEXT;
  WANT(flags);
  *flags = c->flags;
  return SUCCESS;
}

API int cuCtxGetApiVersion(Context *context, unsigned int *version) {
  LOCKED;
  if (context && !known(context)) return INVALID_CONTEXT;
  WANT(version);
  *version = DRIVER_VERSION;
  return SUCCESS;
}

API int cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  IN_CONTEXT;
  if (least) *least = 0;
  if (greatest) *greatest = 0;
  return SUCCESS;
}

API int cuCtxSynchronize() {
  IN_CONTEXT;
  return finish(c);
}

// Memory.

API int cuMemGetInfo_v2(size_t *free, size_t *total) {
  IN_CONTEXT;
  const Device &d = driver.devices[c->device];
  if (free) *free = d.memory - d.used;
  if (total) *total = d.memory;
  return SUCCESS;
}

API int cuMemAlloc_v2(Pointer *at, size_t size) {
  IN_CONTEXT;
  WANT(at && size > 0);
  Device &d = driver.devices[c->device];
  if (size > d.memory || footprint(size) > d.memory - d.used) return OUT_OF_MEMORY;
  Allocation *a = allocate(size, c->device, c);
  if (!a) return OUT_OF_MEMORY;
  d.used += footprint(size);
  c->memory[a->base] = a;
  *at = a->base;
  return SUCCESS;
}

API int cuMemFree_v2(Pointer at) {
  IN_CONTEXT;
  if (!at) return SUCCESS;
  auto m = c->memory.find(at);
  WANT(m != c->memory.end());
  Result result = finish(c);
  driver.devices[c->device].used -= footprint(m->second->size);
  release(m->second);
  c->memory.erase(m);
  return result;
}

API int cuMemGetAddressRange_v2(Pointer *base, size_t *size, Pointer at) {
  IN_CONTEXT;
  Allocation *a = find(at);
  if (!a || a->freed || at - a->base >= a->size) return NOT_FOUND;
  if (base) *base = a->base;
  if (size) *size = a->size;
  return SUCCESS;
}

API int cuMemHostAlloc(void **at, size_t size, unsigned int) {
  IN_CONTEXT;
  WANT(at && size > 0);
  if (posix_memalign(at, 4096, size)) return OUT_OF_MEMORY;
  driver.pinned[(uintptr_t)*at] = {size, true};
  return SUCCESS;
}
API int cuMemAllocHost_v2(void **at, size_t size) { return cuMemHostAlloc(at, size, 0); }

API int cuMemFreeHost(void *at) {
  LOCKED;
  auto p = driver.pinned.find((uintptr_t)at);
  WANT(p != driver.pinned.end() && p->second.second);
  for (Context *c : driver.contexts) finish(c);
  driver.pinned.erase(p);
  free(at);
  return SUCCESS;
}

API int cuMemHostRegister_v2(void *at, size_t size, unsigned int) {
  IN_CONTEXT;
  WANT(at && size > 0);
  if (is_pinned((uintptr_t)at, 1)) return HOST_MEMORY_ALREADY_REGISTERED;
  driver.pinned[(uintptr_t)at] = {size, false};
  return SUCCESS;
}

API int cuMemHostUnregister(void *at) {
  IN_CONTEXT;
  auto p = driver.pinned.find((uintptr_t)at);
  if (p == driver.pinned.end() || p->second.second) return HOST_MEMORY_NOT_REGISTERED;
  Result result = finish(c);
  driver.pinned.erase(p);
  return result;
}

API int cuMemcpyHtoD_v2(Pointer to, const void *from, size_t size) {
  IN_CONTEXT;
  return copy(device(to), host(from), size, c->null, true);
}
API int cuMemcpyDtoH_v2(void *to, Pointer from, size_t size) {
  IN_CONTEXT;
  return copy(host(to), device(from), size, c->null, true);
}
API int cuMemcpyDtoD_v2(Pointer to, Pointer from, size_t size) {
  IN_CONTEXT;
  return copy(device(to), device(from), size, c->null, false);
}
API int cuMemcpy(Pointer to, Pointer from, size_t size) {
  IN_CONTEXT;
  return copy(either(to), either(from), size, c->null, true);
}

#define ON_STREAM(handle)                                                                                              \
  IN_CONTEXT;                                                                                                          \
  auto stream = stream_of(c, handle);                                                                                  \
  if (!stream) return INVALID_HANDLE

API int cuMemcpyHtoDAsync_v2(Pointer to, const void *from, size_t size, void *handle) {
  ON_STREAM(handle);
  return copy(device(to), host(from), size, stream, false);
}
API int cuMemcpyDtoHAsync_v2(void *to, Pointer from, size_t size, void *handle) {
  ON_STREAM(handle);
  return copy(host(to), device(from), size, stream, false);
}
API int cuMemcpyDtoDAsync_v2(Pointer to, Pointer from, size_t size, void *handle) {
  ON_STREAM(handle);
  return copy(device(to), device(from), size, stream, false);
}
// Between devices. What is asked of the other context's streams is not waited for.
API int cuMemcpyPeerAsync(Pointer to, Context *to_context, Pointer from, Context *from_context, size_t size, void *handle) {
  ON_STREAM(handle);
  if (!known(to_context) || !known(from_context)) return INVALID_CONTEXT;
  Allocation *target = find(to), *source = find(from);
  WANT(size == 0 || (target && target->owner == to_context && source && source->owner == from_context));
  return copy(device(to), device(from), size, stream, false);
}
API int cuMemcpyAsync(Pointer to, Pointer from, size_t size, void *handle) {
  ON_STREAM(handle);
  return copy(either(to), either(from), size, stream, false);
}

API int cuMemsetD8_v2(Pointer at, unsigned char value, size_t count) {
  IN_CONTEXT;
  return set(at, value, 1, count, c->null, false);
}
API int cuMemsetD16_v2(Pointer at, unsigned short value, size_t count) {
  IN_CONTEXT;
  return set(at, value, 2, count, c->null, false);
}
API int cuMemsetD32_v2(Pointer at, unsigned int value, size_t count) {
  IN_CONTEXT;
  return set(at, value, 4, count, c->null, false);
}
API int cuMemsetD8Async(Pointer at, unsigned char value, size_t count, void *handle) {
  ON_STREAM(handle);
  return set(at, value, 1, count, stream, false);
}
API int cuMemsetD16Async(Pointer at, unsigned short value, size_t count, void *handle) {
  ON_STREAM(handle);
  return set(at, value, 2, count, stream, false);
}
API int cuMemsetD32Async(Pointer at, unsigned int value, size_t count, void *handle) {
  ON_STREAM(handle);
  return set(at, value, 4, count, stream, false);
}

// Streams.

API int cuStreamCreateWithPriority(Stream **stream, unsigned int flags, int) {
  IN_CONTEXT;
  WANT(stream && flags <= 1);
  auto s = std::make_shared<Stream>(Stream{c, flags == 0, flags, {}, 0, 0});
  c->streams[s.get()] = s;
  *stream = s.get();
  return SUCCESS;
}
API int cuStreamCreate(Stream **stream, unsigned int flags) { return cuStreamCreateWithPriority(stream, flags, 0); }

API int cuStreamDestroy_v2(void *handle) {
  ON_STREAM(handle);
  if (stream == c->null) return INVALID_HANDLE;
  finish(stream);
  c->streams.erase(stream.get());
  return SUCCESS;
}

API int cuStreamSynchronize(void *handle) {
  ON_STREAM(handle);
  return finish(stream);
}

API int cuStreamQuery(void *handle) {
  ON_STREAM(handle);
  if (stream->done == stream->asked) return SUCCESS;
  run_until(stream, stream->done + 1);
  return c->error ? c->error : NOT_READY;
}

API int cuStreamGetFlags(void *handle, unsigned int *flags) {
  ON_STREAM(handle);
  WANT(flags);
  *flags = stream->flags;
  return SUCCESS;
}

API int cuStreamGetPriority(void *handle, int *priority) {
  ON_STREAM(handle);
  WANT(priority);
  *priority = 0;
  return SUCCESS;
}

API int cuStreamGetCtx(void *handle, Context **context) {
  ON_STREAM(handle);
  WANT(context);
  *context = c;
  return SUCCESS;
}

API int cuLaunchHostFunc(void *handle, void (*function)(void *), void *data) {
  ON_STREAM(handle);
  WANT(function);
  ask(stream, [=](std::string *) {
    function(data);
    return SUCCESS;
  });
  return SUCCESS;
}

// Events.

#define EVENT(handle)                                                                                                  \
  auto found = c->events.find((Event *)(handle));                                                                      \
  if (found == c->events.end()) return INVALID_HANDLE;                                                                 \
  std::shared_ptr<Event> event = found->second

API int cuEventCreate(Event **event, unsigned int flags) {
  IN_CONTEXT;
  WANT(event && flags <= 3);
  auto e = std::make_shared<Event>(Event{c, {}, !(flags & 2), nullptr});
  c->events[e.get()] = e;
  *event = e.get();
  return SUCCESS;
}

API int cuEventDestroy_v2(void *handle) {
  IN_CONTEXT;
  EVENT(handle);
  c->events.erase(event.get());
  return SUCCESS;
}

API int cuEventRecord(void *handle, void *stream_handle) {
  ON_STREAM(stream_handle);
  EVENT(handle);
  auto reached = std::make_shared<double>(0);
  ask(stream, [reached](std::string *) {
    *reached = milliseconds();
    return SUCCESS;
  });
  event->at = {stream, stream->asked};
  event->milliseconds = reached;
  return SUCCESS;
}

API int cuEventSynchronize(void *handle) {
  IN_CONTEXT;
  EVENT(handle);
  if (event->at.stream) run_until(event->at.stream, event->at.count);
  return c->error;
}

API int cuEventQuery(void *handle) {
  IN_CONTEXT;
  EVENT(handle);
  const Point &at = event->at;
  if (!at.stream || at.stream->done >= at.count) return SUCCESS;
  run_until(at.stream, at.stream->done + 1);
  return c->error ? c->error : NOT_READY;
}

API int cuEventElapsedTime(float *elapsed, void *from, void *to) {
  IN_CONTEXT;
  WANT(elapsed);
  double times[2];
  for (int i = 0; i < 2; i++) {
    EVENT(i == 0 ? from : to);
    if (!event->timed || !event->at.stream) return INVALID_HANDLE;
    if (event->at.stream->done < event->at.count) return NOT_READY;
    times[i] = *event->milliseconds;
  }
  *elapsed = (float)(times[1] - times[0]);
  return SUCCESS;
}

API int cuStreamWaitEvent(void *handle, void *event_handle, unsigned int flags) {
  ON_STREAM(handle);
  EVENT(event_handle);
  WANT(flags == 0);
  if (event->at.stream) ask(stream, [](std::string *) { return SUCCESS; }, {event->at});
  return SUCCESS;
}

// Modules and functions.

// Options of a compilation that give buffers for its messages.
enum { INFO_LOG = 3, INFO_LOG_SIZE = 4, ERROR_LOG = 5, ERROR_LOG_SIZE = 6 };

API int cuModuleLoadDataEx(Module **module, const void *image, unsigned int count, const int *options, void **values) {
  IN_CONTEXT;
  WANT(module && (count == 0 || (options && values)));
  std::string log;
  Result result = load(c, (const char *)image, module, &log);
  char *buffer = nullptr;
  size_t size = 0;
  for (unsigned int i = 0; i < count; i++) {
    if (options[i] == ERROR_LOG) buffer = (char *)values[i];
    if (options[i] == ERROR_LOG_SIZE) size = (size_t)(uintptr_t)values[i] & 0xffffffff;
  }
  if (buffer && size > 0) snprintf(buffer, size, "%s", log.c_str());
  for (unsigned int i = 0; i < count; i++) {
    if (options[i] == ERROR_LOG_SIZE) values[i] = (void *)(buffer ? std::min(size, log.size() + 1) : 0);
    if (options[i] == INFO_LOG_SIZE) values[i] = nullptr;
  }
  if (result) driver.report = log;
  return result;
}

API int cuModuleLoadData(Module **module, const void *image) { return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr); }

API int cuModuleUnload(Module *module) {
  IN_CONTEXT;
  if (!c->modules.count(module)) return INVALID_HANDLE;
  Result result = finish(c);
  c->modules.erase(module);
  return result;
}

API int cuModuleGetFunction(Function **function, Module *module, const char *name) {
  IN_CONTEXT;
  WANT(function && name);
  if (!c->modules.count(module)) return INVALID_HANDLE;
  auto f = module->functions.find(name);
  if (f == module->functions.end()) return NOT_FOUND;
  *function = f->second.get();
  return SUCCESS;
}

enum { MAX_THREADS = 0, PTX_VERSION_OF = 5, BINARY_VERSION = 6, MAX_DYNAMIC_SHARED = 8 };

API int cuFuncGetAttribute(int *value, int which, void *handle) {
  IN_CONTEXT;
  WANT(value);
  Function *f = function_of(c, handle);
  if (!f) return INVALID_HANDLE;
  *value = which == MAX_THREADS                                     ? f->most_threads
           : which == PTX_VERSION_OF || which == BINARY_VERSION     ? 10 * driver.major + driver.minor
           : which == MAX_DYNAMIC_SHARED                            ? f->most_dynamic_shared
                                                                    : 0;
  return SUCCESS;
}

API int cuFuncSetAttribute(void *handle, int which, int value) {
  IN_CONTEXT;
  Function *f = function_of(c, handle);
  if (!f) return INVALID_HANDLE;
  WANT(which == MAX_DYNAMIC_SHARED && value >= 0 && value <= most_shared());
  f->most_dynamic_shared = value;
  return SUCCESS;
}

API int cuFuncSetCacheConfig(void *handle, int) {
  IN_CONTEXT;
  return function_of(c, handle) ? SUCCESS : INVALID_HANDLE;
}

API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *handle, int threads, size_t) {
  IN_CONTEXT;
  WANT(blocks && threads > 0);
  Function *f = function_of(c, handle);
  if (!f) return INVALID_HANDLE;
  *blocks = threads > f->most_threads ? 0 : 2048 / threads;
  return SUCCESS;
}

API int cuLaunchKernel(void *function, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z, unsigned int block_x,
                       unsigned int block_y, unsigned int block_z, unsigned int shared, void *stream, void **parameters,
                       void **extra) {
  IN_CONTEXT;
  return launch(c, function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared, stream, parameters, extra);
}

#include "unsupported.inc"
