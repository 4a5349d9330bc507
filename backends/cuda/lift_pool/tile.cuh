// Tiles of planes in shared memory, split into even and odd samples along their rows, their columns
// or both. Coordinates are places in a half, counted from the start of the tile.
#pragma once
#include "common/arrays.cuh"
#include "common/boundary.cuh"
#include "common/numbers.cuh"

namespace liftwave {

constexpr int lift_pool_bands = 4;

struct LiftPoolAxis {
  Extension extension[2];  // of even and odd halves; of an axis that is not halved, all samples
  index_t n;               // samples of the signal
  index_t tile, tiles;  // samples of a half in a tile, and the number of tiles
  int split;            // whether the axis is halved
  int ends;             // whether the signal is finite; otherwise it is periodic
  int back;             // how far before the sample behind an odd number is the one that it repeats
  int padding;

  __device__ index_t half() const { return extension[0].n; }
};

// Byte offsets in shared memory.
struct LiftPoolMemory {
  unsigned place, totals, partial, beyond, values, cotangents, hidden, gaps;
  int pitch;  // of rows of values and cotangents: odd, which avoids bank conflicts in columns
};

struct LiftPoolJob {
  Batch batch;
  LiftPoolAxis rows, cols;
  const void* filters;  // (passes, 2, channels, kernel + 3), of the computed type
  index_t channels, parts, blocks, tiles;  // parts: blocks of one channel; tiles: of one channel
  LiftPoolMemory memory;
  int filter[3];  // of the columns' halving, and of the rows' halving in both halves
  int number[3];  // the numbers of these passes
  int kernel;
  int halo;    // samples of a half needed on either side of the tile's own
  int around;  // how far from a result are the samples that its filter reads, at most
};

// The samples of a tile along one axis, and its own ones among them.
struct Span {
  index_t start;  // the first sample of the tile in a half
  int size, begin, end;
  int split;
  // Sources of the samples before and behind the ends, of the even and of the odd half; -1: zero.
  const int* beyond;

  // The samples within `reach` of the tile's own, as far as they exist.
  __device__ int from(int reach) const { return begin < reach ? 0 : begin - reach; }
  __device__ int to(int reach) const { return end + reach > size ? size : end + reach; }
  __device__ int parts() const { return 1 + split; }
};

__device__ inline Span span_of(const LiftPoolAxis& axis, index_t number, int halo,
                               const int* beyond) {
  const index_t n = axis.half(), begin = number * axis.tile;
  const index_t end = begin + axis.tile < n ? begin + axis.tile : n;
  const int around = axis.split ? halo : 0;
  index_t start = begin - around, stop = end + around;
  if (axis.ends && start < 0) start = 0;
  if (axis.ends && stop > n) stop = n;
  return {start, int(stop - start), int(begin - start), int(end - start), axis.split, beyond};
}

// Stores which samples the filters read beyond the ends: `before` places, then those behind, of the
// even and of the odd half.
__device__ inline void note_beyond(const LiftPoolAxis& axis, const Span& span, int kernel,
                                   int* beyond) {
  if (!axis.split) return;
  const index_t n = axis.half();
  const int before = (kernel - 1) / 2, places = kernel - 1;
  for (int i = threadIdx.x; i < 2 * places; i += blockDim.x) {
    const int parity = i >= places, q = i - parity * places;
    const bool left = q < before;
    const bool here = axis.ends && (left ? span.start == 0 : span.start + span.size == n);
    index_t index = 0;
    const index_t place = left ? index_t(q - before) : n + (q - before);
    const bool is_sample = here && single_row(axis.extension[parity], place, index) != 0;
    beyond[i] = is_sample ? int(index - span.start) : -1;
  }
}

// The position of sample `i` of a tile's halves in a half.
__device__ inline index_t half_of(const LiftPoolAxis& axis, const Span& span, int i) {
  const index_t n = axis.half();
  index_t k = span.start + i;
  while (k < 0) k += n;
  while (k >= n) k -= n;
  return k;
}

// The position of sample `i` of a tile in the signal. It may be one behind the end of an odd
// number.
__device__ inline index_t sample_of(const LiftPoolAxis& axis, const Span& span, int i) {
  const index_t k = half_of(axis, span, i >> span.split);
  return span.split ? 2 * k + (i & 1) : k;
}

// Two contiguous numbers, read and written at once.
template <class T>
struct alignas(2 * sizeof(T)) Two {
  T first, second;
};

// For all of `rows` times `cols` cells, a few per thread at a time: read, then written.
template <class C, class Read, class Write>
__device__ void copy_cells(int rows, int cols, const Read& read, const Write& write) {
  constexpr int several = sizeof(C) > 8 ? 2 : 4;
  if (cols <= 0) return;
  const int threads = blockDim.x, down = threads / cols, right = threads - down * cols;
  int row = int(threadIdx.x) / cols, col = int(threadIdx.x) - row * cols;
  while (row < rows) {
    C value[several] = {};
    int at_row[several], at_col[several];
#pragma unroll
    for (int u = 0; u < several; ++u) {
      at_row[u] = row;
      at_col[u] = col;
      if (row < rows) value[u] = read(row, col);
      row += down;
      col += right;
      if (col >= cols) {
        col -= cols;
        ++row;
      }
    }
#pragma unroll
    for (int u = 0; u < several; ++u) {
      if (at_row[u] < rows) write(at_row[u], at_col[u], value[u]);
    }
  }
}

// The tile of a block. It is in shared memory, since registers are scarce.
struct Place {
  Span rows, cols;
  index_t channel, item;  // item: of the batch
};

static_assert(sizeof(Place) <= 96, "the host leaves so much room");

struct Tile {
  const LiftPoolJob& job;
  const Span &rows, &cols;
  const index_t &channel, &item;

