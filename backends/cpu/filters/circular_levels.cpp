#include "filters/circular_levels.hpp"

#include <algorithm>

#include "common/level_runs.hpp"

namespace liftwave {
namespace {

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

// The same for a synthesis along several axes: how many levels from the coarsest on pass through blocks
// of positions along the first axis.
int plane_levels_together(const CircularAxis* axes, const int* counts, std::size_t levels, index_t plane) {
  const index_t block = positions_of_block(plane);
  const std::size_t most = std::min<std::size_t>(levels, max_circular_levels);
  index_t beyond = 0;
  std::size_t depth = 0;
  for (; depth < most && counts[depth] == counts[0]; ++depth) {
    const CircularAxis& axis = axes[depth * static_cast<std::size_t>(counts[0])];
    if (axis.axis != axes[0].axis || axis.spacing() == 0) break;
    // The first level reads whole arrays, so it computes what the others need, but nothing for itself.
    if (depth > 0) beyond += axis.before() + axis.behind();
    if (beyond > block / 4) break;
  }
  return static_cast<int>(std::max<std::size_t>(depth, 1));
}

using CircularRun = LevelRun<CircularAxis>;

// `in_blocks`: whether levels may pass through blocks together. `synthesis`: also those along several
// axes.
template <class T>
std::vector<CircularRun> runs_of(const CircularLevels& levels, const ArrayView<T>& like, bool in_blocks,
                                 bool synthesis) {
  return level_runs(levels.axes, levels.counts, like,
                    [&](const CircularAxis* axes, const int* counts, std::size_t left, index_t lanes) {
                      if (!in_blocks) left = 1;
                      return synthesis && *counts > 1 ? plane_levels_together(axes, counts, left, lanes)
                                                      : levels_together(axes, counts, left, lanes);
                    });
}

// The shape of the results between runs, C-contiguous.
template <class T>
ArrayView<T> shape_of_levels(const CircularLevels& levels, const ArrayView<T>& out) {
  ArrayView<T> shape = out;
  for (int i = 0; i < levels.counts.front(); ++i) {
    const CircularAxis& axis = levels.axes[static_cast<std::size_t>(i)];
    shape.shape[axis.axis] = axis.n;
  }
  set_strides(shape);
  return shape;
}

// The outputs that each run of a synthesis computes for the first outputs of the last one.
std::vector<index_t> outputs_of(const std::vector<CircularRun>& runs, index_t outputs) {
  std::vector<index_t> counts(runs.size());
  for (std::size_t r = runs.size(); r-- > 0;) {
    counts[r] = outputs;
    for (int level = runs[r].depth - 1; level >= 0; --level) {
      const CircularAxis& axis = runs[r].axes[level];
      outputs = axis.before() ? axis.n : std::min(axis.n, outputs + axis.behind());
    }
  }
  return counts;
}

}  // namespace

template <class T>
void split_levels(const FilterKernels<T>& kernels, const CircularLevels& levels,
                  const ArrayView<const T>& x, ArrayView<T>* bands) {
  if (numbers_of(x) == 0) return;
  split_runs(runs_of(levels, x, is_uncached(x), false), x, bands,
             [&](const CircularRun& run, const ArrayView<const T>& source, ArrayView<T>* parts) {
               if (run.count > 1) kernels.split_planes(run.axes, run.count, source, parts);
               else kernels.split_lines(run.axes, run.depth, source, parts);
             });
}

template <class T>
void merge_levels(const FilterKernels<T>& kernels, const CircularLevels& levels,
                  ArrayView<const T>* bands, const ArrayView<T>& out) {
  if (numbers_of(out) == 0) return;
  const std::vector<CircularRun> runs = runs_of(levels, out, is_uncached(out), true);
  const ArrayView<T> like = shape_of_levels(levels, out);
  const int axis = runs.back().axes->axis;
  std::vector<index_t> outputs;
  if (out.shape[axis] < like.shape[axis]) outputs = outputs_of(runs, out.shape[axis]);
  merge_runs(runs, bands, out, like,
             [&](const CircularRun& run, const ArrayView<const T>* parts, ArrayView<T> result) {
               if (run.depth > 1 && run.count > 1) {
                 return kernels.merge_plane_levels(run.axes, run.count, run.depth, parts, result);
               }
               if (run.count > 1) return kernels.merge_planes(run.axes, run.count, parts, result);
               const auto number = static_cast<std::size_t>(&run - runs.data());
               if (!outputs.empty()) result.shape[axis] = outputs[number];
               kernels.merge_lines(run.axes, run.depth, parts, result);
             });
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
