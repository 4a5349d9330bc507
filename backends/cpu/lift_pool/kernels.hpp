// Lifting pooling: the kernels of one instruction set.
#pragma once

#include "common/by_precision.hpp"
#include "lift_pool/plan.hpp"

namespace liftwave {

template <class T>
struct LiftPoolKernels {
  // `sum`: bands are summed into the first. `sums`: (passes, 2) of (s - o)^2 and d^2.
  void (*down)(const LiftPoolJob<T>& job, const T* x, const LiftPoolBands<T>& bands, bool sum,
               double* sums);
  void (*up)(const LiftPoolJob<T>& job, const LiftPoolBands<const T>& bands, T* x);
  // `weights`: cotangents of the sums, or null. `gradient`: (passes, 2, channels, kernel + 3).
  void (*down_vjp)(const LiftPoolJob<T>& job, const LiftPoolValues<T>& values,
                   const LiftPoolBands<const T>& cotangents, const double* weights, T* x,
                   double* gradient);
  void (*up_vjp)(const LiftPoolJob<T>& job, const LiftPoolValues<T>& values, const T* cotangent,
                 const LiftPoolBands<T>& bands, double* gradient);
};

// The kernels for a number of taps.
template <class T>
using LiftPoolChoice = LiftPoolKernels<T> (*)(int kernel);

using LiftPoolTable = ByPrecision<LiftPoolChoice>;

}  // namespace liftwave
