// Kernels with one mistake each, which the emulated driver must find, and a few
// that look like mistakes and are none.
#include "device.cuh"

// One element too far.
KERNEL past_the_end(float *dst, int count) {
  int i = threadIdx.x;
  if (i <= count) dst[i] = 1;
}

// One element too early.
KERNEL before_the_start(float *dst, int count) {
  int i = threadIdx.x;
  if (i < count) dst[i - 1] = 1;
}

// Far beyond every allocation.
KERNEL far_away(float *dst) { dst[1ll << 33] = 1; }

// A null pointer.
KERNEL null_pointer(float *dst) {
  if (threadIdx.x == 5) *dst = 1;
}

// Reads what nobody has written.
KERNEL unwritten(float *dst, const float *x, int count) {
  int i = threadIdx.x;
  if (i < count) dst[i] = x[i];
}

// Reads shared memory of which only the first half has been written.
KERNEL unwritten_shared(float *dst) {
  __shared__ float room[THREADS];
  int i = threadIdx.x;
  if (i < THREADS / 2) room[i] = i;
  __syncthreads();
  dst[i] = room[THREADS - 1 - i];
}

// Four floats at once from an address that is not a multiple of 16.
KERNEL misaligned(double *dst, const float *x) {
  if (threadIdx.x == 0) dst[0] = *(const double *)(x + 1);
}

// Half of the threads pass the barrier by.
KERNEL barrier_for_some(float *dst) {
  if (threadIdx.x < THREADS / 2) __syncthreads();
  dst[threadIdx.x] = 1;
}

// All threads wait, at two different barriers.
KERNEL two_barriers(float *dst) {
  if (threadIdx.x % 2) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  dst[threadIdx.x] = 1;
}

// A lane waits for one that has ended.
KERNEL shuffle_for_some(float *dst) {
  float sum = threadIdx.x;
  if (threadIdx.x != 7) sum += __shfl_down_sync(~0u, sum, 1);
  dst[threadIdx.x] = sum;
}

// No barrier between writing and reading.
KERNEL race_read(float *dst) {
  __shared__ float room[THREADS];
  int i = threadIdx.x;
  room[i] = i;
  __syncthreads();
  dst[i] = room[(i + 1) % THREADS];
  room[i] = 2; // the neighbour may not have read yet
}

// Two threads write the same element.
KERNEL race_write(float *dst) {
  __shared__ float room[THREADS];
  int i = threadIdx.x;
  room[i / 2] = i;
  __syncthreads();
  dst[i] = room[i / 2];
}

// Lanes of a warp, without __syncwarp.
KERNEL race_in_warp(float *dst) {
  __shared__ float room[THREADS];
  int i = threadIdx.x;
  room[i] = i;
  dst[i] = room[i ^ 1];
}

// Two blocks write the same element of device memory.
KERNEL race_of_blocks(float *dst) {
  if (threadIdx.x == 0) dst[blockIdx.x / 2] = 1;
}

// A plain read meets atomic additions.
KERNEL race_with_atomics(int *dst) {
  __shared__ int count;
  if (threadIdx.x == 0) count = 0;
  __syncthreads();
  atomicAdd(&count, 1);
  dst[threadIdx.x] = count;
}

// An index outside of an array in shared memory, where another one lies.
KERNEL outside_of_array(float *dst, int count) {
  __shared__ float first[4], second[4];
  if (threadIdx.x < 4) first[threadIdx.x] = second[threadIdx.x] = 1;
  __syncthreads();
  if (threadIdx.x == 0) dst[0] = first[count] + second[0];
}

// A row's start that is no int.
KERNEL overflow(float *dst, int row, int cols) {
  if (threadIdx.x == 0) dst[row * cols] = 1;
}

// A whole number divided by zero.
KERNEL divide(int *dst, int by) { dst[threadIdx.x] = 100 / by; }

// Recursion that never ends.
__device__ __noinline__ int deeper(volatile int *at, int n) { return n < 0 ? 0 : 1 + deeper(at, n + 1) + *at; }
KERNEL endless(int *dst) {
  if (threadIdx.x == 0) dst[0] = deeper(dst, 0);
}

// Right: lanes exchange through shared memory with __syncwarp, and add up
// atomically.
KERNEL right(float *dst, int *sum) {
  __shared__ float room[THREADS];
  int i = threadIdx.x;
  room[i] = i;
  __syncwarp();
  float other = room[i ^ 1];
  __syncwarp();
  room[i] = other;
  atomicAdd(sum, 1);
  __syncthreads();
  dst[blockIdx.x * THREADS + i] = room[THREADS - 1 - i];
}

// Right: what the exchanges between lanes give.
KERNEL lanes(int *dst) {
  int lane = threadIdx.x % WARP;
  dst[threadIdx.x] = __shfl_sync(~0u, lane, 3);
  dst[THREADS + threadIdx.x] = __shfl_up_sync(~0u, lane, 2);
  dst[2 * THREADS + threadIdx.x] = __shfl_down_sync(~0u, lane, 3, 8);
  dst[3 * THREADS + threadIdx.x] = __shfl_xor_sync(~0u, lane, 5);
  dst[4 * THREADS + threadIdx.x] = __ballot_sync(~0u, lane % 3 == 0);
  if (lane < 16) dst[5 * THREADS + threadIdx.x] = __shfl_sync(0xffffu, lane, 15 - lane);
}
