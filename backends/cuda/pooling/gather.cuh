// Results by sample, if samples belong to several windows or to none. A block for each tile of
// samples weighs all windows that reach into the tile, once each, and stores their numbers in
// shared memory. Then each sample adds the results of its windows, in their order.
#pragma once
#include "common/arrays.cuh"
#include "pooling/spread.cuh"

namespace liftwave {

struct GatherArguments {
  SpreadArguments spread;  // items: tiles
  int tile[3];             // samples
  int held[3];             // the most windows that reach into a tile
  Divider by_tile[3], by_held[3];
};

// The first window that reaches sample `i` or a later one, if any.
__device__ inline int first_window(const WindowAxis& axis, int i) {
  const int n = i + axis.padding - (axis.kernel - 1) * axis.dilation;
  return n <= 0 ? 0 : divided(n + axis.stride - 1, axis.by_stride);
}

// The last window that begins at or before sample `i`.
__device__ inline int last_window(const WindowAxis& axis, int i) {
  const int last = divided(i + axis.padding, axis.by_stride);
  return last < axis.outputs ? last : axis.outputs - 1;
}

// Whether a window that spans sample `i` has a place there.
__device__ inline bool has_place(const WindowAxis& axis, int window, int i) {
  if (axis.dilation == 1) return true;
  const int at = i + axis.padding - window * axis.stride;
  return at == divided(at, axis.by_dilation) * axis.dilation;
}

// Splits a number into three coordinates, the last of them fastest.
__device__ inline void coordinates(int number, const int (&size)[3], const Divider (&by)[3],
                                   int (&at)[3]) {
#pragma unroll
  for (int d = 2; d >= 0; --d) {
    const int rest = divided(number, by[d]);
    at[d] = number - rest * size[d];
    number = rest;
  }
}

struct Tile {
  int plane;
  int begin[3], end[3];              // samples
  int first_window[3], windows[3];  // that reach into the tile
};

__device__ inline Tile tile_of(const GatherArguments& g) {
  const Pooling& p = g.spread.pooling;
  const Item item = item_of(p.items, static_cast<int>(blockIdx.x));
  Tile tile;
  tile.plane = item.plane;
#pragma unroll
  for (int d = 0; d < 3; ++d) {
    const int begin = item.at[d] * g.tile[d], end = begin + g.tile[d], n = p.axes[d].inputs;
    tile.begin[d] = begin;
    tile.end[d] = end < n ? end : n;
    tile.first_window[d] = first_window(p.axes[d], begin);
    tile.windows[d] = last_window(p.axes[d], tile.end[d] - 1) + 1 - tile.first_window[d];
  }
  return tile;
}

// Whether the window's first place, or the first sample behind it, is in the tile.
__device__ inline bool is_owned(const Tile& tile, const Item& first) {
  bool owned = true;
#pragma unroll
  for (int d = 0; d < 3; ++d) {
    const int at = first.at[d] < 0 ? 0 : first.at[d];
    owned = owned && at >= tile.begin[d] && at < tile.end[d];
  }
  return owned;
}

template <class T, int Of, int Job, int K0, int K1, int K2, class Weights>
__device__ __forceinline__ void settle_window(const SpreadArguments& a, const Tile& tile,
                                              const Item& window, Weights& weights) {
  constexpr bool paired = Job == task_unpool_vjp;
  const Pooling& p = a.pooling;
  const Item first = first_of(p.axes, window);
  const bool owned = is_owned(tile, first);
  if constexpr (K2 == 0) {
    const auto region = seen<T, paired>(p.axes, first, p.samples, a.beside);
    settle<T, Of, Job>(a, window, owned, region, weights);
  } else {
    const Presence present = presence<K0, K1, K2>(p.axes, first);
    Patch<T, K0, K1, K2, false, 0> samples, beside;
    samples.load_from(p.samples, first, present.mask);
    if (paired) beside.load_from(a.beside, first, present.mask);
    const auto region = samples.template held<paired>(0, beside, present);
    settle<T, Of, Job>(a, window, owned, region, weights);
  }
}

template <class T, int Of, int Job, int K0, int K1, int K2>
struct GatherWork {
  typedef computed_t<T> C;
  const GatherArguments& g;
  const Tile& tile;
  C* kept;   // [number][window]
  int held;  // windows

  template <class Weights>
  __device__ __forceinline__ void operator()(Weights weights) const {
    for (int i = threadIdx.x; i < held; i += blockDim.x) weigh(weights, i);
    __syncthreads();
    const int samples = g.tile[0] * g.tile[1] * g.tile[2];
    for (int i = threadIdx.x; i < samples; i += blockDim.x) add_up(weights, i);
  }

 private:
  template <class Weights>
  __device__ __forceinline__ void weigh(Weights weights, int number) const {
    Item window;
    window.plane = tile.plane;
    coordinates(number, g.held, g.by_held, window.at);
    bool there = true;
#pragma unroll
    for (int d = 0; d < 3; ++d) {
      there = there && window.at[d] < tile.windows[d];
      window.at[d] += tile.first_window[d];
    }
    if (!there) return;
    settle_window<T, Of, Job, K0, K1, K2>(g.spread, tile, window, weights);
    C* to = kept + number;
    weights.numbers([&](C& one) {
      *to = one;
      to += held;
    });
  }

  template <class Weights>
  __device__ __forceinline__ void add_up(Weights weights, int number) const {
    const WindowAxis(&axes)[3] = g.spread.pooling.axes;
    Item sample;
    sample.plane = tile.plane;
    coordinates(number, g.tile, g.by_tile, sample.at);
    int from[3], to[3];
    bool there = true;
#pragma unroll
    for (int d = 0; d < 3; ++d) {
      sample.at[d] += tile.begin[d];
      there = there && sample.at[d] < tile.end[d];
      from[d] = first_window(axes[d], sample.at[d]);
      to[d] = last_window(axes[d], sample.at[d]);
    }
    if (!there) return;
    const C x = load(pointer_to<const T>(g.spread.pooling.samples, sample));
    const C c = Job == task_unpool_vjp ? load(pointer_to<const T>(g.spread.beside, sample)) : x;
    C sum = C(0);
    for (int o0 = from[0]; o0 <= to[0]; ++o0) {
      if (!has_place(axes[0], o0, sample.at[0])) continue;
      for (int o1 = from[1]; o1 <= to[1]; ++o1) {
        if (!has_place(axes[1], o1, sample.at[1])) continue;
        const int row = (o0 - tile.first_window[0]) * g.held[1] + o1 - tile.first_window[1];
        const C* line = kept + (row * g.held[2] - tile.first_window[2]);
        for (int o2 = from[2]; o2 <= to[2]; ++o2) {
          if (!has_place(axes[2], o2, sample.at[2])) continue;
          const C* at = line + o2;
          weights.numbers([&](C& one) {
            one = *at;
            at += held;
          });
          sum += outcome<Job>(weights, x, c);
        }
      }
    }
    store(pointer_to<T>(g.spread.result, sample), sum);
  }
};

template <class T, int Of, int Job, int K0, int K1, int K2>
__global__ void gather_samples(const __grid_constant__ GatherArguments g) {
  typedef GatherWork<T, Of, Job, K0, K1, K2> Work;
  const Tile tile = tile_of(g);
  const int held = g.held[0] * g.held[1] * g.held[2];
  const Work work = {g, tile, shared_memory<typename Work::C>(), held};
  with_weights<Of, typename Work::C>(g.spread.pooling.similarity, work);
}

}  // namespace liftwave
