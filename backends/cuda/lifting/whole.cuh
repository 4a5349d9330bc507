// Arguments of lifting on the whole grid, without downsampling.
#pragma once
#include "lifting/plan.cuh"

namespace liftwave {

// target[k] ±= sum_j tap[first + j] * source[k + place[first + j]], with the source extended.
// Transposed: source[k] is added to sample k + place of the extended target.
struct WholeStep {
  short first, length;
  signed char target, subtract, transposed;
  signed char bits;   // of taps in fixed point
  int before, after;  // the most samples that a target reads before and behind its own place
};

template <class R>
struct WholeSteps {
  R tap[128];
  index_t place[128];
  WholeStep step[64];
};

// Steps in tiles. One of the axes of tiles is lifted; its pairs are samples.
template <class R>
struct WholeArguments {
  Array signal, band[2];
  Batch batch;
  LiftAxis axis[2];  // rows and columns of tiles
  R scale[2];        // of both bands
  R weight;          // of the signal
  index_t blocks;
  int log_width;     // of the threads side by side along columns
  int mode;
  WholeSteps<R> steps;
};

// One step on contiguous arrays of shape (total / (n * inner), n, inner).
template <class R>
struct WholeStepArguments {
  const void* source;
  const void* target;
  void* out;
  index_t n, inner, total;
  int mode, padding;
  WholeSteps<R> steps;
};

}  // namespace liftwave
