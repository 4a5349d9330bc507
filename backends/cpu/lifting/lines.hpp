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

// Copies samples `range` of a signal, wrapped around and with its edge, to contiguous memory.
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

// Copies coefficients `range` of a band, rolled back, times the scale.
template <class T, class S, int C>
void load_band(const AxisJob& axis, int channel, T* to, const char* from, index_t stride,
               Range range) {
  const T scale = static_cast<T>(axis.scale[channel]);
  const index_t n = axis.length[channel];
  for (index_t i = range.begin; i < range.end;) {
    const index_t at = wrapped(i + axis.shift[channel], n);
    const index_t run = range.end - i < n - at ? range.end - i : n - at;
    gather_scaled<T, S, C>(to, from + at * stride, stride, run, scale);
    i += run, to += run * C;
  }
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

// Stores a row, times `scale`.
template <class T, class S>
void store_row(T* __restrict to, const T* __restrict from, index_t count, T scale,
               bool past_caches) {
  using A = Arithmetic<T, S>;
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
template <class T, class S, int C>
void store_band(const AxisJob& axis, int channel, T* to, const T* from, Range range,
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

}  // namespace liftwave::LIFTWAVE_ISA
