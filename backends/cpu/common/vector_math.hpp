// Arithmetic on short vectors beyond + - * /: comparisons, and the exponential function.
//
// No function needs an instruction that some instruction set lacks, and nothing is contracted: all
// instruction sets give the same numbers to the last bit.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "common/simd.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Compilers without vector types compute with single numbers.
#if defined(__GNUC__)
inline constexpr bool has_vectors = true;
#else
inline constexpr bool has_vectors = false;
#endif

// Numbers that are computed together, one per lane.
template <class T>
inline constexpr index_t lanes_of = has_vectors ? width<T, vector_bytes> : 1;

template <class T>
inline constexpr int pack_bytes = static_cast<int>(lanes_of<T> * sizeof(T));

template <class T>
struct PackOf {
#if defined(__GNUC__)
  using numbers = vec<T, vector_bytes>;
  using Int = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  using integers = vec<Int, vector_bytes>;
#else
  using numbers = T;
  using Int = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  using integers = Int;
#endif
};

template <class T>
using Pack = typename PackOf<T>::numbers;
template <class T>
using IntPack = typename PackOf<T>::integers;

template <class T>
LIFTWAVE_INLINE Pack<T> get(const T* from) {
  Pack<T> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <class T>
LIFTWAVE_INLINE void put(T* to, const Pack<T>& v) {
  std::memcpy(to, &v, sizeof v);
}

template <class T>
LIFTWAVE_INLINE Pack<T> all(T value) {
  return Pack<T>{} + value;
}

template <class T>
LIFTWAVE_INLINE IntPack<T> bits(const Pack<T>& v) {
  IntPack<T> i;
  std::memcpy(&i, &v, sizeof i);
  return i;
}

template <class T>
LIFTWAVE_INLINE Pack<T> from_bits(const IntPack<T>& i) {
  Pack<T> v;
  std::memcpy(&v, &i, sizeof v);
  return v;
}

template <class T>
inline constexpr typename PackOf<T>::Int sign_bit =
    static_cast<typename PackOf<T>::Int>(typename PackOf<T>::Int(1) << (8 * sizeof(T) - 2)) * -2;

template <class T>
LIFTWAVE_INLINE Pack<T> magnitude(const Pack<T>& v) {
  return from_bits<T>(bits<T>(v) & ~sign_bit<T>);
}

// `v` with its sign flipped where `by` has its sign bit set.
template <class T>
LIFTWAVE_INLINE Pack<T> turned(const Pack<T>& v, const Pack<T>& by) {
  return from_bits<T>(bits<T>(v) ^ (bits<T>(by) & sign_bit<T>));
}

// The second argument where either is NaN. (GCC compiles these conditions to several instructions.)
template <class T>
LIFTWAVE_INLINE Pack<T> larger(const Pack<T>& a, const Pack<T>& b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return _mm512_maskz_max_ps(-1, a, b);
  else return _mm512_maskz_max_pd(-1, a, b);
#else
  return a > b ? a : b;
#endif
}
template <class T>
LIFTWAVE_INLINE Pack<T> smaller(const Pack<T>& a, const Pack<T>& b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return _mm512_maskz_min_ps(-1, a, b);
  else return _mm512_maskz_min_pd(-1, a, b);
#else
  return a < b ? a : b;
#endif
}

// --- the exponential function ------------------------------------------------------------------

// e^x = 2^n e^r with n = round(x / ln 2) and |r| <= ln(2) / 2, and e^r = 1 + r + r^2 q(r) with the
// polynomial q of least relative error (by Remez' algorithm; 2^-28 and 2^-56). The first part of
// ln 2 has so few digits that its product with n is exact.
template <class T>
struct ExpOf;

template <>
struct ExpOf<float> {
  static constexpr int digits = 23, bias = 127;
  static constexpr float lowest = -104.0f, highest = 89.0f;  // 0 and infinity beyond
  static constexpr float least_normal = -87.0f;              // smaller results are subnormal
  static constexpr float per_ln2 = 1.44269504088896340736f;
  static constexpr float ln2_first = 0.693145751953125f, ln2_rest = 1.428606765330187e-06f;
  static constexpr float to_integer = 12582912.0f;  // 1.5 * 2^23
  static constexpr float q[] = {0.49999994f, 0.16666517f, 0.041668102f, 0.0083691925f,
                                0.0013838902f};
};

template <>
struct ExpOf<double> {
  static constexpr int digits = 52, bias = 1023;
  static constexpr double lowest = -746.0, highest = 710.0, least_normal = -708.0;
  static constexpr double per_ln2 = 1.44269504088896340736;
  static constexpr double ln2_first = 0.693147180559663, ln2_rest = 2.8235290563031577e-13;
  static constexpr double to_integer = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double q[] = {0.5000000000000011,     0.16666666666666413,
                                 0.041666666666530267,   0.008333333333494333,
                                 0.0013888888943597744,  0.00019841269506779498,
                                 2.480149313614022e-05,  2.7557586266459244e-06,
                                 2.76302339357227e-07,   2.5000072304856067e-08};
};

// e^r of several numbers, and the bits of n in the last places of `shifted`. Each step is done for all
// numbers before the next one, so that the processor has independent operations side by side.
template <class T, int N>
LIFTWAVE_INLINE void exp_parts(const Pack<T> (&x)[N], Pack<T> (&shifted)[N],
                               Pack<T> (&fraction)[N]) {
  using E = ExpOf<T>;
  constexpr int terms = sizeof(E::q) / sizeof(T);
  Pack<T> r[N], (&q)[N] = fraction;
  for (int i = 0; i < N; ++i) shifted[i] = x[i] * E::per_ln2 + E::to_integer;
  for (int i = 0; i < N; ++i) r[i] = shifted[i] - E::to_integer;
  for (int i = 0; i < N; ++i) r[i] = (x[i] - r[i] * E::ln2_first) - r[i] * E::ln2_rest;
  for (int i = 0; i < N; ++i) q[i] = all<T>(E::q[terms - 1]);
  for (int term = terms - 2; term >= 0; --term) {
    for (int i = 0; i < N; ++i) {
      q[i] = q[i] * r[i] + E::q[term];
      if (N > 1) in_register(q[i]);  // keeps the order of operations
    }
  }
  for (int i = 0; i < N; ++i) q[i] = (q[i] * (r[i] * r[i]) + r[i]) + T(1);
}

// 2^n of integers; n + bias has to be a valid exponent.
template <class T>
LIFTWAVE_INLINE Pack<T> power_of_two(const IntPack<T>& n) {
  return from_bits<T>((n + ExpOf<T>::bias) << ExpOf<T>::digits);
}

template <class T>
LIFTWAVE_INLINE IntPack<T> exponent_in(const Pack<T>& shifted) {
  return bits<T>(shifted) - bits<T>(all<T>(ExpOf<T>::to_integer));
}

// Within 1 ulp for results of full precision. Zero, subnormal numbers, infinity and NaN are
// correct. 2^n is applied as two factors: a single one would leave the range of exponents before
// the result does.
template <class T>
LIFTWAVE_INLINE Pack<T> exponential(const Pack<T>& given) {
  using E = ExpOf<T>;
  Pack<T> x[1] = {given < E::lowest ? all<T>(E::lowest) : given};  // NaN stays
  x[0] = x[0] > E::highest ? all<T>(E::highest) : x[0];
  Pack<T> shifted[1], fraction[1];
  exp_parts<T>(x, shifted, fraction);
  const IntPack<T> n = exponent_in<T>(shifted[0]), half = n >> 1;
  return fraction[0] * power_of_two<T>(half) * power_of_two<T>(n - half);
}

// The same for several numbers of moderate size (|x| < 80) and NaN. The last `Low` ones may be below
// that. Then subnormal results become zero.
template <class T, int Low, int N>
LIFTWAVE_INLINE void exponentials_of_moderate(Pack<T> (&x)[N]) {
  constexpr T least = ExpOf<T>::least_normal;
  Pack<T> shifted[N], fraction[N], bounded[N];
  for (int i = 0; i < N; ++i) bounded[i] = i < N - Low ? x[i] : x[i] < least ? all<T>(least) : x[i];
  exp_parts<T>(bounded, shifted, fraction);
  for (int i = 0; i < N; ++i) {
    const Pack<T> found = fraction[i] * power_of_two<T>(exponent_in<T>(shifted[i]));
    x[i] = i < N - Low ? found : x[i] < least ? Pack<T>{} : found;
  }
}

}  // namespace liftwave::LIFTWAVE_ISA
