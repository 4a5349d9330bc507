// Plans of filter banks as Python passes them.
#pragma once

#include <tuple>
#include <utility>
#include <vector>

#include "filters/plan.hpp"

namespace liftwave {

using Rows = std::vector<std::vector<std::pair<index_t, double>>>;
using ExtensionArgument = std::tuple<index_t, Rows, Rows>;  // n, left, right
// axis, n_out, length, phase, extend, fold, taps
using AxisArgument = std::tuple<int, index_t, index_t, index_t, ExtensionArgument,
                                ExtensionArgument, std::vector<std::vector<double>>>;

// Throws std::logic_error if kernels cannot rely on the plan.
AxisPlan make_axis(const AxisArgument& argument, bool synthesis);

// One to four axes.
std::vector<AxisPlan> make_axes(const std::vector<AxisArgument>& arguments, bool synthesis);

}  // namespace liftwave
