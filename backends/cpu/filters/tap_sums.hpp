// Sums over taps: all the arithmetic of a filter bank.
//
// One routine computes analyses and one syntheses, along every axis. For each tap they take a
// pointer to its samples. Across an axis these are rows; along it they point into the even or the
// odd samples.
//
// Every sum adds its taps in ascending order, separately for each output. So results do not depend
// on the width of vectors or on tiling.
#pragma once

#include "common/simd.hpp"
#include "filters/plan.hpp"

namespace liftwave::LIFTWAVE_ISA {

// --- sinks -----------------------------------------------------------------------------------

// A sink stores vectors of both results from output c on (`put`), or one number of each
// (`put_one`). Vectors may start at `place(c)`, the last possible position up to c.

// Two contiguous rows.
template <class T>
struct Rows {
  T* first;
  T* second;

  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      store<Bytes>(first + c + v * width<T, Bytes>, a[v]);
      store<Bytes>(second + c + v * width<T, Bytes>, b[v]);
    });
  }
  void put_one(index_t c, T a, T b) const {
    first[c] = a;
    second[c] = b;
  }
  static constexpr int vectors = 1;
  static index_t place(index_t c) { return c; }
};

// The same with non-temporal stores; both rows are aligned to vectors. (In unaligned rows, partly
// streamed cache lines would cost more than the others save.)
template <class T>
struct StreamedRows : Rows<T> {
  static bool possible(const T* first, const T* second) {
    return is_aligned(first) && is_aligned(second);
  }

  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      stream<Bytes>(this->first + c + v * width<T, Bytes>, a[v]);
      stream<Bytes>(this->second + c + v * width<T, Bytes>, b[v]);
    });
  }
};

// Two rows of a result.
template <class T>
struct OutputRows : Rows<T> {
  bool past_caches;  // whether it is too large for the caches
};

// Two rows, each split into even and odd samples.
template <class T, int Lanes>
struct SplitRows {
  T* first_even;
  T* first_odd;
  T* second_even;
  T* second_odd;

  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    unrolled<Vectors / 2>([&](auto pair) LIFTWAVE_INLINE_LAMBDA {
      const index_t to = c / 2 + pair * width<T, Bytes>;
      put_split<Bytes>(first_even + to, first_odd + to, a[2 * pair], a[2 * pair + 1]);
      put_split<Bytes>(second_even + to, second_odd + to, b[2 * pair], b[2 * pair + 1]);
    });
  }
  void put_one(index_t c, T a, T b) const {
    const index_t sample = c / Lanes, to = sample / 2 * Lanes + c % Lanes;
    (sample % 2 ? first_odd : first_even)[to] = a;
    (sample % 2 ? second_odd : second_even)[to] = b;
  }
  static constexpr int vectors = 2;  // the fewest vectors of one put
  static index_t place(index_t c) { return c - c % (2 * Lanes); }

 private:
  template <int Bytes>
  LIFTWAVE_INLINE static void put_split(T* to_even, T* to_odd, const vec<T, Bytes>& a, const vec<T, Bytes>& b) {
    vec<T, Bytes> even, odd;
    split<T, Bytes, Lanes>(a, b, even, odd);
    store<Bytes>(to_even, even);
    store<Bytes>(to_odd, odd);
  }
};

// One row whose even samples are the first results and whose odd samples are the second.
template <class T, int Lanes>
struct MergedRow {
  T* row;

  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      vec<T, Bytes> low, high;
      merge<T, Bytes, Lanes>(a[v], b[v], low, high);
      T* to = row + 2 * (c + v * width<T, Bytes>);
      store<Bytes>(to, low);
      store<Bytes>(to + width<T, Bytes>, high);
    });
  }
  void put_one(index_t c, T a, T b) const {
    T* to = row + c / Lanes * 2 * Lanes + c % Lanes;
    to[0] = a;
    to[Lanes] = b;
  }
  static constexpr int vectors = 1;
  static index_t place(index_t c) { return c; }
};

