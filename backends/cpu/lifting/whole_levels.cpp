#include "lifting/whole_levels.hpp"

#include <algorithm>

#include "common/level_runs.hpp"

namespace liftwave {

void WholeAxis::prepare() {
  Range need[2] = {{0, 1}, {0, 1}};
  for (WholeStep& step : steps) {
    const auto [least, most] = std::minmax_element(step.place.begin(), step.place.end());
    step.least = *least;
    step.most = *most;
    most_taps = std::max(most_taps, step.taps());
    has_transposed = has_transposed || step.transposed;
  }
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    Range& source = need[1 - step->target];
    source = hull(source, step->window(need[step->target]));
  }
  reach = hull(need[0], need[1]).size();
}

namespace {

using WholeRun = LevelRun<WholeAxis>;

// How many levels from the first on pass through tiles together: their axis is the same, and tiles
// compute little beyond their own range.
int levels_together(const WholeAxis* axes, const int* counts, std::size_t levels, index_t lanes) {
  const index_t width = std::min(lanes, whole_strip);
  const bool is_whole = axes[0].n * width <= whole_block;
  const std::size_t most = std::min<std::size_t>(levels, max_whole_levels);
  index_t beyond = 0;
  std::size_t depth = 0;
  for (; depth < most && counts[depth] == 1 && axes[depth].axis == axes[0].axis; ++depth) {
    beyond += axes[depth].reach * width;
    if (beyond > whole_block / 4 && !is_whole) break;
  }
  return static_cast<int>(std::max<std::size_t>(depth, 1));
}

// All bands of one level by key, axis by axis. From the second axis on, a band has the memory of one
// of those that it splits into.
template <class T>
void split_axes(const WholeKernels<T>& kernels, const WholeAxis* axes, int count,
                const ArrayView<const T>& x, const ArrayView<T>* bands) {
  if (count == 2 && axes[1].axis == axes[0].axis + 1) return kernels.split_planes(axes, x, bands);
  for (int i = 0; i < count; ++i) {
    const int half = 1 << (count - i - 1);
    for (int b = 0; b < 1 << count; b += 2 * half) {
      const ArrayView<T> pair[2] = {bands[b], bands[b + half]};
      kernels.split(axes + i, 1, i ? as_input(pair[0]) : x, pair, i > 0);
    }
  }
}

// The result of one level, from the last axis to the first.
template <class T>
void merge_axes(const WholeKernels<T>& kernels, const WholeAxis* axes, int count,
                const ArrayView<const T>* bands, const ArrayView<T>& out) {
  Scratch scratch;
  std::vector<ArrayView<const T>> parts(bands, bands + (std::size_t{1} << count));
  for (int i = count - 1; i >= 0; --i) {
    for (std::size_t b = 0; b < parts.size() / 2; ++b) {
      const ArrayView<const T> pair[2] = {parts[2 * b], parts[2 * b + 1]};
      parts[b] = ArrayView<const T>{};
      if (!pair[0].data && !pair[1].data) continue;
      ArrayView<T> whole = out;
      if (i > 0) whole.data = scratch.take<T>(numbers_of(out));
      kernels.merge(axes + i, 1, pair, whole);
      parts[b] = as_input(whole);
    }
    parts.resize(parts.size() / 2);
  }
}

}  // namespace

template <class T>
void split_whole_levels(const WholeTable& table, const WholeLevels& levels,
                        const ArrayView<const T>& x, ArrayView<T>* bands) {
  if (numbers_of(x) == 0) return;
  const WholeKernels<T>& kernels = kernels_for<T>(table);
  split_runs(level_runs(levels.axes, levels.counts, x, levels_together), x, bands,
             [&](const WholeRun& run, const ArrayView<const T>& source, ArrayView<T>* parts) {
               if (run.count > 1) split_axes(kernels, run.axes, run.count, source, parts);
               else kernels.split(run.axes, run.depth, source, parts, false);
             });
}

template <class T>
void merge_whole_levels(const WholeTable& table, const WholeLevels& levels,
                        ArrayView<const T>* bands, const ArrayView<T>& out) {
  if (numbers_of(out) == 0) return;
  const WholeKernels<T>& kernels = kernels_for<T>(table);
  merge_runs(level_runs(levels.axes, levels.counts, out, levels_together), bands, out, out,
             [&](const WholeRun& run, const ArrayView<const T>* parts, const ArrayView<T>& result) {
               if (run.count > 1) merge_axes(kernels, run.axes, run.count, parts, result);
               else kernels.merge(run.axes, run.depth, parts, result);
             });
}

#define LIFTWAVE_LEVELS(T)                                                                        \
  template void split_whole_levels(const WholeTable&, const WholeLevels&,                         \
                                   const ArrayView<const T>&, ArrayView<T>*);                     \
  template void merge_whole_levels(const WholeTable&, const WholeLevels&, ArrayView<const T>*,    \
                                   const ArrayView<T>&);
LIFTWAVE_LEVELS(float)
LIFTWAVE_LEVELS(double)
LIFTWAVE_LEVELS(std::int16_t)
LIFTWAVE_LEVELS(std::int32_t)
LIFTWAVE_LEVELS(std::int64_t)
#undef LIFTWAVE_LEVELS

}  // namespace liftwave
