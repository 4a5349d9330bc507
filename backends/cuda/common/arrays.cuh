// Arrays of any strides: the axes that a kernel processes, and a batch of all other axes.
#pragma once
#include "common/numbers.cuh"

namespace liftwave {

constexpr int max_batch_axes = 6;

// The batch axes. Contiguous axes are merged.
struct Batch {
  index_t size[max_batch_axes];
  index_t count;  // their product
  int ndim;
  int padding;
};

// Strides are in numbers, not in bytes: those of the batch, then those of up to three axes.
struct Array {
  void* data;
  index_t batch_stride[max_batch_axes];
  index_t stride[3];
};

// The offset of batch item `item` in each of the arrays.
template <int N>
__device__ void locate(const Batch& batch, index_t item, const Array (&arrays)[N],
                       index_t (&offset)[N]) {
  for (int a = 0; a < N; ++a) offset[a] = 0;
  for (int d = batch.ndim - 1; d >= 0; --d) {
    const index_t size = batch.size[d], rest = item / size, at = item - rest * size;
    for (int a = 0; a < N; ++a) offset[a] += at * arrays[a].batch_stride[d];
    item = rest;
  }
}

__device__ inline index_t locate(const Batch& batch, index_t item, const Array& array) {
  index_t offset = 0;
  for (int d = batch.ndim - 1; d >= 0; --d) {
    const index_t size = batch.size[d], rest = item / size;
    offset += (item - rest * size) * array.batch_stride[d];
    item = rest;
  }
  return offset;
}

#ifndef LIFTWAVE_HOST
// The block's shared memory; the launch sets its size.
__device__ inline unsigned char* shared_bytes() {
  extern __shared__ __align__(16) unsigned char liftwave_shared[];
  return liftwave_shared;
}
#endif
template <class T>
__device__ T* shared_memory(unsigned offset = 0) {
  return reinterpret_cast<T*>(shared_bytes() + offset);
}

}  // namespace liftwave
