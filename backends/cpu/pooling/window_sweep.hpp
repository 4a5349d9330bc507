// Sweeps windows over an array, tile by tile.
#pragma once

#include <algorithm>

#include "common/parallel.hpp"
#include "pooling/window_tiles.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Lanes of a tile: a multiple of those of every instruction set, so that all use the same tiles.
inline constexpr index_t lane_bytes = 64, most_lane_bytes = 1024, place_bytes = 16 * 1024;

template <class T>
index_t lanes_for(index_t places) {
  constexpr index_t least = lane_bytes / sizeof(T), most = most_lane_bytes / sizeof(T);
  const index_t fits = place_bytes / static_cast<index_t>(sizeof(T)) / places;
  return std::clamp(fits / least * least, least, most);
}

template <class T>
class Sweep {
 public:
  Sweep(const WindowPlan& plan, const Operand* operands, int count)
      : plan_(plan), ndim_(plan.ndim()), operands_(operands), count_(count) {}

  // Calls visit(tile) for all windows of the part's rows: those that begin there, or with
  // `reaching` also those that reach samples there.
  template <class Visit>
  void over(const WindowPart& part, bool reaching, const Visit& visit) {
    backwards_ = reaching && plan_.channels_last && plan_.overlap() ? ndim_ - 2 : ndim_;
    for_boxes(part, reaching, [&] { box(part, visit); });
  }

  // The same for windows whose last axis is that of the channels, one after the other, without
  // tiles: calls prepare(tile) when the places change, and visit(at) with the address of the window
  // in each operand, for all of its channels.
  template <class Prepare, class Visit>
  void over_channels(const WindowPart& part, const Prepare& prepare, const Visit& visit) {
    for_boxes(part, false, [&] {
      Scratch scratch;
      lay_out_places(scratch);
      prepare(static_cast<const Tile&>(tile_));
      index_t window[max_dimensions], at[most_operands] = {};
      for (index_t plane = part.plane; plane < part.last_plane; ++plane) {
        for (int d = 0; d < ndim_; ++d) window[d] = range_[d].begin;
        for (;;) {
          row_of_channels(plane, window, at, visit);
          int d = ndim_ - 3;
          while (d >= 0 && ++window[d] == range_[d].end) window[d] = range_[d].begin, --d;
          if (d < 0) break;
        }
      }
    });
  }

  // The most numbers of a tile, at all its places.
  static index_t numbers(const WindowPlan& plan) {
    constexpr index_t least = lane_bytes / sizeof(T);
    return std::max(plan.most_places() * least, place_bytes / static_cast<index_t>(sizeof(T)));
  }

 private:
  // Calls `work` for all runs of windows with the same places that are in the part.
  template <class Work>
  void for_boxes(const WindowPart& part, bool reaching, const Work& work) {
    index_t run[max_dimensions] = {};
    for (;;) {
      if (choose(part, reaching, run)) work();
      int d = ndim_ - 1;
      while (d >= 0 && ++run[d] == static_cast<index_t>(plan_.runs[d].size())) run[d--] = 0;
      if (d < 0) return;
    }
  }

  // The windows along the axis before that of the channels.
  template <class Visit>
  void row_of_channels(index_t plane, const index_t* window, index_t* at, const Visit& visit) {
    const int along = ndim_ - 2;
    index_t further[most_operands] = {};
    for (int a = 0; a < count_; ++a) {
      if (!operands_[a].stride) continue;
      at[a] = address(a, plane, window);
      further[a] = (operands_[a].per_sample ? plan_.axes[along].stride : 1) * operands_[a].stride[along + 1];
    }
    const WindowRun& range = range_[along];
    for (index_t i = range.begin; i < range.end; ++i) {
      visit(static_cast<const index_t*>(at));
      for (int a = 0; a < count_; ++a) at[a] += further[a];
    }
    pace_.moved((range.end - range.begin) * plan_.axes[ndim_ - 1].inputs * tile_.places *
                static_cast<index_t>(sizeof(T)));
  }

  // The address of a window in operand `a`: of its place 0, or of the window itself.
  index_t address(int a, index_t plane, const index_t* window) const {
    const index_t *stride = operands_[a].stride, planes = operands_[a].planes;
    index_t at = (plane < planes ? plane : plane % planes) * stride[0];
    for (int d = 0; d < ndim_; ++d) {
      at += (operands_[a].per_sample ? plan_.axes[d].first(window[d]) : window[d]) * stride[d + 1];
    }
    return at;
  }

  // Chooses the windows with these runs; false if none are in the part.
  bool choose(const WindowPart& part, bool reaching, const index_t* run) {
    for (int d = 0; d < ndim_; ++d) {
      range_[d] = plan_.runs[d][static_cast<std::size_t>(run[d])];
      if (d == 0) limit(part, reaching, range_[0]);
      if (range_[d].begin >= range_[d].end) return false;
    }
    return true;
  }

