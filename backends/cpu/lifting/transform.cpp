#include "lifting/transform.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "common/parallel.hpp"
#include "common/require.hpp"
#include "lifting/layout.hpp"

namespace liftwave {
namespace {

// Whether both are integers, those of the input at most as wide as those of the work.
bool converts(DType input, DType work) {
  return is_integer(input) && is_integer(work) && item_size(input) <= item_size(work);
}

double largest_magnitude(DType dtype) {
  const bool is_unsigned =
      dtype == DType::uint8 || dtype == DType::uint16 || dtype == DType::uint32;
  return std::ldexp(1.0, static_cast<int>(8 * item_size(dtype)) - (is_unsigned ? 0 : 1));
}

// --- tiles -----------------------------------------------------------------------------------

// Bytes of the L2 cache for a tile of rows shorter than a strip.
constexpr index_t tile_bytes = 256 * 1024;
// Pairs of rows of a tile that follows a schedule. Pairs shared with neighbouring tiles are lifted
// twice.
constexpr index_t moving_pairs = 128;
// Bytes of a tile's row if both axes are lifted; pairs if only the columns are.
constexpr index_t fused_bytes = 4096;
constexpr index_t line_pairs = 1024;
// Bytes of a row if only the rows are lifted.
constexpr index_t lane_bytes = 4096;
// Bytes of the short lines of one tile.
constexpr index_t lines_bytes = 128 * 1024;
// Results of at least this size use non-temporal stores. On the same core they gain nothing for 4
// MiB, a tenth for 8 MiB, and a quarter for 64 MiB (in memory that was used before).
constexpr double streamed_bytes = 8.0 * 1024 * 1024;

// Tiles along one axis, also as jobs.
struct Tiling {
  std::vector<AxisTile> tiles;
  std::vector<AxisJob> jobs;
  std::vector<std::shared_ptr<const Schedule>> schedules;
  index_t span[2] = {0, 0};  // the most positions of each channel that a tile loads
  index_t samples = 0;       // the most samples that a tile loads

  // `last` must stay at its address if the axis has a plan.
  void add(const Dim& dim, const AxisTile& last) {
    AxisJob job;
    job.n = dim.size;
    job.pairs = last.pairs;
    if (dim.plan) {
      job.lifted = true;
      job.edge = dim.plan->edge();
      for (int channel : {0, 1}) {
        job.length[channel] = dim.plan->length(channel);
        job.shift[channel] = dim.plan->shift(channel);
        job.scale[channel] = dim.plan->scale(channel);
        job.load[channel] = last.load[channel];
        span[channel] = std::max(span[channel], last.load[channel].size());
      }
      job.wraps = last.wraps;
      job.samples = last.samples();
      job.steps = dim.plan->steps().data();
      job.step_count = static_cast<index_t>(dim.plan->steps().size());
      job.targets = last.targets.data();
    } else {
      job.samples = last.pairs;
    }
    samples = std::max({samples, job.samples.size(), dim.plan ? 2 * job.pairs.size() : 0});
    jobs.push_back(job);
  }

