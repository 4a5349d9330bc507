// Windows on planes: their positions, and their samples, in registers or read repeatedly.
#pragma once
#include "common/numbers.cuh"

namespace liftwave {

// n / d for 0 <= n < 2^31, by a multiplication.
struct Divider {
  unsigned multiplier, shift;
};

__device__ inline int divided(int n, Divider by) {
  const unsigned u = static_cast<unsigned>(n);
  const unsigned high = static_cast<unsigned>((static_cast<unsigned long long>(u) * by.multiplier) >> 32);
  return static_cast<int>((high + u) >> by.shift);
}

// Place j of window o is at sample o * stride - padding + j * dilation, for 0 <= j < kernel.
struct WindowAxis {
  int inputs, outputs, kernel, stride, padding, dilation;
  Divider by_stride, by_dilation;
};

// One number per sample, or per window, of each plane. Strides are in numbers. Steps separate
// neighbouring places of a window.
struct Planes {
  void* data;
  index_t plane;
  index_t stride[3], step[3];
};

// The work items of each plane, along three axes, numbered with the last axis fastest.
struct Items {
  Divider by[3];
  int size[3];
  int count;  // in all planes
};

struct Item {
  int plane;
  int at[3];
};

__device__ inline Item item_of(const Items& items, int number) {
  Item item;
#pragma unroll
  for (int d = 2; d >= 0; --d) {
    const int rest = divided(number, items.by[d]);
    item.at[d] = number - rest * items.size[d];
    number = rest;
  }
  item.plane = number;
  return item;
}

__device__ inline index_t offset_of(const Planes& planes, int plane, const int (&at)[3]) {
  return plane * planes.plane + at[0] * planes.stride[0] + at[1] * planes.stride[1] +
         at[2] * planes.stride[2];
}

template <class T>
__device__ T* pointer_to(const Planes& planes, const Item& item) {
  return static_cast<T*>(planes.data) + offset_of(planes, item.plane, item.at);
}

// --- windows -------------------------------------------------------------------------------------

// The sample at a window's first place, possibly in the padding.
__device__ inline Item first_of(const WindowAxis (&axes)[3], const Item& window) {
  Item first = window;
#pragma unroll
  for (int d = 0; d < 3; ++d) first.at[d] = window.at[d] * axes[d].stride - axes[d].padding;
  return first;
}

// Places begin ... end - 1 of a window that begins at `first` are at samples.
struct Run {
  int begin, end;
};

__device__ inline Run run_of(const WindowAxis& axis, int first) {
  Run run = {0, axis.kernel};
  if (first < 0) run.begin = divided(axis.dilation - 1 - first, axis.by_dilation);
  const int room = axis.inputs - 1 - first;  // windows begin before the end
  if (room < (axis.kernel - 1) * axis.dilation) run.end = divided(room, axis.by_dilation) + 1;
  return run;
}

// The places, of K0 * K1 * K2, that are at samples: one bit each, and their number.
struct Presence {
  unsigned mask;
  int count;
};

template <int K>
__device__ Presence presence_along(const WindowAxis& axis, int first) {
  Presence found = {0u, 0};
#pragma unroll
  for (int j = 0; j < K; ++j) {
    const int at = first + j * axis.dilation;
    const bool there = at >= 0 && at < axis.inputs;
    found.mask |= there ? 1u << j : 0u;
    found.count += there;
  }
  return found;
}

template <int K0, int K1, int K2>
__device__ Presence presence(const WindowAxis (&axes)[3], const Item& first) {
  const Presence p0 = presence_along<K0>(axes[0], first.at[0]);
  const Presence p1 = presence_along<K1>(axes[1], first.at[1]);
  const Presence p2 = presence_along<K2>(axes[2], first.at[2]);
  unsigned lines = 0, mask = 0;
#pragma unroll
  for (int j = 0; j < K1; ++j) lines |= (p1.mask >> j & 1u) ? p2.mask << (j * K2) : 0u;
#pragma unroll
  for (int j = 0; j < K0; ++j) mask |= (p0.mask >> j & 1u) ? lines << (j * K1 * K2) : 0u;
  return {mask, p0.count * p1.count * p2.count};
}

// --- regions -------------------------------------------------------------------------------------

template <class T, int Count>
struct alignas(sizeof(T) * Count) Pack {
  T value[Count];
};

template <class T, int Count>
__device__ void load_pack(const T* from, computed_t<T>* to) {
  const Pack<T, Count> pack = *reinterpret_cast<const Pack<T, Count>*>(from);
#pragma unroll
  for (int k = 0; k < Count; ++k) to[k] = widened<T>(pack.value[k]);
}

template <class T, int Count>
__device__ void store_pack(T* to, const computed_t<T>* from) {
  Pack<T, Count> pack;
#pragma unroll
  for (int k = 0; k < Count; ++k) pack.value[k] = narrowed<T>(from[k]);
  *reinterpret_cast<Pack<T, Count>*>(to) = pack;
}

// A power of two, at most 1 / (4 count).
template <class C>
__device__ __forceinline__ C part_of(int count) {
  C part = C(0.25);
  for (int n = 1; n < count; n += n) part *= C(0.5);
  return part;
}

// The region of one window in registers: samples and the numbers paired with them (the samples
// themselves if not Paired). Absent places are zero, and functions are told not to count them.
template <class C, int N, bool Full, bool Paired>
struct Held {
  C sample[N], other[Paired ? N : 1];
  unsigned mask;
  C count, share, part, whole;

