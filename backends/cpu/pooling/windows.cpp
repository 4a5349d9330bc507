#include "pooling/windows.hpp"

#include <algorithm>
#include <limits>

#include "common/require.hpp"

namespace liftwave {
namespace {

// Bytes of samples that one thread pools at a time: they stay in its L2 cache.
constexpr index_t part_bytes = 128 * 1024;

// Numbers up to this leave room for sums and products of two of them.
constexpr index_t most = index_t{1} << 30;

index_t ceil_div(index_t a, index_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

void require(bool sound) {
  if (!sound) fail("a plan of windows does not fit its signal");
}

void require_sound(const WindowAxis& a) {
  const bool positive = a.kernel > 0 && a.stride > 0 && a.dilation > 0 && a.inputs > 0 &&
                        a.outputs > 0 && a.padding >= 0;
  require(positive && std::max({a.kernel, a.stride, a.dilation, a.padding, a.outputs}) <= most);
}

std::vector<WindowRun> runs_of(const WindowAxis& a) {
  std::vector<WindowRun> runs;
  for (index_t o = 0; o < a.outputs; ++o) {
    const index_t first = a.first(o);
    const index_t lo = std::max<index_t>(ceil_div(-first, a.dilation), 0);
    const index_t hi = std::min(ceil_div(a.inputs - first, a.dilation), a.kernel);
    require(lo < hi);
    if (!runs.empty() && runs.back().lo == lo && runs.back().hi == hi) {
      runs.back().end = o + 1;
    } else {
      runs.push_back({o, o + 1, lo, hi});
    }
  }
  return runs;
}

index_t product(const std::vector<WindowAxis>& axes, index_t WindowAxis::*of) {
  index_t all = 1;
  for (const WindowAxis& axis : axes) {
    require(axis.*of <= std::numeric_limits<index_t>::max() / 16 / all);
    all *= axis.*of;
  }
  return all;
}

}  // namespace

WindowPlan::WindowPlan(std::vector<WindowAxis> given, bool are_last)
    : axes(std::move(given)), channels_last(are_last) {
  require(!axes.empty() && axes.size() < max_dimensions);
  require(!channels_last || axes.size() > 1);
  for (const WindowAxis& axis : axes) require_sound(axis);
  product(axes, &WindowAxis::kernel);
  product(axes, &WindowAxis::inputs);
  product(axes, &WindowAxis::outputs);
  for (const WindowAxis& axis : axes) runs.push_back(runs_of(axis));
}

index_t WindowPlan::samples() const { return product(axes, &WindowAxis::inputs); }

index_t WindowPlan::most_places() const {
  index_t all = 1;
  for (const auto& of_axis : runs) {
    index_t most = 0;
    for (const WindowRun& run : of_axis) most = std::max(most, run.hi - run.lo);
    all *= most;
  }
  return all;
}

bool WindowPlan::overlap() const {
  return std::any_of(axes.begin(), axes.end(), [](const WindowAxis& a) {
    return a.outputs > 1 && a.stride < a.extent();
  });
}

bool WindowPlan::cover() const {
  return std::all_of(axes.begin(), axes.end(), [](const WindowAxis& a) {
    const bool gaps = a.dilation > 1 || (a.outputs > 1 && a.stride > a.kernel);
    return !gaps && a.first(a.outputs - 1) + a.kernel >= a.inputs;
  });
}

WindowParts::WindowParts(const WindowPlan& plan, index_t planes, index_t sample_bytes)
    : plan_(plan), planes_(planes) {
  const WindowAxis& axis = plan.axes[0];
  const index_t row = plan.samples() / axis.inputs * sample_bytes;
  group_ = std::clamp<index_t>(part_bytes / (row * axis.inputs), 1, std::max<index_t>(planes, 1));
  groups_ = ceil_div(planes, group_);
  // The neighbour also computes windows that reach beyond a part's samples.
  const index_t samples = std::max(part_bytes / row, plan.overlap() ? 8 * axis.extent() : 1);
  rows_ = std::max<index_t>(samples / axis.stride, 1);
  chunks_ = ceil_div(axis.outputs, rows_);
}

WindowPart WindowParts::at(index_t part) const {
  const WindowAxis& axis = plan_.axes[0];
  const index_t group = part / chunks_, chunk = part % chunks_;
  WindowPart p;
  p.plane = group * group_;
  p.last_plane = std::min(p.plane + group_, planes_);
  p.window = chunk * rows_;
  p.last_window = std::min(p.window + rows_, axis.outputs);
  const auto edge = [&](index_t w) { return std::clamp<index_t>(axis.first(w), 0, axis.inputs); };
  p.sample = chunk == 0 ? 0 : edge(p.window);
  p.last_sample = chunk + 1 == chunks_ ? axis.inputs : edge(p.last_window);
  return p;
}

}  // namespace liftwave
