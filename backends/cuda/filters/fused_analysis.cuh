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
  int lead;     // columns before the first needed one, such that packs are aligned
  int packed;   // whether packs may be read
  int across;   // threads for the outputs of a row
  int aligned;  // whether rows of the bands are contiguous, and packs may be written
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

// Filtered rows in shared memory: even columns, then odd ones, counted from the first one that the
// tile needs. Even or odd column number i is at place N + shift + i. The shift of a row is that of
// its outputs in memory, so that a thread reads and writes N numbers at multiples of N.
template <int N>
__device__ int shift_of(bool aligned, index_t place) {
  return aligned ? int(place) & (N - 1) : 0;
}

// Places of even or odd columns: with room for the shift, and for reads behind the last one.
template <int N>
__device__ int shared_pitch(int columns) {
  return (columns / 2 + N - 1) / N * N + 4 * N;
}

// Writes a thread's V columns; `first` is the number of the first one, which may be negative.
template <class C, int V>
__device__ void put_row(C* row, int pitch, int first, const C (&value)[V]) {
  C* even = row + (first + (first & 1)) / 2;  // of the first even column
  C* odd = row + pitch + (first - (first & 1)) / 2;
  if (first & 1) {
#pragma unroll
    for (int v = 0; v < V / 2; ++v) {
      odd[v] = value[2 * v];
      even[v] = value[2 * v + 1];
    }
  } else {
#pragma unroll
    for (int v = 0; v < V / 2; ++v) {
      even[v] = value[2 * v];
      odd[v] = value[2 * v + 1];
    }
  }
}

// N outputs side by side of a low row and a high row, each with even and odd columns.
template <class C, class Taps, int L, int N>
__device__ void filter_columns(const C* low, const C* high, int pitch, const Taps& taps,
                               C (&band)[4][N]) {
  Pack<C, N> sample[2][2];  // low and high, even and odd
#pragma unroll
  for (int s = 0; s < L / 2 + N - 1; ++s) {
#pragma unroll
    for (int p = 0; p < 2; ++p) {
      if (s % N == 0) {
        sample[0][p] = *reinterpret_cast<const Pack<C, N>*>(low + p * pitch + s);
        sample[1][p] = *reinterpret_cast<const Pack<C, N>*>(high + p * pitch + s);
      }
#pragma unroll
      for (int o = 0; o < N; ++o) {
        const int m = 2 * (s - o) + p;
        if (m < 0 || m >= L) continue;
        const auto tap = taps.at(L - 1 - m);
#pragma unroll
        for (int q = 0; q < 4; ++q) {
          const C x = sample[q / 2][p].value[s % N];
          band[q][o] = add_product(m == 0, tap.value[q % 2], x, band[q][o]);
        }
      }
    }
  }
}

// Writes outputs `column` to `column + N - 1` of a row, as far as the tile has them.
template <class T, class C, int N>
__device__ void put_outputs(T* row, index_t stride, int column, int columns, bool packed,
                            const C (&value)[N]) {
  if (packed && column >= 0 && column + N <= columns) {
    Pack<T, N> pack;
#pragma unroll
    for (int o = 0; o < N; ++o) pack.value[o] = narrowed<T>(value[o]);
    *reinterpret_cast<Pack<T, N>*>(row + column) = pack;
    return;
  }
#pragma unroll
  for (int o = 0; o < N; ++o) {
    if (column + o >= 0 && column + o < columns) store(row + (column + o) * stride, value[o]);
  }
}

// V columns for each thread, 2 R rows at a time.
template <class In, class Approx, class Detail, int L0, int L1, int V, int R, bool Learned,
          bool Long>
__global__ void __launch_bounds__(wide_tile_threads, wide_tile_blocks(sizeof(computed_t<In>), Long))
    analysis_tile(const __grid_constant__ AnalysisTileArguments<real_t<In>, L0, L1, Learned> a) {
  typedef computed_t<In> C;
  typedef real_t<In> Re;
  typedef Columns<In, V, Long> Reader;
  constexpr int N = V * R / 2;  // outputs of a thread, side by side
  const Tiling& tiling = a.tiling;
  const int threads = tiling.threads, group = threadIdx.x / threads, t = threadIdx.x % threads;
  const int groups = blockDim.x / threads, pitch = shared_pitch<N>(threads * V);
  const int steps = (tiling.segment + R - 1) / R, entries = L0 - 2 + 2 * R * steps;
  const auto row_taps = tile_taps<Re, L0, Learned>(a.row_taps, shared_memory<Pack<Re, 2>>());
  const auto column_taps =
      tile_taps<Re, L1, Learned>(a.column_taps, shared_memory<Pack<Re, 2>>() + L0);
  Source<Re, Long>* table = shared_memory<Source<Re, Long>>(tiling.table) + group * entries;
  C* buffers = shared_memory<C>(tiling.buffers) + group * (4 * R * pitch);
  // The row and the outputs of this thread, of the R rows of a step.
  const int own_row = t / a.across, own_column = N * (t - own_row * a.across);

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
                  tile.column * a.out.stride[1];
    for (int step = 0; step < steps; ++step) {
      C* rows = buffers + (step % 2 ? groups * (4 * R * pitch) : 0);
#pragma unroll
      for (int u = 0; u < 2 * R; ++u) {
#pragma unroll
        for (int v = 0; v < V; ++v) window[L0 - 2 + u][v] = Reader::value(fresh[u][v]);
      }
      C low[R][V], high[R][V];
      filter_rows<C, decltype(row_taps), L0, V, R>(window, row_taps, low, high);
#pragma unroll
      for (int r = 0; r < R; ++r) {
        C* row = rows + 4 * r * pitch + N + shift_of<N>(a.aligned, out + r * a.out.stride[0]);
        put_row(row, pitch, V * t - a.lead, low[r]);
        put_row(row + 2 * pitch, pitch, V * t - a.lead, high[r]);
      }
#pragma unroll
      for (int i = 0; i < L0 - 2; ++i) {
#pragma unroll
        for (int v = 0; v < V; ++v) window[i][v] = window[i + 2 * R][v];
      }
      // Loads the rows of the next step while this step computes.
      if (step + 1 < steps) reader.read(L0 - 2 + 2 * R * (step + 1), fresh);
      __syncthreads();

      if (own_row < R && step * R + own_row < tile.rows) {
        const index_t place = out + own_row * a.out.stride[0];
        const int column = own_column - shift_of<N>(a.aligned, place);
        const C* low = rows + 4 * own_row * pitch + N + own_column;
        C band[4][N];
        filter_columns<C, decltype(column_taps), L1, N>(low, low + 2 * pitch, pitch, column_taps,
                                                        band);
        const index_t stride = a.out.stride[1];
        put_outputs(static_cast<Approx*>(a.band[0]) + place, stride, column, tile.columns,
                    a.aligned, band[0]);
#pragma unroll
        for (int q = 1; q < 4; ++q) {
          put_outputs(static_cast<Detail*>(a.band[q]) + place, stride, column, tile.columns,
                      a.aligned, band[q]);
        }
      }
      out += R * a.out.stride[0];
    }
  }
}

}  // namespace liftwave
