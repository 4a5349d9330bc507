// Number types in memory and in computations.
#pragma once

namespace liftwave {

typedef long long index_t;

struct half {
  unsigned short bits;
};

struct bfloat {
  unsigned short bits;
};

template <class R>
struct complex {
  R re, im;
};

template <class A, class B>
constexpr bool same = false;
template <class A>
constexpr bool same<A, A> = true;

// The computation type of numbers of type T, and the type of their real parts.
template <class T>
struct Computed {
  typedef T type;
  typedef T real;
};
template <>
struct Computed<half> {
  typedef float type;
  typedef float real;
};
template <>
struct Computed<bfloat> {
  typedef float type;
  typedef float real;
};
template <class R>
struct Computed<complex<R>> {
  typedef complex<R> type;
  typedef R real;
};
template <class T>
using computed_t = typename Computed<T>::type;
template <class T>
using real_t = typename Computed<T>::real;

// --- arithmetic of complex numbers with real ones ------------------------------------------------

template <class R>
__device__ complex<R> operator+(complex<R> a, complex<R> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class R>
__device__ complex<R> operator-(complex<R> a, complex<R> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class R>
__device__ complex<R> operator*(R a, complex<R> b) {
  return {a * b.re, a * b.im};
}
template <class R>
__device__ complex<R>& operator+=(complex<R>& a, complex<R> b) {
  return a = a + b;
}

// a * b + c, rounded once if the device supports it.
__device__ inline float multiply_add(float a, float b, float c) { return fmaf(a, b, c); }
__device__ inline double multiply_add(double a, double b, double c) { return fma(a, b, c); }
template <class R>
__device__ complex<R> multiply_add(R a, complex<R> b, complex<R> c) {
  return {multiply_add(a, b.re, c.re), multiply_add(a, b.im, c.im)};
}

// Re(conj(a) * b) + c
template <class R>
__device__ R inner_add(R a, R b, R c) {
  return multiply_add(a, b, c);
}
template <class R>
__device__ R inner_add(complex<R> a, complex<R> b, R c) {
  return multiply_add(a.im, b.im, multiply_add(a.re, b.re, c));
}

// --- conversion ----------------------------------------------------------------------------------

#ifndef LIFTWAVE_HOST
__device__ inline float half_to_float(unsigned short bits) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
}
__device__ inline unsigned short float_to_half(float value) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}
#endif

// Rounded to nearest, ties to even; NaN stays NaN.
__device__ inline unsigned short float_to_bfloat(float value) {
  const unsigned bits = __float_as_uint(value);
  if (value != value) return static_cast<unsigned short>((bits >> 16) | 0x40u);
  return static_cast<unsigned short>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// Converts from memory to the computation type, and back.
template <class T>
__device__ computed_t<T> widened(T value) {
  if constexpr (same<T, half>) return half_to_float(value.bits);
  else if constexpr (same<T, bfloat>) return __uint_as_float(unsigned(value.bits) << 16);
  else return value;
}
template <class T>
__device__ T narrowed(computed_t<T> value) {
  if constexpr (same<T, half>) return {float_to_half(value)};
  else if constexpr (same<T, bfloat>) return {float_to_bfloat(value)};
  else return value;
}

template <class T>
__device__ computed_t<T> load(const T* place) {
  return widened<T>(*place);
}
template <class T, class C>
__device__ void store(T* place, C value) {
  *place = narrowed<T>(value);
}

}  // namespace liftwave
