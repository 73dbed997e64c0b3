// A step of an ascent, see engine.Model.Ascend, with every rounding as in its definition,
// which is written with primitives. A warp computes a row.
#include "device.cuh"

// activation[i] = before activation[i] + below[i].w and delta[i][j] = w[j] s with
// w = weights[goal[i]], s = slope[i][j] or, if that is null, 1, or with sigmoid h (1-h) of
// h = below[i][j]. activation and goal [rows], delta, below and slope [rows, cols], weights
// [goals, cols]. delta may be below. With before 0 activation is only written.
KERNEL ascent_top(float *activation, float before, float *delta, const float *below, const float *slope,
                  const float *weights, const int *goal, int rows, int cols, int sigmoid) {
  for (long long i = first_row(); i < rows; i += row_step()) {
    const float *target = weights + (long long)goal[i] * cols;
    double sum = 0;
    for (long long j = lane_of(); j < cols; j += WARP) {
      float h = below[i * cols + j], w = target[j];
      sum += (double)h * (double)w;
      if (slope) w *= slope[i * cols + j];
      if (sigmoid) w *= h * (1 - h);
      delta[i * cols + j] = w;
    }
    sum = warp_sum(sum);
    if (lane_of() == 0) settle(activation + i, sum, 1, before);
  }
}

// norm[i] = |direction[i]|; direction[i] = direction[i] radius/|direction[i]|, a row of
// zeros stays; chord[i] = |direction[i] - x[i]|. norm and chord [rows], direction and x [rows, cols].
KERNEL ascent_direction(float *norm, float *chord, float *direction, const float *x, int rows, int cols,
                        float radius) {
  for (long long i = first_row(); i < rows; i += row_step()) {
    float *row = direction + i * cols;
    double length = sqrt(warp_dot(row, row, cols)), scale = (double)radius / length, sum = 0;
    for (long long j = lane_of(); j < cols; j += WARP) {
      float d = row[j];
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
