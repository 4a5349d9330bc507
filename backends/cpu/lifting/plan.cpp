#include "lifting/plan.hpp"

#include <cmath>
#include <utility>

#include "common/require.hpp"
#include "lifting/schedule.hpp"

namespace liftwave {
namespace {

BoundaryRows view(const std::array<std::vector<index_t>, 2>& rows) {
  return {rows[0].data(), rows[1].data(), static_cast<index_t>(rows[0].size()),
          static_cast<index_t>(rows[1].size())};
}

void check_rows(const BoundaryRows& rows, index_t n) {
  const auto inside = [n](index_t i) { return -1 <= i && i < n; };
  require(std::all_of(rows.left, rows.left + rows.n_left, inside) &&
              std::all_of(rows.right, rows.right + rows.n_right, inside),
          "a boundary row names a sample that does not exist");
}

// Checks the rows, which the kernels trust.
void check_step(const Step& step) {
  const Range all{-step.fold.n_left, step.n_target + step.fold.n_right};
  const Range read = step.window(all);
  require(-step.extend.n_left <= read.begin && read.end <= step.n_source + step.extend.n_right,
          "the boundary rows do not cover what a step reads");
  check_rows(step.extend, step.n_source);
  check_rows(step.fold, step.n_target);
}

bool has_samples(const BoundaryRows& rows) {
  const auto copies = [](index_t i) { return i >= 0; };
  return std::any_of(rows.left, rows.left + rows.n_left, copies) ||
         std::any_of(rows.right, rows.right + rows.n_right, copies);
}

bool wraps_around(const BoundaryRows& rows, index_t n) {
  const auto wraps = [&](index_t i) { return rows.at(i, n) == wrapped(i, n); };
  for (index_t i = -rows.n_left; i < 0; ++i)
    if (!wraps(i)) return false;
  for (index_t i = n; i < n + rows.n_right; ++i)
    if (!wraps(i)) return false;
  return true;
}

// Periodic in its sources or, for an adjoint step, in its targets.
bool is_periodic(const Step& step, index_t n) {
  if (!has_samples(step.fold)) return wraps_around(step.extend, n);
  const bool complete = step.fold.n_left >= step.offset + step.length - 1 &&
                        step.fold.n_right >= -step.offset;
  return complete && !has_samples(step.extend) && wraps_around(step.fold, n);
}

Range inside_of(const Step& step) {
  Range inside{std::max<index_t>(0, -step.offset),
               std::min(step.n_target, step.n_source - step.offset - step.length + 1)};
  // Folded increments land near either end, in a periodic signal at the opposite end.
  const index_t middle = step.n_target / 2;
  const auto exclude = [&](index_t target) {
    if (target >= middle) inside.end = std::min(inside.end, target);
    else if (target >= 0) inside.begin = std::max(inside.begin, target + 1);
  };
  std::for_each(step.fold.left, step.fold.left + step.fold.n_left, exclude);
  std::for_each(step.fold.right, step.fold.right + step.fold.n_right, exclude);
  return inside;
}

// Source samples that the positions `p` of a step read, extended where needed.
Range read_by(const Step& step, Range p) {
  const index_t n_source = step.n_source;
  const Range window = step.window(p);
  Range read = intersection(window, {0, n_source});
  const auto include = [&](index_t i) {
    const index_t sample = step.extend.at(i, n_source);
    if (sample >= 0) read = hull(read, {sample, sample + 1});
  };
  for (index_t i = window.begin; i < std::min<index_t>(window.end, 0); ++i) include(i);
  for (index_t i = std::max(window.begin, n_source); i < window.end; ++i) include(i);
  return read;
}

double weight_of(const StepSpec& spec) {
  double weight = 0;
  for (const std::int64_t numerator : spec.numerators)
    weight += std::abs(static_cast<double>(numerator));
  return weight;
}

// How far beyond `pairs` the steps of an endless signal reach, on the wider side.
index_t reach_of(const std::vector<Step>& steps) {
  Range need[2] = {{0, 1}, {0, 1}};
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    Range& source = need[1 - step->target];
    source = hull(source, step->window(need[step->target]));
  }
  const Range all = hull(need[0], need[1]);
  return std::max(-all.begin, all.end - 1);
}

}  // namespace

Range sources(const Step& step, Range targets) {
  if (targets.empty()) return {};
  Range read = read_by(step, targets);
  const BoundaryRows& fold = step.fold;
  const auto include = [&](index_t p) {
    if (targets.contains(fold.at(p, step.n_target)))
      read = hull(read, read_by(step, {p, p + 1}));
  };
  for (index_t p = -fold.n_left; p < 0; ++p) include(p);
  for (index_t p = step.n_target; p < step.n_target + fold.n_right; ++p) include(p);
  return read;
}

