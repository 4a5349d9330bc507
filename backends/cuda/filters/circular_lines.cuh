// Analysis and synthesis without downsampling along one axis, lines of any strides.
//
// There are one or two filters or bands (Bands) of L taps, or of any number if L = 0.
#pragma once
#include "filters/circular.cuh"

namespace liftwave {

// The samples of a group's outputs from k on, for `count` taps from tap `first` on. If taps ascend,
// samples come from the last place on, and output q uses sample i + Several - 1 - q for the i-th of
// these taps. If taps descend, samples come from the first place on, and it uses sample i + q.
template <int Several, bool Ascending, class T>
__device__ Samples<T> samples_of(const Lines& a, const Line<T>& line, index_t k, int first,
                                 int count) {
  const index_t place = k + a.phase + ((Ascending ? Several - 1 : 0) - first) * a.dilation;
  const index_t distance = Ascending ? -a.dilation : a.dilation;
  return {line, a.n_out, place, distance, place + (count + Several - 2) * distance};
}

// Adds these taps to the sums of a group for each filter; tap(f, i) is the i-th of filter f.
template <int Several, bool Ascending, int Filters, class C, class T, class Tap>
__device__ void add_run(int count, C (&sum)[Filters][Several], Samples<T> samples,
                        const Tap& tap) {
#pragma unroll
  for (int m = 0; m < count + Several - 1; ++m) {
    const C value = samples.read();
#pragma unroll
    for (int q = 0; q < Several; ++q) {
      const int i = Ascending ? m + q - (Several - 1) : m - q;
      if (i < 0 || i >= count) continue;
#pragma unroll
      for (int f = 0; f < Filters; ++f) add_tap(sum[f][q], tap(f, i), value, i == 0);
    }
  }
}

// Writes the outputs of a group that exist.
template <class Out, int Several, class C>
__device__ void put_group(const Lines& a, int which, index_t offset, index_t k,
                          const C (&value)[Several]) {
#pragma unroll
  for (int q = 0; q < Several; ++q, k += a.dilation) {
    if (q == 0 || k < a.n_out) put<Out>(a.array[which], offset, k, value[q]);
  }
}

template <class In, class Out, int Bands, int L, int Several, bool Learned, bool Along>
__global__ void __launch_bounds__(256, 2)
    circular_analysis_lines(const __grid_constant__ FilterArguments<real_t<In>, L, Learned> arguments) {
  typedef computed_t<In> C;
  const Lines& a = arguments.lines;
  const int length = L ? L : a.length;
  for (index_t b = blockIdx.x; b < a.blocks; b += gridDim.x) {
    for_units<Along>(a, b, 0, [&](const index_t (&offset)[3], index_t group) {
      const index_t k = first_of_group<Several>(group, a.dilation);
      if (k >= a.n_out) return;
      C y[Bands][Several] = {};
      const Line<In> line = line_of<In>(a.array[0], offset[0]);
      add_run<Several, true>(length, y, samples_of<Several, true>(a, line, k, 0, length),
                             [&](int f, int i) { return arguments.taps.at(f, i); });
#pragma unroll
      for (int f = 0; f < Bands; ++f) put_group<Out>(a, 1 + f, offset[1 + f], k, y[f]);
    });
  }
}

// The sum over a band's taps, from both ends of the filter to its middle: this order loses less
// accuracy, because the largest taps are in the middle.
template <int L, int Several, class T, class C, class Taps>
__device__ void add_band(const Lines& a, const Taps& taps, int band, const Line<T>& line,
                         index_t k, C (&sum)[Several]) {
  const int length = L ? L : a.length, half = length / 2;
  C ascending[1][Several] = {}, descending[1][Several] = {};
  add_run<Several, true>(half, ascending, samples_of<Several, true>(a, line, k, 0, half),
                         [&](int, int i) { return taps.at(band, i); });
  add_run<Several, false>(length - half, descending,
                          samples_of<Several, false>(a, line, k, length - 1, length - half),
                          [&](int, int i) { return taps.at(band, length - 1 - i); });
#pragma unroll
  for (int q = 0; q < Several; ++q) {
    const C of_band = ascending[0][q] + descending[0][q];
    sum[q] = band == 0 ? of_band : sum[q] + of_band;
  }
}

template <class In, class Out, int Bands, int L, int Several, bool Learned, bool Along>
__global__ void __launch_bounds__(256, 2)
    circular_synthesis_lines(const __grid_constant__ FilterArguments<real_t<In>, L, Learned> arguments) {
  const Lines& a = arguments.lines;
  for (index_t b = blockIdx.x; b < a.blocks; b += gridDim.x) {
    for_units<Along>(a, b, 0, [&](const index_t (&offset)[3], index_t group) {
      const index_t k = first_of_group<Several>(group, a.dilation);
      if (k >= a.n_out) return;
      computed_t<In> sum[Several] = {};
#pragma unroll
      for (int f = 0; f < Bands; ++f) {
        const Line<In> line = line_of<In>(a.array[f], offset[f]);
        add_band<L>(a, arguments.taps, f, line, k, sum);
      }
      put_group<Out>(a, 2, offset[2], k, sum);
    });
  }
}

}  // namespace liftwave
