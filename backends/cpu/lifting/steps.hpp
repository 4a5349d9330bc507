// Lifting steps on the samples of a tile, compiled once per instruction set (LIFTWAVE_ISA).
//
// A channel is an array [position][lane]. Along the columns of an image a lane is one column. Along
// a row there is one lane (two for complex numbers, whose taps are real). So one implementation of
// a step handles both. Sums are taken in the order of the reference kernels and nothing is
// contracted: results are the same to the last bit on every instruction set and for every tiling.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "common/isa.hpp"
#include "lifting/lanes16.hpp"
#include "lifting/tile.hpp"

namespace liftwave::LIFTWAVE_ISA {

// The iterations of the following loop are independent of each other's writes.
#if defined(__clang__)
#define LIFTWAVE_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define LIFTWAVE_INDEPENDENT _Pragma("GCC ivdep")
#elif defined(_MSC_VER)
#define LIFTWAVE_INDEPENDENT __pragma(loop(ivdep))
#else
#define LIFTWAVE_INDEPENDENT
#endif

// --- arithmetic ------------------------------------------------------------------------------

// Floating point: the operations of the reference kernels, in their order.
template <class T, class>
struct Arithmetic {
  using Sum = T;

  static const T* taps(const Step& step) {
    if constexpr (sizeof(T) == 4) return step.f32;
    else return step.f64;
  }

  static constexpr bool distributes = false;
  static T term(T tap, T x, int) { return tap * x; }

  template <bool subtract>
  static T changed(T target, T sum, int) {
    return subtract ? target - sum : target + sum;
  }

  static T scaled(T x, T factor) { return x * factor; }
};

// Integers: floor(P + 1/2), everything modulo the dtype's range.
template <class T, class S>
struct IntegerArithmetic {
  using Sum = S;  // unsigned, wide enough for the sums or 64 bits
  using Bits = std::make_unsigned_t<T>;

  static const S* taps(const Step& step) {
    if constexpr (sizeof(S) == 2) return step.i16;
    else if constexpr (sizeof(S) == 4) return step.i32;
    else return step.i64;
  }

  static constexpr bool distributes = true;  // tap * x + tap * y is tap * (x + y)
  static S term(S tap, T x, int) { return tap * static_cast<S>(x); }
  static S equal_terms(S tap, T x, T y, int) {
    return tap * (static_cast<S>(x) + static_cast<S>(y));
  }

  static S rounded(S sum, int bits) {
    return static_cast<S>(static_cast<std::make_signed_t<S>>(sum + (S{1} << (bits - 1))) >> bits);
  }

  template <bool subtract>
  static T changed(T target, S sum, int bits) {
    return added<subtract>(target, static_cast<Bits>(rounded(sum, bits)));
  }

  template <bool subtract>
  static T added(T target, Bits increment) {
    const auto before = static_cast<Bits>(target);
    return static_cast<T>(static_cast<Bits>(subtract ? before - increment : before + increment));
  }

  // By 1 or -1, the only scales of integer schemes.
  static T scaled(T x, T factor) {
    const auto sign = static_cast<Bits>(factor < 0 ? -1 : 0);
    return static_cast<T>(static_cast<Bits>((static_cast<Bits>(x) ^ sign) - sign));
  }
};

// Two sums: `tap * (x >> bits)` modulo 2**32, and `tap * (the low bits of x that the shift drops)`,
// which fits 32 bits. The whole sum, shifted by `bits`, is the first plus the shifted second.
struct SplitSum {
  std::uint32_t high, low;

  friend SplitSum operator+(SplitSum a, SplitSum b) { return {a.high + b.high, a.low + b.low}; }
  SplitSum& operator+=(SplitSum other) { return *this = *this + other; }
};

template <>
struct Arithmetic<std::int32_t, SplitSum> : IntegerArithmetic<std::int32_t, std::uint32_t> {
  using Sum = SplitSum;

  static SplitSum split(std::int32_t x, int bits) {
    return {static_cast<std::uint32_t>(x >> bits),
            static_cast<std::uint32_t>(x) & ((std::uint32_t{1} << bits) - 1)};
  }
  static SplitSum times(std::uint32_t tap, SplitSum x) { return {tap * x.high, tap * x.low}; }

