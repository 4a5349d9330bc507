// Synthesis by filter banks along one axis, lines of any strides.
//
//   x[i] = sum_k y[k] g[i + phase - 2 k], summed over the bands
//
// of the extended input. Bands, taps and folds are those of an analysis.
#pragma once
#include "filters/lines.cuh"

namespace liftwave {

// Outputs come in pairs, 2 p and 2 p + 1. With phase = 2 h + Odd they multiply coefficient p + h -
// m and coefficient p + h + Odd - m by taps 2 m + Odd and 2 m + 1 - Odd.

template <class In, int Bands>
__device__ void lines_of(const Lines& a, const index_t* offset, Line<In> (&line)[Bands]) {
#pragma unroll
  for (int f = 0; f < Bands; ++f) {
    line[f] = line_of<In>(a.array[f], offset[f]);
  }
}

// One output, from memory.
template <class In, int Bands, class Taps>
__device__ computed_t<In> synthesised(const Lines& a, const Taps& taps,
                                      const Line<In> (&y)[Bands], index_t i) {
  const index_t place = i + a.phase;
  computed_t<In> sum = {};
#pragma unroll 1
  for (int j = int(place & 1); j < a.length; j += 2) {
#pragma unroll
    for (int f = 0; f < Bands; ++f) {
      const computed_t<In> value = sample(y[f], a.extend, (place - j) >> 1);
      sum = multiply_add(taps.at(f, j), value, sum);
    }
  }
  return sum;
}

template <class T>
struct __align__(2 * sizeof(T)) Two {
  T first, second;
};

// Outputs 2 p and 2 p + 1 of a line. The second may be beyond the end.
template <class T, class C>
__device__ void put_pair(const Lines& a, index_t offset, index_t p, C first, C second) {
  T* to = static_cast<T*>(a.array[2].data) + offset + 2 * p * a.array[2].stride[0];
  const bool both = 2 * p + 1 < a.n_out;
  const bool aligned = reinterpret_cast<unsigned long long>(to) % sizeof(Two<T>) == 0;
  if (both && aligned && a.array[2].stride[0] == 1) {
    *reinterpret_cast<Two<T>*>(to) = {narrowed<T>(first), narrowed<T>(second)};
  } else {
    store(to, first);
    if (both) store(to + a.array[2].stride[0], second);
  }
}

// Both sums of a pair: `value(f, m)` is coefficient p + h - m of band f, for m from -Odd on.
template <int Bands, int L, int Odd, class C, class Taps, class Value>
__device__ void pair_sums(int length, const Taps& taps, C& first, C& second, const Value& value) {
  const int count = L ? L : length;
#pragma unroll
  for (int f = 0; f < Bands; ++f) {
    C ahead = value(f, -Odd);
#pragma unroll
    for (int m = 0; 2 * m < count; ++m) {
      const C now = Odd == 0 && m == 0 ? ahead : value(f, m);
      const C of_second = Odd ? ahead : now;
      if (2 * m + Odd < count) add_tap(first, taps.at(f, 2 * m + Odd), now, f == 0 && m == 0);
      if (2 * m + 1 - Odd < count) {
        add_tap(second, taps.at(f, 2 * m + 1 - Odd), of_second, f == 0 && m == 0);
      }
      ahead = now;
    }
  }
}

template <class In, class Out, int Bands, int L, int Odd, class Taps>
__device__ void synthesise_along(const Lines& a, const Taps& taps) {
  typedef computed_t<In> C;
  const int length = L ? L : a.length, half = (length + 1) / 2, width = a.tile + half - 1 + Odd;
  index_t(*offset)[3] = shared_memory<index_t[3]>();
  Slot<C>* bands = reinterpret_cast<Slot<C>*>(offset + a.lines + (a.lines & 1));
  for (index_t b = blockIdx.x; b < a.blocks; b += gridDim.x) {
    const Piece piece = piece_of(a, b, a.lines);
    locate_lines(a, piece, offset);
    __syncthreads();
    const index_t first = piece.first + (a.phase >> 1) - (half - 1);
#pragma unroll
    for (int f = 0; f < Bands; ++f) {
      Slot<C>* band = bands + f * a.lines * width;
      fill<In>(a, a.array[f], offset, f, piece, first, piece.count + half - 1 + Odd,
               [&](int line, int at, C value) { band[line * width + at] = {value}; });
    }
    __syncthreads();
    for (int item = threadIdx.x; item < piece.lines * piece.count; item += blockDim.x) {
      const InLine of = in_line(item, piece.count, piece.lines);
      const Slot<C>* at = bands + of.line * width + of.at + half - 1;
      C even = {}, odd = {};
      pair_sums<Bands, L, Odd>(length, taps, even, odd,
                               [&](int f, int m) { return at[f * a.lines * width - m].value; });
      const index_t p = piece.first + of.at;
      put_pair<Out>(a, offset[of.line][2], p, even, odd);
    }
    __syncthreads();
  }
}

// Computes pairs from p on while Several of them are before `end`; returns the first one left.
template <class In, class Out, int Bands, int L, int Odd, class Taps>
__device__ index_t synthesise_walking(const Lines& a, const Taps& taps, index_t offset,
                                      const Line<In> (&y)[Bands], index_t p, index_t end) {
  typedef computed_t<In> C;
  constexpr int several = 4;
  if constexpr (L > 0) {
    constexpr int kept = L / 2 - 1 + Odd;
    if (p + several > end) return p;
    C w[Bands][kept + several];
    const In* next[Bands];
#pragma unroll
    for (int f = 0; f < Bands; ++f) {
      next[f] = y[f].data + (p + (a.phase >> 1) - (L / 2 - 1)) * y[f].stride;
#pragma unroll
      for (int s = 0; s < kept; ++s, next[f] += y[f].stride) w[f][s] = load(next[f]);
    }
    for (; p + several <= end; p += several) {
#pragma unroll
      for (int f = 0; f < Bands; ++f) {
#pragma unroll
        for (int s = 0; s < several; ++s, next[f] += y[f].stride) w[f][kept + s] = load(next[f]);
      }
#pragma unroll
      for (int q = 0; q < several; ++q) {
        C even = {}, odd = {};
        pair_sums<Bands, L, Odd>(L, taps, even, odd,
                                 [&](int f, int m) { return w[f][q + L / 2 - 1 - m]; });
        put_pair<Out>(a, offset, p + q, even, odd);
      }
#pragma unroll
      for (int f = 0; f < Bands; ++f) {
#pragma unroll
        for (int s = 0; s < kept; ++s) w[f][s] = w[f][s + several];
      }
    }
  } else {
    for (; p < end; ++p) {
      C even = {}, odd = {};
      pair_sums<Bands, L, Odd>(a.length, taps, even, odd,
                               [&](int f, int m) { return y[f][p + (a.phase >> 1) - m]; });
      put_pair<Out>(a, offset, p, even, odd);
    }
  }
  return p;
}

template <class In, class Out, int Bands, int L, int Odd, class Taps>
__device__ void synthesise_across(const Lines& a, const Taps& taps) {
  for (index_t b = blockIdx.x; b < a.blocks; b += gridDim.x) {
    const Piece piece = piece_of(a, b, blockDim.x);
    if (int(threadIdx.x) >= piece.lines) continue;
    index_t offset[3];
    locate(a.batch, piece.line + threadIdx.x, a.array, offset);
    Line<In> y[Bands];
    lines_of(a, offset, y);
    const index_t end = piece.first + piece.count, inner_end = smaller(end, a.inner_end);
    for (index_t p = piece.first; p < end;) {
      if (p >= a.inner_begin && p < inner_end) {
        const index_t done =
            synthesise_walking<In, Out, Bands, L, Odd>(a, taps, offset[2], y, p, inner_end);
        if (done > p) {
          p = done;
          continue;
        }
      }
#pragma unroll 1
      for (index_t i = 2 * p; i < 2 * p + 2 && i < a.n_out; ++i) {
        put<Out>(a.array[2], offset[2], i, synthesised(a, taps, y, i));
      }
      ++p;
    }
  }
}

template <class In, class Out, int Bands, int L, bool Learned, bool Along>
__global__ void __launch_bounds__(256, 2)
    synthesis_lines(const __grid_constant__ FilterArguments<real_t<In>, L, Learned> a) {
  const Lines& l = a.lines;
  if constexpr (Along) {
    if (l.phase & 1) synthesise_along<In, Out, Bands, L, 1>(l, a.taps);
    else synthesise_along<In, Out, Bands, L, 0>(l, a.taps);
  } else {
    if (l.phase & 1) synthesise_across<In, Out, Bands, L, 1>(l, a.taps);
    else synthesise_across<In, Out, Bands, L, 0>(l, a.taps);
  }
}

template <class In, class Out, int Bands, bool Learned>
__global__ void __launch_bounds__(256, 2)
    folded_synthesis_lines(const __grid_constant__ FilterArguments<real_t<In>, 0, Learned> a) {
  const Lines& l = a.lines;
  for_folded(l, [&](const index_t (&offset)[3], index_t i) {
    Line<In> y[Bands];
    lines_of(l, offset, y);
    const auto value = [&](index_t place) { return synthesised(l, a.taps, y, place); };
    put<Out>(l.array[2], offset[2], i, folded<real_t<In>>(l.fold, i, value(i), value));
  });
}

}  // namespace liftwave
