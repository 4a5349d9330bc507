// Gradients of lifting pooling, down and up, for the signal or the bands and for the filters.
#pragma once
#include "lift_pool/transform.cuh"

namespace liftwave {

struct LiftPoolBackArguments {
  LiftPoolJob job;
  Array signal, bands[lift_pool_bands];  // known arrays as input, all others as output
  Array signal_cotangent, bands_cotangent[lift_pool_bands];
  double* gradient;     // (parts, passes, 2, channels, kernel + 3)
  const void* weights;  // (all passes, 2), for the sums of squares, or null
  int from_outputs;
  int padding;
};

template <class C>
__device__ C of_zero_or_more(C linear, C value) {
  return linear <= C(0) ? C(0) : value;
}

// The data of the gradient of a tile, all in shared memory.
template <class C>
struct Backward {
  C *values, *cotangents;
  C *hidden;  // the cotangent of a ReLU's input
  C *gaps;    // smooth samples minus the odd ones
  BlockSums<C> sums;
  bool undoes;  // whether values are those after all steps; otherwise those before the last one
};

// The gradient of one step's function. Undoes the half that the step changed, if needed; stores the
// cotangent of the ReLU's input and the gradient of the filter.
template <int K, class C>
__device__ void pull(const Tile& tile, const Level& level, int node, int which, int target_half,
                     C sign, int reach, const Backward<C>& w) {
  const ReluFilter<C, K> filter(tile.job, tile.channel, level.pass + node, which);
  const Span& span = level.span;
  const int begin = span.from(reach), end = span.to(reach);
  const int of_target = target_half * level.part + node * level.node;
  const C* const source = w.values + (1 - target_half) * level.part + node * level.node;
  C* const hidden = w.hidden + node * level.hidden_node;
  C own[K + 3] = {};  // weights, bias, gain, offset
  each_linear(filter, source, level.lines, level.line, level.step, span, begin, end,
              [&](int line, int k, C linear, const C* window) {
                const int at = of_target + line * level.line + k * level.step;
                const C cotangent = sign * w.cotangents[at];
                const C active = of_zero_or_more(linear, linear);
                const C inner = of_zero_or_more(linear, filter.gain * cotangent);
                if (w.undoes) w.values[at] -= sign * multiply_add(filter.gain, active, filter.offset);
                hidden[line * level.hidden_line + k * level.hidden_step] = inner;
                if (!level.owns(line, k)) return;
#pragma unroll
                for (int i = 0; i < K; ++i) own[i] = multiply_add(inner, window[i], own[i]);
                own[K] += inner;
                own[K + 1] = multiply_add(cotangent, active, own[K + 1]);
                own[K + 2] += cotangent;
              });
  if constexpr (K > 0) {
    w.sums.note_all(node, own);
  } else {
    for (int i = 0; i < 3; ++i) w.sums.note(node, filter.kernel + i, own[i]);
    for (int i = 0; i < filter.kernel; ++i) {  // each thread reads what it wrote itself
      C sum = C(0);
      each_run(level.lines, end - begin, [&](int number, int run) {
        const int k = begin + run;
        if (!level.owns(number, k)) return;
        const C value = read_line(source + number * level.line, level.step, span, filter.beyond(span),
                                  filter.before(), filter.after(), k + i - filter.before());
        sum = multiply_add(hidden[number * level.hidden_line + k * level.hidden_step], value, sum);
      });
      w.sums.note(node, i, sum);
    }
  }
}

// Adds the cotangent that the filter pulls back to that of a half.
template <int K, class C>
__device__ void spread(const Tile& tile, const Level& level, int node, int which, int half,
                       int reach, const Backward<C>& w) {
  const ReluFilter<C, K> filter(tile.job, tile.channel, level.pass + node, which);
  C* const to = w.cotangents + half * level.part + node * level.node;
  each_spread(filter, w.hidden + node * level.hidden_node, level, level.span.from(reach),
              level.span.to(reach),
              [&](int line, int k, C sum) { to[line * level.line + k * level.step] += sum; });
}

// Both phases of a step's gradient for all nodes, and the gradient of the filter.
template <int K, class C>
__device__ void step_back(const Tile& tile, const Level& level, int which, int target_half, C sign,
                          int reach, const Backward<C>& w) {
  const int around = tile.job.around;
#pragma unroll 1
  for (int node = 0; node < level.nodes; ++node)
    pull<K>(tile, level, node, which, target_half, sign, reach * around, w);
  __syncthreads();
#pragma unroll 1
  for (int node = 0; node < level.nodes; ++node) {
    w.sums.add(node, w.sums.totals + (2 * (level.pass + node) + which) * w.sums.count);
    spread<K>(tile, level, node, which, 1 - target_half, (reach - 1) * around, w);
  }
  __syncthreads();
}

// Adds the gradient of the sums of squares to the cotangents of both halves, before steps are
// undone.
template <int K, class C>
__device__ void penalise(const Tile& tile, const Level& level, const C* weights,
                         const Backward<C>& w) {
  const int around = tile.job.around;
  const Span& span = level.span;
#pragma unroll 1
  for (int node = 0; node < level.nodes; ++node) {
    const ReluFilter<C, K> filter(tile.job, tile.channel, level.pass + node, update);
    const int even = node * level.node, odd = even + level.part;
    C* const hidden = w.hidden + node * level.hidden_node;
    each_linear(filter, w.values + odd, level.lines, level.line, level.step, span,
                span.from(3 * around), span.to(3 * around),
                [&](int line, int k, C linear, const C*) {
                  hidden[line * level.hidden_line + k * level.hidden_step] =
                      w.values[even + line * level.line + k * level.step] - filter.change(linear);
                });
  }
  __syncthreads();
#pragma unroll 1
  for (int node = 0; node < level.nodes; ++node) {
    const ReluFilter<C, K> filter(tile.job, tile.channel, level.pass + node, predict);
    const int even = node * level.node, odd = even + level.part;
    const C* const pair = weights + 2 * tile.job.number[level.pass + node];
    const C of_gap = 2 * __ldg(pair), of_detail = 2 * __ldg(pair + 1);
    each_linear(filter, w.hidden + node * level.hidden_node, level.lines, level.hidden_line,
                level.hidden_step, span, span.from(2 * around), span.to(2 * around),
                [&](int line, int k, C linear, const C*) {
                  const int at = line * level.line + k * level.step;
                  const C detail = w.values[odd + at];
                  const C gap = w.values[even + at] - (detail + filter.change(linear));
                  w.gaps[node * level.hidden_node + line * level.hidden_line +
                         k * level.hidden_step] = of_gap * gap;
                  w.cotangents[even + at] = w.cotangents[even + at] + of_gap * gap;
                  w.cotangents[odd + at] = w.cotangents[odd + at] + of_detail * detail;
                });
  }
  __syncthreads();
}

// The same if `gaps` holds the odd samples, and the values are those before the last step.
template <int K, class C>
__device__ void penalise_known(const Tile& tile, const Level& level, const C* weights,
                               const Backward<C>& w) {
  const int around = tile.job.around;
  const Span& span = level.span;
#pragma unroll 1
  for (int node = 0; node < level.nodes; ++node) {
    const ReluFilter<C, K> filter(tile.job, tile.channel, level.pass + node, update);
    const int even = node * level.node, odd = even + level.part;
    const C* const pair = weights + 2 * tile.job.number[level.pass + node];
    const C of_gap = 2 * __ldg(pair), of_detail = 2 * __ldg(pair + 1);
    each_linear(filter, w.values + odd, level.lines, level.line, level.step, span,
                span.from(2 * around), span.to(2 * around),
                [&](int line, int k, C linear, const C*) {
                  const int at = line * level.line + k * level.step;
                  C& gap = w.gaps[node * level.hidden_node + line * level.hidden_line +
                                  k * level.hidden_step];
                  gap = of_gap * (w.values[even + at] + filter.change(linear) - gap);
                  w.cotangents[even + at] = w.cotangents[even + at] + gap;
                  w.cotangents[odd + at] =
                      w.cotangents[odd + at] + of_detail * w.values[odd + at];
                });
  }
  __syncthreads();
}

// The part of the odd samples, after the gradients of all steps.
template <class C>
__device__ void penalise_odd(const Tile& tile, const Level& level, const Backward<C>& w) {
  const Span& span = level.span;
  const int begin = span.from(tile.job.around), end = span.to(tile.job.around);
#pragma unroll 1
  for (int node = 0; node < level.nodes; ++node) {
    C* const odd = w.cotangents + level.part + node * level.node;
    each_run(level.lines, end - begin, [&](int line, int run) {
      const int k = begin + run;
      odd[line * level.line + k * level.step] -=
          w.gaps[node * level.hidden_node + line * level.hidden_line + k * level.hidden_step];
    });
  }
  __syncthreads();
}

// The sample that pads an odd number of samples repeats another: adds its cotangent to that one's.
template <class C>
__device__ void fold_last(const LiftPoolAxis& axis, const Level& level, C* cotangents) {
  const index_t last = axis.half() - 1 - level.span.start;
  if (axis.n % 2 == 0 || last < axis.back - 1 || last >= level.span.size) return;
  // Place n repeats place n - 1, which is even, or the odd one before.
  const int before = axis.back == 1 ? -level.part : -level.step;
#pragma unroll 1
  for (int node = 0; node < level.nodes; ++node) {
    C* const odd = cotangents + node * level.node + int(last) * level.step + level.part;
    for (int line = threadIdx.x; line < level.lines; line += blockDim.x) {
      C& twice = odd[line * level.line];
      odd[line * level.line + before] += twice;
      twice = C(0);
    }
  }
  __syncthreads();
}

// Computes the values before the last step of a halving from the inputs. So no step is undone, which
// would lose digits if it has a large gain.
template <class Signal, class Band, int K, bool Up, class C>
__device__ void compute_values(const Tile& tile, const LiftPoolBackArguments& a, bool to_cols,
                               const Backward<C>& w) {
  if constexpr (Up) load_bands<Band>(tile, a.bands, w.values);
  else load_signal<Signal>(tile, a.signal, true, w.values);
  __syncthreads();
#pragma unroll 1
  for (int turn = 0; turn < 2; ++turn) {
    const bool along_cols = (turn == 0) != Up;
    if (!(along_cols ? tile.cols.split : tile.rows.split)) continue;
    const Level level = along_cols ? level_of_cols(tile) : level_of_rows(tile);
    if (along_cols == to_cols) {
      C* const odd = a.weights ? w.gaps : nullptr;
      halve<Up, K, false>(tile, level, w.values, odd, 2, w.sums);
      return;
    }
    halve<Up, K>(tile, level, w.values, (C*)nullptr, 2, w.sums);
  }
}

// The gradient of one tile. If steps are undone, the values are those of the outputs.
template <class Signal, class Band, int K, bool Up, class C>
__device__ void pull_all(const Tile& tile, const LiftPoolBackArguments& a, const Backward<C>& w) {
  using order = Order<Up>;
  const C* const weights = static_cast<const C*>(a.weights);
#pragma unroll 1
  for (int turn = 0; turn < 2; ++turn) {
    const bool along_cols = (turn == 0) == Up;
    if (!(along_cols ? tile.cols.split : tile.rows.split)) continue;
    const Level level = along_cols ? level_of_cols(tile) : level_of_rows(tile);
    if (!w.undoes) compute_values<Signal, Band, K, Up>(tile, a, along_cols, w);
    if (weights && w.undoes) penalise<K>(tile, level, weights, w);
    else if (weights) penalise_known<K>(tile, level, weights, w);
#pragma unroll 1
    for (int step = 0; step < 2; ++step) {
      const int which = step ? order::first : order::second;
      const int half = step ? order::of_first : order::of_second;
      step_back<K>(tile, level, which, half, C(1 - 2 * step), 2 - step, w);
    }
    if (weights) penalise_odd(tile, level, w);
    if (!Up) fold_last(along_cols ? tile.job.cols : tile.job.rows, level, w.cotangents);
  }
}

template <class Signal, class Band, int K, bool Up>
__global__ void __launch_bounds__(lift_pool_threads, lift_pool_blocks<Signal, K, true>)
    lift_pool_back(const __grid_constant__ LiftPoolBackArguments a) {
  using C = computed_t<Signal>;
  const LiftPoolMemory& memory = a.job.memory;
  const int count = a.job.kernel + 3, wanted = 2 * passes_of(a.job) * count;
  double* const totals = shared_memory<double>(memory.totals);
  const Backward<C> w = {shared_memory<C>(memory.values),
                         shared_memory<C>(memory.cotangents),
                         shared_memory<C>(memory.hidden),
                         shared_memory<C>(memory.gaps),
                         {shared_memory<C>(memory.partial), totals, count},
                         bool(a.from_outputs)};
  for (index_t b = blockIdx.x; b < a.job.blocks; b += gridDim.x) {
    const index_t part = b / a.job.channels, channel = b - part * a.job.channels;
    for (int n = threadIdx.x; n < wanted; n += blockDim.x) totals[n] = 0;
    for (index_t number = part; number < a.job.tiles; number += a.job.parts) {
      const Tile tile = tile_of(a.job, channel, number);
      if constexpr (Up) {
        if (w.undoes) load_signal<Signal>(tile, a.signal, true, w.values);
      } else {
        if (w.undoes) load_bands<Band>(tile, a.bands, w.values);
      }
      if constexpr (Up) load_signal<Signal>(tile, a.signal_cotangent, false, w.cotangents);
      else load_bands<Band>(tile, a.bands_cotangent, w.cotangents);
      __syncthreads();
      pull_all<Signal, Band, K, Up>(tile, a, w);
      if constexpr (Up) {
        store_bands<Band>(tile, w.cotangents, a.bands_cotangent);
        if (a.from_outputs) store_bands<Band>(tile, w.values, a.bands);  // only bands with an array
      } else {
        store_signal<Signal>(tile, w.cotangents, a.signal_cotangent);
        if (a.from_outputs && a.signal.data) store_signal<Signal>(tile, w.values, a.signal);
      }
    }
    __syncthreads();
    for (int n = threadIdx.x; n < wanted; n += blockDim.x) {
      const index_t of_pass = n / count, at = n - of_pass * count;
      a.gradient[((part * (wanted / count) + of_pass) * a.job.channels + channel) * count + at] =
          totals[n];
    }
  }
}

}  // namespace liftwave
