// Transforms of several levels: in which order their parts are done, so that what one level leaves
// to the next is still in the caches.
#pragma once

#include <vector>

#include "filters/kernels.hpp"

namespace liftwave {

struct AnalysisLevel {
  std::vector<AxisPlan> axes;
  int bands;  // along one axis as many as filters, else one per key
};

// Each level but the first has the approximation of the one before as its input. `bands` holds
// those of each level by key. An approximation that the caller does not want has no data; memory
// for it is found here, a block's or an item's at a time where that is possible.
template <class T>
void analyse_levels(const FilterKernels<T>& kernels, const std::vector<AnalysisLevel>& levels,
                    const ArrayView<const T>& x, ArrayView<T>* bands, std::size_t band_count);

template <class T>
struct SynthesisStage {
  const std::vector<AxisPlan>* axes;
  ArrayView<const T>* bands;  // along one axis those that are present, else one per key
  int band_count;
  bool continues;  // the first band is what the stage before made, or its first samples
  ArrayView<T> result;  // without data where only the next stage wants it
};

template <class T>
void synthesise_levels(const FilterKernels<T>& kernels, SynthesisStage<T>* stages,
                       std::size_t count);

}  // namespace liftwave
