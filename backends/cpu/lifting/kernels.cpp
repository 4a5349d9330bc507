// Compiled once per instruction set: see common/isa.hpp.
#if defined(__GNUC__) && !defined(__clang__)
// Sums start with their first term. GCC does not see that the term always exists.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "lifting/tile_kernels.hpp"

namespace liftwave::LIFTWAVE_ISA {

LiftKernels lift_kernels(DType work, Sums sums) {
  using std::int16_t, std::int32_t, std::int64_t, std::uint16_t, std::uint32_t, std::uint64_t;
  if (sums == Sums::lanes16) {
#if defined(__GNUC__)
    if (work == DType::int16) return kernels_of<int16_t, uint16_t, 1>();
    if (work == DType::int32) return kernels_of<int16_t, uint16_t, 1, int32_t>();
#endif
    return {};
  }
  switch (work) {
    case DType::float32: return kernels_of<float, float, 1>();
    case DType::float64: return kernels_of<double, double, 1>();
    case DType::complex64: return kernels_of<float, float, 2>();
    case DType::complex128: return kernels_of<double, double, 2>();
    case DType::int16:
      if (sums == Sums::narrow) return kernels_of<int16_t, uint32_t, 1>();
      return kernels_of<int16_t, uint64_t, 1>();
    case DType::int32:
      if (sums == Sums::narrow) return kernels_of<int32_t, uint32_t, 1>();
      if (sums == Sums::split) return kernels_of<int32_t, SplitSum, 1>();
      return kernels_of<int32_t, uint64_t, 1>();
    case DType::int64: return kernels_of<int64_t, uint64_t, 1>();
    default: return {};
  }
}

}  // namespace liftwave::LIFTWAVE_ISA
