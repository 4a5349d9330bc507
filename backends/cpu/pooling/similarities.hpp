// Similarities of the samples of a region to its mean, for one window per lane of a register. The
// formulas are those of liftwave/_kernels/reference/pooling/weights.py, with one channel.
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
  index_t stride;
  index_t count;
  T share;  // one over the count
  T delta;

  Pack<T> operator[](index_t k) const { return get(data + k * stride); }

  Pack<T> mean() const {
    Pack<T> sum = (*this)[0] * share;
    for_rest([&](index_t k) LIFTWAVE_INLINE_LAMBDA { sum = sum + (*this)[k] * share; });
    return sum;
  }

  template <class F>
  LIFTWAVE_INLINE void for_all(const F& f) const {
    each<N>(count, f);
  }
  template <class F>
  LIFTWAVE_INLINE void for_rest(const F& f) const {
    each<(N > 0 ? N - 1 : 0)>(count - 1, [&](index_t k) LIFTWAVE_INLINE_LAMBDA { f(k + 1); });
  }
};

// --- similarities ------------------------------------------------------------------------------

template <class V>
struct Slopes {
  V in_sample, in_mean;
};

template <class T>
LIFTWAVE_INLINE Pack<T> one_for_zero(const Pack<T>& v) {
  return v == T(0) ? all<T>(1) : v;
}

// 2 |m a| / (m^2 + a^2)
template <class T>
struct Dice {
  Pack<T> mean;
  template <int N>
  LIFTWAVE_INLINE explicit Dice(const Region<T, N>& region) : mean(region.mean()) {}

  LIFTWAVE_INLINE Pack<T> value(const Pack<T>& a) const {
    const Pack<T> t = ratio(a);
    return (t + t) * below(t);
  }
  LIFTWAVE_INLINE Slopes<Pack<T>> slopes(const Pack<T>& a) const {
    const Pack<T> t = ratio(a), by = below(t), zero{};
    const Pack<T> slope = (T(2) - (t + t) * t) * (by * by);
    const Pack<T> inner = slope / one_for_zero<T>(larger(magnitude<T>(a), magnitude<T>(mean)));
    const Pack<T> outer = -(inner * t);
    const auto is_outer = magnitude<T>(a) > magnitude<T>(mean);
    return {a == T(0) ? zero : turned<T>(is_outer ? outer : inner, a),
            mean == T(0) ? zero : turned<T>(is_outer ? inner : outer, mean)};
  }

 private:
  // The smaller of the two over the larger one.
  LIFTWAVE_INLINE Pack<T> ratio(const Pack<T>& a) const {
    const Pack<T> size = magnitude<T>(a), size_of_mean = magnitude<T>(mean);
    const Pack<T> by = larger(size, size_of_mean);
    return by == T(0) ? all<T>(1) : smaller(size, size_of_mean) / by;
  }
  LIFTWAVE_INLINE static Pack<T> below(const Pack<T>& t) { return T(1) / (t * t + T(1)); }
};

// 1 / |a - m|, times the distance of the nearest sample. Samples at the mean get all the weight.
template <class T>
struct InverseDistance {
  Pack<T> mean, nearest;
  template <int N>
  LIFTWAVE_INLINE explicit InverseDistance(const Region<T, N>& region) : mean(region.mean()) {
    nearest = magnitude<T>(region[0] - mean);
    region.for_rest([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      nearest = smaller(nearest, magnitude<T>(region[k] - mean));
    });
  }

  LIFTWAVE_INLINE Pack<T> value(const Pack<T>& a) const {
    const Pack<T> d = magnitude<T>(a - mean);
    return d == T(0) ? all<T>(1) : nearest / d;
  }
  LIFTWAVE_INLINE Slopes<Pack<T>> slopes(const Pack<T>& a) const {
    const Pack<T> apart = a - mean, d = one_for_zero<T>(magnitude<T>(apart));
    return falling(apart, nearest / d / d);
  }

 protected:
  LIFTWAVE_INLINE Slopes<Pack<T>> falling(const Pack<T>& apart, const Pack<T>& fall) const {
    const Pack<T> counts = nearest == T(0) ? Pack<T>{} : fall;
    const Pack<T> slope = apart == T(0) ? Pack<T>{} : turned<T>(counts, apart);
    return {-slope, slope};
  }
};

// The distance is d^2 / 2 up to delta, delta (d - delta / 2) beyond. Its inverse is multiplied by
// the nearest distance and by half the smaller of delta and the nearest distance.
template <class T>
struct InverseHuber : InverseDistance<T> {
  using Base = InverseDistance<T>;
  Pack<T> bound, outer;
  T delta;
  template <int N>
  LIFTWAVE_INLINE explicit InverseHuber(const Region<T, N>& region) : Base(region) {
    delta = region.delta;
    bound = smaller(this->nearest, all<T>(delta));
    outer = bound / (delta + delta);
  }

  LIFTWAVE_INLINE Pack<T> value(const Pack<T>& a) const {
    const Pack<T> d = magnitude<T>(a - this->mean);
    return d == T(0) ? all<T>(1) : inverse(d);
  }
  LIFTWAVE_INLINE Slopes<Pack<T>> slopes(const Pack<T>& a) const {
    const Pack<T> apart = a - this->mean, d = one_for_zero<T>(magnitude<T>(apart));
    const Pack<T> h = inverse(d);
    return Base::falling(apart, d <= delta ? (h + h) / d : h / (d - delta / 2));
  }

 private:
  LIFTWAVE_INLINE Pack<T> inverse(const Pack<T>& d) const {
    const Pack<T> inside = (this->nearest / d) * (bound / d);
    return d <= delta ? inside : outer * (this->nearest / (d - delta / 2));
  }
};

}  // namespace liftwave::LIFTWAVE_ISA
