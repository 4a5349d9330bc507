// Lines of a tile: loads and stores samples and coefficients, splits and merges even and odd
// samples.
#pragma once

#include "lifting/steps.hpp"

namespace liftwave::LIFTWAVE_ISA {

// --- loads -----------------------------------------------------------------------------------

// Copies `count` samples of `C` reals each, `stride` bytes apart, to contiguous numbers of type
// `T`.
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

// The numbers that a tile reads.
struct Input {
  DType dtype = DType::float32;
  index_t largest = 0;  // the largest magnitude in 16-bit lanes
};

// As `gather`, from numbers of type `I`. False if one is too large for 16-bit lanes.
template <class T, class S, class I, int C>
bool gather_checked(const Input& input, T* to, const char* from, index_t stride, index_t count) {
  if constexpr (in_lanes16<T, S>) return load_lanes16<I>(to, from, stride, count, input.largest);
  gather<T, I, C>(to, from, stride, count);
  return true;
}

template <class T, class S, int C>
bool gather_from(const Input& input, T* to, const char* from, index_t stride, index_t count) {
  const auto run = [&](auto number) {
    return gather_checked<T, S, decltype(number), C>(input, to, from, stride, count);
  };
  if constexpr (std::is_floating_point_v<T>) {
    return run(T{});
  } else {
    switch (input.dtype) {
      case DType::int8: return run(std::int8_t{});
      case DType::uint8: return run(std::uint8_t{});
      case DType::int16: return run(std::int16_t{});
      case DType::uint16: return run(std::uint16_t{});
      case DType::int32: return run(std::int32_t{});
      case DType::uint32: return run(std::uint32_t{});
      default: return run(std::int64_t{});
    }
  }
}

// Copies samples `range` of a signal, wrapped around and with its edge, to contiguous memory.
// False if one is too large for 16-bit lanes.
template <class T, class S, int C>
bool load_samples(const Input& input, const AxisJob& axis, T* to, const char* from,
                  index_t stride, Range range) {
  bool fits = true;
  for (index_t i = range.begin; i < range.end;) {
    const index_t at = wrapped(i, axis.padded());
    const bool beyond = at == axis.n;
    const index_t run = beyond ? 1 : range.end - i < axis.n - at ? range.end - i : axis.n - at;
    if (beyond && axis.edge != Edge::last)
      for (int c = 0; c < C; ++c) to[c] = T{};
    else
      fits = gather_from<T, S, C>(input, to, from + (beyond ? at - 1 : at) * stride, stride, run) && fits;
    i += run, to += run * C;
  }
  return fits;
}

template <class T, class S, int C>
void gather_scaled(T* __restrict to, const char* from, index_t stride, index_t count, T scale) {
  if (stride != static_cast<index_t>(sizeof(T)) * C) {
    gather<T, T, C>(to, from, stride, count);
    for (index_t c = 0; c < count * C; ++c) to[c] = Arithmetic<T, S>::scaled(to[c], scale);
    return;
  }
  const T* __restrict const source = reinterpret_cast<const T*>(from);
  for (index_t c = 0; c < count * C; ++c) to[c] = Arithmetic<T, S>::scaled(source[c], scale);
}

// Copies `count` coefficients, times the scale. False if one is too large for 16-bit lanes.
template <class T, class S, class O, int C>
bool gather_band(const Input& input, T* to, const char* from, index_t stride, index_t count,
                 T scale) {
  if constexpr (in_lanes16<T, S>) {
    const bool fits = load_lanes16<O>(to, from, stride, count, input.largest);
    if (scale != T{1}) store_lanes16(to, to, count, scale, false);
    return fits;
  }
  gather_scaled<T, S, C>(to, from, stride, count, scale);
  return true;
}

// Copies coefficients `range` of a band, rolled back, times the scale. False if one is too large
// for 16-bit lanes.
template <class T, class S, class O, int C>
bool load_band(const Input& input, const AxisJob& axis, int channel, T* to, const char* from,
               index_t stride, Range range) {
  const T scale = static_cast<T>(axis.scale[channel]);
  const index_t n = axis.length[channel];
  bool fits = true;
  for (index_t i = range.begin; i < range.end;) {
    const index_t at = wrapped(i + axis.shift[channel], n);
    const index_t run = range.end - i < n - at ? range.end - i : n - at;
    fits = gather_band<T, S, O, C>(input, to, from + at * stride, stride, run, scale) && fits;
    i += run, to += run * C;
  }
  return fits;
}

// --- non-temporal stores ---------------------------------------------------------------------

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

// Makes non-temporal stores visible to other threads before these are notified.
inline void finish_streams() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

// Stores a row as numbers `O`, times `scale`.
template <class T, class S, class O>
void store_row(O* __restrict to, const T* __restrict from, index_t count, T scale,
               bool past_caches) {
  using A = Arithmetic<T, S>;
  if constexpr (in_lanes16<T, S>) return store_lanes16(to, from, count, scale, past_caches);
  index_t i = 0;
  if (past_caches) {
    constexpr index_t lanes = stream_bytes / static_cast<index_t>(sizeof(T));
    const auto past = static_cast<index_t>(reinterpret_cast<std::uintptr_t>(to) % stream_bytes);
    const index_t head = past ? (stream_bytes - past) / static_cast<index_t>(sizeof(T)) : 0;
    for (; i < head && i < count; ++i) to[i] = A::scaled(from[i], scale);
    for (; i + lanes <= count; i += lanes) {
      alignas(stream_bytes) T scaled[lanes];
      for (index_t c = 0; c < lanes; ++c) scaled[c] = A::scaled(from[i + c], scale);
      stream(to + i, scaled);
    }
  }
  for (; i < count; ++i) to[i] = A::scaled(from[i], scale);
}

// Stores coefficients of the tile into a band, rolled and scaled.
template <class T, class S, int C, class O>
void store_band(const AxisJob& axis, int channel, O* to, const T* from, Range range,
                bool past_caches) {
  if (range.empty()) return;
  const T scale = static_cast<T>(axis.scale[channel]);
  const index_t n = axis.length[channel], at = wrapped(range.begin + axis.shift[channel], n);
  const index_t run = range.size() < n - at ? range.size() : n - at;
  store_row<T, S>(to + at * C, from, run * C, scale, past_caches);
  store_row<T, S>(to, from + run * C, (range.size() - run) * C, scale, past_caches);
}

// --- even and odd samples --------------------------------------------------------------------

// Splits a row, whose first entry is sample `first`, into its even and odd samples, scaled.
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
  if constexpr (in_lanes16<T, S>) return split_in_lanes16(even, odd, from, both.size(), scale);
  for (index_t k = 0; k < both.size(); ++k)
    for (int c = 0; c < C; ++c) {
      even[k * C + c] = Arithmetic<T, S>::scaled(from[2 * k * C + c], scale);
      odd[k * C + c] = Arithmetic<T, S>::scaled(from[(2 * k + 1) * C + c], scale);
    }
}

// Merges even and odd samples of the tile's pairs into a row, scaled. At the end of a signal that
// was padded to an even length, the last sample is dropped or added.
template <class T, class S, int C>
void merge(const AxisJob& axis, T* __restrict to, const Channel<T> (&line)[2], T scale) {
  const Range pairs = axis.pairs;
  const index_t whole = (axis.n / 2 < pairs.end ? axis.n / 2 : pairs.end) - pairs.begin;
  const T* __restrict const even = line[0].at(pairs.begin);
  const T* __restrict const odd = line[1].at(pairs.begin);
  if constexpr (in_lanes16<T, S>)
    merge_in_lanes16(to, even, odd, whole, scale);
  else for (index_t k = 0; k < whole; ++k)
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

}  // namespace liftwave::LIFTWAVE_ISA
