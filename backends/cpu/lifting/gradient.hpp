// The gradient of lifting, computed from its outputs.
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

// The gradient of lifting along one axis: `values` inverts it, `cotangents` is its adjoint. Both
// plans have the same steps, the last lifting step first.
struct GradientPlan {
  int axis = 0;
  const LiftPlan* values = nullptr;
  const LiftPlan* cotangents = nullptr;
};

// With `merges`, bands are the input and signals the output (the lifting was an analysis);
// otherwise the reverse. The gradients of the taps, in the order of `values`, and then of the two
// scales are added to `gradients`. The rows of the output must be contiguous. Throws
// std::logic_error if shapes, dtypes or plans do not match.
void lift_gradient(const LiftedPair& values, const LiftedPair& cotangents,
                   const GradientPlan& plan, bool merges, double* gradients, GradientTable table);

}  // namespace liftwave
