// Sums over taps: the arithmetic of analyses. That of syntheses is in upsampling.hpp.
//
// One routine computes analyses along every axis. For each tap it takes a pointer to its samples.
// Across an axis these are rows; along it they point into the even or the odd samples.
//
// Every sum adds its taps in ascending order, separately for each output. So results do not depend
// on the width of vectors or on tiling.
#pragma once

#include "common/simd.hpp"
#include "filters/plan.hpp"
#include "filters/sinks.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Outputs of several rows, and the numbers from one row to the next.
struct RowRun {
  index_t rows = 1;
  index_t source_step = 0, sink_step = 0, soon_step = 0;
};

// Data to prefetch, or null: `whole` at the pace of the outputs, `halves` at half of it.
template <class T>
struct Soon {
  const T* whole = nullptr;
  const T* halves[2] = {nullptr, nullptr};

  // Prefetches for the next `Bytes` bytes of outputs.
  template <int Bytes>
  LIFTWAVE_INLINE void fetch(index_t c) const {
    if (whole) prefetch<Bytes>(whole + c);
    for (const T* row : halves) {
      if (row) prefetch<Bytes / 2>(row + c / 2);
    }
  }

  LIFTWAVE_INLINE void advance(const RowRun& run) {
    if (whole) whole += run.soon_step;
    for (const T*& row : halves) {
      if (row) row += run.source_step;
    }
  }
};

// The input of the taps: tap j reads source[j][c] for output c. Sources move from row to row.
template <class T>
struct Filtering {
  const T** source;
  const T* first;  // taps of the two filters
  const T* second;  // null if there is only one: the second results are then the first
  int taps;
  Soon<T> soon = {};
  RowRun run = {};
};

// The results of only one filter.
template <class T, int Bytes, int Vectors, int FixedTaps, class Sink>
LIFTWAVE_INLINE void filter_block_once(const Filtering<T>& f, index_t c, const Sink& sink) {
  using V = vec<T, Bytes>;
  const int taps = FixedTaps ? FixedTaps : f.taps;
  V a[Vectors];
  unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
    a[v] = f.first[0] * load<T, Bytes>(f.source[0] + c + v * width<T, Bytes>);
  });
  for (int j = 1; j < taps; ++j) {
    const T* source = f.source[j] + c;
    const T p = f.first[j];
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      a[v] = a[v] + p * load<T, Bytes>(source + v * width<T, Bytes>);
    });
  }
  sink.template put_first<Bytes, Vectors>(c, a);
}

template <class T, int Bytes, int Vectors, int FixedTaps, class Sink>
inline void filter_block(const Filtering<T>& f, index_t c, const Sink& sink) {
  using V = vec<T, Bytes>;
  const int taps = FixedTaps ? FixedTaps : f.taps;
  V a[Vectors], b[Vectors];
  f.soon.template fetch<Vectors * Bytes>(c);
  const auto first_tap = [&](auto v) LIFTWAVE_INLINE_LAMBDA {
    V x = load<T, Bytes>(f.source[0] + c + v * width<T, Bytes>);
    in_register(x);
    a[v] = f.first[0] * x;
    b[v] = f.second[0] * x;
  };
  if (!f.second) return filter_block_once<T, Bytes, Vectors, FixedTaps>(f, c, sink);
  unrolled<Vectors>(first_tap);
  for (int j = 1; j < taps; ++j) {
    const T* source = f.source[j] + c;
    const T p = f.first[j], q = f.second[j];
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      V x = load<T, Bytes>(source + v * width<T, Bytes>);
      in_register(x);
      a[v] = a[v] + p * x;
      b[v] = b[v] + q * x;
    });
  }
  sink.template put<Bytes, Vectors>(c, a, b);
}

template <class T, class Sink>
inline void filter_one(const Filtering<T>& f, index_t c, const Sink& sink) {
  const T* second = f.second ? f.second : f.first;
  const T x = f.source[0][c];
  T a = f.first[0] * x, b = second[0] * x;
  for (int j = 1; j < f.taps; ++j) {
    a = a + f.first[j] * f.source[j][c];
    b = b + second[j] * f.source[j][c];
  }
  sink.put_one(c, a, b);
}

