// One level of the dual tree. Four rows at a time are filtered across the first axis, then along
// themselves, and combined to complex numbers.
#pragma once

#include "dual_tree/kernels.hpp"
#include "dual_tree/first_level.hpp"
#include "dual_tree/lines.hpp"

namespace liftwave::LIFTWAVE_ISA {

// From samples a b / c d of a band to the complex numbers of two planes.
template <class T>
LIFTWAVE_INLINE void complex_rows(const T* a, const T* b, const T* c, const T* d, index_t n,
                                  T* rising, T* falling) {
  constexpr T scale = static_cast<T>(0.70710678118654752440L);
  for (index_t i = 0; i < n; ++i) {
    rising[2 * i] = (a[i] - d[i]) * scale;
    rising[2 * i + 1] = (b[i] + c[i]) * scale;
    falling[2 * i] = (a[i] + d[i]) * scale;
    falling[2 * i + 1] = (b[i] - c[i]) * scale;
  }
}

template <class T>
class DualTreeSplit {
 public:
  DualTreeSplit(const DualTreeAxis* axes, int count, bool past_caches)
      : past_caches_(past_caches), across_(axes[0]), along_(axes[count - 1]), down_{HalfTaps<T>(across_, 0), HalfTaps<T>(across_, 1)},
        taps_{HalfTaps<T>(along_, 0), HalfTaps<T>(along_, 1)} {}

  // A line.
  void line(const T* x, T* low, T* band) const {
    Scratch scratch;
    const ExtendedLine<T> line(along_, scratch);
    std::copy_n(x, along_.n, line.samples());
    line.split_phases();
    const index_t n = along_.count;
    T* rows[2][2];  // by filter and parity
    for (auto& pair : rows) for (T*& row : pair) row = scratch.take<T>(n + line_slack);
    outputs(line, rows);
    interleave(rows[0][0], rows[0][1], n, low);
    interleave(rows[1][0], rows[1][1], n, band);
  }

  // Outputs k0 ... k1 - 1 of both halves of an image.
  void rows(const T* x, index_t row_stride, T* low, T* bands, index_t k0, index_t k1) const {
    Scratch scratch;
    const index_t n = along_.count, plane = across_.count * n * 2;
    const ExtendedLine<T> lines[4] = {{along_, scratch}, {along_, scratch}, {along_, scratch}, {along_, scratch}};
    T* rows[2][2][2];  // by parity of the row, filter and parity along the row
    for (auto& pairs : rows) {
      for (auto& pair : pairs) for (T*& row : pair) row = scratch.take<T>(n + line_slack);
    }
    const RowSink<T> sink(past_caches_, 2 * n, scratch);
    Pace pace;
    for (index_t k = k0; k < k1; ++k) {
      for (int half = 0; half < 2; ++half) {
        sum_across(x, row_stride, half, k, {lines[half].samples(), lines[2 + half].samples()});
      }
      for (int filter = 0; filter < 2; ++filter) {
        for (int half = 0; half < 2; ++half) {
          const ExtendedLine<T>& line = lines[2 * filter + half];
          line.split_phases();
          outputs(line, rows[across_.halves[half].parity[filter]]);
        }
        const index_t at = 2 * n * k;
        if (filter == 0) {
          for (int parity = 0; parity < 2; ++parity) {
            T* const to = low + 2 * at + 2 * n * parity;
            interleave(rows[parity][0][0], rows[parity][0][1], n, sink.row(to));
            sink.done(to, 2 * n);
          }
        } else {
          combine(rows, 0, bands + at, plane, 1, sink);
        }
        combine(rows, 1, bands + at, plane, filter ? 2 : 0, sink);
      }
      pace.moved(16 * n * static_cast<index_t>(sizeof(T)));
    }
  }

 private:
  void sum_across(const T* x, index_t row_stride, int half, index_t k, const LinePair<T>& out) const {
    const HalfTaps<T>& taps = down_[half];
    const T* sources[max_dual_tree_taps];
    T low[max_dual_tree_taps], high[max_dual_tree_taps];
    int count = 0;
    for (int j = 0; j < taps.count; ++j) {
      const index_t row = across_.sample(across_.stride * k + taps.place[j]);
      if (row < 0) continue;
      sources[count] = x + row * row_stride;
      low[count] = taps.low[j];
      high[count++] = taps.high[j];
    }
    sum_lines(sources, low, high, count, along_.n, out);
  }

  // All outputs of a line, by filter and parity.
  void outputs(const ExtendedLine<T>& line, T* const (&rows)[2][2]) const {
    for (int half = 0; half < 2; ++half) {
      const int* const parity = along_.halves[half].parity;
      filter_line(line, taps_[half], along_.count, {rows[0][parity[0]], rows[1][parity[1]]});
    }
  }

  void combine(T* const (&rows)[2][2][2], int filter, T* bands, index_t plane, int which,
               const RowSink<T>& sink) const {
    T* const rising = bands + rising_plane[which] * plane;
    T* const falling = bands + falling_plane[which] * plane;
    complex_rows(rows[0][filter][0], rows[0][filter][1], rows[1][filter][0], rows[1][filter][1],
                 along_.count, sink.row(rising), sink.row(falling, 1));
    sink.done(rising, 2 * along_.count);
    sink.done(falling, 2 * along_.count, 1);
  }

  bool past_caches_;
  const DualTreeAxis &across_, &along_;
  HalfTaps<T> down_[2], taps_[2];
};

// Results of so many bytes are written past the caches.
inline constexpr double streamed_bytes = 16.0 * 1024 * 1024;

template <class T>
void split_dual_tree(const DualTreeAxis* axes, int count, const DualTreeArrays<const T, T, T>& arrays) {
  const bool is_first = count == 2 && axes[0].is_centred && axes[1].is_centred;
  const index_t rows = count == 1 ? 1 : axes[0].count, columns = axes[count - 1].count;
  const index_t rows_of_low = count == 1 ? 1 : 2 * rows, planes = count == 1 ? 1 : 6;
  const double bytes = 6.0 * sizeof(T) * static_cast<double>(arrays.items) * rows_of_low * columns;
  const double results = 8.0 * sizeof(T) * static_cast<double>(arrays.items * rows) * columns;
  const bool past_caches = count == 2 && 2 * results >= streamed_bytes;
  const DualTreeSplit<T> split(axes, count, past_caches);
  const index_t parts = std::max<index_t>(8 * threads_for(bytes), ranges_for(bytes));
  const index_t blocks = std::clamp<index_t>(parts / arrays.items, 1, rows);
  const index_t block = (rows + blocks - 1) / blocks;
  parallel_for(arrays.items * blocks, bytes, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i) {
      const index_t item = i / blocks, k0 = i % blocks * block;
      const T* const x = arrays.x + item * arrays.item_stride;
      T* const low = arrays.low + item * rows_of_low * 2 * columns;
      T* const bands = arrays.bands + item * planes * rows * 2 * columns;
      if (count == 1) {
        split.line(x, low, bands);
      } else if (is_first) {
        FirstLevel<T>(axes, past_caches).split(x, arrays.row_stride, low, bands, k0, std::min(k0 + block, rows));
      } else {
        split.rows(x, arrays.row_stride, low, bands, k0, std::min(k0 + block, rows));
      }
    }
    if (past_caches) end_streams();
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
