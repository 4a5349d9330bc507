// The first level of the dual tree along two axes. Filters are symmetric and nothing is dropped, so
// each sum adds two samples before it multiplies, lines stay in their order, and the transpose is
// the same filter on mirrored rows.
#pragma once

#include "dual_tree/kernels.hpp"
#include "dual_tree/lines.hpp"

namespace liftwave::LIFTWAVE_ISA {

// The taps at the distances 0, 1, ... from the centre.
template <class T>
struct CentredTaps {
  int reach[2];
  T taps[2][max_dual_tree_taps / 2];

  explicit CentredTaps(const DualTreeAxis& axis) {
    const std::vector<double>* const filters[2] = {&axis.halves[0].low, &axis.halves[0].high};
    for (int f = 0; f < 2; ++f) {
      const int centre = static_cast<int>(axis.halves[0].phase);
      reach[f] = 0;
      for (int r = 0; r <= centre; ++r) {
        const double tap = (*filters[f])[static_cast<std::size_t>(centre - r)];
        taps[f][r] = static_cast<T>(tap);
        if (tap != 0) reach[f] = r;
      }
    }
  }
  int most() const { return std::max(reach[0], reach[1]); }
};

// Calls f(reach of the low-pass, reach of the high-pass), compile-time constants for usual filters
// that both axes have, and -1 for others.
template <class T, class F>
LIFTWAVE_INLINE void with_reach(const CentredTaps<T>& a, const CentredTaps<T>& b, const F& f) {
  using std::integral_constant;
  const auto is = [&](int low, int high) {
    return a.reach[0] == low && b.reach[0] == low && a.reach[1] == high && b.reach[1] == high;
  };
  if (is(2, 1)) return f(integral_constant<int, 2>{}, integral_constant<int, 1>{});
  if (is(2, 3)) return f(integral_constant<int, 2>{}, integral_constant<int, 3>{});
  if (is(4, 3)) return f(integral_constant<int, 4>{}, integral_constant<int, 3>{});
  if (is(1, 2)) return f(integral_constant<int, 1>{}, integral_constant<int, 2>{});
  if (is(3, 2)) return f(integral_constant<int, 3>{}, integral_constant<int, 2>{});
  if (is(3, 4)) return f(integral_constant<int, 3>{}, integral_constant<int, 4>{});
  f(integral_constant<int, -1>{}, integral_constant<int, -1>{});
}

// f(1), f(2) ... f(reach); unrolled unless Reach is -1.
template <int Reach, class F>
LIFTWAVE_INLINE void each_distance(int reach, const F& f) {
  if constexpr (Reach < 0) {
    for (int r = 1; r <= reach; ++r) f(r);
  } else {
    unrolled<Reach>([&](auto i) LIFTWAVE_INLINE_LAMBDA { f(i + 1); });
  }
}

// Both filters of the vectors at(-reach) ... at(reach).
template <class T, int Low, int High, int Bytes, class At>
LIFTWAVE_INLINE void centred_pair(const CentredTaps<T>& taps, const At& at, vec<T, Bytes>& low, vec<T, Bytes>& high) {
  const auto centre = at(0);
  low = taps.taps[0][0] * centre;
  high = taps.taps[1][0] * centre;
  const int low_reach = Low < 0 ? taps.reach[0] : Low, high_reach = High < 0 ? taps.reach[1] : High;
  each_distance<(Low > High ? Low : High)>(taps.most(), [&](int r) LIFTWAVE_INLINE_LAMBDA {
    const auto x = at(-r) + at(r);
    if (r <= low_reach) low = low + taps.taps[0][r] * x;
    if (r <= high_reach) high = high + taps.taps[1][r] * x;
  });
}

// The sum of both filters, each of its own vectors at(filter, -reach) ... at(filter, reach).
template <class T, int Low, int High, int Bytes, class At>
LIFTWAVE_INLINE vec<T, Bytes> centred_sum(const CentredTaps<T>& taps, const At& at) {
  vec<T, Bytes> sum = taps.taps[0][0] * at(0, 0);
  sum = sum + taps.taps[1][0] * at(1, 0);
  each_distance<Low>(taps.reach[0], [&](int r) LIFTWAVE_INLINE_LAMBDA {
    sum = sum + taps.taps[0][r] * (at(0, -r) + at(0, r));
  });
  each_distance<High>(taps.reach[1], [&](int r) LIFTWAVE_INLINE_LAMBDA {
    sum = sum + taps.taps[1][r] * (at(1, -r) + at(1, r));
  });
  return sum;
}

// The signs with which pairs of an odd row are part of complex numbers: - +.
template <class T>
LIFTWAVE_INLINE vec<T, vector_bytes> pair_signs() {
  T signs[width<T, vector_bytes>];
  for (int i = 0; i < width<T, vector_bytes>; ++i) signs[i] = i % 2 ? T(1) : T(-1);
  return load<T, vector_bytes>(signs);
}

// From pairs of numbers of an even row and an odd row to the complex numbers of two rows of targets.
template <class T, int Rows>
LIFTWAVE_INLINE void put_complex_pairs(const RowTargets<T, Rows>& to, int row, index_t at,
                                       const vec<T, vector_bytes>& even, const vec<T, vector_bytes>& odd) {
  constexpr T scale = static_cast<T>(0.70710678118654752440L);
  const auto turned = pair_signs<T>() * swapped_pairs<T>(odd);
  to.put(row, at, scale * (even + turned));
  to.put(row + 1, at, scale * (even - turned));
}

// The reverse, for the first `count` numbers of lines with slack.
template <class T>
LIFTWAVE_INLINE void real_pairs(const T* rising, const T* falling, index_t count, T* even, T* odd) {
  constexpr T scale = static_cast<T>(0.70710678118654752440L);
  constexpr int w = width<T, vector_bytes>;
  const auto signs = pair_signs<T>();
  index_t i = 0;
  for (; i + w <= count; i += w) {
    const auto a = load<T, vector_bytes>(rising + i), b = load<T, vector_bytes>(falling + i);
    store<vector_bytes>(even + i, scale * (a + b));
    store<vector_bytes>(odd + i, scale * swapped_pairs<T>(signs * (a - b)));
  }
  for (; i < count; i += 2) {
    even[i] = (rising[i] + falling[i]) * scale;
    even[i + 1] = (rising[i + 1] + falling[i + 1]) * scale;
    odd[i] = (rising[i + 1] - falling[i + 1]) * scale;
    odd[i + 1] = (falling[i] - rising[i]) * scale;
  }
}

inline index_t mirrored(index_t i, index_t n) {
  const index_t place = ((i % (2 * n)) + 2 * n) % (2 * n);
  return std::min(place, 2 * n - 1 - place);
}

template <class T>
class FirstLevel {
 public:
  FirstLevel(const DualTreeAxis* axes, bool past_caches)
      : across_(axes[0]), along_(axes[1]), down_(across_), taps_(along_), past_caches_(past_caches) {}

