// Lines of the dual tree: sums of taps along and across lines, and samples beyond the ends.
#pragma once

#include <algorithm>

#include "common/inline.hpp"
#include "common/parallel.hpp"
#include "common/simd.hpp"
#include "dual_tree/plan.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Numbers that lines are longer than their samples, so that blocks of sums may read and write there.
inline constexpr index_t line_slack = 64;

// Pairs of numbers that have changed places.
template <class T, class V, std::size_t... I>
LIFTWAVE_INLINE V swapped_pairs(const V& v, std::index_sequence<I...>) {
#if defined(__GNUC__)
  return __builtin_shufflevector(v, v, (I ^ 1)...);
#else
  V r;
  ((r.at[I] = v.at[I ^ 1]), ...);
  return r;
#endif
}
template <class T>
LIFTWAVE_INLINE vec<T, vector_bytes> swapped_pairs(const vec<T, vector_bytes>& v) {
  return swapped_pairs<T>(v, std::make_index_sequence<width<T, vector_bytes>>{});
}

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
    if (count == 0) {  // sums have one tap at least
      low[0] = high[0] = 0;
      place[count++] = half.phase;
    }
  }
};

// Sums of `count` sources with both filters.
template <class T, int Vectors, int Bytes>
LIFTWAVE_INLINE void sum_block(const T* const* sources, const T* low, const T* high, int count,
                               index_t at, vec<T, Bytes>* a, vec<T, Bytes>* b) {
  using V = vec<T, Bytes>;
  constexpr int w = width<T, Bytes>;
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
}

// From neighbouring vectors to the numbers of each place modulo the stride.
template <class T, int Stride>
LIFTWAVE_INLINE void to_phases(const vec<T, vector_bytes>* from, vec<T, vector_bytes>* to) {
  using V = vec<T, vector_bytes>;
  if constexpr (Stride == 2) {
    split<T, vector_bytes, 1>(from[0], from[1], to[0], to[1]);
  } else {
    V even[2], odd[2];
    for (int i = 0; i < 2; ++i) split<T, vector_bytes, 1>(from[2 * i], from[2 * i + 1], even[i], odd[i]);
    split<T, vector_bytes, 1>(even[0], even[1], to[0], to[2]);
    split<T, vector_bytes, 1>(odd[0], odd[1], to[1], to[3]);
  }
}

// A line with the samples beyond its ends, by their places modulo the stride.
template <class T>
class PhasedLine {
 public:
  PhasedLine(const DualTreeAxis& axis, Scratch& scratch) : axis_(axis) {
    const index_t s = axis.stride, before = static_cast<index_t>(axis.before.size());
    first_ = -((before + s - 1) / s) * s;
    const index_t stop = axis.n + static_cast<index_t>(axis.after.size());
    per_phase_ = (stop - first_ + s - 1) / s + line_slack;
    phases_ = scratch.take<T>(per_phase_ * s);
    std::fill_n(phases_, per_phase_ * s, T{});
  }

  // The samples from a place on, at a distance of the stride, are this far from `phases`.
  index_t offset(index_t place) const {
    const index_t at = place - first_;
    return (at & (axis_.stride - 1)) * per_phase_ + (at >> (axis_.stride / 2));
  }

  T* phases() const { return phases_; }

  // Stride vectors of samples from place `at` on, a multiple of the stride.
  template <int Stride>
  LIFTWAVE_INLINE void put(index_t at, const vec<T, vector_bytes>* samples) const {
    vec<T, vector_bytes> phases[Stride];
    to_phases<T, Stride>(samples, phases);
    T* const to = phases_ + (at - first_) / Stride;
    for (int p = 0; p < Stride; ++p) store<vector_bytes>(to + p * per_phase_, phases[p]);
  }

  void put_one(index_t at, T sample) const { phases_[offset(at)] = sample; }

