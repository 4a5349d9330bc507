// Integer samples in 16-bit lanes: steps, even and odd samples, and conversions, in vectors.
//
// Compilers promote 16-bit numbers to 32 bits and do not always narrow them again. So these loops
// use vectors explicitly. Sums are taken modulo 2**16. They are exact if they fit 16 bits, which
// the driver ensures by a limit on the samples (`TileJob::largest`).
#pragma once

#include <type_traits>

#include "common/simd.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Whether a tile of numbers `T` with sums `S` uses these loops.
template <class T, class S>
constexpr bool in_lanes16 = std::is_same_v<T, std::int16_t> && std::is_same_v<S, std::uint16_t>;

// f(c, bytes) for whole vectors of numbers `T`, then for ever shorter ones, until `count`.
template <class T, int Bytes = vector_bytes, class F>
LIFTWAVE_INLINE void by_vectors(index_t c, index_t count, const F& f) {
  constexpr index_t lanes = width<T, Bytes>;
  for (; c + lanes <= count; c += lanes) f(c, std::integral_constant<int, Bytes>{});
  if constexpr (lanes > 1) by_vectors<T, Bytes / 2>(c, count, f);
}

#if defined(__GNUC__)

template <int Bytes>
using Words = vec<std::uint16_t, Bytes>;

template <int Bytes>
LIFTWAVE_INLINE Words<Bytes> words(const std::int16_t* from) {
  return (Words<Bytes>)load<std::int16_t, Bytes>(from);
}

// The taps of a step for `count` rows: 1, 2, two equal ones, or any number (0).
template <int count, bool subtract, class Row, class Tap>
void change_in_lanes16(std::int16_t* out, const std::int16_t* in, index_t terms, int bits,
                       index_t lanes, const Row& row, const Tap& tap) {
  constexpr bool two = count != 0 && count != 1;
  const std::int16_t *const first = row(0), *const last = row(two ? 1 : 0);
  const std::uint16_t a = tap(0), b = tap(two ? 1 : 0);
  const auto half = static_cast<std::uint16_t>(1 << (bits - 1));
  by_vectors<std::int16_t>(0, lanes, [&](index_t c, auto bytes) LIFTWAVE_INLINE_LAMBDA {
    using V = Words<bytes>;
    V sum;
    if constexpr (two && count != 2) {
      sum = a * (words<bytes>(first + c) + words<bytes>(last + c));
    } else {
      sum = a * words<bytes>(first + c);
      if constexpr (two) sum += b * words<bytes>(last + c);
      if constexpr (count == 0)
        for (index_t j = 1; j < terms; ++j) sum += tap(j) * words<bytes>(row(j) + c);
    }
    const auto shifted = (vec<std::int16_t, bytes>)(sum + half) >> static_cast<std::int16_t>(bits);
    const V target = words<bytes>(in + c);
    store<bytes>(out + c, subtract ? target - (V)shifted : target + (V)shifted);
  });
}

// Splits pairs into even and odd samples, times 1 or -1.
inline void split_in_lanes16(std::int16_t* even, std::int16_t* odd, const std::int16_t* pairs,
                             index_t count, std::int16_t factor) {
  by_vectors<std::int16_t>(0, count, [&](index_t k, auto bytes) LIFTWAVE_INLINE_LAMBDA {
    constexpr index_t lanes = width<std::int16_t, bytes>;
    vec<std::int16_t, bytes> e, o;
    if constexpr (lanes == 1) {
      e = vec<std::int16_t, bytes>{pairs[2 * k]}, o = vec<std::int16_t, bytes>{pairs[2 * k + 1]};
    } else {
      split<std::int16_t, bytes, 1>(load<std::int16_t, bytes>(pairs + 2 * k),
                                    load<std::int16_t, bytes>(pairs + 2 * k + lanes), e, o);
    }
    store<bytes>(even + k, e * factor);
    store<bytes>(odd + k, o * factor);
  });
}