  void schedule(const LiftPlan& plan) {
    span[0] = span[1] = 1;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const AxisTile& tile = tiles.empty() ? plan.whole() : tiles[i];
      const Schedule& schedule = *schedules.emplace_back(plan.schedules().of(plan, tile));
      jobs[i].moves = schedule.moves.data();
      jobs[i].move_count = static_cast<index_t>(schedule.moves.size());
      for (int channel : {0, 1}) {
        jobs[i].slots[channel] = schedule.slots[channel];
        span[channel] = std::max(span[channel], schedule.slots[channel]);
      }
    }
  }
};

// Tiles of about `pairs` pairs (without a plan: positions), all of nearly the same size.
Tiling tiling_of(const Dim& dim, index_t pairs) {
  const index_t whole = dim.plan ? dim.plan->length(0) : dim.size;
  // A smaller tile would spend more time on pairs shared with its neighbours than on its own pairs.
  const index_t least = dim.plan ? 4 * dim.plan->reach() + 2 : 1;
  const index_t size = std::max(pairs, least);
  const index_t count = std::max<index_t>(1, (whole + size / 2) / size);
  const bool wraps = dim.plan && dim.plan->periodic() && count > 1;
  Tiling tiling;
  tiling.jobs.reserve(static_cast<std::size_t>(count));
  if (count == 1) {
    if (dim.plan) {
      tiling.add(dim, dim.plan->whole());
    } else {
      tiling.add(dim, AxisTile{{0, whole}, false, {}, {}});
    }
    return tiling;
  }
  tiling.tiles.reserve(static_cast<std::size_t>(count));
  for (index_t i = 0; i < count; ++i) {
    const Range part{whole / count * i + std::min(i, whole % count),
                     whole / count * (i + 1) + std::min(i + 1, whole % count)};
    tiling.tiles.push_back(dim.plan ? axis_tile(*dim.plan, part, wraps) : AxisTile{part, false, {}, {}});
    tiling.add(dim, tiling.tiles.back());
  }
  return tiling;
}

struct Tilings {
  Tiling rows;
  Tiling cols;
};

Tilings tilings_of(const Layout& layout, index_t item) {
  if (!layout.rows.plan) {
    const index_t row = std::max<index_t>(1, layout.cols.size * item);
    return {tiling_of(layout.rows, std::max<index_t>(1, lines_bytes / row)),
            tiling_of(layout.cols, line_pairs)};
  }
  const index_t wanted = layout.cols.plan ? fused_bytes / (2 * item) : std::max<index_t>(1, lane_bytes / item);
  Tiling cols = tiling_of(layout.cols, wanted);
  if (cols.samples * item > strip_bytes) {
    Tiling rows = tiling_of(layout.rows, moving_pairs);
    rows.schedule(*layout.rows.plan);
    return {std::move(rows), std::move(cols)};
  }
  const index_t row_pair = 2 * cols.samples * item;
  const index_t reach = layout.rows.plan->reach();
  const index_t pairs = std::max(tile_bytes / row_pair - 2 * reach, 4 * reach);
  return {tiling_of(layout.rows, std::max<index_t>(pairs, 8)), std::move(cols)};
}

// --- the transform -----------------------------------------------------------------------------

// The kernels of a transform. Tiles whose samples exceed `largest` use `exact`, as all do if there
// is no `lanes16`.
struct Attempts {
  TileKernel lanes16 = nullptr;
  index_t largest = 0;
  TileKernel exact = nullptr;
};

constexpr index_t lane16_bytes = 2;

// All tiles of a transform. For each member of the batch, tiles are ordered column by column,
// downwards, so that the pairs shared by two tiles are still in the cache.
class Course {
 public:
  Course(const Layout& layout, const ArrayRef& signal, const std::vector<ArrayRef>& bands,
         const Attempts& kernels)
      : layout_(layout),
        signal_(signal),
        bands_(bands),
        kernels_(kernels),
        item_(item_size(bands[0].dtype)),
        reals_(is_complex(bands[0].dtype) ? 2 : 1),
        tilings_(tilings_of(layout, kernels.lanes16 ? lane16_bytes : item_)) {}

  void run() const {
    parallel_for(tiles(), total_bytes(),
                 [&](index_t begin, index_t end) { run_part(begin, end); });
  }

 private:
  index_t rows() const { return static_cast<index_t>(tilings_.rows.jobs.size()); }
  index_t columns() const { return static_cast<index_t>(tilings_.cols.jobs.size()); }
  index_t tiles() const { return layout_.batch_count * columns() * rows(); }

  double total_bytes() const {
    return static_cast<double>(layout_.batch_count) * static_cast<double>(layout_.rows.size) *
           static_cast<double>(layout_.cols.size * item_);
  }

  const AxisJob& rows_of(index_t item) const {
    return tilings_.rows.jobs[static_cast<std::size_t>(item % rows())];
  }
  const AxisJob& cols_of(index_t item) const {
    return tilings_.cols.jobs[static_cast<std::size_t>(item / rows() % columns())];
  }