  // All samples.
  template <int Stride>
  void fill(const T* x) const {
    constexpr int w = width<T, vector_bytes>;
    index_t at = 0;
    vec<T, vector_bytes> some[Stride];
    for (; at + Stride * w <= axis_.n; at += Stride * w) {
      for (int v = 0; v < Stride; ++v) some[v] = load<T, vector_bytes>(x + at + v * w);
      put<Stride>(at, some);
    }
    for (; at < axis_.n; ++at) put_one(at, x[at]);
  }

  // Zeros for all samples.
  void clear() const { std::fill_n(phases_, per_phase_ * axis_.stride, T{}); }

  // The samples beyond the ends. To call when all others are present.
  void extend() const {
    for (index_t i = -static_cast<index_t>(axis_.before.size()); i < 0; ++i) repeat(i);
    for (index_t i = 0; i < static_cast<index_t>(axis_.after.size()); ++i) repeat(axis_.n + i);
  }

 private:
  void repeat(index_t place) const {
    const index_t sample = axis_.sample(place);
    phases_[offset(place)] = sample < 0 ? T{} : phases_[offset(sample)];
  }

  const DualTreeAxis& axis_;
  index_t first_, per_phase_;
  T* phases_;
};

// The sums of two outputs that follow each other, which share sources: output i = 0, 1 has those from
// `sources + 2 (1 - i)` on, with the same taps.
template <class T, int Vectors>
LIFTWAVE_INLINE void sum_pair_block(const T* const* sources, const T* low, const T* high, int count,
                                    index_t at, vec<T, vector_bytes> (&a)[2][Vectors],
                                    vec<T, vector_bytes> (&b)[2][Vectors]) {
  constexpr int w = width<T, vector_bytes>;
  for (int i = 0; i < 2; ++i) {
    for (int v = 0; v < Vectors; ++v) {
      const auto x = load<T, vector_bytes>(sources[2 * (1 - i)] + at + v * w);
      a[i][v] = low[0] * x;
      b[i][v] = high[0] * x;
    }
  }
  const auto add = [&](auto i, int source) LIFTWAVE_INLINE_LAMBDA {
    const int j = source - 2 * (1 - i);
    for (int v = 0; v < Vectors; ++v) {
      const auto x = load<T, vector_bytes>(sources[source] + at + v * w);
      a[i][v] = a[i][v] + low[j] * x;
      b[i][v] = b[i][v] + high[j] * x;
    }
  };
  constexpr std::integral_constant<int, 0> earlier{};
  constexpr std::integral_constant<int, 1> later{};
  for (int s = 1; s < 3; ++s) add(later, s);
  for (int s = 3; s < count; ++s) {
    add(later, s);
    add(earlier, s);
  }
  for (int s = count; s < count + 2; ++s) add(earlier, s);
}

// Sums of `count` sources with both filters, for numbers `at` ... n - 1 of two lines.
template <class T, int Stride>
LIFTWAVE_INLINE void sum_lines(const T* const* sources, const T* low, const T* high, int count,
                               index_t n, const PhasedLine<T>& to_low, const PhasedLine<T>& to_high,
                               index_t at = 0) {
  constexpr int w = width<T, vector_bytes>;
  vec<T, vector_bytes> a[Stride], b[Stride];
  for (; at + Stride * w <= n; at += Stride * w) {
    sum_block<T, Stride, vector_bytes>(sources, low, high, count, at, a, b);
    to_low.template put<Stride>(at, a);
    to_high.template put<Stride>(at, b);
  }
  for (; at + w <= n; at += w) {
    T some[2][w];
    sum_block<T, 1, vector_bytes>(sources, low, high, count, at, a, b);
    store<vector_bytes>(some[0], a[0]);
    store<vector_bytes>(some[1], b[0]);
    for (int i = 0; i < w; ++i) {
      to_low.put_one(at + i, some[0][i]);
      to_high.put_one(at + i, some[1][i]);
    }
  }
  for (; at < n; ++at) {
    T sums[2] = {low[0] * sources[0][at], high[0] * sources[0][at]};
    for (int j = 1; j < count; ++j) {
      sums[0] = sums[0] + low[j] * sources[j][at];
      sums[1] = sums[1] + high[j] * sources[j][at];
    }
    to_low.put_one(at, sums[0]);
    to_high.put_one(at, sums[1]);
  }
}

