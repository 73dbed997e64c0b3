// Operations on each element by itself. dst may be x.
#include "device.cuh"

// dst[i] = 1/(1+exp(-x[i])), dst and x [count].
KERNEL sigmoid(float *dst, const float *x, long long count) {
  for (long long i = first_element(); i < count; i += element_step()) dst[i] = sigmoid_of(x[i]);
}

// dst[i] = alpha x[i] + beta dst[i], dst and x [count]; with beta 0 dst is only written.
KERNEL axpby(float *dst, float alpha, const float *x, float beta, long long count) {
  for (long long i = first_element(); i < count; i += element_step()) {
    dst[i] = beta != 0 ? fmaf(alpha, x[i], beta * dst[i]) : alpha * x[i];
  }
}

// dst[i] = dst[i] x[i], dst and x [count].
KERNEL times(float *dst, const float *x, long long count) {
  for (long long i = first_element(); i < count; i += element_step()) dst[i] *= x[i];
}

// dst[i] = value, dst [count].
KERNEL fill(float *dst, float value, long long count) {
  for (long long i = first_element(); i < count; i += element_step()) dst[i] = value;
}
