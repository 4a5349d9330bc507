// Conditions that Python has checked before.
#pragma once

#include "common/inline.hpp"

namespace liftwave {

// Throws std::logic_error. Python checks what users pass, so a failure is a bug in liftwave.
[[noreturn]] void fail(const char* what);

LIFTWAVE_INLINE void require(bool holds, const char* what) {
  if (!holds) fail(what);
}

}  // namespace liftwave
