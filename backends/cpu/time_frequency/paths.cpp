#include "time_frequency/paths.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "common/parallel.hpp"

namespace liftwave {
namespace {

// Times whose scores are brought into the order of the places together.
constexpr index_t times_at_once = 16;

// The recursion along time. All parabolas have the same quadratic term, so the lowest one at each
// place is that of the lowest line, and the lines are sorted by their slopes.
class Recursion {
 public:
  explicit Recursion(const PathCall& call)
      : call_(call),
        rows_(static_cast<std::size_t>(call.rows)),
        squares_(rows_),
        slopes_(rows_),
        heights_(rows_),
        borders_(rows_),
        lowest_(rows_),
        total_(rows_),
        next_(rows_) {
    for (std::size_t i = 0; i < rows_; ++i) {
      squares_[i] = call.penalty * call.places[i] * call.places[i];
      slopes_[i] = 2 * call.penalty * call.places[i];
    }
  }

  void begin(const double* costs) { std::copy_n(costs, rows_, total_.begin()); }

  // One step: the best predecessor of each place.
  void step(const double* costs, std::int32_t* sources) {
    for (std::size_t i = 0; i < rows_; ++i) heights_[i] = total_[i] + squares_[i];
    const std::size_t count = envelope();
    std::size_t k = 0;
    for (std::size_t i = 0; i < rows_; ++i) {
      const double x = call_.places[i];
      while (k + 1 < count && borders_[k + 1] <= x) ++k;
      const auto source = static_cast<std::size_t>(lowest_[k]);
      const double distance = x - call_.places[source];
      sources[i] = lowest_[k];
      next_[i] = total_[source] + call_.penalty * (distance * distance) + costs[i];
    }
    total_.swap(next_);
  }

  std::int32_t end() const {
    return static_cast<std::int32_t>(std::min_element(total_.begin(), total_.end()) -
                                     total_.begin());
  }

 private:
  // The lines that are lowest somewhere, and where each of them begins to be.
  std::size_t envelope() {
    std::size_t top = 0;
    lowest_[0] = 0;
    borders_[0] = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 1; i < rows_; ++i) {
      double border = crossing(i, top);
      while (top > 0 && border <= borders_[top]) border = crossing(i, --top);
      lowest_[++top] = static_cast<std::int32_t>(i);
      borders_[top] = border;
    }
    return top + 1;
  }

  double crossing(std::size_t i, std::size_t top) const {
    const auto other = static_cast<std::size_t>(lowest_[top]);
    return (heights_[i] - heights_[other]) / (slopes_[i] - slopes_[other]);
  }

  const PathCall& call_;
  std::size_t rows_;
  std::vector<double> squares_, slopes_, heights_, borders_;
  std::vector<std::int32_t> lowest_;
  std::vector<double> total_, next_;
};

// The costs at some times, each in the order of the places.
void sort_costs(const PathCall& call, index_t first, index_t last, double* costs) {
  for (index_t i = 0; i < call.rows; ++i) {
    const double* from = call.scores + call.order[i] * call.times;
    for (index_t t = first; t < last; ++t) costs[(t - first) * call.rows + i] = -from[t];
  }
}

}  // namespace

void best_path(const PathCall& call, std::int64_t* path) {
  const auto rows = static_cast<std::size_t>(call.rows);
  std::vector<std::int32_t> sources(rows * static_cast<std::size_t>(call.times));
  std::vector<double> costs(rows * times_at_once);
  Recursion recursion(call);
  Pace pace;
  for (index_t t = 0; t < call.times; ++t) {
    const index_t place = t % times_at_once;
    if (place == 0) sort_costs(call, t, std::min(t + times_at_once, call.times), costs.data());
    const double* now = costs.data() + place * call.rows;
    if (t == 0) recursion.begin(now);
    else recursion.step(now, sources.data() + t * call.rows);
    pace.moved(20 * call.rows);
  }
  std::int32_t row = recursion.end();
  for (index_t t = call.times - 1; t >= 0; --t) {
    path[t] = call.order[row];
    if (t > 0) row = sources[static_cast<std::size_t>(t * call.rows + row)];
  }
}

}  // namespace liftwave
