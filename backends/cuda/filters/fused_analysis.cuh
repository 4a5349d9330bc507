// One level of an analysis along two axes: four bands of an image, tile by tile.
#pragma once
#include "filters/tile.cuh"

namespace liftwave {

template <class R, int L0, int L1, bool Learned>
struct AnalysisTileArguments {
  Batch batch;
  Array in, out;  // all bands have the strides of `out`
  void* band[4];  // aa, ad, da, dd: the first letter is that of the rows
  Extension rows, columns;
  Tiling tiling;
  typename TileTaps<R, L0, Learned>::argument row_taps;
  typename TileTaps<R, L1, Learned>::argument column_taps;
  int n_rows, n_columns;  // of each band
  int row_phase, column_phase;
  int lead;    // columns before the first needed one, such that packs are aligned
  int packed;  // whether packs may be read
};

// Reads rows of a thread's V columns of an image.
template <class In, int V, bool Long>
struct Columns {
  typedef real_t<In> R;
  typedef computed_t<In> C;
  // Half precision is widened only on use, so that no load is waited for early.
  typedef typename Either<Long, C, In>::type Held;

  const In* image;
  const Array& array;
  const Source<R, Long>* table;  // of the tile's rows
  index_t offset;                // of the first column, if all are inside
  Source<R, Long> source[V];
  bool inside, packed;
  int first, stop;  // the tile's first row; rows up to `stop` are inside and needed

  __device__ Columns(const In* image, const Array& array, const Extension& columns,
                     const Source<R, Long>* table, int column, int last, bool may_pack)
      : image(image), array(array), table(table), offset(column * array.stride[1]) {
    inside = column >= 0 && column + V <= columns.n;
    packed = inside && may_pack;
#pragma unroll
    for (int v = 0; v < V; ++v) {
      source[v] = source_of<R, Long>(columns, column + v, column + v <= last);
    }
  }

  static __device__ Held held(In value) {
    if constexpr (Long) return widened(value);
    else return value;
  }

  // Reads `Count` rows from entry `entry` of the table on.
  template <int Count>
  __device__ void read(int entry, Held (&rows)[Count][V]) const {
    const int row = first + entry;
    const index_t stride = array.stride[0];
    if (inside && row >= 0 && row + Count <= stop) {
      const In* at = image + (row * stride + offset);
      if (packed) {
#pragma unroll
        for (int u = 0; u < Count; ++u) {
          const Pack<In, V> pack = *reinterpret_cast<const Pack<In, V>*>(at);
          at += stride;
#pragma unroll
          for (int v = 0; v < V; ++v) rows[u][v] = held(pack.value[v]);
        }
      } else {
#pragma unroll
        for (int u = 0; u < Count; ++u) {
#pragma unroll
          for (int v = 0; v < V; ++v) rows[u][v] = held(at[v * array.stride[1]]);
          at += stride;
        }
      }
      return;
    }
#pragma unroll
    for (int u = 0; u < Count; ++u) {
      const Source<R, Long> of_row = table[entry + u];
#pragma unroll
      for (int v = 0; v < V; ++v) rows[u][v] = sample_at(image, array, of_row, source[v]);
    }
  }

