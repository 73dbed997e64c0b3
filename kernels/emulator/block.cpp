// Runs a grid: one block after the other, and in a block a fiber for each thread.
// A fiber runs until it has to wait, at a barrier or for other lanes of its warp;
// then the next one does. When none can run and not all are done, some wait for
// what will never come: that is an error here, and a hang or worse on a card.
#include "emulator.h"
#include "language.h"

#include <csetjmp>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

namespace emulated {

Moment now;
bool running;
alignas(128) char dynamic_shared_memory[MOST_SHARED];

namespace {

constexpr int MOST_THREADS = 1024, LANES = 32;
constexpr size_t STACK = 64 << 10, GUARD = 4 << 10;

enum State { READY, AT_BARRIER, AT_WARP, DONE };

// What a lane waits for in its warp.
enum Rendezvous { BARRIER, EXCHANGE, BALLOT };

struct Fiber {
  State state;
  void *stack_pointer; // while it does not run
  const char *file;    // where it waits
  int line;
  Rendezvous rendezvous;
  unsigned int mask;
  int source;
  uint64_t value; // handed over, then received
};

struct Machine {
  const Launch *launch;
  Dim block;
  int threads, arrived, done;
  Fiber fibers[MOST_THREADS];
  uint3 index[MOST_THREADS];
  uint16_t warp_epoch[MOST_THREADS / LANES];
  uint32_t waiting[MOST_THREADS / LANES]; // lanes of each warp that wait for others
  int current;
  void *scheduler;      // its stack pointer while a fiber runs
  std::vector<void *> parameters;

