// The order in which a tile's rows are lifted: each step as soon as the rows that it reads are there.
//
// Rows come one after the other, go through all steps while they are in the first caches, and leave
// as soon as they are done, so that only a few rows are held at any time.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "lifting/plan.hpp"

namespace liftwave {

struct Move {
  enum What : std::int32_t {
    load,  // row `k` of channel `which`
    step,  // number `which`, for target `k`
    emit,  // row `k` of channel `which`, which is done
  };
  What what;
  std::int32_t which;
  index_t k;
};

struct Schedule {
  std::vector<Move> moves;  // `k` counts from the tile's first pair
  // Row `k` of a channel may lie in slot `k & (slots - 1)`: rows that are needed at the same time
  // never share one.
  index_t slots[2] = {1, 1};
};

Schedule schedule_of(const LiftPlan& plan, const AxisTile& tile);

// The schedules of a plan's tiles, each made once. Tiles within the signal that are of the same
// size share one.
class Schedules {
 public:
  std::shared_ptr<const Schedule> of(const LiftPlan& plan, const AxisTile& tile);

 private:
  struct Key {
    Range pairs;
    bool inner;
  };

  std::mutex lock_;
  std::vector<std::pair<Key, std::shared_ptr<const Schedule>>> kept_;
};

}  // namespace liftwave
