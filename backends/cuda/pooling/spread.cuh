// Results by sample, if no sample is in two windows: the gradient of pooling, unpooling and its
// gradient, each with one thread per window, or per few neighbouring windows.
#pragma once
#include "pooling/pool.cuh"

namespace liftwave {

enum Task : int { task_pool_vjp, task_unpool, task_unpool_vjp };

struct SpreadArguments {
  Pooling pooling;
  Planes windows;     // cotangents of pooled values, or pooled values
  Planes beside;      // cotangents of unpooled values
  Planes result;      // by sample
  Planes of_windows;  // cotangents of pooled values
  Planes of_betas;    // by window, in the computation type
  int average;        // whether pooled values are multiplied by the sizes of regions
  int padding;
};

// Weights, ready for `outcome`. Results by window are written if `owned`.
template <class T, int Of, int Job, class Weights, class Region>
__device__ __forceinline__ void settle(const SpreadArguments& a, const Item& window, bool owned,
                                       const Region& region, Weights& weights) {
  typedef computed_t<T> C;
  constexpr bool own = Job == task_pool_vjp;
  const C beta = beta_of<T, Of>(a.pooling, window), by = a.average ? region.count : C(1);
  const C factor = by * load(pointer_to<const T>(a.windows, window));
  weights.template weigh<own>(region, C(a.pooling.delta));
  if (Job == task_unpool_vjp && owned) {
    store(pointer_to<T>(a.of_windows, window), by * weights.mixed(beta));
  }
  if (Job != task_unpool && Of == family_ada && owned) {
    *pointer_to<C>(a.of_betas, window) = factor * weights.template contrast<own>();
  }
  if (Job != task_unpool) weights.template pull<own>(region);
  weights.scale(factor, beta);
}

// The contribution of a window to the result at sample `x`, which is paired with `c`.
template <int Job, class Weights, class C>
__device__ __forceinline__ C outcome(const Weights& weights, C x, C c) {
  if (Job == task_unpool) return weights.weight(x);
  if (Job == task_unpool_vjp) return weights.template pulled<false>(x, c);
  return weights.weight(x) + weights.template pulled<true>(x, x);
}

template <class T, int Of, int Job, int K0, int K1, int K2, bool Full, int V>
struct SpreadWork {
  typedef computed_t<T> C;
  typedef Patch<T, K0, K1, K2, Full, V> Samples;
  const SpreadArguments& a;
  const Item &window, &first;
  const Presence& present;

  template <class Weights>
  __device__ __forceinline__ void operator()(Weights weights) const {
    constexpr bool paired = Job == task_unpool_vjp;
    Samples samples, beside, result;
    samples.load_from(a.pooling.samples, first, present.mask);
    if (paired) beside.load_from(a.beside, first, present.mask);
#pragma unroll
    for (int v = 0; v < Samples::windows; ++v) {
      Item each = window;
      each.at[2] += v;
      const auto region = samples.template held<paired>(v, beside, present);
      settle<T, Of, Job>(a, each, true, region, weights);
#pragma unroll
      for (int k = 0; k < Samples::places; ++k) {
        const C x = region.sample[k], c = paired ? region.other[paired ? k : 0] : x;
        result.value[k / K2][v * K2 + k % K2] = outcome<Job>(weights, x, c);
      }
    }
    result.store_to(a.result, first, present.mask);
  }
};

// Windows are contiguous, with stride K in each axis. Items are enough windows to cover the
// samples; those of missing windows are zero.
template <class T, int Of, int Job, int K0, int K1, int K2, bool Full, int V>
__global__ void spread_windows(const __grid_constant__ SpreadArguments a) {
  typedef SpreadWork<T, Of, Job, K0, K1, K2, Full, V> Work;
  const Pooling& p = a.pooling;
  if (thread_number() >= p.items.count) return;
  Item window = item_of(p.items, thread_number());
  window.at[2] *= Work::Samples::windows;
  const Item first = first_of(p.axes, window);
  const Presence present = presence<K0, K1, K2>(p.axes, first);
  if (window.at[0] < p.axes[0].outputs && window.at[1] < p.axes[1].outputs &&
      window.at[2] < p.axes[2].outputs) {
    with_weights<Of, typename Work::C>(p.similarity, Work{a, window, first, present});
  } else {
    const Patch<T, K0, K1, K2, false, V> nothing = {};
    nothing.store_to(a.result, first, present.mask);
  }
}

}  // namespace liftwave
