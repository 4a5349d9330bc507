// One level of a synthesis along two axes: an image from four bands, tile by tile.
//
// Output i of an axis uses band samples q - L / 2 + 1 to q, where i + phase = 2 q + p, and the taps
// p, p + 2, ... So rows come in pairs for each q. Pairs of columns begin with an even column, since
// they are written at once. With an odd phase, the second column of a pair has q + 1.
#pragma once
#include "filters/tile.cuh"

namespace liftwave {

template <class R, int L0, int L1, bool Learned>
struct SynthesisTileArguments {
  Batch batch;
  Array band[4];  // aa, ad, da, dd: the first letter is that of the rows; no data if one is missing
  Array out;
  Extension rows, columns;  // of the bands
  Tiling tiling;            // segments in q, strips in pairs of columns
  typename TileTaps<R, L0, Learned>::argument row_taps;
  typename TileTaps<R, L1, Learned>::argument column_taps;
  int n_rows, n_columns;  // of the result
  int row_phase, column_phase;
  int packed;  // whether two columns may be written at once
  int padding;
};

// Reads rows of a thread's column of a band.
template <class T>
struct BandColumn {
  typedef Source<real_t<T>, false> From;

  const T* band;  // of the item; null if the band is missing
  const Array& array;
  index_t offset;

  __device__ BandColumn(const Array& array, const Batch& batch, index_t item, int column)
      : band(static_cast<const T*>(array.data)), array(array), offset(column * array.stride[1]) {
    if (band) band += locate(batch, item, array);
  }

  // Reads `Count` rows from `row` on; their table entries start at `table`.
  template <int Count>
  __device__ void read(int row, const From* table, From column, bool plain,
                       T (&values)[Count]) const {
    if (!band) {
#pragma unroll
      for (int u = 0; u < Count; ++u) values[u] = zero_of<T>();
    } else if (plain) {
      const T* at = band + (row * array.stride[0] + offset);
#pragma unroll
      for (int u = 0; u < Count; ++u) values[u] = at[u * array.stride[0]];
    } else {
#pragma unroll
      for (int u = 0; u < Count; ++u) values[u] = sample_at(band, array, table[u], column);
    }
  }
};

// A thread's column of all bands.
template <class Approx, class Detail>
struct BandColumns {
  typedef Source<real_t<Detail>, false> From;
  typedef computed_t<Detail> C;

  template <int Count>
  struct Held {
    Approx approx[Count];
    Detail detail[3][Count];

    __device__ C value(int band, int u) const {
      return band == 0 ? widened(approx[u]) : widened(detail[band == 0 ? 0 : band - 1][u]);
    }
  };

  BandColumn<Approx> aa;
  BandColumn<Detail> ad, da, dd;
  const From* table;
  From column;
  bool inside;
  int first, stop;  // the tile's first row of the bands; rows up to `stop` are inside and needed

  __device__ BandColumns(const Array (&band)[4], const Batch& batch, index_t item,
                         const Extension& columns, const From* table, int at, int last)
      : aa(band[0], batch, item, at),
        ad(band[1], batch, item, at),
        da(band[2], batch, item, at),
        dd(band[3], batch, item, at),
        table(table),
        column(source_of<real_t<Detail>, false>(columns, at, at <= last)),
        inside(at >= 0 && at < columns.n) {}

