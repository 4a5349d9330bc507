// One level of the dual tree: the places and the taps of both halves of its outputs.
#pragma once

#include <vector>

#include "common/index.hpp"
#include "common/inline.hpp"

namespace liftwave {

// One half of the outputs along an axis, y[k] = sum_j f[j] x[stride k + phase - dilation j], by a
// low-pass and a high-pass. They are the samples of `parity` of their band.
struct DualTreeHalf {
  index_t phase;
  std::vector<double> low, high;
  int parity[2];
};

struct DualTreeAxis {
  index_t n;      // samples of the signal
  index_t count;  // outputs of each half
  int stride, dilation;
  // The samples that are repeated before and after the signal; -1 for zero.
  std::vector<index_t> before, after;
  DualTreeHalf halves[2];
  // Whether both halves are the samples of one line, filtered by symmetric filters around each.
  bool is_centred;

  // The sample at a place of the extended signal; -1 for zero.
  LIFTWAVE_INLINE index_t sample(index_t place) const {
    if (place < 0) return before.data()[place + static_cast<index_t>(before.size())];
    return place < n ? place : after.data()[place - n];
  }
};

inline constexpr int max_dual_tree_taps = 64;

}  // namespace liftwave