  // The low-pass and the bands of rows 2 k0 ... 2 k1 - 1.
  void split(const T* x, index_t row_stride, T* low, T* bands, index_t k0, index_t k1) const {
    with_reach(down_, taps_, [&](auto low_reach, auto high_reach) {
      split_as<low_reach, high_reach>(x, row_stride, low, bands, k0, k1);
    });
  }

  // Rows i0 ... i1 - 1 of the signal.
  void merge(const T* low, const T* bands, T* out, index_t row_stride, index_t i0, index_t i1) const {
    Scratch scratch;
    const index_t n = along_.n, m = 2 * along_.count, height = 2 * across_.count;
    // An odd number of rows has one more, which is dropped, or added to the last one.
    const bool is_last = i1 == across_.n && height > across_.n;
    const index_t stop = is_last ? height : i1, reach = down_.most();
    // Rows of the three bands, as in `rising_plane`, as long as others need them: row i is at i modulo
    // the capacity.
    const index_t capacity = 2 * reach + 4;
    const index_t pitch = m + ring_gap;
    T* const ring = scratch.take<T>(capacity * 3 * pitch + line_slack);
    T* lines[2][2];  // by row and filter along it
    for (auto& row : lines) for (T*& line : row) line = new_line(m, scratch);
    T* const extra = scratch.take<T>(n + line_slack);
    const T** from[2][2];  // by filter along rows and across them: a row and its neighbours
    for (auto& pair : from) for (const T**& each : pair) each = scratch.take<const T*>(2 * reach + 2) + reach;
    Pace pace;
    index_t next = std::max<index_t>(i0 - reach, 0) / 2 * 2;
    for (index_t i = i0; i < stop; i += 2) {
      for (; next < std::min(i + reach + 2, height); next += 2) {
        real_rows_of(bands, next, ring + next % capacity * 3 * pitch);
        pace.moved(8 * m * static_cast<index_t>(sizeof(T)));
      }
      for (index_t r = -reach; r <= reach + 1; ++r) {
        const index_t row = mirrored(i + r, height);
        const T* const of_bands = ring + row % capacity * 3 * pitch;
        from[0][0][r] = low + row * m;
        from[1][0][r] = of_bands;
        from[0][1][r] = of_bands + pitch;
        from[1][1][r] = of_bands + 2 * pitch;
      }
      add_rows(from, low, bands, std::min(next, height - 2), lines);
      T* const to[2] = {i < i1 ? out + i * row_stride : extra, i + 1 < i1 ? out + (i + 1) * row_stride : extra};
      for (int row = 0; row < 2 && i + row < stop; ++row) add_lines(lines[row], to[row]);
    }
    if (is_last && across_.after[0] >= 0) {
      T* const to = out + (across_.n - 1) * row_stride;
      for (index_t c = 0; c < n; ++c) to[c] += extra[c];
    }
  }

