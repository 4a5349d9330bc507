// Indices, and ranges of them.
#pragma once

#include <algorithm>
#include <cstddef>

#include "common/inline.hpp"

namespace liftwave {

using index_t = std::ptrdiff_t;

// Indices `begin` … `end - 1`.
struct Range {
  index_t begin = 0;
  index_t end = 0;

  LIFTWAVE_INLINE index_t size() const { return std::max<index_t>(end - begin, 0); }
  LIFTWAVE_INLINE bool empty() const { return end <= begin; }
  LIFTWAVE_INLINE bool contains(index_t i) const { return begin <= i && i < end; }
  LIFTWAVE_INLINE Range clipped(index_t from, index_t to) const {
    return {std::clamp(begin, from, to), std::clamp(end, from, to)};
  }
};

// An empty intersection begins at the larger of both `begin`.
LIFTWAVE_INLINE Range intersection(Range a, Range b) {
  const Range r{std::max(a.begin, b.begin), std::min(a.end, b.end)};
  return r.empty() ? Range{r.begin, r.begin} : r;
}

// The smallest range that contains both.
LIFTWAVE_INLINE Range hull(Range a, Range b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

}  // namespace liftwave
