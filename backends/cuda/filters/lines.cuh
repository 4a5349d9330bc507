// Lines along one axis of arrays: their distribution over blocks and threads, and the samples of a
// line at any place, also beyond its ends.
//
// Along the axis in which memory is contiguous, a block takes pieces of one or more lines through
// shared memory. Across it, every thread walks down a piece of its own line, next to those of its
// neighbours, with its samples in registers.
#pragma once
#include "common/arrays.cuh"
#include "common/boundary.cuh"
#include "filters/taps.cuh"

namespace liftwave {

struct Lines {
  Batch batch;         // one item is one line
  Array array[3];      // a signal and up to two bands, or up to two bands and a signal
  Extension extend;    // of the input
  Fold fold;           // of the output
  index_t n_out;       // of the output, along the axis
  index_t begin, end;  // in units: outputs of an analysis, pairs of a synthesis, groups of outputs
  index_t inner_begin, inner_end;  // units that need no samples beyond the ends
  index_t pieces;      // of each line
  index_t blocks;
  index_t phase;
  index_t dilation;    // the distance of taps without downsampling
  int tile;            // units of a piece
  int lines;           // lines that a block processes at once (along)
  int length, padding;
};

template <bool Learned, class R, int Count>
struct TapsOf {
  typedef GivenTaps<R, Count> type;
};
template <class R, int Count>
struct TapsOf<true, R, Count> {
  typedef LearnedTaps<R> type;
};

// The most taps in the arguments of a launch.
constexpr int most_given_taps = 128;

template <class R, int L, bool Learned>
struct FilterArguments {
  Lines lines;
  typename TapsOf<Learned, R, L ? L : most_given_taps>::type taps;
};

__device__ inline index_t smaller(index_t a, index_t b) { return a < b ? a : b; }
__device__ inline index_t larger(index_t a, index_t b) { return a > b ? a : b; }

// --- samples of a line ---------------------------------------------------------------------------

template <class T>
struct Line {
  const T* data;
  index_t stride;

