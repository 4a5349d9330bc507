// Transforms of several levels. The order of the work keeps the approximations between levels in
// the caches.
#pragma once

#include <vector>

#include "filters/kernels.hpp"

namespace liftwave {

struct AnalysisLevel {
  std::vector<AxisPlan> axes;
  int bands;  // one for each choice of a filter per axis
};

// The input of each level but the first is the approximation of the level before. `bands` holds
// those of each level by key. An approximation that the caller does not want has no data. Its
// memory is allocated here, for one block or item at a time where possible.
template <class T>
void analyse_levels(const FilterKernels<T>& kernels, const std::vector<AnalysisLevel>& levels,
                    const ArrayView<const T>& x, ArrayView<T>* bands, std::size_t band_count);

template <class T>
struct SynthesisStage {
  const std::vector<AxisPlan>* axes;
  ArrayView<const T>* bands;  // along one axis the present ones, else one per key
  int band_count;
  bool continues;  // the first band is the result of the stage before, or its first samples
  ArrayView<T> result;  // without data if only the next stage needs it
};

template <class T>
void synthesise_levels(const FilterKernels<T>& kernels, SynthesisStage<T>* stages,
                       std::size_t count);

}  // namespace liftwave
