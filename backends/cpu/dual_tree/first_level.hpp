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
    // Lines of both filters, as long as rows need them: row i is at i modulo the capacity.
    const index_t capacity = 2 * reach + 4;
    T* const ring = scratch.take<T>(capacity * 2 * m + line_slack);
    T* lines[2][4];  // by row: the low-pass, then the bands as in `rising_plane`
    for (auto& row : lines) for (T*& line : row) line = new_line(m, scratch);
    T* const extra = scratch.take<T>(n + line_slack);
    const T** from = scratch.take<const T*>(2 * reach + 2);
    Pace pace;
    index_t next = std::max<index_t>(i0 - reach, 0) / 2 * 2;
    for (index_t i = i0; i < stop; i += 2) {
      for (; next < std::min(i + reach + 2, height); next += 2) {
        rebuild(low, bands, next, lines, ring + next % capacity * 2 * m);
        pace.moved(8 * m * static_cast<index_t>(sizeof(T)));
      }
      for (index_t r = -reach; r <= reach + 1; ++r) from[reach + r] = ring + mirrored(i + r, height) % capacity * 2 * m;
      T* const to[2] = {i < i1 ? out + i * row_stride : extra, i + 1 < i1 ? out + (i + 1) * row_stride : extra};
      add_rows(from + reach, i + 1 < stop ? 2 : 1, to);
    }
    if (is_last && across_.after[0] >= 0) {
      T* const to = out + (across_.n - 1) * row_stride;
      for (index_t c = 0; c < n; ++c) to[c] += extra[c];
    }
  }

 private:
  static constexpr int w = width<T, vector_bytes>;

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

  // One or two rows of the signal from their neighbours, each a line of both filters.
  void add_rows(const T* const* rows, int count, T* const (&out)[2]) const {
    with_reach(down_, down_, [&](auto low, auto high) {
      if (count == 2) add_rows_as<low, high, 2>(rows, out);
      else add_rows_as<low, high, 1>(rows, out);
    });
  }

  template <int Low, int High, int Rows>
  LIFTWAVE_INLINE void add_rows_as(const T* const* rows, T* const (&out)[2]) const {
    const CentredTaps<T> taps = down_;
    index_t at = 0;
    for (; at + w <= along_.n; at += w) add_rows_at<Low, High, Rows, vector_bytes>(taps, rows, at, out);
    for (; at < along_.n; ++at) add_rows_at<Low, High, Rows, sizeof(T)>(taps, rows, at, out);
  }

  template <int Low, int High, int Rows, int Bytes>
  LIFTWAVE_INLINE void add_rows_at(const CentredTaps<T>& taps, const T* const* rows, index_t at, T* const (&out)[2]) const {
    const index_t m = 2 * along_.count;
    vec<T, Bytes> sums[Rows];
    unrolled<Rows>([&](auto i) LIFTWAVE_INLINE_LAMBDA {
      sums[i] = centred_sum<T, Low, High, Bytes>(taps, [&](int f, int r) LIFTWAVE_INLINE_LAMBDA {
        return load<T, Bytes>(rows[i + r] + f * m + at);
      });
    });
    for (int i = 0; i < Rows; ++i) store<Bytes>(out[i] + at, sums[i]);
  }

  // The sum of two lines, each with its filter. It calls ahead(at) for each vector.
  template <class Ahead>
  void add_lines(const T* const* lines, T* out, const Ahead& ahead) const {
    with_reach(taps_, taps_, [&](auto low, auto high) {
      const CentredTaps<T> taps = taps_;
      const index_t m = 2 * along_.count;
      index_t at = 0;
      for (; at + w <= m; at += w) {
        ahead(at);
        add_lines_at<low, high, vector_bytes>(taps, lines, at, out);
      }
      for (; at < m; ++at) add_lines_at<low, high, sizeof(T)>(taps, lines, at, out);
    });
  }

  template <int Low, int High, int Bytes>
  LIFTWAVE_INLINE void add_lines_at(const CentredTaps<T>& taps, const T* const* lines, index_t at, T* out) const {
    store<Bytes>(out + at, centred_sum<T, Low, High, Bytes>(taps, [&](int f, int r) LIFTWAVE_INLINE_LAMBDA {
      return load<T, Bytes>(lines[f] + at + r);
    }));
  }

  // The lines of both filters for rows i and i + 1, an even number and the next one.
  void rebuild(const T* low, const T* bands, index_t i, T* const (&lines)[2][4], T* to) const {
    const index_t m = 2 * along_.count, plane = across_.count * m;
    for (int row = 0; row < 2; ++row) std::copy_n(low + (i + row) * m, m, lines[row][0]);
    for (int which = 0; which < 3; ++which) {
      const index_t at = i / 2 * m;
      real_pairs(bands + rising_plane[which] * plane + at, bands + falling_plane[which] * plane + at, m,
                 lines[0][which + 1], lines[1][which + 1]);
    }
    const index_t next = std::min(i + 2, 2 * across_.count - 2);
    for (int row = 0; row < 2; ++row) {
      for (T* line : lines[row]) mirror(line, m);
      for (int f = 0; f < 2; ++f, to += m) {
        // Rows of the next outputs: processors begin to read planes ahead only after a few lines.
        const int which = 2 * row + f - 1;
        const T* const a = which < 0 ? low + next * m : bands + rising_plane[which] * plane + next / 2 * m;
        const T* const b = which < 0 ? low + (next + 1) * m : bands + falling_plane[which] * plane + next / 2 * m;
        add_lines(lines[row] + 2 * f, to, [&](index_t at) LIFTWAVE_INLINE_LAMBDA {
          prefetch<vector_bytes>(a + at);
          prefetch<vector_bytes>(b + at);
        });
        if (m > along_.n && along_.after[0] >= 0) to[along_.n - 1] += to[along_.n];
      }
    }
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
