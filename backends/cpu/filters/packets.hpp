// Wavelet packets: all levels of a tree.
#pragma once

#include "filters/kernels.hpp"
#include "filters/packet_tree.hpp"

namespace liftwave {

// All nodes. `arrays` are the results by level; levels without results have no data.
template <class T>
void analyse_packets(const FilterKernels<T>& kernels, const PacketTree& tree,
                     const ArrayView<const T>& x, const PacketArray<T>* arrays);

// The root, from the leaves in `arrays`.
template <class T>
void synthesise_packets(const FilterKernels<T>& kernels, const PacketTree& tree,
                        const PacketArray<const T>* arrays, const ArrayView<T>& out);

}  // namespace liftwave
