// Transforms of several levels of lifting on the whole grid.
#pragma once

#include <vector>

#include "lifting/whole.hpp"

namespace liftwave {

// The axes of all levels, one level after the other.
struct WholeLevels {
  std::vector<WholeAxis> axes;
  std::vector<int> counts;  // axes of each level
};

// All bands of each level by key, finest level first. Approximations that the caller does not want
// have no data; the last level's has.
template <class T>
void split_whole_levels(const WholeTable& table, const WholeLevels& levels,
                        const ArrayView<const T>& x, ArrayView<T>* bands);

// The array with these bands, coarsest level first. Missing bands have no data. The approximation of
// each level but the first is the result of the level before.
template <class T>
void merge_whole_levels(const WholeTable& table, const WholeLevels& levels,
                        ArrayView<const T>* bands, const ArrayView<T>& out);

}  // namespace liftwave
