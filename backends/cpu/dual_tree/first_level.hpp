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

// A line or a row, and its neighbours on both sides, by distance.
template <class T>
struct Neighbours {
  const T* before[max_dual_tree_taps / 2];
  const T* after[max_dual_tree_taps / 2];
};

template <class T>
LIFTWAVE_INLINE void along_line(const T* line, int reach, Neighbours<T>& to) {
  for (int r = 0; r <= reach; ++r) {
    to.before[r] = line - r;
    to.after[r] = line + r;
  }
}

template <class T, int Vectors, int Bytes>
LIFTWAVE_INLINE void centred_block(const Neighbours<T>& from, const CentredTaps<T>& taps, index_t at,
                                   const LinePair<T>& out) {
  using V = vec<T, Bytes>;
  constexpr int w = width<T, Bytes>;
  V sums[2][Vectors];
  for (int v = 0; v < Vectors; ++v) {
    const V x = load<T, Bytes>(from.before[0] + at + v * w);
    sums[0][v] = taps.taps[0][0] * x;
    sums[1][v] = taps.taps[1][0] * x;
  }
  const int both = std::min(taps.reach[0], taps.reach[1]), longer = taps.reach[1] > both;
  for (int r = 1; r <= both; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      const V x = load<T, Bytes>(from.before[r] + at + v * w) + load<T, Bytes>(from.after[r] + at + v * w);
      sums[0][v] = sums[0][v] + taps.taps[0][r] * x;
      sums[1][v] = sums[1][v] + taps.taps[1][r] * x;
    }
  }
  for (int r = both + 1; r <= taps.reach[longer]; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      const V x = load<T, Bytes>(from.before[r] + at + v * w) + load<T, Bytes>(from.after[r] + at + v * w);
      sums[longer][v] = sums[longer][v] + taps.taps[longer][r] * x;
    }
  }
  for (int v = 0; v < Vectors; ++v) {
    store<Bytes>(out.low + at + v * w, sums[0][v]);
    store<Bytes>(out.high + at + v * w, sums[1][v]);
  }
}

// Both filters of one source.
template <class T>
LIFTWAVE_INLINE void centred_pair(const Neighbours<T>& from, const CentredTaps<T>& taps, index_t n,
                                  const LinePair<T>& out) {
  constexpr int w = width<T, vector_bytes>;
  index_t at = 0;
  for (; at + 4 * w <= n; at += 4 * w) centred_block<T, 4, vector_bytes>(from, taps, at, out);
  for (; at + w <= n; at += w) centred_block<T, 1, vector_bytes>(from, taps, at, out);
  for (; at < n; ++at) centred_block<T, 1, sizeof(T)>(from, taps, at, out);
}

template <class T, int Vectors, int Bytes>
LIFTWAVE_INLINE void centred_sum_block(const Neighbours<T> (&from)[2], const CentredTaps<T>& taps,
                                       index_t at, T* out) {
  using V = vec<T, Bytes>;
  constexpr int w = width<T, Bytes>;
  V sums[Vectors];
  for (int v = 0; v < Vectors; ++v) {
    sums[v] = taps.taps[0][0] * load<T, Bytes>(from[0].before[0] + at + v * w);
    sums[v] = sums[v] + taps.taps[1][0] * load<T, Bytes>(from[1].before[0] + at + v * w);
  }
  for (int f = 0; f < 2; ++f) {
    for (int r = 1; r <= taps.reach[f]; ++r) {
      for (int v = 0; v < Vectors; ++v) {
        const V x = load<T, Bytes>(from[f].before[r] + at + v * w) +
                    load<T, Bytes>(from[f].after[r] + at + v * w);
        sums[v] = sums[v] + taps.taps[f][r] * x;
      }
    }
  }
  for (int v = 0; v < Vectors; ++v) store<Bytes>(out + at + v * w, sums[v]);
}

// The sum of two sources, each with its filter.
template <class T>
LIFTWAVE_INLINE void centred_sum(const Neighbours<T> (&from)[2], const CentredTaps<T>& taps, index_t n,
                                 T* out) {
  constexpr int w = width<T, vector_bytes>;
  index_t at = 0;
  for (; at + 4 * w <= n; at += 4 * w) centred_sum_block<T, 4, vector_bytes>(from, taps, at, out);
  for (; at + w <= n; at += w) centred_sum_block<T, 1, vector_bytes>(from, taps, at, out);
  for (; at < n; ++at) centred_sum_block<T, 1, sizeof(T)>(from, taps, at, out);
}

// From pairs of numbers of an even row and an odd row to the complex numbers of two planes.
template <class T>
LIFTWAVE_INLINE void complex_pairs(const T* even, const T* odd, index_t count, T* rising, T* falling) {
  constexpr T scale = static_cast<T>(0.70710678118654752440L);
  for (index_t i = 0; i < 2 * count; i += 2) {
    rising[i] = (even[i] - odd[i + 1]) * scale;
    rising[i + 1] = (even[i + 1] + odd[i]) * scale;
    falling[i] = (even[i] + odd[i + 1]) * scale;
    falling[i + 1] = (even[i + 1] - odd[i]) * scale;
  }
}

