// Trees of wavelet packets: the nodes, and the arrays that hold them.
#pragma once

#include <vector>

#include "common/array_view.hpp"
#include "filters/plan.hpp"

namespace liftwave {

// One node. Its children follow each other in the list of nodes.
struct PacketNode {
  int level;         // 0 for the root
  index_t place;     // among the nodes of its level that the caller passes or gets; -1 for others
  index_t children;  // the number of the first child; -1 for a leaf
};

// A tree in which all nodes of a level have the same lengths. `axes[l]` transforms nodes of level l
// to those of level l + 1, or back.
struct PacketTree {
  std::vector<std::vector<AxisPlan>> axes;
  std::vector<PacketNode> nodes;  // root first

  int depth() const { return static_cast<int>(axes.size()); }
  int width() const { return 1 << axes.front().size(); }
};

// The nodes of one level in an array: node `place` is `first`, moved by `place * spacing` numbers.
template <class T>
struct PacketArray {
  ArrayView<T> first;
  index_t spacing = 0;

  LIFTWAVE_INLINE ArrayView<T> at(index_t place) const {
    ArrayView<T> node = first;
    node.data += place * spacing;
    return node;
  }
};

}  // namespace liftwave
