// Compiled once per instruction set: see common/isa.hpp.
#include "lifting/gradient_kernels.hpp"

namespace liftwave::LIFTWAVE_ISA {

GradientKernel lift_gradient_kernel(DType work) {
  switch (work) {
    case DType::float32: return gradient_kernel<float, 1>;
    case DType::float64: return gradient_kernel<double, 1>;
    case DType::complex64: return gradient_kernel<float, 2>;
    case DType::complex128: return gradient_kernel<double, 2>;
    default: return nullptr;
  }
}

}  // namespace liftwave::LIFTWAVE_ISA
