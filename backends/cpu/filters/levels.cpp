#include "filters/levels.hpp"

#include <algorithm>

#include "common/parallel.hpp"
#include "filters/groups.hpp"

namespace liftwave {
namespace {

int first_axis(const std::vector<AxisPlan>& axes) { return axes.front().axis; }

// --- analysis --------------------------------------------------------------------------------

template <class T>
void analyse_in_turn(const FilterKernels<T>& kernels, const std::vector<AnalysisLevel>& levels,
                     std::size_t first, const ArrayView<const T>& x, ArrayView<T>* bands,
                     Scratch& scratch) {
  ArrayView<const T> approx;
  const ArrayView<const T>* source = &x;
  for (std::size_t i = first; i < levels.size(); ++i) {
    const AnalysisLevel& level = levels[i];
    if (!bands[0].data) allocate(bands[0], scratch);
    if (numbers_of(bands[0]) > 0) {
      kernels.analyse(*source, bands, level.bands, level.axes.data(),
                      static_cast<int>(level.axes.size()));
    }
    if (i + 1 == levels.size()) break;
    approx = as_input(bands[0]);
    source = &approx;
    bands += level.bands;
  }
}

// Bytes of the shortest part of a line that a thread takes through several levels.
constexpr index_t piece_bytes = 256 * 1024;

// Computes the first levels of long lines in one pass; returns their number.
template <class T>
std::size_t analyse_in_blocks(const FilterKernels<T>& kernels,
                              const std::vector<AnalysisLevel>& levels, const ArrayView<const T>& x,
                              ArrayView<T>* bands, Scratch& scratch) {
  const int axis = first_axis(levels[0].axes);
  std::vector<const FilterPlan*> plans;
  for (const AnalysisLevel& level : levels) {
    const FilterPlan& plan = level.axes[0].plan;
    if (level.axes.size() > 1 || level.bands != 2 || !plan.fold.empty()) break;
    plans.push_back(&plan);
  }
  index_t lanes = 1;
  for (int d = axis + 1; d < x.ndim; ++d) lanes *= x.shape[d];
  const bool whole = merges_behind(&x, 1, axis) && lanes < most_lanes;
  if (!whole || plans.size() < 2 || numbers_of(x) == 0) return 0;
  const LineCascade cascade(plans, piece_bytes / (lanes * static_cast<index_t>(sizeof(T))));
  const int depth = cascade.depth();
  if (depth == 0) return 0;
  std::vector<ArrayView<T>> details;
  for (int level = 0; level < depth; ++level) details.push_back(bands[2 * level + 1]);
  ArrayView<T>& approx = bands[2 * (depth - 1)];
  if (!approx.data) allocate(approx, scratch);
  kernels.analyse_cascade(cascade, axis, x, details.data(), approx);
  return static_cast<std::size_t>(depth);
}

}  // namespace

template <class T>
void analyse_levels(const FilterKernels<T>& kernels, const std::vector<AnalysisLevel>& levels,
                    const ArrayView<const T>& x, ArrayView<T>* bands, std::size_t band_count) {
  Scratch scratch;
  if (levels.size() == 1) return analyse_in_turn(kernels, levels, 0, x, bands, scratch);
  const double bytes = 2.0 * sizeof(T) * static_cast<double>(numbers_of(x));
  const Groups groups(x, first_axis(levels[0].axes));
  if (groups.worthwhile(bytes)) {
    return parallel_for(groups.count, bytes, [&](index_t begin, index_t end) {
      std::vector<ArrayView<T>> parts(band_count);
      for (index_t group = begin; group < end; ++group) {
        Scratch of_group;
        for (std::size_t b = 0; b < band_count; ++b) parts[b] = groups.part(bands[b], group);
        analyse_in_turn(kernels, levels, 0, groups.part(x, group), parts.data(), of_group);
      }
    });
  }
  const std::size_t done = analyse_in_blocks(kernels, levels, x, bands, scratch);
  const ArrayView<const T> source = done ? as_input(bands[2 * (done - 1)]) : x;
  analyse_in_turn(kernels, levels, done, source, bands + 2 * done, scratch);
}

// --- synthesis -------------------------------------------------------------------------------

namespace {

template <class T>
void synthesise_in_turn(const FilterKernels<T>& kernels, SynthesisStage<T>* stages,
                        std::size_t count, Scratch& scratch) {
  for (std::size_t i = 0; i < count; ++i) {
    SynthesisStage<T>& stage = stages[i];
    if (stage.continues) {  // its shape is known, its memory is set only now
      ArrayView<const T>& approx = stage.bands[0];
      approx.data = stages[i - 1].result.data;
      std::copy_n(stages[i - 1].result.stride, approx.ndim, approx.stride);
    }
    if (!stage.result.data) allocate(stage.result, scratch);
    if (numbers_of(stage.result) == 0) continue;
    kernels.synthesise(stage.bands, stage.band_count, stage.result,
                       stage.axes->data(), static_cast<int>(stage.axes->size()));
  }
}

}  // namespace

template <class T>
void synthesise_levels(const FilterKernels<T>& kernels, SynthesisStage<T>* stages,
                       std::size_t count) {
  Scratch scratch;
  if (count == 1) return synthesise_in_turn(kernels, stages, count, scratch);
  const ArrayView<T>& result = stages[count - 1].result;
  const double bytes = 2.0 * sizeof(T) * static_cast<double>(numbers_of(result));
  const Groups groups(result, first_axis(*stages[0].axes));
  if (!groups.worthwhile(bytes)) return synthesise_in_turn(kernels, stages, count, scratch);
  parallel_for(groups.count, bytes, [&](index_t begin, index_t end) {
    std::size_t band_count = 0;
    for (std::size_t i = 0; i < count; ++i) band_count += static_cast<std::size_t>(stages[i].band_count);
    std::vector<SynthesisStage<T>> parts(stages, stages + count);
    std::vector<ArrayView<const T>> bands(band_count);
    for (index_t group = begin; group < end; ++group) {
      Scratch of_group;
      ArrayView<const T>* next = bands.data();
      for (std::size_t i = 0; i < count; ++i) {
        parts[i].bands = next;
        for (int b = 0; b < stages[i].band_count; ++b) *next++ = groups.part(stages[i].bands[b], group);
        parts[i].result = groups.part(stages[i].result, group);
      }
      synthesise_in_turn(kernels, parts.data(), count, of_group);
    }
  });
}

template void analyse_levels(const FilterKernels<float>&, const std::vector<AnalysisLevel>&,
                             const ArrayView<const float>&, ArrayView<float>*, std::size_t);
template void analyse_levels(const FilterKernels<double>&, const std::vector<AnalysisLevel>&,
                             const ArrayView<const double>&, ArrayView<double>*, std::size_t);
template void synthesise_levels(const FilterKernels<float>&, SynthesisStage<float>*, std::size_t);
template void synthesise_levels(const FilterKernels<double>&, SynthesisStage<double>*, std::size_t);

}  // namespace liftwave
