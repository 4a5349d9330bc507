// Lifting pooling of one plane (the samples of one channel of one signal) at a time, in memory that
// stays in the caches, compiled once per instruction set.
//
// Along the last axis, each row is split into even and odd samples. Along the others, the rows
// themselves are split. In both cases a step reads rows and changes one row. Rows are padded to
// whole packs. The padding is computed and never used. In cotangents it is zero, so that it adds
// nothing to the gradients.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/buffer.hpp"
#include "common/parallel.hpp"
#include "lift_pool/kernels.hpp"
#include "lift_pool/rows.hpp"

namespace liftwave::LIFTWAVE_ISA {

template <class T>
index_t whole_packs(index_t count) {
  return (count + lanes<T> - 1) / lanes<T> * lanes<T>;
}

template <class T, int K>
class Plane {
 public:
  // With gradients, `groups` is the number of channels whose sums it keeps apart; otherwise zero.
  Plane(const LiftPoolJob<T>& job, Scratch& scratch, index_t groups)
      : plan_(*job.plan),
        filters_(job.filters),
        channels_(job.channels),
        kernel_(K ? K : plan_.kernel),
        before_(plan_.before()),
        last_(plan_.axes.back()),
        pitch_(whole_packs<T>(last_.half)),
        margin_(whole_packs<T>(kernel_)),
        values_(static_cast<std::size_t>(2 * plan_.bands())),
        cotangents_(groups > 0 ? values_.size() : 0),
        sums_(static_cast<std::size_t>(groups * 2 * plan_.passes())),
        squares_(static_cast<std::size_t>(2 * plan_.passes())) {
    const bool differentiates = groups > 0;
    make_geometry();
    mask_ = scratch.take<T>(lanes<T>);
    for (index_t c = 0; c < lanes<T>; ++c) mask_[c] = T(pitch_ - lanes<T> + c < last_.half);
    for (Squares& squares : squares_) squares.part = zeros(scratch, lanes<T>);
    const int nodes = 2 * plan_.bands() - 1;
    for (int node = 1; node < nodes; ++node) {
      values_[node] = zeros(scratch, size_of(node));
      if (differentiates) cotangents_[node] = zeros(scratch, size_of(node));
    }
    for (Line& line : lines_) line = make_line(scratch, differentiates);
    index_t widest = 0, hidden = 0;
    std::size_t uses = static_cast<std::size_t>(kernel_);
    for (int level = 1; level < plan_.dims(); ++level) {
      widest = std::max(widest, inner_[level]);
      const LiftPoolAxis& axis = axis_of(level);
      hidden = std::max(hidden, axis.half * inner_[level]);
      for (const LiftPoolReads& reads : axis.reads)
        for (index_t j = 0; j < axis.half; ++j)
          uses = std::max(uses, static_cast<std::size_t>(reads.first_use[j + 1] - reads.first_use[j]));
    }
    zero_ = zeros(scratch, widest);
    source_.resize(uses);
    weight_.resize(uses);
    if (!differentiates) return;
    hidden_ = zeros(scratch, hidden);
    const index_t numbers = (kernel_ + 3) * lanes<T>;
    for (Sums& sums : sums_) {
      sums.part = zeros(scratch, numbers);
      sums.whole = scratch.take<double>(numbers);
    }
  }

  // Goes to a channel, whose sums are at this place.
  void at_channel(index_t c, index_t place = 0) {
    channel_ = c;
    first_sum_ = static_cast<std::size_t>(place * 2 * plan_.passes());
  }

  // Computes and keeps the bands of a signal. Adds the sums of squares of each pass to `sums`,
  // unless null.
  void down(const T* x, double* sums) {
    split_lines(x, sums);
    for (int level = 1; level < plan_.dims(); ++level)
      for (int node = first_of(level); node < first_of(level + 1); ++node)
        split_rows(level, node, sums);
    if (!sums) return;
    for (std::size_t i = 0; i < squares_.size(); ++i) {
      flush(squares_[i]);
      sums[i] += squares_[i].whole;
      squares_[i].whole = 0;
    }
  }

