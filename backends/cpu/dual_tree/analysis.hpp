// One level of the dual tree. For each output row of both halves, rows are filtered across the first
// axis; the sums are filtered along themselves and combined to complex numbers in registers.
#pragma once

#include "dual_tree/kernels.hpp"
#include "dual_tree/first_level.hpp"
#include "dual_tree/lines.hpp"

namespace liftwave::LIFTWAVE_ISA {

// The outputs of lines, by even and odd samples: vectors of both filters of the lines' samples.
template <class T, int Lines>
struct LineOutputs {
  using V = vec<T, vector_bytes>;
  V sums[Lines][2][2];  // by line, filter and parity
};

// The taps of both halves along lines, in the order of the low-pass's samples.
template <class T>
class LineSplit {
 public:
  explicit LineSplit(const DualTreeAxis& axis)
      : axis_(axis), first_(axis.halves[0].parity[0]), swaps_(axis.halves[first_].parity[1] != 0),
        taps_{HalfTaps<T>(axis, first_), HalfTaps<T>(axis, 1 - first_)} {}

  // Calls put(targets, at, outputs) for vectors of all outputs of the lines.
  template <int Lines, int Rows, class Put>
  void run(const PhasedLine<T>* lines, const RowTargets<T, Rows>& targets, const Put& put) const {
    if (swaps_) return run_as<Lines, Rows, true>(lines, targets, put);
    run_as<Lines, Rows, false>(lines, targets, put);
  }

 private:
  static constexpr int w = width<T, vector_bytes>;

  template <int Lines, int Rows, bool Swaps, class Put>
  LIFTWAVE_INLINE void run_as(const PhasedLine<T>* lines, const RowTargets<T, Rows>& targets, const Put& put) const {
    constexpr int vectors = vector_bytes == 64 ? 2 : 1;  // that 32 or 16 registers hold
    index_t offsets[2][max_dual_tree_taps];
    for (int half = 0; half < 2; ++half) {
      for (int j = 0; j < taps_[half].count; ++j) offsets[half][j] = lines[0].offset(taps_[half].place[j]);
    }
    index_t at = 0;
    for (; at + vectors * w <= axis_.count; at += vectors * w) {
      block<Lines, Rows, vectors, Swaps>(lines, offsets, at, targets, put);
    }
    for (; at + w <= axis_.count; at += w) block<Lines, Rows, 1, Swaps>(lines, offsets, at, targets, put);
    if (at == axis_.count) return;
    targets.template put_some<2 * w>(2 * at, 2 * (axis_.count - at), [&](const RowTargets<T, Rows>& some) {
      block<Lines, Rows, 1, Swaps>(lines, offsets, at, some, put);
    });
  }

  template <int Lines, int Rows, int Vectors, bool Swaps, class Put>
  LIFTWAVE_INLINE void block(const PhasedLine<T>* lines, const index_t (&offsets)[2][max_dual_tree_taps],
                             index_t at, const RowTargets<T, Rows>& targets, const Put& put) const {
    LineOutputs<T, Lines> results[Vectors];
    const T* from[Lines];
    for (int l = 0; l < Lines; ++l) from[l] = lines[l].phases() + at;
    unrolled<2>([&](auto half) LIFTWAVE_INLINE_LAMBDA {
      const HalfTaps<T>& taps = taps_[half];
      constexpr int high_parity = Swaps ? 1 - half : half;
      const auto each = [&](int j, auto is_first) LIFTWAVE_INLINE_LAMBDA {
        unrolled<Lines * Vectors>([&](auto i) LIFTWAVE_INLINE_LAMBDA {
          constexpr int l = i / Vectors, v = i % Vectors;
          const auto x = load<T, vector_bytes>(from[l] + offsets[half][j] + v * w);
          auto& low = results[v].sums[l][0][half];
          auto& high = results[v].sums[l][1][high_parity];
          low = is_first ? taps.low[j] * x : low + taps.low[j] * x;
          high = is_first ? taps.high[j] * x : high + taps.high[j] * x;
        });
      };
      each(0, std::true_type{});
      for (int j = 1; j < taps.count; ++j) each(j, std::false_type{});
    });
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA { put(targets, at + v * w, results[v]); });
  }

