// One tile of the way back through lifting: values rebuilt and cotangents pulled back together.
#pragma once

#include "lifting/tile.hpp"

namespace liftwave {

// A step, going back: first it is undone on the values, then its transpose pulls the cotangent of
// its target back to its source.
struct BackStep {
  const Step* undo = nullptr;
  const Step* pull = nullptr;
  Range undone;  // targets of `undo`
  Range pulled;  // targets of `pull`
  Range own;     // targets of `undo` whose part of the gradient this tile sums
};

struct GradientJob {
  bool merges = false;     // bands to signals, or signals to bands
  bool over_rows = false;  // whether rows are lifted, or columns
  AxisJob axis[2];         // the lifted one, of the values and of the cotangents
  const BackStep* steps = nullptr;
  index_t step_count = 0;
  Range own[2];            // of each channel
  Range lanes;             // columns, or rows where columns are lifted
  View signal[2];          // values and cotangents
  View band[2][2];         // of these, approximation and detail
  char* plane[2][2] = {};  // of these, even and odd rows, or samples of a row
  index_t pitch = 0;       // reals between two rows of a plane
  char* row = nullptr;     // a row of samples
  double* gradients = nullptr;  // taps, then scales
  index_t tap_count = 0;
  bool stream = false;
};

// The kernel for a dtype; null where there is none.
using GradientKernel = void (*)(const GradientJob&);
using GradientTable = GradientKernel (*)(DType work);

}  // namespace liftwave
