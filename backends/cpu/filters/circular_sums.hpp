// One weighted sum of rows, and signals whose ends are joined.
#pragma once

#include <cstring>

#include "common/parallel.hpp"
#include "filters/circular.hpp"
#include "filters/tap_sums.hpp"

namespace liftwave::LIFTWAVE_ISA {

// --- one sum ---------------------------------------------------------------------------------

// The terms of a sum: source[j][c] weighted by taps[j]. Groups of terms are summed one by one: those
// of an analysis in one group; those of each band of a synthesis in two, from both ends of the filter
// to its middle.
template <class T>
struct Terms {
  const T** source;
  T* taps;
  index_t count = 0, group;

  // `most`: the number of terms.
  Terms(index_t most, index_t terms_of_group, Scratch& scratch)
      : source(scratch.take<const T*>(most)), taps(scratch.take<T>(most)), group(terms_of_group) {}

  // Adds the terms of one filter; `at(j)` is the address that tap j reads for output 0.
  template <class Address>
  void add(const CircularAxis& axis, const Taps& filter, const Address& at) {
    const T* values = filter.as<T>();
    const index_t n = axis.taps();
    for (index_t i = 0; i < n; ++i) {
      const index_t j = i < group ? i : n - 1 - (i - group);
      source[count] = at(j);
      taps[count++] = values[j];
    }
  }
};

// Combines the sums of groups, which `of_group(first)` computes: two of a band, then the bands.
template <class T, class Sum>
LIFTWAVE_INLINE auto sum_of_groups(const Terms<T>& terms, const Sum& of_group) {
  auto sum = of_group(0);
  if (terms.group < terms.count) sum = sum + of_group(terms.group);
  for (index_t g = 2 * terms.group; g < terms.count; g += 2 * terms.group) {
    sum = sum + (of_group(g) + of_group(g + terms.group));
  }
  return sum;
}

// Several vectors.
template <class V, int Vectors>
struct Several {
  V v[Vectors];
};

template <class V, int Vectors>
LIFTWAVE_INLINE Several<V, Vectors> operator+(const Several<V, Vectors>& a, const Several<V, Vectors>& b) {
  Several<V, Vectors> sum;
  unrolled<Vectors>([&](auto i) LIFTWAVE_INLINE_LAMBDA { sum.v[i] = a.v[i] + b.v[i]; });
  return sum;
}

template <class T, int Bytes, int Vectors, bool Streamed>
LIFTWAVE_INLINE void sum_block(const Terms<T>& terms, index_t c, T* out) {
  using V = vec<T, Bytes>;
  constexpr int one = width<T, Bytes>;
  const auto sum = sum_of_groups(terms, [&](index_t first) LIFTWAVE_INLINE_LAMBDA {
    Several<V, Vectors> part;
    const T* source = terms.source[first] + c;
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      part.v[v] = terms.taps[first] * load<T, Bytes>(source + v * one);
    });
    for (index_t j = first + 1; j < first + terms.group; ++j) {
      source = terms.source[j] + c;
      const T tap = terms.taps[j];
      unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
        part.v[v] = part.v[v] + tap * load<T, Bytes>(source + v * one);
      });
    }
    return part;
  });
  unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
    if constexpr (Streamed) stream<Bytes>(out + c + v * one, sum.v[v]);
    else store<Bytes>(out + c + v * one, sum.v[v]);
  });
}

template <class T>
inline void sum_one(const Terms<T>& terms, index_t c, T* out) {
  out[c] = sum_of_groups(terms, [&](index_t first) {
    T part = terms.taps[first] * terms.source[first][c];
    for (index_t j = first + 1; j < first + terms.group; ++j) {
      part = part + terms.taps[j] * terms.source[j][c];
    }
    return part;
  });
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