 private:
  static constexpr int w = width<T, vector_bytes>;
  // Between rows of a ring: rows of 2^k numbers would share few sets of the first-level cache.
  static constexpr index_t ring_gap = 64 / static_cast<index_t>(sizeof(T));

  template <int Low, int High>
  void split_as(const T* x, index_t row_stride, T* low, T* bands, index_t k0, index_t k1) const {
    Scratch scratch;
    const index_t m = 2 * along_.count, plane = across_.count * m;
    T* lines[2][2];  // by filter and row
    for (auto& pair : lines) for (T*& line : pair) line = new_line(m, scratch);
    T* const zeros = scratch.take<T>(along_.n);
    std::fill_n(zeros, along_.n, T{});
    const T** rows = scratch.take<const T*>(2 * down_.most() + 2);
    Pace pace;
    for (index_t k = k0; k < k1; ++k) {
      for (index_t r = 0; r < 2 * down_.most() + 2; ++r) {
        const index_t sample = across_.sample(2 * k + r - down_.most());
        rows[r] = sample < 0 ? zeros : x + sample * row_stride;
      }
      filter_rows<Low, High>(rows + down_.most(), lines);
      for (auto& pair : lines) for (T* line : pair) extend(line);
      T* const to = bands + k * m;
      const auto rising = [&](int which) { return to + rising_plane[which] * plane; };
      const auto falling = [&](int which) { return to + falling_plane[which] * plane; };
      T* const low_rows = low + 2 * k * m;
      using Targets = RowTargets<T, 4>;
      using V = vec<T, vector_bytes>;
      filter_pair<Low, High>(lines[0], Targets({low_rows, low_rows + m, rising(0), falling(0)}, past_caches_),
                             [](const Targets& rows, index_t at, const V (&y)[2][2]) LIFTWAVE_INLINE_LAMBDA {
        for (int r = 0; r < 2; ++r) rows.put(r, at, y[r][0]);
        put_complex_pairs(rows, 2, at, y[0][1], y[1][1]);
      });
      filter_pair<Low, High>(lines[1], Targets({rising(1), falling(1), rising(2), falling(2)}, past_caches_),
                             [](const Targets& rows, index_t at, const V (&y)[2][2]) LIFTWAVE_INLINE_LAMBDA {
        for (int f = 0; f < 2; ++f) put_complex_pairs(rows, 2 * f, at, y[0][f], y[1][f]);
      });
      pace.moved(8 * m * static_cast<index_t>(sizeof(T)));
    }
  }