  void run_part(index_t begin, index_t end) const {
    Scratch scratch;
    TileJob job;
    job.input = signal_.dtype;
    job.largest = kernels_.largest;
    job.stream = total_bytes() >= streamed_bytes;
    const TileScratch parts = taken_from(scratch);
    index_t placed = -1;
    Pace pace;
    const auto tile = static_cast<index_t>(total_bytes() / static_cast<double>(tiles()));
    for (index_t i = begin; i < end; ++i) {
      const index_t member = i / (rows() * columns());
      if (member != placed) place(job, placed = member);
      job.rows = rows_of(i);
      job.cols = cols_of(i);
      run_tile(job, parts);
      pace.moved(tile);
    }
  }

  void run_tile(TileJob& job, const TileScratch& parts) const {
    job.scratch = parts;
    if (kernels_.lanes16) {
      job.scratch.pitch = padded_pitch(tilings_.cols.samples, lane16_bytes);
      if (kernels_.lanes16(job)) return;
      job.scratch = parts;
    }
    kernels_.exact(job);
  }

  TileScratch taken_from(Scratch& scratch) const {
    const index_t real = item_ / reals_, width = tilings_.cols.samples * reals_;
    TileScratch parts;
    if (layout_.rows.plan) {
      parts.pitch = padded_pitch(width, real);
      for (int channel : {0, 1})
        parts.plane[channel] = scratch.take<char>(tilings_.rows.span[channel] * parts.pitch * real);
      take_for_moves(parts, scratch, width * real);
    }
    parts.row = scratch.take<char>(width * real);
    for (int channel : {0, 1})
      parts.line[channel] = scratch.take<char>(tilings_.cols.span[channel] * item_);
    return parts;
  }

  void take_for_moves(TileScratch& parts, Scratch& scratch, index_t row_bytes) const {
    if (!tilings_.rows.jobs[0].moves) return;
    for (int channel : {0, 1})
      parts.where[channel] = scratch.take<const char*>(tilings_.rows.span[channel]);
    parts.zeros = scratch.take<char>(row_bytes);
    std::memset(parts.zeros, 0, static_cast<std::size_t>(row_bytes));
    index_t terms = 1;
    for (const Step& step : layout_.rows.plan->steps())
      terms = std::max(terms, step.length * (1 + step.fold.n_left + step.fold.n_right));
    parts.terms = scratch.take<char>(terms * term_bytes);
  }

  // Sets the views for one member of the batch.
  void place(TileJob& job, index_t member) const {
    index_t offset[most_arrays];
    layout_.locate(member, offset);
    const auto view = [&](char* data, std::size_t array) {
      return View{data + offset[array], layout_.rows.strides[array], layout_.cols.strides[array]};
    };
    job.signal = view(signal_.data, 0);
    for (std::size_t b = 0; b < bands_.size(); ++b) {
      const bool both = bands_.size() == 4;
      const std::size_t rows_band = both ? b / 2 : layout_.rows.plan ? b : 0;
      const std::size_t cols_band = both ? b % 2 : layout_.rows.plan ? 0 : b;
      job.band[rows_band][cols_band] = view(bands_[b].data, b + 1);
    }
  }

