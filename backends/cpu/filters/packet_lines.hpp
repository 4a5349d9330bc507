// Wavelet packets of lines: blocks go through all levels, depth first.
#pragma once

#include <cstdint>

#include "filters/analysis.hpp"
#include "filters/packet_blocks.hpp"
#include "filters/synthesis.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Copies numbers past the caches: whole cache lines with non-temporal stores.
template <class T>
void copy_past_caches(const T* from, T* to, index_t count) {
  constexpr index_t line = 64, numbers = line / static_cast<index_t>(sizeof(T));
  const auto misplaced = static_cast<index_t>(reinterpret_cast<std::uintptr_t>(to) % line);
  const index_t head = std::min(count, misplaced ? (line - misplaced) / static_cast<index_t>(sizeof(T)) : 0);
  std::copy_n(from, head, to);
  index_t i = head;
  for (; i + numbers <= count; i += numbers) {
    for (index_t v = 0; v < numbers; v += width<T, vector_bytes>) {
      stream<vector_bytes>(to + i + v, load<T, vector_bytes>(from + i + v));
    }
  }
  std::copy_n(from + i, count - i, to + i);
}

// One block of one line: its ranges, and the memory of nodes.
template <class T, class Stored>
class PacketBlock {
 public:
  PacketBlock(const PacketLines<T>& lines, const PacketArray<Stored>* arrays, const Batch& batch,
              const Inner& inner, index_t item, Scratch& scratch)
      : lines_(lines), arrays_(arrays), inner_(inner), lanes_(inner.count),
        first_(lines.tree.nodes.data()[lines.root].level),
        starts_(scratch.take<Stored*>(lines.blocks.depth() + 1)) {
    const index_t count = lines.blocks.count();
    lines.blocks.ranges(item % count, ranges_);
    for (int level = 1; level <= lines.blocks.depth(); ++level) {
      const PacketArray<Stored>& array = arrays_[first_ + level];
      if (array.first.data) {
        starts_[level] = batch.locate(item / count, array.first) -
                         ranges_.turn * lines.blocks.length(level) * stride(level);
      }
    }
  }

  const PacketRanges& ranges() const { return ranges_; }
  index_t lanes() const { return lanes_; }

  // Samples all[level] of a line that blocks read: of the line itself, or copied where they go
  // beyond its end.
  Line<T> source(int level, const Line<T>& line, Scratch& scratch) const {
    const index_t n = lines_.blocks.length(level);
    const Range& all = ranges_.all[level];
    if (!ranges_.turn && all.end <= n) return line;
    T* copy = scratch.take<T>(all.size() * lanes_) - all.begin * lanes_;
    for (index_t i = all.begin; i < all.end; ++i) {
      const T* from = line.at(i % n);
      for (index_t l = 0; l < lanes_; ++l) copy[i * lanes_ + l] = from[l * line.lane_stride];
    }
    return {copy, lanes_, lanes_, 1};
  }

  // Computes all nodes below a node from samples of it.
  LIFTWAVE_NOINLINE void split(index_t number, const Line<T>& line) const {
    Scratch scratch;
    const PacketNode& parent = node(number);
    const int level = parent.level - first_ + 1;
    const Range& all = ranges_.all[level];
    const Range& owned = ranges_.owned[level];
    const bool in_place = all.begin == owned.begin && all.end == owned.end && !lines_.past_caches;
    T* bands[2];
    for (int b = 0; b < 2; ++b) {
      const PacketNode& child = node(parent.children + b);
      bands[b] = in_place && child.place >= 0
                     ? memory(child, level)
                     : scratch.take<T>(all.size() * lanes_) - all.begin * lanes_;
    }
    filter(level, line, bands);
    for (int b = 0; b < 2; ++b) {
      const PacketNode& child = node(parent.children + b);
      if (child.place >= 0 && !in_place) keep(owned, bands[b], memory(child, level));
      if (child.children >= 0) split(parent.children + b, {bands[b], lanes_, lanes_, 1});
    }
  }