  // Lines of both filters of two rows; `rows` points to the first one among their neighbours.
  template <int Low, int High>
  LIFTWAVE_INLINE void filter_rows(const T* const* rows, T* const (&lines)[2][2]) const {
    const CentredTaps<T> taps = down_;  // a copy, which stays in registers while lines are written
    index_t at = 0;
    for (; at + w <= along_.n; at += w) filter_rows_at<Low, High, vector_bytes>(taps, rows, lines, at);
    for (; at < along_.n; ++at) filter_rows_at<Low, High, sizeof(T)>(taps, rows, lines, at);
  }

  template <int Low, int High, int Bytes>
  LIFTWAVE_INLINE void filter_rows_at(const CentredTaps<T>& taps, const T* const* rows, T* const (&lines)[2][2], index_t at) const {
    vec<T, Bytes> sums[2][2];
    unrolled<2>([&](auto row) LIFTWAVE_INLINE_LAMBDA {
      centred_pair<T, Low, High, Bytes>(
          taps, [&](int r) LIFTWAVE_INLINE_LAMBDA { return load<T, Bytes>(rows[row + r] + at); }, sums[row][0], sums[row][1]);
    });
    for (int f = 0; f < 2; ++f) for (int row = 0; row < 2; ++row) store<Bytes>(lines[f][row] + at, sums[row][f]);
  }

  // Calls put(targets, at, sums by row and filter) for all vectors of two lines.
  template <int Low, int High, class Put>
  LIFTWAVE_INLINE void filter_pair(T* const (&lines)[2], const RowTargets<T, 4>& targets, const Put& put) const {
    const CentredTaps<T> taps = taps_;
    const auto block = [&](const RowTargets<T, 4>& to, index_t at) LIFTWAVE_INLINE_LAMBDA {
      vec<T, vector_bytes> sums[2][2];
      unrolled<2>([&](auto row) LIFTWAVE_INLINE_LAMBDA {
        const T* const line = lines[row] + at;
        centred_pair<T, Low, High, vector_bytes>(
            taps, [&](int r) LIFTWAVE_INLINE_LAMBDA { return load<T, vector_bytes>(line + r); }, sums[row][0], sums[row][1]);
      });
      put(to, at, sums);
    };
    const index_t m = 2 * along_.count;
    index_t at = 0;
    for (; at + w <= m; at += w) block(targets, at);
    if (at == m) return;
    targets.template put_some<w>(at, m - at, [&](const RowTargets<T, 4>& some) { block(some, at); });
  }

  T* new_line(index_t m, Scratch& scratch) const {
    const index_t reach = taps_.most();
    return scratch.take<T>(m + 2 * reach + line_slack) + reach;
  }

  // The samples beyond the ends of a line.
  void extend(T* line) const {
    const index_t reach = taps_.most(), stop = 2 * along_.count + reach;
    const auto value = [&](index_t place) {
      const index_t sample = along_.sample(place);
      return sample < 0 ? T{} : line[sample];
    };
    for (index_t i = -reach; i < 0; ++i) line[i] = value(i);
    for (index_t i = along_.n; i < stop; ++i) line[i] = value(i);
  }

  // The real numbers of rows i and i + 1 of the bands.
  void real_rows_of(const T* bands, index_t i, T* to) const {
    const index_t m = 2 * along_.count, plane = across_.count * m, at = i / 2 * m;
    for (int which = 0; which < 3; ++which, to += m + ring_gap) {
      real_pairs(bands + rising_plane[which] * plane + at, bands + falling_plane[which] * plane + at, m, to, to + 3 * (m + ring_gap));
    }
  }

