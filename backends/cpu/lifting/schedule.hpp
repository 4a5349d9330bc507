// The order in which a tile's rows are lifted: each step runs as soon as its source rows are
// available.
//
// Rows are loaded one by one, go through all steps while they are in the L1 cache, and are stored
// as soon as they are done. So only a few rows are held at any time.
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
  // Row `k` of a channel uses slot `k & (slots - 1)`. Rows that are needed at the same time never
  // share a slot.
  index_t slots[2] = {1, 1};
};

Schedule schedule_of(const LiftPlan& plan, const AxisTile& tile);

// The schedules of a plan's tiles, each created once. Tiles of the same size inside the signal
// share one schedule.
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
