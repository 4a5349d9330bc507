// Sums over taps: the arithmetic of syntheses. See tap_sums.hpp for the order of their terms.
#pragma once

#include "filters/tap_sums.hpp"

namespace liftwave::LIFTWAVE_ISA {

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

// Whole vectors of outputs by few taps; returns the first output after them.
template <class T, int FixedTaps, class Sink>
index_t upsample_held(const Upsampling<T>* bands, int count, index_t n, const Sink& sink) {
  using Taps = HeldTaps<T, vector_bytes, FixedTaps>;
  constexpr int step = width<T, vector_bytes>;
  const Upsampling<T>&first = bands[0], &second = bands[count - 1];
  const Taps taps(first.source, first.even, first.odd), others(second.source, second.even, second.odd);
  index_t c = 0;
  for (; c + step <= n; c += step) {
    vec<T, vector_bytes> a[1], b[1], more_a[1], more_b[1];
    taps.template sums<1>(c, a, b);
    if (count == 2) {
      others.template sums<1>(c, more_a, more_b);
      a[0] = a[0] + more_a[0];
      b[0] = b[0] + more_b[0];
    }
    sink.template put<vector_bytes, 1>(c, a, b);
  }
  return c;
}

// Whole vectors to `sink`, the remaining outputs to `rest`.
template <class T, int FixedTaps, class Sink, class Rest>
void upsample_wide(const Upsampling<T>* bands, int count, int taps, index_t n, const Sink& sink,
                   const Rest& rest) {
  index_t c = 0;
  if constexpr (FixedTaps != 0) {
    if (n >= 4 * width<T, vector_bytes>) c = upsample_held<T, FixedTaps>(bands, count, n, sink);
  } else {
    // Sums of two bands and two parities at once: four vectors of each need 32 registers.
    constexpr int vectors = vector_bytes == 64 ? 4 : 2, step = vectors * width<T, vector_bytes>;
    for (; c + step <= n; c += step) {
      upsample_block<T, vector_bytes, vectors, 0>(bands, count, taps, c, sink);
    }
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
    case 4: return upsample_wide<T, 4>(bands, count, taps, n, sink, rest);
    case 5: return upsample_wide<T, 5>(bands, count, taps, n, sink, rest);
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
