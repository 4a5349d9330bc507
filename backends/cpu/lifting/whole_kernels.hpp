// Levels of lifting on the whole grid along one axis, tile by tile.
//
// A tile is a range of positions, and a strip of the numbers behind the axis. It goes through all
// levels in the caches, and computes what they read beyond its own range, except where the tile is a
// whole line: there, samples beyond the ends are copied after each step, in every boundary mode.
#pragma once

#include <type_traits>

#include "common/parallel.hpp"
#include "filters/analysis.hpp"
#include "lifting/whole_steps.hpp"

namespace liftwave::LIFTWAVE_ISA {

// The ranges of one level of a tile, from the last step to the first.
class WholeRanges {
 public:
  Range own[2];   // of the channels after all steps
  Range need[2];  // of the channels before all steps
  Range reach;    // all positions that are read or written

  void set(const WholeAxis& axis, Range low, Range high, bool is_whole, Scratch& scratch) {
    own[0] = need[0] = low;
    own[1] = need[1] = high;
    reach = hull(low, high);
    bounds_ = scratch.take<index_t>(2 * static_cast<index_t>(axis.steps.size()));
    for (std::size_t i = axis.steps.size(); i-- > 0;) {
      const WholeStep& step = axis.steps[i];
      bounds_[2 * i] = need[step.target].begin;
      bounds_[2 * i + 1] = need[step.target].end;
      const Range window = step.window(targets(i));
      reach = hull(reach, window);
      Range& source = need[1 - step.target];
      if (is_whole) continue;  // all samples
      source = hull(source, axis.ends == Ends::joined ? window : axis.sources(window));
    }
    reach = hull(reach, signal());
  }

  // What both channels need together.
  Range signal() const { return hull(need[0], need[1]); }

  // The targets of a step.
  Range targets(std::size_t step) const { return {bounds_[2 * step], bounds_[2 * step + 1]}; }

 private:
  index_t* bounds_;
};

// The tiles of an array along an axis.
struct WholeTiles {
  index_t n, lanes, width, strips, block, blocks;
  bool is_whole;

  WholeTiles(const WholeAxis* levels, int depth, index_t inner, bool whole_lines)
      : n(levels[0].n), lanes(inner), width(lanes <= 2 * whole_strip ? lanes : whole_strip),
        strips((lanes + width - 1) / width) {
    index_t beyond = 0;
    for (int level = 0; level < depth; ++level) beyond += levels[level].reach * width;
    const index_t numbers = std::max(whole_block, std::min(4 * beyond, largest_whole_block));
    block = std::max<index_t>(1, numbers / width);
    is_whole = whole_lines || levels[0].has_transposed || block >= n || 2 * beyond > largest_whole_block;
    resize(is_whole ? n : block);
  }

  // Sets the positions of a block.
  void resize(index_t positions) {
    block = std::clamp<index_t>(positions, 1, n);
    blocks = (n + block - 1) / block;
  }

  index_t items(const Batch& batch) const { return batch.size * strips * blocks; }

  // The place of an item: the line, its first number, the numbers of a position, and positions.
  struct Place {
    index_t line, lane, width;
    Range own;
  };
  Place place(index_t item) const {
    const index_t first = item % blocks * block, strip_number = item / blocks % strips;
    const index_t lane = strip_number * width;
    return {item / blocks / strips, lane, std::min(width, lanes - lane),
            {first, std::min(n, first + block)}};
  }
};

// Runs `work(k, count)` for the positions, or once if they are contiguous.
template <class Work>
void for_rows(Range positions, index_t width, bool contiguous, const Work& work) {
  if (positions.empty()) return;
  if (contiguous) return work(positions.begin, positions.size() * width);
  for (index_t k = positions.begin; k < positions.end; ++k) work(k, width);
}

// Both channels of one level of a tile, and its steps.
template <class T>
class WholeTile {
 public:
  // `memory`: of each channel, as many positions as the ranges reach.
  WholeTile(const WholeAxis& axis, const WholeRanges& ranges, bool is_whole, index_t width,
            T* const* memory)
      : axis_(axis), ranges_(ranges), width_(width), is_whole_(is_whole) {
    for (int c : {0, 1}) memory_[c] = {memory[c] - ranges.reach.begin * width, width};
  }

