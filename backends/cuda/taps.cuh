// Taps of up to two filters: numbers that come with the launch, or places on the device where they
// are while they are being learned.
#pragma once
#include "numbers.cuh"

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
