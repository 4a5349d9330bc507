// Rows and folds, written out: what tests compare with liftwave/boundary.py.
#pragma once
#include "common/boundary.cuh"

namespace liftwave {

struct RowsArguments {
  Extension extension;
  index_t start, count;
  index_t* index;   // (count, 3)
  double* weight;   // (count, 3)
};

__global__ void rows(const RowsArguments a) {
  for (index_t k = threadIdx.x + index_t(blockIdx.x) * blockDim.x; k < a.count;
       k += index_t(gridDim.x) * blockDim.x) {
    const index_t i = a.start + k;
    if (i >= 0 && i < a.extension.n) continue;
    const Row<double> row = row_of<double>(a.extension, i);
    for (int e = 0; e < 3; ++e) {
      a.index[3 * k + e] = row.index[e];
      a.weight[3 * k + e] = row.weight[e];
    }
  }
}

struct FoldArguments {
  Fold fold;
  index_t n;
  const double* x;  // (before + n + after)
  double* result;   // (n)
};

__global__ void fold_back(const FoldArguments a) {
  const index_t i = threadIdx.x + index_t(blockIdx.x) * blockDim.x;
  if (i >= a.n) return;
  const double* x = a.x + a.fold.before;
  a.result[i] = folded<double>(a.fold, i, x[i], [=](index_t place) { return x[place]; });
}

// The sum of a block's numbers, each thread's its own, by shuffles and shared memory.
struct SumArguments {
  const double* x;
  double* result;
};

__global__ void sum_of_blocks(const SumArguments a) {
  double value = a.x[threadIdx.x + index_t(blockIdx.x) * blockDim.x];
  for (int delta = warpSize / 2; delta > 0; delta /= 2) value += __shfl_down_sync(~0u, value, delta);
  __shared__ double parts[32];
  if (threadIdx.x % warpSize == 0) parts[threadIdx.x / warpSize] = value;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (unsigned w = 1; w < blockDim.x / warpSize; ++w) value += parts[w];
    a.result[blockIdx.x] = value;
  }
}

// A barrier is missing between writing and reading.
__global__ void racing(const SumArguments a) {
  __shared__ double parts[1024];
  parts[threadIdx.x] = a.x[threadIdx.x];
  a.result[threadIdx.x] = parts[blockDim.x - 1 - threadIdx.x];
}

// Two sums of a block, one after the other. A barrier is missing between them.
__global__ void racing_sums(const SumArguments a) {
  __shared__ double parts[32];
  double total = 0;
  for (int turn = 0; turn < 2; ++turn) {
    double value = a.x[threadIdx.x] + turn;
    for (int delta = 16; delta > 0; delta /= 2) value += __shfl_down_sync(~0u, value, delta);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
    __syncthreads();
    for (unsigned w = 0; w < blockDim.x / 32; ++w) total += parts[w];
  }
  a.result[threadIdx.x] = total;
}

// Half of the threads do not come to the barrier.
__global__ void divergent(const SumArguments a) {
  if (threadIdx.x % 2 == 0) return;
  __syncthreads();
  a.result[threadIdx.x] = 0;
}

// A shuffle reads lanes that have ended.
__global__ void ended(const SumArguments a) {
  if (threadIdx.x >= 16) return;
  a.result[threadIdx.x] = __shfl_down_sync(~0u, a.x[threadIdx.x], 8);
}

// Reads and writes beside an array.
struct ShiftArguments {
  const double* x;
  double* result;
  int read, write;
};

__global__ void __launch_bounds__(64) shifted(const ShiftArguments a) {
  const int k = int(threadIdx.x);
  a.result[k + a.write] = a.x[k + a.read];
}

struct HalfArguments {
  const float* x;
  unsigned short* halves;
  unsigned short* bfloats;
  float* back;  // of both
  index_t count;
};

__global__ void rounded(const HalfArguments a) {
  for (index_t k = threadIdx.x; k < a.count; k += blockDim.x) {
    const half h = narrowed<half>(a.x[k]);
    const bfloat b = narrowed<bfloat>(a.x[k]);
    a.halves[k] = h.bits;
    a.bfloats[k] = b.bits;
    a.back[2 * k] = widened(h);
    a.back[2 * k + 1] = widened(b);
  }
}

}  // namespace liftwave
