#include "lifting/schedule.hpp"

#include <limits>

namespace liftwave {
namespace {

constexpr index_t nothing = std::numeric_limits<index_t>::max();

// The progress of one step of a tile.
struct Course {
  const Step* step;
  Range targets;
  index_t next;                 // the first target that is not done
  std::vector<index_t> oldest;  // for each target, the first row that it or a later target reads
  bool wraps;

  Range read_by(index_t k) const {
    const Range one{k, k + 1};
    return wraps || step->inside.contains(k) ? step->window(one) : sources(*step, one);
  }
  bool done() const { return next >= targets.end; }
  // The first row of the other channel that a remaining target reads.
  index_t still_read() const {
    return done() ? nothing : oldest[static_cast<std::size_t>(next - targets.begin)];
  }
};

class Simulation {
 public:
  Simulation(const LiftPlan& plan, const AxisTile& tile) : first_(tile.pairs.begin) {
    for (std::size_t i = 0; i < plan.steps().size(); ++i) {
      Course course{&plan.steps()[i], tile.targets[i], tile.targets[i].begin, {}, tile.wraps};
      course.oldest.resize(static_cast<std::size_t>(std::max<index_t>(0, course.targets.size())));
      index_t oldest = nothing;
      for (index_t k = course.targets.end; k-- > course.targets.begin;) {
        const Range read = course.read_by(k);
        if (!read.empty()) oldest = std::min(oldest, read.begin);
        course.oldest[static_cast<std::size_t>(k - course.targets.begin)] = oldest;
      }
      steps_.push_back(std::move(course));
    }
    for (int channel : {0, 1}) {
      load_[channel] = tile.load[channel];
      emit_[channel] = intersection(tile.pairs, {0, plan.length(channel)});
      loaded_[channel] = load_[channel].begin;
    }
  }

  Schedule run() {
    const Range all = hull(load_[0], load_[1]);
    for (index_t k = all.begin; k < all.end; ++k) {
      for (int channel : {0, 1})
        if (load_[channel].contains(k)) bring(channel, k);
      advance();
    }
    for (int channel : {0, 1})
      while (schedule_.slots[channel] < span_[channel]) schedule_.slots[channel] *= 2;
    return std::move(schedule_);
  }

 private:
  void note(Move::What what, int which, index_t k) {
    schedule_.moves.push_back({what, which, k - first_});
  }

  void bring(int channel, index_t k) {
    index_t live = emit_[channel].empty() ? nothing : emit_[channel].begin;
    for (const Course& course : steps_) {
      if (course.step->target != channel) live = std::min(live, course.still_read());
      else if (!course.done()) live = std::min(live, course.next);
    }
    span_[channel] = std::max(span_[channel], k + 1 - std::min(live, k));
    note(Move::load, channel, k);
    loaded_[channel] = k + 1;
  }

  void advance() {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < steps_.size(); ++i) {
        for (; !steps_[i].done() && may_run(i); ++steps_[i].next, moved = true)
          note(Move::step, static_cast<int>(i), steps_[i].next);
      }
    }
    for (bool moved = true; moved;) {
      moved = false;
      for (int channel : {0, 1}) moved = emit_one(channel) || moved;
    }
  }

  // Rows of `channel` before this one have passed all steps before `i`.
  index_t ready(int channel, std::size_t i) const {
    index_t end = loaded_[channel];
    for (std::size_t j = 0; j < i; ++j)
      if (steps_[j].step->target == channel) end = std::min(end, steps_[j].next);
    return end;
  }

  bool may_run(std::size_t i) const {
    const Course& course = steps_[i];
    const int target = course.step->target;
    const Range read = course.read_by(course.next);
    if (!read.empty() && read.end > ready(1 - target, i)) return false;
    if (course.next >= ready(target, i)) return false;
    // No earlier step may still need the unmodified target.
    for (std::size_t j = 0; j < i; ++j)
      if (steps_[j].step->target != target && steps_[j].still_read() <= course.next) return false;
    return true;
  }

  // Even rows before odd ones: a synthesis may add the last odd row onto the last even one.
  bool emit_one(int channel) {
    Range& range = emit_[channel];
    if (range.empty() || range.begin >= ready(channel, steps_.size())) return false;
    if (channel == 1 && !emit_[0].empty() && emit_[0].begin <= range.begin) return false;
    note(Move::emit, channel, range.begin++);
    return true;
  }

  index_t first_;
  std::vector<Course> steps_;
  Range load_[2], emit_[2];
  index_t loaded_[2];
  index_t span_[2] = {1, 1};
  Schedule schedule_;
};

// Whether a tile differs from others of its size only by its position.
bool is_inner(const LiftPlan& plan, const AxisTile& tile) {
  if (tile.wraps) return true;
  if (tile.pairs.end > plan.length(1)) return false;
  for (std::size_t i = 0; i < tile.targets.size(); ++i) {
    const Range inside = plan.steps()[i].inside, targets = tile.targets[i];
    if (targets.begin < inside.begin || targets.end > inside.end) return false;
  }
  return true;
}

}  // namespace

Schedule schedule_of(const LiftPlan& plan, const AxisTile& tile) {
  return Simulation(plan, tile).run();
}

std::shared_ptr<const Schedule> Schedules::of(const LiftPlan& plan, const AxisTile& tile) {
  constexpr std::size_t most = 32;
  const bool inner = is_inner(plan, tile);
  const Key key{inner ? Range{0, tile.pairs.size()} : tile.pairs, inner};
  // Never wait: in the child of a fork, the thread that held the lock may not exist.
  const std::unique_lock<std::mutex> hold(lock_, std::try_to_lock);
  if (!hold) return std::make_shared<const Schedule>(schedule_of(plan, tile));
  for (const auto& [known, schedule] : kept_)
    if (known.inner == inner && known.pairs.begin == key.pairs.begin &&
        known.pairs.end == key.pairs.end)
      return schedule;
  if (kept_.size() >= most) kept_.clear();
  kept_.emplace_back(key, std::make_shared<const Schedule>(schedule_of(plan, tile)));
  return kept_.back().second;
}

}  // namespace liftwave