// The same for two outputs; at least three taps.
template <class T, int Stride>
LIFTWAVE_INLINE void sum_line_pairs(const T* const* sources, const T* low, const T* high, int count, index_t n,
                                    const PhasedLine<T>* const (&to_low)[2], const PhasedLine<T>* const (&to_high)[2]) {
  constexpr index_t step = Stride * width<T, vector_bytes>;
  const index_t whole = n - n % step;
  vec<T, vector_bytes> a[2][Stride], b[2][Stride];
  for (index_t at = 0; at < whole; at += step) {
    sum_pair_block<T, Stride>(sources, low, high, count, at, a, b);
    unrolled<2>([&](auto i) LIFTWAVE_INLINE_LAMBDA {
      to_low[i]->template put<Stride>(at, a[i]);
      to_high[i]->template put<Stride>(at, b[i]);
    });
  }
  for (int i = 0; i < 2; ++i) {
    sum_lines<T, Stride>(sources + 2 * (1 - i), low, high, count, n, *to_low[i], *to_high[i], whole);
  }
}

// --- rows of results -------------------------------------------------------------------------

// Rows that are written together.
template <class T, int Rows>
class RowTargets {
 public:
  // `past_caches`: with non-temporal stores, where rows are aligned.
  RowTargets(T* const (&rows)[Rows], bool past_caches) {
    for (int r = 0; r < Rows; ++r) {
      rows_[r] = rows[r];
      streamed_[r] = past_caches && is_aligned(rows[r]);
    }
  }

  LIFTWAVE_INLINE void put(int row, index_t at, const vec<T, vector_bytes>& v) const {
    if (streamed_[row]) {
      stream<vector_bytes>(rows_[row] + at, v);
    } else {
      store<vector_bytes>(rows_[row] + at, v);
    }
  }

  // One number of each vector after the other.
  LIFTWAVE_INLINE void put_merged(int row, index_t at, const vec<T, vector_bytes>& even,
                                  const vec<T, vector_bytes>& odd) const {
    vec<T, vector_bytes> a, b;
    merge<T, vector_bytes, 1>(even, odd, a, b);
    put(row, 2 * at, a);
    put(row, 2 * at + width<T, vector_bytes>, b);
  }

  // Calls put(targets) with memory for up to `Most` numbers from `at` on, and keeps `count`.
  template <int Most, class Put>
  LIFTWAVE_INLINE void put_some(index_t at, index_t count, const Put& put) const {
    alignas(64) T memory[Rows][Most];
    T* rows[Rows];
    for (int r = 0; r < Rows; ++r) rows[r] = memory[r] - at;
    put(RowTargets(rows, false));
    for (int r = 0; r < Rows; ++r) std::copy_n(memory[r], count, rows_[r] + at);
  }

 private:
  T* rows_[Rows];
  bool streamed_[Rows];
};

// The even and the odd numbers of a line.
template <class T>
LIFTWAVE_INLINE void separate(const T* from, index_t n, T* a, T* b) {
  constexpr int w = width<T, vector_bytes>;
  index_t i = 0;
  for (; i + w <= n; i += w) {
    vec<T, vector_bytes> even, odd;
    split<T, vector_bytes, 1>(load<T, vector_bytes>(from + 2 * i), load<T, vector_bytes>(from + 2 * i + w), even, odd);
    store<vector_bytes>(a + i, even);
    store<vector_bytes>(b + i, odd);
  }
  for (; i < n; ++i) {
    a[i] = from[2 * i];
    b[i] = from[2 * i + 1];
  }
}

}  // namespace liftwave::LIFTWAVE_ISA
