// The best path through a table of costs, the same on every instruction set.
#pragma once

#include <cstdint>

#include "common/index.hpp"

namespace liftwave {

// A path is a row for each time. It has the largest sum of scores, less the penalty for the squared
// steps of the places of its rows.
struct PathCall {
  index_t rows, times;
  const double* scores;        // (rows, times), contiguous
  const double* places;        // (rows), in increasing order
  const std::int64_t* order;   // the row of `scores` of each place
  double penalty;              // positive
};

// Writes the row of `scores` at each time.
void best_path(const PathCall& call, std::int64_t* path);

}  // namespace liftwave