  const DualTreeAxis& axis_;
  int first_;   // the half of the even samples of the low-pass
  bool swaps_;  // whether it has the odd samples of the high-pass
  HalfTaps<T> taps_[2];
};

// From samples a b / c d of a band to the complex numbers of two rows of targets.
template <class T, int Rows>
LIFTWAVE_INLINE void put_complex(const RowTargets<T, Rows>& to, int row, index_t at,
                                 const LineOutputs<T, 2>& outputs, int filter) {
  constexpr T scale = static_cast<T>(0.70710678118654752440L);
  const auto &a = outputs.sums[0][filter][0], &b = outputs.sums[0][filter][1];
  const auto &c = outputs.sums[1][filter][0], &d = outputs.sums[1][filter][1];
  to.put_merged(row, at, scale * (a - d), scale * (b + c));
  to.put_merged(row + 1, at, scale * (a + d), scale * (b - c));
}

template <class T>
class DualTreeSplit {
 public:
  DualTreeSplit(const DualTreeAxis* axes, int count, bool past_caches)
      : past_caches_(past_caches), across_(axes[0]), along_(axes[count - 1]),
        down_{HalfTaps<T>(across_, 0), HalfTaps<T>(across_, 1)}, split_(along_) {}

  // A line.
  void line(const T* x, T* low, T* band) const {
    Scratch scratch;
    const PhasedLine<T> line(along_, scratch);
    if (along_.stride == 2) line.template fill<2>(x);
    else line.template fill<4>(x);
    line.extend();
    const RowTargets<T, 2> targets({low, band}, false);
    split_.template run<1>(&line, targets, [](const RowTargets<T, 2>& to, index_t at, const LineOutputs<T, 1>& y) LIFTWAVE_INLINE_LAMBDA {
      for (int f = 0; f < 2; ++f) to.put_merged(f, at, y.sums[0][f][0], y.sums[0][f][1]);
    });
  }

  // Outputs k0 ... k1 - 1 of both halves of an image.
  void rows(const T* x, index_t row_stride, T* low, T* bands, index_t k0, index_t k1) const {
    Scratch scratch;
    const index_t n = 2 * along_.count, plane = across_.count * n;
    const Lines pair[2] = {Lines(along_, scratch), Lines(along_, scratch)};  // of two outputs
    Pace pace;
    for (index_t k = k0; k < k1; ++k) {
      if ((k - k0) % 2 == 0) sum_across(x, row_stride, k, std::min<index_t>(2, k1 - k), pair);
      const auto& lines = pair[(k - k0) % 2].lines;
      T* const to = bands + n * k;
      const auto rising = [&](int which) { return to + rising_plane[which] * plane; };
      const auto falling = [&](int which) { return to + falling_plane[which] * plane; };
      T* const low_rows = low + 2 * n * k;
      using Targets = RowTargets<T, 4>;
      using Outputs = LineOutputs<T, 2>;
      split_.template run<2>(lines[0], Targets({low_rows, low_rows + n, rising(0), falling(0)}, past_caches_),
                             [](const Targets& rows, index_t at, const Outputs& y) LIFTWAVE_INLINE_LAMBDA {
        for (int r = 0; r < 2; ++r) rows.put_merged(r, at, y.sums[r][0][0], y.sums[r][0][1]);
        put_complex(rows, 2, at, y, 1);
      });
      split_.template run<2>(lines[1], Targets({rising(1), falling(1), rising(2), falling(2)}, past_caches_),
                             [](const Targets& rows, index_t at, const Outputs& y) LIFTWAVE_INLINE_LAMBDA {
        for (int f = 0; f < 2; ++f) put_complex(rows, 2 * f, at, y, f);
      });
      pace.moved(8 * n * static_cast<index_t>(sizeof(T)));
    }
  }