  Result failure;
  std::string report;
  const void *where;
  sigjmp_buf rescue; // of a fault
};

Machine machine;
pthread_t runner; // the thread that runs the kernel
char *stacks;

// ---- Fibers -----------------------------------------------------------------

// Saves the callee's registers and the stack pointer at *from, and goes on at to.
#if defined(__x86_64__)
extern "C" void emulated_switch(void **from, void *to);
asm(R"(
.text
.local emulated_switch
.type emulated_switch, @function
emulated_switch:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
)");

void *prepare(char *top, void (*start)()) {
  void **sp = (void **)top;
  *--sp = nullptr; // start's return address: it has none
  *--sp = (void *)start;
  for (int i = 0; i < 6; i++) *--sp = nullptr;
  return sp;
}
#else
ucontext_t contexts[MOST_THREADS + 1];

void emulated_switch(void **from, void *to) {
  // A context is its own stack pointer here; the scheduler's is the last.
  int self = from == &machine.scheduler ? MOST_THREADS : machine.current;
  *from = &contexts[self];
  swapcontext(&contexts[self], (ucontext_t *)to);
}

void *prepare(char *top, void (*start)()) {
  ucontext_t *c = &contexts[(top - stacks - 1) / (STACK + GUARD)];
  getcontext(c);
  c->uc_stack = {top - STACK / 2, 0, STACK / 2};
  c->uc_link = nullptr;
  makecontext(c, start, 0);
  return c;
}
#endif

char *stack_end(int thread) { return stacks + (size_t)(thread + 1) * (STACK + GUARD); }

// Not all at the same place in a page, where they would share few lines of cache.
char *stack_top(int thread) { return stack_end(thread) - thread % 16 * 512; }

void make_stacks() {
  if (stacks) return;
  size_t size = MOST_THREADS * (STACK + GUARD);
  void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    perror("emulated driver: stacks of the threads of a block");
    abort();
  }
  stacks = (char *)memory;
  for (int i = 0; i < MOST_THREADS; i++) mprotect(stack_end(i) - STACK - GUARD, GUARD, PROT_NONE);
}

Fiber &self() { return machine.fibers[machine.current]; }

// Gives up the processor, until the scheduler comes back.
void wait() { emulated_switch(&self().stack_pointer, machine.scheduler); }

void fiber_main() {
  machine.launch->entry->call(machine.launch->entry->function, machine.parameters.data());
  self().state = DONE;
  machine.done++;
  wait();
  abort(); // a fiber that is done is not resumed
}

uint3 index_of(unsigned int thread, Dim block) {
  return {thread % block.x, thread / block.x % block.y, thread / (block.x * block.y)};
}

// ---- What went wrong --------------------------------------------------------

std::string place(const void *where) {
  Dl_info info;
  if (!where || !dladdr(where, &info)) return "";
  size_t offset = (const char *)where - (const char *)info.dli_fbase;
  std::string line, command = format("addr2line -e '%s' %#zx 2>/dev/null", info.dli_fname, offset - 1);
  if (FILE *pipe = popen(command.c_str(), "r")) {
    char text[512];
    if (fgets(text, sizeof text, pipe)) line = text;
    pclose(pipe);
  }
  line = line.substr(0, line.find_first_of(" \n")); // a remark may follow
  return line.empty() || line[0] == '?' ? format("%s+%#zx", info.dli_fname, offset) : line;
}

std::string whereabouts() {
  Dim b = machine.block;
  uint3 t = machine.index[machine.current];
  return format("kernel %s, block (%u,%u,%u), thread (%u,%u,%u)", machine.launch->entry->name, b.x, b.y, b.z, t.x, t.y,
                t.z);
}

void record(Result result, const void *where, const std::string &text) {
  if (machine.failure) return;
  machine.failure = result;
  machine.where = where;
  machine.report = whereabouts() + ": " + text;
}

// When nothing can run: who waits, and for what.
void record_deadlock() {
  int waiting = -1, other = -1;
  for (int i = 0; i < machine.threads; i++) {
    const Fiber &f = machine.fibers[i];
    if (f.state == DONE || waiting >= 0) continue;
    waiting = i;
  }
  const Fiber &f = machine.fibers[waiting];
  for (int i = 0; i < machine.threads && other < 0; i++) {
    const Fiber &o = machine.fibers[i];
    bool wanted = f.state == AT_BARRIER || (i / LANES == waiting / LANES && (f.mask >> i % LANES & 1));
    if (wanted && (o.state != f.state || (f.state == AT_WARP && (o.mask != f.mask || o.line != f.line)))) other = i;
  }
  machine.current = waiting;
  std::string text = f.state == AT_BARRIER ? format("waits at __syncthreads, %s:%d", f.file, f.line)
                                           : format("waits for lanes %08x of its warp, %s:%d", f.mask, f.file, f.line);
  if (other < 0) {
    text += ", and some of those are not in the block";
  } else if (machine.fibers[other].state == DONE) {
    text += format(", but thread %d has ended", other);
  } else {
    text += format(", but thread %d waits at %s:%d", other, machine.fibers[other].file, machine.fibers[other].line);
  }
  record(LAUNCH_FAILED, nullptr, "divergent barrier: it " + text);
}

// ---- Faults -----------------------------------------------------------------

constexpr int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE};
struct sigaction before[3];

void on_fault(int signal, siginfo_t *info, void *context) {
  if (!running || !pthread_equal(pthread_self(), runner)) {
    // Not ours: another thread's, who has a handler of its own, or had none.
    int i = signal == SIGSEGV ? 0 : signal == SIGBUS ? 1 : 2;
    if (before[i].sa_flags & SA_SIGINFO) {
      before[i].sa_sigaction(signal, info, context);
    } else if (before[i].sa_handler != SIG_DFL && before[i].sa_handler != SIG_IGN) {
      before[i].sa_handler(signal);
    } else {
      sigaction(signal, &before[i], nullptr);
    }
    return;
  }
  running = false;
  uintptr_t address = (uintptr_t)info->si_addr;
  if (signal == SIGFPE) {
    record(LAUNCH_FAILED, nullptr, "a whole number divided by zero");
  } else if (on_stack(address)) {
    record(LAUNCH_FAILED, nullptr, "the thread's stack has overflowed");
  } else {
    record(ILLEGAL_ADDRESS, nullptr, "access to " + describe(address, 1));
  }
  siglongjmp(machine.rescue, 1);
}

