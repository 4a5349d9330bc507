#include "lifting/whole_levels.hpp"

#include <algorithm>

#include "common/alternating.hpp"

namespace liftwave {

void WholeAxis::prepare() {
  Range need[2] = {{0, 1}, {0, 1}};
  for (WholeStep& step : steps) {
    const auto [least, most] = std::minmax_element(step.place.begin(), step.place.end());
    step.least = *least;
    step.most = *most;
  }
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    Range& source = need[1 - step->target];
    source = hull(source, step->window(need[step->target]));
  }
  reach = hull(need[0], need[1]).size();
}

template <class T>
void split_whole_levels(const WholeTable& table, const std::vector<WholeLevel>& levels,
                        const ArrayView<const T>& x, ArrayView<T>* bands) {
  if (numbers_of(x) == 0) return;
  const WholeKernels<T>& kernels = kernels_for<T>(table);
  Alternating<T> memory(bands[0]);
  ArrayView<const T> source = x;
  for (const WholeLevel& level : levels) {
    if (!bands[0].data) bands[0] = memory.next();
    std::size_t gap = std::size_t{1} << level.size();  // of the bands that one band splits into
    for (const WholeAxis& axis : level) {
      const bool first = &axis == level.data();
      for (std::size_t b = 0; b < std::size_t{1} << level.size(); b += gap) {
        const ArrayView<T>&low = bands[b], &high = bands[b + gap / 2];
        kernels.split(axis, first ? source : as_input(low), low, high, !first);
      }
      gap /= 2;
    }
    source = as_input(bands[0]);
    bands += std::size_t{1} << level.size();
  }
}

template <class T>
void merge_whole_levels(const WholeTable& table, const std::vector<WholeLevel>& levels,
                        const ArrayView<const T>* bands, const ArrayView<T>& out) {
  if (numbers_of(out) == 0) return;
  const WholeKernels<T>& kernels = kernels_for<T>(table);
  Alternating<T> between(out);
  ArrayView<const T> approx = bands[0];
  for (const WholeLevel& level : levels) {
    const ArrayView<T> result = &level == &levels.back() ? out : between.next();
    Scratch scratch;
    std::vector<ArrayView<const T>> parts(bands, bands + (std::size_t{1} << level.size()));
    parts[0] = approx;
    for (auto axis = level.rbegin(); axis != level.rend(); ++axis) {
      for (std::size_t b = 0; b < parts.size() / 2; ++b) {
        const ArrayView<const T> low = parts[2 * b], high = parts[2 * b + 1];
        parts[b] = ArrayView<const T>{};
        if (!low.data && !high.data) continue;
        ArrayView<T> whole = result;
        if (&*axis != level.data()) whole.data = scratch.take<T>(numbers_of(out));
        kernels.merge(*axis, low, high, whole);
        parts[b] = as_input(whole);
      }
      parts.resize(parts.size() / 2);
    }
    approx = parts[0];
    bands += std::size_t{1} << level.size();
  }
}

#define LIFTWAVE_LEVELS(T)                                                                        \
  template void split_whole_levels(const WholeTable&, const std::vector<WholeLevel>&,             \
                                   const ArrayView<const T>&, ArrayView<T>*);                     \
  template void merge_whole_levels(const WholeTable&, const std::vector<WholeLevel>&,             \
                                   const ArrayView<const T>*, const ArrayView<T>&);
LIFTWAVE_LEVELS(float)
LIFTWAVE_LEVELS(double)
LIFTWAVE_LEVELS(std::int16_t)
LIFTWAVE_LEVELS(std::int32_t)
LIFTWAVE_LEVELS(std::int64_t)
#undef LIFTWAVE_LEVELS

}  // namespace liftwave
