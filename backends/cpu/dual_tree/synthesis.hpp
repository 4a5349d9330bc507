// The transpose of one level of the dual tree: lines of both halves are rebuilt along themselves,
// as rows need them, and added across the first axis.
#pragma once

#include "dual_tree/analysis.hpp"
#include "dual_tree/line_merge.hpp"

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

// The same for two sums of the same sources. The first sum has source -1 also, and the second one
// source `count`, if they are present.
template <class T>
struct SharedSources {
  const T* const* sources;
  const T* weights[2];
  int before, count, after;
};

template <class T, int Vectors, int Bytes>
LIFTWAVE_INLINE void add_pair_block(const SharedSources<T>& from, index_t at, T* const (&out)[2]) {
  using V = vec<T, Bytes>;
  constexpr int w = width<T, Bytes>;
  V sums[2][Vectors];
  const int first = from.before ? -from.before : 0;
  for (int i = 0; i < 2; ++i) {
    const int s = i ? 0 : first;
    for (int v = 0; v < Vectors; ++v) sums[i][v] = from.weights[i][s] * load<T, Bytes>(from.sources[s] + at + v * w);
  }
  const auto add = [&](auto i, int s) LIFTWAVE_INLINE_LAMBDA {
    for (int v = 0; v < Vectors; ++v) {
      sums[i][v] = sums[i][v] + from.weights[i][s] * load<T, Bytes>(from.sources[s] + at + v * w);
    }
  };
  constexpr std::integral_constant<int, 0> one{};
  constexpr std::integral_constant<int, 1> other{};
  for (int s = first + 1; s < 1; ++s) add(one, s);
  for (int s = 1; s < from.count; ++s) {
    add(one, s);
    add(other, s);
  }
  for (int s = from.count; s < from.count + from.after; ++s) add(other, s);
  for (int i = 0; i < 2; ++i) {
    for (int v = 0; v < Vectors; ++v) store<Bytes>(out[i] + at + v * w, sums[i][v]);
  }
}

