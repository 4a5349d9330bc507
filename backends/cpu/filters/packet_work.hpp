// What all trees of packets have in common: work on the nodes, on batches, and the root's copy.
#pragma once

#include <algorithm>
#include <vector>

#include "common/parallel.hpp"
#include "filters/groups.hpp"
#include "filters/packet_tree.hpp"

namespace liftwave {

template <class T>
double bytes_of(const ArrayView<T>& a) {
  return sizeof(T) * static_cast<double>(numbers_of(a));
}

// Copies the signal to the array of level 0.
template <class T>
void copy_root(const ArrayView<const T>& x, const ArrayView<T>& to, int axis) {
  Batch batch;
  const Inner inner = split_dimensions(&x, 1, axis, axis, batch);
  const index_t n = x.shape[axis], lanes = inner.count, piece = index_t{1} << 16;
  const index_t pieces = (n + piece - 1) / piece;
  parallel_for(batch.size * pieces, 2 * bytes_of(x), [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      const T* from = batch.locate(item / pieces, x);
      T* into = batch.locate(item / pieces, to);
      const index_t first = item % pieces * piece, stop = std::min(first + piece, n);
      const bool whole = x.stride[axis] == lanes && to.stride[axis] == lanes;
      if (whole && (lanes == 1 || inner.stride(x) == 1)) {
        std::copy(from + first * lanes, from + stop * lanes, into + first * lanes);
        continue;
      }
      for (index_t i = first; i < stop; ++i) {
        for (index_t l = 0; l < lanes; ++l) {
          into[i * to.stride[axis] + l] = from[i * x.stride[axis] + l * inner.stride(x)];
        }
      }
    }
  });
}

// Runs `work(arrays, x)` for groups of the items in front of `axis` if there are enough of them, else
// for all items. `bytes`: that one level moves.
template <class T, class Stored, class F>
void for_groups(int depth, int axis, double bytes, const ArrayView<T>& x,
                const PacketArray<Stored>* arrays, const F& work) {
  const Groups groups(x, axis);
  if (!groups.worthwhile(bytes)) return work(arrays, x);
  const std::size_t levels = static_cast<std::size_t>(depth) + 1;
  parallel_for(groups.count, bytes * depth, [&](index_t begin, index_t end) {
    std::vector<PacketArray<Stored>> parts(arrays, arrays + levels);
    for (index_t group = begin; group < end; ++group) {
      for (std::size_t l = 0; l < levels; ++l) parts[l].first = groups.part(arrays[l].first, group);
      work(parts.data(), groups.part(x, group));
    }
  });
}

}  // namespace liftwave
