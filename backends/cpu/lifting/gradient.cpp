#include "lifting/gradient.hpp"

#include <algorithm>
#include <utility>

#include "common/parallel.hpp"
#include "common/require.hpp"
#include "lifting/layout.hpp"

namespace liftwave {
namespace {

// --- tiles -----------------------------------------------------------------------------------

// Bytes of the L2 cache for the four planes of a tile, and bytes of their rows.
constexpr index_t tile_bytes = 512 * 1024;
constexpr index_t lane_bytes = 4096;
// Pairs of a tile if columns are lifted, and bytes of the short rows of one tile.
constexpr index_t line_pairs = 1024;
constexpr index_t lines_bytes = 128 * 1024;
constexpr double streamed_bytes = 8.0 * 1024 * 1024;

// A tile of the lifted axis.
struct Part {
  std::vector<BackStep> steps;
  AxisJob axis[2];
  Range own[2];
};

class PartMaker {
 public:
  PartMaker(const GradientPlan& plan, bool wraps)
      : plans_{plan.values, plan.cotangents}, wraps_(wraps) {}

  Part make(Range pairs) const {
    Part part;
    Range load[2][2];
    for (int channel : {0, 1}) {
      part.own[channel] = intersection(pairs, {0, plans_[0]->length(channel)});
      load[0][channel] = load[1][channel] = part.own[channel];
    }
    const auto &undone = plans_[0]->steps(), &pulled = plans_[1]->steps();
    part.steps.resize(undone.size());
    // Requirements are collected backwards, from the step that runs last.
    for (std::size_t i = undone.size(); i-- > 0;) {
      const int target = undone[i].target, source = 1 - target;
      BackStep& step = part.steps[i];
      step = {&undone[i], &pulled[i], {}, load[1][source], part.own[target]};
      include(load[1][target], pulled[i], step.pulled);
      include(load[0][source], undone[i], step.own);
      step.undone = load[0][target];
      include(load[0][source], undone[i], step.undone);
    }
    for (int which : {0, 1}) part.axis[which] = job_of(*plans_[which], pairs, load[which]);
    return part;
  }

 private:
  void include(Range& read, const Step& step, Range targets) const {
    if (targets.empty()) return;
    read = hull(read, wraps_ ? step.window(targets) : sources(step, targets));
  }

  AxisJob job_of(const LiftPlan& plan, Range pairs, const Range (&load)[2]) const {
    AxisJob job;
    job.n = plan.n();
    job.edge = plan.edge();
    job.pairs = pairs;
    job.samples = AxisTile{pairs, wraps_, {load[0], load[1]}, {}}.samples();
    job.wraps = wraps_;
    job.lifted = true;
    for (int channel : {0, 1}) {
      job.length[channel] = plan.length(channel);
      job.shift[channel] = plan.shift(channel);
      job.scale[channel] = plan.scale(channel);
      job.load[channel] = load[channel];
    }
    return job;
  }

  const LiftPlan* plans_[2];
  bool wraps_;
};

// Splits `whole` positions into parts of about `size`, all of nearly the same size.
std::vector<Range> parts_of(index_t whole, index_t size) {
  const index_t count = std::max<index_t>(1, (whole + size / 2) / size);
  std::vector<Range> parts;
  for (index_t i = 0; i < count; ++i)
    parts.push_back({whole / count * i + std::min(i, whole % count),
                     whole / count * (i + 1) + std::min(i + 1, whole % count)});
  return parts;
}

std::vector<Part> lifted_parts(const GradientPlan& plan, index_t pairs) {
  const index_t reach = std::max(plan.values->reach(), plan.cotangents->reach());
  const auto ranges = parts_of(plan.values->length(0), std::max(pairs, 8 * reach + 2));
  const bool wraps =
      plan.values->periodic() && plan.cotangents->periodic() && ranges.size() > 1;
  const PartMaker maker(plan, wraps);
  std::vector<Part> parts;
  for (const Range range : ranges) parts.push_back(maker.make(range));
  return parts;
}

// --- the gradient ------------------------------------------------------------------------------

class Course {
 public:
  Course(const Layout& layout, const LiftedPair (&pairs)[2], const GradientPlan& plan, bool merges)
      : layout_(layout),
        pairs_(pairs),
        merges_(merges),
        over_rows_(layout.rows.plan != nullptr),
        item_(item_size(pairs[0].signal.dtype)),
        reals_(is_complex(pairs[0].signal.dtype) ? 2 : 1),
        taps_(plan.values->tap_count()) {
    if (over_rows_) {
      lanes_ = parts_of(layout.cols.size, std::max<index_t>(1, lane_bytes / item_));
      const index_t row = std::max<index_t>(1, 4 * lanes_[0].size() * item_);
      parts_ = lifted_parts(plan, std::max<index_t>(8, tile_bytes / row));
    } else {
      const index_t row = std::max<index_t>(1, layout.cols.size * item_);
      lanes_ = parts_of(layout.rows.size, std::max<index_t>(1, lines_bytes / row));
      parts_ = lifted_parts(plan, line_pairs);
    }
  }

