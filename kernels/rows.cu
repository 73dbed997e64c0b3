// Operations on whole rows, a warp for each, and on columns. Sums are in double:
// products of two floats are exact there and can't overflow.
#include "device.cuh"

// dst[i] = alpha |x[i]| + beta dst[i], dst [rows], x [rows, cols].
KERNEL row_norms(float *dst, const float *x, int rows, int cols, float alpha, float beta) {
  for (long long i = first_row(); i < rows; i += row_step()) {
    double sum = warp_dot(x + i * cols, x + i * cols, cols);
    if (lane_of() == 0) settle(dst + i, sqrt(sum), alpha, beta);
  }
}

// dst[i] = alpha x[i].with[i] + beta dst[i], dst [rows], x and with [rows, cols].
KERNEL row_dots(float *dst, const float *x, const float *with, int rows, int cols, float alpha, float beta) {
  for (long long i = first_row(); i < rows; i += row_step()) {
    double sum = warp_dot(x + i * cols, with + i * cols, cols);
    if (lane_of() == 0) settle(dst + i, sum, alpha, beta);
  }
}

// x[i] = x[i] radius/|x[i]|, x [rows, cols]; a row of zeros stays.
KERNEL project(float *x, int rows, int cols, float radius) {
  for (long long i = first_row(); i < rows; i += row_step()) {
    float *row = x + i * cols;
    double norm = sqrt(warp_dot(row, row, cols));
    if (norm == 0) continue;
    double scale = (double)radius / norm;
    for (long long j = lane_of(); j < cols; j += WARP) row[j] = (float)((double)row[j] * scale);
  }
}

// dst[i] = src[from[i]], dst [rows, cols], from [rows].
KERNEL gather(float *dst, const float *src, const int *from, int rows, int cols) {
  for (long long i = first_row(); i < rows; i += row_step()) {
    const float *row = src + (long long)from[i] * cols;
    for (long long j = lane_of(); j < cols; j += WARP) dst[i * cols + j] = row[j];
  }
}

// dst[to[i]] = src[from[i]], to and from [rows], dst and src [any, cols].
KERNEL scatter(float *dst, const float *src, const int *to, const int *from, int rows, int cols) {
  for (long long i = first_row(); i < rows; i += row_step()) {
    const float *row = src + (long long)from[i] * cols;
    for (long long j = lane_of(); j < cols; j += WARP) dst[(long long)to[i] * cols + j] = row[j];
  }
}

// dst[i] = src[i], dst and src [rows, cols] with strides.
KERNEL copy_rows(float *dst, long long dst_stride, const float *src, long long src_stride, int rows, int cols) {
  for (long long i = first_row(); i < rows; i += row_step()) {
    for (long long j = lane_of(); j < cols; j += WARP) dst[i * dst_stride + j] = src[i * src_stride + j];
  }
}

// dst[j] = alpha mean over i of x[i][j] + beta dst[j], dst [cols], x [rows, cols]: a
// thread sums a column over the rows in ascending order.
KERNEL column_means(float *dst, const float *x, int rows, int cols, float alpha, float beta) {
  for (long long j = first_element(); j < cols; j += element_step()) {
    double sum = 0;
    for (long long i = 0; i < rows; i++) sum += (double)x[i * cols + j];
    settle(dst + j, sum / rows, alpha, beta);
  }
}
