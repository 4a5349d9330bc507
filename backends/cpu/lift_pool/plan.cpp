#include "lift_pool/plan.hpp"

#include <algorithm>

#include "common/require.hpp"

namespace liftwave {

namespace {

index_t held_of(const std::vector<index_t>& source, index_t half, int kernel) {
  index_t held = 1;
  for (index_t k = 0; k < half; ++k) {
    const index_t latest = std::min<index_t>(k + kernel / 2, half - 1);
    for (index_t q = k; q < k + kernel; ++q) {
      if (source[q] > latest) return 0;
      if (source[q] >= 0) held = std::max(held, latest - source[q] + 1);
    }
  }
  return held;
}

LiftPoolReads make_reads(index_t half, const std::vector<index_t>& source, int kernel) {
  LiftPoolReads reads;
  reads.source = source;
  const bool sound =
      static_cast<index_t>(source.size()) == half + kernel - 1 &&
      std::all_of(source.begin(), source.end(), [&](index_t at) { return -1 <= at && at < half; });
  if (!sound) fail("an axis' sources do not fit its length");
  const index_t before = (kernel - 1) / 2;
  std::vector<std::vector<LiftPoolReads::Use>> uses(static_cast<std::size_t>(half));
  const auto add = [&](index_t q) {
    if (source[q] < 0) return;
    for (int tap = 0; tap < kernel; ++tap)
      if (0 <= q - tap && q - tap < half) uses[source[q]].push_back({q - tap, tap});
  };
  // Uses inside come first, then those folded back from beyond the ends.
  for (index_t q = before; q < before + half; ++q) {
    if (source[q] != q - before) fail("inside, sources are the samples");
    add(q);
  }
  for (index_t q = 0; q < before; ++q) add(q);
  for (index_t q = before + half; q < static_cast<index_t>(source.size()); ++q) add(q);
  reads.first_use.push_back(0);
  for (const auto& of_sample : uses) {
    bool plain = static_cast<int>(of_sample.size()) == kernel;
    for (int tap = 0; plain && tap < kernel; ++tap) plain = of_sample[tap].tap == tap;
    reads.plain.push_back(plain);
    reads.uses.insert(reads.uses.end(), of_sample.begin(), of_sample.end());
    reads.first_use.push_back(static_cast<index_t>(reads.uses.size()));
  }
  reads.held = held_of(source, half, kernel);
  return reads;
}

LiftPoolAxis make_axis(index_t n, index_t last, const LiftPoolPlan::Sources& sources, int kernel) {
  if (n < 1 || last < 0 || last >= n) fail("an axis' sources do not fit its length");
  LiftPoolAxis axis{n, (n + 1) / 2, last, {}};
  for (std::size_t which = 0; which < 2; ++which)
    axis.reads[which] = make_reads(axis.half, sources[which], kernel);
  return axis;
}

}  // namespace

LiftPoolPlan::LiftPoolPlan(const std::vector<index_t>& sizes, const std::vector<index_t>& lasts,
                           const std::vector<Sources>& sources, int taps)
    : kernel(taps) {
  const std::size_t count = sizes.size();
  if (count < 1 || count > 8 || lasts.size() != count || sources.size() != count || taps < 1)
    fail("lifting pooling is of 1 to 8 axes");
  for (std::size_t a = 0; a < count; ++a)
    axes.push_back(make_axis(sizes[a], lasts[a], sources[a], taps));
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
