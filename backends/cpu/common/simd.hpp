// Short vectors: elementwise arithmetic, and the few shuffles that split a signal into even and odd
// samples.
//
// GCC and Clang compile their own vector types to the instructions that the
// translation unit may use; other compilers get plain arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "common/index.hpp"
#include "common/isa.hpp"

namespace liftwave::LIFTWAVE_ISA {

inline constexpr int vector_bytes = LIFTWAVE_VECTOR_BYTES;

#if defined(__GNUC__)

template <class T, int Bytes>
struct VecOf {
  typedef T type __attribute__((vector_size(Bytes)));
};

#else

template <class T, int Bytes>
struct VecOf {
  struct type {
    T at[Bytes / sizeof(T)];
    T operator[](int i) const { return at[i]; }
    friend type operator+(type a, const type& b) {
      for (std::size_t i = 0; i < Bytes / sizeof(T); ++i) a.at[i] += b.at[i];
      return a;
    }
    friend type operator-(type a, const type& b) {
      for (std::size_t i = 0; i < Bytes / sizeof(T); ++i) a.at[i] -= b.at[i];
      return a;
    }
    friend type operator*(type a, const type& b) {
      for (std::size_t i = 0; i < Bytes / sizeof(T); ++i) a.at[i] *= b.at[i];
      return a;
    }
    friend type operator*(T factor, type a) {
      for (std::size_t i = 0; i < Bytes / sizeof(T); ++i) a.at[i] = factor * a.at[i];
      return a;
    }
  };
};

#endif

// A vector of Bytes bytes; Bytes = sizeof(T) is a single number.
template <class T, int Bytes>
using vec = typename VecOf<T, Bytes>::type;

template <class T, int Bytes>
inline constexpr int width = Bytes / static_cast<int>(sizeof(T));

template <class T, int Bytes>
LIFTWAVE_INLINE vec<T, Bytes> load(const T* from) {
  vec<T, Bytes> v;
  std::memcpy(&v, from, Bytes);
  return v;
}

// The number in all lanes.
template <class T, int Bytes>
LIFTWAVE_INLINE vec<T, Bytes> repeated(T number) {
#if defined(__GNUC__)
  return number - vec<T, Bytes>{};  // the sum would lose the sign of zero
#else
  vec<T, Bytes> v;
  for (T& lane : v.at) lane = number;
  return v;
#endif
}

template <int Bytes, class T, class V>
LIFTWAVE_INLINE void store(T* to, const V& v) {
  std::memcpy(to, &v, Bytes);
}

// --- non-temporal stores -----------------------------------------------------------------------

template <class T>
LIFTWAVE_INLINE bool is_aligned(const T* to) {
  return reinterpret_cast<std::uintptr_t>(to) % vector_bytes == 0;
}

// How many numbers lie before the first address that is aligned to vectors.
template <class T>
LIFTWAVE_INLINE index_t numbers_to_vector(const T* to) {
  const auto past = static_cast<index_t>(reinterpret_cast<std::uintptr_t>(to) % vector_bytes);
  return past ? (vector_bytes - past) / static_cast<index_t>(sizeof(T)) : 0;
}

// Non-temporal stores, which avoid reading the cache line first. `to` is aligned to the vector.
template <int Bytes, class T, class V>
LIFTWAVE_INLINE void stream(T* to, const V& v) {
#if defined(__AVX512F__)
  if constexpr (Bytes == 64) {
    return _mm512_stream_si512(reinterpret_cast<__m512i*>(to), reinterpret_cast<const __m512i&>(v));
  }
#endif
#if defined(__AVX__)
  if constexpr (Bytes == 32) {
    return _mm256_stream_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<const __m256i&>(v));
  }
#endif
#if defined(__SSE2__)
  if constexpr (Bytes == 16) {
    return _mm_stream_si128(reinterpret_cast<__m128i*>(to), reinterpret_cast<const __m128i&>(v));
  }
#endif
  store<Bytes>(to, v);
}

// Makes non-temporal stores visible to other threads before these are notified.
inline void end_streams() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

// --- registers -------------------------------------------------------------------------------

