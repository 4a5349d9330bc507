// Rows of lifting pooling, compiled once per instruction set (LIFTWAVE_ISA).
//
// Rows are computed in packs of 64 bytes on every instruction set, so that sums are taken in the
// same order everywhere. Nothing is contracted. Terms are added in the order of the reference
// kernels.
#pragma once

#include <algorithm>
#include <cstring>

#include "common/simd.hpp"

namespace liftwave::LIFTWAVE_ISA {

inline constexpr int wide_pack_bytes = 64;

template <class T>
inline constexpr int lanes = wide_pack_bytes / static_cast<int>(sizeof(T));

template <class T>
struct WidePack {
  static constexpr int parts = wide_pack_bytes / vector_bytes;
  static constexpr int step = width<T, vector_bytes>;
  using V = vec<T, vector_bytes>;
  V v[parts];

  LIFTWAVE_INLINE static WidePack from(const T* x) {
    WidePack p;
    for (int i = 0; i < parts; ++i) p.v[i] = load<T, vector_bytes>(x + i * step);
    return p;
  }

  LIFTWAVE_INLINE static WidePack zero() {
    WidePack p;
    std::memset(&p, 0, sizeof p);
    return p;
  }

  LIFTWAVE_INLINE void to(T* x) const {
    for (int i = 0; i < parts; ++i) store<vector_bytes>(x + i * step, v[i]);
  }
};

#if defined(__GNUC__)

template <class T>
LIFTWAVE_INLINE WidePack<T> operator+(WidePack<T> a, const WidePack<T>& b) {
  for (int i = 0; i < WidePack<T>::parts; ++i) a.v[i] = a.v[i] + b.v[i];
  return a;
}
template <class T>
LIFTWAVE_INLINE WidePack<T> operator-(WidePack<T> a, const WidePack<T>& b) {
  for (int i = 0; i < WidePack<T>::parts; ++i) a.v[i] = a.v[i] - b.v[i];
  return a;
}
template <class T>
LIFTWAVE_INLINE WidePack<T> operator*(WidePack<T> a, const WidePack<T>& b) {
  for (int i = 0; i < WidePack<T>::parts; ++i) a.v[i] = a.v[i] * b.v[i];
  return a;
}
template <class T>
LIFTWAVE_INLINE WidePack<T> operator*(T factor, WidePack<T> a) {
  for (int i = 0; i < WidePack<T>::parts; ++i) a.v[i] = factor * a.v[i];
  return a;
}
template <class T>
LIFTWAVE_INLINE WidePack<T> operator+(WidePack<T> a, T number) {
  for (int i = 0; i < WidePack<T>::parts; ++i) a.v[i] = a.v[i] + number;
  return a;
}
// `value` where `x` is positive or NaN, zero elsewhere.
template <class T>
LIFTWAVE_INLINE WidePack<T> where_active(const WidePack<T>& x, WidePack<T> value) {
  const typename WidePack<T>::V zero = {};
  for (int i = 0; i < WidePack<T>::parts; ++i) value.v[i] = x.v[i] <= zero ? zero : value.v[i];
  return value;
}

#else

template <class T, class F>
inline WidePack<T> each(WidePack<T> a, const WidePack<T>& b, F f) {
  for (int i = 0; i < WidePack<T>::parts; ++i)
    for (int j = 0; j < WidePack<T>::step; ++j) a.v[i].at[j] = f(a.v[i].at[j], b.v[i].at[j]);
  return a;
}
template <class T>
inline WidePack<T> operator+(const WidePack<T>& a, const WidePack<T>& b) {
  return each(a, b, [](T x, T y) { return x + y; });
}
template <class T>
inline WidePack<T> operator-(const WidePack<T>& a, const WidePack<T>& b) {
  return each(a, b, [](T x, T y) { return x - y; });
}
template <class T>
inline WidePack<T> operator*(const WidePack<T>& a, const WidePack<T>& b) {
  return each(a, b, [](T x, T y) { return x * y; });
}
template <class T>
inline WidePack<T> operator*(T factor, const WidePack<T>& a) {
  return each(a, a, [factor](T x, T) { return factor * x; });
}
template <class T>
inline WidePack<T> operator+(const WidePack<T>& a, T number) {
  return each(a, a, [number](T x, T) { return x + number; });
}
template <class T>
inline WidePack<T> where_active(const WidePack<T>& x, const WidePack<T>& value) {
  return each(x, value, [](T a, T b) { return a <= 0 ? T{0} : b; });
}

#endif

// Filters: `K` weights (0: `kernel` of them), bias, gain, offset.

template <class T, int K>
struct Filter {
  const T* values;
  int kernel;

