// Parts of a batch that go through all levels one after the other, and memory between levels.
#pragma once

#include <algorithm>

#include "common/array_view.hpp"
#include "common/parallel.hpp"

namespace liftwave {

// Below this many numbers behind the axis, outputs are computed along it: see analyse_axis.
inline constexpr index_t most_lanes = 16;

// Batch items are grouped up to `group_bytes`. Groups go through all levels one after the other if
// they do not exceed `most_group_bytes`, a share of the L2 cache.
inline constexpr index_t group_bytes = 128 * 1024;
inline constexpr index_t most_group_bytes = 1024 * 1024;

// The dimensions before the transformed ones, cut into groups of contiguous items.
struct Groups {
  int axes = 0;     // dimensions that are cut
  index_t together = 1;  // items of the last of them in one group
  index_t count = 1;
  index_t shape[max_dimensions];  // groups along each dimension

  template <class T>
  Groups(const ArrayView<T>& largest, int first_axis) {
    index_t bytes = sizeof(T);
    for (int d = first_axis; d < largest.ndim; ++d) bytes *= largest.shape[d];
    axes = first_axis;
    while (axes > 0 && largest.shape[axes - 1] == 1) --axes;
    for (int d = 0; d < axes; ++d) {
      shape[d] = largest.shape[d];
      if (d == axes - 1 && shape[d] > 0) {
        together = std::clamp<index_t>(group_bytes / std::max<index_t>(bytes, 1), 1, shape[d]);
        shape[d] = (shape[d] + together - 1) / together;
      }
      count *= shape[d];
    }
    if (count == 0 || bytes == 0 || bytes * together > most_group_bytes) count = 0;
  }

  bool worthwhile(double bytes) const { return axes > 0 && count >= threads_for(bytes); }

  // The part of an array that belongs to one group.
  template <class T>
  ArrayView<T> part(const ArrayView<T>& whole, index_t group) const {
    ArrayView<T> piece = whole;
    if (whole.ndim == 0) return piece;  // a band that is missing
    for (int d = axes - 1; d >= 0; --d) {
      const index_t width = d == axes - 1 ? together : 1, start = group % shape[d] * width;
      group /= shape[d];
      if (whole.data) piece.data += start * whole.stride[d];
      piece.shape[d] = std::min(width, whole.shape[d] - start);
    }
    return piece;
  }
};

// Sets the memory of an array, C-contiguous.
template <class T>
void allocate(ArrayView<T>& a, Scratch& scratch) {
  set_strides(a);
  a.data = scratch.take<T>(numbers_of(a));
}

}  // namespace liftwave