// Prefetches the cache lines of the next bytes.
template <int Count, class T>
LIFTWAVE_INLINE void prefetch(const T* from) {
#if defined(__GNUC__)
  for (int line = 0; line < Count; line += 64) {
    __builtin_prefetch(reinterpret_cast<const char*>(from) + line);
  }
#else
  (void)from;
#endif
}

// Prefetches the cache line of a number that is needed only after much other work.
template <class T>
LIFTWAVE_INLINE void prefetch_early(const T* from) {
#if defined(__GNUC__)
  __builtin_prefetch(from, 0, 2);  // into the second-level cache
#else
  (void)from;
#endif
}

// Keeps a value in a register. Compilers would read it from memory again for each use, and reads
// across cache lines limit sums over taps.
template <class V>
LIFTWAVE_INLINE void in_register(V& v) {
#if defined(__GNUC__) && defined(__AVX512F__)
  asm("" : "+v"(v));  // any of the 32 registers
#elif defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
  asm("" : "+x"(v));
#elif defined(__GNUC__) && defined(__aarch64__)
  asm("" : "+w"(v));
#else
  (void)v;
#endif
}

// f(0), f(1), ... f(Count - 1), each argument a compile-time constant.
template <class F, int... I>
LIFTWAVE_INLINE void unrolled(const F& f, std::integer_sequence<int, I...>) {
  (f(std::integral_constant<int, I>{}), ...);
}
template <int Count, class F>
LIFTWAVE_INLINE void unrolled(const F& f) {
  unrolled(f, std::make_integer_sequence<int, Count>{});
}

// --- shuffles --------------------------------------------------------------------------------

// A sample is Lanes numbers that stay together (2: real and imaginary part).

#if defined(__GNUC__)

template <int Lanes, int Parity, class V, std::size_t... I>
inline V every_second(const V& a, const V& b, std::index_sequence<I...>) {
  return __builtin_shufflevector(a, b, ((I / Lanes) * 2 * Lanes + Parity * Lanes + I % Lanes)...);
}

template <int Lanes, int Half, class V, std::size_t... I>
inline V zipped(const V& even, const V& odd, std::index_sequence<I...>) {
  constexpr std::size_t n = sizeof...(I), first = Half * (n / Lanes);
  return __builtin_shufflevector(
      even, odd, (((first + I / Lanes) % 2) * n + ((first + I / Lanes) / 2) * Lanes + I % Lanes)...);
}

#else

template <int Lanes, int Parity, class V, std::size_t... I>
inline V every_second(const V& a, const V& b, std::index_sequence<I...>) {
  constexpr std::size_t n = sizeof...(I);
  V r;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t from = (i / Lanes) * 2 * Lanes + Parity * Lanes + i % Lanes;
    r.at[i] = from < n ? a.at[from] : b.at[from - n];
  }
  return r;
}

template <int Lanes, int Half, class V, std::size_t... I>
inline V zipped(const V& even, const V& odd, std::index_sequence<I...>) {
  constexpr std::size_t n = sizeof...(I), first = Half * (n / Lanes);
  V r;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t sample = first + i / Lanes;
    r.at[i] = (sample % 2 ? odd : even).at[(sample / 2) * Lanes + i % Lanes];
  }
  return r;
}

#endif

// From 2 vectors of samples to one vector of even positions and one of odd positions.
template <class T, int Bytes, int Lanes>
inline void split(const vec<T, Bytes>& a, const vec<T, Bytes>& b, vec<T, Bytes>& even,
                  vec<T, Bytes>& odd) {
  using Positions = std::make_index_sequence<width<T, Bytes>>;
  even = every_second<Lanes, 0>(a, b, Positions{});
  odd = every_second<Lanes, 1>(a, b, Positions{});
}

// The reverse of split.
template <class T, int Bytes, int Lanes>
inline void merge(const vec<T, Bytes>& even, const vec<T, Bytes>& odd, vec<T, Bytes>& a,
                  vec<T, Bytes>& b) {
  using Positions = std::make_index_sequence<width<T, Bytes>>;
  a = zipped<Lanes, 0>(even, odd, Positions{});
  b = zipped<Lanes, 1>(even, odd, Positions{});
}

}  // namespace liftwave::LIFTWAVE_ISA
