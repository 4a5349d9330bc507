// Transforms of several levels without downsampling.
#pragma once

#include <vector>

#include "filters/kernels.hpp"

namespace liftwave {

// The axes of all levels, one level after the other.
struct CircularLevels {
  std::vector<CircularAxis> axes;
  std::vector<int> counts;  // axes of each level
};

// All bands of each level by key, finest level first. Approximations that the caller does not want
// have no data; the last level's has.
template <class T>
void split_levels(const FilterKernels<T>& kernels, const CircularLevels& levels,
                  const ArrayView<const T>& x, ArrayView<T>* bands);

// The array with these bands, coarsest level first. Missing bands have no data. The approximation of
// each level but the first is the result of the level before. If all levels have the same axis, `out`
// may have fewer samples along it: these are the first ones.
template <class T>
void merge_levels(const FilterKernels<T>& kernels, const CircularLevels& levels,
                  ArrayView<const T>* bands, const ArrayView<T>& out);

}  // namespace liftwave