  __device__ int pitch() const { return job.memory.pitch; }
  // The offset of the part with even (0) or odd (1) rows and columns.
  __device__ int part(int row, int col) const {
    return row * rows.size * pitch() + col * cols.size;
  }
  __device__ index_t origin(const Array& array) const {
    return locate(job.batch, item, array) + channel * array.stride[0];
  }
};

// The tile of this number, and the samples beyond its ends, for the whole block.
__device__ inline Tile tile_of(const LiftPoolJob& job, index_t channel, index_t number) {
  Place& place = *shared_memory<Place>(job.memory.place);
  int* const beyond = shared_memory<int>(job.memory.beyond);
  int* const of_cols = beyond + 2 * (job.kernel - 1);
  __syncthreads();
  if (threadIdx.x == 0) {
    const index_t rest = number / job.cols.tiles, col = number - rest * job.cols.tiles;
    const index_t item = rest / job.rows.tiles, row = rest - item * job.rows.tiles;
    place = {span_of(job.rows, row, job.halo, beyond), span_of(job.cols, col, job.halo, of_cols),
             channel, item};
  }
  __syncthreads();
  note_beyond(job.rows, place.rows, job.kernel, beyond);
  note_beyond(job.cols, place.cols, job.kernel, of_cols);
  return {job, place.rows, place.cols, place.channel, place.item};
}

// Whether samples 2 k and 2 k + 1 of all rows can be read and written at once.
template <class T>
__device__ bool is_paired(const LiftPoolAxis& cols, const Array& array, const T* from) {
  return cols.split && cols.n % 2 == 0 && array.stride[2] == 1 && array.stride[1] % 2 == 0 &&
         reinterpret_cast<unsigned long long>(from) % sizeof(Two<T>) == 0;
}

// An odd number of samples is padded with one of the last ones again, or with zero.
template <class T, class C>
__device__ void load_signal(const Tile& tile, const Array& array, bool repeats, C* to) {
  const T* const from = static_cast<const T*>(array.data) + tile.origin(array);
  const Span rows = tile.rows, cols = tile.cols;
  const LiftPoolAxis &of_rows = tile.job.rows, &of_cols = tile.job.cols;
  const index_t down = array.stride[1], right = array.stride[2];
  const int count = rows.size << rows.split, pitch = tile.pitch();
  const int odd_rows = tile.part(1, 0), odd_cols = tile.part(0, 1);
  const auto cell = [&](int r) {
    return (r & rows.split ? odd_rows : 0) + (r >> rows.split) * pitch;
  };
  if (is_paired(of_cols, array, from)) {
    copy_cells<Two<C>>(
        count, cols.size,
        [&](int r, int c) {
          const index_t row = sample_of(of_rows, rows, r);
          const bool below = row >= of_rows.n;
          if (below && !repeats) return Two<C>{C(0), C(0)};
          const Two<T> two = *reinterpret_cast<const Two<T>*>(from + (row - below * of_rows.back) * down +
                                                              2 * half_of(of_cols, cols, c));
          return Two<C>{widened(two.first), widened(two.second)};
        },
        [&](int r, int c, Two<C> value) {
          C* const at = to + cell(r) + c;
          at[0] = value.first;
          at[odd_cols] = value.second;
        });
    return;
  }
  copy_cells<C>(
      count, cols.size << cols.split,
      [&](int r, int c) {
        index_t row = sample_of(of_rows, rows, r), col = sample_of(of_cols, cols, c);
        const bool below = row >= of_rows.n, behind = col >= of_cols.n;
        if ((below || behind) && !repeats) return C(0);
        row -= below * of_rows.back;
        col -= behind * of_cols.back;
        return load(from + row * down + col * right);
      },
      [&](int r, int c, C value) {
        to[cell(r) + (c & cols.split ? odd_cols : 0) + (c >> cols.split)] = value;
      });
}

// The number of the tile's own samples that exist in the signal.
__device__ inline int samples_given(const LiftPoolAxis& axis, const Span& span) {
  const int count = (span.end - span.begin) << span.split;
  const index_t left = axis.n - ((span.start + span.begin) << span.split);
  return left < count ? int(left) : count;
}

template <class T, class C>
__device__ void store_signal(const Tile& tile, const C* from, const Array& array) {
  const Span rows = tile.rows, cols = tile.cols;
  const index_t down = array.stride[1], right = array.stride[2];
  T* const to = static_cast<T*>(array.data) + tile.origin(array) +
                ((rows.start + rows.begin) << rows.split) * down +
                ((cols.start + cols.begin) << cols.split) * right;
  const int pitch = tile.pitch(), odd_rows = tile.part(1, 0), odd_cols = tile.part(0, 1);
  const int count = samples_given(tile.job.rows, rows);
  const C* const first = from + rows.begin * pitch + cols.begin;
  const auto cell = [&](int r) {
    return (r & rows.split ? odd_rows : 0) + (r >> rows.split) * pitch;
  };
  if (is_paired(tile.job.cols, array, to)) {
    copy_cells<Two<C>>(
        count, cols.end - cols.begin,
        [&](int r, int c) {
          const C* const at = first + cell(r) + c;
          return Two<C>{at[0], at[odd_cols]};
        },
        [&](int r, int c, Two<C> value) {
          *reinterpret_cast<Two<T>*>(to + r * down + 2 * c) = {narrowed<T>(value.first),
                                                               narrowed<T>(value.second)};
        });
    return;
  }
  copy_cells<C>(
      count, samples_given(tile.job.cols, cols),
      [&](int r, int c) {
        return first[cell(r) + (c & cols.split ? odd_cols : 0) + (c >> cols.split)];
      },
      [&](int r, int c, C value) { store(to + r * down + c * right, value); });
}

// Band numbers have the bit of the columns first. Bands without an array are zero.
__device__ inline int band_of(const Tile& tile, int row, int col) {
  return (col << tile.rows.split) + row;
}

template <class T, class C>
__device__ void load_bands(const Tile& tile, const Array* bands, C* to) {
  const Span rows = tile.rows, cols = tile.cols;
  for (int p = 0; p < rows.parts(); ++p) {
    for (int q = 0; q < cols.parts(); ++q) {
      const Array& array = bands[band_of(tile, p, q)];
      const bool given = array.data;
      const T* const from = static_cast<const T*>(array.data) + (given ? tile.origin(array) : 0);
      const index_t down = array.stride[1], right = array.stride[2];
      C* const part = to + tile.part(p, q);
      copy_cells<C>(
          rows.size, cols.size,
          [&](int r, int c) {
            return given ? load(from + half_of(tile.job.rows, rows, r) * down +
                                half_of(tile.job.cols, cols, c) * right)
                         : C(0);
          },
          [&](int r, int c, C value) { part[r * tile.pitch() + c] = value; });
    }
  }
}

// The address of the tile's own part of a band.
template <class T>
__device__ T* given_of(const Tile& tile, const Array& band) {
  return static_cast<T*>(band.data) + tile.origin(band) +
         (tile.rows.start + tile.rows.begin) * band.stride[1] +
         (tile.cols.start + tile.cols.begin) * band.stride[2];
}

template <class T, class C>
__device__ void store_bands(const Tile& tile, const C* from, const Array* bands) {
  const Span rows = tile.rows, cols = tile.cols;
  for (int p = 0; p < rows.parts(); ++p) {
    for (int q = 0; q < cols.parts(); ++q) {
      const Array& array = bands[band_of(tile, p, q)];
      if (!array.data) continue;
      T* const to = given_of<T>(tile, array);
      const index_t down = array.stride[1], right = array.stride[2];
      const C* const part = from + tile.part(p, q) + rows.begin * tile.pitch() + cols.begin;
      copy_cells<C>(
          rows.end - rows.begin, cols.end - cols.begin,
          [&](int r, int c) { return part[r * tile.pitch() + c]; },
          [&](int r, int c, C value) { store(to + r * down + c * right, value); });
    }
  }
}

// The sum of the bands whose bits are set.
template <class T, class C>
__device__ void store_sum(const Tile& tile, const C* from, const Array& band, int chosen) {
  const Span rows = tile.rows, cols = tile.cols;
  T* const to = given_of<T>(tile, band);
  const index_t down = band.stride[1], right = band.stride[2];
  copy_cells<C>(
      rows.end - rows.begin, cols.end - cols.begin,
      [&](int r, int c) {
        const int at = (rows.begin + r) * tile.pitch() + cols.begin + c;
        C sum = C(0);
        bool any = false;
        for (int q = 0; q < cols.parts(); ++q) {
          for (int p = 0; p < rows.parts(); ++p) {
            if (!(chosen >> band_of(tile, p, q) & 1)) continue;
            const C value = from[tile.part(p, q) + at];
            sum = any ? sum + value : value;
            any = true;
          }
        }
        return sum;
      },
      [&](int r, int c, C value) { store(to + r * down + c * right, value); });
}

}  // namespace liftwave
