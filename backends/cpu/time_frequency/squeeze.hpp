// Coefficients moved to the rows of their instantaneous frequencies.
//
// Loops over columns have no branches, so compilers use vectors of the instruction set. No operation
// depends on their width.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "common/isa.hpp"
#include "common/parallel.hpp"
#include "time_frequency/kernels.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Columns at a time: their sums stay in the caches.
inline constexpr index_t squeeze_columns = 128;

// The logarithm to base 2 of a positive number, within some units of the last place.
template <class T>
LIFTWAVE_INLINE T log2_of(T x) {
  using Int = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  constexpr int digits = std::numeric_limits<T>::digits - 1;
  constexpr Int root = sizeof(T) == 4 ? Int{0x3f3504f3} : static_cast<Int>(0x3fe6a09e667f3bcdLL);
  Int bits;
  std::memcpy(&bits, &x, sizeof x);
  const Int exponent = (bits - root) >> digits;
  bits -= exponent * (Int{1} << digits);
  T m;  // from the root of 1/2 to that of 2
  std::memcpy(&m, &bits, sizeof m);
  const T s = (m - 1) / (m + 1), z = s * s;
  // The series of the inverse hyperbolic tangent.
  T sum = sizeof(T) == 4 ? T(1) / 9 : T(1) / 21;
  for (int k = sizeof(T) == 4 ? 7 : 19; k > 0; k -= 2) sum = sum * z + T(1) / static_cast<T>(k);
  return static_cast<T>(exponent) + T(2.8853900817779268) * s * sum;  // 2 / ln 2
}

// The next integer of a number of moderate size; of two the even one.
template <class T>
LIFTWAVE_INLINE T rounded(T x) {
  constexpr T shift = sizeof(T) == 4 ? T(12582912) : T(6755399441055744);
  return (x + shift) - shift;
}

// The rows of some coefficients; -1 for none.
template <class T>
LIFTWAVE_INLINE void squeezed_rows(const SqueezeCall<T>& call, const T* values, const T* slopes,
                                   T floor, index_t columns, T* places) {
  const T highest = static_cast<T>(call.highest), voices = static_cast<T>(call.voices);
  const T last = static_cast<T>(call.count - 1);
  for (index_t c = 0; c < columns; ++c) {
    const T re = values[2 * c], im = values[2 * c + 1];
    const T squared = re * re + im * im;
    const T product = slopes[2 * c] * re + slopes[2 * c + 1] * im;
    const bool is_large = (squared > floor) & (product > T(0));
    const T frequency = (is_large ? product : T(1)) / (is_large ? squared : T(1));
    const T place = rounded(voices * log2_of(highest / frequency));
    places[c] = (is_large & (place >= T(0)) & (place <= last)) ? place : T(-1);
  }
}

template <class T>
void squeeze_block(const SqueezeCall<T>& call, index_t item, index_t first, index_t last) {
  const index_t n = call.columns, count = last - first;
  const T floor = std::max(static_cast<T>(call.floor[item]), std::numeric_limits<T>::min());
  T places[squeeze_columns];
  T* const total = call.total + 2 * (item * call.count * n + first);
  for (index_t row = 0; row < call.rows; ++row) {
    const index_t offset = 2 * ((item * call.rows + row) * n + first);
    const T* values = call.values + offset;
    squeezed_rows(call, values, call.slopes + offset, floor, count, places);
    const T factor = static_cast<T>(call.factors[row]);
    for (index_t c = 0; c < count; ++c) {
      if (places[c] < T(0)) continue;
      T* to = total + 2 * (static_cast<index_t>(places[c]) * n + c);
      to[0] += factor * values[2 * c];
      to[1] += factor * values[2 * c + 1];
    }
  }
}

// A column belongs to one thread, which adds its rows in order.
template <class T>
void squeeze(const SqueezeCall<T>& call) {
  const index_t blocks = (call.columns + squeeze_columns - 1) / squeeze_columns;
  const double bytes = 6.0 * sizeof(T) * static_cast<double>(call.batch * call.rows) *
                       static_cast<double>(call.columns);
  parallel_for(call.batch * blocks, bytes, [&](index_t begin, index_t end) {
    Pace pace;
    for (index_t i = begin; i < end; ++i) {
      const index_t first = i % blocks * squeeze_columns;
      const index_t last = std::min(first + squeeze_columns, call.columns);
      squeeze_block(call, i / blocks, first, last);
      pace.moved(6 * static_cast<index_t>(sizeof(T)) * call.rows * (last - first));
    }
  });
}

template <class T>
constexpr TimeFrequencyKernels<T> time_frequency_kernels_of() {
  return {squeeze<T>};
}

}  // namespace liftwave::LIFTWAVE_ISA
