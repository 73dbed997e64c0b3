// The cuda.h of the toolkit, as gorgonia.org/cu v0.9.6 knows it: CUDA 13 gave five
// of the functions that it calls other parameters, and two another name in the
// library. Under their earlier names, which are still there, they are as before.
//
// This folder stands before the toolkit's in CGO_CFLAGS.
#include_next <cuda.h>

#if CUDA_VERSION >= 13000 && !defined(UNITSCOPE_CUDA_H)
#define UNITSCOPE_CUDA_H

#undef cuCtxCreate
#undef cuMemAdvise
#undef cuMemPrefetchAsync
#undef cuGraphAddDependencies
#undef cuGraphGetEdges
#undef cuEventElapsedTime
#undef cuDeviceGetUuid

#define cuCtxCreate cuCtxCreate_v2

#ifdef __cplusplus
extern "C" {
#endif
CUresult CUDAAPI cuCtxCreate(CUcontext *context, unsigned int flags, CUdevice device);
CUresult CUDAAPI cuMemAdvise(CUdeviceptr at, size_t bytes, CUmem_advise advice, CUdevice device);
CUresult CUDAAPI cuMemPrefetchAsync(CUdeviceptr at, size_t bytes, CUdevice device, CUstream stream);
CUresult CUDAAPI cuGraphAddDependencies(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to, size_t count);
CUresult CUDAAPI cuGraphGetEdges(CUgraph graph, CUgraphNode *from, CUgraphNode *to, size_t *count);
CUresult CUDAAPI cuEventElapsedTime(float *milliseconds, CUevent from, CUevent to);
CUresult CUDAAPI cuDeviceGetUuid(CUuuid *uuid, CUdevice device);
#ifdef __cplusplus
}
#endif
#endif
