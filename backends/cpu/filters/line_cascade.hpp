// Several levels of an analysis along one axis, block by block. A block's approximations pass from
// level to level in the caches and are never stored as a whole.
//
// Near its borders a block needs approximations that its neighbour computes, too. It computes them
// itself, which costs little as long as blocks are long and levels few.
#pragma once

#include <algorithm>
#include <vector>

#include "filters/plan.hpp"

namespace liftwave {

// Samples `met` of an extended signal: those inside it, and those that its extension reads.
LIFTWAVE_INLINE Range samples_inside(const Extension& extend, const Range& met) {
  Range range = met.clipped(0, extend.n);
  const auto name = [&](index_t from, index_t to) LIFTWAVE_INLINE_LAMBDA {
    for (index_t i = from; i < to; ++i) {
      const Row row = extend.row(i);
      for (index_t t = 0; t < row.terms; ++t) range = hull(range, {row.at[t], row.at[t] + 1});
    }
  };
  name(met.begin, std::min<index_t>(met.end, 0));
  name(std::max(met.begin, extend.n), met.end);
  return range;
}

// The samples that outputs of an analysis need.
LIFTWAVE_INLINE Range samples_for(const FilterPlan& p, const Range& outputs) {
  if (!outputs.size()) return {0, 0};
  const Range met{2 * outputs.begin + p.phase - p.length + 1, 2 * outputs.end - 1 + p.phase};
  return samples_inside(p.extend, met);
}

class LineCascade {
 public:
  static constexpr int most_levels = 6;

  // Uses as many of the first levels as pay off, in blocks of about `samples` samples of the
  // signal.
  LineCascade(const std::vector<const FilterPlan*>& plans, index_t samples) : plans_(plans) {
    if (plans_.size() > most_levels) plans_.resize(most_levels);
    for (; !plans_.empty(); plans_.pop_back()) {
      block_ = samples >> depth();
      if (pays()) return;
    }
  }

  int depth() const { return static_cast<int>(plans_.size()); }
  const FilterPlan& plan(int level) const { return *plans_[level]; }
  index_t blocks() const { return (plans_.back()->n_out + block_ - 1) / block_; }

  // The outputs of a level that a block writes to the result. Every output belongs to one block.
  Range owned(int level, index_t block) const {
    return {start(level, block), start(level, block + 1)};
  }

  // The outputs of each level that a block computes: its own and those that its next levels need.
  LIFTWAVE_INLINE void computed(index_t block, Range* outputs) const {
    Range needed{0, 0};
    for (int level = depth() - 1; level >= 0; --level) {
      outputs[level] = hull(owned(level, block), needed);
      needed = samples_for(plan(level), outputs[level]);
    }
  }

 private:
  index_t start(int level, index_t block) const {
    const index_t n = plan(level).n_out;
    return block == blocks() ? n : std::min(n, (block * block_) << (depth() - 1 - level));
  }

  // Whether blocks compute little more than their own outputs. This includes the blocks at the
  // ends, which may need samples of the other end.
  bool pays() const {
    if (depth() < 2 || block_ < 1 || blocks() < 4) return false;
    for (index_t block : {index_t{0}, index_t{1}, blocks() - 1}) {
      Range outputs[most_levels];
      computed(block, outputs);
      for (int level = 0; level < depth(); ++level) {
        const index_t whole = block_ << (depth() - 1 - level);
        if (outputs[level].size() > whole + whole / 8) return false;
      }
    }
    return true;
  }

  std::vector<const FilterPlan*> plans_;
  index_t block_ = 0;
};

}  // namespace liftwave
