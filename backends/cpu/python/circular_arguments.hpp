// Plans of filters without downsampling as Python passes them.
#pragma once

#include <tuple>
#include <vector>

#include "common/require.hpp"
#include "filters/circular.hpp"

namespace liftwave {

// axis, n, offsets, taps of the low and of the high filter
using CircularArgument = std::tuple<int, index_t, std::vector<index_t>, std::vector<double>,
                                    std::vector<double>>;
using LevelArgument = std::vector<CircularArgument>;  // one level, one to four axes

inline Taps make_taps(const std::vector<double>& values) {
  return {std::vector<float>(values.begin(), values.end()), values};
}

inline CircularAxis make_axis(const CircularArgument& argument) {
  const auto& [axis, n, offsets, low, high] = argument;
  require(axis >= 0 && n > 0 && !offsets.empty() && low.size() == offsets.size() &&
              high.size() == offsets.size(),
          "a plan's taps do not have its length");
  CircularAxis a{axis, n, offsets, make_taps(low), make_taps(high)};
  a.normalize();
  return a;
}

}  // namespace liftwave
