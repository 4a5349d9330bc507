// The dtypes of arrays.
#pragma once

namespace liftwave {

enum class DType : int {
  int8, uint8, int16, uint16, int32, uint32, int64, float32, float64, complex64, complex128
};

}  // namespace liftwave