  // Whether steps read samples of the signal only, so that it needs no copy.
  bool is_inside() const {
    return !is_whole_ && ranges_.reach.begin >= 0 && ranges_.reach.end <= axis_.n;
  }
  bool never_extends() const { return !is_whole_ && axis_.ends == Ends::joined; }

  // Reads a channel in place.
  void use(int channel, WholeRows<const T> rows) { current_[channel] = rows; }

  // Uses the memory of a channel, which has what it needs.
  void use_memory(int channel) { current_[channel] = memory_[channel]; }

  // Copies what a channel needs from a line, times a factor. Without data: zeros.
  void copy_line(int channel, WholeRows<const T> rows, T factor) {
    use_memory(channel);
    const Range need = ranges_.need[channel];
    for (index_t k = need.begin; k < need.end;) {
      const index_t at = wrapped(k, axis_.n), some = std::min(need.end - k, axis_.n - at);
      copy({k, k + some}, rows, at - k, memory_[channel], factor);
      k += some;
    }
  }

  // The same from memory of these positions.
  void copy_part(int channel, WholeRows<const T> rows, T factor) {
    use_memory(channel);
    copy(ranges_.need[channel], rows, 0, memory_[channel], factor);
  }

  void run() {
    Pace pace;
    Scratch scratch;
    const T** sources = scratch.take<const T*>(axis_.most_taps);
    for (std::size_t i = 0; i < axis_.steps.size(); ++i) {
      const WholeStep& step = axis_.steps[i];
      const int target = step.target;
      const Range targets = ranges_.targets(i);
      if (step.transposed) {
        apply_transposed(step);
      } else {
        if (!never_extends()) extend(1 - target, step.window(targets));
        apply_step<T>(step, current_[1 - target], current_[target], memory_[target], targets, width_,
                      sources);
      }
      use_memory(target);
      pace.moved(3 * targets.size() * width_ * static_cast<index_t>(sizeof(T)));
    }
  }

  // Writes a band.
  void scale(int channel, Range positions, WholeRows<T> to, bool streamed) const {
    const WholeRows<const T> from = current_[channel];
    const T factor = static_cast<T>(axis_.scale[channel]);
    for_rows(positions, width_, from.pitch == width_ && to.pitch == width_, [&](index_t k, index_t count) {
      scale_row(from.at(k), to.at(k), factor, count, streamed);
    });
  }

  // Writes the signal.
  void add(Range positions, WholeRows<T> to, bool streamed) const {
    const WholeRows<const T> low = current_[0], high = current_[1];
    const T weight = static_cast<T>(axis_.weight);
    for_rows(positions, width_, to.pitch == width_, [&](index_t k, index_t count) {
      add_row(low.at(k), high.at(k), to.at(k), weight, count, streamed);
    });
  }

  const WholeRows<T>& memory(int channel) const { return memory_[channel]; }

 private:
  void copy(Range positions, WholeRows<const T> from, index_t shift, WholeRows<T> to, T factor) {
    for_rows(positions, width_, from.pitch == width_ || !from.data, [&](index_t k, index_t count) {
      if (from.data) return scale_row(from.at(k + shift), to.at(k), factor, count, false);
      T zero = 0;
      if constexpr (std::is_floating_point_v<T>) zero = zero * factor;  // with the factor's sign
      std::fill_n(to.at(k), count, zero);
    });
  }

  // A transposed step on a whole line: the sum over taps of the moved source, added to the target.
  void apply_transposed(const WholeStep& step) {
    if constexpr (std::is_floating_point_v<T>) {
      Scratch scratch;
      const index_t numbers = axis_.n * width_;
      T *moved = scratch.take<T>(numbers), *sum = scratch.take<T>(numbers);
      for (index_t j = 0; j < step.taps(); ++j) {
        move_back(axis_, current_[1 - step.target], step.place[static_cast<std::size_t>(j)], width_, moved);
        const T tap = taps_of<T>(step)[j];
        if (j == 0) std::fill_n(sum, numbers, T{0});
        for (index_t c = 0; c < numbers; ++c) sum[c] = sum[c] + tap * moved[c];
      }
      const T sign = step.subtract ? T{-1} : T{1};
      const T* in = current_[step.target].at(0);
      T* out = memory_[step.target].at(0);
      for (index_t c = 0; c < numbers; ++c) out[c] = in[c] + sign * sum[c];
    }
  }

