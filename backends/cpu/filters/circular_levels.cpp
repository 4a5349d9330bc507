#include "filters/circular_levels.hpp"

#include <algorithm>

#include "common/alternating.hpp"

namespace liftwave {
namespace {

// Numbers behind an axis.
template <class T>
index_t numbers_behind(const ArrayView<T>& x, int axis) {
  index_t numbers = 1;
  for (int d = axis + 1; d < x.ndim; ++d) numbers *= x.shape[d];
  return numbers;
}

// How many levels from the first on pass through blocks together: their axis is the same, and blocks
// compute little beyond their own range.
int levels_together(const CircularAxis* axes, const int* counts, std::size_t levels, index_t lanes) {
  const index_t block = std::min(axes[0].n * lanes, circular_block);
  const std::size_t most = std::min<std::size_t>(levels, max_circular_levels);
  index_t beyond = 0;
  std::size_t depth = 0;
  for (; depth < most && counts[depth] == 1 && axes[depth].axis == axes[0].axis; ++depth) {
    beyond += (axes[depth].before() + axes[depth].behind()) * lanes;
    if (beyond > block / 4) break;
  }
  return static_cast<int>(std::max<std::size_t>(depth, 1));
}

}  // namespace

template <class T>
void split_levels(const FilterKernels<T>& kernels, const CircularLevels& levels,
                  const ArrayView<const T>& x, ArrayView<T>* bands) {
  if (numbers_of(x) == 0) return;
  Alternating<T> memory(bands[0]);
  ArrayView<const T> source = x;
  const CircularAxis* axes = levels.axes.data();
  for (std::size_t i = 0; i < levels.counts.size();) {
    const int count = levels.counts[i];
    const int depth = levels_together(axes, &levels.counts[i], levels.counts.size() - i,
                                      numbers_behind(x, axes->axis));
    ArrayView<T>& last = bands[2 * (depth - 1)];
    if (!last.data) last = memory.next();
    if (count > 1) kernels.split_planes(axes, count, source, bands);
    else kernels.split_lines(axes, depth, source, bands);
    source = as_input(last);
    bands += count > 1 ? 1 << count : 2 * depth;
    axes += count > 1 ? count : depth;
    i += static_cast<std::size_t>(depth);
  }
}

template <class T>
void merge_levels(const FilterKernels<T>& kernels, const CircularLevels& levels,
                  ArrayView<const T>* bands, const ArrayView<T>& out) {
  if (numbers_of(out) == 0) return;
  Alternating<T> memory(out);
  const CircularAxis* axes = levels.axes.data();
  for (std::size_t i = 0; i < levels.counts.size();) {
    const int count = levels.counts[i];
    const int depth = levels_together(axes, &levels.counts[i], levels.counts.size() - i,
                                      numbers_behind(out, axes->axis));
    i += static_cast<std::size_t>(depth);
    const bool last = i == levels.counts.size();
    const ArrayView<T> result = last ? out : memory.next();
    if (count > 1) kernels.merge_planes(axes, count, bands, result);
    else kernels.merge_lines(axes, depth, bands, result);
    bands += count > 1 ? 1 << count : 2 * depth;
    axes += count > 1 ? count : depth;
    if (!last) *bands = as_input(result);
  }
}

template void split_levels(const FilterKernels<float>&, const CircularLevels&,
                           const ArrayView<const float>&, ArrayView<float>*);
template void split_levels(const FilterKernels<double>&, const CircularLevels&,
                           const ArrayView<const double>&, ArrayView<double>*);
template void merge_levels(const FilterKernels<float>&, const CircularLevels&,
                           ArrayView<const float>*, const ArrayView<float>&);
template void merge_levels(const FilterKernels<double>&, const CircularLevels&,
                           ArrayView<const double>*, const ArrayView<double>&);

}  // namespace liftwave
