// One tile of the lifting gradient: values are reconstructed and cotangents pulled back together.
#pragma once

#include "lifting/tile.hpp"

namespace liftwave {

// A step in reverse: it is undone on the values, then its adjoint pulls the cotangent of its target
// back to its source.
struct BackStep {
  const Step* undo = nullptr;
  const Step* pull = nullptr;
  Range undone;  // targets of `undo`
  Range pulled;  // targets of `pull`
  Range own;     // targets of `undo` whose share of the gradient this tile sums
};

struct GradientJob {
  bool merges = false;     // true: bands to signals; false: signals to bands
  bool over_rows = false;  // true: rows are lifted; false: columns
  AxisJob axis[2];         // the lifted axis, for the values and for the cotangents
  const BackStep* steps = nullptr;
  index_t step_count = 0;
  Range own[2];            // of each channel
  Range lanes;             // columns, or rows where columns are lifted
  View signal[2];          // of the values and of the cotangents
  View band[2][2];         // [values, cotangents][approximation, detail]
  char* plane[2][2] = {};  // [values, cotangents][even, odd]: rows, or samples of a row
  index_t pitch = 0;       // reals between two rows of a plane
  char* row = nullptr;     // a row of samples
  double* gradients = nullptr;  // taps, then scales
  index_t tap_count = 0;
  bool stream = false;
};

// The kernel for a dtype; null if the dtype has none.
using GradientKernel = void (*)(const GradientJob&);
using GradientTable = GradientKernel (*)(DType work);

}  // namespace liftwave
