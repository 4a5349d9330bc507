// Taps of up to two filters: numbers in the launch arguments, or device addresses of learned taps.
#pragma once
#include "common/numbers.cuh"

namespace liftwave {

template <class R, int Count>
struct GivenTaps {
  R value[2][Count];

  __device__ R at(int filter, int j) const { return value[filter][j]; }
};

template <class R>
struct LearnedTaps {
  const R* place[2];

  __device__ R at(int filter, int j) const { return __ldg(place[filter] + j); }
};

}  // namespace liftwave
