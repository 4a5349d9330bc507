// The transpose of one level of the dual tree: rows of both halves are rebuilt along themselves,
// a block of them at a time, and added across the first axis.
#pragma once

#include "dual_tree/analysis.hpp"

namespace liftwave::LIFTWAVE_ISA {

// A sum of lines with one number each.
template <class T, int Vectors, int Bytes>
LIFTWAVE_INLINE void add_block(const T* const* sources, const T* weights, int count, index_t at, T* out) {
  using V = vec<T, Bytes>;
  constexpr int w = width<T, Bytes>;
  V a[Vectors];
  for (int v = 0; v < Vectors; ++v) a[v] = weights[0] * load<T, Bytes>(sources[0] + at + v * w);
  for (int j = 1; j < count; ++j) {
    for (int v = 0; v < Vectors; ++v) {
      a[v] = a[v] + weights[j] * load<T, Bytes>(sources[j] + at + v * w);
    }
  }
  for (int v = 0; v < Vectors; ++v) store<Bytes>(out + at + v * w, a[v]);
}

template <class T>
LIFTWAVE_INLINE void add_lines(const T* const* sources, const T* weights, int count, index_t n, T* out) {
  constexpr int w = width<T, vector_bytes>;
  index_t at = 0;
  if (count == 0) {
    std::fill_n(out, n, T{});
    return;
  }
  for (; at + 4 * w <= n; at += 4 * w) add_block<T, 4, vector_bytes>(sources, weights, count, at, out);
  for (; at + w <= n; at += w) add_block<T, 1, vector_bytes>(sources, weights, count, at, out);
  for (; at < n; ++at) add_block<T, 1, sizeof(T)>(sources, weights, count, at, out);
}

// From the complex numbers of two planes to samples a b / c d.
template <class T>
LIFTWAVE_INLINE void real_rows(const T* rising, const T* falling, index_t n, T* a, T* b, T* c, T* d) {
  constexpr T scale = static_cast<T>(0.70710678118654752440L);
  for (index_t i = 0; i < n; ++i) {
    a[i] = (rising[2 * i] + falling[2 * i]) * scale;
    d[i] = (falling[2 * i] - rising[2 * i]) * scale;
    b[i] = (rising[2 * i + 1] + falling[2 * i + 1]) * scale;
    c[i] = (rising[2 * i + 1] - falling[2 * i + 1]) * scale;
  }
}

// Rebuilds lines from the outputs of both halves.
template <class T>
class LineMerge {
 public:
  explicit LineMerge(const DualTreeAxis& axis) : axis_(axis), taps_{HalfTaps<T>(axis, 0), HalfTaps<T>(axis, 1)} {
    const index_t s = axis.stride, before = static_cast<index_t>(axis.before.size());
    const index_t after = static_cast<index_t>(axis.after.size());
    first_ = -((before + s - 1) / s) * s;
    per_phase_ = (axis.n + after - first_ + s - 1) / s;
    index_t least = 0, most = 0;
    for (const HalfTaps<T>& taps : taps_) {
      for (int j = 0; j < taps.count; ++j) {
        least = std::min(least, taps.place[j]);
        most = std::max(most, taps.place[j]);
      }
    }
    margin_ = (most - first_) / s + 2;
    size_ = margin_ + std::max(axis.count, per_phase_ + (first_ - least) / s + 2) + line_slack;
  }

  // Memory for outputs, with zeros around them.
  T* outputs(Scratch& scratch) const {
    T* const memory = scratch.take<T>(size_);
    std::fill_n(memory, size_, T{});
    return memory + margin_;
  }

  index_t numbers() const { return per_phase_ * axis_.stride + line_slack; }

  // `rows`: outputs by filter and parity. `phases` and `whole` are memory of numbers() each.
  void run(T* const (&rows)[2][2], T* phases, T* whole, T* out) const {
    const index_t s = axis_.stride;
    for (index_t phase = 0; phase < s; ++phase) {
      const T* sources[4 * max_dual_tree_taps];
      T weights[4 * max_dual_tree_taps];
      int count = 0;
      for (int half = 0; half < 2; ++half) {
        const int* const parity = axis_.halves[half].parity;
        for (int j = 0; j < taps_[half].count; ++j) {
          const index_t distance = first_ + phase - taps_[half].place[j];
          if (distance % s) continue;
          sources[count] = rows[0][parity[0]] + distance / s;
          weights[count++] = taps_[half].low[j];
          sources[count] = rows[1][parity[1]] + distance / s;
          weights[count++] = taps_[half].high[j];
        }
      }
      add_lines(sources, weights, count, per_phase_, phases + phase * per_phase_);
    }
    T* const places = whole - first_;
    if (s == 2) {
      interleave(phases, phases + per_phase_, per_phase_, whole);
    } else {
      join<4>(phases, whole);
    }
    std::copy_n(places, axis_.n, out);
    for (index_t i = -static_cast<index_t>(axis_.before.size()); i < 0; ++i) fold(places, i, out);
    for (index_t i = 0; i < static_cast<index_t>(axis_.after.size()); ++i) fold(places, axis_.n + i, out);
  }