  void limit(const WindowPart& part, bool reaching, WindowRun& range) const {
    const WindowAxis& axis = plan_.axes[0];
    index_t begin = part.window, end = part.last_window;
    if (reaching) {
      const auto windows_before = [&](index_t first) {  // those whose place 0 is before `first`
        return first <= -axis.padding ? 0 : (first + axis.padding - 1) / axis.stride + 1;
      };
      begin = std::min(begin, windows_before(part.sample - (range.hi - 1) * axis.dilation));
      end = std::max(end, windows_before(part.last_sample - range.lo * axis.dilation));
    }
    range.begin = std::max(range.begin, begin);
    range.end = std::min(range.end, end);
  }

  template <class Visit>
  void box(const WindowPart& part, const Visit& visit) {
    Scratch scratch;
    lay_out_places(scratch);
    tile_.lanes = tile_.count = 0;
    tile_.stride = lanes_for<T>(tile_.places);
    pieces_ = scratch.take<Piece>(tile_.stride);
    tile_.pieces = pieces_;
    index_t window[max_dimensions];
    for (index_t plane = part.plane; plane < part.last_plane; ++plane) {
      for (int d = 0; d < ndim_; ++d) window[d] = range_[d].begin;
      for (;;) {
        row(plane, window, visit);
        int d = ndim_ - 2;
        while (d >= 0 && ++window[d] == range_[d].end) window[d] = range_[d].begin, --d;
        if (d < 0) break;
      }
    }
    flush(visit);
  }

  // Determines the offsets of the places in each operand.
  void lay_out_places(Scratch& scratch) {
    tile_.places = 1;
    for (int d = 0; d < ndim_; ++d) tile_.places *= range_[d].hi - range_[d].lo;
    tile_.run = range_[ndim_ - 1].hi - range_[ndim_ - 1].lo;
    tile_.place_at = place_at_;
    tile_.step = step_;
    for (int a = 0; a < count_; ++a) {
      if (!operands_[a].stride) continue;
      const index_t* stride = operands_[a].stride + 1;
      const index_t window_step = operands_[a].per_sample ? plan_.axes[ndim_ - 1].stride : 1;
      step_[a] = window_step * stride[ndim_ - 1];
      if (operands_[a].per_sample) place_at_[a] = offsets(stride, ndim_, scratch);
    }
    const index_t one = 1;
    tile_.place_row = offsets(&one, 1, scratch);
  }

  // The offset of each place, in an array with these strides along the first `axes` axes.
  const index_t* offsets(const index_t* stride, int axes, Scratch& scratch) const {
    index_t* at = scratch.take<index_t>(tile_.places);
    index_t filled = 1;
    at[0] = 0;
    for (int d = 0; d < ndim_; ++d) {  // backwards, so that no unread entry is overwritten
      const index_t lo = range_[d].lo, count = range_[d].hi - lo;
      const index_t unit = d < axes ? plan_.axes[d].dilation * stride[d] : 0;
      for (index_t i = filled; i-- > 0;) {
        for (index_t j = count; j-- > 0;) at[i * count + j] = at[i] + (lo + j) * unit;
      }
      filled *= count;
    }
    return at;
  }

  template <class Visit>
  void row(index_t plane, const index_t* window, const Visit& visit) {
    const WindowRun& last = range_[ndim_ - 1];
    for (index_t begin = last.begin; begin < last.end;) {
      const index_t left = last.end - begin, free = tile_.stride - tile_.lanes;
      // Keeps windows together if one new tile holds them all.
      if (free < left && tile_.lanes > 0 && (free == 0 || left <= tile_.stride)) {
        flush(visit);
        continue;
      }
      const index_t count = std::min(left, free);
      add(plane, window, begin, count);
      begin += count;
    }
  }

  void add(index_t plane, const index_t* window, index_t last, index_t count) {
    Piece& piece = pieces_[tile_.count++];
    // Windows that overlap along the last spatial axis are added to a sample from the last one on.
    // Scatter does so for windows that are side by side, whose first places it adds first.
    index_t first[max_dimensions];
    for (int d = 0; d < ndim_; ++d) {
      const bool mirrored = d == backwards_;
      first[d] = mirrored ? range_[d].begin + range_[d].end - 1 - window[d] : window[d];
    }
    first[ndim_ - 1] = last;
    for (int a = 0; a < count_; ++a) {
      if (operands_[a].stride) piece.at[a] = address(a, plane, first);
    }
    piece.lane = tile_.lanes;
    piece.count = count;
    piece.window_row = first[0];
    piece.sample_row = plan_.axes[0].first(first[0]);
    tile_.lanes += count;
  }

  template <class Visit>
  void flush(const Visit& visit) {
    if (tile_.count == 0) return;
    constexpr index_t n = lanes_of<T>;
    tile_.lanes = (tile_.lanes + n - 1) / n * n;
    visit(static_cast<const Tile&>(tile_));
    pace_.moved(tile_.lanes * tile_.places * static_cast<index_t>(sizeof(T)));
    tile_.lanes = tile_.count = 0;
  }

  const WindowPlan& plan_;
  int ndim_;
  int backwards_ = 0;  // the axis whose windows come last one first; none if it is the number of axes
  const Operand* operands_;
  int count_;
  WindowRun range_[max_dimensions];
  Tile tile_;
  Piece* pieces_ = nullptr;
  const index_t* place_at_[most_operands] = {};
  index_t step_[most_operands] = {};
  Pace pace_;
};

}  // namespace liftwave::LIFTWAVE_ISA
