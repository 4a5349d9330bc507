// Lifting on the whole grid along one axis, tile by tile.
//
// A tile is a range of positions, and a strip of the numbers behind the axis. It computes what the
// steps of its own range read beyond it, except where the tile is a whole line: there, samples beyond
// the ends are copied after each step, in every boundary mode.
#pragma once

#include <type_traits>

#include "common/parallel.hpp"
#include "filters/analysis.hpp"
#include "lifting/whole_steps.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Numbers of each channel of a tile.
inline constexpr index_t whole_block = 8192, largest_whole_block = 65536;

// The ranges of one tile, from the last step to the first.
struct WholeRanges {
  Range need[2];    // of the channels before all steps
  Range reach;      // all positions that are read or written

  WholeRanges(const WholeAxis& axis, Range own, bool is_whole, Scratch& scratch)
      : need{own, own}, reach(own),
        bounds_(scratch.take<index_t>(2 * static_cast<index_t>(axis.steps.size()))) {
    for (std::size_t i = axis.steps.size(); i-- > 0;) {
      const WholeStep& step = axis.steps[i];
      bounds_[2 * i] = need[step.target].begin;
      bounds_[2 * i + 1] = need[step.target].end;
      const Range window = step.window(targets(i));
      reach = hull(reach, window);
      Range& source = need[1 - step.target];
      if (is_whole) source = own;
      else if (axis.ends == Ends::joined) source = hull(source, window);
      else source = hull(source, axis.sources(window));
    }
    reach = hull(reach, hull(need[0], need[1]));
  }

  // The targets of a step.
  Range targets(std::size_t step) const { return {bounds_[2 * step], bounds_[2 * step + 1]}; }

 private:
  index_t* bounds_;
};

// The tiles of an array along an axis.
struct WholeTiles {
  index_t n, lanes, width, strips, block, blocks;
  bool is_whole;