  // Two rows for each filter along them. They need two more rows of bands afterwards.
  void add_rows(const T** const (&from)[2][2], const T* low, const T* bands, index_t next, T* const (&lines)[2][2]) const {
    const index_t plane = 2 * across_.count * along_.count, at = next * along_.count;
    const T* ahead[2][4];  // processors begin to read planes ahead only after a few lines
    for (int which = 0; which < 3; ++which) {
      ahead[0][which] = bands + rising_plane[which] * plane + at;
      ahead[1][which] = bands + falling_plane[which] * plane + at;
    }
    for (int row = 0; row < 2; ++row) ahead[row][3] = low + (next + row) * 2 * along_.count;
    for (int g = 0; g < 2; ++g) {
      with_reach(down_, down_, [&](auto low_reach, auto high_reach) {
        add_rows_as<low_reach, high_reach>(from[g], ahead[g], {lines[0][g], lines[1][g]});
      });
      for (auto& row : lines) mirror(row[g], 2 * along_.count);
    }
  }

  template <int Low, int High>
  LIFTWAVE_INLINE void add_rows_as(const T** const (&from)[2], const T* const (&ahead)[4], T* const (&out)[2]) const {
    const CentredTaps<T> taps = down_;
    const index_t m = 2 * along_.count;
    index_t at = 0;
    for (; at + w <= m; at += w) {
      for (const T* each : ahead) prefetch<vector_bytes>(each + at);
      add_rows_at<Low, High, vector_bytes>(taps, from, at, out);
    }
    for (; at < m; ++at) add_rows_at<Low, High, sizeof(T)>(taps, from, at, out);
  }

  template <int Low, int High, int Bytes>
  LIFTWAVE_INLINE void add_rows_at(const CentredTaps<T>& taps, const T** const (&from)[2], index_t at, T* const (&out)[2]) const {
    vec<T, Bytes> sums[2];
    unrolled<2>([&](auto row) LIFTWAVE_INLINE_LAMBDA {
      sums[row] = centred_sum<T, Low, High, Bytes>(taps, [&](int f, int r) LIFTWAVE_INLINE_LAMBDA {
        return load<T, Bytes>(from[f][row + r] + at);
      });
    });
    for (int row = 0; row < 2; ++row) store<Bytes>(out[row] + at, sums[row]);
  }

  // The sum of two lines, each with its filter.
  void add_lines(T* const (&lines)[2], T* out) const {
    with_reach(taps_, taps_, [&](auto low, auto high) {
      const CentredTaps<T> taps = taps_;
      const index_t n = along_.n;
      index_t at = 0;
      for (; at + w <= n; at += w) add_lines_at<low, high, vector_bytes>(taps, lines, at, out + at);
      for (; at < n; ++at) add_lines_at<low, high, sizeof(T)>(taps, lines, at, out + at);
      if (2 * along_.count == n || along_.after[0] < 0) return;
      T last;
      add_lines_at<low, high, sizeof(T)>(taps, lines, n, &last);
      out[n - 1] += last;
    });
  }

  template <int Low, int High, int Bytes>
  LIFTWAVE_INLINE void add_lines_at(const CentredTaps<T>& taps, T* const (&lines)[2], index_t at, T* out) const {
    store<Bytes>(out, centred_sum<T, Low, High, Bytes>(taps, [&](int f, int r) LIFTWAVE_INLINE_LAMBDA {
      return load<T, Bytes>(lines[f] + at + r);
    }));
  }

  void mirror(T* line, index_t m) const {
    for (index_t r = 1; r <= taps_.most(); ++r) {
      line[-r] = line[mirrored(-r, m)];
      line[m - 1 + r] = line[mirrored(m - 1 + r, m)];
    }
  }

  const DualTreeAxis &across_, &along_;
  CentredTaps<T> down_, taps_;
  bool past_caches_;
};

}  // namespace liftwave::LIFTWAVE_ISA