  static SplitSum term(std::uint32_t tap, std::int32_t x, int bits) {
    return times(tap, split(x, bits));
  }
  static SplitSum equal_terms(std::uint32_t tap, std::int32_t x, std::int32_t y, int bits) {
    return times(tap, split(x, bits) + split(y, bits));
  }

  template <bool subtract>
  static std::int32_t changed(std::int32_t target, SplitSum sum, int bits) {
    return added<subtract>(target, sum.high + rounded(sum.low, bits));
  }
};

// Sums modulo 2**16. Compilers promote these numbers to `int`, whose products may overflow.
template <>
struct Arithmetic<std::int16_t, std::uint16_t> : IntegerArithmetic<std::int16_t, std::uint16_t> {
  static Sum term(Sum tap, std::int16_t x, int) {
    return static_cast<Sum>(std::uint32_t{tap} * static_cast<Sum>(x));
  }
  static Sum equal_terms(Sum tap, std::int16_t x, std::int16_t y, int bits) {
    return static_cast<Sum>(term(tap, x, bits) + term(tap, y, bits));
  }
};

template <> struct Arithmetic<std::int16_t, std::uint32_t> : IntegerArithmetic<std::int16_t, std::uint32_t> {};
template <> struct Arithmetic<std::int16_t, std::uint64_t> : IntegerArithmetic<std::int16_t, std::uint64_t> {};
template <> struct Arithmetic<std::int32_t, std::uint32_t> : IntegerArithmetic<std::int32_t, std::uint32_t> {};
template <> struct Arithmetic<std::int32_t, std::uint64_t> : IntegerArithmetic<std::int32_t, std::uint64_t> {};
template <> struct Arithmetic<std::int64_t, std::uint64_t> : IntegerArithmetic<std::int64_t, std::uint64_t> {};

// --- steps -----------------------------------------------------------------------------------

template <class T>
struct Channel {
  T* data;
  index_t begin;  // the position of data[0]
  index_t pitch;  // between two positions

