// Lifting pooling: signals to bands (down), and bands to signals (up).
//
// down: odd -= predict(even), even += update(odd), first along the axis of the columns, then along
// that of the rows. up is the same with even and odd samples and the two functions exchanged, and
// the axes in reverse order: even -= update(odd), odd += predict(even). So one implementation does
// both.
#pragma once
#include "lift_pool/steps.cuh"

namespace liftwave {

enum : int { predict = 0, update = 1 };

// The most threads of a block, and the number of blocks that a multiprocessor must have room for.
constexpr int lift_pool_threads = 256;
template <class T, int K, bool Back>
constexpr int lift_pool_blocks = sizeof(computed_t<T>) > 4 ? 2 : Back || K > 5 ? 3 : 4;

// The first step subtracts its function of one half from the other, the second step adds it.
template <bool Up>
struct Order {
  static constexpr int first = Up ? update : predict, second = Up ? predict : update;
  // Which half a step changes: 0 even, 1 odd.
  static constexpr int of_first = Up ? 0 : 1, of_second = Up ? 1 : 0;
};

struct LiftPoolTransformArguments {
  LiftPoolJob job;
  Array signal;
  Array bands[lift_pool_bands];
  double* sums;  // (parts, channels, passes, 2), or null
  int chosen;    // the bands that are summed into the first array; 0: all separate
  int padding;
};

// One halving of a tile, forward, or only its first step. Computes results within `reach` of the
// tile's own samples. If `kept` is not null, it stores the odd samples, and a whole halving sums the
// squares for the penalties.
template <bool Up, int K, bool Whole = true, class C>
__device__ void halve(const Tile& tile, const Level& level, C* values, C* kept, int reach,
                      const BlockSums<C>& sums) {
  using order = Order<Up>;
  const int around = tile.job.around;
  const auto cell = [&](int node, int line, int k) {
    return node * level.node + line * level.line + k * level.step;
  };
  const auto hidden = [&](int node, int line, int k) {
    return node * level.hidden_node + line * level.hidden_line + k * level.hidden_step;
  };
#pragma unroll 1
  for (int node = 0; node < level.nodes; ++node) {
    const ReluFilter<C, K> filter(tile.job, tile.channel, level.pass + node, order::first);
    C* const target = values + order::of_first * level.part;
    const C* const source = values + order::of_second * level.part + node * level.node;
    const Span& span = level.span;
    C squares = C(0);
    each_linear(filter, source, level.lines, level.line, level.step, span,
                span.from((reach + 1) * around), span.to((reach + 1) * around),
                [&](int line, int k, C linear, const C*) {
                  C& place = target[cell(node, line, k)];
                  const C before = place, after = before - filter.change(linear);
                  place = after;
                  if (!kept) return;
                  kept[hidden(node, line, k)] = before;
                  if (Whole && level.owns(line, k)) squares = multiply_add(after, after, squares);
                });
    if (Whole && kept) sums.note(node, 1, squares);
  }
  __syncthreads();
  if (!Whole) return;
#pragma unroll 1
  for (int node = 0; node < level.nodes; ++node) {
    const ReluFilter<C, K> filter(tile.job, tile.channel, level.pass + node, order::second);
    C* const target = values + order::of_second * level.part;
    const C* const source = values + order::of_first * level.part + node * level.node;
    const Span& span = level.span;
    C squares = C(0);
    each_linear(filter, source, level.lines, level.line, level.step, span,
                span.from(reach * around), span.to(reach * around),
                [&](int line, int k, C linear, const C*) {
                  C& place = target[cell(node, line, k)];
                  place = place + filter.change(linear);
                  if (!kept || !level.owns(line, k)) return;
                  const C gap = place - kept[hidden(node, line, k)];
                  squares = multiply_add(gap, gap, squares);
                });
    if (kept) sums.note(node, 0, squares);
  }
  __syncthreads();
  if (!kept) return;
#pragma unroll 1
  for (int node = 0; node < level.nodes; ++node) sums.add(node, sums.totals + 2 * (level.pass + node));
  __syncthreads();  // the next halving notes its squares in the same places
}

// The halvings of a tile along all its split axes.
template <bool Up, int K, class C>
__device__ void halve_all(const Tile& tile, C* values, C* kept, int reach,
                          const BlockSums<C>& sums) {
#pragma unroll 1
  for (int turn = 0; turn < 2; ++turn) {
    const bool along_cols = (turn == 0) != Up;
    if (!(along_cols ? tile.cols.split : tile.rows.split)) continue;
    const Level level = along_cols ? level_of_cols(tile) : level_of_rows(tile);
    halve<Up, K>(tile, level, values, kept, reach, sums);
  }
}

__device__ inline int passes_of(const LiftPoolJob& job) {
  return job.rows.split ? job.cols.split + 1 + job.cols.split : job.cols.split;
}

template <class Signal, class Band, int K, bool Up>
__global__ void __launch_bounds__(lift_pool_threads, lift_pool_blocks<Signal, K, false>)
    lift_pool(const __grid_constant__ LiftPoolTransformArguments a) {
  using C = computed_t<Signal>;
  const LiftPoolMemory& memory = a.job.memory;
  C* const values = shared_memory<C>(memory.values);
  double* const totals = shared_memory<double>(memory.totals);
  C* const kept = a.sums ? shared_memory<C>(memory.hidden) : nullptr;
  const BlockSums<C> sums = {shared_memory<C>(memory.partial), totals, 2};
  const int wanted = 2 * passes_of(a.job);
  for (index_t b = blockIdx.x; b < a.job.blocks; b += gridDim.x) {
    const index_t part = b / a.job.channels, channel = b - part * a.job.channels;
    if (a.sums) {
      for (int n = threadIdx.x; n < wanted; n += blockDim.x) totals[n] = 0;
    }
    for (index_t number = part; number < a.job.tiles; number += a.job.parts) {
      const Tile tile = tile_of(a.job, channel, number);
      if constexpr (Up) load_bands<Band>(tile, a.bands, values);
      else load_signal<Signal>(tile, a.signal, true, values);
      __syncthreads();
      halve_all<Up, K>(tile, values, kept, 0, sums);
      if constexpr (Up) store_signal<Signal>(tile, values, a.signal);
      else if (a.chosen) store_sum<Band>(tile, values, a.bands[0], a.chosen);
      else store_bands<Band>(tile, values, a.bands);
    }
    __syncthreads();
    if (a.sums) {
      for (int n = threadIdx.x; n < wanted; n += blockDim.x) a.sums[b * wanted + n] = totals[n];
    }
  }
}

}  // namespace liftwave
