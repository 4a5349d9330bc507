// Gradients of an analysis without downsampling with respect to its taps:
//
//   G[j] = sum over all lines and k of Re(conj(x[(k + phase - dilation j) mod n]) g[k])
//
// Sums are those of filters/tap_gradients.cuh.
#pragma once
#include "filters/circular.cuh"
#include "filters/tap_gradients.cuh"

namespace liftwave {

template <class T, int Bands, int L, bool Along>
__global__ void __launch_bounds__(256, 2)
    circular_tap_gradients(const __grid_constant__ GradientArguments arguments) {
  typedef computed_t<T> C;
  constexpr int count = L ? L : taps_of_chunk;
  typedef TapSums<real_t<T>, Bands, count> Sums;
  const Lines& a = arguments.lines;
  sum_blocks<real_t<T>, Bands, L>(arguments, [&](index_t b, int from, Sums& sums) {
    const int taps = L ? L : int(smaller(count, a.length - from));
    for_units<Along>(a, b, after_sums<Bands, L>(), [&](const index_t (&offset)[3], index_t k) {
      C g[Bands];
#pragma unroll
      for (int f = 0; f < Bands; ++f) g[f] = line_of<T>(a.array[1 + f], offset[1 + f])[k];
      const index_t place = k + a.phase - from * a.dilation, far = place - (taps - 1) * a.dilation;
      Samples<T> x(line_of<T>(a.array[0], offset[0]), a.n_out, place, -a.dilation, far);
      add_products<L>(sums, taps, g, [&](int) { return x.read(); });
    });
    const int units = Along ? (a.lines * a.tile + int(blockDim.x) - 1) / int(blockDim.x) : a.tile;
    sums.products += units;
  });
}

}  // namespace liftwave
