// Blocks of lines that go through all levels of a packet tree while they are in the caches.
//
// All nodes of a level have one plan, so a block is one range of samples for each level. Near its
// borders a block needs samples of its neighbours, which it computes itself.
#pragma once

#include <algorithm>
#include <vector>

#include "filters/line_cascade.hpp"
#include "filters/packet_tree.hpp"

namespace liftwave {

// The ranges of one block, by level below its root.
struct PacketRanges {
  static constexpr int most_levels = 24;

  Range all[most_levels + 1];    // samples that the block computes or reads
  Range owned[most_levels + 1];  // those that no other block writes
  index_t turn = 0;              // all ranges are moved by `turn` lengths
};

class PacketBlocks {
 public:
  // Blocks of about `samples` samples of the root. A line of at most so many is one block.
  PacketBlocks(std::vector<const FilterPlan*> plans, bool synthesis, index_t samples);

  // Zero if blocks do not pay off.
  index_t count() const { return count_; }
  int depth() const { return static_cast<int>(plans_.size()); }
  LIFTWAVE_INLINE index_t length(int level) const { return lengths_.data()[level]; }

  // The plan from nodes of a level to those of the next one, or back. If blocks wrap, it extends
  // nothing.
  LIFTWAVE_INLINE const FilterPlan& plan(int level) const {
    return wraps_ ? endless_.data()[level] : *plans_.data()[level];
  }

  // Ranges of blocks that wrap go beyond the end of a line, where its first samples follow again.
  void ranges(index_t block, PacketRanges& to) const;

 private:
  bool can_run() const;
  bool pays() const;
  void make_endless();
  index_t start(int level, index_t block) const;

  std::vector<const FilterPlan*> plans_;
  std::vector<FilterPlan> endless_;
  std::vector<index_t> lengths_;
  bool synthesis_;
  bool wraps_ = false;
  index_t block_ = 0;  // samples of a block on the last level
  index_t count_ = 0;
};

// Lines along one axis, and the subtree that each of them is the root of.
template <class T>
struct PacketLines {
  const PacketTree& tree;
  const PacketBlocks& blocks;
  index_t root;
  int axis;
  double bytes;      // moved
  bool past_caches;  // whether results are too large for the caches
};

}  // namespace liftwave
