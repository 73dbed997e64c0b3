// All kernels in one unit: one image for each compute capability.
#include "activate.cu"
#include "ascent.cu"
#include "corrupt.cu"
#include "elementwise.cu"
#include "gemm.cu"
#include "learn.cu"
#include "random.cu"
#include "rows.cu"
