// Lines of the dual tree: sums of taps along and across lines, and samples beyond the ends.
#pragma once

#include <algorithm>

#include "common/inline.hpp"
#include "common/parallel.hpp"
#include "common/simd.hpp"
#include "dual_tree/plan.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Numbers that lines are longer than their samples, so that blocks of sums may read and write there.
inline constexpr index_t line_slack = 256;

// The planes of an image's bands in which the signs of both imaginary units are equal, and differ,
// by the high-pass filters: along the second axis, along the first, along both.
inline constexpr int rising_plane[3] = {2, 0, 1}, falling_plane[3] = {3, 5, 4};

// The taps of a half that are not zero in both filters, and their places for output 0.
template <class T>
struct HalfTaps {
  int count = 0;
  T low[max_dual_tree_taps], high[max_dual_tree_taps];
  index_t place[max_dual_tree_taps];

  HalfTaps() = default;
  HalfTaps(const DualTreeAxis& axis, int which) {
    const DualTreeHalf& half = axis.halves[which];
    for (std::size_t j = 0; j < half.low.size(); ++j) {
      if (half.low[j] == 0 && half.high[j] == 0) continue;
      low[count] = static_cast<T>(half.low[j]);
      high[count] = static_cast<T>(half.high[j]);
      place[count++] = half.phase - axis.dilation * static_cast<index_t>(j);
    }
  }
};

// A pair of lines: low-pass and high-pass.
template <class T>
struct LinePair {
  T* low;
  T* high;
};

// Sums of `count` sources with both filters, for `n` numbers. Sources have slack.
template <class T, int Vectors, int Bytes>
LIFTWAVE_INLINE void sum_block(const T* const* sources, const T* low, const T* high, int count,
                               index_t at, const LinePair<T>& out) {
  using V = vec<T, Bytes>;
  constexpr int w = width<T, Bytes>;
  V a[Vectors], b[Vectors];
  for (int v = 0; v < Vectors; ++v) {
    const V x = load<T, Bytes>(sources[0] + at + v * w);
    a[v] = low[0] * x;
    b[v] = high[0] * x;
  }
  for (int j = 1; j < count; ++j) {
    for (int v = 0; v < Vectors; ++v) {
      const V x = load<T, Bytes>(sources[j] + at + v * w);
      a[v] = a[v] + low[j] * x;
      b[v] = b[v] + high[j] * x;
    }
  }
  for (int v = 0; v < Vectors; ++v) {
    store<Bytes>(out.low + at + v * w, a[v]);
    store<Bytes>(out.high + at + v * w, b[v]);
  }
}

template <class T>
LIFTWAVE_INLINE void sum_lines(const T* const* sources, const T* low, const T* high, int count,
                               index_t n, const LinePair<T>& out) {
  constexpr int w = width<T, vector_bytes>;
  index_t at = 0;
  if (count == 0) {
    std::fill_n(out.low, n, T{});
    std::fill_n(out.high, n, T{});
    return;
  }
  for (; at + 4 * w <= n; at += 4 * w) sum_block<T, 4, vector_bytes>(sources, low, high, count, at, out);
  for (; at + w <= n; at += w) sum_block<T, 1, vector_bytes>(sources, low, high, count, at, out);
  for (; at < n; ++at) sum_block<T, 1, sizeof(T)>(sources, low, high, count, at, out);
}

// A line with the samples beyond its ends, and its samples by their places modulo the stride.
template <class T>
class ExtendedLine {
 public:
  ExtendedLine(const DualTreeAxis& axis, Scratch& scratch) : axis_(axis) {
    const index_t s = axis.stride, before = static_cast<index_t>(axis.before.size());
    first_ = -((before + s - 1) / s) * s;
    const index_t stop = axis.n + static_cast<index_t>(axis.after.size());
    per_phase_ = (stop - first_ + s - 1) / s;
    whole_ = scratch.take<T>(per_phase_ * s + line_slack) - first_;
    phases_ = scratch.take<T>((per_phase_ + line_slack) * s);
    std::fill_n(phases_, (per_phase_ + line_slack) * s, T{});
    std::fill_n(whole_ + first_, per_phase_ * s + line_slack, T{});
  }

