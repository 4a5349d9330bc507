#include "lift_pool/plan.hpp"

#include <algorithm>

#include "common/require.hpp"

namespace liftwave {

namespace {

LiftPoolAxis make_axis(index_t n, const std::vector<index_t>& source, int kernel) {
  LiftPoolAxis axis;
  axis.n = n;
  axis.half = (n + 1) / 2;
  axis.source = source;
  const bool sound = n > 0 && static_cast<index_t>(source.size()) == axis.half + kernel - 1 &&
                     std::all_of(source.begin(), source.end(),
                                 [&](index_t at) { return -1 <= at && at < axis.half; });
  if (!sound) fail("an axis' sources do not fit its length");
  const index_t before = (kernel - 1) / 2;
  std::vector<std::vector<LiftPoolAxis::Use>> uses(static_cast<std::size_t>(axis.half));
  const auto add = [&](index_t q) {
    if (source[q] < 0) return;
    for (int tap = 0; tap < kernel; ++tap)
      if (0 <= q - tap && q - tap < axis.half) uses[source[q]].push_back({q - tap, tap});
  };
  // Uses inside come first, then those folded back from beyond the ends.
  for (index_t q = before; q < before + axis.half; ++q) {
    if (source[q] != q - before) fail("inside, sources are the samples");
    add(q);
  }
  for (index_t q = 0; q < before; ++q) add(q);
  for (index_t q = before + axis.half; q < static_cast<index_t>(source.size()); ++q) add(q);
  axis.first_use.push_back(0);
  for (const auto& of_sample : uses) {
    bool plain = static_cast<int>(of_sample.size()) == kernel;
    for (int tap = 0; plain && tap < kernel; ++tap) plain = of_sample[tap].tap == tap;
    axis.plain.push_back(plain);
    axis.uses.insert(axis.uses.end(), of_sample.begin(), of_sample.end());
    axis.first_use.push_back(static_cast<index_t>(axis.uses.size()));
  }
  return axis;
}

}  // namespace

LiftPoolPlan::LiftPoolPlan(const std::vector<index_t>& sizes,
                           const std::vector<std::vector<index_t>>& sources, int taps)
    : kernel(taps) {
  if (sizes.empty() || sizes.size() > 8 || sizes.size() != sources.size() || taps < 1)
    fail("lifting pooling is of 1 to 8 axes");
  for (std::size_t a = 0; a < sizes.size(); ++a)
    axes.push_back(make_axis(sizes[a], sources[a], taps));
}

index_t LiftPoolPlan::samples() const {
  index_t count = 1;
  for (const LiftPoolAxis& axis : axes) count *= axis.n;
  return count;
}

index_t LiftPoolPlan::band_samples() const {
  index_t count = 1;
  for (const LiftPoolAxis& axis : axes) count *= axis.half;
  return count;
}

}  // namespace liftwave
