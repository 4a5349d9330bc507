// Levels without downsampling, computed in runs, and the memory of the results between runs.
#pragma once

#include <vector>

#include "common/array_view.hpp"
#include "common/parallel.hpp"

namespace liftwave {

// Levels that are computed at once: `depth` levels along the same axes.
template <class Axis>
struct LevelRun {
  const Axis* axes;
  int count;  // of the axes of one level
  int depth, bands;
};

// Numbers behind an axis.
template <class T>
index_t numbers_behind(const ArrayView<T>& x, int axis) {
  index_t numbers = 1;
  for (int d = axis + 1; d < x.ndim; ++d) numbers *= x.shape[d];
  return numbers;
}

// The runs of levels with `counts` axes. `depth(axes, counts, left, lanes)`: how many of the `left`
// levels from here on are computed at once.
template <class Axis, class T, class Depth>
std::vector<LevelRun<Axis>> level_runs(const std::vector<Axis>& all_axes, const std::vector<int>& counts,
                                       const ArrayView<T>& like, const Depth& depth) {
  std::vector<LevelRun<Axis>> runs;
  const Axis* axes = all_axes.data();
  for (std::size_t i = 0; i < counts.size();) {
    const int levels = depth(axes, &counts[i], counts.size() - i, numbers_behind(like, axes->axis));
    const int bands = levels << counts[i];
    runs.push_back({axes, counts[i], levels, bands});
    axes += levels * counts[i];
    i += static_cast<std::size_t>(levels);
  }
  return runs;
}

// Results between runs have the shape of `like`. They alternate between an array and the memory of the
// last result, or a second array if that is smaller.
template <class T>
class Alternating {
 public:
  Alternating(const ArrayView<T>& last, const ArrayView<T>& like, std::size_t runs)
      : last_(last), like_(like), runs_(runs), reuses_last_(numbers_of(last) == numbers_of(like)) {}

  ArrayView<T> of(std::size_t run) {
    const std::size_t left = runs_ - 1 - run;
    if (left == 0 || (left % 2 == 0 && reuses_last_)) return last_;
    T*& memory = between_[left % 2];
    if (!memory) memory = scratch_.take<T>(numbers_of(like_));
    ArrayView<T> array = like_;
    array.data = memory;
    return array;
  }

 private:
  Scratch scratch_;
  ArrayView<T> last_, like_;
  std::size_t runs_;
  bool reuses_last_;
  T* between_[2] = {nullptr, nullptr};
};

// Calls `split(run, source, bands)` for each run. The input of a run is the approximation of the one
// before, which is an intermediate result if its band has no memory.
template <class Axis, class T, class Split>
void split_runs(const std::vector<LevelRun<Axis>>& runs, const ArrayView<const T>& x,
                ArrayView<T>* bands, const Split& split) {
  index_t others = 0;  // bands before those of the last run
  for (std::size_t r = 0; r + 1 < runs.size(); ++r) others += runs[r].bands;
  const ArrayView<T>& last = bands[others + 2 * (runs.back().depth - 1)];
  Alternating<T> memory(last, last, runs.size());
  ArrayView<const T> source = x;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    ArrayView<T>& approx = bands[2 * (runs[r].depth - 1)];
    if (!approx.data) approx = memory.of(r);
    split(runs[r], source, bands);
    source = as_input(approx);
    bands += runs[r].bands;
  }
}

// Calls `merge(run, bands, result)` for each run. Its result, of the shape of `like`, is the
// approximation of the next one.
template <class Axis, class T, class Merge>
void merge_runs(const std::vector<LevelRun<Axis>>& runs, ArrayView<const T>* bands,
                const ArrayView<T>& out, const ArrayView<T>& like, const Merge& merge) {
  Alternating<T> memory(out, like, runs.size());
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const ArrayView<T> result = memory.of(r);
    merge(runs[r], bands, result);
    bands += runs[r].bands;
    if (r + 1 < runs.size()) *bands = as_input(result);
  }
}

}  // namespace liftwave
