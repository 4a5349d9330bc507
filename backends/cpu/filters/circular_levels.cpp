#include "filters/circular_levels.hpp"

#include <algorithm>

#include "common/parallel.hpp"

namespace liftwave {
namespace {

// Numbers behind an axis.
template <class T>
index_t numbers_behind(const ArrayView<T>& x, int axis) {
  index_t numbers = 1;
  for (int d = axis + 1; d < x.ndim; ++d) numbers *= x.shape[d];
  return numbers;
}

// Arrays of this size do not stay in the caches. Smaller ones take less time level by level.
constexpr double uncached_bytes = 16.0 * 1024 * 1024;

template <class T>
bool is_uncached(const ArrayView<T>& x) {
  return sizeof(T) * static_cast<double>(numbers_of(x)) >= uncached_bytes;
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

// Levels that are computed at once: one level along several axes, or `depth` levels along one axis.
struct Run {
  const CircularAxis* axes;
  int count;  // of the axes of one level
  int depth, bands;
};

// `in_blocks`: whether levels may pass through blocks together.
template <class T>
std::vector<Run> runs_of(const CircularLevels& levels, const ArrayView<T>& like, bool in_blocks) {
  std::vector<Run> runs;
  const CircularAxis* axes = levels.axes.data();
  for (std::size_t i = 0; i < levels.counts.size();) {
    const int* counts = &levels.counts[i];
    const index_t lanes = numbers_behind(like, axes->axis);
    const std::size_t left = in_blocks ? levels.counts.size() - i : 1;
    const int depth = levels_together(axes, counts, left, lanes);
    const int bands = *counts > 1 ? 1 << *counts : 2 * depth;
    runs.push_back({axes, *counts, depth, bands});
    axes += *counts > 1 ? *counts : depth;
    i += static_cast<std::size_t>(depth);
  }
  return runs;
}

// Results between levels alternate between an array and the memory of the last result.
template <class T>
class Alternating {
 public:
  Alternating(const ArrayView<T>& last, std::size_t runs) : last_(last), runs_(runs) {}

  ArrayView<T> of(std::size_t run) {
    if ((runs_ - 1 - run) % 2 == 0) return last_;
    if (!between_) between_ = scratch_.take<T>(numbers_of(last_));
    ArrayView<T> array = last_;
    array.data = between_;
    return array;
  }

 private:
  Scratch scratch_;
  ArrayView<T> last_;
  std::size_t runs_;
  T* between_ = nullptr;
};

// Whether all bands are those of the first level. Blocks of the bands of several levels at the same
// place compete for the same cache sets.
template <class T>
bool only_first(const CircularLevels& levels, const ArrayView<const T>* bands) {
  for (std::size_t level = 0; level < levels.counts.size(); ++level) {
    const ArrayView<const T>* stop = bands + (1 << levels.counts[level]);
    const bool any = std::any_of(bands, stop, [](const ArrayView<const T>& band) { return band.data; });
    if (level && any) return false;
    bands = stop;
  }
  return true;
}

}  // namespace

template <class T>
void split_levels(const FilterKernels<T>& kernels, const CircularLevels& levels,
                  const ArrayView<const T>& x, ArrayView<T>* bands) {
  if (numbers_of(x) == 0) return;
  const std::vector<Run> runs = runs_of(levels, x, is_uncached(x));
  index_t others = 0;  // bands before those of the last run
  for (std::size_t r = 0; r + 1 < runs.size(); ++r) others += runs[r].bands;
  Alternating<T> memory(bands[others + 2 * (runs.back().depth - 1)], runs.size());
  ArrayView<const T> source = x;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const Run& run = runs[r];
    ArrayView<T>& approx = bands[2 * (run.depth - 1)];
    if (!approx.data) approx = memory.of(r);
    if (run.count > 1) kernels.split_planes(run.axes, run.count, source, bands);
    else kernels.split_lines(run.axes, run.depth, source, bands);
    source = as_input(approx);
    bands += run.bands;
  }
}

template <class T>
void merge_levels(const FilterKernels<T>& kernels, const CircularLevels& levels,
                  ArrayView<const T>* bands, const ArrayView<T>& out) {
  if (numbers_of(out) == 0) return;
  const bool in_blocks = is_uncached(out) && only_first(levels, bands);
  const std::vector<Run> runs = runs_of(levels, out, in_blocks);
  Alternating<T> memory(out, runs.size());
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const Run& run = runs[r];
    const ArrayView<T> result = memory.of(r);
    if (run.count > 1) kernels.merge_planes(run.axes, run.count, bands, result);
    else kernels.merge_lines(run.axes, run.depth, bands, result);
    bands += run.bands;
    if (r + 1 < runs.size()) *bands = as_input(result);
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