// The same with non-temporal stores; the row is aligned to vectors.
template <class T, int Lanes>
struct StreamedMergedRow : MergedRow<T, Lanes> {
  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      vec<T, Bytes> low, high;
      merge<T, Bytes, Lanes>(a[v], b[v], low, high);
      T* to = this->row + 2 * (c + v * width<T, Bytes>);
      stream<Bytes>(to, low);
      stream<Bytes>(to + width<T, Bytes>, high);
    });
  }
};

// The same for any number of numbers per sample.
template <class T>
struct MergedSamples {
  T* row;
  index_t lanes;

  template <int Bytes, int Vectors>
  void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    for (int v = 0; v < Vectors; ++v) {
      for (int i = 0; i < width<T, Bytes>; ++i) put_one(c + v * width<T, Bytes> + i, a[v][i], b[v][i]);
    }
  }
  void put_one(index_t c, T a, T b) const {
    T* to = row + c / lanes * 2 * lanes + c % lanes;
    to[0] = a;
    to[lanes] = b;
  }
  static constexpr int vectors = 1;
  static index_t place(index_t c) { return c; }
};

// --- analysis --------------------------------------------------------------------------------

// The input of the taps: tap j reads source[j][c] for output c.
template <class T>
struct Filtering {
  const T* const* source;
  const T* first;  // taps of the two filters
  const T* second;  // null if there is only one: the second results are then the first
  int taps;
  // Data to prefetch, or null: the first at the pace of the outputs, the second at half of it.
  const T* soon = nullptr;
  const T* soon_halves[2] = {nullptr, nullptr};
};

// The results of only one filter, in the places of both.
template <class T, int Bytes, int Vectors, int FixedTaps, class Sink>
LIFTWAVE_INLINE void filter_block_once(const Filtering<T>& f, index_t c, const Sink& sink) {
  using V = vec<T, Bytes>;
  const int taps = FixedTaps ? FixedTaps : f.taps;
  V a[Vectors];
  unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
    a[v] = f.first[0] * load<T, Bytes>(f.source[0] + c + v * width<T, Bytes>);
  });
  for (int j = 1; j < taps; ++j) {
    const T* source = f.source[j] + c;
    const T p = f.first[j];
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      a[v] = a[v] + p * load<T, Bytes>(source + v * width<T, Bytes>);
    });
  }
  sink.template put<Bytes, Vectors>(c, a, a);
}

template <class T, int Bytes, int Vectors, int FixedTaps, class Sink>
inline void filter_block(const Filtering<T>& f, index_t c, const Sink& sink) {
  using V = vec<T, Bytes>;
  const int taps = FixedTaps ? FixedTaps : f.taps;
  V a[Vectors], b[Vectors];
  if (f.soon) prefetch<Vectors * Bytes>(f.soon + c);
  for (const T* row : f.soon_halves) {
    if (row) prefetch<Vectors * Bytes / 2>(row + c / 2);
  }
  const auto first_tap = [&](auto v) LIFTWAVE_INLINE_LAMBDA {
    V x = load<T, Bytes>(f.source[0] + c + v * width<T, Bytes>);
    in_register(x);
    a[v] = f.first[0] * x;
    b[v] = f.second[0] * x;
  };
  if (!f.second) return filter_block_once<T, Bytes, Vectors, FixedTaps>(f, c, sink);
  unrolled<Vectors>(first_tap);
  for (int j = 1; j < taps; ++j) {
    const T* source = f.source[j] + c;
    const T p = f.first[j], q = f.second[j];
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      V x = load<T, Bytes>(source + v * width<T, Bytes>);
      in_register(x);
      a[v] = a[v] + p * x;
      b[v] = b[v] + q * x;
    });
  }
  sink.template put<Bytes, Vectors>(c, a, b);
}

template <class T, class Sink>
inline void filter_one(const Filtering<T>& f, index_t c, const Sink& sink) {
  const T* second = f.second ? f.second : f.first;
  const T x = f.source[0][c];
  T a = f.first[0] * x, b = second[0] * x;
  for (int j = 1; j < f.taps; ++j) {
    a = a + f.first[j] * f.source[j][c];
    b = b + second[j] * f.source[j][c];
  }
  sink.put_one(c, a, b);
}

