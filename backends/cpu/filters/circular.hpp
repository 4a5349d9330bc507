// Filters without downsampling along an axis whose ends are joined, as plain data.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "common/inline.hpp"
#include "filters/plan.hpp"

namespace liftwave {

// Two filters along one axis of n samples:
//   y[k] = sum_j taps[j] x[(k + offset[j]) mod n].
// Analysis computes both outputs from one input, synthesis the sum of both from two inputs.
struct CircularAxis {
  int axis = 0;
  index_t n = 0;
  std::vector<index_t> offset;  // between -n and n, see `normalize`
  Taps low, high;
  // Outputs of tap j at k and of tap j + 1 at k + step read the same sample. Positions 0, step,
  // 2 step, ... are a cycle of `cycle` positions, and there are n / cycle cycles.
  index_t step = 0, cycle = 1;

  LIFTWAVE_INLINE index_t taps() const { return static_cast<index_t>(offset.size()); }
  LIFTWAVE_INLINE index_t at(index_t j) const { return offset[static_cast<std::size_t>(j)]; }
  // Samples that outputs need before and behind their own positions.
  LIFTWAVE_INLINE index_t before() const {
    return -std::min<index_t>(0, *std::min_element(offset.begin(), offset.end()));
  }
  LIFTWAVE_INLINE index_t behind() const {
    return std::max<index_t>(0, *std::max_element(offset.begin(), offset.end()));
  }

  // How far the sample that a tap reads is before that of the tap before it; zero if this differs.
  index_t spacing() const {
    const index_t first = taps() > 1 ? at(0) - at(1) : 1;
    for (index_t j = 1; j < taps(); ++j) {
      if (at(j - 1) - at(j) != first) return 0;
    }
    return first;
  }

  // Position i of the cycle that begins at `first`.
  LIFTWAVE_INLINE index_t position(index_t first, index_t i) const {
    return (first + i % cycle * step) % n;
  }

  // Moves each offset by a multiple of n, so that all lie in the shortest range, near zero.
  void normalize() {
    if (taps() > 1) step = ((offset[0] - offset[1]) % n + n) % n;
    cycle = n / std::gcd(n, step);
    for (index_t& o : offset) o = (o % n + n) % n;
    std::vector<index_t> sorted = offset;
    std::sort(sorted.begin(), sorted.end());
    // On the circle of n positions, the range begins behind the longest gap.
    index_t first = sorted.front(), gap = sorted.front() + n - sorted.back();
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      if (sorted[i] - sorted[i - 1] <= gap) continue;
      first = sorted[i];
      gap = sorted[i] - sorted[i - 1];
    }
    const index_t turn = first + (n - gap) / 2 > n / 2 ? n : 0;
    for (index_t& o : offset) o += (o < first ? n : 0) - turn;
  }
};

// The most levels that a block passes through.
inline constexpr int max_circular_levels = 16;

// Numbers of one block.
inline constexpr index_t circular_block = 16384;

// Positions along the first of several axes in one block, each of `plane` numbers.
LIFTWAVE_INLINE index_t positions_of_block(index_t plane) {
  return std::max<index_t>(1, 32 * circular_block / plane);
}

// Whether taps reach so far that a block would copy more than it computes.
LIFTWAVE_INLINE bool is_far(const CircularAxis& axis, index_t lanes) {
  return (axis.before() + axis.behind()) * lanes > circular_block;
}

}  // namespace liftwave