// The outputs after the wide blocks: a last block that covers some outputs twice, or shorter
// vectors if there are too few outputs for it.
template <class T, int Bytes, int FixedTaps, class Sink>
inline void filter_rest(const Filtering<T>& f, index_t c, index_t n, const Sink& sink) {
  if constexpr (Bytes >= 16) {
    constexpr int vectors = Sink::vectors, step = vectors * width<T, Bytes>;
    for (; c + step <= n; c += step) filter_block<T, Bytes, vectors, FixedTaps>(f, c, sink);
    if (c == n) return;
    if (n < step) return filter_rest<T, Bytes / 2, FixedTaps>(f, c, n, sink);
    const index_t last = Sink::place(n - step);
    filter_block<T, Bytes, vectors, FixedTaps>(f, last, sink);
    c = last + step;
  }
  for (; c < n; ++c) filter_one(f, c, sink);
}

// A few taps and the addresses that they read, kept in registers from block to block. (Stores might
// change the taps in memory, so compilers would read them again for each block.)
template <class T, int Bytes, int Count>
struct HeldTaps {
  vec<T, Bytes> first[Count], second[Count];
  const T* source[Count];

  HeldTaps(const T* const* sources, const T* first_taps, const T* second_taps) {
    unrolled<Count>([&](auto j) LIFTWAVE_INLINE_LAMBDA {
      first[j] = repeated<T, Bytes>(first_taps[j]);
      second[j] = repeated<T, Bytes>(second_taps[j]);
      source[j] = sources[j];
    });
  }

  // The sums of the first filter, for outputs from c on.
  template <int Vectors>
  LIFTWAVE_INLINE void first_sums(index_t c, vec<T, Bytes>* a) const {
    unrolled<Count>([&](auto j) LIFTWAVE_INLINE_LAMBDA {
      unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
        const vec<T, Bytes> one = first[j] * load<T, Bytes>(source[j] + c + v * width<T, Bytes>);
        if constexpr (decltype(j)::value == 0) a[v] = one;
        else a[v] = a[v] + one;
      });
    });
  }

  // The sums of both filters, for outputs from c on.
  template <int Vectors>
  LIFTWAVE_INLINE void sums(index_t c, vec<T, Bytes>* a, vec<T, Bytes>* b) const {
    unrolled<Count>([&](auto j) LIFTWAVE_INLINE_LAMBDA {
      unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
        vec<T, Bytes> x = load<T, Bytes>(source[j] + c + v * width<T, Bytes>);
        in_register(x);
        const vec<T, Bytes> one = first[j] * x, other = second[j] * x;
        if constexpr (decltype(j)::value == 0) {
          a[v] = one;
          b[v] = other;
        } else {
          a[v] = a[v] + one;
          b[v] = b[v] + other;
        }
      });
    });
  }
};

// Rows of at least one block, by few taps. The last block of a row covers some outputs twice.
template <class T, int FixedTaps, bool Both, class Sink, class Rest>
void filter_held(Filtering<T>& f, index_t n, const Sink& first_sink, const Rest& first_rest) {
  constexpr int one = width<T, vector_bytes>, vectors = Sink::vectors, step = vectors * one;
  HeldTaps<T, vector_bytes, FixedTaps> taps(f.source, f.first, Both ? f.second : f.first);
  Sink sink = first_sink;
  Rest rest = first_rest;
  Soon<T> soon = f.soon;
  const RowRun run = f.run;
  const auto block = [&](index_t c, const auto& to) LIFTWAVE_INLINE_LAMBDA {
    vec<T, vector_bytes> a[vectors], b[vectors];
    if constexpr (Both) {
      taps.template sums<vectors>(c, a, b);
      to.template put<vector_bytes, vectors>(c, a, b);
    } else {
      taps.template first_sums<vectors>(c, a);
      to.template put_first<vector_bytes, vectors>(c, a);
    }
  };
  for (index_t left = run.rows;;) {
    index_t c = 0;
    for (; c + 4 * one <= n; c += 4 * one) {
      soon.template fetch<4 * vector_bytes>(c);
      for (index_t some = c; some < c + 4 * one; some += step) block(some, sink);
    }
    for (; c + step <= n; c += step) block(c, sink);
    if (c < n) {
      block(c = Rest::place(n - step), rest);
      for (c += step; c < n; ++c) filter_one(f, c, rest);
    }
    if (--left == 0) return;
    for (int j = 0; j < FixedTaps; ++j) f.source[j] = taps.source[j] += run.source_step;
    soon.advance(run);
    sink.advance(run.sink_step);
    rest.advance(run.sink_step);
  }
}