  __device__ __forceinline__ C of_whole(C sum) const { return sum / whole; }
  template <class F>
  __device__ __forceinline__ void each(const F& f) const {
#pragma unroll
    for (int k = 0; k < N; ++k) {
      f(sample[k], Paired ? other[Paired ? k : 0] : sample[k], Full || (mask >> k & 1u));
    }
  }
};

// The region of one window in memory.
template <class T, bool Paired>
struct Seen {
  const T *sample, *other;
  index_t step[3], other_step[3];
  int size[3];
  computed_t<T> count, share, part, whole;

  __device__ __forceinline__ computed_t<T> of_whole(computed_t<T> sum) const { return sum / whole; }
  template <class F>
  __device__ __forceinline__ void each(const F& f) const {
    for (int i = 0; i < size[0]; ++i) {
      for (int j = 0; j < size[1]; ++j) {
        const T* line = sample + i * step[0] + j * step[1];
        const T* beside = Paired ? other + i * other_step[0] + j * other_step[1] : nullptr;
#pragma unroll 4
        for (int k = 0; k < size[2]; ++k) {
          const computed_t<T> a = load(line + k * step[2]);
          f(a, Paired ? load(beside + k * other_step[2]) : a, true);
        }
      }
    }
  }
};

template <class T, bool Paired>
__device__ Seen<T, Paired> seen(const WindowAxis (&axes)[3], const Item& first, const Planes& samples,
                                const Planes& others) {
  typedef computed_t<T> C;
  Seen<T, Paired> region;
  Item begin = first;
  int count = 1;
#pragma unroll
  for (int d = 0; d < 3; ++d) {
    const Run run = run_of(axes[d], first.at[d]);
    begin.at[d] += run.begin * axes[d].dilation;
    region.size[d] = run.end - run.begin;
    region.step[d] = samples.step[d];
    region.other_step[d] = Paired ? others.step[d] : 0;
    count *= region.size[d];
  }
  region.sample = pointer_to<const T>(samples, begin);
  region.other = Paired ? pointer_to<const T>(others, begin) : nullptr;
  region.count = C(count);
  region.share = C(1) / region.count;
  region.part = part_of<C>(count);
  region.whole = region.count * region.part;
  return region;
}

// The samples of V neighbouring windows; of one window for V <= 1. With V > 1 they are read and
// written as packs: windows are then full, and windows and samples are contiguous along the last
// axis. With V == 1 only the samples are contiguous.
template <class T, int K0, int K1, int K2, bool Full, int V>
struct Patch {
  typedef computed_t<T> C;
  static constexpr int windows = V > 1 ? V : 1, lines = K0 * K1, width = K2 * windows;
  static constexpr int places = lines * K2;
  C value[lines][width];

  __device__ __forceinline__ static index_t line_of(const Planes& planes, int i) {
    return (i / K1) * planes.step[0] + (i % K1) * planes.step[1];
  }
  __device__ __forceinline__ static index_t column_of(const Planes& planes, int k) {
    return V > 0 ? k : k * planes.step[2];
  }

  __device__ __forceinline__ void load_from(const Planes& planes, const Item& first, unsigned mask) {
    const T* data = pointer_to<const T>(planes, first);
#pragma unroll
    for (int i = 0; i < lines; ++i) {
      const T* line = data + line_of(planes, i);
      if constexpr (V > 1) {
        load_pack<T, width>(line, value[i]);
      } else {
#pragma unroll
        for (int k = 0; k < width; ++k) {
          const bool there = Full || (mask >> (i * K2 + k) & 1u);
          value[i][k] = there ? load(line + column_of(planes, k)) : C(0);
        }
      }
    }
  }

  __device__ __forceinline__ void store_to(const Planes& planes, const Item& first, unsigned mask) const {
    T* data = pointer_to<T>(planes, first);
#pragma unroll
    for (int i = 0; i < lines; ++i) {
      T* line = data + line_of(planes, i);
      if constexpr (V > 1) {
        if (Full || (mask >> (i * K2) & 1u)) store_pack<T, width>(line, value[i]);
      } else {
#pragma unroll
        for (int k = 0; k < width; ++k) {
          if (Full || (mask >> (i * K2 + k) & 1u)) store(line + column_of(planes, k), value[i][k]);
        }
      }
    }
  }

  template <bool Paired>
  __device__ __forceinline__ Held<C, places, Full, Paired> held(int window, const Patch& beside,
                                                                Presence present) const {
    Held<C, places, Full, Paired> region;
#pragma unroll
    for (int k = 0; k < places; ++k) {
      region.sample[k] = value[k / K2][window * K2 + k % K2];
      if (Paired) region.other[Paired ? k : 0] = beside.value[k / K2][window * K2 + k % K2];
    }
    region.mask = present.mask;
    region.count = Full ? C(places) : C(present.count);
    region.share = C(1) / region.count;
    region.part = part_of<C>(places);
    region.whole = region.count * region.part;
    return region;
  }
};

}  // namespace liftwave
