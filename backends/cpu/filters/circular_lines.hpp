// Several levels without downsampling along one axis, block by block: a block's approximations pass
// from level to level in the caches.
//
// A block computes approximations beyond its own range that its next levels need. Levels whose taps
// reach further than a block are computed one at a time, in ranges in which no tap passes the joint.
#pragma once

#include <utility>

#include "filters/analysis.hpp"
#include "filters/circular_sums.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Lines along an axis: the numbers of one line are contiguous. Its first `outputs` samples are
// computed.
struct CircularBlocks {
  index_t lanes, line, computed, block, per_line;
  bool past_caches;

  CircularBlocks(const CircularAxis& axis, index_t inner, index_t outputs, double bytes)
      : lanes(inner), line(axis.n * inner), computed(outputs * inner),
        block(std::min(computed, circular_block)), per_line((computed + block - 1) / block),
        past_caches(bytes >= streamed_bytes) {}

  index_t start(index_t item) const { return item % per_line * block; }
  index_t stop(index_t item) const { return std::min(computed, start(item) + block); }
};

// The numbers that each level of a block computes: those of the block, and what follows needs. They
// begin on cache lines, if the line does.
struct BlockRanges {
  static constexpr index_t numbers_of_line = 16;

  index_t from[max_circular_levels + 1], to[max_circular_levels + 1];

  // `reach(level)` is the axis between range `level` and range `level + 1`.
  template <class Axis>
  BlockRanges(int depth, index_t start, index_t stop, index_t lanes, const Axis& axis) {
    from[depth] = start;
    to[depth] = stop;
    for (int level = depth - 1; level >= 0; --level) {
      from[level] = (from[level + 1] - axis(level).before() * lanes) & -numbers_of_line;
      to[level] = to[level + 1] + axis(level).behind() * lanes;
    }
  }

  template <class T>
  T* take(int level, Scratch& scratch) const {
    return scratch.take<T>(to[level] - from[level]) - from[level];
  }
};

// --- analysis --------------------------------------------------------------------------------

// Both outputs of one filter pair, for outputs start ... stop - 1.
template <class T, class Address>
void split_range(const CircularAxis& axis, index_t start, index_t stop, T* low, T* high,
                 bool past_caches, Scratch& scratch, const Address& at) {
  const T** source = scratch.take<const T*>(axis.taps());
  for (index_t j = 0; j < axis.taps(); ++j) {
    source[j] = at(axis.at(j)) + start;
  }
  Filtering<T> filtering{source, axis.low.as<T>(), axis.high.as<T>(),
                         static_cast<int>(axis.taps())};
  filter(filtering, stop - start, OutputRows<T>{{low + start, high + start}, past_caches});
}

template <class T>
void low_range(const CircularAxis& axis, const T* in, index_t lanes, index_t start, index_t stop,
               T* low, Scratch& scratch) {
  if (start >= stop) return;
  Terms<T> terms(axis.taps(), axis.taps(), scratch);
  terms.add(axis, axis.low, [&](index_t j) { return in + axis.at(j) * lanes; });
  sum_terms(terms, start, stop, low, false);
}

// One block of a line through `depth` levels. `approx[level]` is null unless the caller wants it.
template <class T>
void split_block(const CircularAxis* levels, int depth, const CircularBlocks& blocks, const T* line,
                 index_t start, index_t stop, T* const* approx, T* const* detail) {
  Scratch scratch;
  const index_t lanes = blocks.lanes;
  const BlockRanges ranges(depth, start, stop, lanes, [&](int level) -> const CircularAxis& { return levels[level]; });
  const T* in = periodic_line(line, blocks.line, ranges.from[0], ranges.to[0], scratch);
  for (int level = 0; level < depth; ++level) {
    const CircularAxis& axis = levels[level];
    const bool last = level + 1 == depth;
    T* low = last ? approx[level] : ranges.template take<T>(level + 1, scratch);
    low_range(axis, in, lanes, ranges.from[level + 1], start, low, scratch);
    low_range(axis, in, lanes, stop, ranges.to[level + 1], low, scratch);
    split_range(axis, start, stop, low, detail[level], blocks.past_caches, scratch,
                [&](index_t offset) { return in + offset * lanes; });
    if (!last && approx[level]) std::copy(low + start, low + stop, approx[level] + start);
    in = low;
  }
}

template <class T>
void split_far(const CircularAxis& axis, const CircularBlocks& blocks, const T* line, index_t start,
               index_t stop, T* approx, T* detail) {
  unbroken_ranges(axis, blocks.lanes, start, stop, [&](index_t from, index_t to) {
    Scratch scratch;
    split_range(axis, from, to, approx, detail, false, scratch, [&](index_t offset) {
      return line + (wrapped(from + offset * blocks.lanes, blocks.line) - from);
    });
  });
}

