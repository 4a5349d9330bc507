// Tile kernels of lifting, compiled once per instruction set (namespace LIFTWAVE_ISA).
//
// A channel is an array [position][lane]. Along the columns of an image a lane is one column, along
// a row there is one lane (two for complex numbers, whose taps are real): one step, written once,
// serves both. Sums are taken in the order of the reference kernels and nothing is contracted, so
// results are the same to the last bit on every instruction set and for every tiling.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "liftwave/isa.hpp"
#include "liftwave/lifting_tile.hpp"

namespace liftwave::LIFTWAVE_ISA {

// --- arithmetic ------------------------------------------------------------------------------

// Floating point: what the reference kernels do, in their order.
template <class T, class>
struct Arithmetic {
  using Sum = T;

  static const T* taps(const Step& step) {
    if constexpr (sizeof(T) == 4) return step.f32;
    else return step.f64;
  }

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
    if constexpr (sizeof(S) == 4) return step.i32;
    else return step.i64;
  }

  static S term(S tap, T x, int) { return tap * static_cast<S>(x); }

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

// A sum of `tap * (x >> bits)`, modulo 2**32, and one of `tap * (the bits of x that this drops)`,
// which fits 32 bits: shifted by `bits`, the whole is the first plus the shifted second.
struct SplitSum {
  std::uint32_t high = 0, low = 0;

  friend SplitSum operator+(SplitSum a, SplitSum b) { return {a.high + b.high, a.low + b.low}; }
  SplitSum& operator+=(SplitSum other) { return *this = *this + other; }
};

template <>
struct Arithmetic<std::int32_t, SplitSum> : IntegerArithmetic<std::int32_t, std::uint32_t> {
  using Sum = SplitSum;

  static SplitSum term(std::uint32_t tap, std::int32_t x, int bits) {
    const auto dropped = static_cast<std::uint32_t>(x) & ((std::uint32_t{1} << bits) - 1);
    return {tap * static_cast<std::uint32_t>(x >> bits), tap * dropped};
  }