  void store_bands(T* const* bands, bool sum) {
    const int first = plan_.bands() - 1;
    if (!sum) {
      for (int b = 0; b < plan_.bands(); ++b)
        if (bands[b]) store_rows(bands[b], values_[first + b]);
      return;
    }
    std::size_t count = 0;
    chosen_.resize(static_cast<std::size_t>(plan_.bands()));
    T* to = nullptr;
    for (int b = 0; b < plan_.bands(); ++b) {
      if (!bands[b]) continue;
      chosen_[count++] = values_[first + b];
      to = bands[b];
    }
    chosen_.resize(count);
    store_sum(to);
  }

  void load_bands(const T* const* bands) {
    for (int b = 0; b < plan_.bands(); ++b) load_rows(values_[plan_.bands() - 1 + b], bands[b]);
  }

  // Computes the signal of the loaded bands. With null, it keeps only its halves along the last
  // axis.
  void up(T* x) {
    for (int level = plan_.dims() - 1; level > 0; --level)
      for (int node = first_of(level); node < first_of(level + 1); ++node) merge_rows(level, node);
    if (x) merge_lines(x);
  }

  void load_cotangents(const T* const* bands) {
    for (int b = 0; b < plan_.bands(); ++b) {
      T* const to = cotangents_[plan_.bands() - 1 + b];
      if (bands[b]) load_rows(to, bands[b]);
      else pace_.fill(to, size_of(plan_.bands() - 1 + b), T{0});
    }
  }

  void begin_sums() {
    for (Sums& sums : sums_) {
      std::fill_n(sums.whole, (kernel_ + 3) * lanes<T>, 0.0);
      std::fill_n(sums.part, (kernel_ + 3) * lanes<T>, T{0});
      sums.packs = 0;
    }
  }

  // Adds the sums of the channel to `gradient` of shape (passes, 2, channels, kernel + 3).
  void end_sums(double* gradient) {
    for (index_t s = 0; s < 2 * plan_.passes(); ++s) {
      Sums& sums = sums_[first_sum_ + static_cast<std::size_t>(s)];
      flush(sums);
      double* const to = gradient + (s * channels_ + channel_) * (kernel_ + 3);
      for (index_t i = 0; i < kernel_ + 3; ++i) to[i] += total<lanes<T>>(sums.whole + i * lanes<T>);
    }
  }

  // After down() or up(), and load_cotangents(): the signal's cotangent. `x` is null if the bands
  // are known instead of the signal.
  void pull_down(const T* x, const double* weights, T* x_cotangent) {
    for (int level = plan_.dims() - 1; level > 0; --level)
      for (int node = first_of(level); node < first_of(level + 1); ++node)
        pull_down_rows(level, node, weights ? weights + 2 * node : nullptr);
    pull_down_lines(x, weights, x_cotangent);
  }

  // Computes and keeps the bands' cotangents.
  void pull_up(const T* x, const T* x_cotangent) {
    pull_up_lines(x, x_cotangent);
    for (int level = 1; level < plan_.dims(); ++level)
      for (int node = first_of(level); node < first_of(level + 1); ++node)
        pull_up_rows(level, node);
  }

  void store_cotangents(T* const* bands) {
    for (int b = 0; b < plan_.bands(); ++b)
      store_rows(bands[b], cotangents_[plan_.bands() - 1 + b]);
  }

 private:
  enum { predict = 0, update = 1 };
  static constexpr int block = 8;  // rows: a stored row is read only after the others are done

  // Buffers for one row of the last axis. Sources have margins.
  struct Line {
    T *even, *odd, *detail;          // values
    T *smooth_g, *detail_g, *hidden, *wide;
  };

  struct Sums {
    T* part;
    double* whole;
    index_t packs = 0;
  };

  // The sum of squares of a pass's details, or of its smooth half minus the odd samples.
  struct Squares {
    T* part;
    double whole = 0;
    index_t packs = 0;
  };

  // --- geometry --------------------------------------------------------------------------------

  static int first_of(int level) { return (1 << level) - 1; }
  const LiftPoolAxis& axis_of(int level) const { return plan_.axes[plan_.dims() - 1 - level]; }

