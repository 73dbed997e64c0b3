// Random numbers by identity, see engine.Stream. A thread draws four columns of a
// row with one call of the generator. dst may be the operand.
#include "device.cuh"

// Calls draw(i, j, words) for every row i and every fourth column j.
template <class Draw> __device__ inline void for_each_four(int rows, int cols, const Stream &at, Draw draw) {
  int fours = cols / 4 + (cols % 4 != 0);
  for (long long e = first_element(); e < (long long)rows * fours; e += element_step()) {
    int i = (int)(e / fours), four = (int)(e % fours);
    draw(i, 4 * four, words_at(at, i, four));
  }
}

// dst[i][j] = u(i, j), dst [rows, cols].
KERNEL uniform(float *dst, int rows, int cols, const Key *keys, Key seed, unsigned int purpose, unsigned int step) {
  for_each_four(rows, cols, Stream{keys, seed, purpose, step}, [=](int i, int j, uint4 words) {
    float *row = dst + (long long)i * cols;
    for (int c = 0; c < 4 && j + c < cols; c++) row[j + c] = uniform_from_bits(word_of(words, c));
  });
}

// dst[i][j] = 1 if u(i, j) < p[i][j], else 0; NaN stays NaN. dst and p [rows, cols].
KERNEL bernoulli(float *dst, const float *p, int rows, int cols, const Key *keys, Key seed, unsigned int purpose,
                 unsigned int step) {
  for_each_four(rows, cols, Stream{keys, seed, purpose, step}, [=](int i, int j, uint4 words) {
    long long row = (long long)i * cols;
    for (int c = 0; c < 4 && j + c < cols; c++) dst[row + j + c] = state_of(p[row + j + c], word_of(words, c));
  });
}

// dst[i][j] = mean[i][j] + deviation normal(i, j), dst and mean [rows, cols]. The
// product is rounded on its own, as on the CPU.
KERNEL gaussian(float *dst, const float *mean, float deviation, int rows, int cols, const Key *keys, Key seed,
                unsigned int purpose, unsigned int step) {
  for_each_four(rows, cols, Stream{keys, seed, purpose, step}, [=](int i, int j, uint4 words) {
    long long row = (long long)i * cols;
    float2 first = normal_pair(words.x, words.y), second = normal_pair(words.z, words.w);
    float noise[4] = {first.x, first.y, second.x, second.y};
#pragma unroll
    for (int c = 0; c < 4; c++) {
      if (j + c < cols) dst[row + j + c] = mean[row + j + c] + deviation * noise[c];
    }
  });
}
