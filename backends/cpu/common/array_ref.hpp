// Arrays of any dtype.
#pragma once

#include <cstddef>

#include "common/dtype.hpp"
#include "common/index.hpp"
#include "common/small_vector.hpp"

namespace liftwave {

// An array of any number of dimensions; strides in bytes.
struct ArrayRef {
  char* data = nullptr;
  DType dtype = DType::float32;
  SmallVector<index_t, 6> shape;
  SmallVector<index_t, 6> strides;
};

}  // namespace liftwave
