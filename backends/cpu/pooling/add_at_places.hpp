// The adjoint of sample selection, which is the same on every instruction set.
#pragma once

#include <cstdint>

#include "common/array_view.hpp"

namespace liftwave {

// Adds each number to the sample of its plane at the matching place. All arrays are contiguous; the
// channels of a window, or of a sample, are side by side, and places do not count them.
// Returns false if a place is out of range; the result is then undefined.
template <class T>
bool add_at_places(const T* numbers, const std::int64_t* places, index_t planes, index_t windows,
                   index_t samples, index_t channels, T* result);

}  // namespace liftwave
