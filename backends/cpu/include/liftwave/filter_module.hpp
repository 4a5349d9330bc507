// The bindings of filter banks, which module.cpp adds to the Python module.
#pragma once

#include <nanobind/nanobind.h>

#include "liftwave/kernels.hpp"

namespace liftwave {

// `kernels`: those of the instruction set that is used.
void bind_filters(nanobind::module_& m, const Kernels& kernels);

}  // namespace liftwave
