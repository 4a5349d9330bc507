// Lifting steps on a tile in shared memory.
//
// A thread computes the sources of a target once, also beyond the signal's ends, and uses them for
// all its lines of the tile.
#pragma once
#include "lifting/plan.cuh"

namespace liftwave {

// The layout of steps in a tile: lines are side by side, in two planes if the other axis has two
// channels.
struct Lines {
  int along, channel;      // distances: to the next pair, to the other channel
  int across, plane;       // distances: to the next line, to the other plane
  int begin, end, planes;  // lines
  int from, by;            // a thread's first pair, and the distance to its next one
  int line_from, line_by;  // the same for lines
};

// The parts of a step other than taps; `memory` is that of the even channel.
template <class W>
struct StepAt {
  const LiftAxis& axis;
  const Span& span;
  const LiftStep& step;
  const Lines& lines;
  W* memory;

  // The position of place i of the extended source; -1 for zero.
  __device__ int source_at(int i) const {
    const int channel = 1 - step.target;
    if (unsigned(i) >= unsigned(span.length(channel))) {
      index_t index;
      if (single_row(extension(channel, step.extend), span.start + i, index) == 0) return -1;
      i = int(index - span.start);
    }
    return channel * lines.channel + i * lines.along;
  }

  __device__ Extension extension(int channel, int mode) const {
    return {(axis.padded + 1 - channel) / 2, axis.padded, mode, channel};
  }

  // Replaces target[k] of all lines by change(target[k], the line's first number).
  template <class Change>
  __device__ void on_lines(int k, const Change& change) const {
    W* target = memory + step.target * lines.channel + k * lines.along;
#pragma unroll 1
    for (int p = 0; p < lines.planes; ++p) {
      for (int i = lines.begin + lines.line_from; i < lines.end; i += lines.line_by) {
        const int line = p * lines.plane + i * lines.across;
        target[line] = change(target[line], memory + line);
      }
    }
  }

  // Taps j, …, j + Count - 1 of target k, evaluated at `place` (possibly beyond the ends).
  template <int Count, class Tap>
  __device__ void add(int k, int place, int j, tap_t<W> factor, const Tap& tap) const {
    tap_t<W> weight[Count];
    int at[Count];
#pragma unroll
    for (int e = 0; e < Count; ++e) {
      at[e] = source_at(place + step.offset + j + e);
      weight[e] = factor * tap(j + e);
    }
    on_lines(k, [&](W sum, const W* line) {
#pragma unroll
      for (int e = 0; e < Count; ++e) {
        if (at[e] >= 0) sum = multiply_add(weight[e], line[at[e]], sum);
      }
      return sum;
    });
  }

  template <class Tap>
  __device__ void add_all(int k, int place, tap_t<W> factor, const Tap& tap) const {
#pragma unroll 1
    for (int j = 0; j < step.length; j += 4) {
      switch (step.length - j) {
        case 1: add<1>(k, place, j, factor, tap); break;
        case 2: add<2>(k, place, j, factor, tap); break;
        case 3: add<3>(k, place, j, factor, tap); break;
        default: add<4>(k, place, j, factor, tap);
      }
    }
  }

  // The increments beyond the ends that are added to target k.
  template <class Tap>
  __device__ void fold(int k, tap_t<W> sign, const Tap& tap) const {
    const Extension x = extension(step.target, step.fold);
    const index_t target = span.start + k;
#pragma unroll 1
    for (int e = -step.before; e < step.after; ++e) {
      const index_t place = e < 0 ? e : x.n + e;
      index_t index;
      const int weight = single_row(x, place, index);
      if (weight && index == target) add_all(k, int(place - span.start), sign * weight, tap);
    }
  }

  // Changes target k by the rounded sum of all taps, in integers of type U that may wrap around; S is
  // the signed one. Samples beyond the ends that are zero have the weight zero.
  template <int Count, class U, class S, class Tap>
  __device__ void add_rounded(int k, const Tap& tap) const {
    U weight[Count];
    int at[Count];
#pragma unroll
    for (int e = 0; e < Count; ++e) {
      const int source = source_at(k + step.offset + e);
      weight[e] = source < 0 ? U(0) : U(S(tap(e)));
      at[e] = source < 0 ? 0 : source;
    }
    on_lines(k, [&](W value, const W* line) {
      U sum = U(1) << (step.bits - 1);
#pragma unroll
      for (int e = 0; e < Count; ++e) sum += weight[e] * U(S(line[at[e]]));
      return rounded(value, U(S(sum) >> step.bits));
    });
  }
  // The same for any number of taps.
  template <class Tap>
  __device__ void add_rounded(int k, const Tap& tap) const {
    typedef unsigned long long U;
    on_lines(k, [&](W value, const W* line) {
      U sum = U(1) << (step.bits - 1);
#pragma unroll 1
      for (int j = 0; j < step.length; ++j) {
        const int at = source_at(k + step.offset + j);
        if (at >= 0) sum += U(tap(j)) * U((long long)(line[at]));
      }
      return rounded(value, U((long long)(sum) >> step.bits));
    });
  }
  template <class U>
  __device__ W rounded(W value, U increment) const {
    return W(step.subtract ? U(value) - increment : U(value) + increment);
  }

  template <int Count, class Tap>
  __device__ void add_few_rounded(int k, const Tap& tap) const {
    if constexpr (sizeof(W) <= 2) {
      if (step.narrow) return add_rounded<Count, unsigned, int>(k, tap);
    }
    add_rounded<Count, unsigned long long, long long>(k, tap);
  }

  template <class Tap>
  __device__ void operator()(int k, const Tap& tap) const {
    if constexpr (is_integer<W>) {
      switch (step.length) {
        case 1: add_few_rounded<1>(k, tap); break;
        case 2: add_few_rounded<2>(k, tap); break;
        case 4: add_few_rounded<4>(k, tap); break;
        default: add_rounded(k, tap);
      }
    } else {
      const tap_t<W> sign = step.subtract ? tap_t<W>(-1) : tap_t<W>(1);
      add_all(k, k, sign, tap);
      const index_t target = span.start + k;
      const bool near = target <= step.before ||
                        target + step.after + 2 >= (axis.padded + 1 - step.target) / 2;
      if ((step.before || step.after) && near) fold(k, sign, tap);
    }
  }
};

// The steps of an axis, one after the other, by all threads of the block. If the signal continues
// beyond the tile, each step leaves fewer valid pairs.
template <class W, class Tap>
__device__ void take_steps(const LiftAxis& axis, const Span& span, const LiftStep* steps,
                           const Lines& lines, W* memory, const Tap& tap) {
  int begin = 0, end = span.size;
#pragma unroll 1
  for (int s = axis.first; s < axis.first + axis.steps; ++s) {
    const LiftStep& step = steps[s];
    const int last = step.offset + step.length - 1;
    if (!span.first && step.offset < 0) begin -= step.offset;
    if (!span.last && last > 0) end -= last;
    const int stop = span.last ? span.length(step.target) : end;
    const StepAt<W> at = {axis, span, step, lines, memory};
#pragma unroll 1
    for (int k = begin + lines.from; k < stop; k += lines.by) {
      at(k, [&](int j) { return tap(step.first + j); });
    }
    __syncthreads();
  }
}

}  // namespace liftwave
