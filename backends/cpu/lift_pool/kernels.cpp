// Compiled once per instruction set: see common/isa.hpp.
#include "lift_pool/planes.hpp"

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

extern const LiftPoolTable lift_pool_table;
const LiftPoolTable lift_pool_table{lift_pool_kernels_of<float>, lift_pool_kernels_of<double>};

}  // namespace liftwave::LIFTWAVE_ISA