 private:
  // The lines of an output, by filter and parity of the row.
  struct Lines {
    PhasedLine<T> lines[2][2];
    Lines(const DualTreeAxis& axis, Scratch& scratch)
        : lines{{{axis, scratch}, {axis, scratch}}, {{axis, scratch}, {axis, scratch}}} {}
  };

  // The sources of an output, with their taps.
  struct Sources {
    const T* rows[max_dual_tree_taps + 2];
    T low[max_dual_tree_taps], high[max_dual_tree_taps];
    int count;
  };

  // The lines of outputs k ... k + count - 1, of one or two.
  void sum_across(const T* x, index_t row_stride, index_t k, index_t count, const Lines* outputs) const {
    for (int half = 0; half < 2; ++half) {
      const int* const parity = across_.halves[half].parity;
      const PhasedLine<T>* low[2];
      const PhasedLine<T>* high[2];
      for (index_t i = 0; i < count; ++i) {
        low[i] = &outputs[i].lines[0][parity[0]];
        high[i] = &outputs[i].lines[1][parity[1]];
      }
      if (along_.stride == 2) sum_half<2>(x, row_stride, half, k, count, low, high);
      else sum_half<4>(x, row_stride, half, k, count, low, high);
      for (index_t i = 0; i < count; ++i) {
        low[i]->extend();
        high[i]->extend();
      }
    }
  }

  template <int Stride>
  void sum_half(const T* x, index_t row_stride, int half, index_t k, index_t count,
                const PhasedLine<T>* const (&low)[2], const PhasedLine<T>* const (&high)[2]) const {
    const HalfTaps<T>& taps = down_[half];
    Sources from;
    if (count == 2 && shared_sources(x, row_stride, taps, k, from)) {
      return sum_line_pairs<T, Stride>(from.rows, taps.low, taps.high, taps.count, along_.n, low, high);
    }
    for (index_t i = 0; i < count; ++i) {
      sources(x, row_stride, taps, k + i, from);
      if (from.count == 0) {
        low[i]->clear();
        high[i]->clear();
      } else {
        sum_lines<T, Stride>(from.rows, from.low, from.high, from.count, along_.n, *low[i], *high[i]);
      }
    }
  }

  // Output k's sources; zeros are left out.
  void sources(const T* x, index_t row_stride, const HalfTaps<T>& taps, index_t k, Sources& to) const {
    to.count = 0;
    for (int j = 0; j < taps.count; ++j) {
      const index_t row = across_.sample(across_.stride * k + taps.place[j]);
      if (row < 0) continue;
      to.rows[to.count] = x + row * row_stride;
      to.low[to.count] = taps.low[j];
      to.high[to.count++] = taps.high[j];
    }
  }

  // The sources of outputs k + 1 and k, if these share all but two and none is zero.
  bool shared_sources(const T* x, index_t row_stride, const HalfTaps<T>& taps, index_t k, Sources& to) const {
    const index_t distance = across_.dilation, first = taps.place[0];
    if (taps.count < 3) return false;
    if (taps.place[taps.count - 1] != first - distance * (taps.count - 1)) return false;
    for (int j = 0; j < taps.count + 2; ++j) {
      const index_t row = across_.sample(across_.stride * (k + 1) + first - distance * j);
      if (row < 0) return false;
      to.rows[j] = x + row * row_stride;
    }
    return true;
  }

  bool past_caches_;
  const DualTreeAxis &across_, &along_;
  HalfTaps<T> down_[2];
  LineSplit<T> split_;
};

// Results of at least this number of bytes are written past the caches.
inline constexpr double streamed_bytes = 32.0 * 1024 * 1024;

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