  template <class T>
  static WholeTiles of(const WholeAxis& axis, index_t lanes, bool whole_lines, T) {
    WholeTiles tiles{};
    tiles.n = axis.n;
    tiles.lanes = lanes;
    tiles.width = lanes <= 2 * strip<T> ? lanes : strip<T>;
    tiles.strips = (lanes + tiles.width - 1) / tiles.width;
    const index_t beyond = axis.reach * tiles.width;
    const index_t numbers = std::max(whole_block, std::min(4 * beyond, largest_whole_block));
    tiles.block = std::max<index_t>(1, numbers / tiles.width);
    tiles.is_whole = whole_lines || tiles.block >= axis.n || 2 * beyond > largest_whole_block;
    if (tiles.is_whole) tiles.block = axis.n;
    tiles.blocks = (axis.n + tiles.block - 1) / tiles.block;
    return tiles;
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

// The memory of both channels of a tile, and its steps.
template <class T>
class WholeTile {
 public:
  WholeTile(const WholeAxis& axis, Range own, bool is_whole, index_t width, Scratch& scratch)
      : axis_(axis), ranges_(axis, own, is_whole, scratch), width_(width), is_whole_(is_whole),
        scratch_(scratch) {
    for (auto& memory : memory_) {
      T* data = scratch.take<T>(ranges_.reach.size() * width);
      memory = {data - ranges_.reach.begin * width, width};
    }
  }

  // Whether steps read samples of the signal only, so that it needs no copy.
  bool is_inside() const {
    return !is_whole_ && ranges_.reach.begin >= 0 && ranges_.reach.end <= axis_.n;
  }

  // Reads a channel in place.
  void use(int channel, WholeRows<const T> rows) { current_[channel] = rows; }

  // Copies what a channel needs, times a factor. Without data: zeros.
  void copy(int channel, WholeRows<const T> rows, T factor) {
    const WholeRows<T>& to = memory_[channel];
    const Range need = ranges_.need[channel];
    current_[channel] = to;
    for (index_t k = need.begin; k < need.end;) {
      const index_t at = wrapped(k, axis_.n), most = std::min(need.end - k, axis_.n - at);
      const index_t some = rows.pitch == width_ || !rows.data ? most : 1;
      if (rows.data) scale_row(rows.at(at), to.at(k), factor, some * width_, false);
      else fill_zeros(to.at(k), factor, some * width_);
      k += some;
    }
  }

  void run() {
    Pace pace;
    for (std::size_t i = 0; i < axis_.steps.size(); ++i) {
      const WholeStep& step = axis_.steps[i];
      const int target = step.target;
      const Range targets = ranges_.targets(i);
      if (is_whole_ || axis_.ends != Ends::joined) extend(1 - target, step.window(targets));
      apply_step<T>(step, current_[1 - target], current_[target], memory_[target], targets, width_,
                    scratch_);
      current_[target] = memory_[target];
      pace.moved(3 * targets.size() * width_ * static_cast<index_t>(sizeof(T)));
    }
  }

  WholeRows<const T> rows(int channel) const { return current_[channel]; }

 private:
  static void fill_zeros(T* to, T factor, index_t count) {
    T zero = 0;
    if constexpr (std::is_floating_point_v<T>) zero = zero * factor;  // its sign is that of the factor
    std::fill_n(to, count, zero);
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
  WholeRanges ranges_;
  index_t width_;
  bool is_whole_;
  Scratch& scratch_;
  WholeRows<T> memory_[2];
  WholeRows<const T> current_[2];
};

// Runs `work(row, out)` for all positions, or once if they are contiguous.
template <class Work>
void for_rows(Range own, index_t width, bool contiguous, const Work& work) {
  if (contiguous) return work(own.begin, own.size() * width);
  for (index_t k = own.begin; k < own.end; ++k) work(k, width);
}

template <class T>
void split_whole(const WholeAxis& axis, const ArrayView<const T>& x, const ArrayView<T>& approx,
                 const ArrayView<T>& detail, bool in_place) {
  Batch batch;
  const Inner inner = split_dimensions(&x, 1, axis.axis, axis.axis, batch);
  const WholeTiles tiles = WholeTiles::of(axis, inner.count, in_place, T{});
  const double bytes = 3.0 * sizeof(T) * static_cast<double>(numbers_of(x));
  const bool streamed = bytes >= streamed_bytes;
  parallel_for(tiles.items(batch), bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      Scratch scratch;
      const auto [line, lane, width, own] = tiles.place(item);
      const WholeRows<const T> signal{batch.locate(line, x) + lane, tiles.lanes};
      WholeTile<T> tile(axis, own, tiles.is_whole, width, scratch);
      for (int c : {0, 1}) {
        if (tile.is_inside() && axis.weight == 1) tile.use(c, signal);
        else tile.copy(c, signal, static_cast<T>(axis.weight));
      }
      tile.run();
      for (int c : {0, 1}) {
        const WholeRows<const T> from = tile.rows(c);
        const WholeRows<T> to{batch.locate(line, c ? detail : approx) + lane, tiles.lanes};
        for_rows(own, width, from.pitch == width && to.pitch == width, [&](index_t k, index_t count) {
          scale_row(from.at(k), to.at(k), static_cast<T>(axis.scale[c]), count, streamed);
        });
      }
    }
    end_streams();
  });
}

template <class T>
void merge_whole(const WholeAxis& axis, const ArrayView<const T>& approx,
                 const ArrayView<const T>& detail, const ArrayView<T>& out) {
  Batch batch;
  const ArrayView<const T> like = as_input(out);
  const Inner inner = split_dimensions(&like, 1, axis.axis, axis.axis, batch);
  const WholeTiles tiles = WholeTiles::of(axis, inner.count, false, T{});
  const double bytes = 3.0 * sizeof(T) * static_cast<double>(numbers_of(out));
  const bool streamed = bytes >= streamed_bytes;
  parallel_for(tiles.items(batch), bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      Scratch scratch;
      const auto [line, lane, width, own] = tiles.place(item);
      WholeTile<T> tile(axis, own, tiles.is_whole, width, scratch);
      for (int c : {0, 1}) {
        const ArrayView<const T>& band = c ? detail : approx;
        const T* data = band.data ? batch.locate(line, band) + lane : nullptr;
        tile.copy(c, WholeRows<const T>{data, tiles.lanes}, static_cast<T>(axis.scale[c]));
      }
      tile.run();
      const WholeRows<const T> low = tile.rows(0), high = tile.rows(1);
      const WholeRows<T> to{batch.locate(line, out) + lane, tiles.lanes};
      for_rows(own, width, to.pitch == width, [&](index_t k, index_t count) {
        add_row(low.at(k), high.at(k), to.at(k), static_cast<T>(axis.weight), count, streamed);
      });
    }
    end_streams();
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
