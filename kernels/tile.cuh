// Sums of products op(a) op(b), op(a) [m, k], op(b) [k, n], for a tile of 64 x 64
// elements of the m x n result: what a block computes.
//
// A block goes through k in steps of 16: all threads copy a piece of op(a) and of
// op(b) to shared memory, then each multiplies 4 rows with 4 neighbouring columns.
//
// An element is one sum of multiply-adds over k in ascending order, whatever m
// and n are. What lies beyond the edges is 0 in the pieces and is never written.
#pragma once
#include "device.cuh"

constexpr int TILE_ROWS = 64, TILE_COLUMNS = 64, TILE_TERMS = 16;
constexpr int SIDE = 16;                    // threads along each side of a tile
constexpr int OWN = TILE_ROWS / SIDE;       // rows, and columns, of a thread
constexpr int STRIDE = TILE_COLUMNS + 4;    // of a piece: keeps banks apart, and float4 aligned
static_assert(SIDE * SIDE == THREADS && OWN == 4 && TILE_COLUMNS / SIDE == OWN && TILE_ROWS == TILE_COLUMNS, "");

// op(a) [m, k] and op(b) [k, n].
struct Factors {
  const float *a;
  long long a_stride;
  const float *b;
  long long b_stride;
  int m, n, k;
};

// The tile of a block, and the part of it that is a thread's own.
struct Tile {
  int row, column; // of the first element
  int own_row, own_column;

  __device__ Tile(int n) {
    int tiles = (n - 1) / TILE_COLUMNS + 1;
    row = blockIdx.x / tiles * TILE_ROWS;
    column = blockIdx.x % tiles * TILE_COLUMNS;
    own_row = OWN * (threadIdx.x / SIDE);
    own_column = OWN * (threadIdx.x % SIDE);
  }
};

// Copies the 16 terms from p on of the 64 lines from line on of a factor to
// piece[term][line]. A line is a row in memory, or a column.
template <bool LINES_ARE_ROWS>
__device__ void block_load(float (*piece)[STRIDE], const float *x, long long stride, int line, int lines, unsigned int p, unsigned int k) {
  for (int e = threadIdx.x; e < TILE_TERMS * TILE_ROWS; e += THREADS) {
    // Neighbouring threads read neighbouring elements.
    int term = LINES_ARE_ROWS ? e % TILE_TERMS : e / TILE_ROWS;
    int i = LINES_ARE_ROWS ? e / TILE_TERMS : e % TILE_ROWS;
    float value = 0;
    if (line + i < lines && p + term < k) {
      long long row = LINES_ARE_ROWS ? line + i : p + term, column = LINES_ARE_ROWS ? p + term : line + i;
      value = x[row * stride + column];
    }
    piece[term][i] = value;
  }
}

// Sums over k for the elements of a tile. A thread's own go to sums, in shared
// memory, where a loop that is not unrolled can index them: what follows is long.
// No other thread reads them.
template <bool TRANSPOSE_A, bool TRANSPOSE_B>
__device__ void block_sums(float (*sums)[STRIDE], const Factors &f, const Tile &tile) {
  __shared__ __align__(16) float a[TILE_TERMS][STRIDE], b[TILE_TERMS][STRIDE];
  bool owner = tile.row + tile.own_row < f.m && tile.column + tile.own_column < f.n;
  float sum[OWN][OWN] = {};
  for (unsigned int p = 0; p < (unsigned int)f.k; p += TILE_TERMS) {
    block_load<!TRANSPOSE_A>(a, f.a, f.a_stride, tile.row, f.m, p, f.k);
    block_load<TRANSPOSE_B>(b, f.b, f.b_stride, tile.column, f.n, p, f.k);
    __syncthreads();
    // Threads that own nothing inside the edges have nothing to add up.
    for (int term = 0; term < TILE_TERMS && owner; term++) {
      float4 u = *(const float4 *)&a[term][tile.own_row], v = *(const float4 *)&b[term][tile.own_column];
      float us[OWN] = {u.x, u.y, u.z, u.w}, vs[OWN] = {v.x, v.y, v.z, v.w};
#pragma unroll
      for (int i = 0; i < OWN; i++) {
#pragma unroll
        for (int j = 0; j < OWN; j++) sum[i][j] = fmaf(us[i], vs[j], sum[i][j]);
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < OWN; i++) {
    *(float4 *)&sums[tile.own_row + i][tile.own_column] = make_float4(sum[i][0], sum[i][1], sum[i][2], sum[i][3]);
  }
}

// alpha sum + beta before; with beta 0 before is not read.
__device__ inline float scaled(float alpha, float sum, float beta, const float *before) {
  return beta != 0 ? fmaf(alpha, sum, beta * *before) : sum * alpha;
}

