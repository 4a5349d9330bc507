// Lifting along one axis without downsampling. While its steps reach less far than a tile, a tile of
// both channels goes through all steps in shared memory. Other steps run one by one on whole arrays.
#pragma once
#include "lifting/transform.cuh"
#include "lifting/whole_steps.cuh"

namespace liftwave {

// A tile of rows and columns, lifted along its rows' axis (down the columns) or along columns.
template <class W, bool Rows>
struct WholeTile {
  typedef tap_t<W> R;
  static constexpr int lifted = Rows ? 0 : 1;
  const WholeArguments<R>& a;
  W* memory;
  Span own, other;            // along the lifted axis, and across it
  int along, across, channel; // distances in the tile
  int from, by;               // a thread's first sample, and the distance to its next one
  int line_from, line_by;     // the same for lines

  __device__ explicit WholeTile(const WholeArguments<R>& arguments)
      : a(arguments), memory(shared_memory<W>()) {
    const Threads threads = threads_of(a.log_width);
    const int pitch = a.axis[1].room;
    along = Rows ? pitch : 1;
    across = Rows ? 1 : pitch;
    channel = a.axis[0].room * pitch;
    from = Rows ? threads.y : threads.x;
    by = Rows ? threads.height : threads.width;
    line_from = Rows ? threads.x : threads.y;
    line_by = Rows ? threads.width : threads.height;
  }

  // Selects the tile of a block; returns its batch item.
  __device__ index_t go_to(index_t block) {
    index_t tile[2];
    const index_t item = tile_of(a, block, tile);
    own = span_of<false>(a.axis[lifted], tile[lifted]);
    other = span_of<false>(a.axis[1 - lifted], tile[1 - lifted]);
    return item;
  }

  // Passes all samples of the tile to put(place in a channel, value).
  template <class X, class Put>
  __device__ void load_all(const Array& array, index_t item, const Put& put) const {
    const X* base = static_cast<const X*>(array.data) + locate(a.batch, item, array);
    const LiftAxis& axis = a.axis[lifted];
#pragma unroll 1
    for (int line = line_from; line < other.size; line += line_by) {
      const X* samples = base + (other.start + line) * array.stride[1 - lifted];
      const auto read = [&](int k) {
        const index_t i = axis.periodic ? around(own.start + k, axis.n) : own.start + k;
        return W(load(samples + i * array.stride[lifted]));
      };
      move(from, own.size, by, read, [&](int k, W value) { put(k * along + line * across, value); });
    }
  }

  // Writes value(place in a channel) for the tile's own samples.
  template <class X, class Value>
  __device__ void store_own(const Array& array, index_t item, const Value& value) const {
    X* base = static_cast<X*>(array.data) + locate(a.batch, item, array);
#pragma unroll 1
    for (int line = line_from; line < other.size; line += line_by) {
      X* samples = base + (other.start + line) * array.stride[1 - lifted];
#pragma unroll 1
      for (int k = own.begin + from; k < own.end; k += by) {
        store(samples + (own.start + k) * array.stride[lifted], value(k * along + line * across));
      }
    }
  }

  // All steps. If the signal continues beyond the tile, each leaves fewer valid samples.
  __device__ void lift() const {
    const LiftAxis& axis = a.axis[lifted];
    const WholeEnds ends = {axis.n, axis.periodic ? mode_within : a.mode};
    int begin = 0, end = own.size;
#pragma unroll 1
    for (int s = 0; s < axis.steps; ++s) {
      const WholeStep& step = a.steps.step[s];
      if (!own.first) begin += step.before;
      if (!own.last) end -= step.after;
      W* target = memory + step.target * channel;
      const W* source = memory + (1 - step.target) * channel;
#pragma unroll 1
      for (int k = begin + from; k < end; k += by) {
#pragma unroll 1
        for (int line = line_from; line < other.size; line += line_by) {
          W& place = target[k * along + line * across];
          const W* samples = source + line * across;
          place = changed(a.steps, step, ends, own.start + k, place,
                          [&](index_t i) { return samples[int(i - own.start) * along]; });
        }
      }
      __syncthreads();
    }
  }
};

// From the signal to both bands.
template <class X, class A, class D, bool Rows>
__global__ void __launch_bounds__(256, 2)
    whole_analysis(const __grid_constant__ WholeArguments<tap_t<computed_t<A>>> a) {
  typedef computed_t<A> W;
  WholeTile<W, Rows> tile(a);
  W* const memory = tile.memory;
  const int channel = tile.channel;
  for (index_t b = blockIdx.x; b < a.blocks; b += gridDim.x) {
    const index_t item = tile.go_to(b);
    tile.template load_all<X>(a.signal, item, [&](int at, W value) {
      memory[at] = memory[at + channel] = scaled(a.weight, value);
    });
    __syncthreads();
    tile.lift();
    tile.template store_own<A>(a.band[0], item,
                               [&](int at) { return scaled(a.scale[0], memory[at]); });
    tile.template store_own<D>(a.band[1], item,
                               [&](int at) { return scaled(a.scale[1], memory[at + channel]); });
    __syncthreads();
  }
}

// From both bands to their signal.
template <class A, class D, class X, bool Rows>
__global__ void __launch_bounds__(256, 2)
    whole_synthesis(const __grid_constant__ WholeArguments<tap_t<computed_t<A>>> a) {
  typedef computed_t<A> W;
  WholeTile<W, Rows> tile(a);
  W* const memory = tile.memory;
  const int channel = tile.channel;
  for (index_t b = blockIdx.x; b < a.blocks; b += gridDim.x) {
    const index_t item = tile.go_to(b);
    tile.template load_all<A>(a.band[0], item,
                              [&](int at, W value) { memory[at] = scaled(a.scale[0], value); });
    tile.template load_all<D>(a.band[1], item, [&](int at, W value) {
      memory[at + channel] = scaled(a.scale[1], value);
    });
    __syncthreads();
    tile.lift();
    tile.template store_own<X>(a.signal, item, [&](int at) {
      return joined(a.weight, memory[at], memory[at + channel]);
    });
    __syncthreads();
  }
}

// One step of any reach. Neighbouring threads have neighbouring samples of the memory.
template <class W>
__global__ void __launch_bounds__(256, 2)
    whole_step(const __grid_constant__ WholeStepArguments<tap_t<W>> a) {
  const WholeEnds ends = {a.n, a.mode};
  const W* target = static_cast<const W*>(a.target);
  const index_t by = index_t(gridDim.x) * blockDim.x;
  for (index_t at = blockIdx.x * index_t(blockDim.x) + threadIdx.x; at < a.total; at += by) {
    const index_t row = at / a.inner, line = row / a.n;
    const W* source = static_cast<const W*>(a.source) + line * a.n * a.inner + (at - row * a.inner);
    static_cast<W*>(a.out)[at] =
        changed(a.steps, a.steps.step[0], ends, row - line * a.n, target[at],
                [&](index_t i) { return source[i * a.inner]; });
  }
}

}  // namespace liftwave
