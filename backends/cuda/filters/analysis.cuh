// Analysis by filter banks along one axis, lines of any strides.
//
//   y[k] = sum_j f[j] x[2 k + phase - j]
//
// of the extended input. There are one or two filters (Bands) of L taps, or of any number if L = 0.
// If outputs beyond the ends are folded back, a second kernel recomputes the few outputs onto which
// they are folded.
#pragma once
#include "filters/lines.cuh"

namespace liftwave {

// One output of one filter, from memory: for the few outputs near folds and ends.
template <class In, class Taps>
__device__ computed_t<In> analysed(const Lines& a, const Taps& taps, int filter,
                                   const Line<In>& x, index_t k) {
  computed_t<In> sum = {};
#pragma unroll 1
  for (int j = 0; j < a.length; ++j) {
    add_tap(sum, taps.at(filter, j), sample(x, a.extend, 2 * k + a.phase - j), j == 0);
  }
  return sum;
}

template <class In, class Out, int Bands, int L, class Taps>
__device__ void analyse_along(const Lines& a, const Taps& taps) {
  typedef computed_t<In> C;
  const int length = L ? L : a.length, halo = (length + 1) / 2 - 1;
  SplitLines<C> tile(a, length);
  for (index_t b = blockIdx.x; b < a.blocks; b += gridDim.x) {
    const Piece piece = piece_of(a, b, a.lines);
    tile.template load<In>(a, piece, length);
    for (int item = threadIdx.x; item < piece.lines * piece.count; item += blockDim.x) {
      const InLine of = in_line(item, piece.count, piece.lines);
      const Slot<C>* even = tile.even + of.line * tile.width + of.at + halo;
      const Slot<C>* odd = tile.odd + of.line * tile.width + of.at + halo;
      C y[Bands];
#pragma unroll
      for (int j = 0; j < length; ++j) {
        const C value = (j & 1 ? even : odd)[-(j / 2)].value;
#pragma unroll
        for (int f = 0; f < Bands; ++f) add_tap(y[f], taps.at(f, j), value, j == 0);
      }
      const index_t k = piece.first + of.at;
#pragma unroll
      for (int f = 0; f < Bands; ++f) {
        put<Out>(a.array[1 + f], tile.offset[of.line][1 + f], k, y[f]);
      }
    }
    __syncthreads();
  }
}

// Outputs k … k + Several - 1 from their samples: tap j reads w[2 q + L - 1 - j].
template <class Out, int Bands, int L, int Several, class C, class Taps>
__device__ void analyse_window(const Lines& a, const Taps& taps, const index_t (&offset)[3],
                               index_t k, const C (&w)[L - 2 + 2 * Several]) {
#pragma unroll
  for (int q = 0; q < Several; ++q) {
    C y[Bands];
#pragma unroll
    for (int f = 0; f < Bands; ++f) {
      y[f] = taps.at(f, 0) * w[2 * q + L - 1];
#pragma unroll
      for (int j = 1; j < L; ++j) y[f] = multiply_add(taps.at(f, j), w[2 * q + L - 1 - j], y[f]);
      put<Out>(a.array[1 + f], offset[1 + f], k + q, y[f]);
    }
  }
}

// Computes outputs from k on while Several of them are before `end`; returns the first one left.
template <class In, class Out, int Bands, int L, class Taps>
__device__ index_t analyse_walking(const Lines& a, const Taps& taps, const index_t (&offset)[3],
                                   const Line<In>& x, index_t k, index_t end) {
  typedef computed_t<In> C;
  constexpr int several = 4;
  if constexpr (L > 0) {
    if (k + several > end) return k;
    C w[L - 2 + 2 * several];
    const In* next = x.data + (2 * k + a.phase - (L - 1)) * x.stride;
#pragma unroll
    for (int s = 0; s < L - 2; ++s, next += x.stride) w[s] = load(next);
    for (; k + several <= end; k += several) {
#pragma unroll
      for (int s = 0; s < 2 * several; ++s, next += x.stride) w[L - 2 + s] = load(next);
      analyse_window<Out, Bands, L, several>(a, taps, offset, k, w);
#pragma unroll
      for (int s = 0; s < L - 2; ++s) w[s] = w[s + 2 * several];
    }
  } else {
    const int length = a.length, pairs = (length + 1) / 2;
    for (; k + several <= end; k += several) {
      C y[Bands][several] = {};
      // Pair p of samples, counted from the last one of output k: tap 2 (p + q) of output k + q.
      const In* pair = x.data + (2 * k + a.phase) * x.stride;
      for (int p = 1 - several; p < pairs; ++p) {
        const bool two = 2 * p + 1 < length;
        const C late = load(pair - 2 * p * x.stride);
        C early = {};
        if (two) early = load(pair - (2 * p + 1) * x.stride);
#pragma unroll
        for (int q = 0; q < several; ++q) {
          const int j = 2 * (p + q);
          if (j < 0 || j >= length) continue;
#pragma unroll
          for (int f = 0; f < Bands; ++f) {
            y[f][q] = multiply_add(taps.at(f, j), late, y[f][q]);
            if (j + 1 < length) y[f][q] = multiply_add(taps.at(f, j + 1), early, y[f][q]);
          }
        }
      }
#pragma unroll
      for (int q = 0; q < several; ++q) {
#pragma unroll
        for (int f = 0; f < Bands; ++f) put<Out>(a.array[1 + f], offset[1 + f], k + q, y[f][q]);
      }
    }
  }
  return k;
}

template <class In, class Out, int Bands, int L, class Taps>
__device__ void analyse_across(const Lines& a, const Taps& taps) {
  for (index_t b = blockIdx.x; b < a.blocks; b += gridDim.x) {
    const Piece piece = piece_of(a, b, blockDim.x);
    if (int(threadIdx.x) >= piece.lines) continue;
    index_t offset[3];
    locate(a.batch, piece.line + threadIdx.x, a.array, offset);
    const Line<In> x = line_of<In>(a.array[0], offset[0]);
    const index_t end = piece.first + piece.count, inner_end = smaller(end, a.inner_end);
    for (index_t k = piece.first; k < end;) {
      if (k >= a.inner_begin && k < inner_end) {
        const index_t done = analyse_walking<In, Out, Bands, L>(a, taps, offset, x, k, inner_end);
        if (done > k) {
          k = done;
          continue;
        }
      }
#pragma unroll
      for (int f = 0; f < Bands; ++f) {
        put<Out>(a.array[1 + f], offset[1 + f], k, analysed(a, taps, f, x, k));
      }
      ++k;
    }
  }
}

template <class In, class Out, int Bands, int L, bool Learned, bool Along>
__global__ void __launch_bounds__(256, 2)
    analysis_lines(const __grid_constant__ FilterArguments<real_t<In>, L, Learned> a) {
  if constexpr (Along) analyse_along<In, Out, Bands, L>(a.lines, a.taps);
  else analyse_across<In, Out, Bands, L>(a.lines, a.taps);
}

// Recomputes outputs onto which others are folded, including these.
template <class In, class Out, int Bands, bool Learned>
__global__ void __launch_bounds__(256, 2)
    folded_analysis_lines(const __grid_constant__ FilterArguments<real_t<In>, 0, Learned> a) {
  const Lines& l = a.lines;
  for_folded(l, [&](const index_t (&offset)[3], index_t k) {
    const Line<In> x = line_of<In>(l.array[0], offset[0]);
#pragma unroll
    for (int f = 0; f < Bands; ++f) {
      const auto value = [&](index_t place) { return analysed(l, a.taps, f, x, place); };
      put<Out>(l.array[1 + f], offset[1 + f], k, folded<real_t<In>>(l.fold, k, value(k), value));
    }
  });
}

}  // namespace liftwave
