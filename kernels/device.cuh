// What the kernels share: the sizes of a launch, random numbers, the sigmoid, and
// sums over a row or a block.
//
// The same sources are compiled by nvcc, and by a plain C++ compiler for the
// emulated driver. Neither may fuse a product with a sum by itself (-fmad=false,
// -ffp-contract=off): where fusing is meant, fmaf or fma says so. With that, and
// without fast-math, every number has the same bits on all of them.
//
// block_ functions are called by all threads of a block together, warp_ functions by
// all lanes of a warp.
#pragma once

#ifdef __CUDACC__
#include <stdint.h> // uint32_t, uint64_t
#else
#include "emulator/language.h" // threadIdx, __syncthreads, __shfl_down_sync, ...
#endif

constexpr int THREADS = 256; // of every block, along x
constexpr int WARP = 32;

// A kernel that can be launched by its name. The emulated driver finds the
// entries of a file by this word at the start of a line.
#define KERNEL extern "C" __global__ void __launch_bounds__(THREADS)

using Key = unsigned long long;

// Elements are handed out to all threads of a grid in turn.
__device__ inline long long first_element() { return (long long)blockIdx.x * THREADS + threadIdx.x; }
__device__ inline long long element_step() { return (long long)gridDim.x * THREADS; }

// Rows are handed out to all warps of a grid in turn.
__device__ inline long long first_row() { return first_element() / WARP; }
__device__ inline long long row_step() { return element_step() / WARP; }
__device__ inline int lane_of() { return threadIdx.x % WARP; }

// ---- Random numbers -------------------------------------------------------

// Stream names a matrix of random numbers, as engine.Stream does.
struct Stream {
  const Key *keys; // [rows]
  Key seed;
  unsigned int purpose, step;
};

// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As
// Easy as 1, 2, 3", SC'11), as engine.Philox.
__device__ inline uint4 philox(uint4 c, uint2 key) {
  for (int round = 0; round < 10; round++) {
    unsigned int high0 = __umulhi(0xD2511F53u, c.x), low0 = 0xD2511F53u * c.x;
    unsigned int high1 = __umulhi(0xCD9E8D57u, c.z), low1 = 0xCD9E8D57u * c.z;
    c = make_uint4(high1 ^ c.y ^ key.x, low1, high0 ^ c.w ^ key.y, low0);
    key.x += 0x9E3779B9u;
    key.y += 0xBB67AE85u;
  }
  return c;
}

// The words of row i at columns 4 block .. 4 block+3.
__device__ inline uint4 words_at(const Stream &at, int i, unsigned int block) {
  Key key = at.keys[i];
  return philox(make_uint4(at.purpose << 24 | block, at.step, (unsigned int)key, (unsigned int)(key >> 32)),
                make_uint2((unsigned int)at.seed, (unsigned int)(at.seed >> 32)));
}

// Word c of four.
__device__ inline unsigned int word_of(uint4 w, int c) { return c == 0 ? w.x : c == 1 ? w.y : c == 2 ? w.z : w.w; }

// (bits>>9 + 1/2) / 2^23, exact in every step.
__device__ inline float uniform_from_bits(unsigned int bits) {
  return ((float)(bits >> 9) + 0.5f) * (1.0f / (1 << 23));
}

// The state of a unit that is on with probability p: 1 if u < p, else 0. NaN stays.
__device__ inline float state_of(float p, unsigned int bits) {
  if (p != p) return p;
  return uniform_from_bits(bits) < p ? 1.0f : 0.0f;
}

// log u for a normal number u in (0, 1): u = 2^k m with m between the roots of
// 1/2 and 2, and log m = 2 artanh s with s = (m-1)/(m+1), |s| < 0.172, by its
// series; the first term left out is below 2^-60 of the sum.
__device__ inline double log_of(double u) {
  long long bits = __double_as_longlong(u);
  int k = (int)(bits >> 52) - 1023;
  double m = __longlong_as_double((bits & 0xFFFFFFFFFFFFFll) | 0x3FF0000000000000ll);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    k++;
  }
  double f = m - 1, s = f / (2 + f), z = s * s;
  double sum = 1.0 / 21;
  sum = fma(sum, z, 1.0 / 19);
  sum = fma(sum, z, 1.0 / 17);
  sum = fma(sum, z, 1.0 / 15);
  sum = fma(sum, z, 1.0 / 13);
  sum = fma(sum, z, 1.0 / 11);
  sum = fma(sum, z, 1.0 / 9);
  sum = fma(sum, z, 1.0 / 7);
  sum = fma(sum, z, 1.0 / 5);
  sum = fma(sum, z, 1.0 / 3);
  sum = fma(sum, z, 1.0);
  return fma((double)k, 0.6931471805599453, 2 * s * sum);
}