// The outputs after the wide blocks: a last block that covers some outputs twice, or shorter
// vectors if there are too few outputs for it.
template <class T, int Bytes, int FixedTaps, class Sink>
inline void filter_rest(const Filtering<T>& f, index_t c, index_t n, const Sink& sink) {
  if constexpr (Bytes >= 16) {
    constexpr int vectors = Sink::vectors, step = vectors * width<T, Bytes>;
    for (; c + step <= n; c += step) filter_block<T, Bytes, vectors, FixedTaps>(f, c, sink);
    if (c == n) return;
    if (n < step) return filter_rest<T, Bytes / 2, FixedTaps>(f, c, n, sink);
    const index_t last = Sink::place(n - step);
    filter_block<T, Bytes, vectors, FixedTaps>(f, last, sink);
    c = last + step;
  }
  for (; c < n; ++c) filter_one(f, c, sink);
}

template <class T, int FixedTaps, class Sink>
void filter_wide(const Filtering<T>& f, index_t n, const Sink& sink) {
  constexpr int step = 4 * width<T, vector_bytes>;
  index_t c = 0;
  for (; c + step <= n; c += step) filter_block<T, vector_bytes, 4, FixedTaps>(f, c, sink);
  filter_rest<T, vector_bytes, FixedTaps>(f, c, n, sink);
}

// With non-temporal stores: whole vectors, then the remaining outputs one by one.
template <class T, int FixedTaps>
void filter_wide(const Filtering<T>& f, index_t n, const StreamedRows<T>& sink) {
  constexpr int step = 4 * width<T, vector_bytes>;
  const Rows<T>& rest = sink;
  index_t c = 0;
  for (; c + step <= n; c += step) filter_block<T, vector_bytes, 4, FixedTaps>(f, c, sink);
  filter_rest<T, vector_bytes, FixedTaps>(f, c, n, rest);
}

// first[c] = sum_j f.first[j] f.source[j][c] and second likewise, for c = 0 ... n - 1.
template <class T, class Sink>
void filter(const Filtering<T>& f, index_t n, const Sink& sink) {
  switch (f.taps) {  // the common lengths, unrolled
    case 2: return filter_wide<T, 2>(f, n, sink);
    case 4: return filter_wide<T, 4>(f, n, sink);
    case 6: return filter_wide<T, 6>(f, n, sink);
    default: return filter_wide<T, 0>(f, n, sink);
  }
}

template <class T>
void filter(const Filtering<T>& f, index_t n, const OutputRows<T>& to) {
  const Rows<T>& rows = to;
  if (to.past_caches && StreamedRows<T>::possible(to.first, to.second)) {
    filter(f, n, StreamedRows<T>{rows});
  } else {
    filter(f, n, rows);
  }
}

// --- synthesis -------------------------------------------------------------------------------

// An upsampled and filtered band: tap q of each parity reads source[q][c].
template <class T>
struct Upsampling {
  const T* const* source;
  const T* even;  // taps 0, 2, ...
  const T* odd;   // taps 1, 3, ...
};

template <class T, int Bytes, int Vectors, int FixedTaps>
LIFTWAVE_INLINE void upsample_sums(const Upsampling<T>& u, int taps, index_t c, vec<T, Bytes>* a,
                                   vec<T, Bytes>* b) {
  using V = vec<T, Bytes>;
  if (FixedTaps) taps = FixedTaps;
  unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
    V x = load<T, Bytes>(u.source[0] + c + v * width<T, Bytes>);
    in_register(x);
    a[v] = u.even[0] * x;
    b[v] = u.odd[0] * x;
  });
  for (int q = 1; q < taps; ++q) {
    const T* source = u.source[q] + c;
    const T even = u.even[q], odd = u.odd[q];
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      V x = load<T, Bytes>(source + v * width<T, Bytes>);
      in_register(x);
      a[v] = a[v] + even * x;
      b[v] = b[v] + odd * x;
    });
  }
}