 private:
  template <int Stride>
  void join(const T* phases, T* whole) const {
    for (index_t q = 0; q < per_phase_; ++q) {
      for (int phase = 0; phase < Stride; ++phase) whole[Stride * q + phase] = phases[phase * per_phase_ + q];
    }
  }

  void fold(const T* places, index_t i, T* out) const {
    const index_t sample = axis_.sample(i);
    if (sample >= 0) out[sample] += places[i];
  }

  const DualTreeAxis& axis_;
  HalfTaps<T> taps_[2];
  index_t first_, per_phase_, margin_, size_;
};

// The outputs of both halves that are part of each row, with their weights.
template <class T>
class RowTerms {
 public:
  struct Term {
    index_t k;
    int half;
    T low, high;
  };

  RowTerms(const DualTreeAxis& axis, Scratch& scratch) {
    starts_ = scratch.take<index_t>(axis.n + 2);
    std::fill_n(starts_, axis.n + 2, index_t{});
    const HalfTaps<T> taps[2] = {HalfTaps<T>(axis, 0), HalfTaps<T>(axis, 1)};
    each(axis, taps, [&](index_t row, const Term&) { ++starts_[row + 2]; });
    for (index_t i = 0; i <= axis.n; ++i) starts_[i + 1] += starts_[i];
    terms_ = scratch.take<Term>(starts_[axis.n + 1] + 1);
    each(axis, taps, [&](index_t row, const Term& term) { terms_[starts_[row + 1]++] = term; });
  }

  const Term* begin(index_t row) const { return terms_ + starts_[row]; }
  const Term* end(index_t row) const { return terms_ + starts_[row + 1]; }

  // The outputs that rows i0 ... i1 - 1 need.
  void range(index_t i0, index_t i1, index_t& k0, index_t& k1) const {
    k0 = k1 = begin(i0) == end(i1 - 1) ? 0 : begin(i0)->k;
    for (const Term* t = begin(i0); t != end(i1 - 1); ++t) {
      k0 = std::min(k0, t->k);
      k1 = std::max(k1, t->k + 1);
    }
  }

 private:
  template <class F>
  static void each(const DualTreeAxis& axis, const HalfTaps<T> (&taps)[2], F&& f) {
    for (index_t k = 0; k < axis.count; ++k) {
      for (int half = 0; half < 2; ++half) {
        for (int j = 0; j < taps[half].count; ++j) {
          const index_t row = axis.sample(axis.stride * k + taps[half].place[j]);
          if (row >= 0) f(row, Term{k, half, taps[half].low[j], taps[half].high[j]});
        }
      }
    }
  }

  index_t* starts_;
  Term* terms_;
};

template <class T>
class DualTreeMerge {
 public:
  DualTreeMerge(const DualTreeAxis* axes, int count)
      : across_(axes[0]), along_(axes[count - 1]), merge_(along_) {}

  void line(const T* low, const T* band, T* out) const {
    Scratch scratch;
    T* rows[2][2];
    for (auto& pair : rows) for (T*& row : pair) row = merge_.outputs(scratch);
    separate(low, along_.count, rows[0][0], rows[0][1]);
    separate(band, along_.count, rows[1][0], rows[1][1]);
    merge_.run(rows, scratch.take<T>(merge_.numbers()), scratch.take<T>(merge_.numbers()), out);
  }

  // Rows i0 ... i1 - 1 of an image.
  void rows(const T* low, const T* bands, const RowTerms<T>& terms, T* out, index_t row_stride,
            index_t i0, index_t i1) const {
    Scratch scratch;
    const index_t n = along_.n;
    index_t k0, k1;
    terms.range(i0, i1, k0, k1);
    T* const lines = scratch.take<T>((k1 - k0) * 4 * n + line_slack);
    rebuild(low, bands, k0, k1, lines);
    const T** sources = scratch.take<const T*>(most_terms);
    T* weights = scratch.take<T>(most_terms);
    for (index_t i = i0; i < i1; ++i) {
      T* const to = out + i * row_stride;
      int count = 0;
      bool is_first = true;
      for (const auto* t = terms.begin(i); t != terms.end(i); ++t) {
        const T* const pair = lines + ((t->k - k0) * 4 + 2 * t->half) * n;
        sources[count] = pair;
        weights[count++] = t->low;
        sources[count] = pair + n;
        weights[count++] = t->high;
        if (count + 2 <= most_terms && t + 1 != terms.end(i)) continue;
        flush(sources, weights, count, to, is_first);
        is_first = false;
        count = 0;
      }
      if (is_first) std::fill_n(to, n, T{});
    }
  }

