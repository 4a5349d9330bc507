// Compiled once per instruction set, with LIFTWAVE_ISA naming it.
#include "liftwave/lift_pool_kernels.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Unrolled for the usual numbers of taps.
template <class T>
LiftPoolKernels<T> lift_pool_kernels_of(int kernel) {
  switch (kernel) {
    case 3: return lift_pool_kernels<T, 3>();
    case 5: return lift_pool_kernels<T, 5>();
    case 7: return lift_pool_kernels<T, 7>();
    default: return lift_pool_kernels<T, 0>();
  }
}

template LiftPoolKernels<float> lift_pool_kernels_of<float>(int kernel);
template LiftPoolKernels<double> lift_pool_kernels_of<double>(int kernel);

}  // namespace liftwave::LIFTWAVE_ISA