  template <bool subtract>
  static std::int32_t changed(std::int32_t target, SplitSum sum, int bits) {
    return added<subtract>(target, sum.high + rounded(sum.low, bits));
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
  index_t begin;  // position of data[0]
  index_t pitch;  // between two positions

  T* at(index_t k) const { return data + (k - begin) * pitch; }
};

// The same as lanes.
template <class T>
constexpr index_t strip = strip_bytes / static_cast<index_t>(sizeof(T));

// `rows` positions of `width` lanes; `n` taps (0: any number), `tap_pitch` lanes apart.
template <class T, class S, int n, bool subtract, class Width>
void apply_taps(const Step& step, T* __restrict t, const T* __restrict s, index_t rows,
                Width width, index_t pitch) {
  using A = Arithmetic<T, S>;
  using Sum = typename A::Sum;
  const auto* const taps = A::taps(step);
  const int bits = step.bits;
  for (index_t k = 0; k < rows; ++k, t += pitch, s += pitch) {
    if constexpr (n == 1) {
      const auto a = taps[0];
      for (index_t c = 0; c < width; ++c)
        t[c] = A::template changed<subtract>(t[c], A::term(a, s[c], bits), bits);
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
  switch (step.length) {
    case 1: return apply_taps<T, S, 1, subtract>(step, t, s, rows, width, pitch);
    case 2: return apply_taps<T, S, 2, subtract>(step, t, s, rows, width, pitch);
    default: return apply_taps<T, S, 0, subtract>(step, t, s, rows, width, pitch);
  }
}

// Targets whose sources all lie within the channel.
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
  if (target.pitch == width)  // the positions' lanes lie side by side: one long row
    apply(1, targets.size() * width);
  else if (width == strip<T>)
    apply(targets.size(), std::integral_constant<index_t, strip<T>>{});
  else
    apply(targets.size(), width);
}

// sum_j taps[j] * source[p + offset + j] for the taps `j` of a range, the source extended.
template <class T, class S>
void sum_at(typename Arithmetic<T, S>::Sum* sum, const Step& step, const Channel<T>& source,
            index_t p, Range taps, index_t width, bool wraps) {
  using A = Arithmetic<T, S>;
  static const T zeros[strip<T>] = {};
  for (index_t j = taps.begin; j < taps.end; ++j) {
    const index_t i = p + step.offset + j;
    const index_t sample = wraps ? i : step.extend.at(i, step.n_source);
    const T* const s = !wraps && sample < 0 ? zeros : source.at(sample);
    const auto tap = A::taps(step)[j];
    if (j == taps.begin)
      for (index_t c = 0; c < width; ++c) sum[c] = A::term(tap, s[c], step.bits);
    else
      for (index_t c = 0; c < width; ++c) sum[c] += A::term(tap, s[c], step.bits);
  }
}

template <class T, class S>
void change(const Step& step, T* t, const typename Arithmetic<T, S>::Sum* sum, index_t width) {
  using A = Arithmetic<T, S>;
  for (index_t c = 0; c < width; ++c)
    t[c] = step.subtract ? A::template changed<true>(t[c], sum[c], step.bits)
                         : A::template changed<false>(t[c], sum[c], step.bits);
}

// A target near an end: sources may be extended, and increments from beyond folded onto it.
template <class T, class S>
void apply_edge(const Step& step, const Channel<T>& target, const Channel<T>& source, index_t k,
                index_t width) {
  using Sum = typename Arithmetic<T, S>::Sum;
  const Range all{0, step.length};
  Sum sum[strip<T>], beyond[strip<T>];
  sum_at<T, S>(sum, step, source, k, all, width, false);
  const auto fold = [&](index_t p) {
    if (step.fold.at(p, step.n_target) != k) return;
    sum_at<T, S>(beyond, step, source, p, all, width, false);
    for (index_t c = 0; c < width; ++c) sum[c] += beyond[c];
  };
  for (index_t p = -step.fold.n_left; p < 0; ++p) fold(p);
  for (index_t i = 0; i < step.fold.n_right; ++i) fold(step.n_target + i);
  change<T, S>(step, target.at(k), sum, width);
}

// A target whose window spans the seam of a periodic signal, in the transpose of such a step:
// there what lies beyond the seam is summed by itself first.
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

// One step on a tile that knows its ends.
template <class T, class S>
void apply_bounded(const Step& step, const Channel<T>& target, const Channel<T>& source,
                   Range targets, index_t width) {
  const Range inside = intersection(targets, step.inside);
  if (inside.empty()) {
    for (index_t k = targets.begin; k < targets.end; ++k)
      apply_edge<T, S>(step, target, source, k, width);
    return;
  }
  for (index_t k = targets.begin; k < inside.begin; ++k)
    apply_edge<T, S>(step, target, source, k, width);
  apply_inside<T, S>(step, target, source, inside, width);
  for (index_t k = inside.end; k < targets.end; ++k)
    apply_edge<T, S>(step, target, source, k, width);
}

// All steps of an axis, on at most a strip of lanes (or on lanes that lie side by side).
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

// --- in and out ------------------------------------------------------------------------------

// `count` samples of `C` reals each, `stride` bytes apart, side by side and as `T`.
template <class T, class I, int C>
void gather(T* __restrict to, const char* from, index_t stride, index_t count) {
  if (stride == static_cast<index_t>(sizeof(I)) * C) {
    if constexpr (std::is_same_v<T, I>) {
      std::memcpy(to, from, static_cast<std::size_t>(count) * C * sizeof(T));
    } else {
      const I* const source = reinterpret_cast<const I*>(from);
      for (index_t i = 0; i < count * C; ++i) to[i] = static_cast<T>(source[i]);
    }
    return;
  }
  for (index_t i = 0; i < count; ++i)
    for (int c = 0; c < C; ++c)
      to[i * C + c] = static_cast<T>(reinterpret_cast<const I*>(from + i * stride)[c]);
}

template <class T, int C>
void gather_from(DType input, T* to, const char* from, index_t stride, index_t count) {
  if constexpr (std::is_floating_point_v<T>) {
    gather<T, T, C>(to, from, stride, count);
  } else {
    switch (input) {
      case DType::int8: return gather<T, std::int8_t, C>(to, from, stride, count);
      case DType::uint8: return gather<T, std::uint8_t, C>(to, from, stride, count);
      case DType::int16: return gather<T, std::int16_t, C>(to, from, stride, count);
      case DType::uint16: return gather<T, std::uint16_t, C>(to, from, stride, count);
      case DType::int32: return gather<T, std::int32_t, C>(to, from, stride, count);
      case DType::uint32: return gather<T, std::uint32_t, C>(to, from, stride, count);
      default: return gather<T, std::int64_t, C>(to, from, stride, count);
    }
  }
}

// Samples `range` of a signal, wrapped around and with its edge, side by side.
template <class T, int C>
void load_samples(DType input, const AxisJob& axis, T* to, const char* from, index_t stride,
                  Range range) {
  for (index_t i = range.begin; i < range.end;) {
    const index_t at = wrapped(i, axis.padded());
    if (at == axis.n) {
      if (axis.edge == Edge::last) gather_from<T, C>(input, to, from + (at - 1) * stride, stride, 1);
      else for (int c = 0; c < C; ++c) to[c] = T{};
      ++i, to += C;
      continue;
    }
    const index_t run = range.end - i < axis.n - at ? range.end - i : axis.n - at;
    gather_from<T, C>(input, to, from + at * stride, stride, run);
    i += run, to += run * C;
  }
}

// Coefficients `range` of a band, rolled back, times the scale.
template <class T, class S, int C>
void load_band(const AxisJob& axis, int channel, T* to, const char* from, index_t stride,
               Range range) {
  const T scale = static_cast<T>(axis.scale[channel]);
  const index_t n = axis.length[channel];
  for (index_t i = range.begin; i < range.end;) {
    const index_t at = wrapped(i + axis.shift[channel], n);
    const index_t run = range.end - i < n - at ? range.end - i : n - at;
    gather<T, T, C>(to, from + at * stride, stride, run);
    for (index_t c = 0; c < run * C; ++c) to[c] = Arithmetic<T, S>::scaled(to[c], scale);
    i += run, to += run * C;
  }
}

// --- stores past the caches ------------------------------------------------------------------

#if defined(__AVX512F__)
constexpr index_t stream_bytes = 64;
inline void stream(void* to, const void* from) {
  _mm512_stream_si512(static_cast<__m512i*>(to), _mm512_loadu_si512(from));
}
#elif defined(__AVX__)
constexpr index_t stream_bytes = 32;
inline void stream(void* to, const void* from) {
  _mm256_stream_si256(static_cast<__m256i*>(to),
                      _mm256_loadu_si256(static_cast<const __m256i*>(from)));
}
#elif defined(__SSE2__)
constexpr index_t stream_bytes = 16;
inline void stream(void* to, const void* from) {
  _mm_stream_si128(static_cast<__m128i*>(to), _mm_loadu_si128(static_cast<const __m128i*>(from)));
}
#else
constexpr index_t stream_bytes = 16;
inline void stream(void* to, const void* from) { std::memcpy(to, from, 16); }
#endif

// Makes what was streamed visible to other threads before they are told of it.
inline void finish_streams() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

template <class T>
void stream_row(T* to, const T* from, index_t count) {
  char* target = reinterpret_cast<char*>(to);
  const char* source = reinterpret_cast<const char*>(from);
  index_t bytes = count * static_cast<index_t>(sizeof(T));
  const auto past = static_cast<index_t>(reinterpret_cast<std::uintptr_t>(to) % stream_bytes);
  index_t head = past ? stream_bytes - past : 0;
  if (head > bytes) head = bytes;
  std::memcpy(target, source, static_cast<std::size_t>(head));
  for (index_t i = head; i + stream_bytes <= bytes; i += stream_bytes)
    stream(target + i, source + i);
  const index_t tail = (bytes - head) % stream_bytes;
  std::memcpy(target + bytes - tail, source + bytes - tail, static_cast<std::size_t>(tail));
}

// Scales a row in place and brings it where it belongs.
template <class T, class S>
void store_row(T* to, T* from, index_t count, T scale, bool past_caches) {
  if (!past_caches) {
    for (index_t i = 0; i < count; ++i) to[i] = Arithmetic<T, S>::scaled(from[i], scale);
    return;
  }
  if (scale != T{1})
    for (index_t i = 0; i < count; ++i) from[i] = Arithmetic<T, S>::scaled(from[i], scale);
  stream_row(to, from, count);
}

// Coefficients of the tile into a band, rolled and scaled.
template <class T, class S, int C>
void store_band(const AxisJob& axis, int channel, T* to, T* from, Range range, bool past_caches) {
  if (range.empty()) return;
  const T scale = static_cast<T>(axis.scale[channel]);
  const index_t n = axis.length[channel], at = wrapped(range.begin + axis.shift[channel], n);
  const index_t run = range.size() < n - at ? range.size() : n - at;
  store_row<T, S>(to + at * C, from, run * C, scale, past_caches);
  store_row<T, S>(to, from + run * C, (range.size() - run) * C, scale, past_caches);
}

// --- even and odd samples --------------------------------------------------------------------

// A row, whose first entry is sample `first`, into its even and odd samples, scaled.
template <class T, class S, int C>
void split(const Channel<T> (&line)[2], const Range (&load)[2], const T* row, index_t first,
           T scale) {
  const auto one = [&](int channel, index_t k) {
    const T* const from = row + (2 * k + channel - first) * C;
    T* const to = line[channel].at(k);
    for (int c = 0; c < C; ++c) to[c] = Arithmetic<T, S>::scaled(from[c], scale);
  };
  const Range both = intersection(load[0], load[1]);
  for (int channel : {0, 1}) {
    const Range& mine = load[channel];
    if (both.empty()) {
      for (index_t k = mine.begin; k < mine.end; ++k) one(channel, k);
      continue;
    }
    for (index_t k = mine.begin; k < both.begin; ++k) one(channel, k);
    for (index_t k = both.end; k < mine.end; ++k) one(channel, k);
  }
  if (both.empty()) return;
  const T* __restrict from = row + (2 * both.begin - first) * C;
  T* __restrict const even = line[0].at(both.begin);
  T* __restrict const odd = line[1].at(both.begin);
  for (index_t k = 0; k < both.size(); ++k)
    for (int c = 0; c < C; ++c) {
      even[k * C + c] = Arithmetic<T, S>::scaled(from[2 * k * C + c], scale);
      odd[k * C + c] = Arithmetic<T, S>::scaled(from[(2 * k + 1) * C + c], scale);
    }
}

// Even and odd samples of the tile's pairs into a row that begins with the first of them,
// scaled; at the end of a signal that was made even, the last sample is dropped or added.
template <class T, class S, int C>
void merge(const AxisJob& axis, T* __restrict to, const Channel<T> (&line)[2], T scale) {
  const Range pairs = axis.pairs;
  const index_t whole = (axis.n / 2 < pairs.end ? axis.n / 2 : pairs.end) - pairs.begin;
  const T* __restrict const even = line[0].at(pairs.begin);
  const T* __restrict const odd = line[1].at(pairs.begin);
  for (index_t k = 0; k < whole; ++k)
    for (int c = 0; c < C; ++c) {
      to[2 * k * C + c] = Arithmetic<T, S>::scaled(even[k * C + c], scale);
      to[(2 * k + 1) * C + c] = Arithmetic<T, S>::scaled(odd[k * C + c], scale);
    }
  if (whole == pairs.size()) return;
  for (int c = 0; c < C; ++c) {
    T last = even[whole * C + c];
    if (axis.edge == Edge::last) last = last + odd[whole * C + c];
    to[2 * whole * C + c] = Arithmetic<T, S>::scaled(last, scale);
  }
}

inline void prefetch(const char* from, index_t bytes) {
#if defined(__GNUC__)
  for (index_t i = 0; i < bytes; i += 64) __builtin_prefetch(from + i, 0, 2);
  // GCC holds a function that only fetches for one without effect, and drops calls of it.
  __asm__ volatile("");
#else
  (void)from, (void)bytes;
#endif
}

// Brings the input of the next tile into the second-level cache, row by row while this tile
// computes: otherwise memory would rest meanwhile.
class Ahead {
 public:
  explicit Ahead(const TileJob& job) : job_(job) {
    if (!job.next_rows) return;
    const AxisJob& rows = *job.next_rows;
    samples_ = intersection(rows.samples, {0, rows.n});
    for (int channel : {0, 1}) bands_[channel] = rows.load[channel];
    if (job.next_cols->pairs.begin == job.cols.pairs.begin) skip_shared();
  }

  void fetch_row_of_signal() {
    const index_t stride = job_.signal.col_stride;
    if (!samples_.empty())
      fetch(job_.signal.row(samples_.begin++), stride, job_.next_cols->samples, job_.next_cols->n);
  }

  void fetch_rows_of_bands() {
    const AxisJob &rows = *job_.next_rows, &cols = *job_.next_cols;
    for (int channel : {0, 1}) {
      if (bands_[channel].empty()) continue;
      const index_t at = wrapped(bands_[channel].begin++ + rows.shift[channel],
                                 rows.length[channel]);
      for (int half = 0; half < (cols.lifted ? 2 : 1); ++half) {
        const View& band = job_.band[channel][half];
        fetch(band.row(at), band.col_stride, cols.lifted ? cols.load[half] : cols.pairs,
              cols.lifted ? cols.length[half] : cols.n);
      }
    }
  }

 private:
  // What this tile has read is in the cache already.
  void skip_shared() {
    if (samples_.begin < job_.rows.samples.end) samples_.begin = job_.rows.samples.end;
    for (int channel : {0, 1})
      if (bands_[channel].begin < job_.rows.load[channel].end)
        bands_[channel].begin = job_.rows.load[channel].end;
  }

  static void fetch(const char* row, index_t stride, Range range, index_t n) {
    range = intersection(range, {0, n});
    prefetch(row + range.begin * stride, range.size() * stride);
  }

  const TileJob& job_;
  Range samples_;
  Range bands_[2];
};

// --- tiles -----------------------------------------------------------------------------------

template <class T, class S, int C>
class Tile {
 public:
  explicit Tile(const TileJob& job)
      : job_(job),
        rows_(job.rows),
        cols_(job.cols),
        row_(reinterpret_cast<T*>(job.scratch.row)),
        plane_{{reinterpret_cast<T*>(job.scratch.plane[0]), rows_.load[0].begin, job.scratch.pitch},
               {reinterpret_cast<T*>(job.scratch.plane[1]), rows_.load[1].begin, job.scratch.pitch}},
        line_{{reinterpret_cast<T*>(job.scratch.line[0]), cols_.load[0].begin, C},
              {reinterpret_cast<T*>(job.scratch.line[1]), cols_.load[1].begin, C}} {}

  void analyse() const {
    if (!rows_.lifted) {
      for (index_t r = rows_.pairs.begin; r < rows_.pairs.end; ++r) analyse_input_row(r);
      return finish_streams();
    }
    load_plane(0);
    load_plane(1);
    run_steps_of_rows<T, S>(rows_, plane_, width());
    Ahead ahead(job_);
    for (int channel : {0, 1}) {
      const T scale = static_cast<T>(rows_.scale[channel]);
      const Range range = within(rows_, channel);
      for (index_t k = range.begin; k < range.end; ++k) {
        if (job_.next_rows) ahead.fetch_row_of_signal();
        const index_t at = wrapped(k + rows_.shift[channel], rows_.length[channel]);
        if (cols_.lifted) emit(plane_[channel].at(k), cols_.samples.begin, channel, at, scale);
        else emit_lanes(plane_[channel].at(k), job_.band[channel][0].row(at), scale);
      }
    }
    finish_streams();
  }

  void synthesise() const {
    if (!rows_.lifted) {
      for (index_t r = rows_.pairs.begin; r < rows_.pairs.end; ++r) {
        make_row(row_, 0, r, T{1});
        store_row<T, S>(output(r), row_, output_width(), T{1}, job_.stream);
      }
      return finish_streams();
    }
    for (int channel : {0, 1}) {
      const T scale = static_cast<T>(rows_.scale[channel]);
      for (index_t k = rows_.load[channel].begin; k < rows_.load[channel].end; ++k)
        make_row(plane_[channel].at(k), channel,
                 wrapped(k + rows_.shift[channel], rows_.length[channel]), scale);
    }
    run_steps_of_rows<T, S>(rows_, plane_, output_width());
    Ahead ahead(job_);
    for (index_t k = rows_.pairs.begin; k < rows_.pairs.end; ++k) {
      if (job_.next_rows) ahead.fetch_rows_of_bands();
      store_pair(k);
    }
    finish_streams();
  }

 private:
  static Range within(const AxisJob& axis, int channel) {
    return intersection(axis.pairs, {0, axis.length[channel]});
  }

  index_t width() const { return cols_.samples.size() * C; }

  // Analysis.

  void load_row(T* to, const char* from) const {
    if (cols_.lifted)
      load_samples<T, C>(job_.input, cols_, to, from, job_.signal.col_stride, cols_.samples);
    else
      gather_from<T, C>(job_.input, to, from + cols_.samples.begin * job_.signal.col_stride,
                        job_.signal.col_stride, cols_.samples.size());
  }

  void load_plane(int channel) const {
    const Range range = rows_.load[channel];
    for (index_t k = range.begin; k < range.end; ++k) {
      T* const to = plane_[channel].at(k);
      index_t at = wrapped(2 * k + channel, rows_.padded());
      if (at == rows_.n && rows_.edge == Edge::zero) {
        std::memset(to, 0, static_cast<std::size_t>(width()) * sizeof(T));
        continue;
      }
      if (at == rows_.n) --at;
      load_row(to, job_.signal.row(at));
    }
  }

  // A row of the input where only the columns are lifted: read where it lies if that is possible.
  void analyse_input_row(index_t r) const {
    const char* const from = job_.signal.row(r);
    const Range samples = cols_.samples;
    const bool direct = job_.signal.col_stride == static_cast<index_t>(sizeof(T)) * C &&
                        job_.input == own_type() && 0 <= samples.begin && samples.end <= cols_.n;
    if (direct) return emit(reinterpret_cast<const T*>(from), 0, 0, r, T{1});
    load_row(row_, from);
    emit(row_, samples.begin, 0, r, T{1});
  }

  void emit_lanes(T* row, char* band, T scale) const {
    T* const to = reinterpret_cast<T*>(band) + cols_.samples.begin * C;
    store_row<T, S>(to, row, width(), scale, job_.stream);
  }

  // A row of the rows' band `channel`, its first entry sample `first`, into row `at` of the bands.
  void emit(const T* row, index_t first, int channel, index_t at, T scale) const {
    split<T, S, C>(line_, cols_.load, row, first, scale);
    run_steps<T, S>(cols_, line_, C);
    for (int half : {0, 1}) {
      const Range range = within(cols_, half);
      store_band<T, S, C>(cols_, half, reinterpret_cast<T*>(job_.band[channel][half].row(at)),
                          line_[half].at(range.begin), range, job_.stream);
    }
  }

  // Synthesis.

  // The first sample that the tile writes in a row, and how many reals.
  Range output_samples() const {
    if (!cols_.lifted) return cols_.pairs;
    return intersection({2 * cols_.pairs.begin, 2 * cols_.pairs.end}, {0, cols_.n});
  }
  index_t output_width() const { return output_samples().size() * C; }

  T* output(index_t r) const {
    return reinterpret_cast<T*>(job_.signal.row(r)) + output_samples().begin * C;
  }

  // Row `at` of the rows' band `channel`, merged from its two halves.
  void make_row(T* to, int channel, index_t at, T scale) const {
    const View(&bands)[2] = job_.band[channel];
    if (!cols_.lifted) {
      const char* const from = bands[0].row(at) + cols_.pairs.begin * bands[0].col_stride;
      gather<T, T, C>(to, from, bands[0].col_stride, cols_.pairs.size());
      for (index_t c = 0; c < output_width(); ++c) to[c] = Arithmetic<T, S>::scaled(to[c], scale);
      return;
    }
    for (int half : {0, 1})
      load_band<T, S, C>(cols_, half, line_[half].data, bands[half].row(at),
                         bands[half].col_stride, cols_.load[half]);
    run_steps<T, S>(cols_, line_, C);
    merge<T, S, C>(cols_, to, line_, scale);
  }

  void store_pair(index_t k) const {
    for (int channel : {0, 1}) {
      const index_t at = 2 * k + channel;
      if (at < rows_.n) {
        store_row<T, S>(output(at), plane_[channel].at(k), output_width(), T{1}, job_.stream);
      } else if (at == rows_.n && rows_.edge == Edge::last) {
        T* const last = output(rows_.n - 1);
        const T* const beyond = plane_[channel].at(k);
        for (index_t c = 0; c < output_width(); ++c) last[c] = last[c] + beyond[c];
      }
    }
  }

  static DType own_type() {
    if constexpr (std::is_same_v<T, float>) return C == 1 ? DType::float32 : DType::complex64;
    else if constexpr (std::is_same_v<T, double>) return C == 1 ? DType::float64 : DType::complex128;
    else if constexpr (std::is_same_v<T, std::int16_t>) return DType::int16;
    else if constexpr (std::is_same_v<T, std::int32_t>) return DType::int32;
    else return DType::int64;
  }

  const TileJob& job_;
  const AxisJob& rows_;
  const AxisJob& cols_;
  T* row_;
  const Channel<T> plane_[2];
  const Channel<T> line_[2];
};

template <class T, class S, int C>
LiftKernels kernels_of() {
  return {[](const TileJob& job) { Tile<T, S, C>(job).analyse(); },
          [](const TileJob& job) { Tile<T, S, C>(job).synthesise(); }};
}

}  // namespace liftwave::LIFTWAVE_ISA
