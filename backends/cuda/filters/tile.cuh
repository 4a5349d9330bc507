// Common parts of the analysis and synthesis of tiles: the position of a tile in an array, the
// sources of its samples, and taps.
//
// One level along two axes is one kernel. Positions along the first axis are rows, along the second
// columns. A tile is a strip of columns and a segment of rows. Its threads own some columns each
// and walk down the rows, with the rows that the filters reach in registers. Filtered rows go
// through shared memory, where the filters along columns read them. If tiles are small, a block
// processes several.
#pragma once
#include "common/arrays.cuh"
#include "common/boundary.cuh"
#include "filters/taps.cuh"

namespace liftwave {

// Numbers that are read and written at once.
template <class T, int N>
struct __align__(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
  T value[N];
};

template <bool First, class A, class B>
struct Either {
  typedef A type;
};
template <class A, class B>
struct Either<false, A, B> {
  typedef B type;
};

__device__ inline int smaller(int a, int b) { return a < b ? a : b; }

// --- tiles ---------------------------------------------------------------------------------------

struct Tiling {
  index_t tiles, blocks;
  int segments, strips;  // of each item of the batch
  int segment, strip;    // size of each: rows, columns (or pairs of columns)
  int threads;           // per tile
  int table, buffers;    // byte offsets in shared memory
  int interleaved;       // whether neighbouring tiles belong to neighbouring items
};

// The first row and column of a tile, and its size; no rows if the tile does not exist.
struct Tile {
  index_t item;
  int row, column, rows, columns;
};

__device__ inline Tile tile_of(const Tiling& a, index_t number, int rows, int columns) {
  const bool exists = number < a.tiles;
  if (!exists) number = 0;
  const index_t places = index_t(a.segments) * a.strips, items = a.tiles / places;
  Tile tile;
  tile.item = a.interleaved ? number % items : number / places;
  const int place = int(a.interleaved ? number / items : number % places);
  const int segment = place / a.strips;
  tile.row = segment * a.segment;
  tile.column = (place - segment * a.strips) * a.strip;
  tile.rows = exists ? smaller(a.segment, rows - tile.row) : 0;
  tile.columns = smaller(a.strip, columns - tile.column);
  return tile;
}

// --- sources of samples ----------------------------------------------------------------------------

// The source of a row or column. With at most one sample it is a code: the sample's index, -2 -
// index if it is negated, -1 if there is none. Otherwise up to three samples and their weights.
template <class R, bool Long>
struct Source {
  int code;
};
template <class R>
struct Source<R, true> {
  R weight[3];
  int index[3];
};

// The source of row or column `i`; empty if the row or column is not used.
template <class R, bool Long>
__device__ Source<R, Long> source_of(const Extension& x, int i, bool used) {
  const bool inside = i >= 0 && i < x.n;
  Source<R, Long> source;
  if constexpr (Long) {
    Row<R> row = {{i, 0, 0}, {R(used), R(0), R(0)}};
    if (used && !inside) row = row_of<R, int>(x, i);
    for (int e = 0; e < 3; ++e) {
      source.weight[e] = row.weight[e];
      source.index[e] = int(row.index[e]);
    }
  } else {
    int index = i;
    int weight = used;
    if (used && !inside) weight = inlined_row(x, i, index);
    source.code = weight == 0 ? -1 : weight > 0 ? index : -2 - index;
  }
  return source;
}

template <class T>
__device__ T zero_of() {
  return narrowed<T>(computed_t<T>{});
}

// The sample, or the sum of samples, at the intersection of a row and a column.
template <class T, class R>
__device__ T sample_at(const T* image, const Array& array, Source<R, false> row,
                       Source<R, false> column) {
  if (row.code == -1 || column.code == -1) return zero_of<T>();
  const index_t i = row.code < 0 ? -2 - row.code : row.code;
  const index_t j = column.code < 0 ? -2 - column.code : column.code;
  const T value = image[i * array.stride[0] + j * array.stride[1]];
  const bool negated = (row.code < 0) != (column.code < 0);
  return negated ? narrowed<T>(R(-1) * widened(value)) : value;
}
template <class T, class R>
__device__ computed_t<T> sample_at(const T* image, const Array& array,
                                   const Source<R, true>& row, const Source<R, true>& column) {
  computed_t<T> sum = {};
  for (int e = 0; e < 3; ++e) {
    for (int f = 0; f < 3; ++f) {
      const R weight = row.weight[e] * column.weight[f];
      if (weight == R(0)) continue;
      const index_t at = row.index[e] * array.stride[0] + column.index[f] * array.stride[1];
      sum = multiply_add(weight, load(image + at), sum);
    }
  }
  return sum;
}

// --- registers -----------------------------------------------------------------------------------

constexpr int tile_threads = 128;  // the most threads of a block

// The number of blocks that a multiprocessor must hold: it leaves enough registers for windows of
// numbers of `size` bytes, for `taps` taps along rows. `more` asks for additional registers.
__host__ __device__ constexpr int tile_blocks(int size, int taps, bool more) {
  if (size == 4) return taps <= 2 ? 6 : taps <= (more ? 4 : 8) ? 5 : 4;
  return size == 8 && !(more && taps > 6) ? 3 : 2;
}

// The same of an analysis. Wide strips waste fewer threads on the columns that long filters need
// beyond a strip. Three blocks leave 128 registers, two leave 168. `sums` are samples beyond the
// ends that are sums.
constexpr int wide_tile_threads = 160;
__host__ __device__ constexpr int wide_tile_blocks(int size, bool sums) {
  return size > 4 || sums ? 2 : 3;
}

// --- taps ----------------------------------------------------------------------------------------

// Learned taps are read from shared memory, the two filters interleaved. Fixed taps are launch
// arguments.
template <class R, int L, bool Learned>
struct TileTaps {
  typedef GivenTaps<R, L> argument;
  const argument& given;

  __device__ Pack<R, 2> at(int j) const { return {{given.value[0][j], given.value[1][j]}}; }
};
template <class R, int L>
struct TileTaps<R, L, true> {
  typedef LearnedTaps<R> argument;
  const Pack<R, 2>* shared;

  __device__ Pack<R, 2> at(int j) const { return shared[j]; }
};

// The taps of the launch. Learned ones are copied to shared memory; the caller adds a barrier.
template <class R, int L, bool Learned>
__device__ TileTaps<R, L, Learned> tile_taps(
    const typename TileTaps<R, L, Learned>::argument& taps, Pack<R, 2>* shared) {
  if constexpr (Learned) {
    for (int j = threadIdx.x; j < L; j += blockDim.x) shared[j] = {{taps.at(0, j), taps.at(1, j)}};
    return {shared};
  } else {
    return {taps};
  }
}

// a * b + sum, or a * b if there is no sum yet.
template <class R, class C>
__device__ C add_product(bool first, R a, C b, C sum) {
  return first ? a * b : multiply_add(a, b, sum);
}

}  // namespace liftwave
