// The functions that add the bindings to the Python module.
#pragma once

#include <nanobind/nanobind.h>

#include "kernels.hpp"

namespace liftwave {

// `kernels`: those of the instruction set in use.
void bind_arrays(nanobind::module_& m);
void bind_filters(nanobind::module_& m, const Kernels& kernels);
void bind_packets(nanobind::module_& m, const Kernels& kernels);
void bind_circular(nanobind::module_& m, const Kernels& kernels);
void bind_lifting(nanobind::module_& m, const Kernels& kernels);
void bind_lifting_gradient(nanobind::module_& m, const Kernels& kernels);
void bind_whole_lifting(nanobind::module_& m, const Kernels& kernels);
void bind_pooling(nanobind::module_& m, const Kernels& kernels);
void bind_lift_pool(nanobind::module_& m, const Kernels& kernels);
void bind_spectral(nanobind::module_& m, const Kernels& kernels);
void bind_time_frequency(nanobind::module_& m, const Kernels& kernels);
void bind_dual_tree(nanobind::module_& m, const Kernels& kernels);

}  // namespace liftwave