  LIFTWAVE_INLINE int count() const { return K ? K : kernel; }
};

// The same numbers in variables: stores might change those in memory, so compilers would read them
// again for each pack.
template <class T, int K>
struct HeldFilter {
  T weight[K ? K : 1], bias, gain, offset;
  const T* weights;
  int kernel;

  LIFTWAVE_INLINE explicit HeldFilter(const Filter<T, K>& filter)
      : weights(filter.values), kernel(filter.count()) {
    for (int i = 0; i < K; ++i) weight[i] = weights[i];
    bias = weights[kernel];
    gain = weights[kernel + 1];
    offset = weights[kernel + 2];
  }

  // The input of the ReLU: tap i reads source[i].
  LIFTWAVE_INLINE WidePack<T> linear(const T* const* source, index_t c) const {
    const T* const w = K ? weight : weights;
    WidePack<T> sum = w[0] * WidePack<T>::from(source[0] + c);
    for (int i = 1; i < (K ? K : kernel); ++i) sum = sum + w[i] * WidePack<T>::from(source[i] + c);
    return sum + bias;
  }
};

// to = base + f(source), or base - f(source); `width` is a multiple of a pack.
template <class T, int K, bool subtract>
void apply(const Filter<T, K>& filter, T* to, const T* base, const T* const* sources,
           index_t width) {
  const T* source[K ? K : 1];
  const T* const* from = sources;
  if constexpr (K > 0) {
    for (int i = 0; i < K; ++i) source[i] = sources[i];
    from = source;
  }
  const HeldFilter<T, K> held(filter);
  for (index_t c = 0; c < width; c += lanes<T>) {
    const WidePack<T> before = held.linear(from, c);
    const WidePack<T> change = held.gain * where_active(before, before) + held.offset;
    const WidePack<T> old = WidePack<T>::from(base + c);
    (subtract ? old - change : old + change).to(to + c);
  }
}

// The gradient of f: h is the cotangent of the ReLU's input, for the cotangent t of f. Products are
// added to `sums`, one pack for each number of the filter.
template <class T, int K>
void pull(const Filter<T, K>& filter, T* h, const T* t, const T* const* sources, index_t width,
          T* sums) {
  constexpr int kept = K ? K : 1;
  const T* source[kept];
  const T* const* from = sources;
  WidePack<T> weight[kept];
  const int count = filter.count();
  if constexpr (K > 0) {
    for (int i = 0; i < K; ++i) {
      source[i] = sources[i];
      weight[i] = WidePack<T>::from(sums + i * lanes<T>);
    }
    from = source;
  }
  T* const own = sums + count * lanes<T>;
  WidePack<T> bias = WidePack<T>::from(own), gain = WidePack<T>::from(own + lanes<T>),
          offset = WidePack<T>::from(own + 2 * lanes<T>);
  const HeldFilter<T, K> held(filter);
  for (index_t c = 0; c < width; c += lanes<T>) {
    const WidePack<T> before = held.linear(from, c), outer = WidePack<T>::from(t + c);
    const WidePack<T> inner = where_active(before, held.gain * outer);
    inner.to(h + c);
    offset = offset + outer;
    gain = gain + outer * where_active(before, before);
    bias = bias + inner;
    if constexpr (K > 0) {
      for (int i = 0; i < K; ++i) weight[i] = weight[i] + inner * WidePack<T>::from(from[i] + c);
    } else {
      for (int i = 0; i < count; ++i) {
        T* const sum = sums + i * lanes<T>;
        (WidePack<T>::from(sum) + inner * WidePack<T>::from(from[i] + c)).to(sum);
      }
    }
  }
  if constexpr (K > 0)
    for (int i = 0; i < K; ++i) weight[i].to(sums + i * lanes<T>);
  bias.to(own);
  gain.to(own + lanes<T>);
  offset.to(own + 2 * lanes<T>);
}

// The sum of weight[i] * source[i] over `count` terms (N of them, or any number).
template <class T, int N>
LIFTWAVE_INLINE WidePack<T> weighted(const T* weight, const T* const* source, int count, index_t c) {
  WidePack<T> sum = weight[0] * WidePack<T>::from(source[0] + c);
  for (int i = 1; i < (N ? N : count); ++i)
    sum = sum + weight[i] * WidePack<T>::from(source[i] + c);
  return sum;
}

// to = base + that sum, base - that sum, or the sum alone (no base).
enum class Sign { plus, minus, alone };

template <class T, int N, Sign sign>
void combine(T* to, const T* base, const T* weights, const T* const* sources, int count,
             index_t width) {
  const T* source[N ? N : 1];
  T weight[N ? N : 1];
  const T* const* from = sources;
  if constexpr (N > 0) {
    for (int i = 0; i < N; ++i) source[i] = sources[i], weight[i] = weights[i];
    from = source;
    weights = weight;
  }
  for (index_t c = 0; c < width; c += lanes<T>) {
    const WidePack<T> sum = weighted<T, N>(weights, from, count, c);
    if constexpr (sign == Sign::alone) sum.to(to + c);
    else if constexpr (sign == Sign::plus) (WidePack<T>::from(base + c) + sum).to(to + c);
    else (WidePack<T>::from(base + c) - sum).to(to + c);
  }
}

// Copies `count` numbers. The last pack covers some of them twice.
template <class T>
void copy_numbers(const T* from, index_t count, T* to) {
  if (count < lanes<T>) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
    return;
  }
  for (index_t c = 0; c < count; c += lanes<T>) {
    const index_t at = std::min(c, count - lanes<T>);
    WidePack<T>::from(from + at).to(to + at);
  }
}