  __device__ computed_t<T> operator[](index_t i) const { return load(data + i * stride); }
};

template <class T>
__device__ Line<T> line_of(const Array& array, index_t offset) {
  return {static_cast<const T*>(array.data) + offset, array.stride[0]};
}

// The sample at any place outside of the line.
template <class T>
__device__ computed_t<T> beyond(const Line<T>& line, const Extension& extend, index_t i) {
  typedef real_t<T> R;
  computed_t<T> sum = {};
  if (!has_long_rows(extend.mode)) {
    index_t index;
    const int weight = single_row(extend, i, index);
    if (weight == 0) return sum;
    const computed_t<T> value = line[index];
    return weight < 0 ? R(-1) * value : value;
  }
  const Row<R> row = row_of<R>(extend, i);
  for (int e = 0; e < 3; ++e) {
    if (row.weight[e] != R(0)) sum = multiply_add(row.weight[e], line[row.index[e]], sum);
  }
  return sum;
}

// The sample at any place.
template <class T>
__device__ computed_t<T> sample(const Line<T>& line, const Extension& extend, index_t i) {
  return i >= 0 && i < extend.n ? line[i] : beyond(line, extend, i);
}

// Calls body(offset of the line in each array, place) for all places of all lines onto which
// something is folded.
template <class Body>
__device__ void for_folded(const Lines& a, const Body& body) {
  const Fold& fold = a.fold;
  const index_t lefts = fold.left_stop - fold.left_start;
  const index_t places = lefts + fold.right_stop - fold.right_start;
  const index_t step = index_t(gridDim.x) * blockDim.x;
  for (index_t item = blockIdx.x * index_t(blockDim.x) + threadIdx.x;
       item < places * a.batch.count; item += step) {
    const index_t at = item / a.batch.count;
    const index_t place = at < lefts ? fold.left_start + at : fold.right_start + at - lefts;
    if (at >= lefts && place >= fold.left_start && place < fold.left_stop) continue;  // done
    index_t offset[3];
    locate(a.batch, item - at * a.batch.count, a.array, offset);
    body(offset, place);
  }
}

// sum = first ? tap * value : sum + tap * value
template <class R, class C>
__device__ void add_tap(C& sum, R tap, C value, bool first) {
  sum = first ? tap * value : multiply_add(tap, value, sum);
}

template <class T, class C>
__device__ void put(const Array& array, index_t offset, index_t i, C value) {
  store(static_cast<T*>(array.data) + offset + i * array.stride[0], value);
}

// --- pieces of lines in shared memory ------------------------------------------------------------

// The work of a block at one time: units `first` … `first + count - 1` of lines `line` … .
struct Piece {
  index_t line, first;
  int lines, count;
};

__device__ inline Piece piece_of(const Lines& a, index_t block, int lines) {
  const index_t group = block / a.pieces, line = group * lines;
  const index_t first = a.begin + (block - group * a.pieces) * a.tile;
  return {line, first, int(smaller(lines, a.batch.count - line)), int(smaller(a.tile, a.end - first))};
}

// The offsets of the piece's lines in all three arrays, for all threads.
__device__ inline void locate_lines(const Lines& a, const Piece& piece, index_t (*offset)[3]) {
  for (int line = threadIdx.x; line < piece.lines; line += blockDim.x) {
    locate(a.batch, piece.line + line, a.array, offset[line]);
  }
}

// An item of a line. Items are numbered line by line, with `size` items each.
struct InLine {
  int line, at;
};
__device__ inline InLine in_line(int item, int size, int lines) {
  const int line = lines == 1 ? 0 : item / size;
  return {line, item - line * size};
}

// Reads `size` numbers of one line.
template <class T, class Put>
__device__ void fill_inside(const T* from, index_t stride, int size, const Put& put) {
  constexpr int several = 16 / int(sizeof(computed_t<T>)) * 2;
  const index_t step = blockDim.x * stride;
  int at = threadIdx.x;
  from += at * stride;
  for (; at + (several - 1) * int(blockDim.x) < size; at += several * int(blockDim.x)) {
    computed_t<T> value[several];
#pragma unroll
    for (int u = 0; u < several; ++u, from += step) value[u] = load(from);
#pragma unroll
    for (int u = 0; u < several; ++u) put(0, at + u * int(blockDim.x), value[u]);
  }
#pragma unroll 4
  for (; at < size; at += int(blockDim.x), from += step) put(0, at, load(from));
}

// The same for several lines and, for modes with short rows, beyond their ends.
template <class T, class Put>
__device__ void fill_lines(const Extension& extend, const T* data, index_t stride,
                           index_t (*offset)[3], int which, int lines, index_t first, int size,
                           const Put& put) {
  typedef real_t<T> R;
  constexpr int several = 4;
  for (int item = threadIdx.x; item < lines * size; item += several * blockDim.x) {
    computed_t<T> value[several];
    int weight[several];
#pragma unroll
    for (int u = 0; u < several; ++u) {
      const int of = item + u * int(blockDim.x);
      value[u] = {};
      weight[u] = of < lines * size;
      if (!weight[u]) continue;
      const InLine to = in_line(of, size, lines);
      index_t i = first + to.at;
      if (i < 0 || i >= extend.n) weight[u] = single_row(extend, i, i);
      if (weight[u]) value[u] = load(data + offset[to.line][which] + (i - first) * stride);
    }
#pragma unroll
    for (int u = 0; u < several; ++u) {
      const int of = item + u * int(blockDim.x);
      if (of >= lines * size) continue;
      const InLine to = in_line(of, size, lines);
      put(to.line, to.at, weight[u] < 0 ? R(-1) * value[u] : value[u]);
    }
  }
}

// Passes samples `first` … `first + size - 1` of each line to put(line, at, value). Some loads
// overlap: first their addresses are determined, then all are loaded.
template <class T, class Put>
__device__ void fill(const Lines& a, const Array& array, index_t (*offset)[3], int which,
                     const Piece& piece, index_t first, int size, const Put& put) {
  const index_t stride = array.stride[0];
  const T* data = static_cast<const T*>(array.data) + first * stride;
  const bool inside = first >= 0 && first + size <= a.extend.n;
  if (inside && piece.lines == 1) fill_inside(data + offset[0][which], stride, size, put);
  else if (inside || !has_long_rows(a.extend.mode)) {
    fill_lines(a.extend, data, stride, offset, which, piece.lines, first, size, put);
  } else {
    for (int item = threadIdx.x; item < piece.lines * size; item += blockDim.x) {
      const InLine to = in_line(item, size, piece.lines);
      const Line<T> line = {data + offset[to.line][which] - first * stride, stride};
      put(to.line, to.at, sample(line, a.extend, first + to.at));
    }
  }
}

// A number in shared memory, read and written at once.
template <class C>
struct __align__(sizeof(C)) Slot {
  C value;
};

// Even and odd samples of pieces of lines, contiguous in shared memory, each line `width` of both.
// The odd ones begin half of the banks later, which avoids bank conflicts between neighbours.
template <class C>
struct SplitLines {
  index_t (*offset)[3];
  Slot<C> *even, *odd;
  int width;

  // In shared memory, from a multiple of 16 bytes on.
  __device__ SplitLines(const Lines& a, int length, unsigned begin = 0) {
    constexpr int turn = 128 / int(sizeof(C));
    width = a.tile + (length + 1) / 2 - 1;
    const int needed = a.lines * width;
    offset = shared_memory<index_t[3]>(begin);
    even = reinterpret_cast<Slot<C>*>(offset + a.lines + (a.lines & 1));
    odd = even + needed + (turn + turn / 2 - needed % turn) % turn;
  }

  // Loads what the taps of an analysis read. Earlier reads must be complete.
  template <class T>
  __device__ void load(const Lines& a, const Piece& piece, int length) {
    locate_lines(a, piece, offset);
    __syncthreads();
    const int halo = (length + 1) / 2 - 1;
    const index_t first = 2 * piece.first + a.phase - (2 * halo + 1);
    fill<T>(a, a.array[0], offset, 0, piece, first, 2 * (piece.count + halo),
            [&](int line, int at, C value) { (at & 1 ? odd : even)[line * width + at / 2] = {value}; });
    __syncthreads();
  }
};

}  // namespace liftwave
