// What CUDA 13 changed in cuda.h for the functions that gorgonia.org/cu calls, on
// top of the header of CUDA 12: for a test.
#ifndef CUDA_13_FOR_A_TEST
#define CUDA_13_FOR_A_TEST

// The earlier forms are not declared.
#define cuCtxCreate_v2 not_in_13_cuCtxCreate
#define cuMemAdvise not_in_13_cuMemAdvise
#define cuGraphAddDependencies not_in_13_cuGraphAddDependencies
#define cuGraphGetEdges not_in_13_cuGraphGetEdges
#define cuEventElapsedTime not_in_13_cuEventElapsedTime
#define cuDeviceGetUuid not_in_13_cuDeviceGetUuid
#include_next <cuda.h>
#undef cuCtxCreate_v2
#undef cuMemAdvise
#undef cuGraphAddDependencies
#undef cuGraphGetEdges
#undef cuEventElapsedTime
#undef cuDeviceGetUuid

#undef CUDA_VERSION
#define CUDA_VERSION 13000

// The names stand for the later forms.
#undef cuCtxCreate
#undef cuMemPrefetchAsync
#define cuCtxCreate cuCtxCreate_v4
#define cuMemAdvise cuMemAdvise_v2
#define cuMemPrefetchAsync cuMemPrefetchAsync_v2
#define cuGraphAddDependencies cuGraphAddDependencies_v2
#define cuGraphGetEdges cuGraphGetEdges_v2
#define cuEventElapsedTime cuEventElapsedTime_v2
#define cuDeviceGetUuid cuDeviceGetUuid_v2

CUresult CUDAAPI cuCtxCreate_v4(CUcontext *context, void *parameters, unsigned int flags, CUdevice device);
CUresult CUDAAPI cuEventElapsedTime_v2(float *milliseconds, CUevent from, CUevent to);
#endif
