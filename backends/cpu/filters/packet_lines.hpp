// Wavelet packets of lines: blocks go through all levels, depth first.
#pragma once

#include "filters/analysis.hpp"
#include "filters/packet_blocks.hpp"
#include "filters/synthesis.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Samples first ... stop - 1 of a split line, in order: the reverse of split_samples.
template <class T, int Lanes>
void merge_samples(const SplitLine<T>& line, index_t first, index_t stop, T* to) {
  index_t i = first;
  const auto one = [&](index_t k) {
    for (int l = 0; l < Lanes; ++l) to[(k - first) * Lanes + l] = line.at(k)[l];
  };
  if (i < stop && (i & 1)) one(i++);
  constexpr index_t numbers = width<T, vector_bytes>, step = 2 * numbers / Lanes;
  for (; i + step <= stop; i += step) {
    vec<T, vector_bytes> low, high;
    merge<T, vector_bytes, Lanes>(load<T, vector_bytes>(line.at(i)),
                                  load<T, vector_bytes>(line.at(i + 1)), low, high);
    T* row = to + (i - first) * Lanes;
    store<vector_bytes>(row, low);
    store<vector_bytes>(row + numbers, high);
  }
  for (; i < stop; ++i) one(i);
}

// The same for any number of numbers per sample.
template <class T>
void merge_line(const SplitLine<T>& line, index_t first, index_t stop, T* to) {
  if (line.lanes == 1) return merge_samples<T, 1>(line, first, stop, to);
  if (line.lanes == 2) return merge_samples<T, 2>(line, first, stop, to);
  for (index_t i = first; i < stop; ++i) {
    std::copy_n(line.at(i), line.lanes, to + (i - first) * line.lanes);
  }
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

  // Computes all nodes below the root from samples of its line.
  void split_root(const Line<T>& line) const {
    split(lines_.root, [&](const FilterPlan& p, const Range& all, const auto& sink_at) {
      const index_t tile = std::max<index_t>(1, tile_bytes / bytes());
      for (index_t k = all.begin; k < all.end; k += tile) {
        Scratch scratch;
        const index_t stop = std::min(k + tile, all.end);
        const SplitLine<T> part = split_inputs(p, line, k, stop, scratch);
        filter_split_line(p, part, k, stop, sink_at(k), scratch.take<const T*>(p.length));
      }
    });
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

  // Computes all nodes below a node. `filter(plan, range, sink_at)` filters its samples;
  // `sink_at(k)` stores both bands from sample k on.
  template <class Filter>
  LIFTWAVE_NOINLINE void split(index_t number, const Filter& filter) const {
    const PacketNode* children = &node(node(number).children);
    const int level = children->level - first_;
    if (children[0].children < 0 && children[1].children < 0) return split_last(children, filter);
    Scratch scratch;
    const SplitLine<T> bands[2] = {split_memory(level, scratch), split_memory(level, scratch)};
    filter_into(bands, level, filter);
    for (int b = 0; b < 2; ++b) {
      if (children[b].place >= 0) keep(level, bands[b], memory(children[b], level));
      if (children[b].children >= 0) split_deeper(node(number).children + b, level, bands[b]);
    }
  }

  // Nodes without children: in order, not split into even and odd samples.
  template <class Filter>
  void split_last(const PacketNode* children, const Filter& filter) const {
    Scratch scratch;
    const int level = children->level - first_;
    const Range& all = ranges_.all[level];
    const Range& owned = ranges_.owned[level];
    const bool in_place = all.begin == owned.begin && all.end == owned.end && !lines_.past_caches;
    T* rows[2];
    for (int b = 0; b < 2; ++b) {
      rows[b] = in_place && children[b].place >= 0 ? memory(children[b], level)
                                                   : ordered_memory(level, scratch);
    }
    filter(lines_.blocks.plan(level - 1), all, [&](index_t k) {
      return Rows<T>{rows[0] + k * lanes_, rows[1] + k * lanes_};
    });
    const index_t begin = owned.begin * lanes_, count = owned.size() * lanes_;
    for (int b = 0; b < 2 && !in_place; ++b) {
      if (children[b].place < 0) continue;
      T* to = memory(children[b], level);
      if (lines_.past_caches) copy_past_caches(rows[b] + begin, to + begin, count);
      else std::copy_n(rows[b] + begin, count, to + begin);
    }
  }

  // Filters into split lines.
  template <class Filter>
  void filter_into(const SplitLine<T>* bands, int level, const Filter& filter) const {
    const FilterPlan& plan = lines_.blocks.plan(level - 1);
    const Range& all = ranges_.all[level];
    if (lanes_ == 1) return filter(plan, all, split_rows<1>(bands));
    if (lanes_ == 2) return filter(plan, all, split_rows<2>(bands));
    Scratch scratch;
    T* rows[2] = {ordered_memory(level, scratch), ordered_memory(level, scratch)};
    filter(plan, all, [&](index_t k) {
      return Rows<T>{rows[0] + k * lanes_, rows[1] + k * lanes_};
    });
    for (int b = 0; b < 2; ++b) {
      split_line<T>({rows[b], lanes_, lanes_, 1}, all.begin, all.end, bands[b]);
    }
  }

  // The sink of outputs from k on. If k is odd, its "even" samples are the odd ones of the line.
  template <int Lanes>
  static auto split_rows(const SplitLine<T>* bands) {
    return [bands](index_t k) {
      return SplitRows<T, Lanes>{bands[0].at(k), bands[0].at(k + 1), bands[1].at(k),
                                 bands[1].at(k + 1)};
    };
  }

  // Extends a node's samples beyond the ends, and computes all nodes below it.
  void split_deeper(index_t number, int level, const SplitLine<T>& line) const {
    const FilterPlan& p = lines_.blocks.plan(level);
    const Range read = read_by(level);
    extend_line<T>(
        p.extend, read.begin, read.end, lanes_,
        [&](index_t i, index_t lane) { return line.at(i)[lane]; },
        [&](index_t i) { return line.at(i); });
    split(number, [&](const FilterPlan&, const Range& all, const auto& sink_at) {
      Scratch scratch;
      filter_split_line(p, line, all.begin, all.end, sink_at(all.begin),
                        scratch.take<const T*>(p.length));
    });
  }

  // The samples of a level that the filters of the next one read, also beyond its ends.
  Range read_by(int level) const {
    const FilterPlan& p = lines_.blocks.plan(level);
    const Range& next = ranges_.all[level + 1];
    return {first_input(p, next.begin), stop_input(p, next.end)};
  }

  SplitLine<T> split_memory(int level, Scratch& scratch) const {
    const Range whole = level < lines_.blocks.depth() ? hull(ranges_.all[level], read_by(level))
                                                      : ranges_.all[level];
    return {whole.begin, whole.end, lanes_, scratch};
  }

  T* ordered_memory(int level, Scratch& scratch) const {
    const Range& all = ranges_.all[level];
    return scratch.take<T>(all.size() * lanes_) - all.begin * lanes_;
  }

  // Stores the owned samples of a split line, piece by piece through the L1 cache.
  void keep(int level, const SplitLine<T>& line, T* to) const {
    const Range& owned = ranges_.owned[level];
    if (!lines_.past_caches) return merge_line(line, owned.begin, owned.end, to + owned.begin * lanes_);
    Scratch scratch;
    const index_t piece = std::max<index_t>(1, tile_bytes / bytes());
    T* ordered = scratch.take<T>(piece * lanes_);
    for (index_t i = owned.begin; i < owned.end; i += piece) {
      const index_t stop = std::min(i + piece, owned.end);
      merge_line(line, i, stop, ordered);
      copy_past_caches(ordered, to + i * lanes_, (stop - i) * lanes_);
    }
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
      block.split_root(block.source(0, line, scratch));
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