  T* at(index_t k) const { return data + (k - begin) * pitch; }
};

// Lanes of a strip.
template <class T>
constexpr index_t strip = strip_bytes / static_cast<index_t>(sizeof(T));

// Two equal taps, in an arithmetic that distributes.
constexpr int two_equal = -2;

template <class T, class S>
bool are_equal(const Step& step) {
  const auto* const taps = Arithmetic<T, S>::taps(step);
  return Arithmetic<T, S>::distributes && step.length == 2 && taps[0] == taps[1];
}

// `rows` positions of `width` lanes; `n` taps (0: any number, or `two_equal`).
template <class T, class S, int n, bool subtract, class Width>
void apply_taps(const Step& step, T* __restrict t, const T* __restrict s, index_t rows,
                Width width, index_t pitch) {
  using A = Arithmetic<T, S>;
  using Sum = typename A::Sum;
  const auto* const taps = A::taps(step);
  const int bits = step.bits;
  for (index_t k = 0; k < rows; ++k, t += pitch, s += pitch) {
    if constexpr (in_lanes16<T, S>) {
      change_in_lanes16<n, subtract>(
          t, t, step.length, bits, width, [=](index_t j) { return s + j * pitch; },
          [=](index_t j) { return taps[j]; });
    } else if constexpr (n == 1) {
      const auto a = taps[0];
      for (index_t c = 0; c < width; ++c)
        t[c] = A::template changed<subtract>(t[c], A::term(a, s[c], bits), bits);
    } else if constexpr (n == two_equal) {
      const auto a = taps[0];
      const T* __restrict const next = s + pitch;
      for (index_t c = 0; c < width; ++c)
        t[c] = A::template changed<subtract>(t[c], A::equal_terms(a, s[c], next[c], bits), bits);
    } else if constexpr (n == 2) {
      const auto a = taps[0], b = taps[1];
      const T* __restrict const next = s + pitch;
      for (index_t c = 0; c < width; ++c)
        t[c] = A::template changed<subtract>(
            t[c], A::term(a, s[c], bits) + A::term(b, next[c], bits), bits);
    } else {
      Sum sum[strip<T>];
      for (index_t c0 = 0; c0 < width; c0 += strip<T>) {
        const index_t count = width - c0 < strip<T> ? width - c0 : strip<T>;
        for (index_t c = 0; c < count; ++c) sum[c] = A::term(taps[0], s[c0 + c], bits);
        for (index_t j = 1; j < step.length; ++j) {
          const T* const source = s + c0 + j * pitch;
          for (index_t c = 0; c < count; ++c) sum[c] += A::term(taps[j], source[c], bits);
        }
        for (index_t c = 0; c < count; ++c)
          t[c0 + c] = A::template changed<subtract>(t[c0 + c], sum[c], bits);
      }
    }
  }
}

template <class T, class S, bool subtract, class Width>
void apply_any(const Step& step, T* t, const T* s, index_t rows, Width width, index_t pitch) {
  if constexpr (Arithmetic<T, S>::distributes)
    if (are_equal<T, S>(step))
      return apply_taps<T, S, two_equal, subtract>(step, t, s, rows, width, pitch);
  switch (step.length) {
    case 1: return apply_taps<T, S, 1, subtract>(step, t, s, rows, width, pitch);
    case 2: return apply_taps<T, S, 2, subtract>(step, t, s, rows, width, pitch);
    default: return apply_taps<T, S, 0, subtract>(step, t, s, rows, width, pitch);
  }
}

// Targets whose sources are all inside the channel.
template <class T, class S>
void apply_inside(const Step& step, const Channel<T>& target, const Channel<T>& source,
                  Range targets, index_t width) {
  if (targets.empty()) return;
  const auto apply = [&](index_t rows, auto lanes) {
    T* const t = target.at(targets.begin);
    const T* const s = source.at(targets.begin + step.offset);
    step.subtract ? apply_any<T, S, true>(step, t, s, rows, lanes, target.pitch)
                  : apply_any<T, S, false>(step, t, s, rows, lanes, target.pitch);
  };
  if (target.pitch == width)  // all lanes are contiguous: one long row
    apply(1, targets.size() * width);
  else if (width == strip<T>)
    apply(targets.size(), std::integral_constant<index_t, strip<T>>{});
  else
    apply(targets.size(), width);
}

// sum_j taps[j] * source[p + offset + j] for a range of taps `j` (at least one), with the source
// extended.
template <class T, class S, class Width>
LIFTWAVE_INLINE void sum_at(typename Arithmetic<T, S>::Sum* sum, const Step& step, const Channel<T>& source,
            index_t p, Range taps, Width width, bool wraps) {
  using A = Arithmetic<T, S>;
  static const T zeros[strip<T>] = {};
  const auto* const tap = A::taps(step);
  const auto source_of = [&](index_t j) {
    const index_t i = p + step.offset + j;
    const index_t sample = wraps ? i : step.extend.at(i, step.n_source);
    return !wraps && sample < 0 ? zeros : source.at(sample);
  };
  const T* const first = source_of(taps.begin);
  for (index_t c = 0; c < width; ++c) sum[c] = A::term(tap[taps.begin], first[c], step.bits);
  for (index_t j = taps.begin + 1; j < taps.end; ++j) {
    const T* const s = source_of(j);
    for (index_t c = 0; c < width; ++c) sum[c] += A::term(tap[j], s[c], step.bits);
  }
}

template <class T, class S, class Width>
void change(const Step& step, T* t, const typename Arithmetic<T, S>::Sum* sum, Width width) {
  using A = Arithmetic<T, S>;
  for (index_t c = 0; c < width; ++c)
    t[c] = step.subtract ? A::template changed<true>(t[c], sum[c], step.bits)
                         : A::template changed<false>(t[c], sum[c], step.bits);
}

// A target near an end: sources may be extended, and increments beyond the end folded onto it.
template <class T, class S, class Width>
void apply_edge(const Step& step, const Channel<T>& target, const Channel<T>& source, index_t k,
                Width width) {
  using Sum = typename Arithmetic<T, S>::Sum;
  const Range all{0, step.length};
  Sum sum[strip<T>], beyond[strip<T>];
  sum_at<T, S>(sum, step, source, k, all, width, false);
  const auto fold = [&](index_t p) {
    if (step.fold.at(p, step.n_target) != k) return;
    sum_at<T, S>(beyond, step, source, p, all, width, false);
    for (index_t c = 0; c < width; ++c) sum[c] += beyond[c];
  };
  if (step.folds()) {
    for (index_t p = -step.fold.n_left; p < 0; ++p) fold(p);
    for (index_t i = 0; i < step.fold.n_right; ++i) fold(step.n_target + i);
  }
  change<T, S>(step, target.at(k), sum, width);
}

// A target whose window spans the seam of a periodic signal, in the adjoint of a periodic step. The
// part beyond the seam is summed first, separately.
template <class T, class S>
void apply_seam(const Step& step, const Channel<T>& target, const Channel<T>& source, index_t k,
                index_t seam, index_t width) {
  typename Arithmetic<T, S>::Sum sum[strip<T>], beyond[strip<T>];
  const index_t split = seam - (k + step.offset);
  sum_at<T, S>(sum, step, source, k, {0, split}, width, true);
  sum_at<T, S>(beyond, step, source, k, {split, step.length}, width, true);
  for (index_t c = 0; c < width; ++c) sum[c] += beyond[c];
  change<T, S>(step, target.at(k), sum, width);
}

// One step on a tile of a periodic signal that wraps around its ends.
template <class T, class S>
void apply_wrapped(const Step& step, const Channel<T>& target, const Channel<T>& source,
                   Range targets, index_t width) {
  if (step.folds() && step.length > 2) {
    for (const index_t seam : {index_t{0}, step.n_source}) {
      const index_t last = seam - step.offset;
      const Range spanning = intersection({last - step.length + 1, last}, targets);
      if (spanning.empty()) continue;
      apply_inside<T, S>(step, target, source, {targets.begin, spanning.begin}, width);
      for (index_t k = spanning.begin; k < spanning.end; ++k)
        apply_seam<T, S>(step, target, source, k, seam, width);
      targets.begin = spanning.end;
    }
  }
  apply_inside<T, S>(step, target, source, targets, width);
}

// One step on a tile with boundary rows.
template <class T, class S>
void apply_bounded(const Step& step, const Channel<T>& target, const Channel<T>& source,
                   Range targets, index_t width) {
  const Range inside = intersection(targets, step.inside);
  const auto apply_edges = [&](index_t begin, index_t end) {
    for (index_t k = begin; k < end; ++k)
      if (width == 1)  // a row of real numbers: loops over lanes would take longer than the sums
        apply_edge<T, S>(step, target, source, k, std::integral_constant<index_t, 1>{});
      else
        apply_edge<T, S>(step, target, source, k, width);
  };
  if (inside.empty()) return apply_edges(targets.begin, targets.end);
  apply_edges(targets.begin, inside.begin);
  apply_inside<T, S>(step, target, source, inside, width);
  apply_edges(inside.end, targets.end);
}

// All steps of an axis, on at most a strip of lanes (or on contiguous lanes).
template <class T, class S>
void run_steps(const AxisJob& axis, const Channel<T> (&channel)[2], index_t width) {
  for (index_t i = 0; i < axis.step_count; ++i) {
    const Step& step = axis.steps[i];
    const Channel<T>&target = channel[step.target], &source = channel[1 - step.target];
    if (axis.wraps) apply_wrapped<T, S>(step, target, source, axis.targets[i], width);
    else apply_bounded<T, S>(step, target, source, axis.targets[i], width);
  }
}

// All steps of the rows, strip by strip.
template <class T, class S>
void run_steps_of_rows(const AxisJob& rows, const Channel<T> (&plane)[2], index_t width) {
  for (index_t c = 0; c < width; c += strip<T>) {
    const Channel<T> part[2] = {{plane[0].data + c, plane[0].begin, plane[0].pitch},
                                {plane[1].data + c, plane[1].begin, plane[1].pitch}};
    run_steps<T, S>(rows, part, width - c < strip<T> ? width - c : strip<T>);
  }
}

}  // namespace liftwave::LIFTWAVE_ISA