  // Sample 0 of the line.
  T* samples() const { return whole_; }

  // To call when all samples are present.
  void split_phases() const {
    const auto before = static_cast<index_t>(axis_.before.size());
    for (index_t i = -before; i < 0; ++i) whole_[i] = value(axis_.sample(i));
    for (index_t i = 0; i < static_cast<index_t>(axis_.after.size()); ++i) {
      whole_[axis_.n + i] = value(axis_.sample(axis_.n + i));
    }
    const T* const from = whole_ + first_;
    T* const to = phases_;
    const index_t next = per_phase_ + line_slack;
    if (axis_.stride == 2) {
      for (index_t q = 0; q < per_phase_; ++q) {
        to[q] = from[2 * q];
        to[next + q] = from[2 * q + 1];
      }
    } else {
      for (index_t q = 0; q < per_phase_; ++q) {
        to[q] = from[4 * q];
        to[next + q] = from[4 * q + 1];
        to[2 * next + q] = from[4 * q + 2];
        to[3 * next + q] = from[4 * q + 3];
      }
    }
  }

  // The samples from a place on, at a distance of the stride.
  const T* from(index_t place) const {
    const index_t at = place - first_;
    return phases_ + at % axis_.stride * (per_phase_ + line_slack) + at / axis_.stride;
  }

 private:
  T value(index_t sample) const { return sample < 0 ? T{} : whole_[sample]; }

  const DualTreeAxis& axis_;
  index_t first_, per_phase_;
  T* whole_;
  T* phases_;
};

// Both outputs of a half along a line.
template <class T>
LIFTWAVE_INLINE void filter_line(const ExtendedLine<T>& line, const HalfTaps<T>& taps, index_t count,
                                 const LinePair<T>& out) {
  const T* sources[max_dual_tree_taps];
  for (int j = 0; j < taps.count; ++j) sources[j] = line.from(taps.place[j]);
  sum_lines(sources, taps.low, taps.high, taps.count, count, out);
}

// Where results are written: in place, or past the caches from memory for a row.
template <class T>
class RowSink {
 public:
  RowSink(bool past_caches, index_t numbers, Scratch& scratch) : past_caches_(past_caches) {
    for (T*& row : rows_) row = past_caches ? scratch.take<T>(numbers + line_slack) : nullptr;
  }

  // Memory for a row of results; `which` is 0 or 1.
  T* row(T* to, int which = 0) const { return past_caches_ && is_aligned(to) ? rows_[which] : to; }

  void done(T* to, index_t numbers, int which = 0) const {
    if (!past_caches_ || !is_aligned(to)) return;
    constexpr int w = width<T, vector_bytes>;
    index_t at = 0;
    for (; at + w <= numbers; at += w) stream<vector_bytes>(to + at, load<T, vector_bytes>(rows_[which] + at));
    std::copy_n(rows_[which] + at, numbers - at, to + at);
  }

 private:
  bool past_caches_;
  T* rows_[2];
};

// Two lines, one number of each after the other.
template <class T>
LIFTWAVE_INLINE void interleave(const T* a, const T* b, index_t n, T* to) {
  for (index_t i = 0; i < n; ++i) {
    to[2 * i] = a[i];
    to[2 * i + 1] = b[i];
  }
}

template <class T>
LIFTWAVE_INLINE void separate(const T* from, index_t n, T* a, T* b) {
  for (index_t i = 0; i < n; ++i) {
    a[i] = from[2 * i];
    b[i] = from[2 * i + 1];
  }
}

}  // namespace liftwave::LIFTWAVE_ISA