LiftPlan::LiftPlan(index_t n, Edge edge, std::vector<StepSpec> specs,
                   std::array<index_t, 2> shift, std::array<double, 2> scale)
    : n_(n),
      edge_(edge),
      specs_(std::move(specs)),
      shift_(shift),
      scale_(scale),
      schedules_(std::make_shared<Schedules>()) {
  require(n >= 1, "there is no sample");
  require(edge == Edge::none || n % 2 == 1, "an even number of samples needs no edge");
  constexpr index_t limit = index_t{1} << 48;
  periodic_ = length(0) == length(1);
  for (const StepSpec& spec : specs_) {
    require(spec.target == 0 || spec.target == 1, "a step's target is neither even nor odd");
    require(std::abs(spec.offset) < limit, "a step's offset is too large");
    require(0 <= spec.bits && spec.bits < 63, "a step's shift is out of range");
    const bool rounds = spec.bits > 0;
    require(!(rounds ? spec.numerators.empty() : spec.taps.empty()), "a step has no taps");
    integer_ = integer_ || rounds;

    Step step;
    step.first_tap = tap_count_;
    tap_count_ += static_cast<index_t>(rounds ? spec.numerators.size() : spec.taps.size());
    step.n_target = length(spec.target);
    step.n_source = length(1 - spec.target);
    if (step.n_target == 0 || step.n_source == 0) continue;
    step.target = spec.target;
    step.subtract = spec.subtract;
    step.offset = spec.offset;
    step.bits = spec.bits;
    step.length = static_cast<index_t>(rounds ? spec.numerators.size() : spec.taps.size());
    step.extend = view(spec.extend);
    step.fold = view(spec.fold);
    check_step(step);
    step.inside = inside_of(step);
    require(!rounds || !has_samples(step.fold), "an integer step has no transpose");
    if (rounds) {
      step.i16 = i16_.emplace_back(spec.numerators.begin(), spec.numerators.end()).data();
      step.i32 = i32_.emplace_back(spec.numerators.begin(), spec.numerators.end()).data();
      step.i64 = i64_.emplace_back(spec.numerators.begin(), spec.numerators.end()).data();
    } else {
      step.f32 = f32_.emplace_back(spec.taps.begin(), spec.taps.end()).data();
      step.f64 = spec.taps.data();
    }
    periodic_ = periodic_ && is_periodic(step, step.n_target);
    steps_.push_back(step);
  }
  for (int channel : {0, 1}) {
    require(shift_[channel] == 0 || length(channel) > 0, "an empty band is shifted");
    if (length(channel)) shift_[channel] = wrapped(shift_[channel], length(channel));
  }
  reach_ = reach_of(steps_);
  whole_ = std::make_shared<const AxisTile>(axis_tile(*this, {0, length(0)}, false));
}

LiftPlan::Magnitude LiftPlan::magnitude(double largest, double limit) const {
  double channel[2] = {largest, largest};
  Magnitude bound{0, largest};
  for (const StepSpec& spec : specs_) {
    const double sum = weight_of(spec) * channel[1 - spec.target] + std::ldexp(0.5, spec.bits);
    const double changed = channel[spec.target] + std::floor(std::ldexp(sum, -spec.bits));
    channel[spec.target] = std::min(changed, limit);
    bound.sum = std::max(bound.sum, sum);
    bound.sample = std::max(bound.sample, channel[spec.target]);
  }
  return bound;
}

bool LiftPlan::splits() const {
  return std::all_of(specs_.begin(), specs_.end(), [](const StepSpec& spec) {
    return std::ldexp(weight_of(spec), spec.bits) + std::ldexp(0.5, spec.bits) < 0x1p31;
  });
}

Range AxisTile::samples() const {
  const auto spread = [](Range r, index_t parity) {
    return r.empty() ? Range{} : Range{2 * r.begin + parity, 2 * r.end - 1 + parity};
  };
  return hull(spread(load[0], 0), spread(load[1], 1));
}

AxisTile axis_tile(const LiftPlan& plan, Range pairs, bool wraps) {
  AxisTile tile{pairs, wraps, {}, {}};
  for (int channel : {0, 1})
    tile.load[channel] = intersection(pairs, {0, plan.length(channel)});
  const auto& steps = plan.steps();
  tile.targets.resize(steps.size());
  for (std::size_t i = steps.size(); i-- > 0;) {
    const Step& step = steps[i];
    const Range targets = tile.load[step.target];
    tile.targets[i] = targets;
    const Range read = wraps ? step.window(targets) : sources(step, targets);
    tile.load[1 - step.target] = hull(tile.load[1 - step.target], read);
  }
  return tile;
}

}  // namespace liftwave
