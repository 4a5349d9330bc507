// Inverse Fourier transforms of few points, on the lanes of vectors.
#pragma once

#include "common/simd.hpp"

namespace liftwave::LIFTWAVE_ISA {

// A complex number in each lane.
template <class T>
struct Waves {
  using V = vec<T, vector_bytes>;
  V re, im;

  LIFTWAVE_INLINE friend Waves operator+(const Waves& a, const Waves& b) {
    return {a.re + b.re, a.im + b.im};
  }
  LIFTWAVE_INLINE friend Waves operator-(const Waves& a, const Waves& b) {
    return {a.re - b.re, a.im - b.im};
  }
  LIFTWAVE_INLINE friend Waves operator*(const Waves& a, const Waves& b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
  // The same number for all lanes.
  LIFTWAVE_INLINE Waves times(T x, T y) const { return {x * re - y * im, y * re + x * im}; }
  LIFTWAVE_INLINE Waves times(T x) const { return {x * re, x * im}; }
};

template <class T>
inline constexpr int wave_lanes = width<T, vector_bytes>;

// The numbers of a slot: the real parts of all lanes, then the imaginary ones.
template <class T>
LIFTWAVE_INLINE Waves<T> get_waves(const T* from) {
  return {load<T, vector_bytes>(from), load<T, vector_bytes>(from + wave_lanes<T>)};
}

template <class T>
LIFTWAVE_INLINE void put_waves(T* to, const Waves<T>& v) {
  store<vector_bytes>(to, v.re);
  store<vector_bytes>(to + wave_lanes<T>, v.im);
}

// The product with e^{2 pi i K / 16}.
template <int K, class T>
LIFTWAVE_INLINE Waves<T> turned(const Waves<T>& v) {
  constexpr double cosines[] = {1, 0.92387953251128675613, 0.70710678118654752440,
                                0.38268343236508977173, 0};
  constexpr int k = K % 16, near = k % 8 > 4 ? 8 - k % 8 : k % 8;
  constexpr T c = T((k > 4 && k < 12 ? -1 : 1) * cosines[near]);
  constexpr T s = T((k > 8 ? -1 : 1) * cosines[4 - near]);
  if constexpr (k == 0) {
    return v;
  } else if constexpr (k == 4) {
    return {T(-1) * v.im, v.re};
  } else if constexpr (k == 2) {
    return Waves<T>{v.re - v.im, v.re + v.im}.times(c);
  } else if constexpr (k == 6) {
    return Waves<T>{v.re + v.im, v.im - v.re}.times(c);
  } else {
    return v.times(c, s);
  }
}

template <class T>
LIFTWAVE_INLINE void transform_4(Waves<T>& a, Waves<T>& b, Waves<T>& c, Waves<T>& d) {
  const Waves<T> even = a + c, odd = b + d, first = a - c, second = b - d;
  a = even + odd;
  b = {first.re - second.im, first.im + second.re};
  c = even - odd;
  d = {first.re + second.im, first.im - second.re};
}

// 4 N points: transforms of 4, turned, then of N points.
template <int N, class T>
LIFTWAVE_INLINE void transform_4n(Waves<T>* v) {
  unrolled<N>([&](auto column) LIFTWAVE_INLINE_LAMBDA {
    constexpr int c = column;
    transform_4(v[c], v[c + N], v[c + 2 * N], v[c + 3 * N]);
    unrolled<4>([&](auto row) LIFTWAVE_INLINE_LAMBDA {
      v[c + row * N] = turned<c * row * (4 / N)>(v[c + row * N]);
    });
  });
  Waves<T> result[4 * N];
  unrolled<4>([&](auto row) LIFTWAVE_INLINE_LAMBDA {
    constexpr int r = row;
    Waves<T>* const from = v + r * N;
    if constexpr (N == 2) {
      result[r] = from[0] + from[1];
      result[r + 4] = from[0] - from[1];
    } else {
      transform_4(from[0], from[1], from[2], from[3]);
      unrolled<4>([&](auto k) LIFTWAVE_INLINE_LAMBDA { result[r + 4 * k] = from[k]; });
    }
  });
  unrolled<4 * N>([&](auto k) LIFTWAVE_INLINE_LAMBDA { v[k] = result[k]; });
}

// cos(2 pi k / R) and sin(2 pi k / R).
template <int R>
struct OddCircle;
template <>
struct OddCircle<3> {
  static constexpr double c[] = {1, -0.5}, s[] = {0, 0.86602540378443864676};
};
template <>
struct OddCircle<5> {
  static constexpr double c[] = {1, 0.30901699437494742410, -0.80901699437494742410},
                          s[] = {0, 0.95105651629515357212, 0.58778525229247312917};
};
template <>
struct OddCircle<7> {
  static constexpr double c[] = {1, 0.62348980185873353053, -0.22252093395631440429,
                                 -0.90096886790241912624},
                          s[] = {0, 0.78183148246802980871, 0.97492791218182360702,
                                 0.43388373911755812048};
};

// An odd number of points: sums and differences of pairs of points.
template <int R, class T>
LIFTWAVE_INLINE void transform_odd(Waves<T>* v) {
  constexpr int pairs = R / 2;
  Waves<T> sum[pairs + 1], difference[pairs + 1], total = v[0];
  unrolled<pairs>([&](auto i) LIFTWAVE_INLINE_LAMBDA {
    constexpr int j = i + 1;
    sum[j] = v[j] + v[R - j];
    difference[j] = v[j] - v[R - j];
    total = total + sum[j];
  });
  unrolled<pairs>([&](auto row) LIFTWAVE_INLINE_LAMBDA {
    constexpr int k = row + 1;
    Waves<T> even = v[0], odd = difference[1].times(T(OddCircle<R>::s[k]));
    unrolled<pairs>([&](auto i) LIFTWAVE_INLINE_LAMBDA {
      constexpr int j = i + 1, turn = j * k % R, near = turn > pairs ? R - turn : turn;
      even = even + sum[j].times(T(OddCircle<R>::c[near]));
      constexpr double s = turn > pairs ? -OddCircle<R>::s[near] : OddCircle<R>::s[near];
      if constexpr (j > 1) odd = odd + difference[j].times(T(s));
    });
    v[k] = {even.re - odd.im, even.im + odd.re};
    v[R - k] = {even.re + odd.im, even.im - odd.re};
  });
  v[0] = total;
}

// R points in place, in order.
template <int R, class T>
LIFTWAVE_INLINE void transform_points(Waves<T>* v) {
  if constexpr (R == 2) {
    const Waves<T> difference = v[0] - v[1];
    v[0] = v[0] + v[1];
    v[1] = difference;
  } else if constexpr (R == 4) {
    transform_4(v[0], v[1], v[2], v[3]);
  } else if constexpr (R == 8 || R == 16) {
    transform_4n<R / 4>(v);
  } else {
    transform_odd<R>(v);
  }
}

}  // namespace liftwave::LIFTWAVE_ISA