// sin and cos of 2 pi u for u in [0, 1]: quarter turns are taken off exactly, and
// the rest, at most pi/4 either way, goes through the series.
__device__ inline void sincos_turn(double u, double *sine, double *cosine) {
  double quarter = rint(4 * u);
  double a = (4 * u - quarter) * 1.5707963267948966, z = a * a;
  double s = 1.0 / 355687428096000;
  s = fma(s, z, -1.0 / 1307674368000);
  s = fma(s, z, 1.0 / 6227020800);
  s = fma(s, z, -1.0 / 39916800);
  s = fma(s, z, 1.0 / 362880);
  s = fma(s, z, -1.0 / 5040);
  s = fma(s, z, 1.0 / 120);
  s = fma(s, z, -1.0 / 6);
  s = fma(s * z, a, a);
  double c = 1.0 / 20922789888000;
  c = fma(c, z, -1.0 / 87178291200);
  c = fma(c, z, 1.0 / 479001600);
  c = fma(c, z, -1.0 / 3628800);
  c = fma(c, z, 1.0 / 40320);
  c = fma(c, z, -1.0 / 720);
  c = fma(c, z, 1.0 / 24);
  c = fma(c, z, -0.5);
  c = fma(c, z, 1.0);
  int turn = (int)quarter & 3;
  double x = turn & 1 ? c : s, y = turn & 1 ? s : c;
  *sine = turn & 2 ? -x : x;
  *cosine = (turn + 1) & 2 ? -y : y;
}

// Two standard normal numbers by the Box-Muller transform, in double and rounded
// once, as engine.NormalPair.
__device__ inline float2 normal_pair(unsigned int a, unsigned int b) {
  double radius = sqrt(-2 * log_of(uniform_from_bits(a)));
  double sine, cosine;
  sincos_turn(uniform_from_bits(b), &sine, &cosine);
  return make_float2((float)(radius * cosine), (float)(radius * sine));
}

// ---- The sigmoid ----------------------------------------------------------

// exp(-|x|) = 2^n exp(f) with n = round(-|x| log2 e) and |f| <= ln 2 / 2; exp(f) by
// a polynomial of degree 6 through the Chebyshev nodes, of relative error 2^-28.
__device__ inline float exp_minus_abs(float x) {
  const float shifter = 12582912; // 1.5 * 2^23: adding it rounds to a whole number
  float u = -fabsf(x);
  u = u < -105 ? -105 : u; // exp(-105) rounds to 0; NaN stays
  float shifted = fmaf(1.442695f, u, shifter), n = shifted - shifter;
  float f = fmaf(-1.9046542e-09f, -n, fmaf(0.6931472f, -n, u));
  float p = 0.0013926184f;
  p = fmaf(p, f, 0.008363179f);
  p = fmaf(p, f, 0.041666556f);
  p = fmaf(p, f, 0.16666576f);
  p = fmaf(p, f, 0.5f);
  p = fmaf(p, f, 1.0f);
  p = fmaf(p, f, 1.0f);
  // 2^n in two factors, since n may be below the smallest exponent.
  int exponent = (int)(__float_as_uint(shifted) - __float_as_uint(shifter)), half = exponent >> 1;
  return p * __uint_as_float((unsigned int)(half + 127) << 23) * __uint_as_float((unsigned int)(exponent - half + 127) << 23);
}

// 1/(1+exp(-x)) within 2 units in the last place, down to the subnormal numbers:
// t/(1+t) for x < 0 and 1/(1+t) for x >= 0, with t = exp(-|x|).
__device__ inline float sigmoid_of(float x) {
  float t = exp_minus_abs(x), numerator = x < 0 ? t : 1.0f;
  float r = 1 / (1 + t), q = r * numerator;
  // 1+t has been rounded. The remainder n - q(1+t) is (n-q) - q t, whose first part
  // is exact; one step with it makes up for the rounding.
  return fmaf(r, fmaf(-q, t, numerator - q), q);
}

// ---- Sums and results -----------------------------------------------------

// alpha value + beta dst, rounded once; with beta 0 dst is not read.
__device__ inline void settle(float *dst, double value, float alpha, float beta) {
  value *= (double)alpha;
  if (beta != 0) value += (double)beta * (double)*dst;
  *dst = (float)value;
}

// The sum of the lanes' numbers, neighbours first; every lane gets it.
__device__ inline double warp_sum(double sum) {
  for (int step = 1; step < WARP; step *= 2) sum += __shfl_xor_sync(~0u, sum, step);
  return sum;
}

// The dot product of two rows of cols numbers: each lane sums every 32nd product.
// Products of two floats are exact in double, and can't overflow.
__device__ inline double warp_dot(const float *a, const float *b, int cols) {
  double sum = 0;
  for (long long j = lane_of(); j < cols; j += WARP) sum += (double)a[j] * (double)b[j];
  return warp_sum(sum);
}

// The sum of the numbers of the threads before this one; *total becomes that of
// all. room [THREADS/WARP] is shared memory.
__device__ inline int block_sum_before(int value, int *total, int *room) {
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, sum = value;
  for (int step = 1; step < WARP; step *= 2) {
    int below = __shfl_up_sync(~0u, sum, step);
    if (lane >= step) sum += below;
  }
  __syncthreads(); // room may still be read from the last time
  if (lane == WARP - 1) room[warp] = sum;
  __syncthreads();
  int before = sum - value;
  *total = 0;
  for (int i = 0; i < THREADS / WARP; i++) {
    if (i < warp) before += room[i];
    *total += room[i];
  }
  return before;
}