  const Layout& layout_;
  const ArrayRef& signal_;
  const std::vector<ArrayRef>& bands_;
  Attempts kernels_;
  index_t item_;
  index_t reals_;
  Tilings tilings_;
};

// The cheapest sums of integer steps that are exact for all samples.
Sums sums_of(DType input, DType work, const std::vector<AxisLift>& lifts) {
  if (!is_integer(work)) return Sums::wide;
  double largest = largest_magnitude(input);
  bool narrow = true, splits = item_size(work) <= 4;
  for (const AxisLift& lift : lifts) {
    const auto magnitude = lift.plan->magnitude(largest, largest_magnitude(work));
    narrow = narrow && magnitude.sum < 0x1p31;
    splits = splits && lift.plan->splits();
    largest = magnitude.sample;
  }
  return narrow ? Sums::narrow : splits ? Sums::split : Sums::wide;
}

// The plans of the axes, in the order in which they are lifted.
using Plans = SmallVector<const LiftPlan*, 2>;

bool fits_lanes16(const Plans& plans, double largest) {
  for (const LiftPlan* plan : plans) {
    const auto magnitude = plan->magnitude(largest, 0x1p15);
    if (magnitude.sum >= 0x1p15 || magnitude.sample >= 0x1p15) return false;
    largest = magnitude.sample;
  }
  return true;
}

// The largest magnitude of samples whose sums and results fit 16 bits; 0 if it is less than that
// of 8-bit samples.
index_t largest_in_lanes16(const Plans& plans) {
  index_t largest = 256, too_large = 1 << 15;
  if (!fits_lanes16(plans, static_cast<double>(largest))) return 0;
  while (too_large - largest > 1) {
    const index_t middle = (largest + too_large) / 2;
    (fits_lanes16(plans, static_cast<double>(middle)) ? largest : too_large) = middle;
  }
  return largest;
}

Attempts attempts_of(TileKernel LiftKernels::*kernel, DType input, DType work,
                     const std::vector<AxisLift>& lifts, const Plans& plans, LiftTable table) {
  Attempts attempts;
  attempts.exact = table(work, sums_of(input, work, lifts)).*kernel;
  const bool narrow = is_integer(work) && item_size(input) <= 4;
  if (TileKernel lanes16 = narrow ? table(work, Sums::lanes16).*kernel : nullptr) {
    attempts.largest = largest_in_lanes16(plans);
    attempts.lanes16 = attempts.largest ? lanes16 : nullptr;
  }
  return attempts;
}

// Whether the array has no elements. The lengths of its other axes are then arbitrary.
bool is_empty(const ArrayRef& a) {
  return std::find(a.shape.begin(), a.shape.end(), 0) != a.shape.end();
}

}  // namespace

void lift_analysis(const ArrayRef& signal, const std::vector<AxisLift>& lifts,
                   const std::vector<ArrayRef>& bands, LiftTable table) {
  check_bands(signal, bands, lifts);
  const Layout layout = layout_of(signal, bands, lifts);
  for (std::size_t b = 0; b < bands.size(); ++b) {
    const LiftPlan* plan = layout.cols.plan;
    check_contiguous(layout.cols, plan ? plan->length(b % 2) : layout.cols.size, b + 1,
                     bands[b].dtype);
  }
  const DType work = bands[0].dtype;
  require(signal.dtype == work || converts(signal.dtype, work), "samples of a wrong dtype");
  Plans plans;
  for (const AxisLift& lift : lifts) plans.push_back(lift.plan);
  const Attempts kernels =
      attempts_of(&LiftKernels::analysis, signal.dtype, work, lifts, plans, table);
  require(kernels.exact != nullptr, "there are no kernels for the dtype");
  if (!is_empty(signal)) Course(layout, signal, bands, kernels).run();
}

void lift_synthesis(const std::vector<ArrayRef>& bands, const std::vector<AxisLift>& lifts,
                    const ArrayRef& signal, LiftTable table) {
  check_bands(signal, bands, lifts);
  const Layout layout = layout_of(signal, bands, lifts);
  check_contiguous(layout.cols, layout.cols.size, 0, signal.dtype);
  Plans plans;
  for (auto lift = lifts.rbegin(); lift != lifts.rend(); ++lift) plans.push_back(lift->plan);
  const Attempts kernels =
      attempts_of(&LiftKernels::synthesis, signal.dtype, signal.dtype, lifts, plans, table);
  require(kernels.exact != nullptr && signal.dtype == bands[0].dtype,
          "there are no kernels for the dtypes");
  if (!is_empty(signal)) Course(layout, signal, bands, kernels).run();
}

}  // namespace liftwave
