// Conditions that Python has seen to before.
#pragma once

#include "common/inline.hpp"

namespace liftwave {

// Throws std::logic_error: what users pass is checked in Python, so liftwave has a fault.
[[noreturn]] void fail(const char* what);

LIFTWAVE_INLINE void require(bool holds, const char* what) {
  if (!holds) fail(what);
}

}  // namespace liftwave
