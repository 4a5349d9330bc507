// Wavelet packets without downsampling: all levels of a tree. Each node is as large as the root.
#pragma once

#include "filters/kernels.hpp"
#include "filters/packet_tree.hpp"

namespace liftwave {

// `axes[l]` transforms nodes of level l to those of level l + 1, or back.
struct CircularTree {
  std::vector<std::vector<CircularAxis>> axes;
  std::vector<PacketNode> nodes;  // root first

  int depth() const { return static_cast<int>(axes.size()); }
  int width() const { return 1 << axes.front().size(); }
};

// All nodes. `x` and the results by level are contiguous from the first axis on; levels without
// results have no data.
template <class T>
void analyse_packets(const FilterKernels<T>& kernels, const CircularTree& tree,
                     const ArrayView<const T>& x, const PacketArray<T>* arrays);

// The root, from the leaves in `arrays`.
template <class T>
void synthesise_packets(const FilterKernels<T>& kernels, const CircularTree& tree,
                        const PacketArray<const T>* arrays, const ArrayView<T>& out);

}  // namespace liftwave