  // Copies the samples beyond the ends that a step reads.
  void extend(int channel, Range window) {
    for (index_t k = window.begin; k < std::min<index_t>(window.end, 0); ++k) extend_at(channel, k);
    for (index_t k = std::max(window.begin, axis_.n); k < window.end; ++k) extend_at(channel, k);
  }

  void extend_at(int channel, index_t k) {
    const index_t from = axis_.source(k);
    T* to = memory_[channel].at(k);
    if (from < 0) std::fill_n(to, width_, T{0});
    else std::copy_n(memory_[channel].at(from), width_, to);
  }

  const WholeAxis& axis_;
  const WholeRanges& ranges_;
  index_t width_;
  bool is_whole_;
  WholeRows<T> memory_[2];
  WholeRows<const T> current_[2];
};

// The levels of a tile. Two levels that follow each other have different memory.
template <class T>
class WholeCascade {
 public:
  WholeCascade(const WholeAxis* levels, int depth, const WholeTiles& tiles, index_t width)
      : levels_(levels), depth_(depth), is_whole_(tiles.is_whole), width_(width) {}

  // Both bands of a part of a signal, level by level; approximations without data are not stored.
  void split(WholeRows<const T> x, Range own, const WholeRows<T>* bands, bool streamed) {
    Range low = own;
    for (int level = depth_ - 1; level >= 0; --level) {
      ranges_[level].set(levels_[level], low, own, is_whole_, scratch_);
      low = ranges_[level].signal();
    }
    allocate();
    for (int level = 0; level < depth_; ++level) {
      const WholeAxis& axis = levels_[level];
      WholeTile<T> tile = tile_of(level);
      const bool reads = level ? tile.never_extends() : tile.is_inside();
      for (int c : {0, 1}) {
        if (reads && axis.weight == 1) tile.use(c, x);
        else if (level) tile.copy_part(c, x, static_cast<T>(axis.weight));
        else tile.copy_line(c, x, static_cast<T>(axis.weight));
      }
      tile.run();
      tile.scale(1, own, bands[2 * level + 1], streamed);
      if (level + 1 == depth_) return tile.scale(0, own, bands[2 * level], streamed);
      tile.scale(0, ranges_[level].own[0], tile.memory(0), false);
      x = tile.memory(0);
    }
  }

  // A part of the signal with these bands, coarsest level first; bands without data are zero.
  void merge(const WholeRows<const T>* bands, Range own, WholeRows<T> out, bool streamed) {
    Range part = own;
    for (int level = depth_ - 1; level >= 0; --level) {
      ranges_[level].set(levels_[level], part, part, is_whole_, scratch_);
      part = ranges_[level].need[0];
    }
    allocate();
    for (int level = 0; level < depth_; ++level) {
      const WholeAxis& axis = levels_[level];
      WholeTile<T> tile = tile_of(level);
      if (level) {
        tile.use_memory(0);
        tile.scale(0, ranges_[level].need[0], tile.memory(0), false);
      } else {
        tile.copy_line(0, bands[0], static_cast<T>(axis.scale[0]));
      }
      tile.copy_line(1, bands[2 * level + 1], static_cast<T>(axis.scale[1]));
      tile.run();
      const Range positions = ranges_[level].own[0];
      if (level + 1 == depth_) return tile.add(positions, out, streamed);
      tile.add(positions, tile_of(level + 1).memory(0), false);
    }
  }

 private:
  void allocate() {
    index_t most = 0;
    for (int level = 0; level < depth_; ++level) most = std::max(most, ranges_[level].reach.size());
    for (T*& memory : memory_) memory = scratch_.take<T>(most * width_);
  }

  WholeTile<T> tile_of(int level) {
    return {levels_[level], ranges_[level], is_whole_, width_, memory_ + 2 * (level % 2)};
  }

