#include "python/filter_arguments.hpp"

#include <algorithm>

#include "common/require.hpp"

namespace liftwave {
namespace {

Extension make_extension(const ExtensionArgument& argument) {
  const auto& [n, left, right] = argument;
  Extension e;
  e.n = n;
  e.left = static_cast<index_t>(left.size());
  e.right = static_cast<index_t>(right.size());
  e.start.push_back(0);
  for (const Rows* rows : {&left, &right}) {
    for (const auto& row : *rows) {
      for (const auto& [at, weight] : row) {
        e.at.push_back(at);
        e.weight.push_back(weight);
      }
      e.start.push_back(static_cast<index_t>(e.at.size()));
    }
  }
  return e;
}

// Checks that rows name valid samples and extend as far as the taps reach: kernels rely on it.
void require_rows(const Extension& e, index_t first, index_t last) {
  const bool named = std::all_of(e.at.begin(), e.at.end(), [&](index_t i) { return 0 <= i && i < e.n; });
  if (!named || first < -e.left || last >= e.n + e.right) {
    fail("a plan's rows do not continue its signal as far as its taps reach");
  }
}

void require_sound(const FilterPlan& p, bool synthesis) {
  const std::size_t taps = synthesis ? p.length / 2 : p.length;
  const bool even = !synthesis || (p.length % 2 == 0 && p.taps.size() % 2 == 0);
  const bool fits = std::all_of(p.taps.begin(), p.taps.end(),
                                [&](const Taps& t) { return t.twice.size() == taps; });
  if (taps < 1 || !even || !fits || p.taps.empty() || p.n_out < 0 || p.fold.n != p.n_out) {
    fail("a plan's taps do not have its length");
  }
  const index_t start = -p.fold.left, stop = p.n_out + p.fold.right;
  require_rows(p.fold, start, stop - 1);
  if (start == stop) return;
  if (synthesis) {
    require_rows(p.extend, ((start + p.phase) >> 1) - (p.length / 2 - 1), (stop - 1 + p.phase) >> 1);
  } else {
    require_rows(p.extend, 2 * start + p.phase - (p.length - 1), 2 * (stop - 1) + p.phase);
  }
}

}  // namespace

AxisPlan make_axis(const AxisArgument& argument, bool synthesis) {
  const auto& [axis, n_out, length, phase, extend, fold, taps] = argument;
  AxisPlan a{axis, {n_out, length, phase, make_extension(extend), make_extension(fold), {}}};
  for (const auto& values : taps) {
    a.plan.taps.push_back({std::vector<float>(values.begin(), values.end()), values});
  }
  require_sound(a.plan, synthesis);
  return a;
}

std::vector<AxisPlan> make_axes(const std::vector<AxisArgument>& arguments, bool synthesis) {
  if (arguments.empty() || arguments.size() > max_axes) {
    fail("1 to 4 axes are transformed at once");
  }
  std::vector<AxisPlan> axes;
  for (const auto& argument : arguments) axes.push_back(make_axis(argument, synthesis));
  return axes;
}

}  // namespace liftwave
