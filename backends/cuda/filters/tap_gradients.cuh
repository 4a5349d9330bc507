// Gradients of an analysis with respect to its taps:
//
//   G[j] = sum over all lines and k of Re(conj(x[2 k + phase - j]) g[k])
//
// for one or two cotangents g (Bands), both extended. Every block sums some pieces of lines in its
// threads' registers. Short runs of these sums are added to the block's sums in double precision. A
// second kernel adds the blocks' sums in a fixed order, so that results are reproducible.
#pragma once
#include "filters/lines.cuh"

namespace liftwave {

struct GradientArguments {
  Lines lines;       // x, then the cotangents; the fold is how these are extended
  double* partial;   // (blocks of the grid / chunks, Bands, length)
  int chunks;        // of taps: block b computes chunk b % chunks
  int padding;
};

// The sum over the lanes of a warp, in its first lane.
__device__ inline double warp_sum(double value) {
#pragma unroll
  for (int delta = 16; delta > 0; delta /= 2) value += __shfl_down_sync(~0u, value, delta);
  return value;
}

// The sums of a thread, for taps `first` … `first + Count - 1`.
template <class R, int Bands, int Count>
struct TapSums {
  R sum[Bands][Count];
  int products = 0;

  __device__ TapSums() { clear(); }
  __device__ void clear() {
#pragma unroll
    for (int f = 0; f < Bands; ++f) {
#pragma unroll
      for (int j = 0; j < Count; ++j) sum[f][j] = R(0);
    }
    products = 0;
  }