  void run(GradientKernel kernel, double* gradients) const {
    const index_t items = layout_.batch_count * of_member();
    const index_t count = taps_ + 2;
    std::vector<double> sums(static_cast<std::size_t>(items * count));
    parallel_for(items, total_bytes(), [&](index_t begin, index_t end) {
      Scratch scratch;
      GradientJob job = prepared(scratch);
      Pace pace;
      const auto tile = static_cast<index_t>(total_bytes() / static_cast<double>(items));
      for (index_t i = begin; i < end; ++i) {
        place(job, i / of_member());
        const Part& part = parts_[static_cast<std::size_t>(i % parts())];
        job.axis[0] = part.axis[0], job.axis[1] = part.axis[1];
        job.own[0] = part.own[0], job.own[1] = part.own[1];
        job.steps = part.steps.data();
        job.step_count = static_cast<index_t>(part.steps.size());
        job.lanes = lanes_[static_cast<std::size_t>(i / parts() % lanes())];
        job.gradients = sums.data() + i * count;
        kernel(job);
        pace.moved(tile);
      }
    });
    for (index_t i = 0; i < items; ++i)
      for (index_t j = 0; j < count; ++j)
        gradients[j] += sums[static_cast<std::size_t>(i * count + j)];
  }

 private:
  index_t parts() const { return static_cast<index_t>(parts_.size()); }
  index_t lanes() const { return static_cast<index_t>(lanes_.size()); }
  index_t of_member() const { return parts() * lanes(); }

  double total_bytes() const {
    return 2.0 * static_cast<double>(layout_.batch_count) *
           static_cast<double>(layout_.rows.size) * static_cast<double>(layout_.cols.size * item_);
  }

  GradientJob prepared(Scratch& scratch) const {
    GradientJob job;
    job.merges = merges_;
    job.over_rows = over_rows_;
    job.tap_count = taps_;
    job.stream = total_bytes() >= streamed_bytes;
    const index_t real = item_ / reals_;
    index_t widest = 0, samples = 0, span[2][2] = {};
    for (const Range& range : lanes_) widest = std::max(widest, range.size() * reals_);
    for (const Part& part : parts_)
      for (int which : {0, 1}) {
        const AxisJob& axis = part.axis[which];
        samples = std::max({samples, axis.samples.size(), 2 * axis.pairs.size()});
        for (int channel : {0, 1})
          span[which][channel] = std::max(span[which][channel], axis.load[channel].size());
      }
    job.pitch = over_rows_ ? padded_pitch(widest, real) : reals_;
    for (int which : {0, 1})
      for (int channel : {0, 1})
        job.plane[which][channel] = scratch.take<char>(span[which][channel] * job.pitch * real);
    job.row = scratch.take<char>(samples * item_);
    return job;
  }

  // Sets the views for one member of the batch.
  void place(GradientJob& job, index_t member) const {
    index_t offset[most_arrays];
    layout_.locate(member, offset);
    const auto view = [&](const ArrayRef& array, std::size_t number) {
      return View{array.data + offset[number], layout_.rows.strides[number],
                  layout_.cols.strides[number]};
    };
    // Order in the layout: the signal of the values, its bands, the signal of the cotangents, its
    // bands.
    for (std::size_t which : {0, 1}) {
      job.signal[which] = view(pairs_[which].signal, 3 * which);
      for (std::size_t channel : {0, 1})
        job.band[which][channel] = view(pairs_[which].bands[channel], 3 * which + 1 + channel);
    }
  }

  const Layout& layout_;
  const LiftedPair (&pairs_)[2];
  bool merges_;
  bool over_rows_;
  index_t item_;
  index_t reals_;
  index_t taps_;
  std::vector<Range> lanes_;
  std::vector<Part> parts_;
};

void check_plans(const GradientPlan& plan, bool merges) {
  const LiftPlan &values = *plan.values, &cotangents = *plan.cotangents;
  require(values.n() == cotangents.n() && values.padded() == cotangents.padded(),
          "the plans' lengths differ");
  require(!values.integer() && !cotangents.integer(), "integer lifting has no derivative");
  require(values.steps().size() == cotangents.steps().size() &&
              values.tap_count() == cotangents.tap_count(),
          "the plans' steps differ");
  for (std::size_t i = 0; i < values.steps().size(); ++i) {
    const Step &undo = values.steps()[i], &pull = cotangents.steps()[i];
    require(undo.target == 1 - pull.target && undo.length == pull.length,
            "the plans' steps differ");
  }
  require(merges || values.edge() == Edge::none, "a synthesis dropped samples");
}

}  // namespace

void lift_gradient(const LiftedPair& values, const LiftedPair& cotangents,
                   const GradientPlan& plan, bool merges, double* gradients, GradientTable table) {
  check_plans(plan, merges);
  const std::vector<AxisLift> lifts{{plan.axis, plan.values}};
  const DType work = values.signal.dtype;
  for (const LiftedPair* pair : {&values, &cotangents}) {
    require(pair->signal.dtype == work && pair->bands.at(0).dtype == work, "the dtypes differ");
    require(pair->signal.shape == values.signal.shape, "the shapes differ");
    check_bands(pair->signal, pair->bands, lifts);
  }
  const std::vector<ArrayRef> others{values.bands[0], values.bands[1], cotangents.signal,
                                     cotangents.bands[0], cotangents.bands[1]};
  const Layout layout = layout_of(values.signal, others, lifts);
  for (std::size_t which : {0, 1}) {
    if (merges) check_contiguous(layout.cols, layout.cols.size, 3 * which, work);
    for (int channel : {0, 1}) {
      const index_t size = layout.cols.plan ? plan.values->length(channel) : layout.cols.size;
      if (!merges)
        check_contiguous(layout.cols, size, 3 * which + 1 + static_cast<std::size_t>(channel), work);
    }
  }
  const GradientKernel kernel = table(work);
  require(kernel != nullptr, "there are no kernels for the dtype");
  const LiftedPair pairs[2] = {values, cotangents};
  Course(layout, pairs, plan, merges).run(kernel, gradients);
}

}  // namespace liftwave
