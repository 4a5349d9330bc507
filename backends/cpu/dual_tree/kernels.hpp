// The dual tree: the kernels of one instruction set.
#pragma once

#include "common/by_precision.hpp"
#include "dual_tree/plan.hpp"

namespace liftwave {

// Memory of one level for several items: images, or lines (of one row). Samples of a row are
// contiguous. The low-pass and the bands are C-contiguous, one item after the other: the low-pass
// has 2 count[0] rows of 2 count[1] numbers (lines: one row), the bands are 6 (lines: 1) planes of
// real and imaginary parts.
template <class T, class Low, class Bands>
struct DualTreeArrays {
  index_t items;
  T* x;
  index_t item_stride, row_stride;
  Low* low;
  Bands* bands;
};

template <class T>
struct DualTreeKernels {
  // One level along the last axis, or along the last two axes.
  void (*split)(const DualTreeAxis* axes, int count, const DualTreeArrays<const T, T, T>& arrays);
  // The transpose.
  void (*merge)(const DualTreeAxis* axes, int count,
                const DualTreeArrays<T, const T, const T>& arrays);
};

using DualTreeTable = ByPrecision<DualTreeKernels>;

}  // namespace liftwave
