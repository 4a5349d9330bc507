// Lifting along one axis as data: steps, boundary rows, and which samples a tile needs.
//
// No code here accesses samples or is compiled per instruction set.
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

// The sample that makes an odd number of samples even.
enum class Edge {
  none,  // nothing: the length is even, or the boundary mode needs no even length
  zero,  // a zero; a synthesis drops the sample
  last,  // the last sample again; a synthesis adds the sample onto the last one
};

// Samples beyond the ends of a channel. Each is a copy of a sample inside; -1 means zero.
struct BoundaryRows {
  const index_t* left = nullptr;  // left[n_left - 1] is the sample just before the channel
  const index_t* right = nullptr;
  index_t n_left = 0;
  index_t n_right = 0;

  // Index of the sample at position `i` (inside or outside) of a channel of `n` samples.
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
  // Right shift of an integer sum, after adding one half; 0 without rounding.
  int bits = 0;
  index_t n_target = 0;
  index_t n_source = 0;
  index_t first_tap = 0;  // index among the taps of all steps of the plan
  // The targets that need no extended source and receive no folded increment.
  Range inside;
  BoundaryRows extend;  // of the source
  BoundaryRows fold;    // of the increment: values beyond the ends are added onto these samples
  // The taps in each arithmetic; integer steps have those of integers only, modulo their range.
  const float* f32 = nullptr;
  const double* f64 = nullptr;
  const std::uint16_t* i16 = nullptr;
  const std::uint32_t* i32 = nullptr;
  const std::uint64_t* i64 = nullptr;

  LIFTWAVE_INLINE bool folds() const { return fold.n_left + fold.n_right > 0; }

  // Source positions that the targets `t` read, also beyond the ends.
  LIFTWAVE_INLINE Range window(Range t) const { return {t.begin + offset, t.end + offset + length - 1}; }
};

// The hull of the source samples that these targets read, through extension and folding.
Range sources(const Step& step, Range targets);

// A step as callers pass it; see `Step`.
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
  // The steps with targets and sources, in the order in which they run.
  const std::vector<Step>& steps() const { return steps_; }
  // Taps of all steps, including those left out of `steps`.
  index_t tap_count() const { return tap_count_; }
  bool integer() const { return integer_; }
  // Whether all steps are periodic, so that a tile may wrap around.
  bool periodic() const { return periodic_; }
  // How far beyond a tile of pairs the steps reach, on the wider side.
  index_t reach() const { return reach_; }
  // The tile of all pairs.
  const AxisTile& whole() const { return *whole_; }
  // The schedules of the plan's tiles; thread-safe.
  Schedules& schedules() const { return *schedules_; }
  // The largest magnitudes of a sum and of a sample, for a given largest sample, in integers that
  // wrap around beyond `limit`.
  struct Magnitude {
    double sum = 0;
    double sample = 0;
  };
  Magnitude magnitude(double largest, double limit) const;
  // Whether samples may be split at a step's shift such that the sums of both parts fit 32 bits
  // (for the high bits: modulo 2**32).
  bool splits() const;

 private:
  index_t n_;
  Edge edge_;
  std::vector<StepSpec> specs_;
  std::array<index_t, 2> shift_;
  std::array<double, 2> scale_;
  std::vector<Step> steps_;
  std::vector<std::vector<float>> f32_;
  std::vector<std::vector<std::uint16_t>> i16_;
  std::vector<std::vector<std::uint32_t>> i32_;
  std::vector<std::vector<std::uint64_t>> i64_;
  std::shared_ptr<const AxisTile> whole_;
  std::shared_ptr<Schedules> schedules_;
  index_t tap_count_ = 0;
  bool integer_ = false;
  bool periodic_ = false;
  index_t reach_ = 0;
};

// What a tile loads and changes to compute `pairs`.
struct AxisTile {
  Range pairs;
  bool wraps = false;                // positions beyond the ends wrap around
  std::array<Range, 2> load;         // samples of each channel before the first step
  std::vector<Range> targets;        // what each step changes
  // The samples (even and odd in one numbering) that `load` names.
  Range samples() const;
};

// The tile of `pairs`. A periodic plan with several tiles needs `wraps`.
AxisTile axis_tile(const LiftPlan& plan, Range pairs, bool wraps);

}  // namespace liftwave