  void make_geometry() {
    const int dims = plan_.dims();
    outer_.resize(dims);
    inner_.resize(dims);
    index_t behind = pitch_;
    for (int level = 0; level < dims; ++level) {
      index_t outer = 1;
      for (int a = 0; a < dims - 1 - level; ++a) outer *= plan_.axes[a].n;
      outer_[level] = outer;
      inner_[level] = behind;
      if (level > 0) behind *= axis_of(level).half;
    }
    band_rows_ = plan_.band_samples() / last_.half;
  }

  static int level_of(int node) {
    int level = 0;
    while (first_of(level + 1) <= node) ++level;
    return level;
  }

  // The size of the halves that a pass of the level above computes.
  index_t size_of(int node) const {
    const int level = level_of(node) - 1;
    return outer_[level] * (level > 0 ? axis_of(level).half : 1) * inner_[level];
  }

  T* zeros(Scratch& scratch, index_t count) {
    T* const taken = scratch.take<T>(std::max<index_t>(count, 1));
    pace_.fill(taken, count, T{0});
    return taken;
  }

  Line make_line(Scratch& scratch, bool differentiates) {
    const index_t width = pitch_ + 2 * margin_ + lanes<T>;
    const auto row = [&](bool wanted) {
      return wanted ? zeros(scratch, width) + margin_ : nullptr;
    };
    const bool g = differentiates;
    return {row(true), row(true), row(true), row(g), row(g), row(g), row(g)};
  }

  Filter<T, K> filter(int node, int which) const {
    const index_t pass = filters_.shared ? 0 : node;
    return {filters_.values + ((2 * pass + which) * channels_ + channel_) * (kernel_ + 3), kernel_};
  }

  // --- loading and storing bands ---------------------------------------------------------------

  // After work on a row of `count` numbers.
  LIFTWAVE_INLINE void row_done(index_t count) {
    pace_.moved(count * static_cast<index_t>(sizeof(T)));
  }

  void store_rows(T* to, const T* from) {
    for (index_t r = 0; r < band_rows_; ++r) {
      copy_numbers(from + r * pitch_, last_.half, to + r * last_.half);
      row_done(pitch_);
    }
  }

  void load_rows(T* to, const T* from) {
    for (index_t r = 0; r < band_rows_; ++r) {
      copy_numbers(from + r * last_.half, last_.half, to + r * pitch_);
      row_done(pitch_);
    }
  }

  // The last pack of a row covers some numbers twice.
  void store_sum(T* to) {
    const index_t half = last_.half;
    for (index_t r = 0; r < band_rows_; ++r, to += half) {
      for (index_t c = 0; c < half; c += lanes<T>) {
        const index_t at = std::max<index_t>(std::min(c, half - lanes<T>), 0);
        WidePack<T> sum = WidePack<T>::from(chosen_[0] + r * pitch_ + at);
        for (std::size_t b = 1; b < chosen_.size(); ++b)
          sum = sum + WidePack<T>::from(chosen_[b] + r * pitch_ + at);
        if (half >= lanes<T>) {
          sum.to(to + at);
        } else {
          T some[lanes<T>];
          sum.to(some);
          std::memcpy(to, some, static_cast<std::size_t>(half) * sizeof(T));
        }
      }
      row_done(pitch_);
    }
  }

  // --- the last axis (line_steps.hpp) ---------------------------------------------------------

  // Rows of the last axis, a block at a time: `f(k, line)` in several stages.
  template <class... Stages>
  void in_blocks(const Stages&... stages);
  // Fills the samples beyond the ends of a row that the predictor or the updater reads.
  void extend(int which, T* row) const;
  // Where the taps read for the first sample of a row.
  const T* const* taps_of(const T* row);
  template <bool subtract>
  void step_line(int which, T* to, const T* base, const T* source);
  T* value_row(int node, index_t r) { return values_[node] + r * pitch_; }
  T* cotangent_row(int node, index_t r) { return cotangents_[node] + r * pitch_; }
  void copy_row(T* to, const T* from) const;
  // A row of the signal that the next block reads, or of the next plane.
  void prefetch_row(const T* x) const {
    for (index_t i = 0; i < last_.n; i += lanes<T>) prefetch_early(x + i);
  }
  void split_lines(const T* x, double* sums);
  void load_detail(index_t r, Line& line);
  // Computes the even samples (extended) from the halves.
  void undo_update(index_t r, Line& line);
  void merge_lines(T* x);
  // Provides values of a row for the gradient: even samples and details, and odd samples if
  // `with_odd`.
  void bring_values(const T* x, index_t r, Line& line, bool with_odd);
  // The gradient of one function: from the cotangent of its result to that of its source, including
  // samples beyond the ends, in `wide`.
  void pull_line(int which, const T* cotangent, const T* source, Line& line);
  // to = base + sign * (`wide`, folded back onto the samples).
  void fold_line(int which, T* to, const T* base, T sign, const T* wide) const;
  // `f(q)` for the places beyond the ends of a row.
  template <class F>
  void for_places_beyond(const F& f) const;
  void pull_down_lines(const T* x, const double* weights, T* x_cotangent);
  void pull_up_lines(const T* x, const T* x_cotangent);

