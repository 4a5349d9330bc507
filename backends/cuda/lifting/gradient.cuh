// The adjoint of the derivative of lifting along one axis, computed from the outputs of lifting.
//
// A tile has values and cotangents. Steps are undone on the values, last step first, and transposed
// on the cotangents. The gradient of a step's taps is summed over the tile's own targets, first in
// a block, then (elsewhere) over all blocks.
#pragma once
#include "lifting/transform.cuh"

namespace liftwave {

// The inverse steps come first, in their order, then the same number of adjoint steps, whose taps
// are in reverse order.
template <class R, bool Learned>
struct LiftGradientArguments {
  LiftArguments<R, Learned> values;
  Array signal, band[2];  // of cotangents
  double* partial;        // (blocks, taps + 2)
};

// Sums of a block, in shared memory: one for each tap and for both scales.
struct BlockSums {
  double* sums;
  double* warps;  // (8, 4)
  int count;

  __device__ BlockSums(unsigned offset, int numbers)
      : sums(shared_memory<double>(offset)), warps(sums + numbers), count(numbers) {
    for (int i = int(threadIdx.x); i < count; i += int(blockDim.x)) sums[i] = 0;
  }
  __device__ static unsigned bytes(int numbers) {
    return (unsigned(numbers + 32) * unsigned(sizeof(double)) + 15) / 16 * 16;
  }

  // Adds the numbers of all threads to up to four sums from `first` on.
  template <class R>
  __device__ void add(int first, int number, const R (&values)[4]) {
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      double sum = double(values[e]);
      for (int delta = 16; delta > 0; delta /= 2) {
        sum += __shfl_down_sync(0xffffffffu, sum, unsigned(delta));
      }
      if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32 * 4 + e] = sum;
    }
    __syncthreads();
    if (int(threadIdx.x) < number) {
      double sum = 0;
      for (int w = 0; w < int(blockDim.x) / 32; ++w) sum += warps[4 * w + int(threadIdx.x)];
      sums[first + int(threadIdx.x)] += sum;
    }
    __syncthreads();
  }

  __device__ void store(double* partial) const {
    for (int i = int(threadIdx.x); i < count; i += int(blockDim.x)) {
      partial[index_t(blockIdx.x) * count + i] = sums[i];
    }
  }
};

// Re <values, cotangents> of four taps from j on, for the tile's own targets.
template <class W>
struct TapProducts {
  const StepAt<W>& at;
  const W* cotangents;

  __device__ void add(int k, int place, int j, real_t<W> factor, real_t<W> (&sum)[4]) const {
    int source[4];
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      source[e] = j + e < at.step.length ? at.source_at(place + at.step.offset + j + e) : -1;
    }
    const Lines& lines = at.lines;
    const int target = at.step.target * lines.channel + k * lines.along;
    for (int i = lines.begin + lines.line_from; i < lines.end; i += lines.line_by) {
      const int line = i * lines.across;
      const W cotangent = factor * cotangents[target + line];
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        if (source[e] >= 0) sum[e] = inner_add(at.memory[source[e] + line], cotangent, sum[e]);
      }
    }
  }

  __device__ void add_all(int j, real_t<W> sign, real_t<W> (&sum)[4]) const {
    const LiftStep& step = at.step;
    const int length = at.span.length(step.target);
    const int stop = at.span.end < length ? at.span.end : length;
    for (int k = at.span.begin + at.lines.from; k < stop; k += at.lines.by) {
      add(k, k, j, sign, sum);
      const Extension x = at.extension(step.target, step.fold);
      for (int e = -step.before; e < step.after; ++e) {
        const index_t place = e < 0 ? e : x.n + e;
        index_t index;
        const int weight = single_row(x, place, index);
        if (weight && index == at.span.start + k) {
          add(k, int(place - at.span.start), j, sign * real_t<W>(weight), sum);
        }
      }
    }
  }
};

template <class T, bool Rows, bool Learned, bool Merges>
struct LiftGradient {
  typedef computed_t<T> W;
  typedef tap_t<W> R;
  typedef LiftTile<W, Rows, !Rows, Learned> Tile;
  const LiftGradientArguments<R, Learned>& a;
  Tile values, cotangents;
  BlockSums sums;

  __device__ explicit LiftGradient(const LiftGradientArguments<R, Learned>& arguments)
      : a(arguments),
        values(arguments.values, BlockSums::bytes(arguments.values.taps + 2)),
        cotangents(arguments.values, BlockSums::bytes(arguments.values.taps + 2)),
        sums(values.numbers.bytes(), arguments.values.taps + 2) {
    cotangents.memory += 2 * values.layout.rows * values.layout.pitch;
    values.folding = false;
  }

