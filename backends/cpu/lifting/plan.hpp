// Lifting along one axis as data: steps, boundary rows, and which samples a tile needs.
//
// Nothing here touches samples, and nothing here is compiled per instruction set.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/index.hpp"

namespace liftwave {

// `i` modulo `n`, never negative.
LIFTWAVE_INLINE index_t wrapped(index_t i, index_t n) {
  const index_t r = i % n;
  return r < 0 ? r + n : r;
}

// What stands behind an odd number of samples to make it even.
enum class Edge {
  none,  // nothing: the length is even, or the boundary mode needs no even length
  zero,  // a zero; a synthesis drops the sample
  last,  // the last sample again; a synthesis adds the sample onto the last one
};

// Samples beyond the ends of a channel, each a copy of one within; -1 stands for zero.
struct BoundaryRows {
  const index_t* left = nullptr;  // left[n_left - 1] is the sample just before the channel
  const index_t* right = nullptr;
  index_t n_left = 0;
  index_t n_right = 0;

  // Which sample position `i` (anywhere) of a channel of `n` samples holds.
  LIFTWAVE_INLINE index_t at(index_t i, index_t n) const {
    return i < 0 ? left[n_left + i] : i < n ? i : right[i - n];
  }
};

// t[k] ±= sum_j taps[j] * s[k + offset + j]: `t` is channel `target`, `s` the other one.
struct Step {
  int target = 0;
  bool subtract = false;
  index_t offset = 0;
  index_t length = 0;
  // How far an integer sum is shifted right, after adding one half; 0 without rounding.
  int bits = 0;
  index_t n_target = 0;
  index_t n_source = 0;
  index_t first_tap = 0;  // among those of all steps of the plan
  // The targets that neither read beyond the source's ends nor get anything folded onto them.
  Range inside;
  BoundaryRows extend;  // of the source
  BoundaryRows fold;    // of the increment: what lies beyond the ends is added onto these samples
  // The taps in each arithmetic; integer steps have `i32` (modulo 2**32) and `i64` only.
  const float* f32 = nullptr;
  const double* f64 = nullptr;
  const std::uint32_t* i32 = nullptr;
  const std::uint64_t* i64 = nullptr;

  LIFTWAVE_INLINE bool folds() const { return fold.n_left + fold.n_right > 0; }

  // Source positions that the targets `t` read, beyond the ends too.
  LIFTWAVE_INLINE Range window(Range t) const { return {t.begin + offset, t.end + offset + length - 1}; }
};

// The hull of the source samples that these targets read, through extension and folding.
Range sources(const Step& step, Range targets);

// What a caller says of a step; see `Step`.
struct StepSpec {
  int target = 0;
  bool subtract = false;
  index_t offset = 0;
  std::vector<double> taps;
  std::vector<std::int64_t> numerators;
  int bits = 0;
  std::array<std::vector<index_t>, 2> extend;
  std::array<std::vector<index_t>, 2> fold;
};

class Schedules;
struct AxisTile;

// A lifting scheme along one axis of `n` samples.
class LiftPlan {
 public:
  // Throws std::logic_error if the rows do not cover what the steps read.
  LiftPlan(index_t n, Edge edge, std::vector<StepSpec> specs, std::array<index_t, 2> shift,
           std::array<double, 2> scale);

  LiftPlan(const LiftPlan&) = delete;
  LiftPlan& operator=(const LiftPlan&) = delete;

  index_t n() const { return n_; }
  Edge edge() const { return edge_; }
  index_t padded() const { return n_ + (edge_ == Edge::none ? 0 : 1); }
  // Number of even (0) or odd (1) samples.
  index_t length(int channel) const { return (padded() + 1 - channel) / 2; }
  index_t shift(int channel) const { return shift_[channel]; }
  double scale(int channel) const { return scale_[channel]; }
  // The steps that have something to do, in the order in which they run.
  const std::vector<Step>& steps() const { return steps_; }
  // Taps of all steps, those that have nothing to do among them.
  index_t tap_count() const { return tap_count_; }
  bool integer() const { return integer_; }
  // Whether everything is periodic, so that a tile may simply wrap around.
  bool periodic() const { return periodic_; }
  // How far beyond a tile of pairs the steps reach, on the wider side.
  index_t reach() const { return reach_; }
  // The tile of all pairs.
  const AxisTile& whole() const { return *whole_; }
  // Those of its tiles' rows; safe to use from several threads.
  Schedules& schedules() const { return *schedules_; }
  // The largest magnitudes of a sum and of a sample, given the largest sample, in integers that
  // wrap around beyond `limit`.
  struct Magnitude {
    double sum = 0;
    double sample = 0;
  };
  Magnitude magnitude(double largest, double limit) const;
  // Whether samples may be split into what a step's shift drops and what it keeps, and the sums of
  // both fit 32 bits (of the kept part: modulo 2**32).
  bool splits() const;

 private:
  index_t n_;
  Edge edge_;
  std::vector<StepSpec> specs_;
  std::array<index_t, 2> shift_;
  std::array<double, 2> scale_;
  std::vector<Step> steps_;
  std::vector<std::vector<float>> f32_;
  std::vector<std::vector<std::uint32_t>> i32_;
  std::vector<std::vector<std::uint64_t>> i64_;
  std::shared_ptr<const AxisTile> whole_;
  std::shared_ptr<Schedules> schedules_;
  index_t tap_count_ = 0;
  bool integer_ = false;
  bool periodic_ = false;
  index_t reach_ = 0;
};

// What it takes to have the pairs `pairs` after all steps.
struct AxisTile {
  Range pairs;
  bool wraps = false;                // positions beyond the ends wrap around
  std::array<Range, 2> load;         // samples of each channel to begin with
  std::vector<Range> targets;        // what each step changes
  // The samples (even and odd in one numbering) that `load` names.
  Range samples() const;
};

// The tile of `pairs`; with `wraps`, which a periodic plan needs if it has several tiles.
AxisTile axis_tile(const LiftPlan& plan, Range pairs, bool wraps);

}  // namespace liftwave
