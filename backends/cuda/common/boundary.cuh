// Extension of signals beyond their ends: for every place a few samples and their weights.
//
// These are the rows of liftwave/_plan/boundary.py in closed form, so that the device needs no table.
// Adjoints fold: they add the results beyond the ends to the samples of the rows.
#pragma once
#include "common/numbers.cuh"

namespace liftwave {

enum Mode : int {
  mode_zero,
  mode_constant,
  mode_symmetric,
  mode_antisymmetric,
  mode_reflect,
  mode_periodic,
  mode_periodization,
  mode_smooth,
  mode_antireflect,
  mode_channel_reflect,  // of even or odd samples: the channels of the mirrored signal
};

struct Extension {
  index_t n;       // samples
  index_t signal;  // of channels: the number of samples of the whole signal
  int mode;
  int parity;  // of channels: 0 for even samples, 1 for odd ones
};

// Up to three samples. Samples of weight zero are not read.
template <class R>
struct Row {
  index_t index[3];
  R weight[3];
};

// Places are of type I. Divisions of 64-bit numbers are calls, which spill registers of kernels that
// use many of them.
template <class I>
__device__ I modulo(I i, I n) {
  const I r = i % n;
  return r < 0 ? r + n : r;
}

template <class I>
__device__ I mirrored(I i, I n) {
  if (n == 1) return 0;
  const I p = modulo<I>(i, 2 * n - 2);
  return p < n ? p : 2 * n - 2 - p;
}

// The row of place `i` outside of the signal, for modes whose rows have at most one sample. The
// weight is 0, 1 or -1.
template <class I>
__device__ __forceinline__ int inlined_row(const Extension& x, I i, I& index) {
  const I n = I(x.n);
  I p;
  switch (x.mode) {
    case mode_constant:
      index = i < 0 ? 0 : n - 1;
      return 1;
    case mode_symmetric:
      p = modulo<I>(i, 2 * n);
      index = p < n ? p : 2 * n - 1 - p;
      return 1;
    case mode_antisymmetric:
      p = modulo<I>(i, 2 * n);
      index = p < n ? p : 2 * n - 1 - p;
      return p < n ? 1 : -1;
    case mode_reflect:
      index = mirrored<I>(i, n);
      return 1;
    case mode_periodic:
      index = modulo<I>(i, n);
      return 1;
    case mode_periodization:
      p = modulo<I>(i, n + (n & 1));
      index = p < n ? p : n - 1;
      return 1;
    case mode_channel_reflect:
      index = (mirrored<I>(2 * i + x.parity, I(x.signal)) - x.parity) / 2;
      return n > 0;
    default:
      index = 0;
      return 0;
  }
}

struct Sample {
  index_t index;
  int weight;
};

// Arguments and result are in registers.
__device__ __noinline__ inline Sample called_row(index_t n, index_t signal, int mode, int parity,
                                                 index_t i) {
  Sample sample;
  sample.weight = inlined_row({n, signal, mode, parity}, i, sample.index);
  return sample;
}

// The same as a call. Each of its 64-bit remainders takes the compiler as long as a small kernel.
__device__ __forceinline__ int single_row(const Extension& x, index_t i, index_t& index) {
  const Sample sample = called_row(x.n, x.signal, x.mode, x.parity, i);
  index = sample.index;
  return sample.weight;
}

// Whether rows may have more than one sample.
__host__ __device__ inline bool has_long_rows(int mode) {
  return mode == mode_smooth || mode == mode_antireflect;
}

// The row of any place outside of the signal, for any mode. It is called if places have 64 bits.
template <class R, class I = index_t>
__device__ Row<R> row_of(const Extension& x, I i) {
  const I n = I(x.n);
  Row<R> row = {{0, n - 1, 0}, {R(0), R(0), R(0)}};
  if (!has_long_rows(x.mode) || n == 1) {
    I index = 0;
    int weight = 1;
    if (!has_long_rows(x.mode)) {
      if constexpr (same<I, index_t>) weight = single_row(x, i, index);
      else weight = inlined_row(x, i, index);
    }
    row.index[0] = index;
    row.weight[0] = R(weight);
  } else if (x.mode == mode_smooth) {
    const I k = i < 0 ? i : i - (n - 1);
    row.index[0] = i < 0 ? 0 : n - 1;
    row.index[1] = i < 0 ? 1 : n - 2;
    row.weight[0] = R(i < 0 ? 1 - k : 1 + k);
    row.weight[1] = R(i < 0 ? k : -k);
  } else {  // antireflect: each period adds twice the difference of the ends
    const I period = 2 * (n - 1), p = modulo<I>(i, period), periods = (i - p) / period;
    I first = -2 * periods, last = 2 * periods;
    const bool forward = p < n;
    const I at = forward ? p : period - p;
    const int sign = forward ? 1 : -1;
    if (!forward) last += 2;
    if (at == 0) first += sign;
    else if (at == n - 1) last += sign;
    else {
      row.index[2] = at;
      row.weight[2] = R(sign);
    }
    row.weight[0] = R(first);
    row.weight[1] = R(last);
  }
  return row;
}

// How results beyond the ends are added to the samples: by the rows of `extension`, for `before`
// and `after` places. Only samples in these two ranges change.
struct Fold {
  Extension extension;
  index_t left_start, left_stop, right_start, right_stop;
  int before, after;
};

// sum plus weight * value(place) over all places beyond the ends whose row contains sample `i`.
template <class R, class C, class Value>
__device__ C folded(const Fold& fold, index_t i, C sum, const Value& value) {
  const bool left = i >= fold.left_start && i < fold.left_stop;
  const bool right = i >= fold.right_start && i < fold.right_stop;
  if (!left && !right) return sum;
  const index_t n = fold.extension.n;
  const int begin = left ? 0 : fold.before;
  const int end = fold.before + (right ? fold.after : 0);
  for (int k = begin; k < end; ++k) {
    const index_t place = k < fold.before ? index_t(k) - fold.before : n + (k - fold.before);
    const Row<R> row = row_of<R>(fold.extension, place);
    R weight = R(0);
    for (int e = 0; e < 3; ++e) {
      if (row.index[e] == i) weight += row.weight[e];
    }
    if (weight != R(0)) sum = multiply_add(weight, value(place), sum);
  }
  return sum;
}

}  // namespace liftwave