// Merges even and odd samples into pairs, times 1 or -1.
inline void merge_in_lanes16(std::int16_t* pairs, const std::int16_t* even,
                             const std::int16_t* odd, index_t count, std::int16_t factor) {
  by_vectors<std::int16_t>(0, count, [&](index_t k, auto bytes) LIFTWAVE_INLINE_LAMBDA {
    constexpr index_t lanes = width<std::int16_t, bytes>;
    using V = vec<std::int16_t, bytes>;
    const V e = load<std::int16_t, bytes>(even + k) * factor;
    const V o = load<std::int16_t, bytes>(odd + k) * factor;
    if constexpr (lanes == 1) {
      pairs[2 * k] = e[0], pairs[2 * k + 1] = o[0];
    } else {
      V low, high;
      merge<std::int16_t, bytes, 1>(e, o, low, high);
      store<bytes>(pairs + 2 * k, low);
      store<bytes>(pairs + 2 * k + lanes, high);
    }
  });
}

// Whether no number exceeds `largest`, which is at least 255. Vectorised by compilers.
template <class I>
bool fits_lanes16(const I* from, index_t count, index_t largest) {
  if constexpr (sizeof(I) > 1) {
    using U = std::make_unsigned_t<I>;
    const U offset = std::is_signed_v<I> ? static_cast<U>(largest) : U{0};
    U highest = 0;
    for (index_t i = 0; i < count; ++i) {
      const U number = static_cast<U>(static_cast<U>(from[i]) + offset);
      highest = highest < number ? number : highest;
    }
    return highest <= static_cast<U>(largest + offset);
  }
  return true;
}

// Copies numbers, `stride` bytes apart, into 16-bit lanes. False if one exceeds `largest`.
template <class I>
bool load_lanes16(std::int16_t* __restrict to, const char* from, index_t stride, index_t count,
                  index_t largest) {
  if (stride == static_cast<index_t>(sizeof(I))) {
    const I* __restrict const numbers = reinterpret_cast<const I*>(from);
    for (index_t i = 0; i < count; ++i) to[i] = static_cast<std::int16_t>(numbers[i]);
    return fits_lanes16(numbers, count, largest);
  }
  bool fits = true;
  for (index_t i = 0; i < count; ++i) {
    const I number = *reinterpret_cast<const I*>(from + i * stride);
    fits = fits_lanes16(&number, 1, largest) && fits;
    to[i] = static_cast<std::int16_t>(number);
  }
  return fits;
}

// Stores a row as numbers `O`, times 1 or -1.
template <class O>
void store_lanes16(O* to, const std::int16_t* from, index_t count, std::int16_t factor,
                   bool past_caches) {
  const auto converted = [&](index_t i, auto bytes) LIFTWAVE_INLINE_LAMBDA {
    constexpr int narrow = bytes / static_cast<int>(sizeof(O)) * 2;
    return __builtin_convertvector(load<std::int16_t, narrow>(from + i) * factor, vec<O, bytes>);
  };
  const auto put = [&](index_t i, auto bytes) LIFTWAVE_INLINE_LAMBDA {
    store<bytes>(to + i, converted(i, bytes));
  };
  index_t i = 0;
  if (past_caches) {
    const index_t before = numbers_to_vector(to);
    const index_t head = before < count ? before : count;
    by_vectors<O>(0, head, put);
    constexpr std::integral_constant<int, vector_bytes> bytes;
    for (i = head; i + width<O, vector_bytes> <= count; i += width<O, vector_bytes>)
      stream<vector_bytes>(to + i, converted(i, bytes));
  }
  by_vectors<O>(i, count, put);
}

#else

// Not called: `lift_kernels` has no tiles in 16-bit lanes for other compilers.
template <int count, bool subtract, class Row, class Tap>
void change_in_lanes16(std::int16_t* out, const std::int16_t* in, index_t terms, int bits,
                       index_t lanes, const Row& row, const Tap& tap);
void split_in_lanes16(std::int16_t* even, std::int16_t* odd, const std::int16_t* pairs,
                      index_t count, std::int16_t factor);
void merge_in_lanes16(std::int16_t* pairs, const std::int16_t* even, const std::int16_t* odd,
                      index_t count, std::int16_t factor);
template <class I>
bool fits_lanes16(const I* from, index_t count, index_t largest);
template <class I>
bool load_lanes16(std::int16_t* to, const char* from, index_t stride, index_t count,
                  index_t largest);
template <class O>
void store_lanes16(O* to, const std::int16_t* from, index_t count, std::int16_t factor,
                   bool past_caches);

#endif

}  // namespace liftwave::LIFTWAVE_ISA
