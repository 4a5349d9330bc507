// Lifting pooling: downsampling by learned lifting steps with a ReLU, and its inverse.
//
// A signal of several axes is split along the last one first, then both halves along the one
// before, and so on. Passes are the nodes of a binary tree, numbered level by level. The smooth
// half of pass i is the input of pass 2 i + 1, the detail that of pass 2 i + 2. The leaves are the
// bands.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "common/index.hpp"

namespace liftwave {

// The samples of a half that a filter reads, with those beyond its ends.
struct LiftPoolReads {
  struct Use {  // tap `tap` of target `target` reads a sample
    index_t target;
    int tap;
  };

  std::vector<index_t> source;      // half + kernel - 1 samples, -1 for zero
  std::vector<Use> uses;            // of sample j: first_use[j] ... first_use[j + 1] - 1
  std::vector<index_t> first_use;
  std::vector<char> plain;          // whether sample j has one use by each tap, in tap order
  // If samples come in order, target k is computed as soon as sample k + kernel / 2 or the last one
  // is there. Then the filter reads the last `held` samples at most. Zero if it reads later ones.
  index_t held = 0;
};

// One axis: `half` samples in each half.
struct LiftPoolAxis {
  index_t n = 0, half = 0;
  index_t last = 0;        // the sample that pads an odd number of samples
  LiftPoolReads reads[2];  // of the predictor: even samples; of the updater: details
};

class LiftPoolPlan {
 public:
  // Samples that predictor and updater read: for each axis half + kernel - 1 numbers, -1 for zero.
  using Sources = std::array<std::vector<index_t>, 2>;

  // `lasts`: for each axis the sample that pads an odd number of samples.
  LiftPoolPlan(const std::vector<index_t>& sizes, const std::vector<index_t>& lasts,
               const std::vector<Sources>& sources, int kernel);

  int dims() const { return static_cast<int>(axes.size()); }
  int before() const { return (kernel - 1) / 2; }
  int passes() const { return (1 << dims()) - 1; }
  int bands() const { return 1 << dims(); }
  index_t samples() const;       // of a signal's plane
  index_t band_samples() const;  // of a band's plane

  std::vector<LiftPoolAxis> axes;
  int kernel;
};

// Planes follow each other by channel, then by batch; or the channels are the last axis. Filters are of shape (passes or 1, 2,
// channels, kernel + 3): weights, bias, gain, offset of predictor and updater.
template <class T>
struct LiftPoolFilters {
  const T* values;
  bool shared;
};

// For each band the address of its first plane, or null. The next batch is `batch` numbers further.
// With the channels last, the next sample is `step` numbers further.
template <class T>
struct LiftPoolBands {
  std::vector<T*> band;
  index_t batch = 0;
  index_t step = 0;
};

template <class T>
struct LiftPoolJob {
  const LiftPoolPlan* plan;
  index_t batch, channels;
  LiftPoolFilters<T> filters;
  bool channels_last = false;  // whether signals are of shape (batch, samples, channels)
};

// The known values: the signal, or all bands.
template <class T>
struct LiftPoolValues {
  const T* signal = nullptr;
  LiftPoolBands<const T> bands;
};

}  // namespace liftwave
