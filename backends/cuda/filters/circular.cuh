// Filters without downsampling along an axis whose ends are joined:
//
//   y[k] = sum_j f[j] x[(k + phase - dilation j) mod n]
//
// Phase and dilation are between 0 and n - 1. A thread computes a group of outputs at a time, whose
// places are `dilation` apart, so that they read the same samples. Neighbouring threads read
// neighbouring samples, and the caches hold those that several of them read.
#pragma once
#include "filters/lines.cuh"

namespace liftwave {

// Calls body(offsets of a line in each array, unit) for the units of the piece of a block. The
// offsets of lines are in shared memory from byte `begin` on.
template <bool Along, class Body>
__device__ void for_units(const Lines& a, index_t block, unsigned begin, const Body& body) {
  if constexpr (Along) {
    const Piece piece = piece_of(a, block, a.lines);
    index_t(*offset)[3] = shared_memory<index_t[3]>(begin);
    locate_lines(a, piece, offset);
    __syncthreads();
    for (int item = threadIdx.x; item < piece.lines * piece.count; item += blockDim.x) {
      const InLine of = in_line(item, piece.count, piece.lines);
      body(offset[of.line], piece.first + of.at);
    }
    __syncthreads();
  } else {
    const Piece piece = piece_of(a, block, blockDim.x);
    if (int(threadIdx.x) >= piece.lines) return;
    index_t offset[3];
    locate(a.batch, piece.line + threadIdx.x, a.array, offset);
    for (index_t unit = piece.first; unit < piece.first + piece.count; ++unit) body(offset, unit);
  }
}

// The place of the first output of a group of `Several`. Others of the group may be beyond the end.
template <int Several>
__device__ index_t first_of_group(index_t group, index_t dilation) {
  return Several == 1 ? group : group + (Several - 1) * dilation * (group / dilation);
}

// Reads samples of equal distance one after the other, from any place on. The distance is less than n
// in size.
template <class T>
struct Samples {
  const T* next;
  index_t step, turn;  // in numbers: to the next sample, and around the line
  index_t n, at, distance;
  bool inside;  // whether no place is beyond the ends

  // `far` is the last place.
  __device__ Samples(const Line<T>& line, index_t n, index_t place, index_t distance, index_t far)
      : step(distance * line.stride), turn(n * line.stride), n(n), at(place), distance(distance) {
    inside = smaller(place, far) >= 0 && larger(place, far) < n;
    if (!inside) at = modulo(place, n);
    next = line.data + at * line.stride;
  }

  __device__ computed_t<T> read() {
    const computed_t<T> value = load(next);
    next += step;
    if (!inside) wrap();
    return value;
  }

  __device__ void wrap() {
    at += distance;
    if (at < 0) {
      at += n;
      next += turn;
    } else if (at >= n) {
      at -= n;
      next -= turn;
    }
  }
};

}  // namespace liftwave