 private:
  static constexpr int most_terms = 512;

  // Writes the sum, or adds it: few rows of very short images have more terms.
  void flush(const T** sources, const T* weights, int count, T* to, bool is_first) const {
    if (is_first) return add_lines(sources, weights, count, along_.n, to);
    for (int j = 0; j < count; ++j) {
      for (index_t i = 0; i < along_.n; ++i) to[i] += weights[j] * sources[j][i];
    }
  }

  // For each output, the four lines by half and filter.
  void rebuild(const T* low, const T* bands, index_t k0, index_t k1, T* lines) const {
    Scratch scratch;
    const index_t m = along_.count, plane = across_.count * m * 2;
    T* rows[2][2][2][2];  // by filter and parity of the row, and by filter and parity along it
    for (auto& a : rows) for (auto& b : a) for (auto& c : b) for (T*& row : c) row = merge_.outputs(scratch);
    T* const phases = scratch.take<T>(merge_.numbers());
    T* const whole = scratch.take<T>(merge_.numbers());
    Pace pace;
    for (index_t k = k0; k < k1; ++k, lines += 4 * along_.n) {
      const index_t at = 2 * m * k;
      for (int parity = 0; parity < 2; ++parity) {
        separate(low + 2 * at + 2 * m * parity, m, rows[0][parity][0][0], rows[0][parity][0][1]);
      }
      separate_planes(bands + at, plane, 0, rows[0][0][1], rows[0][1][1]);
      separate_planes(bands + at, plane, 1, rows[1][0][0], rows[1][1][0]);
      separate_planes(bands + at, plane, 2, rows[1][0][1], rows[1][1][1]);
      for (int half = 0; half < 2; ++half) {
        for (int filter = 0; filter < 2; ++filter) {
          const int parity = across_.halves[half].parity[filter];
          merge_.run(rows[filter][parity], phases, whole, lines + (2 * half + filter) * along_.n);
        }
      }
      pace.moved(16 * m * static_cast<index_t>(sizeof(T)));
    }
  }

  void separate_planes(const T* bands, index_t plane, int which, T* const (&even)[2], T* const (&odd)[2]) const {
    real_rows(bands + rising_plane[which] * plane, bands + falling_plane[which] * plane, along_.count,
              even[0], even[1], odd[0], odd[1]);
  }

  const DualTreeAxis &across_, &along_;
  LineMerge<T> merge_;
};

inline constexpr index_t cached_bytes = index_t{1} << 18;

template <class T>
void merge_dual_tree(const DualTreeAxis* axes, int count, const DualTreeArrays<T, const T, const T>& arrays) {
  const DualTreeMerge<T> merge(axes, count);
  const index_t rows = count == 1 ? 1 : axes[0].count, columns = axes[count - 1].count;
  const index_t rows_of_low = count == 1 ? 1 : 2 * rows, planes = count == 1 ? 1 : 6;
  const index_t height = count == 1 ? 1 : axes[0].n;
  const double bytes = 6.0 * sizeof(T) * static_cast<double>(arrays.items) * rows_of_low * columns;
  const bool is_first = count == 2 && axes[0].is_centred && axes[1].is_centred;
  // Blocks are as large as the second-level cache holds, but one for each thread at least.
  const index_t most = is_first ? std::max<index_t>(16, cached_bytes / (4 * columns * static_cast<index_t>(sizeof(T)))) : height;
  const index_t parts = std::max<index_t>(2 * threads_for(bytes), ranges_for(bytes));
  const index_t blocks = std::clamp<index_t>(std::max(parts / arrays.items, height / most), 1, height);
  const index_t block = (height + blocks - 1) / blocks;
  Scratch scratch;
  const RowTerms<T> terms(axes[0], scratch);
  parallel_for(arrays.items * blocks, bytes, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i) {
      const index_t item = i / blocks, i0 = i % blocks * block, i1 = std::min(i0 + block, height);
      const T* const low = arrays.low + item * rows_of_low * 2 * columns;
      const T* const bands = arrays.bands + item * planes * rows * 2 * columns;
      T* const out = arrays.x + item * arrays.item_stride;
      if (count == 1) {
        merge.line(low, bands, out);
      } else if (i0 < i1 && is_first) {
        FirstLevel<T>(axes, false).merge(low, bands, out, arrays.row_stride, i0, i1);
      } else if (i0 < i1) {
        merge.rows(low, bands, terms, out, arrays.row_stride, i0, i1);
      }
    }
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
