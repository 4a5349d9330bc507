// Samples of windows, one window per lane of a register, and the operations of the shared formulas
// on them.
#pragma once

#include "common/vector_math.hpp"
#include "pooling/kernels.hpp"

namespace liftwave::LIFTWAVE_ISA {

// --- one number per place ----------------------------------------------------------------------

// f(0), f(1), ... f(count - 1); N, if not zero, is the count.
template <int N, class F>
LIFTWAVE_INLINE void each(index_t count, const F& f) {
  if constexpr (N > 0) {
    unrolled<N>([&](auto k) LIFTWAVE_INLINE_LAMBDA { f(index_t(k)); });
  } else {
    for (index_t k = 0; k < count; ++k) f(k);
  }
}

// N places in registers, or any number of them in memory.
template <class T, int N>
class Column {
 public:
  Column(T*, index_t) {}
  Pack<T> operator[](index_t k) const { return at_[k]; }
  void set(index_t k, const Pack<T>& v) { at_[k] = v; }

 private:
  Pack<T> at_[N];
};

template <class T>
class Column<T, 0> {
 public:
  Column(T* data, index_t stride) : data_(data), stride_(stride) {}
  Pack<T> operator[](index_t k) const { return get(data_ + k * stride_); }
  void set(index_t k, const Pack<T>& v) { put<T>(data_ + k * stride_, v); }

 private:
  T* data_;
  index_t stride_;
};

// The samples of a region.
template <class T, int N>
struct Region {
  const T* data;
  const index_t* place_at;  // the offset of each place
  index_t count;
  T share;  // one over the count
  T part, whole;
  T delta;

  // Division by a power of two is a product with its exact inverse.
  LIFTWAVE_INLINE Pack<T> of_whole(const Pack<T>& sum) const {
    if constexpr (N > 0 && (N & (N - 1)) == 0) return sum * (share / part);
    else return sum / whole;
  }

  Pack<T> operator[](index_t k) const { return get(data + place_at[k]); }

  template <class F>
  LIFTWAVE_INLINE void for_all(const F& f) const {
    each<N>(count, f);
  }
  template <class F>
  LIFTWAVE_INLINE void for_rest(const F& f) const {
    each<(N > 0 ? N - 1 : 0)>(count - 1, [&](index_t k) LIFTWAVE_INLINE_LAMBDA { f(k + 1); });
  }
};

// --- operations of the shared formulas ---------------------------------------------------------

template <class T>
using Numbers = Pack<T>;

template <class T>
LIFTWAVE_INLINE Pack<T> reciprocal(const Pack<T>& v) {
  return T(1) / v;
}

template <class T>
LIFTWAVE_INLINE Pack<T> ratio_or_one(const Pack<T>& x, const Pack<T>& y) {
  return y == T(0) ? all<T>(1) : x / y;
}

// The digits of the result are zero. Its exponent is the negative of a multiple of four near that
// of `x`, so that it exists for the largest and the smallest numbers.
template <class T>
LIFTWAVE_INLINE Pack<T> power_over(const Pack<T>& x) {
  using Int = typename PackOf<T>::Int;
  constexpr Int most = Int(2 * ExpOf<T>::bias - 1) << ExpOf<T>::digits;
  constexpr Int fours = Int(2 * ExpOf<T>::bias - 2) << ExpOf<T>::digits;
  return from_bits<T>(most - (bits<T>(x) & fours));
}

template <class T>
LIFTWAVE_INLINE Pack<T> exponential_of_similarity(const Pack<T>& v) {
  Pack<T> x[] = {v};
  exponentials_of_moderate<T, 0>(x);
  return x[0];
}

template <class T>
LIFTWAVE_INLINE Pack<T> exponential_of_negative(const Pack<T>& v) {
  Pack<T> x[] = {v};
  exponentials_of_moderate<T, 1>(x);
  return x[0];
}

template <class T, int N, class F>
LIFTWAVE_INLINE Pack<T> sum_of(const Region<T, N>& region, const F& f) {
  Pack<T> sum = f(region[0]);
  region.for_rest([&](index_t k) LIFTWAVE_INLINE_LAMBDA { sum = sum + f(region[k]); });
  return sum;
}

template <class T, int N, class F>
LIFTWAVE_INLINE Pack<T> smallest_of(const Region<T, N>& region, const F& f) {
  Pack<T> least = f(region[0]);
  region.for_rest([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
    least = smaller<T>(least, f(region[k]));
  });
  return least;
}

template <class T, int N>
LIFTWAVE_INLINE Pack<T> largest_of(const Region<T, N>& region) {
  Pack<T> top = region[0];
  region.for_rest([&](index_t k) LIFTWAVE_INLINE_LAMBDA { top = larger<T>(top, region[k]); });
  return top;
}

}  // namespace liftwave::LIFTWAVE_ISA

#define LIFTWAVE_NAMESPACE liftwave::LIFTWAVE_ISA
#include "shared/pooling_formulas.hpp"
