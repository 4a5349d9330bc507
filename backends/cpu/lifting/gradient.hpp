// Lifting differentiated from its outputs.
#pragma once

#include <vector>

#include "lifting/gradient_tile.hpp"
#include "lifting/transform.hpp"

namespace liftwave {

// A signal and its two bands.
struct LiftedPair {
  ArrayRef signal;
  std::vector<ArrayRef> bands;
};

// Going back through lifting along one axis: `values` undoes it, `cotangents` is its transpose.
// Both plans have the same steps, last step of the lifting first.
struct GradientPlan {
  int axis = 0;
  const LiftPlan* values = nullptr;
  const LiftPlan* cotangents = nullptr;
};

// With `merges`, the bands are given and the signals are made (the lifting was an analysis), else
// the other way round. The gradients of the taps, in the order of `values`, and then of the two
// scales are added to `gradients`. What is made has to be contiguous along its rows.
// Throws std::logic_error if shapes, dtypes or plans do not belong together.
void lift_gradient(const LiftedPair& values, const LiftedPair& cotangents,
                   const GradientPlan& plan, bool merges, double* gradients, GradientTable table);

}  // namespace liftwave
