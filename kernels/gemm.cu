// Products dst [m, n] = epilogue(alpha op(a) op(b) + beta dst), op(a) [m, k], op(b) [k, n].
//
// A block computes a tile of 64 x 64 elements of dst, and goes through k in steps
// of 16: all threads copy a piece of op(a) and of op(b) to shared memory, then each
// multiplies 4 rows with 4 neighbouring columns.
//
// An element is one chain of multiply-adds over k in ascending order, whatever m
// and n are. What lies beyond the edges is 0 in the pieces and is never written.
// Neighbouring columns share one call of the random generator in the epilogue.
#include "device.cuh"

constexpr int TILE_ROWS = 64, TILE_COLUMNS = 64, TILE_TERMS = 16;
constexpr int SIDE = 16;                    // threads along each side of a tile
constexpr int OWN = TILE_ROWS / SIDE;       // rows, and columns, of a thread
constexpr int STRIDE = TILE_COLUMNS + 4;    // of a piece: keeps banks apart, and float4 aligned
static_assert(SIDE * SIDE == THREADS && OWN == 4 && TILE_COLUMNS / SIDE == OWN && TILE_ROWS == TILE_COLUMNS, "");

enum Epilogue { NONE, SIGMOID, BERNOULLI, DERIVATIVE, NORMS }; // engine.EpilogueKind

struct Product {
  float *dst;
  long long dst_stride;
  const float *a;
  long long a_stride;
  const float *b;
  long long b_stride;
  int m, n, k;
  float alpha, beta;
  int epilogue;
  const float *bias;
  const float *hidden;
  long long hidden_stride;
  float *probability;
  long long probability_stride;
  double *squares;
  Stream at;
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

// Writes element (i, j) of dst, and returns it. y is its sum over k.
__device__ inline float finish(const Product &g, int i, int j, float y, unsigned int bits) {
  float *dst = g.dst + i * g.dst_stride + j;
  if (g.beta != 0) {
    y = fmaf(g.alpha, y, g.beta * *dst);
  } else {
    y *= g.alpha;
  }
  if (g.bias) y += g.bias[j];
  switch (g.epilogue) {
  case SIGMOID:
    y = sigmoid_of(y);
    break;
  case BERNOULLI:
    y = sigmoid_of(y);
    if (g.probability) g.probability[i * g.probability_stride + j] = y;
    y = state_of(y, bits);
    break;
  case DERIVATIVE: {
    float h = g.hidden[i * g.hidden_stride + j];
    y *= h * (1 - h);
    break;
  }
  }
  *dst = y;
  return y;
}

template <bool TRANSPOSE_A, bool TRANSPOSE_B> __device__ void block_product(const Product &g) {
  __shared__ __align__(16) float a[TILE_TERMS][STRIDE], b[TILE_TERMS][STRIDE], sums[TILE_ROWS][STRIDE];
  int tiles = (g.n - 1) / TILE_COLUMNS + 1;
  int row = blockIdx.x / tiles * TILE_ROWS, column = blockIdx.x % tiles * TILE_COLUMNS;
  int ty = threadIdx.x / SIDE, tx = threadIdx.x % SIDE;

  bool owner = row + OWN * ty < g.m && column + OWN * tx < g.n;
  float sum[OWN][OWN] = {};
  for (unsigned int p = 0; p < (unsigned int)g.k; p += TILE_TERMS) {
    block_load<!TRANSPOSE_A>(a, g.a, g.a_stride, row, g.m, p, g.k);
    block_load<TRANSPOSE_B>(b, g.b, g.b_stride, column, g.n, p, g.k);
    __syncthreads();
    // Threads that own nothing inside the edges have nothing to add up.
    for (int term = 0; term < TILE_TERMS && owner; term++) {
      float4 u = *(const float4 *)&a[term][OWN * ty], v = *(const float4 *)&b[term][OWN * tx];
      float us[OWN] = {u.x, u.y, u.z, u.w}, vs[OWN] = {v.x, v.y, v.z, v.w};
#pragma unroll
      for (int i = 0; i < OWN; i++) {
#pragma unroll
        for (int j = 0; j < OWN; j++) sum[i][j] = fmaf(us[i], vs[j], sum[i][j]);
      }
    }
    __syncthreads();
  }

  // Through shared memory, where a loop that is not unrolled can index them: the
  // epilogue is long. A thread reads what it has written.
#pragma unroll
  for (int i = 0; i < OWN; i++) {
    *(float4 *)&sums[OWN * ty + i][OWN * tx] = make_float4(sum[i][0], sum[i][1], sum[i][2], sum[i][3]);
  }
#pragma unroll 1
  for (int i = OWN * ty; i < OWN * ty + OWN; i++) {
    int y = row + i, x = column + OWN * tx;
    double squares = 0;
    if (y < g.m && x < g.n) {
      uint4 words = make_uint4(0, 0, 0, 0);
      if (g.epilogue == BERNOULLI) words = words_at(g.at, y, x / 4);
#pragma unroll 1
      for (int j = 0; j < OWN && x + j < g.n; j++) {
        float value = finish(g, y, x + j, sums[i][OWN * tx + j], word_of(words, j));
        squares += (double)value * (double)value;
      }
    }
    if (g.epilogue == NORMS) {
      for (int step = SIDE / 2; step > 0; step /= 2) squares += __shfl_down_sync(~0u, squares, step, SIDE);
      if (tx == 0 && y < g.m) g.squares[(long long)y * tiles + column / TILE_COLUMNS] = squares;
    }
  }
}

#define PRODUCT_PARAMETERS                                                                                             \
  float *dst, long long dst_stride, const float *a, long long a_stride, const float *b, long long b_stride, int m,     \
      int n, int k, float alpha, float beta, int epilogue, const float *bias, const float *hidden,                     \
      long long hidden_stride, float *probability, long long probability_stride, double *squares, const Key *keys,     \
      Key seed, unsigned int purpose, unsigned int step

#define PRODUCT                                                                                                        \
  Product {                                                                                                            \
    dst, dst_stride, a, a_stride, b, b_stride, m, n, k, alpha, beta, epilogue, bias, hidden, hidden_stride,            \
        probability, probability_stride, squares, Stream { keys, seed, purpose, step }                                 \
  }

KERNEL gemm_nn(PRODUCT_PARAMETERS) { block_product<false, false>(PRODUCT); }
KERNEL gemm_nt(PRODUCT_PARAMETERS) { block_product<false, true>(PRODUCT); }
KERNEL gemm_tn(PRODUCT_PARAMETERS) { block_product<true, false>(PRODUCT); }
KERNEL gemm_tt(PRODUCT_PARAMETERS) { block_product<true, true>(PRODUCT); }

// norms[i] = sqrt(sum over t of squares[i][t]), squares [m, tiles].
KERNEL finish_norms(float *norms, const double *squares, int m, int tiles) {
  for (long long i = first_element(); i < m; i += element_step()) {
    double sum = 0;
    for (int t = 0; t < tiles; t++) sum += squares[i * tiles + t];
    norms[i] = (float)sqrt(sum);
  }
}