  __device__ Lines lines() const {
    const Span other = chosen(Rows, values.columns, values.rows);
    return values.lines_of(Rows ? 0 : 1, 0, other.size);
  }

  __device__ void run(index_t block) {
    const index_t item = values.go_to(block);
    cotangents.go_to(block);
    if constexpr (Merges) {
      values.template load_bands<T, T>(a.values.band, item, true);
      cotangents.template load_bands<T, T>(a.band, item);
      __syncthreads();
      of_scales();
      back();
      values.template store_signal<T>(a.values.signal, item);
      cotangents.template store_signal<T>(a.signal, item);
    } else {
      values.template load_signal<T>(a.values.signal, item);
      cotangents.template load_signal<T>(a.signal, item);
      __syncthreads();
      back();
      of_scales();
      values.template store_bands<T, T>(a.values.band, item, true);
      cotangents.template store_bands<T, T>(a.band, item);
    }
    __syncthreads();
  }

  // In the tile, the product of value and cotangent includes the scale.
  __device__ void of_scales() {
    const Span span = chosen(Rows, values.rows, values.columns);
    const Lines l = lines();
    R sum[4] = {};
#pragma unroll
    for (int c = 0; c < 2; ++c) {
      const int stop = span.end < span.length(c) ? span.end : span.length(c);
      for (int k = span.begin + l.from; k < stop; k += l.by) {
        for (int i = l.begin + l.line_from; i < l.end; i += l.line_by) {
          const int at = c * l.channel + k * l.along + i * l.across;
          sum[c] = inner_add(values.memory[at], cotangents.memory[at], sum[c]);
        }
      }
      sum[c] = sum[c] / values.numbers.scale(Rows ? 0 : 1, c);
    }
    sums.add(a.values.taps, 2, sum);
  }

  __device__ void back() {
    const LiftAxis& axis = a.values.axis[Rows ? 0 : 1];
    const Span span = chosen(Rows, values.rows, values.columns);
    const Lines l = lines();
    int begin = 0, end = span.size;
#pragma unroll 1
    for (int s = axis.first; s < axis.first + axis.steps; ++s) {
      const LiftStep& undoing = a.values.steps.step[s];
      const LiftStep& transposed = a.values.steps.step[s + axis.steps];
      const StepAt<W> undo = {axis, span, undoing, l, values.memory};
      const StepAt<W> transpose = {axis, span, transposed, l, cotangents.memory};
#pragma unroll 1
      for (int j = 0; j < undoing.length; j += 4) {
        R sum[4] = {};
        const TapProducts<W> products = {undo, cotangents.memory};
        products.add_all(j, undoing.subtract ? R(1) : R(-1), sum);
        sums.add(undoing.first + j, undoing.length - j < 4 ? undoing.length - j : 4, sum);
      }
      const int last = undoing.offset + undoing.length - 1;
      const int reach = last > -undoing.offset ? last : -undoing.offset;
      if (!span.first && reach > 0) begin += reach;
      if (!span.last && reach > 0) end -= reach;
      take(undo, begin, end, [&](int j) { return values.numbers.tap(undoing.first + j); });
      const int top = undoing.first + undoing.length - 1;
      take(transpose, begin, end, [&](int j) { return values.numbers.tap(top - j); });
      __syncthreads();
    }
  }

  template <class Tap>
  __device__ static void take(const StepAt<W>& at, int begin, int end, const Tap& tap) {
    const int stop = at.span.last ? at.span.length(at.step.target) : end;
#pragma unroll 1
    for (int k = begin + at.lines.from; k < stop; k += at.lines.by) at(k, tap);
  }
};

// From bands and their cotangents to those of the signal (Merges), or the reverse.
template <class T, bool Rows, bool Learned, bool Merges>
__global__ void __launch_bounds__(256, 2) lift_vjp(
    const __grid_constant__ LiftGradientArguments<tap_t<computed_t<T>>, Learned> a) {
  LiftGradient<T, Rows, Learned, Merges> gradient(a);
  gradient.values.numbers.gather();
  __syncthreads();
  for (index_t b = blockIdx.x; b < a.values.blocks; b += gridDim.x) gradient.run(b);
  gradient.sums.store(a.partial);
}

}  // namespace liftwave