template <class T>
LIFTWAVE_INLINE void real_pairs(const T* rising, const T* falling, index_t count, T* even, T* odd) {
  constexpr T scale = static_cast<T>(0.70710678118654752440L);
  for (index_t i = 0; i < 2 * count; i += 2) {
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
    Scratch scratch;
    const index_t n = along_.n, m = 2 * along_.count, plane = across_.count * m;
    T* lines[2];
    for (T*& line : lines) line = new_line(m, scratch);
    const RowSink<T> sink(past_caches_, m, scratch);
    T* const zeros = scratch.take<T>(n);
    std::fill_n(zeros, n, T{});
    T* of_rows[2][3];  // by row: the high-pass of low lines, and both of high lines
    for (auto& row : of_rows) for (T*& line : row) line = scratch.take<T>(m + line_slack);
    Pace pace;
    for (index_t k = k0; k < k1; ++k) {
      for (int row = 0; row < 2; ++row) {
        const index_t i = 2 * k + row;
        Neighbours<T> across, along;
        neighbours(x, row_stride, i, across, zeros);
        centred_pair(across, down_, n, {lines[0], lines[1]});
        for (T* line : lines) extend(line);
        along_line<T>(lines[0], taps_.most(), along);
        centred_pair(along, taps_, m, {sink.row(low + i * m), of_rows[row][0]});
        sink.done(low + i * m, m);
        along_line<T>(lines[1], taps_.most(), along);
        centred_pair(along, taps_, m, {of_rows[row][1], of_rows[row][2]});
      }
      for (int which = 0; which < 3; ++which) {
        T* const rising = bands + rising_plane[which] * plane + k * m;
        T* const falling = bands + falling_plane[which] * plane + k * m;
        complex_pairs(of_rows[0][which], of_rows[1][which], along_.count, sink.row(rising), sink.row(falling, 1));
        sink.done(rising, m);
        sink.done(falling, m, 1);
      }
      pace.moved(8 * m * static_cast<index_t>(sizeof(T)));
    }
  }

  // Rows i0 ... i1 - 1 of the signal.
  void merge(const T* low, const T* bands, T* out, index_t row_stride, index_t i0, index_t i1) const {
    Scratch scratch;
    const index_t n = along_.n, m = 2 * along_.count, height = 2 * across_.count;
    // An odd number of rows has one more, which is dropped, or added to the last one.
    const bool is_last = i1 == across_.n && height > across_.n;
    const index_t stop = is_last ? height : i1, reach = down_.most();
    index_t first = i0, last = stop;
    for (index_t i = i0 - reach; i < stop + reach; ++i) {
      first = std::min(first, mirrored(i, height));
      last = std::max(last, mirrored(i, height) + 1);
    }
    first -= first % 2;
    last += last % 2;
    T* const rows = scratch.take<T>((last - first) * 2 * m + line_slack);
    rebuild(low, bands, first, last, rows);
    T* const extra = scratch.take<T>(n + line_slack);
    for (index_t i = i0; i < stop; ++i) {
      Neighbours<T> from[2];
      for (int f = 0; f < 2; ++f) {
        for (index_t r = 0; r <= down_.reach[f]; ++r) {
          from[f].before[r] = rows + ((mirrored(i - r, height) - first) * 2 + f) * m;
          from[f].after[r] = rows + ((mirrored(i + r, height) - first) * 2 + f) * m;
        }
      }
      centred_sum(from, down_, n, i < i1 ? out + i * row_stride : extra);
    }
    if (is_last && across_.after[0] >= 0) {
      T* const to = out + (across_.n - 1) * row_stride;
      for (index_t c = 0; c < n; ++c) to[c] += extra[c];
    }
  }

 private:
  T* new_line(index_t m, Scratch& scratch) const {
    const index_t reach = taps_.most();
    return scratch.take<T>(m + 2 * reach + line_slack) + reach;
  }

  // The rows around row i.
  void neighbours(const T* x, index_t row_stride, index_t i, Neighbours<T>& to, const T* zeros) const {
    const auto row = [&](index_t place) {
      const index_t sample = across_.sample(place);
      return sample < 0 ? zeros : x + sample * row_stride;
    };
    for (index_t r = 0; r <= down_.most(); ++r) {
      to.before[r] = row(i - r);
      to.after[r] = row(i + r);
    }
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

  // The lines of both filters for rows `first` ... `last - 1`, which are even numbers.
  void rebuild(const T* low, const T* bands, index_t first, index_t last, T* rows) const {
    Scratch scratch;
    const index_t m = 2 * along_.count, plane = across_.count * m;
    T* lines[2][4];  // by row: the low-pass, then the bands as in `rising_plane`
    for (auto& row : lines) for (T*& line : row) line = new_line(m, scratch);
    Pace pace;
    for (index_t i = first; i < last; i += 2) {
      for (int row = 0; row < 2; ++row) std::copy_n(low + (i + row) * m, m, lines[row][0]);
      for (int which = 0; which < 3; ++which) {
        const index_t at = i / 2 * m;
        real_pairs(bands + rising_plane[which] * plane + at, bands + falling_plane[which] * plane + at,
                   along_.count, lines[0][which + 1], lines[1][which + 1]);
      }
      for (int row = 0; row < 2; ++row) {
        for (T* line : lines[row]) mirror(line, m);
        for (int f = 0; f < 2; ++f) {
          Neighbours<T> from[2];
          for (int g = 0; g < 2; ++g) along_line<T>(lines[row][2 * f + g], taps_.reach[g], from[g]);
          T* const to = rows + ((i + row - first) * 2 + f) * m;
          centred_sum(from, taps_, m, to);
          if (m > along_.n && along_.after[0] >= 0) to[along_.n - 1] += to[along_.n];
        }
      }
      pace.moved(8 * m * static_cast<index_t>(sizeof(T)));
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