// Levels of an analysis of lines; see FilterKernels.
template <class T>
void split_lines(const CircularAxis* levels, int depth, const ArrayView<const T>& x,
                 const ArrayView<T>* bands) {
  Batch batch;
  const int axis = levels[0].axis;
  const Inner inner = split_dimensions(&x, 1, axis, axis, batch);
  const double numbers = static_cast<double>(numbers_of(x)), bytes = sizeof(T) * numbers * (1 + depth);
  const CircularBlocks blocks(levels[0], inner.count, levels[0].n, bytes);
  const bool far = depth == 1 && is_far(levels[0], inner.count);
  parallel_for(batch.size * blocks.per_line, bytes, [&](index_t begin, index_t end) {
    T *low[max_circular_levels], *high[max_circular_levels];
    for (index_t item = begin; item < end; ++item) {
      const index_t line = item / blocks.per_line, start = blocks.start(item), stop = blocks.stop(item);
      const T* from = batch.locate(line, x);
      for (int level = 0; level < depth; ++level) {
        low[level] = bands[2 * level].data ? batch.locate(line, bands[2 * level]) : nullptr;
        high[level] = batch.locate(line, bands[2 * level + 1]);
      }
      if (far) split_far(levels[0], blocks, from, start, stop, low[0], high[0]);
      else split_block(levels, depth, blocks, from, start, stop, low, high);
    }
    end_streams();
  });
}

// --- synthesis -------------------------------------------------------------------------------

// One block through `depth` levels, coarsest first. Missing bands are null; the first level has one.
template <class T>
void merge_block(const CircularAxis* levels, int depth, const CircularBlocks& blocks,
                 const T* approx, const T* const* detail, index_t start, index_t stop, T* out) {
  Scratch scratch;
  const index_t lanes = blocks.lanes, n = blocks.line;
  const BlockRanges ranges(depth, start, stop, lanes, [&](int level) -> const CircularAxis& { return levels[level]; });
  if (approx) approx = periodic_line(approx, n, ranges.from[0], ranges.to[0], scratch);
  for (int level = 0; level < depth; ++level) {
    const CircularAxis& axis = levels[level];
    const bool last = level + 1 == depth;
    Terms<T> terms(2 * axis.taps(), axis.taps() / 2, scratch);
    if (approx) terms.add(axis, axis.low, [&](index_t j) { return approx + axis.at(j) * lanes; });
    if (detail[level]) {
      const T* high = periodic_line(detail[level], n, ranges.from[level], ranges.to[level], scratch);
      terms.add(axis, axis.high, [&](index_t j) { return high + axis.at(j) * lanes; });
    }
    T* result = last ? out : ranges.template take<T>(level + 1, scratch);
    sum_terms(terms, ranges.from[level + 1], ranges.to[level + 1], result, last && blocks.past_caches);
    approx = result;
  }
}

template <class T>
void merge_far(const CircularAxis& axis, const CircularBlocks& blocks, const T* approx,
               const T* detail, index_t start, index_t stop, T* out) {
  unbroken_ranges(axis, blocks.lanes, start, stop, [&](index_t from, index_t to) {
    Scratch scratch;
    Terms<T> terms(2 * axis.taps(), axis.taps() / 2, scratch);
    for (const auto& [band, filter] : {std::pair{approx, &axis.low}, std::pair{detail, &axis.high}}) {
      if (!band) continue;
      const T* line = band;
      terms.add(axis, *filter, [&](index_t j) {
        return line + (wrapped(from + axis.at(j) * blocks.lanes, blocks.line) - from);
      });
    }
    sum_terms(terms, from, to, out, false);
  });
}

// Levels of a synthesis of lines; see FilterKernels.
template <class T>
void merge_lines(const CircularAxis* levels, int depth, const ArrayView<const T>* bands,
                 const ArrayView<T>& out) {
  Batch batch;
  const int axis = levels[0].axis;
  const Inner inner = split_dimensions(&out, 1, axis, axis, batch);
  const double numbers = static_cast<double>(numbers_of(out)), bytes = sizeof(T) * numbers * (1 + depth);
  const CircularBlocks blocks(levels[0], inner.count, out.shape[axis], sizeof(T) * numbers * 2);
  const bool far = depth == 1 && is_far(levels[0], inner.count);
  parallel_for(batch.size * blocks.per_line, bytes, [&](index_t begin, index_t end) {
    const T* high[max_circular_levels];
    for (index_t item = begin; item < end; ++item) {
      const index_t line = item / blocks.per_line, start = blocks.start(item), stop = blocks.stop(item);
      const T* low = bands[0].data ? batch.locate(line, bands[0]) : nullptr;
      T* to = batch.locate(line, out);
      for (int level = 0; level < depth; ++level) {
        const ArrayView<const T>& band = bands[2 * level + 1];
        high[level] = band.data ? batch.locate(line, band) : nullptr;
      }
      if (far) merge_far(levels[0], blocks, low, high[0], start, stop, to);
      else merge_block(levels, depth, blocks, low, high, start, stop, to);
    }
    end_streams();
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