  // Adds the sums of all threads of a warp to its row of `total`. All threads must call it.
  __device__ void flush(double* total) {
#pragma unroll
    for (int f = 0; f < Bands; ++f) {
#pragma unroll
      for (int j = 0; j < Count; ++j) {
        const double of_warp = warp_sum(double(sum[f][j]));
        if (threadIdx.x % 32 == 0) total[f * Count + j] += of_warp;
      }
    }
    clear();
  }
};

// Products of one place of the cotangents with the samples that the taps read: value(j) for tap j.
template <int L, int Bands, int Count, class C, class R, class Value>
__device__ void add_products(TapSums<R, Bands, Count>& sums, int count, const C (&g)[Bands],
                             const Value& value) {
#pragma unroll
  for (int j = 0; j < Count; ++j) {
    if (L == 0 && j >= count) break;
    const C x = value(j);
#pragma unroll
    for (int f = 0; f < Bands; ++f) sums.sum[f][j] = inner_add(x, g[f], sums.sum[f][j]);
  }
}

template <class T, int Bands>
__device__ void cotangents_at(const Lines& a, const index_t* offset, index_t k,
                              computed_t<T> (&g)[Bands]) {
  const bool inside = k >= 0 && k < a.fold.extension.n;
#pragma unroll
  for (int f = 0; f < Bands; ++f) {
    const Line<T> line = line_of<T>(a.array[1 + f], offset[1 + f]);
    g[f] = {};
    if (inside) g[f] = line[k];
  }
  if (inside) return;
#pragma unroll
  for (int f = 0; f < Bands; ++f) {
    g[f] = beyond(line_of<T>(a.array[1 + f], offset[1 + f]), a.fold.extension, k);
  }
}

// A piece of lines along which memory is contiguous, for taps from `from` on.
template <class T, int L, int Bands, int Count, class Sums>
__device__ void gradients_along(const Lines& a, SplitLines<computed_t<T>>& tile, const Piece& piece,
                                int from, int length, Sums& sums) {
  typedef computed_t<T> C;
  tile.template load<T>(a, piece, length);
  const int halo = (length + 1) / 2 - 1;
  for (int item = threadIdx.x; item < piece.lines * piece.count; item += blockDim.x) {
    const InLine of = in_line(item, piece.count, piece.lines);
    C g[Bands];
    cotangents_at<T>(a, tile.offset[of.line], piece.first + of.at, g);
    // The first tap of a chunk is even.
    const int at = of.line * tile.width + of.at + halo - from / 2;
    const Slot<C>*even = tile.even + at, *odd = tile.odd + at;
    add_products<L>(sums, a.length - from, g,
                    [&](int j) { return (j & 1 ? even : odd)[-(j / 2)].value; });
  }
  sums.products += (a.tile * a.lines + int(blockDim.x) - 1) / int(blockDim.x);
  __syncthreads();
}

// A piece of each thread's own line; neighbouring threads have neighbouring lines.
template <class T, int L, int Bands, int Count, class Sums>
__device__ void gradients_across(const Lines& a, const Piece& piece, int from, Sums& sums) {
  typedef computed_t<T> C;
  sums.products += a.tile;
  if (int(threadIdx.x) >= piece.lines) return;
  index_t offset[3];
  locate(a.batch, piece.line + threadIdx.x, a.array, offset);
  const Line<T> x = line_of<T>(a.array[0], offset[0]);
  const int count = L ? L : int(smaller(Count, a.length - from));
  for (index_t k = piece.first; k < piece.first + piece.count; ++k) {
    C g[Bands];
    cotangents_at<T>(a, offset, k, g);
    const index_t last = 2 * k + a.phase - from;
    if (last - (count - 1) >= 0 && last < a.extend.n) {
      add_products<L>(sums, count, g, [&](int j) { return x[last - j]; });
      continue;
    }
#pragma unroll 1
    for (int j = 0; j < count; ++j) {
      const C value = sample(x, a.extend, last - j);
#pragma unroll
      for (int tap = 0; tap < Count; ++tap) {
        if (tap != j) continue;
#pragma unroll
        for (int f = 0; f < Bands; ++f) {
          sums.sum[f][tap] = inner_add(value, g[f], sums.sum[f][tap]);
        }
      }
    }
  }
}

// Taps of a chunk if no kernel is compiled for their number.
constexpr int taps_of_chunk = 8;
// The most products of floats that a thread sums in single precision.
constexpr int run_of_floats = 64;

// Calls add(block of the lines, first tap, sums of the thread) for all blocks of lines of a block,
// which all of its threads must do, and writes the block's sums.
template <class R, int Bands, int L, class Add>
__device__ void sum_blocks(const GradientArguments& arguments, const Add& add) {
  constexpr int count = L ? L : taps_of_chunk;
  constexpr int row = Bands * count;
  const Lines& a = arguments.lines;
  const int chunk = L ? 0 : int(blockIdx.x % arguments.chunks), from = chunk * count;
  const index_t first = L ? blockIdx.x : blockIdx.x / arguments.chunks;
  const index_t step = L ? gridDim.x : gridDim.x / arguments.chunks;
  const int warps = blockDim.x / 32;
  double* total = shared_memory<double>();  // (warps, Bands, count)
  double* of_warp = total + threadIdx.x / 32 * row;
  for (int v = threadIdx.x; v < warps * row; v += blockDim.x) total[v] = 0;
  __syncthreads();

  TapSums<R, Bands, count> sums;
  for (index_t b = first; b < a.blocks; b += step) {
    add(b, from, sums);
    if (sizeof(R) == 4 && sums.products >= run_of_floats) sums.flush(of_warp);
  }
  sums.flush(of_warp);
  __syncthreads();
  for (int v = threadIdx.x; v < row; v += blockDim.x) {
    double sum = total[v];
    for (int w = 1; w < warps; ++w) sum += total[w * row + v];
    const int f = v / count, j = from + v - f * count;
    if (j < a.length) arguments.partial[(first * Bands + f) * a.length + j] = sum;
  }
}

// Where other numbers in shared memory begin: after the sums, at a multiple of 16 bytes.
template <int Bands, int L>
__device__ unsigned after_sums() {
  constexpr int row = Bands * (L ? L : taps_of_chunk);
  return (blockDim.x / 32 * row + 1) / 2 * 16;
}

template <class T, int Bands, int L, bool Along>
__global__ void __launch_bounds__(256, 2)
    tap_gradients(const __grid_constant__ GradientArguments arguments) {
  typedef computed_t<T> C;
  constexpr int count = L ? L : taps_of_chunk;
  typedef TapSums<real_t<T>, Bands, count> Sums;
  const Lines& a = arguments.lines;
  sum_blocks<real_t<T>, Bands, L>(arguments, [&](index_t b, int from, Sums& sums) {
    if constexpr (Along) {
      const int length = L ? L : a.length;
      SplitLines<C> tile(a, length, after_sums<Bands, L>());
      gradients_along<T, L, Bands, count>(a, tile, piece_of(a, b, a.lines), from, length, sums);
    } else {
      gradients_across<T, L, Bands, count>(a, piece_of(a, b, blockDim.x), from, sums);
    }
  });
}

struct SumArguments {
  const double* partial;  // (rows, width)
  void* result;           // (width)
  index_t rows, width;
};

// Sums over rows: one block of one warp for each number.
template <class R>
__global__ void __launch_bounds__(32) sum_of_rows(const __grid_constant__ SumArguments a) {
  for (index_t v = blockIdx.x; v < a.width; v += gridDim.x) {
    double sum = 0;
    for (index_t row = threadIdx.x; row < a.rows; row += 32) sum += a.partial[row * a.width + v];
    sum = warp_sum(sum);
    if (threadIdx.x == 0) static_cast<R*>(a.result)[v] = R(sum);
  }
}

}  // namespace liftwave
