// All kernels in one unit: one image for each compute capability.
#include "corrupt.cu"
#include "elementwise.cu"
#include "gemm.cu"
#include "random.cu"
#include "rows.cu"