  template <int Count>
  __device__ void read(int entry, Held<Count>& held) const {
    const int row = first + entry;
    const bool plain = inside && row >= 0 && row + Count <= stop;
    aa.read(row, table + entry, column, plain, held.approx);
    ad.read(row, table + entry, column, plain, held.detail[0]);
    da.read(row, table + entry, column, plain, held.detail[1]);
    dd.read(row, table + entry, column, plain, held.detail[2]);
  }
};

// Filters 2 R rows, low and high along columns (the bands are aa, ad, da, dd).
template <class C, class Taps, int L, int R>
__device__ void merge_rows(const C (&window)[4][L / 2 - 1 + R], const Taps& taps,
                           C (&row)[2 * R][2]) {
#pragma unroll
  for (int s = 0; s < L / 2; ++s) {
#pragma unroll
    for (int p = 0; p < 2; ++p) {
      const auto tap = taps.at(L - 2 - 2 * s + p);
#pragma unroll
      for (int r = 0; r < R; ++r) {
#pragma unroll
        for (int c = 0; c < 2; ++c) {
          C& sum = row[2 * r + p][c];
          sum = add_product(s == 0, tap.value[0], window[c][r + s], sum);
          sum = multiply_add(tap.value[1], window[2 + c][r + s], sum);
        }
      }
    }
  }
}

// A pair of columns of `Count` rows; low and high ones are interleaved.
template <class C, class Taps, int L, int Count, bool Odd>
__device__ void merge_columns(const C* rows, int threads, const Taps& taps,
                              C (&pair)[Count][2]) {
#pragma unroll
  for (int s = 0; s < L / 2 + Odd; ++s) {
    C low[Count], high[Count];
#pragma unroll
    for (int r = 0; r < Count; ++r) {
      low[r] = rows[2 * r * threads + s];
      high[r] = rows[(2 * r + 1) * threads + s];
    }
#pragma unroll
    for (int c = 0; c < 2; ++c) {
      const int begin = Odd && c == 1;  // the second column's samples begin one later
      if (s < begin || s >= begin + L / 2) continue;
      const auto tap = taps.at(L - 2 - 2 * (s - begin) + (Odd ? 1 - c : c));
#pragma unroll
      for (int r = 0; r < Count; ++r) {
        pair[r][c] = add_product(s == begin, tap.value[0], low[r], pair[r][c]);
        pair[r][c] = multiply_add(tap.value[1], high[r], pair[r][c]);
      }
    }
  }
}

// Each thread processes one column of the bands, R rows at a time. Odd: whether the phase of the
// columns is odd.
template <class Approx, class Detail, class Out, int L0, int L1, int R, bool Odd, bool Learned>
__global__ void __launch_bounds__(tile_threads, tile_blocks(sizeof(computed_t<Out>), L0, Learned || Odd)) synthesis_tile(
    const __grid_constant__ SynthesisTileArguments<real_t<Out>, L0, L1, Learned> a) {
  typedef computed_t<Out> C;
  typedef real_t<Out> Re;
  typedef BandColumns<Approx, Detail> Reader;
  const Tiling& tiling = a.tiling;
  const int threads = tiling.threads, group = threadIdx.x / threads, t = threadIdx.x % threads;
  const int groups = blockDim.x / threads;
  const int steps = (tiling.segment + R - 1) / R, entries = L0 / 2 - 1 + R * steps;
  const auto row_taps = tile_taps<Re, L0, Learned>(a.row_taps, shared_memory<Pack<Re, 2>>());
  const auto column_taps =
      tile_taps<Re, L1, Learned>(a.column_taps, shared_memory<Pack<Re, 2>>() + L0);
  Source<Re, false>* table = shared_memory<Source<Re, false>>(tiling.table) + group * entries;
  C* buffers = shared_memory<C>(tiling.buffers) + group * (4 * R * threads);
  const int q_rows = (a.n_rows + 1 + a.row_phase % 2) / 2;  // the number of q with an output row
  const int pairs = (a.n_columns + 1) / 2;

  for (index_t b = blockIdx.x; b < tiling.blocks; b += gridDim.x) {
    const Tile tile = tile_of(tiling, b * groups + group, q_rows, pairs);
    const int first = tile.row + a.row_phase / 2 - (L0 / 2 - 1);
    const int last = first + L0 / 2 - 1 + tile.rows - 1;
    for (int e = t; e < entries; e += threads) {
      table[e] = source_of<Re, false>(a.rows, first + e, tile.rows > 0 && first + e <= last);
    }
    const int column = tile.column + a.column_phase / 2 - (L1 / 2 - 1);
    Reader reader(a.band, a.batch, tile.item, a.columns, table, column + t,
                  column + L1 / 2 - 1 + tile.columns - 1 + Odd);
    reader.first = first;
    reader.stop = tile.rows > 0 ? smaller(int(a.rows.n), last + 1) : 0;
    __syncthreads();

    typename Reader::template Held<R> fresh;
    C window[4][L0 / 2 - 1 + R];
    if constexpr (L0 > 2) {
      typename Reader::template Held<L0 / 2 - 1> before;
      reader.read(0, before);
      reader.read(L0 / 2 - 1, fresh);
#pragma unroll
      for (int q = 0; q < 4; ++q) {
#pragma unroll
        for (int i = 0; i < L0 / 2 - 1; ++i) window[q][i] = before.value(q, i);
      }
    } else {
      reader.read(0, fresh);
    }

    // If the phase is odd, the first row of the first pair does not exist.
    int row = 2 * tile.row - a.row_phase % 2;
    const int row_stop = smaller(a.n_rows, 2 * (tile.row + tile.rows) - a.row_phase % 2);
    const int pair = 2 * (tile.column + t);
    Out* out = static_cast<Out*>(a.out.data) + locate(a.batch, tile.item, a.out) +
               row * a.out.stride[0] + pair * a.out.stride[1];
    for (int step = 0; step < steps; ++step) {
      C* rows = buffers + (step % 2 ? groups * (4 * R * threads) : 0);
#pragma unroll
      for (int q = 0; q < 4; ++q) {
#pragma unroll
        for (int u = 0; u < R; ++u) window[q][L0 / 2 - 1 + u] = fresh.value(q, u);
      }
      C merged[2 * R][2];
      merge_rows<C, decltype(row_taps), L0, R>(window, row_taps, merged);
#pragma unroll
      for (int r = 0; r < 2 * R; ++r) {
        rows[2 * r * threads + t] = merged[r][0];
        rows[(2 * r + 1) * threads + t] = merged[r][1];
      }
#pragma unroll
      for (int q = 0; q < 4; ++q) {
#pragma unroll
        for (int i = 0; i < L0 / 2 - 1; ++i) window[q][i] = window[q][i + R];
      }
      // Loads the rows of the next step while this step computes.
      if (step + 1 < steps) reader.read(L0 / 2 - 1 + R * (step + 1), fresh);
      __syncthreads();

      if (t < tile.columns) {
        C made[2 * R][2];
        merge_columns<C, decltype(column_taps), L1, 2 * R, Odd>(rows + t, threads, column_taps,
                                                                 made);
        const bool both = pair + 1 < a.n_columns;
#pragma unroll
        for (int r = 0; r < 2 * R; ++r) {
          if (row + r < 0 || row + r >= row_stop) continue;
          Out* at = out + r * a.out.stride[0];
          const Pack<Out, 2> two = {{narrowed<Out>(made[r][0]), narrowed<Out>(made[r][1])}};
          if (both && a.packed) {
            *reinterpret_cast<Pack<Out, 2>*>(at) = two;
          } else {
            at[0] = two.value[0];
            if (both) at[a.out.stride[1]] = two.value[1];
          }
        }
      }
      row += 2 * R;
      out += 2 * R * a.out.stride[0];
    }
  }
}

}  // namespace liftwave