  const WholeAxis* levels_;
  int depth_;
  bool is_whole_;
  index_t width_;
  Scratch scratch_;
  WholeRanges ranges_[max_whole_levels];
  T* memory_[4];
};

template <class T>
void split_whole(const WholeAxis* levels, int depth, const ArrayView<const T>& x,
                 const ArrayView<T>* bands, bool in_place) {
  Batch batch;
  const int axis = levels[0].axis;
  const Inner inner = split_dimensions(&x, 1, axis, axis, batch);
  const WholeTiles tiles(levels, depth, inner.count, in_place);
  const double bytes = sizeof(T) * static_cast<double>(numbers_of(x)) * (2 + depth);
  const bool streamed = bytes >= streamed_bytes;
  parallel_for(tiles.items(batch), bytes, [&](index_t begin, index_t end) {
    WholeRows<T> rows[2 * max_whole_levels];
    for (index_t item = begin; item < end; ++item) {
      const auto [line, lane, width, own] = tiles.place(item);
      for (int b = 0; b < 2 * depth; ++b) {
        rows[b] = {bands[b].data ? batch.locate(line, bands[b]) + lane : nullptr, tiles.lanes};
      }
      const WholeRows<const T> signal{batch.locate(line, x) + lane, tiles.lanes};
      WholeCascade<T>(levels, depth, tiles, width).split(signal, own, rows, streamed);
    }
    end_streams();
  });
}

// The second axis is split as soon as a block of positions along the first one is, in its memory.
template <class T>
void split_whole_planes(const WholeAxis* axes, const ArrayView<const T>& x, const ArrayView<T>* bands) {
  Batch batch;
  const Inner inner = split_dimensions(&x, 1, axes[0].axis, axes[1].axis, batch);
  const index_t row = axes[1].n * inner.count;
  WholeTiles rows(axes, 1, row, false);
  const WholeTiles lines(axes + 1, 1, inner.count, true);
  if (!rows.is_whole) rows.resize(std::max(4 * axes[0].reach, whole_plane / (2 * row)));
  const double bytes = 5.0 * sizeof(T) * static_cast<double>(numbers_of(x));
  const bool streamed = bytes >= streamed_bytes;
  parallel_for(batch.size * rows.blocks, bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      const index_t plane = item / rows.blocks, first = item % rows.blocks * rows.block;
      const Range own{first, std::min(rows.n, first + rows.block)};
      const T* signal = batch.locate(plane, x);
      T* band[4];
      for (int b = 0; b < 4; ++b) band[b] = batch.locate(plane, bands[b]);
      for (index_t lane = 0; lane < row; lane += rows.width) {
        const WholeRows<T> pair[2] = {{band[0] + lane, row}, {band[2] + lane, row}};
        const index_t width = std::min(rows.width, row - lane);
        WholeCascade<T>(axes, 1, rows, width).split({signal + lane, row}, own, pair, false);
      }
      for (index_t k = own.begin; k < own.end; ++k) {
        for (int half = 0; half < 4; half += 2) {
          for (index_t lane = 0; lane < lines.lanes; lane += lines.width) {
            const index_t at = k * row + lane, width = std::min(lines.width, lines.lanes - lane);
            const WholeRows<T> pair[2] = {{band[half] + at, lines.lanes}, {band[half + 1] + at, lines.lanes}};
            WholeCascade<T>(axes + 1, 1, lines, width).split(pair[0], {0, lines.n}, pair, streamed);
          }
        }
      }
    }
    end_streams();
  });
}

template <class T>
void merge_whole(const WholeAxis* levels, int depth, const ArrayView<const T>* bands,
                 const ArrayView<T>& out) {
  Batch batch;
  const int axis = levels[0].axis;
  const Inner inner = split_dimensions(&out, 1, axis, axis, batch);
  const WholeTiles tiles(levels, depth, inner.count, false);
  const double bytes = sizeof(T) * static_cast<double>(numbers_of(out)) * (2 + depth);
  const bool streamed = sizeof(T) * static_cast<double>(numbers_of(out)) * 2 >= streamed_bytes;
  parallel_for(tiles.items(batch), bytes, [&](index_t begin, index_t end) {
    WholeRows<const T> rows[2 * max_whole_levels];
    for (index_t item = begin; item < end; ++item) {
      const auto [line, lane, width, own] = tiles.place(item);
      for (int b = 0; b < 2 * depth; ++b) {
        rows[b] = {bands[b].data ? batch.locate(line, bands[b]) + lane : nullptr, tiles.lanes};
      }
      const WholeRows<T> signal{batch.locate(line, out) + lane, tiles.lanes};
      WholeCascade<T>(levels, depth, tiles, width).merge(rows, own, signal, streamed);
    }
    end_streams();
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
