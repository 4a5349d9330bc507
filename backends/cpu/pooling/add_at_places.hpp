// The adjoint of choosing samples, which is the same on every instruction set.
#pragma once

#include <cstdint>

#include "common/array_view.hpp"

namespace liftwave {

// Adds each number to the sample of its plane that is named beside it. All arrays are contiguous;
// false where a name is none, and then nothing is promised of the result.
template <class T>
bool add_at_places(const T* numbers, const std::int64_t* places, index_t planes, index_t windows,
                   index_t samples, T* result);

}  // namespace liftwave
