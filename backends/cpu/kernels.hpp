// All kernels of one instruction set.
#pragma once

#include "dual_tree/kernels.hpp"
#include "filters/kernels.hpp"
#include "lift_pool/kernels.hpp"
#include "lifting/gradient_tile.hpp"
#include "lifting/tile.hpp"
#include "lifting/whole.hpp"
#include "pooling/kernels.hpp"
#include "spectral/kernels.hpp"
#include "time_frequency/kernels.hpp"

namespace liftwave {

struct Kernels {
  const FilterTable* filters;
  LiftTable lifting;
  GradientTable lifting_gradient;
  const WholeTable* whole_lifting;
  const PoolTable* pooling;
  const LiftPoolTable* lift_pool;
  const SpectralTable* spectral;
  const TimeFrequencyTable* time_frequency;
  const DualTreeTable* dual_tree;
};

struct InstructionSet {
  const char* name;
  bool available;  // on this processor
  const Kernels* kernels;
};

// The compiled instruction sets, the best one last.
const InstructionSet* instruction_sets(int& count);

}  // namespace liftwave