// --- even and odd samples --------------------------------------------------------------------

// `two(k)` for pairs of samples k ... k + step - 1. The last call covers some pairs twice.
template <class F>
LIFTWAVE_INLINE void in_pairs(index_t pairs, index_t step, const F& two) {
  index_t k = 0;
  for (; k + step <= pairs; k += step) two(k);
  if (k < pairs) two(pairs - step);
}

// Splits `n` samples into rows of whole packs, padded with zeros. If n is odd, the last odd sample is
// sample `last`.
template <class T>
void split_row(const T* x, index_t n, index_t last, T* even, T* odd) {
  constexpr index_t step = width<T, vector_bytes>;
  const index_t half = (n + 1) / 2, pitch = (half + lanes<T> - 1) / lanes<T> * lanes<T>;
  if (n / 2 >= step) {
    in_pairs(n / 2, step, [&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      vec<T, vector_bytes> a, b;
      const T* const from = x + 2 * k;
      split<T, vector_bytes, 1>(load<T, vector_bytes>(from), load<T, vector_bytes>(from + step), a, b);
      store<vector_bytes>(even + k, a);
      store<vector_bytes>(odd + k, b);
    });
  } else {
    for (index_t k = 0; k < n / 2; ++k) even[k] = x[2 * k], odd[k] = x[2 * k + 1];
  }
  if (n % 2) even[half - 1] = x[n - 1], odd[half - 1] = x[last];
  for (index_t k = half; k < pitch; ++k) even[k] = odd[k] = T{0};
}

// Merges rows; stores the first `n` samples.
template <class T>
void merge_row(const T* even, const T* odd, T* x, index_t n) {
  constexpr index_t step = width<T, vector_bytes>;
  if (n / 2 >= step) {
    in_pairs(n / 2, step, [&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      vec<T, vector_bytes> a, b;
      merge<T, vector_bytes, 1>(load<T, vector_bytes>(even + k), load<T, vector_bytes>(odd + k), a, b);
      store<vector_bytes>(x + 2 * k, a);
      store<vector_bytes>(x + 2 * k + step, b);
    });
  } else {
    for (index_t k = 0; k < n / 2; ++k) x[2 * k] = even[k], x[2 * k + 1] = odd[k];
  }
  if (n % 2) x[n - 1] = even[n / 2];
}

// --- sums ------------------------------------------------------------------------------------

template <int count, class T>
double total(const T* some) {
  double sums[count];
  for (int j = 0; j < count; ++j) sums[j] = static_cast<double>(some[j]);
  for (int half = count / 2; half > 0; half /= 2)
    for (int j = 0; j < half; ++j) sums[j] += sums[j + half];
  return sums[0];
}

// x, or x - y. In the last pack of a row: only where `mask` is positive.
template <class T>
LIFTWAVE_INLINE WidePack<T> gap(const T* x, const T* y, index_t c, index_t width, const T* mask) {
  WidePack<T> found = WidePack<T>::from(x + c);
  if (y) found = found - WidePack<T>::from(y + c);
  return c + lanes<T> < width ? found : where_active(WidePack<T>::from(mask), found);
}

// part += (x - y)^2, lane by lane; y may be null.
template <class T>
void add_squares(T* part, const T* x, const T* y, index_t width, const T* mask) {
  WidePack<T> sum = WidePack<T>::from(part);
  for (index_t c = 0; c < width; c += lanes<T>) {
    const WidePack<T> g = gap(x, y, c, width, mask);
    sum = sum + g * g;
  }
  sum.to(part);
}

// to += factor * (x - y); y may be null.
template <class T>
void add_scaled(T* to, T factor, const T* x, const T* y, index_t width, const T* mask) {
  for (index_t c = 0; c < width; c += lanes<T>)
    (WidePack<T>::from(to + c) + factor * gap(x, y, c, width, mask)).to(to + c);
}

}  // namespace liftwave::LIFTWAVE_ISA