template <class T, int Bytes, int Vectors, int FixedTaps, class Sink>
inline void upsample_block(const Upsampling<T>* bands, int count, int taps, index_t c,
                           const Sink& sink) {
  vec<T, Bytes> a[Vectors], b[Vectors];
  upsample_sums<T, Bytes, Vectors, FixedTaps>(bands[0], taps, c, a, b);
  if (count == 2) {
    vec<T, Bytes> more_a[Vectors], more_b[Vectors];
    upsample_sums<T, Bytes, Vectors, FixedTaps>(bands[1], taps, c, more_a, more_b);
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      a[v] = a[v] + more_a[v];
      b[v] = b[v] + more_b[v];
    });
  }
  sink.template put<Bytes, Vectors>(c, a, b);
}

template <class T>
inline void upsample_sum_one(const Upsampling<T>& u, int taps, index_t c, T& a, T& b) {
  a = u.even[0] * u.source[0][c];
  b = u.odd[0] * u.source[0][c];
  for (int q = 1; q < taps; ++q) {
    a = a + u.even[q] * u.source[q][c];
    b = b + u.odd[q] * u.source[q][c];
  }
}

template <class T, class Sink>
inline void upsample_one(const Upsampling<T>* bands, int count, int taps, index_t c,
                         const Sink& sink) {
  T a, b;
  upsample_sum_one(bands[0], taps, c, a, b);
  if (count == 2) {
    T more_a, more_b;
    upsample_sum_one(bands[1], taps, c, more_a, more_b);
    a = a + more_a;
    b = b + more_b;
  }
  sink.put_one(c, a, b);
}

template <class T, int Bytes, int FixedTaps, class Sink>
inline void upsample_rest(const Upsampling<T>* bands, int count, int taps, index_t c, index_t n,
                          const Sink& sink) {
  if constexpr (Bytes >= 16) {
    constexpr int step = width<T, Bytes>;
    for (; c + step <= n; c += step) {
      upsample_block<T, Bytes, 1, FixedTaps>(bands, count, taps, c, sink);
    }
    if (c == n) return;
    if (n < step) return upsample_rest<T, Bytes / 2, FixedTaps>(bands, count, taps, c, n, sink);
    const index_t last = Sink::place(n - step);
    upsample_block<T, Bytes, 1, FixedTaps>(bands, count, taps, last, sink);
    c = last + step;
  }
  for (; c < n; ++c) upsample_one(bands, count, taps, c, sink);
}

// Whole vectors to `sink`, the remaining outputs to `rest`.
template <class T, int FixedTaps, class Sink, class Rest>
void upsample_wide(const Upsampling<T>* bands, int count, int taps, index_t n, const Sink& sink,
                   const Rest& rest) {
  // Sums of two bands and two parities at once: four vectors of each need 32 registers.
  constexpr int vectors = vector_bytes == 64 && FixedTaps != 1 ? 4 : 2;
  constexpr int step = vectors * width<T, vector_bytes>;
  index_t c = 0;
  for (; c + step <= n; c += step) {
    upsample_block<T, vector_bytes, vectors, FixedTaps>(bands, count, taps, c, sink);
  }
  upsample_rest<T, vector_bytes, FixedTaps>(bands, count, taps, c, n, rest);
}

// Pairs of outputs: first[c] = sum over bands of sum_q even[q] source[q][c], second with the odd
// taps; `taps` of each parity, for c = 0 ... n - 1.
template <class T, class Sink, class Rest>
void upsample(const Upsampling<T>* bands, int count, int taps, index_t n, const Sink& sink,
              const Rest& rest) {
  switch (taps) {
    case 1: return upsample_wide<T, 1>(bands, count, taps, n, sink, rest);
    case 2: return upsample_wide<T, 2>(bands, count, taps, n, sink, rest);
    case 3: return upsample_wide<T, 3>(bands, count, taps, n, sink, rest);
    default: return upsample_wide<T, 0>(bands, count, taps, n, sink, rest);
  }
}

// Pairs of outputs, contiguous.
template <class T, int Lanes>
void upsample_merged(const Upsampling<T>* bands, int count, int taps, index_t n, T* row,
                     bool past_caches) {
  const MergedRow<T, Lanes> merged{row};
  if (past_caches && is_aligned(row)) {
    upsample(bands, count, taps, n, StreamedMergedRow<T, Lanes>{merged}, merged);
  } else {
    upsample(bands, count, taps, n, merged, merged);
  }
}

}  // namespace liftwave::LIFTWAVE_ISA