// Whole blocks go to `sink`, the remaining outputs to `rest`.
template <class T, int FixedTaps, class Sink, class Rest>
void filter_wide(Filtering<T>& f, index_t n, const Sink& first_sink, const Rest& first_rest) {
  constexpr int one = width<T, vector_bytes>, step = 4 * one, vectors = Sink::vectors;
  if constexpr (FixedTaps != 0 && 2 * FixedTaps + 4 * vectors <= 24) {  // they fit the registers
    if (n >= vectors * one) {
      if (f.second) return filter_held<T, FixedTaps, true>(f, n, first_sink, first_rest);
      return filter_held<T, FixedTaps, false>(f, n, first_sink, first_rest);
    }
  }
  Sink sink = first_sink;
  Rest rest = first_rest;
  for (index_t left = f.run.rows;;) {
    index_t c = 0;
    for (; c + step <= n; c += step) filter_block<T, vector_bytes, 4, FixedTaps>(f, c, sink);
    filter_rest<T, vector_bytes, FixedTaps>(f, c, n, rest);
    if (--left == 0) return;
    for (int j = 0; j < f.taps; ++j) f.source[j] += f.run.source_step;
    f.soon.advance(f.run);
    sink.advance(f.run.sink_step);
    rest.advance(f.run.sink_step);
  }
}

template <class T, class Sink, class Rest>
void filter(Filtering<T>& f, index_t n, const Sink& sink, const Rest& rest) {
  switch (f.taps) {  // longer filters do not fit the registers
    case 2: return filter_wide<T, 2>(f, n, sink, rest);
    case 4: return filter_wide<T, 4>(f, n, sink, rest);
    case 6: return filter_wide<T, 6>(f, n, sink, rest);
    case 8: return filter_wide<T, 8>(f, n, sink, rest);
    case 10: return filter_wide<T, 10>(f, n, sink, rest);
    default: return filter_wide<T, 0>(f, n, sink, rest);
  }
}

// first[c] = sum_j f.first[j] f.source[j][c] and second likewise, for c = 0 ... n - 1 of each row.
template <class T, class Sink>
void filter(Filtering<T>& f, index_t n, const Sink& sink) {
  filter(f, n, sink, sink);
}

// Rows of at least this number of bytes are streamed from their first whole vector on, wherever they begin.
inline constexpr index_t long_row = 1024;

// Each row by itself: the numbers before the first address that vectors may have are stored, the
// others streamed. Both results begin at the same distance from such an address.
template <class T>
void filter_past_caches(Filtering<T>& f, index_t n, Rows<T> rows) {
  const RowRun run = f.run;
  f.run = {};
  const auto move = [&](index_t numbers) {
    for (int j = 0; j < f.taps; ++j) f.source[j] += numbers;
  };
  for (index_t left = run.rows; left > 0; --left, rows.advance(run.sink_step)) {
    const index_t head = numbers_to_vector(rows.first);
    const Rows<T> rest{rows.first + head, rows.second + head};
    Soon<T> soon = f.soon;
    f.soon = {};
    if (head > 0) filter(f, head, rows, rows);
    move(head);
    f.soon = soon;
    filter(f, n - head, StreamedRows<T>{rest}, rest);
    move(run.source_step - head);
    f.soon.advance(run);
  }
}

// With non-temporal stores of whole vectors if results are large.
template <class T>
void filter(Filtering<T>& f, index_t n, const OutputRows<T>& to) {
  constexpr index_t size = sizeof(T);
  const Rows<T>& rows = to;
  const bool together = numbers_to_vector(to.first) == numbers_to_vector(to.second);
  const bool steps = f.run.rows == 1 || f.run.sink_step * size % vector_bytes == 0;
  if (!to.past_caches || !together) filter(f, n, rows, rows);
  else if (steps && is_aligned(to.first)) filter(f, n, StreamedRows<T>{rows}, rows);
  else if (n * size >= long_row) filter_past_caches(f, n, rows);
  else filter(f, n, rows, rows);
}

}  // namespace liftwave::LIFTWAVE_ISA
