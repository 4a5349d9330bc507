// The bindings of lifting pooling, which module.cpp adds to the Python module.
#pragma once

#include <nanobind/nanobind.h>

namespace liftwave {

// `isa`: name of the instruction set whose kernels are used.
void bind_lift_pool(nanobind::module_& m, const char* isa);

}  // namespace liftwave