// A handler needs a stack of its own when a fiber's has overflowed. Go's threads
// have one.
stack_t usual_stack;

void watch_faults() {
  sigaltstack(nullptr, &usual_stack);
  if (usual_stack.ss_flags & SS_DISABLE) {
    static char room[64 << 10];
    stack_t own = {room, 0, sizeof room};
    sigaltstack(&own, nullptr);
  }
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < 3; i++) sigaction(SIGNALS[i], &action, &before[i]);
}

void leave_faults() {
  for (int i = 0; i < 3; i++) sigaction(SIGNALS[i], &before[i], nullptr);
  if (usual_stack.ss_flags & SS_DISABLE) sigaltstack(&usual_stack, nullptr);
}

// ---- Blocks -----------------------------------------------------------------

void resume(int thread) {
  machine.current = thread;
  now.thread = (uint16_t)thread;
  now.warp = (uint16_t)(thread / LANES);
  now.warp_epoch = machine.warp_epoch[now.warp];
  emulated_switch(&machine.scheduler, machine.fibers[thread].stack_pointer);
}

void run_block() {
  now.block_start = now.time = ((now.time >> 32) + 1) << 32;
  machine.arrived = machine.done = 0;
  for (int i = 0; i < machine.threads; i++) {
    machine.fibers[i] = {};
    machine.fibers[i].stack_pointer = prepare(stack_top(i), fiber_main);
  }
  std::fill(std::begin(machine.warp_epoch), std::end(machine.warp_epoch), 0);
  std::fill(std::begin(machine.waiting), std::end(machine.waiting), 0);
  // Forwards and backwards in turn, so that nothing relies on an order.
  for (bool forwards = true; machine.done < machine.threads; forwards = !forwards) {
    bool progress = false;
    for (int i = 0; i < machine.threads; i++) {
      int thread = forwards ? i : machine.threads - 1 - i;
      if (machine.fibers[thread].state != READY) continue;
      resume(thread);
      if (machine.failure) return;
      progress = true;
    }
    if (!progress) {
      record_deadlock();
      return;
    }
  }
}

void run_grid() {
  Dim grid = machine.launch->grid;
  for (unsigned int z = 0; z < grid.z; z++) {
    for (unsigned int y = 0; y < grid.y; y++) {
      for (unsigned int x = 0; x < grid.x; x++) {
        machine.block = {x, y, z};
        run_block();
        if (machine.failure) return;
      }
    }
  }
}

// All lanes of the mask are here: hands over what they want.
void meet(int first, const Fiber &last) {
  uint64_t values[LANES], votes = 0;
  for (int i = 0; i < LANES; i++) {
    if (!(last.mask >> i & 1)) continue;
    values[i] = machine.fibers[first + i].value;
    votes |= (uint64_t)(values[i] != 0) << i;
  }
  for (int i = 0; i < LANES; i++) {
    if (!(last.mask >> i & 1)) continue;
    Fiber &f = machine.fibers[first + i];
    f.state = READY;
    f.value = last.rendezvous == EXCHANGE ? values[f.source] : votes;
  }
  if (last.rendezvous == BARRIER) {
    now.warp_epoch = ++machine.warp_epoch[first / LANES];
  }
}

