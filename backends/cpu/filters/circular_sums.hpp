// One weighted sum of rows, and signals whose ends are joined.
#pragma once

#include <cstring>

#include "common/parallel.hpp"
#include "filters/circular.hpp"
#include "filters/tap_sums.hpp"

namespace liftwave::LIFTWAVE_ISA {

// --- one sum ---------------------------------------------------------------------------------

// The terms of a sum: source[j][c] weighted by taps[j], in ascending order.
template <class T>
struct Terms {
  const T** source;
  T* taps;
  index_t count = 0;

  Terms(index_t most, Scratch& scratch)
      : source(scratch.take<const T*>(most)), taps(scratch.take<T>(most)) {}

  // Adds the terms of one filter; `at(j)` is the address that tap j reads for output 0.
  template <class Address>
  void add(const CircularAxis& axis, const Taps& filter, const Address& at) {
    const T* values = filter.as<T>();
    for (index_t j = 0; j < axis.taps(); ++j) {
      source[count] = at(axis.offset[static_cast<std::size_t>(j)]);
      taps[count++] = values[j];
    }
  }
};

template <class T, int Bytes, int Vectors, bool Streamed>
LIFTWAVE_INLINE void sum_block(const Terms<T>& terms, index_t c, T* out) {
  using V = vec<T, Bytes>;
  V sum[Vectors];
  unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
    sum[v] = terms.taps[0] * load<T, Bytes>(terms.source[0] + c + v * width<T, Bytes>);
  });
  for (index_t j = 1; j < terms.count; ++j) {
    const T* source = terms.source[j] + c;
    const T tap = terms.taps[j];
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      sum[v] = sum[v] + tap * load<T, Bytes>(source + v * width<T, Bytes>);
    });
  }
  unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
    if constexpr (Streamed) stream<Bytes>(out + c + v * width<T, Bytes>, sum[v]);
    else store<Bytes>(out + c + v * width<T, Bytes>, sum[v]);
  });
}

template <class T>
inline void sum_one(const Terms<T>& terms, index_t c, T* out) {
  T sum = terms.taps[0] * terms.source[0][c];
  for (index_t j = 1; j < terms.count; ++j) sum = sum + terms.taps[j] * terms.source[j][c];
  out[c] = sum;
}

template <class T, bool Streamed>
void sum_range(const Terms<T>& terms, index_t c, index_t stop, T* out) {
  constexpr int one = width<T, vector_bytes>;
  const index_t start = c;
  for (; c + 4 * one <= stop; c += 4 * one) sum_block<T, vector_bytes, 4, Streamed>(terms, c, out);
  for (; c + one <= stop; c += one) sum_block<T, vector_bytes, 1, false>(terms, c, out);
  if (c < stop && stop - start >= one) return sum_block<T, vector_bytes, 1, false>(terms, stop - one, out);
  for (; c < stop; ++c) sum_one(terms, c, out);
}

// out[c] = the sum of the terms, for c = start ... stop - 1.
template <class T>
void sum_terms(const Terms<T>& terms, index_t start, index_t stop, T* out, bool past_caches) {
  if (past_caches && is_aligned(out + start)) sum_range<T, true>(terms, start, stop, out);
  else sum_range<T, false>(terms, start, stop, out);
}

// --- signals with joined ends ----------------------------------------------------------------

inline index_t wrapped(index_t i, index_t n) {
  i %= n;
  return i < 0 ? i + n : i;
}

// Copies numbers from ... stop - 1 of a periodic line of n numbers.
template <class T>
void copy_periodic(const T* line, index_t n, index_t from, index_t stop, T* to) {
  while (from < stop) {
    const index_t at = wrapped(from, n), count = std::min(n - at, stop - from);
    std::memcpy(to, line + at, static_cast<std::size_t>(count) * sizeof(T));
    to += count;
    from += count;
  }
}

// The address of number 0 of a periodic line from which numbers from ... stop - 1 can be read. They
// are used in place if possible, else copied.
template <class T>
const T* periodic_line(const T* line, index_t n, index_t from, index_t stop, Scratch& scratch) {
  if (from >= 0 && stop <= n) return line;
  T* copy = scratch.take<T>(stop - from);
  copy_periodic(line, n, from, stop, copy);
  return copy - from;
}

// Calls `run(start, stop)` for ranges of outputs in which the numbers of no tap pass the joint.
template <class Run>
void unbroken_ranges(const CircularAxis& axis, index_t lanes, index_t start, index_t stop,
                     const Run& run) {
  const index_t n = axis.n * lanes;
  while (start < stop) {
    index_t end = stop;
    for (const index_t offset : axis.offset) {
      end = std::min(end, start + n - wrapped(start + offset * lanes, n));
    }
    run(start, end);
    start = end;
  }
}

}  // namespace liftwave::LIFTWAVE_ISA
