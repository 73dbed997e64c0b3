// A step of an ascent, see engine.Ascent, with every rounding as in its definition,
// which is written with primitives. A warp computes a row.
#include "device.cuh"

// activation[i] = below[i].w and delta[i][j] = w[j] h (1-h) with w = weights[unit[i]] and
// h = below[i][j]; without hidden layers delta[i] = w. activation and unit [rows], delta
// and below [rows, cols], weights [units, cols]. delta may be below.
KERNEL ascent_top(float *activation, float *delta, const float *below, const float *weights, const int *unit, int rows,
                  int cols, int hidden) {
  for (long long i = first_row(); i < rows; i += row_step()) {
    const float *target = weights + (long long)unit[i] * cols;
    double sum = 0;
    for (long long j = lane_of(); j < cols; j += WARP) {
      float h = below[i * cols + j], w = target[j];
      sum += (double)h * (double)w;
      // The definition's product over no terms adds 0, which makes 0 of -0.
      delta[i * cols + j] = hidden ? (w + 0.0f) * (h * (1 - h)) : w;
    }
    sum = warp_sum(sum);
    if (lane_of() == 0) settle(activation + i, sum, 1, 0);
  }
}

// norm[i] = |direction[i]|; direction[i] = sign direction[i] radius/|direction[i]|, a row of
// zeros stays; chord[i] = |direction[i] - x[i]|. norm and chord [rows], direction and x [rows, cols].
KERNEL ascent_direction(float *norm, float *chord, float *direction, const float *x, int rows, int cols, float sign,
                        float radius) {
  for (long long i = first_row(); i < rows; i += row_step()) {
    float *row = direction + i * cols;
    double length = sqrt(warp_dot(row, row, cols)), scale = (double)radius / length, sum = 0;
    for (long long j = lane_of(); j < cols; j += WARP) {
      float d = sign * row[j];
      if (length != 0) d = (float)((double)d * scale);
      row[j] = d;
      float difference = d - x[i * cols + j];
      sum += (double)difference * (double)difference;
    }
    sum = warp_sum(sum);
    if (lane_of() == 0) {
      settle(norm + i, length, 1, 0);
      settle(chord + i, sqrt(sum), 1, 0);
    }
  }
}

// next[i] = y radius/|y| with y = x[from[i]] + rate[i] direction[from[i]], a row of zeros stays;
// without from row i comes from row i. next [rows, cols], x and direction [any, cols], from
// and rate [rows].
KERNEL ascent_step(float *next, const float *x, const float *direction, const int *from, const float *rate, int rows,
                   int cols, float radius) {
  for (long long i = first_row(); i < rows; i += row_step()) {
    long long to = i * cols, at = from ? (long long)from[i] * cols : to;
    float *row = next + to;
    double sum = 0;
    for (long long j = lane_of(); j < cols; j += WARP) {
      float y = fmaf(rate[i], direction[at + j], x[at + j]);
      row[j] = y;
      sum += (double)y * (double)y;
    }
    double length = sqrt(warp_sum(sum));
    if (length == 0) continue;
    double scale = (double)radius / length;
    for (long long j = lane_of(); j < cols; j += WARP) row[j] = (float)((double)row[j] * scale);
  }
}
