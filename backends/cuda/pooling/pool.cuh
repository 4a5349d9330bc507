// Pooling over windows: one thread for each window, or for a few neighbouring ones.
#pragma once
#include "pooling/weights.cuh"
#include "pooling/windows.cuh"

namespace liftwave {

// Arguments of all kernels of weighted pooling.
struct Pooling {
  Planes samples;
  Planes betas;  // plane p uses row p % rows
  double delta;
  WindowAxis axes[3];
  Items items;
  Divider by_rows;
  int rows;
  int first_row;  // of plane 0
  int similarity;
  int padding;
};

struct PoolArguments {
  Pooling pooling;
  Planes result;
};

template <class T, int Of>
__device__ computed_t<T> beta_of(const Pooling& p, const Item& window) {
  if (Of != family_ada) return computed_t<T>(0);
  const int plane = p.first_row + window.plane, row = plane - divided(plane, p.by_rows) * p.rows;
  return load(static_cast<const T*>(p.betas.data) + offset_of(p.betas, row, window.at));
}

// The number of this thread among all.
__device__ inline int thread_number() {
  return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
}

template <class T, int Of, int K0, int K1, int K2, bool Full, int V>
struct PoolWork {
  typedef computed_t<T> C;
  static constexpr int windows = V > 1 ? V : 1;
  const PoolArguments& a;
  const Item& window;

  template <class Weights>
  __device__ __forceinline__ void operator()(Weights weights) const {
    const Pooling& p = a.pooling;
    const Item first = first_of(p.axes, window);
    C found[windows];
    if constexpr (K2 == 0) {
      weights.template weigh<false>(seen<T, false>(p.axes, first, p.samples, p.samples), C(p.delta));
      found[0] = weights.mixed(beta_of<T, Of>(p, window));
    } else {
      const Presence present = presence<K0, K1, K2>(p.axes, first);
      Patch<T, K0, K1, K2, Full, V> patch;
      patch.load_from(p.samples, first, present.mask);
#pragma unroll
      for (int v = 0; v < windows; ++v) {
        Item each = window;
        each.at[2] += v;
        weights.template weigh<false>(patch.template held<false>(v, patch, present), C(p.delta));
        found[v] = weights.mixed(beta_of<T, Of>(p, each));
      }
    }
    store_pack<T, windows>(pointer_to<T>(a.result, window), found);
  }
};

template <class T, int Of, int K0, int K1, int K2, bool Full, int V>
__global__ void pool_windows(const __grid_constant__ PoolArguments a) {
  typedef PoolWork<T, Of, K0, K1, K2, Full, V> Work;
  const Pooling& p = a.pooling;
  if (thread_number() >= p.items.count) return;
  Item window = item_of(p.items, thread_number());
  window.at[2] *= Work::windows;
  with_weights<Of, typename Work::C>(p.similarity, Work{a, window});
}

}  // namespace liftwave
