// Pooling over windows: the kernels of one instruction set.
#pragma once

#include <cstdint>

#include "common/array_view.hpp"
#include "common/by_precision.hpp"
#include "pooling/windows.hpp"

namespace liftwave {

// The weights of the samples of a region; they sum to one.
enum class Weights {
  softmax,
  dice,
  exp_dice,
  idw,  // of the distance |a - m|; with one channel, vector distances are the same
  idw_huber,
  ada,
};
inline constexpr int weights_count = static_cast<int>(Weights::ada) + 1;  // ada is the last

template <class T>
struct PoolCall {
  const WindowPlan* plan = nullptr;
  Weights weights = Weights::softmax;
  T delta = 1;           // of Huber's distance
  bool average = false;  // whether unpooled values are multiplied by the region's number of samples
  ArrayView<const T> x;          // (planes, *inputs)
  ArrayView<const T> beta;       // (rows, *outputs), row p % rows for plane p; only for `ada`
  ArrayView<const T> pooled;     // (planes, *outputs); without data: ones
  ArrayView<const T> cotangent;  // of the result
};

// Results are C-contiguous and overlap nothing.
template <class T>
struct PoolKernels {
  void (*pool)(const PoolCall<T>& call, T* result);
  // `of_beta` holds the cotangent before the sum over windows that share a beta: one per window.
  void (*pool_vjp)(const PoolCall<T>& call, T* of_x, T* of_beta);
  void (*unpool)(const PoolCall<T>& call, T* result);
  void (*unpool_vjp)(const PoolCall<T>& call, T* of_x, T* of_pooled, T* of_beta);
  // The first of the largest numbers, and its place in the plane.
  void (*max_pool)(const PoolCall<T>& call, T* result, std::int64_t* places);
  void (*exponentials)(const T* x, index_t count, T* result);
};

using PoolTable = ByPrecision<PoolKernels>;

}  // namespace liftwave
