// The increment of one step of lifting on the whole grid, for derivatives.
#pragma once

#include "lifting/whole_kernels.hpp"

namespace liftwave::LIFTWAVE_ISA {

template <class T>
void increment_whole(const WholeAxis& axis, const ArrayView<const T>& source, const ArrayView<T>& out) {
  Batch batch;
  const Inner inner = split_dimensions(&source, 1, axis.axis, axis.axis, batch);
  const WholeTiles tiles(&axis, 1, inner.count, false);
  const double bytes = 2.0 * sizeof(T) * static_cast<double>(numbers_of(source));
  const int target = axis.steps.front().target;
  parallel_for(tiles.items(batch), bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      const auto [line, lane, width, own] = tiles.place(item);
      Scratch scratch;
      WholeRanges ranges;
      ranges.set(axis, own, own, tiles.is_whole, scratch);
      const index_t numbers = ranges.reach.size() * width;
      T* const memory[2] = {scratch.take<T>(numbers), scratch.take<T>(numbers)};
      WholeTile<T> tile(axis, ranges, tiles.is_whole, width, memory);
      const WholeRows<const T> from{batch.locate(line, source) + lane, tiles.lanes};
      if (tile.is_inside()) tile.use(1 - target, from);
      else tile.copy_line(1 - target, from, T{1});
      tile.copy_line(target, {}, T{1});  // zeros
      tile.run();
      tile.scale(target, own, {batch.locate(line, out) + lane, tiles.lanes}, false);
    }
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
