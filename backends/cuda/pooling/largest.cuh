// The largest samples of windows and their places, and the pullback of cotangents to these places.
#pragma once
#include "pooling/gather.cuh"

namespace liftwave {

struct LargestArguments {
  Planes samples, result;
  Planes places;  // flat index within a plane
  WindowAxis axes[3];
  Items items;
  index_t channels;  // of the last axis, which places do not count; 1 without channels
};

// NaN is larger than any number. Of equal numbers the first one is taken.
template <class C>
struct Largest {
  C value;
  index_t place;
  bool any = false;

  __device__ __forceinline__ void see(C x, index_t at, bool there) {
    const bool larger = x > value || (x != x && value == value);
    if (there && (!any || larger)) {
      value = x;
      place = at;
      any = true;
    }
  }
};

template <class T, int K0, int K1, int K2, bool Full, int V>
__global__ void largest_windows(const __grid_constant__ LargestArguments a) {
  typedef computed_t<T> C;
  constexpr int windows = V > 1 ? V : 1;
  if (thread_number() >= a.items.count) return;
  Item window = item_of(a.items, thread_number());
  window.at[2] *= windows;
  const Item first = first_of(a.axes, window);
  const index_t line = a.axes[2].inputs, layer = line * a.axes[1].inputs;
  const index_t step0 = a.axes[0].dilation * layer, step1 = a.axes[1].dilation * line;
  const index_t step2 = a.axes[2].dilation;
  const index_t begin = first.at[0] * layer + first.at[1] * line + first.at[2];
  C found[windows];
  index_t places[windows];
  if constexpr (K2 == 0) {
    Largest<C> largest;
    const Run run0 = run_of(a.axes[0], first.at[0]), run1 = run_of(a.axes[1], first.at[1]);
    const Run run2 = run_of(a.axes[2], first.at[2]);
    const T* data = pointer_to<const T>(a.samples, first);
    for (int i = run0.begin; i < run0.end; ++i) {
      for (int j = run1.begin; j < run1.end; ++j) {
        const T* from = data + i * a.samples.step[0] + j * a.samples.step[1];
        const index_t at = begin + i * step0 + j * step1;
#pragma unroll 4
        for (int k = run2.begin; k < run2.end; ++k) {
          largest.see(load(from + k * a.samples.step[2]), at + k * step2, true);
        }
      }
    }
    found[0] = largest.value;
    places[0] = largest.place;
  } else {
    const Presence present = presence<K0, K1, K2>(a.axes, first);
    Patch<T, K0, K1, K2, Full, V> patch;
    patch.load_from(a.samples, first, present.mask);
#pragma unroll
    for (int v = 0; v < windows; ++v) {
      Largest<C> largest;
#pragma unroll
      for (int i = 0; i < K0 * K1; ++i) {
        const index_t at = begin + (i / K1) * step0 + (i % K1) * step1 + v * K2;
#pragma unroll
        for (int k = 0; k < K2; ++k) {
          const bool there = Full || (present.mask >> (i * K2 + k) & 1u);
          largest.see(patch.value[i][v * K2 + k], at + k * step2, there);
        }
      }
      found[v] = largest.value;
      places[v] = largest.place;
    }
  }
#pragma unroll
  for (int v = 0; v < windows; ++v) {
    if (a.channels > 1) places[v] /= a.channels;
  }
  store_pack<T, windows>(pointer_to<T>(a.result, window), found);
  store_pack<index_t, windows>(pointer_to<index_t>(a.places, window), places);
}

struct PlacedArguments {
  Planes cotangents, places;  // by window
  Planes result;              // by sample
  WindowAxis axes[3];
  Items items;
  index_t channels;  // as for LargestArguments
};

// One thread per sample reads all windows that contain it.
template <class T>
__global__ void placed_samples(const __grid_constant__ PlacedArguments a) {
  typedef computed_t<T> C;
  if (thread_number() >= a.items.count) return;
  const Item sample = item_of(a.items, thread_number());
  const index_t line = sample.at[0] * index_t(a.axes[1].inputs) + sample.at[1];
  const index_t place = (line * a.axes[2].inputs + sample.at[2]) / a.channels;
  int from[3], to[3];
#pragma unroll
  for (int d = 0; d < 3; ++d) {
    from[d] = first_window(a.axes[d], sample.at[d]);
    to[d] = last_window(a.axes[d], sample.at[d]);
  }
  C sum = C(0);
  Item window = sample;
  for (window.at[0] = from[0]; window.at[0] <= to[0]; ++window.at[0]) {
    for (window.at[1] = from[1]; window.at[1] <= to[1]; ++window.at[1]) {
      for (window.at[2] = from[2]; window.at[2] <= to[2]; ++window.at[2]) {
        if (*pointer_to<const index_t>(a.places, window) != place) continue;
        sum += load(pointer_to<const T>(a.cotangents, window));
      }
    }
  }
  store(pointer_to<T>(a.result, sample), sum);
}

}  // namespace liftwave
