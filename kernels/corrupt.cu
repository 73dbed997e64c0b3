// Corruption of a subset of exactly picked columns of each row, see
// engine.Corruption: the columns with the smallest draws word>>1, ties to the
// lower column; the coin of salt and pepper is the word's lowest bit.
//
// A block takes a row. The draw of rank picked is found digit by digit, eight bits
// at a time from the top: count the digits of all draws that begin with what has
// been found so far, and see in which digit the rank falls. Words are drawn anew
// in every pass, which is cheaper than keeping them.
#include "device.cuh"

constexpr int DIGITS = 256; // values of a digit, one for each thread
static_assert(DIGITS == THREADS, "");

// Finds the draw of this rank among a row's: *ties is its rank less the number of
// draws below it.
__device__ inline unsigned int block_select(const Stream &at, int i, int cols, int rank, int *ties) {
  __shared__ int count[DIGITS], room[THREADS / WARP], found, left;
  unsigned int prefix = 0;
  for (int shift = 24; shift >= 0; shift -= 8) {
    count[threadIdx.x] = 0;
    __syncthreads();
    for (long long j = 4 * threadIdx.x; j < cols; j += 4 * THREADS) {
      uint4 words = words_at(at, i, (unsigned int)(j / 4));
      for (int c = 0; c < 4 && j + c < cols; c++) {
        unsigned int draw = word_of(words, c) >> 1;
        // Above the first digit nothing has been found, and nothing is left of a draw.
        if ((unsigned long long)draw >> (shift + 8) == prefix) atomicAdd(&count[draw >> shift & (DIGITS - 1)], 1);
      }
    }
    __syncthreads();
    int total, own = count[threadIdx.x], below = block_sum_before(own, &total, room);
    if (below <= rank && rank < below + own) {
      found = threadIdx.x;
      left = rank - below;
    }
    __syncthreads();
    prefix = prefix * DIGITS + found;
    rank = left;
  }
  *ties = rank;
  return prefix;
}

// dst and x [rows, cols]; picked of cols columns become 0, or low or high.
KERNEL corrupt(float *dst, const float *x, int rows, int cols, int picked, int salt_pepper, float low, float high,
               const Key *keys, Key seed, unsigned int purpose, unsigned int step) {
  __shared__ int room[THREADS / WARP];
  Stream at = {keys, seed, purpose, step};
  for (long long i = blockIdx.x; i < rows; i += gridDim.x) {
    unsigned int limit = 1u << 31; // above every draw
    int ties = 0;
    if (picked < cols) limit = block_select(at, (int)i, cols, picked, &ties);
    int seen = 0; // draws equal to limit in the columns so far
    for (long long from = 0; from < cols; from += 4 * THREADS) {
      long long j = from + 4 * threadIdx.x;
      uint4 words = make_uint4(0, 0, 0, 0);
      int equal = 0, total;
      if (j < cols) words = words_at(at, (int)i, (unsigned int)(j / 4));
      for (int c = 0; c < 4 && j + c < cols; c++) equal += word_of(words, c) >> 1 == limit;
      int rank = seen + block_sum_before(equal, &total, room);
      seen += total;
      for (int c = 0; c < 4 && j + c < cols; c++) {
        unsigned int word = word_of(words, c), draw = word >> 1;
        bool chosen = draw < limit || (draw == limit && rank++ < ties);
        float value = x[i * cols + j + c];
        if (chosen) value = !salt_pepper ? 0 : word & 1 ? high : low;
        dst[i * cols + j + c] = value;
      }
    }
  }
}
