// Synchrosqueezing: the kernels of one instruction set.
#pragma once

#include "common/by_precision.hpp"
#include "common/index.hpp"

namespace liftwave {

// Rows of a continuous transform, as real and imaginary parts. All arrays are C-contiguous.
template <class T>
struct SqueezeCall {
  index_t batch, rows, columns;
  const T* values;      // (batch, rows, columns)
  const T* slopes;      // the same shape: derivatives in time, over 2 pi i
  const double* floor;  // (batch): squared magnitudes up to here have no reliable phase
  const double* factors;  // (rows): of values, in the sums
  // The row of frequency f is round(voices log2(highest / f)), if it is one of `count` rows.
  double highest, voices;
  index_t count;
  T* total;  // (batch, count, columns): the sums
};

template <class T>
struct TimeFrequencyKernels {
  // Adds each value to the row of its instantaneous frequency, in its column.
  void (*squeeze)(const SqueezeCall<T>& call);
};

using TimeFrequencyTable = ByPrecision<TimeFrequencyKernels>;

}  // namespace liftwave