uint64_t rendezvous(Rendezvous kind, unsigned int mask, int source, uint64_t value, const char *file, int line) {
  Fiber &f = self();
  int lane = machine.current % LANES, first = machine.current - lane;
  // A mask names lanes that the last warp of a block may not have.
  int lanes = std::min(LANES, machine.threads - first);
  if (lanes < LANES && mask == ~0u) mask = (1u << lanes) - 1;
  if (!(mask >> lane & 1)) fail(LAUNCH_FAILED, nullptr, "%s:%d: lane %d is not in the mask %08x", file, line, lane, mask);
  if (kind == EXCHANGE && !(mask >> source & 1)) {
    fail(LAUNCH_FAILED, nullptr, "%s:%d: reads from lane %d, which is not in the mask %08x", file, line, source, mask);
  }
  f.state = AT_WARP;
  f.rendezvous = kind;
  f.mask = mask;
  f.source = source;
  f.value = value;
  f.file = file;
  f.line = line;
  uint32_t &waiting = machine.waiting[first / LANES];
  waiting |= 1u << lane;
  bool all = (waiting & mask) == mask;
  for (int i = 0; i < lanes && all; i++) {
    const Fiber &o = machine.fibers[first + i];
    if (mask >> i & 1) all = o.rendezvous == kind && o.mask == mask && o.line == line;
  }
  if (all) {
    waiting &= ~mask;
    meet(first, f);
  } else {
    wait();
  }
  return f.value;
}

} // namespace

void fail(Result result, const void *where, const char *text, ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, text);
  vsnprintf(message, sizeof message, text, arguments);
  va_end(arguments);
  record(result, where, message);
  wait();
  abort();
}

bool on_stack(uintptr_t address) {
  return address - (uintptr_t)stacks < MOST_THREADS * (STACK + GUARD);
}

uint3 thread_index() { return machine.index[machine.current]; }
uint3 block_index() { return {machine.block.x, machine.block.y, machine.block.z}; }
uint3 block_size() { return {machine.launch->block.x, machine.launch->block.y, machine.launch->block.z}; }
uint3 grid_size() { return {machine.launch->grid.x, machine.launch->grid.y, machine.launch->grid.z}; }
void *dynamic_shared() { return dynamic_shared_memory; }
int lane() { return machine.current % LANES; }

void barrier(const char *file, int line) {
  Fiber &f = self();
  f.file = file;
  f.line = line;
  f.state = AT_BARRIER;
  if (++machine.arrived < machine.threads) {
    wait();
    return;
  }
  for (int i = 0; i < machine.threads; i++) {
    if (machine.fibers[i].line != line) {
      f.state = READY;
      fail(LAUNCH_FAILED, nullptr, "divergent barrier: it waits at __syncthreads, %s:%d, but thread %d at %s:%d", file, line,
           i, machine.fibers[i].file, machine.fibers[i].line);
    }
  }
  for (int i = 0; i < machine.threads; i++) machine.fibers[i].state = READY;
  machine.arrived = 0;
  now.time++;
}

void warp_barrier(unsigned int mask, const char *file, int line) { rendezvous(BARRIER, mask, 0, 0, file, line); }
uint64_t exchange(unsigned int mask, int source, uint64_t value, const char *file, int line) {
  return rendezvous(EXCHANGE, mask, source, value, file, line);
}
unsigned int ballot(unsigned int mask, bool predicate, const char *file, int line) {
  return (unsigned int)rendezvous(BALLOT, mask, 0, predicate, file, line);
}

Result run(const Launch &launch, std::string *report) {
  make_stacks();
  find_shared();
  machine.launch = &launch;
  machine.threads = (int)(launch.block.x * launch.block.y * launch.block.z);
  for (int i = 0; i < machine.threads; i++) machine.index[i] = index_of((unsigned int)i, launch.block);
  machine.failure = SUCCESS;
  machine.report.clear();
  machine.where = nullptr;
  machine.parameters.clear();
  for (const auto &p : launch.parameters) machine.parameters.push_back((void *)p.data());
  now.launch_start = ((now.time >> 32) + 1) << 32;
  runner = pthread_self();
  watch_faults();
  running = true;
  if (sigsetjmp(machine.rescue, 1) == 0) run_grid();
  running = false;
  leave_faults();
  if (machine.failure) {
    *report = machine.report;
    std::string line = place(machine.where);
    if (!line.empty()) *report += " (" + line + ")";
  }
  return machine.failure;
}

} // namespace emulated
