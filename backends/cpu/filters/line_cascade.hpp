// Several levels of an analysis along one axis, in one pass over the signal. Approximations pass from
// level to level in the caches and are never stored as a whole.
//
// Each thread computes a stretch of consecutive pieces. It carries the last samples of each level from
// block to block, so only the few samples where two stretches meet are computed twice. Outputs that
// the extension reaches, on their level or on one before, are computed last. They read samples near
// the ends, which the stretches store separately.
#pragma once

#include <algorithm>
#include <vector>

#include "filters/plan.hpp"

namespace liftwave {

// Samples `extended` of an extended signal: those inside it, and those that its extension reads.
LIFTWAVE_INLINE Range samples_inside(const Extension& extend, const Range& extended) {
  Range range = extended.clipped(0, extend.n);
  const auto include = [&](index_t from, index_t to) LIFTWAVE_INLINE_LAMBDA {
    for (index_t i = from; i < to; ++i) {
      const Row row = extend.row(i);
      for (index_t t = 0; t < row.terms; ++t) range = hull(range, {row.at[t], row.at[t] + 1});
    }
  };
  include(extended.begin, std::min<index_t>(extended.end, 0));
  include(std::max(extended.begin, extend.n), extended.end);
  return range;
}

// The samples that outputs of an analysis need.
LIFTWAVE_INLINE Range samples_for(const FilterPlan& p, const Range& outputs) {
  if (!outputs.size()) return {0, 0};
  const Range met{2 * outputs.begin + p.phase - p.length + 1, 2 * outputs.end - 1 + p.phase};
  return samples_inside(p.extend, met);
}

// The first input that outputs from k0 on read, and the end of those that outputs before k1 read.
LIFTWAVE_INLINE index_t first_input(const FilterPlan& p, index_t k0) { return 2 * k0 + p.phase - p.length + 1; }
LIFTWAVE_INLINE index_t stop_input(const FilterPlan& p, index_t k1) { return 2 * k1 - 1 + p.phase; }

// How many outputs read no input from `stop` on.
LIFTWAVE_INLINE index_t outputs_before(const FilterPlan& p, index_t stop) {
  return std::max<index_t>(stop + 1 - p.phase, 0) / 2;
}

class LineCascade {
 public:
  static constexpr int most_levels = 8;

  // Uses as many of the first levels as pay off, in pieces of about `samples` samples of the signal.
  LineCascade(const std::vector<const FilterPlan*>& plans, index_t samples) : plans_(plans) {
    if (plans_.size() > most_levels) plans_.resize(most_levels);
    for (; !plans_.empty(); plans_.pop_back()) {
      piece_ = samples >> depth();
      if (pays()) return;
    }
  }

  int depth() const { return static_cast<int>(plans_.size()); }
  const FilterPlan& plan(int level) const { return *plans_[level]; }
  index_t pieces() const { return (inner_[depth() - 1].size() + piece_ - 1) / piece_; }

  // The outputs of a level that no extension reaches, on this level or before.
  const Range& inner(int level) const { return inner_[level]; }

  // The outputs of each level that pieces begin ... end - 1 write to the results, and all that they
  // compute. Both begin at the same output.
  LIFTWAVE_INLINE void stretch(index_t begin, index_t end, Range* owned, Range* computed) const {
    Range meeting[most_levels];  // outputs that the pieces before `end` and those after it compute
    for (int level = depth() - 1; level >= 0; --level) {
      owned[level].begin = first_output(begin, level, owned);
      meeting[level].begin = first_output(end, level, meeting);
      meeting[level].end = stop_output(end, level, meeting);
      owned[level].end = meeting[level].begin;
      computed[level] = {owned[level].begin, meeting[level].end};
    }
  }

  // The inputs of a level that its outputs outside of `inner` read: the first `left` and the last
  // `right` ones, one after the other in memory.
  struct EndInputs {
    index_t n = 0, left = 0, right = 0;

    LIFTWAVE_INLINE index_t size() const { return left + right; }
    LIFTWAVE_INLINE index_t place(index_t i) const { return i < left ? i : i - (n - size()); }
  };
  const EndInputs& end_inputs(int level) const { return ends_[level]; }

 private:
  LIFTWAVE_INLINE index_t first_output(index_t piece, int level, const Range* next) const {
    if (piece == 0) return inner_[level].begin;
    if (piece == pieces()) return inner_[level].end;
    if (level == depth() - 1) return inner_[level].begin + piece * piece_;
    return first_input(plan(level + 1), next[level + 1].begin);
  }
  LIFTWAVE_INLINE index_t stop_output(index_t piece, int level, const Range* next) const {
    if (piece == pieces() || level == depth() - 1) return next[level].begin;
    return stop_input(plan(level + 1), next[level + 1].end);
  }

  // Whether there are several pieces, and where they meet they compute little twice.
  bool pays() {
    if (depth() < 2 || piece_ < 1) return false;
    set_inner();
    if (pieces() < 4) return false;
    set_end_inputs();
    Range owned[most_levels], computed[most_levels];
    stretch(1, 2, owned, computed);
    for (int level = 0; level < depth(); ++level) {
      if (computed[level].size() > owned[level].size() + owned[level].size() / 8) return false;
      if (ends_[level].size() > ends_[level].n / 8) return false;
    }
    return true;
  }

  void set_inner() {
    Range inputs{0, plan(0).extend.n};
    for (int level = 0; level < depth(); ++level) {
      const FilterPlan& p = plan(level);
      const index_t begin = std::max<index_t>(inputs.begin - first_input(p, 0) + 1, 0) / 2;
      inputs = inner_[level] = {begin, std::min(outputs_before(p, inputs.end), p.n_out)};
    }
  }

  void set_end_inputs() {
    for (int level = 1; level < depth(); ++level) {
      const FilterPlan& p = plan(level);
      const index_t n = p.extend.n;
      ends_[level] = {n, inner_[level - 1].begin, n - inner_[level - 1].end};
      add_end_inputs(ends_[level], p, {0, inner_[level].begin});
      add_end_inputs(ends_[level], p, {inner_[level].end, p.n_out});
    }
  }

  static void add_end_inputs(EndInputs& ends, const FilterPlan& p, const Range& outputs) {
    const auto add = [&](index_t i) {
      if (i < ends.n / 2) ends.left = std::max(ends.left, i + 1);
      else ends.right = std::max(ends.right, ends.n - i);
    };
    if (outputs.empty()) return;
    for (index_t i = first_input(p, outputs.begin); i < stop_input(p, outputs.end); ++i) {
      if (i >= 0 && i < ends.n) {
        add(i);
        continue;
      }
      const Row row = p.extend.row(i);
      for (index_t t = 0; t < row.terms; ++t) add(row.at[t]);
    }
  }

  std::vector<const FilterPlan*> plans_;
  index_t piece_ = 0;
  Range inner_[most_levels];
  EndInputs ends_[most_levels];
};

}  // namespace liftwave