  // Samples all[level] of a node from its children.
  LIFTWAVE_NOINLINE void merge(index_t number, T* out, bool past_caches) const {
    Scratch scratch;
    const PacketNode& parent = node(number);
    const int level = parent.level - first_;
    const Range& coefficients = ranges_.all[level + 1];
    Line<T> bands[2];
    for (int b = 0; b < 2; ++b) {
      const PacketNode& child = node(parent.children + b);
      if (child.place >= 0) {
        bands[b] = stored(child, level + 1, scratch);
      } else {
        T* merged = scratch.take<T>(coefficients.size() * lanes_) - coefficients.begin * lanes_;
        merge(parent.children + b, merged, false);
        bands[b] = {merged, lanes_, lanes_, 1};
      }
    }
    const FilterPlan& plan = lines_.blocks.plan(level);
    const Range& all = ranges_.all[level];
    const index_t tile = std::max<index_t>(2, 2 * tile_bytes / bytes());
    for (index_t i = all.begin; i < all.end; i += tile) {
      upsample_line(plan, bands, 2, i, std::min(i + tile, all.end), out + i * lanes_, past_caches);
    }
  }

 private:
  LIFTWAVE_INLINE const PacketNode& node(index_t number) const {
    return lines_.tree.nodes.data()[number];
  }
  index_t bytes() const { return lanes_ * static_cast<index_t>(sizeof(T)); }
  index_t stride(int level) const { return arrays_[first_ + level].first.stride[lines_.axis]; }

  Stored* memory(const PacketNode& child, int level) const {
    return starts_[level] + child.place * arrays_[first_ + level].spacing;
  }

  Line<T> stored(const PacketNode& child, int level, Scratch& scratch) const {
    const PacketArray<Stored>& array = arrays_[first_ + level];
    const T* start = memory(child, level) + ranges_.turn * lines_.blocks.length(level) * stride(level);
    return source(level, {start, stride(level), lanes_, inner_.stride(array.first)}, scratch);
  }

  void filter(int level, const Line<T>& line, T* const* bands) const {
    const FilterPlan& plan = lines_.blocks.plan(level - 1);
    const Range& all = ranges_.all[level];
    const index_t tile = std::max<index_t>(1, tile_bytes / bytes());
    for (index_t k = all.begin; k < all.end; k += tile) {
      filter_line(plan, line, k, std::min(k + tile, all.end),
                  {{bands[0] + k * lanes_, bands[1] + k * lanes_}, false});
    }
  }

  void keep(const Range& owned, const T* from, T* to) const {
    const index_t begin = owned.begin * lanes_, count = owned.size() * lanes_;
    if (lines_.past_caches) copy_past_caches(from + begin, to + begin, count);
    else std::copy_n(from + begin, count, to + begin);
  }

  const PacketLines<T>& lines_;
  const PacketArray<Stored>* arrays_;
  const Inner& inner_;
  index_t lanes_;
  int first_;
  Stored** starts_;
  PacketRanges ranges_;
};

// All nodes below the root, whose lines are `x`. `arrays` are the results by level.
template <class T>
void split_packets(const PacketLines<T>& lines, const ArrayView<const T>& x,
                   const PacketArray<T>* arrays) {
  Batch batch;
  const Inner inner = split_dimensions(&x, 1, lines.axis, lines.axis, batch);
  parallel_for(batch.size * lines.blocks.count(), lines.bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      Scratch scratch;
      const PacketBlock<T, T> block(lines, arrays, batch, inner, item, scratch);
      const Line<T> line{batch.locate(item / lines.blocks.count(), x), x.stride[lines.axis],
                         inner.count, inner.stride(x)};
      block.split(lines.root, block.source(0, line, scratch));
    }
    end_streams();
  });
}

// The lines `out` from the nodes below the root. `arrays` are the inputs by level.
template <class T>
void merge_packets(const PacketLines<T>& lines, const PacketArray<const T>* arrays,
                   const ArrayView<T>& out) {
  Batch batch;
  const Inner inner = split_dimensions(&out, 1, lines.axis, lines.axis, batch);
  parallel_for(batch.size * lines.blocks.count(), lines.bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      Scratch scratch;
      const PacketBlock<T, const T> block(lines, arrays, batch, inner, item, scratch);
      T* line = batch.locate(item / lines.blocks.count(), out);
      const index_t moved = block.ranges().turn * lines.blocks.length(0) * inner.count;
      block.merge(lines.root, line - moved, lines.past_caches);
    }
    end_streams();
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
