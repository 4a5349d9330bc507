// Lifting of whole arrays: along one axis, or along two axes in one pass over memory.
#pragma once

#include <vector>

#include "common/array_ref.hpp"
#include "lifting/plan.hpp"
#include "lifting/tile.hpp"

namespace liftwave {

// The transform along one axis of an array.
struct AxisLift {
  int axis = 0;
  const LiftPlan* plan = nullptr;
};

// Computes the bands of `signal`. `lifts` holds one axis, or two in the order in which they are
// lifted. There are two bands (approximation, detail) or four (aa, ad, da, dd, the first letter for
// the first axis). Samples are converted to the bands' dtype. The bands' rows must be contiguous;
// they run along the second of `lifts`, or along the last axis of the array. Throws
// std::logic_error if shapes or dtypes do not match.
void lift_analysis(const ArrayRef& signal, const std::vector<AxisLift>& lifts,
                   const std::vector<ArrayRef>& bands, LiftTable table);

// Computes the signal of these bands. With two axes, the second of `lifts` is merged first. The
// signal's rows must be contiguous.
void lift_synthesis(const std::vector<ArrayRef>& bands, const std::vector<AxisLift>& lifts,
                    const ArrayRef& signal, LiftTable table);

}  // namespace liftwave
