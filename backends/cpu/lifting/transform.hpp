// Lifting of whole arrays: along one axis, or along two axes in one pass over memory.
#pragma once

#include <vector>

#include "common/array_ref.hpp"
#include "lifting/plan.hpp"
#include "lifting/tile.hpp"

namespace liftwave {

// What is done along an axis of an array.
struct AxisLift {
  int axis = 0;
  const LiftPlan* plan = nullptr;
};

// Bands of `signal`. `lifts` holds one axis, or two in the order in which they are lifted; there
// are two bands (approximation, detail) or four (aa, ad, da, dd, the first letter for the first
// axis). Samples are converted to the bands' dtype on the way. The bands' rows, along the last
// axis of the array or, where there is one, the second of `lifts`, have to be contiguous.
// Throws std::logic_error if shapes or dtypes do not belong together.
void lift_analysis(const ArrayRef& signal, const std::vector<AxisLift>& lifts,
                   const std::vector<ArrayRef>& bands, LiftTable table);

// The signal of these bands; with two axes, the second of `lifts` is merged first. The signal's
// rows have to be contiguous.
void lift_synthesis(const std::vector<ArrayRef>& bands, const std::vector<AxisLift>& lifts,
                    const ArrayRef& signal, LiftTable table);

}  // namespace liftwave