template <class T>
LIFTWAVE_INLINE void add_line_pairs(const SharedSources<T>& from, index_t n, T* const (&out)[2]) {
  constexpr int w = width<T, vector_bytes>;
  constexpr int vectors = vector_bytes == 64 ? 4 : 2;
  index_t at = 0;
  for (; at + vectors * w <= n; at += vectors * w) add_pair_block<T, vectors, vector_bytes>(from, at, out);
  for (; at + w <= n; at += w) add_pair_block<T, 1, vector_bytes>(from, at, out);
  for (; at < n; ++at) add_pair_block<T, 1, sizeof(T)>(from, at, out);
}

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
    T* const line = scratch.take<T>(merge_.length()) + merge_.start();
    merge_.run(rows, line);
    std::copy_n(line, along_.n, out);
  }

  // Rows i0 ... i1 - 1 of an image.
  void rows(const T* low, const T* bands, const RowTerms<T>& terms, T* out, index_t row_stride,
            index_t i0, index_t i1) const {
    Scratch scratch;
    const Ring ring = new_ring(terms, i0, i1, scratch);
    const Work work(merge_, scratch);
    Pace pace;
    const T** sources = scratch.take<const T*>(most_terms);
    T* weights[2];
    for (T*& each : weights) each = scratch.take<T>(most_terms);
    const index_t half = across_.stride / 2;
    index_t next = ring.first;
    // Rows in strides: each row together with the one half a stride further.
    for (index_t i = i0; i < i1; i += 2 * half) {
      index_t first, stop;
      terms.range(i, std::min(i + 2 * half, i1), first, stop);
      for (; next < stop; ++next) {
        rebuild(low, bands, next, ring, work);
        pace.moved(16 * along_.count * static_cast<index_t>(sizeof(T)));
      }
      for (index_t r = i; r < std::min(i + half, i1); ++r) {
        T* const to[2] = {out + r * row_stride, out + (r + half) * row_stride};
        if (r + half < i1 && add_pair(terms, r, r + half, ring, sources, weights, to)) continue;
        add_row(terms, r, ring, sources, weights[0], to[0]);
        if (r + half < i1) add_row(terms, r + half, ring, sources, weights[0], to[1]);
      }
    }
  }

 private:
  // The lines of outputs, each in place of one that is no longer needed.
  struct Ring {
    T* lines;  // by output, half and filter
    index_t first, capacity, length;

    T* line(index_t k, int half, int filter) const {
      return lines + ((k % capacity) * 4 + 2 * half + filter) * length;
    }
  };

  Ring new_ring(const RowTerms<T>& terms, index_t i0, index_t i1, Scratch& scratch) const {
    const index_t step = across_.stride, count = (i1 - i0 + step - 1) / step;
    index_t* const first = scratch.take<index_t>(count + 1);
    index_t* const stop = scratch.take<index_t>(count + 1);
    first[count] = across_.count;
    for (index_t c = count - 1; c >= 0; --c) {
      terms.range(i0 + c * step, std::min(i0 + (c + 1) * step, i1), first[c], stop[c]);
      if (first[c] == stop[c]) first[c] = first[c + 1];
      first[c] = std::min(first[c], first[c + 1]);
    }
    index_t capacity = 1, last = 0;
    for (index_t c = 0; c < count; ++c) {
      last = std::max(last, stop[c]);
      capacity = std::max(capacity, last - first[c]);
    }
    T* const lines = scratch.take<T>(capacity * 4 * merge_.length());
    return {lines + merge_.start(), first[0], capacity, merge_.length()};
  }

  // Whether two rows have sources in common; then it writes both.
  bool add_pair(const RowTerms<T>& terms, index_t a, index_t b, const Ring& ring, const T** sources,
                T* const (&weights)[2], T* const (&to)[2]) const {
    const auto *const one = terms.begin(a), *const other = terms.begin(b);
    const index_t count = terms.end(a) - one, shift = count && one->k != other->k ? 1 : 0;
    if (count != terms.end(b) - other || count < 2 || 2 * (count + shift) > most_terms) return false;
    for (index_t t = 0; t < count - shift; ++t) {
      if (one[t + shift].k != other[t].k || one[t + shift].half != other[t].half) return false;
    }
    for (index_t t = 0; t < count + shift; ++t) {
      const auto& term = t < count ? one[t] : other[t - shift];
      for (int f = 0; f < 2; ++f) sources[2 * t + f] = ring.line(term.k, term.half, f);
      if (t < count) put_weights(one[t], weights[0] + 2 * t);
      if (t >= shift) put_weights(other[t - shift], weights[1] + 2 * t);
    }
    const int edge = static_cast<int>(2 * shift), both = static_cast<int>(2 * (count - shift));
    add_line_pairs<T>({sources + edge, {weights[0] + edge, weights[1] + edge}, edge, both, edge}, along_.n, to);
    return true;
  }

  static void put_weights(const typename RowTerms<T>::Term& term, T* weights) {
    weights[0] = term.low;
    weights[1] = term.high;
  }

  void add_row(const RowTerms<T>& terms, index_t i, const Ring& ring, const T** sources, T* weights, T* to) const {
    int count = 0;
    bool is_first = true;
    for (const auto* t = terms.begin(i); t != terms.end(i); ++t) {
      for (int f = 0; f < 2; ++f) sources[count + f] = ring.line(t->k, t->half, f);
      put_weights(*t, weights + count);
      count += 2;
      if (count + 2 <= most_terms && t + 1 != terms.end(i)) continue;
      flush(sources, weights, count, to, is_first);
      is_first = false;
      count = 0;
    }
    if (is_first) std::fill_n(to, along_.n, T{});
  }

  static constexpr int most_terms = 512;

  // Writes the sum, or adds it: few rows of very short images have more terms.
  void flush(const T** sources, const T* weights, int count, T* to, bool is_first) const {
    if (is_first) return add_lines(sources, weights, count, along_.n, to);
    for (int j = 0; j < count; ++j) {
      for (index_t i = 0; i < along_.n; ++i) to[i] += weights[j] * sources[j][i];
    }
  }

  // The samples of one output: by filter and parity of the row, and by filter and parity along it.
  struct Work {
    T* rows[2][2][2][2];
    Work(const LineMerge<T>& merge, Scratch& scratch) {
      for (auto& a : rows) for (auto& b : a) for (auto& c : b) for (T*& row : c) row = merge.outputs(scratch);
    }
  };

  // The lines of output k.
  void rebuild(const T* low, const T* bands, index_t k, const Ring& ring, const Work& work) const {
    const index_t m = along_.count, plane = across_.count * m * 2, at = 2 * m * k;
    const auto& rows = work.rows;
    for (int parity = 0; parity < 2; ++parity) {
      separate(low + 2 * at + 2 * m * parity, m, rows[0][parity][0][0], rows[0][parity][0][1]);
    }
    separate_planes(bands + at, plane, 0, rows[0][0][1], rows[0][1][1]);
    separate_planes(bands + at, plane, 1, rows[1][0][0], rows[1][1][0]);
    separate_planes(bands + at, plane, 2, rows[1][0][1], rows[1][1][1]);
    for (int half = 0; half < 2; ++half) {
      for (int filter = 0; filter < 2; ++filter) {
        merge_.run(rows[filter][across_.halves[half].parity[filter]], ring.line(k, half, filter));
      }
    }
  }

  void separate_planes(const T* bands, index_t plane, int which, T* const (&even)[2], T* const (&odd)[2]) const {
    real_rows(bands + rising_plane[which] * plane, bands + falling_plane[which] * plane, along_.count,
              even[0], even[1], odd[0], odd[1]);
  }

  const DualTreeAxis &across_, &along_;
  LineMerge<T> merge_;
};

template <class T>
void merge_dual_tree(const DualTreeAxis* axes, int count, const DualTreeArrays<T, const T, const T>& arrays) {
  const DualTreeMerge<T> merge(axes, count);
  const index_t rows = count == 1 ? 1 : axes[0].count, columns = axes[count - 1].count;
  const index_t rows_of_low = count == 1 ? 1 : 2 * rows, planes = count == 1 ? 1 : 6;
  const index_t height = count == 1 ? 1 : axes[0].n;
  const double bytes = 6.0 * sizeof(T) * static_cast<double>(arrays.items) * rows_of_low * columns;
  const bool is_first = count == 2 && axes[0].is_centred && axes[1].is_centred;
  const index_t parts = std::max<index_t>(2 * threads_for(bytes), ranges_for(bytes));
  const index_t blocks = std::clamp<index_t>(parts / arrays.items, 1, height);
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
