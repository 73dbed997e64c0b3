// CUDA C++ for a plain C++ compiler: what the kernels use of the language, with
// its meaning on a CPU. A block runs as fibers, one for each thread (block.cpp).
//
// __shared__ variables are static ones; the compiler's instrumentation for race
// detectors reports every access to memory to us (access.cpp), which is how
// shared and device memory are checked.
#pragma once

#include <cmath>    // fmaf, fma, rint, sqrt
#include <cstdint>  // uint64_t
#include <cstdio>   // printf
#include <cstring>  // memcpy
#include <algorithm> // min, max

#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __shared__ static
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))

struct uint2 { unsigned int x, y; };
struct uint3 { unsigned int x, y, z; };
struct alignas(16) uint4 { unsigned int x, y, z, w; };
struct alignas(8) int2 { int x, y; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) double2 { double x, y; };
using dim3 = uint3;

inline uint2 make_uint2(unsigned int x, unsigned int y) { return {x, y}; }
inline uint4 make_uint4(unsigned int x, unsigned int y, unsigned int z, unsigned int w) { return {x, y, z, w}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }

using std::max;
using std::min;

namespace emulated {

// What a thread knows of itself stays the same while it runs, so the compiler
// may keep it, across switches of fibers too.
__attribute__((const)) uint3 thread_index();
__attribute__((const)) uint3 block_index();
__attribute__((const)) uint3 block_size();
__attribute__((const)) uint3 grid_size();
__attribute__((const)) void *dynamic_shared();

// Waits for all threads of the block.
void barrier(const char *file, int line);
// Waits for the lanes in mask; they see each other's writes afterwards.
void warp_barrier(unsigned int mask, const char *file, int line);
// Waits for the lanes in mask, and returns the value of lane source.
uint64_t exchange(unsigned int mask, int source, uint64_t value, const char *file, int line);
// Waits for the lanes in mask, and returns those with a true predicate.
unsigned int ballot(unsigned int mask, bool predicate, const char *file, int line);
// Lane of the thread that calls.
int lane();

template <class T> T shuffle(unsigned int mask, int source, T value, const char *file, int line) {
  static_assert(sizeof(T) <= 8, "a lane can hand over 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = exchange(mask, source, bits, file, line);
  memcpy(&value, &bits, sizeof value);
  return value;
}

// The lanes that shuffles read from; beyond the end of a segment of width lanes, a
// lane reads its own value.
inline int lane_at(int source, int width) { return (lane() & -width) + (source & (width - 1)); }
inline int lane_below(int delta, int width) { return (lane() & (width - 1)) < delta ? lane() : lane() - delta; }
inline int lane_above(int delta, int width) { return (lane() & (width - 1)) + delta >= width ? lane() : lane() + delta; }
inline int lane_across(int lanes, int width) {
  return (lane() ^ lanes) < (lane() & -width) + width ? lane() ^ lanes : lane();
}

constexpr int width_of() { return 32; }
constexpr int width_of(int width) { return width; }

} // namespace emulated

#define threadIdx (emulated::thread_index())
#define blockIdx (emulated::block_index())
#define blockDim (emulated::block_size())
#define gridDim (emulated::grid_size())
constexpr int warpSize = 32;

// extern __shared__ type name[]
#define DYNAMIC_SHARED(type, name) type *name = (type *)emulated::dynamic_shared()

#define __syncthreads() emulated::barrier(__FILE__, __LINE__)
#define __syncwarp(...) emulated::warp_barrier(emulated::mask_of(__VA_ARGS__), __FILE__, __LINE__)
#define __shfl_sync(mask, value, source, ...)                                                                          \
  emulated::shuffle(mask, emulated::lane_at(source, emulated::width_of(__VA_ARGS__)), value, __FILE__, __LINE__)
#define __shfl_up_sync(mask, value, delta, ...)                                                                        \
  emulated::shuffle(mask, emulated::lane_below(delta, emulated::width_of(__VA_ARGS__)), value, __FILE__, __LINE__)
#define __shfl_down_sync(mask, value, delta, ...)                                                                      \
  emulated::shuffle(mask, emulated::lane_above(delta, emulated::width_of(__VA_ARGS__)), value, __FILE__, __LINE__)
#define __shfl_xor_sync(mask, value, lanes, ...)                                                                       \
  emulated::shuffle(mask, emulated::lane_across(lanes, emulated::width_of(__VA_ARGS__)), value, __FILE__, __LINE__)
#define __ballot_sync(mask, predicate) emulated::ballot(mask, predicate, __FILE__, __LINE__)
#define __any_sync(mask, predicate) (emulated::ballot(mask, predicate, __FILE__, __LINE__) != 0)
#define __all_sync(mask, predicate) (emulated::ballot(mask, predicate, __FILE__, __LINE__) == (mask))

namespace emulated {
constexpr unsigned int mask_of(unsigned int mask = ~0u) { return mask; }
} // namespace emulated

inline void __threadfence() {}
inline void __threadfence_block() {}

// Only the fiber that runs touches memory, so a plain operation is atomic. The
// compiler's own atomic operations tell the checks that it is meant to be.
template <class T> T atomicAdd(T *at, T value) { return __atomic_fetch_add(at, value, __ATOMIC_RELAXED); }
template <class T> T atomicExch(T *at, T value) { return __atomic_exchange_n(at, value, __ATOMIC_RELAXED); }
template <class T> T atomicCAS(T *at, T expected, T value) {
  __atomic_compare_exchange_n(at, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
template <class T> T atomicMax(T *at, T value) {
  T old = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (old < value && !__atomic_compare_exchange_n(at, &old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
  return old;
}
template <class T> T atomicMin(T *at, T value) {
  T old = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (value < old && !__atomic_compare_exchange_n(at, &old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
  return old;
}

template <class T> T __ldg(const T *at) { return *at; }

inline unsigned int __umulhi(unsigned int a, unsigned int b) { return (unsigned int)((uint64_t)a * b >> 32); }
inline int __popc(unsigned int x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned int)x) : 32; }
inline int __ffs(int x) { return __builtin_ffs(x); }

template <class To, class From> To emulated_bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}
inline int __float_as_int(float x) { return emulated_bits<int>(x); }
inline unsigned int __float_as_uint(float x) { return emulated_bits<unsigned int>(x); }
inline float __int_as_float(int x) { return emulated_bits<float>(x); }
inline float __uint_as_float(unsigned int x) { return emulated_bits<float>(x); }
inline long long __double_as_longlong(double x) { return emulated_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return emulated_bits<double>(x); }