  // --- the other axes (row_steps.hpp) ----------------------------------------------------------

  // The addresses of the rows of one signal along an axis: the whole and its halves.
  struct Rows {
    T *whole, *smooth, *detail;
    index_t n, inner, last;  // last: the row that pads an odd number of rows

    T* even(index_t k) const { return whole + 2 * k * inner; }
    T* odd(index_t k) const { return whole + (2 * k + 1 < n ? 2 * k + 1 : last) * inner; }
  };

  template <class F>
  void for_outer(Buffer<T*>& arrays, int level, int node, const F& f);
  // The rows that the taps of target k read: row j is at `first` + j * `stride`.
  const T* const* rows_of(const LiftPoolReads& reads, const T* first, index_t stride, index_t k);
  template <bool subtract>
  void step_rows(int level, int node, int which, T* to, index_t to_stride, const T* base,
                 index_t base_stride, const T* source, index_t source_stride, index_t count);
  void split_rows(int level, int node, double* sums);
  void merge_rows(int level, int node);
  // The gradient of one function, for all rows of one signal. `cotangent` holds the cotangents of
  // its results, `source` its sources. The cotangents of the sources are added at `to`.
  template <Sign sign>
  void pull_rows(int level, int node, int which, const T* cotangent, index_t cotangent_stride,
                 const T* source, index_t source_stride, T* to, index_t to_stride);
  void pull_down_rows(int level, int node, const double* weights);
  // Merges the rows of the halves. A repeated last row counts twice.
  void interleave(const Rows& rows, index_t half);
  void pull_up_rows(int level, int node);
  Rows rows_at(Buffer<T*>& arrays, int level, int node, index_t o) const;

  // --- sums of squares and gradients (sums.hpp) ------------------------------------------------

  void square(int which, const T* x, const T* y);
  static void flush(Squares& squares);
  // The number of packs after which sums are flushed into double precision.
  static constexpr index_t most_packs = 64;

  void pull_row(int node, int which, T* hidden, const T* cotangent, const T* const* sources,
                index_t width);
  void pull_part(const Filter<T, K>& f, T* hidden, const T* cotangent, const T* const* sources,
                 index_t width, Sums& sums);
  void flush(Sums& sums) const;

  const LiftPoolPlan& plan_;
  LiftPoolFilters<T> filters_;
  index_t channels_, channel_ = 0;
  int kernel_;
  index_t before_;
  const LiftPoolAxis& last_;
  index_t pitch_, margin_, band_rows_ = 0;
  Buffer<index_t> outer_, inner_;  // by level
  Buffer<T*> values_, cotangents_;  // by node
  Buffer<Sums> sums_;               // by channel of a group, by pass: predictor, updater
  std::size_t first_sum_ = 0;       // of the channel
  Buffer<Squares> squares_;         // by pass: smooth half without odd samples, details
  struct Ones {
    T values[lanes<T>];
    Ones() { std::fill_n(values, lanes<T>, T{1}); }
  } ones_;
  T* mask_ = nullptr;  // marks the samples of a row's last pack
  Line lines_[block];
  T *zero_ = nullptr, *hidden_ = nullptr;
  Buffer<const T*> source_, chosen_;
  Buffer<T> weight_;
  Pace pace_;
};

}  // namespace liftwave::LIFTWAVE_ISA
