// Plans of filter banks: the geometry that liftwave/_plan/axis.py computes, as plain data.
#pragma once

#include <cstddef>
#include <vector>

#include "common/index.hpp"

namespace liftwave {

// One sample beyond the ends as a weighted sum of samples; zero without terms.
struct Row {
  const index_t* at;
  const double* weight;
  index_t terms;

  // Whether the row repeats one sample unchanged.
  bool copies() const { return terms == 1 && weight[0] == 1.0; }
};

// A signal of n samples, extended by `left` rows before it and `right` rows after it.
struct Extension {
  index_t n = 0;
  index_t left = 0;
  index_t right = 0;
  std::vector<index_t> start;  // row r holds the terms start[r] ... start[r + 1] - 1
  std::vector<index_t> at;
  std::vector<double> weight;

  // The row of sample i, which is beyond the ends.
  LIFTWAVE_INLINE Row row(index_t i) const {
    const index_t r = i < 0 ? left + i : left + (i - n);
    const index_t first = start.data()[r];
    return {at.data() + first, weight.data() + first, start.data()[r + 1] - first};
  }

  bool empty() const { return left + right == 0; }
};

// The taps of one filter in the precision of the data.
struct Taps {
  std::vector<float> single;
  std::vector<double> twice;

  template <class T>
  const T* as() const {
    if constexpr (sizeof(T) == sizeof(float)) {
      return single.data();
    } else {
      return twice.data();
    }
  }
};

// A filter bank along one axis: analysis
//   y_f[k] = sum_j taps[f][j] x[2 k + phase - j],
// or synthesis
//   x[i] = sum_f sum_k y_f[k] taps[f][i + phase - 2 k].
// The input is extended. The output is computed beyond its ends as `fold` requires, and folded
// back.
struct FilterPlan {
  index_t n_out = 0;
  index_t length = 0;
  index_t phase = 0;
  Extension extend;
  Extension fold;
  std::vector<Taps> taps;  // analysis: one per band; synthesis: even taps, then odd ones

  // The taps of the second band of an analysis, or null if there is only one.
  template <class T>
  const T* second() const {
    return taps.size() > 1 ? taps[1].as<T>() : nullptr;
  }
};

// A filter bank along one axis of an array.
struct AxisPlan {
  int axis;
  FilterPlan plan;
};

// The most axes that are transformed at once.
inline constexpr int max_axes = 4;

}  // namespace liftwave
