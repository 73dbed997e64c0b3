// Products dst [m, n] = epilogue(alpha op(a) op(b) + beta dst), op(a) [m, k], op(b) [k, n].
//
// A block computes a tile of dst, see tile.cuh. Neighbouring columns share one call
// of the random generator in the epilogue.
#include "epilogues.cuh"
#include "tile.cuh"

struct Product {
  float *dst;
  long long dst_stride;
  Factors factors;
  float alpha, beta;
  int epilogue;
  const float *bias;
  const float *hidden;
  long long hidden_stride;
  float *probability;
  long long probability_stride;
  const int *held;
  double *squares;
  Stream at;
};

// Writes element (i, j) of dst, and returns it. y is its sum over k. bits are the
// draw of a state, noise is a normal number.
__device__ inline float finish(const Product &g, int i, int j, float y, unsigned int bits, float noise) {
  float *dst = g.dst + i * g.dst_stride + j;
  y = scaled(g.alpha, y, g.beta, dst);
  if (g.bias) y += g.bias[j];
  switch (g.epilogue) {
  case SIGMOID:
    y = sigmoid_of(y);
    break;
  case BERNOULLI:
    y = sigmoid_of(y);
    if (g.probability) g.probability[i * g.probability_stride + j] = y;
    // A unit that is held is on; NaN stays.
    y = g.held && g.held[i] == j && y == y ? 1 : state_of(y, bits);
    break;
  case DERIVATIVE: {
    float h = g.hidden[i * g.hidden_stride + j];
    y *= h * (1 - h);
    break;
  }
  case GAUSSIAN:
    if (g.probability) g.probability[i * g.probability_stride + j] = y;
    y += noise;
    break;
  }
  *dst = y;
  return y;
}

template <bool TRANSPOSE_A, bool TRANSPOSE_B> __device__ void block_product(const Product &g) {
  __shared__ __align__(16) float sums[TILE_ROWS][STRIDE];
  Tile tile(g.factors.n);
  int m = g.factors.m, n = g.factors.n;
  block_sums<TRANSPOSE_A, TRANSPOSE_B>(sums, g.factors, tile);
#pragma unroll 1
  for (int i = tile.own_row; i < tile.own_row + OWN; i++) {
    int y = tile.row + i, x = tile.column + tile.own_column;
    double squares = 0;
    if (y < m && x < n) {
      uint4 words = make_uint4(0, 0, 0, 0);
      float2 noise = make_float2(0, 0);
      if (g.epilogue == BERNOULLI || g.epilogue == GAUSSIAN) words = words_at(g.at, y, x / 4);
#pragma unroll 1
      for (int j = 0; j < OWN && x + j < n; j++) {
        if (g.epilogue == GAUSSIAN && j % 2 == 0) noise = normal_pair(word_of(words, j), word_of(words, j + 1));
        float value = finish(g, y, x + j, sums[i][tile.own_column + j], word_of(words, j), j % 2 ? noise.y : noise.x);
        squares += (double)value * (double)value;
      }
    }
    if (g.epilogue == NORMS) {
      for (int step = SIDE / 2; step > 0; step /= 2) squares += __shfl_down_sync(~0u, squares, step, SIDE);
      if (tile.own_column == 0 && y < m) {
        g.squares[(long long)y * ((n - 1) / TILE_COLUMNS + 1) + tile.column / TILE_COLUMNS] = squares;
      }
    }
  }
}

#define PRODUCT_PARAMETERS                                                                                             \
  float *dst, long long dst_stride, const float *a, long long a_stride, const float *b, long long b_stride, int m,     \
      int n, int k, float alpha, float beta, int epilogue, const float *bias, const float *hidden,                     \
      long long hidden_stride, float *probability, long long probability_stride, const int *held, double *squares,     \
      const Key *keys, Key seed, unsigned int purpose, unsigned int step

#define PRODUCT                                                                                                        \
  Product {                                                                                                            \
    dst, dst_stride, Factors{a, a_stride, b, b_stride, m, n, k}, alpha, beta, epilogue, bias, hidden, hidden_stride,   \
        probability, probability_stride, held, squares, Stream { keys, seed, purpose, step }                           \
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