  static __device__ C value(Held held) {
    if constexpr (Long) return held;
    else return widened(held);
  }
};

// Filters 2 R rows at a time to R low ones and R high ones.
template <class C, class Taps, int L, int V, int R>
__device__ void filter_rows(const C (&window)[L - 2 + 2 * R][V], const Taps& taps, C (&low)[R][V],
                            C (&high)[R][V]) {
#pragma unroll
  for (int m = 0; m < L; ++m) {
    const auto tap = taps.at(L - 1 - m);
#pragma unroll
    for (int r = 0; r < R; ++r) {
#pragma unroll
      for (int v = 0; v < V; ++v) {
        const C x = window[2 * r + m][v];
        low[r][v] = add_product(m == 0, tap.value[0], x, low[r][v]);
        high[r][v] = add_product(m == 0, tap.value[1], x, high[r][v]);
      }
    }
  }
}

// Filtered rows in shared memory: even columns, then odd ones, so that neighbouring threads read
// neighbouring numbers.
template <class C, int V>
__device__ void put_row(C* row, int threads, const C (&value)[V]) {
  const int t = threadIdx.x % threads;
  Pack<C, V / 2> even, odd;
#pragma unroll
  for (int v = 0; v < V / 2; ++v) {
    even.value[v] = value[2 * v];
    odd.value[v] = value[2 * v + 1];
  }
  Pack<C, V / 2>* packs = reinterpret_cast<Pack<C, V / 2>*>(row);
  packs[t] = even;
  packs[threads + t] = odd;
}

// Output `column` of R low rows and R high ones, which are contiguous.
template <class C, class Taps, int L, int R>
__device__ void filter_columns(const C* even, const C* odd, int width, const Taps& taps,
                               C (&band)[R][4]) {
#pragma unroll
  for (int m = 0; m < L; ++m) {
    const auto tap = taps.at(L - 1 - m);
    const C* at = (m % 2 ? odd : even) + m / 2;
#pragma unroll
    for (int r = 0; r < R; ++r) {
#pragma unroll
      for (int q = 0; q < 4; ++q) {
        const C x = at[(2 * r + q / 2) * width];
        band[r][q] = add_product(m == 0, tap.value[q % 2], x, band[r][q]);
      }
    }
  }
}

// V columns for each thread, 2 R rows at a time.
template <class In, class Approx, class Detail, int L0, int L1, int V, int R, bool Learned,
          bool Long>
__global__ void __launch_bounds__(tile_threads, tile_blocks(sizeof(computed_t<In>), L0, Learned || Long)) analysis_tile(
    const __grid_constant__ AnalysisTileArguments<real_t<In>, L0, L1, Learned> a) {
  typedef computed_t<In> C;
  typedef real_t<In> Re;
  typedef Columns<In, V, Long> Reader;
  const Tiling& tiling = a.tiling;
  const int threads = tiling.threads, group = threadIdx.x / threads, t = threadIdx.x % threads;
  const int groups = blockDim.x / threads, width = threads * V;
  const int steps = (tiling.segment + R - 1) / R, entries = L0 - 2 + 2 * R * steps;
  const auto row_taps = tile_taps<Re, L0, Learned>(a.row_taps, shared_memory<Pack<Re, 2>>());
  const auto column_taps =
      tile_taps<Re, L1, Learned>(a.column_taps, shared_memory<Pack<Re, 2>>() + L0);
  Source<Re, Long>* table = shared_memory<Source<Re, Long>>(tiling.table) + group * entries;
  C* buffers = shared_memory<C>(tiling.buffers) + group * (2 * R * width);

  // A 64-bit counter would be spilled.
  for (unsigned turn = 0;; ++turn) {
    const index_t b = blockIdx.x + index_t(turn) * gridDim.x;
    if (b >= tiling.blocks) break;
    const Tile tile = tile_of(tiling, b * groups + group, a.n_rows, a.n_columns);
    const int first = 2 * tile.row + a.row_phase - (L0 - 1);
    const int last = 2 * (tile.row + tile.rows - 1) + a.row_phase;
    for (int e = t; e < entries; e += threads) {
      table[e] = source_of<Re, Long>(a.rows, first + e, tile.rows > 0 && first + e <= last);
    }
    Reader reader(static_cast<const In*>(a.in.data) + locate(a.batch, tile.item, a.in), a.in,
                  a.columns, table,
                  2 * tile.column + a.column_phase - (L1 - 1) - a.lead + V * t,
                  2 * (tile.column + tile.columns - 1) + a.column_phase, a.packed);
    reader.first = first;
    reader.stop = tile.rows > 0 ? smaller(int(a.rows.n), last + 1) : 0;
    __syncthreads();

    typename Reader::Held fresh[2 * R][V];
    C window[L0 - 2 + 2 * R][V];
    if constexpr (L0 > 2) {
      typename Reader::Held before[L0 - 2][V];
      reader.read(0, before);
      reader.read(L0 - 2, fresh);
#pragma unroll
      for (int i = 0; i < L0 - 2; ++i) {
#pragma unroll
        for (int v = 0; v < V; ++v) window[i][v] = Reader::value(before[i][v]);
      }
    } else {
      reader.read(0, fresh);
    }

    index_t out = locate(a.batch, tile.item, a.out) + tile.row * a.out.stride[0] +
                  (tile.column + t) * a.out.stride[1];
    for (int step = 0; step < steps; ++step) {
      C* rows = buffers + (step % 2 ? groups * (2 * R * width) : 0);
#pragma unroll
      for (int u = 0; u < 2 * R; ++u) {
#pragma unroll
        for (int v = 0; v < V; ++v) window[L0 - 2 + u][v] = Reader::value(fresh[u][v]);
      }
      C low[R][V], high[R][V];
      filter_rows<C, decltype(row_taps), L0, V, R>(window, row_taps, low, high);
#pragma unroll
      for (int r = 0; r < R; ++r) {
        put_row(rows + 2 * r * width, threads, low[r]);
        put_row(rows + (2 * r + 1) * width, threads, high[r]);
      }
#pragma unroll
      for (int i = 0; i < L0 - 2; ++i) {
#pragma unroll
        for (int v = 0; v < V; ++v) window[i][v] = window[i + 2 * R][v];
      }
      // Loads the rows of the next step while this step computes.
      if (step + 1 < steps) reader.read(L0 - 2 + 2 * R * (step + 1), fresh);
      __syncthreads();

      const int half = width / 2;
      const C* even = rows + (a.lead % 2 ? half : 0) + a.lead / 2 + t;
      const C* odd = rows + (a.lead % 2 ? 0 : half) + (a.lead + 1) / 2 + t;
#pragma unroll
      for (int p = 0; p < V / 2; ++p) {
        if (t + p * threads >= tile.columns) continue;
        C band[R][4];
        filter_columns<C, decltype(column_taps), L1, R>(even + p * threads, odd + p * threads,
                                                        width, column_taps, band);
        const index_t at = out + p * (threads * a.out.stride[1]);
#pragma unroll
        for (int r = 0; r < R; ++r) {
          if (step * R + r >= tile.rows) continue;
          const index_t place = at + r * a.out.stride[0];
          store(static_cast<Approx*>(a.band[0]) + place, band[r][0]);
#pragma unroll
          for (int q = 1; q < 4; ++q) store(static_cast<Detail*>(a.band[q]) + place, band[r][q]);
        }
      }
      out += R * a.out.stride[0];
    }
  }
}

}  // namespace liftwave
