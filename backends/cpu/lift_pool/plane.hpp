// Lifting pooling of one plane (the samples of one channel of one signal) at a time, in memory that
// stays in the caches, compiled once per instruction set.
//
// Along the last axis a row is split into even and odd samples; along the others rows are. Either
// way a step reads rows and changes one. Rows are padded to whole packs: what stands there is
// computed along and never used; of cotangents it is zero, so that it adds nothing to the
// gradients.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

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
  Plane(const LiftPoolJob<T>& job, Scratch& scratch, bool differentiates)
      : plan_(*job.plan),
        filters_(job.filters),
        channels_(job.channels),
        kernel_(K ? K : plan_.kernel),
        before_(plan_.before()),
        last_(plan_.axes.back()),
        pitch_(whole_packs<T>(last_.half)),
        margin_(whole_packs<T>(kernel_)),
        values_(static_cast<std::size_t>(2 * plan_.bands())),
        cotangents_(differentiates ? values_.size() : 0),
        sums_(differentiates ? static_cast<std::size_t>(2 * plan_.passes()) : 0),
        squares_(static_cast<std::size_t>(2 * plan_.passes())) {
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
      for (index_t j = 0; j < axis.half; ++j)
        uses = std::max(uses, static_cast<std::size_t>(axis.first_use[j + 1] - axis.first_use[j]));
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

  void at_channel(index_t c) { channel_ = c; }

  // The bands of a signal, kept; for each pass the sums of squares are added to `sums`, if any.
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
    std::vector<const T*>& chosen = chosen_;
    chosen.clear();
    T* to = nullptr;
    for (int b = 0; b < plan_.bands(); ++b) {
      if (!bands[b]) continue;
      chosen.push_back(values_[first + b]);
      to = bands[b];
    }
    store_sum(to);
  }

  void load_bands(const T* const* bands) {
    for (int b = 0; b < plan_.bands(); ++b) load_rows(values_[plan_.bands() - 1 + b], bands[b]);
  }

  // The signal of the bands that were loaded; null: only its halves along the last axis, kept.
  void up(T* x) {
    for (int level = plan_.dims() - 1; level > 0; --level)
      for (int node = first_of(level); node < first_of(level + 1); ++node) merge_rows(level, node);
    if (x) merge_lines(x);
  }

  void load_cotangents(const T* const* bands) {
    for (int b = 0; b < plan_.bands(); ++b) {
      T* const to = cotangents_[plan_.bands() - 1 + b];
      if (bands[b]) load_rows(to, bands[b]);
      else std::fill_n(to, size_of(plan_.bands() - 1 + b), T{0});
    }
  }

  void begin_sums() {
    for (Sums& sums : sums_) {
      std::fill_n(sums.whole, (kernel_ + 3) * lanes<T>, 0.0);
      std::fill_n(sums.part, (kernel_ + 3) * lanes<T>, T{0});
      sums.packs = 0;
    }
  }

  // Adds to `gradient` of shape (passes, 2, channels, kernel + 3).
  void end_sums(double* gradient) {
    for (std::size_t s = 0; s < sums_.size(); ++s) {
      flush(sums_[s]);
      double* const to =
          gradient + (static_cast<index_t>(s) * channels_ + channel_) * (kernel_ + 3);
      for (index_t i = 0; i < kernel_ + 3; ++i) to[i] += total<lanes<T>>(sums_[s].whole + i * lanes<T>);
    }
  }

  // After down() or up(), and load_cotangents(): the signal's cotangent. `x` is null where the
  // bands are what is known.
  void pull_down(const T* x, const double* weights, T* x_cotangent) {
    for (int level = plan_.dims() - 1; level > 0; --level)
      for (int node = first_of(level); node < first_of(level + 1); ++node)
        pull_down_rows(level, node, weights ? weights + 2 * node : nullptr);
    pull_down_lines(x, weights, x_cotangent);
  }

  // The bands' cotangents, kept.
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
  static constexpr int block = 8;  // rows: what one has stored is read when the others are done

  // What is needed of one row of the last axis. Sources stand between margins.
  struct Line {
    T *even, *odd, *detail;          // values
    T *smooth_g, *detail_g, *hidden, *wide;
  };

  struct Sums {
    T* part;
    double* whole;
    index_t packs = 0;
  };

  // Of a pass's details, or of its smooth half without the odd samples.
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

  // What the halves that a pass of the level above makes take.
  index_t size_of(int node) const {
    const int level = level_of(node) - 1;
    return outer_[level] * (level > 0 ? axis_of(level).half : 1) * inner_[level];
  }

  T* zeros(Scratch& scratch, index_t count) const {
    T* const taken = scratch.take<T>(std::max<index_t>(count, 1));
    std::fill_n(taken, count, T{0});
    return taken;
  }

  Line make_line(Scratch& scratch, bool differentiates) const {
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

  // --- bands in and out ------------------------------------------------------------------------

  void store_rows(T* to, const T* from) const {
    for (index_t r = 0; r < band_rows_; ++r)
      std::memcpy(to + r * last_.half, from + r * pitch_,
                  static_cast<std::size_t>(last_.half) * sizeof(T));
  }

  void load_rows(T* to, const T* from) const {
    for (index_t r = 0; r < band_rows_; ++r)
      std::memcpy(to + r * pitch_, from + r * last_.half,
                  static_cast<std::size_t>(last_.half) * sizeof(T));
  }

  void store_sum(T* to) const {
    for (index_t r = 0; r < band_rows_; ++r, to += last_.half)
      for (index_t c = 0; c < last_.half; c += lanes<T>) {
        Pack<T> sum = Pack<T>::from(chosen_[0] + r * pitch_ + c);
        for (std::size_t b = 1; b < chosen_.size(); ++b)
          sum = sum + Pack<T>::from(chosen_[b] + r * pitch_ + c);
        if (last_.half - c >= lanes<T>) {
          sum.to(to + c);
        } else {
          T some[lanes<T>];
          sum.to(some);
          std::memcpy(to + c, some, static_cast<std::size_t>(last_.half - c) * sizeof(T));
        }
      }
  }

  // --- the last axis ---------------------------------------------------------------------------

  // Rows of the last axis, a block at a time: `f(k, line)` in several stages.
  template <class... Stages>
  void in_blocks(const Stages&... stages) {
    for (index_t r = 0; r < outer_[0]; r += block) {
      const int count = static_cast<int>(std::min<index_t>(block, outer_[0] - r));
      const auto run = [&](const auto& stage) {
        for (int k = 0; k < count; ++k) stage(r + k, lines_[k]);
      };
      (run(stages), ...);
    }
  }

  // Writes what is read beyond the ends of a row.
  void extend(T* row) const {
    for (index_t q = 0; q < before_; ++q) extend(row, q);
    for (index_t q = before_ + last_.half; q < last_.half + kernel_ - 1; ++q) extend(row, q);
  }
  void extend(T* row, index_t q) const {
    row[q - before_] = last_.source[q] < 0 ? T{0} : row[last_.source[q]];
  }

  // Where the taps read for the first sample of a row.
  const T* const* taps_of(const T* row) {
    for (index_t i = 0; i < kernel_; ++i) source_[i] = row + i - before_;
    return source_.data();
  }

  template <bool subtract>
  void step_line(int which, T* to, const T* base, const T* source) {
    apply<T, K, subtract>(filter(0, which), to, base, taps_of(source), pitch_);
  }

  T* value_row(int node, index_t r) { return values_[node] + r * pitch_; }
  T* cotangent_row(int node, index_t r) { return cotangents_[node] + r * pitch_; }

  void copy_row(T* to, const T* from) const {
    std::memcpy(to, from, static_cast<std::size_t>(pitch_) * sizeof(T));
  }

  void split_lines(const T* x, double* sums) {
    in_blocks(
        [&](index_t r, Line& line) {
          split_row(x + r * last_.n, last_.n, line.even, line.odd);
          extend(line.even);
        },
        [&](index_t r, Line& line) {
          step_line<true>(predict, line.detail, line.odd, line.even);
          copy_row(value_row(2, r), line.detail);
          extend(line.detail);
        },
        [&](index_t r, Line& line) {
          step_line<false>(update, value_row(1, r), line.even, line.detail);
          if (!sums) return;
          square(0, value_row(1, r), line.odd);
          square(1, value_row(2, r), nullptr);
        });
  }

  void load_detail(index_t r, Line& line) {
    copy_row(line.detail, value_row(2, r));
    extend(line.detail);
  }

  // Even samples (extended) from the halves.
  void undo_update(index_t r, Line& line) {
    step_line<true>(update, line.even, value_row(1, r), line.detail);
    extend(line.even);
  }

  void merge_lines(T* x) {
    in_blocks([&](index_t r, Line& line) { load_detail(r, line); },
              [&](index_t r, Line& line) { undo_update(r, line); },
              [&](index_t r, Line& line) {
                step_line<false>(predict, line.odd, value_row(2, r), line.even);
              },
              [&](index_t r, Line& line) {
                merge_row(line.even, line.odd, x + r * last_.n, last_.n);
              });
  }

  // Values of a row for the way back: even samples and details, the odd samples if `with_odd`.
  void bring_values(const T* x, index_t r, Line& line, bool with_odd) {
    load_detail(r, line);
    if (x) {
      split_row(x + r * last_.n, last_.n, line.even, line.odd);
      extend(line.even);
      return;
    }
    undo_update(r, line);
    if (with_odd) step_line<false>(predict, line.odd, value_row(2, r), line.even);
  }

  // The way back through one function: into `wide`, the cotangent of its source and of what
  // stands beyond its ends, for that of its result.
  void pull_line(int which, const T* cotangent, const T* source, Line& line) {
    pull_row(0, which, line.hidden, cotangent, taps_of(source), pitch_);
    const T* const weights = filter(0, which).values;
    for (index_t i = 0; i < kernel_; ++i) source_[i] = line.hidden - i;
    const index_t width = whole_packs<T>(last_.half + kernel_ - 1);
    combine<T, K, Sign::alone>(line.wide, nullptr, weights, source_.data(), kernel_, width);
  }

  // to = base + sign * (what is in `wide`, folded back onto the samples it was read from).
  void fold_line(T* to, const T* base, T sign, const T* wide) const {
    const T* const inside = wide + before_;
    for (index_t c = 0; c < pitch_; c += lanes<T>)
      (Pack<T>::from(base + c) + sign * Pack<T>::from(inside + c)).to(to + c);
    const auto back = [&](index_t q) {
      if (last_.source[q] >= 0) to[last_.source[q]] += sign * wide[q];
    };
    for (index_t q = 0; q < before_; ++q) back(q);
    for (index_t q = before_ + last_.half; q < last_.half + kernel_ - 1; ++q) back(q);
    std::fill(to + last_.half, to + pitch_, T{0});
  }

  void pull_down_lines(const T* x, const double* weights, T* x_cotangent) {
    const T of_gap = weights ? static_cast<T>(2 * weights[0]) : T{0};
    const T of_detail = weights ? static_cast<T>(2 * weights[1]) : T{0};
    in_blocks(
        [&](index_t r, Line& line) { bring_values(x, r, line, weights); },
        [&](index_t r, Line& line) {
          copy_row(line.smooth_g, cotangent_row(1, r));
          copy_row(line.detail_g, cotangent_row(2, r));
          if (!weights) return;
          add_scaled<T>(line.smooth_g, of_gap, value_row(1, r), line.odd, pitch_, mask_);
          add_scaled<T>(line.detail_g, of_detail, value_row(2, r), nullptr, pitch_, mask_);
        },
        [&](index_t, Line& line) { pull_line(update, line.smooth_g, line.detail, line); },
        [&](index_t, Line& line) { fold_line(line.detail_g, line.detail_g, T{1}, line.wide); },
        [&](index_t, Line& line) { pull_line(predict, line.detail_g, line.even, line); },
        [&](index_t, Line& line) { fold_line(line.smooth_g, line.smooth_g, T{-1}, line.wide); },
        [&](index_t r, Line& line) {
          if (weights) add_scaled<T>(line.detail_g, -of_gap, value_row(1, r), line.odd, pitch_, mask_);
          if (last_.n % 2) line.smooth_g[last_.half - 1] += line.detail_g[last_.half - 1];
          merge_row(line.smooth_g, line.detail_g, x_cotangent + r * last_.n, last_.n);
        });
  }

  void pull_up_lines(const T* x, const T* x_cotangent) {
    in_blocks(
        [&](index_t r, Line& line) { bring_values(x, r, line, false); },
        [&](index_t r, Line& line) {
          split_row(x_cotangent + r * last_.n, last_.n, line.smooth_g, line.detail_g);
          if (last_.n % 2) line.detail_g[last_.half - 1] = T{0};  // it was dropped
        },
        [&](index_t, Line& line) { pull_line(predict, line.detail_g, line.even, line); },
        [&](index_t r, Line& line) {
          fold_line(cotangent_row(1, r), line.smooth_g, T{1}, line.wide);
        },
        [&](index_t r, Line& line) {
          pull_line(update, cotangent_row(1, r), line.detail, line);
        },
        [&](index_t r, Line& line) {
          fold_line(cotangent_row(2, r), line.detail_g, T{-1}, line.wide);
        });
  }

  // --- the other axes --------------------------------------------------------------------------

  // Where the rows of one signal along an axis are: of what is split, and of its halves.
  struct Rows {
    T *whole, *smooth, *detail;
    index_t n, inner;

    T* even(index_t k) const { return whole + 2 * k * inner; }
    T* odd(index_t k) const { return whole + std::min(2 * k + 1, n - 1) * inner; }
  };

  template <class F>
  void for_outer(std::vector<T*>& arrays, int level, int node, const F& f) {
    const LiftPoolAxis& axis = axis_of(level);
    const index_t inner = inner_[level];
    for (index_t o = 0; o < outer_[level]; ++o)
      f(Rows{arrays[node] + o * axis.n * inner, arrays[2 * node + 1] + o * axis.half * inner,
             arrays[2 * node + 2] + o * axis.half * inner, axis.n, inner},
        o);
  }

  // Where the taps of target k read rows: row j at `first` + j * `stride`.
  const T* const* rows_of(const LiftPoolAxis& axis, const T* first, index_t stride, index_t k) {
    for (index_t i = 0; i < kernel_; ++i) {
      const index_t at = axis.source[k + i];
      source_[i] = at < 0 ? zero_ : first + at * stride;
    }
    return source_.data();
  }

  template <bool subtract>
  void step_rows(int level, int node, int which, T* to, index_t to_stride, const T* base,
                 index_t base_stride, const T* source, index_t source_stride, index_t count) {
    const LiftPoolAxis& axis = axis_of(level);
    for (index_t k = 0; k < count; ++k)
      apply<T, K, subtract>(filter(node, which), to + k * to_stride, base + k * base_stride,
                            rows_of(axis, source, source_stride, k), inner_[level]);
  }

  void split_rows(int level, int node, double* sums) {
    const LiftPoolAxis& axis = axis_of(level);
    const index_t inner = inner_[level];
    for_outer(values_, level, node, [&](const Rows& rows, index_t) {
      const Filter<T, K> f = filter(node, predict);
      for (index_t k = 0; k < axis.half; ++k)
        apply<T, K, true>(f, rows.detail + k * inner, rows.odd(k),
                          rows_of(axis, rows.whole, 2 * inner, k), inner);
      step_rows<false>(level, node, update, rows.smooth, inner, rows.whole, 2 * inner, rows.detail,
                       inner, axis.half);
      if (!sums) return;
      for (index_t k = 0; k < axis.half; ++k)
        for (index_t c = 0; c < inner; c += pitch_) {
          square(2 * node, rows.smooth + k * inner + c, rows.odd(k) + c);
          square(2 * node + 1, rows.detail + k * inner + c, nullptr);
        }
    });
  }

  void merge_rows(int level, int node) {
    const LiftPoolAxis& axis = axis_of(level);
    const index_t inner = inner_[level];
    for_outer(values_, level, node, [&](const Rows& rows, index_t) {
      step_rows<true>(level, node, update, rows.whole, 2 * inner, rows.smooth, inner, rows.detail,
                      inner, axis.half);
      step_rows<false>(level, node, predict, rows.whole + inner, 2 * inner, rows.detail, inner,
                       rows.whole, 2 * inner, axis.n / 2);
    });
  }

  // The way back through one function, for all rows of one signal: the cotangents of its results
  // are at `cotangent`, its sources at `source`; those of its sources are added at `to`.
  template <Sign sign>
  void pull_rows(int level, int node, int which, const T* cotangent, index_t cotangent_stride,
                 const T* source, index_t source_stride, T* to, index_t to_stride) {
    const LiftPoolAxis& axis = axis_of(level);
    const index_t inner = inner_[level];
    for (index_t k = 0; k < axis.half; ++k)
      pull_row(node, which, hidden_ + k * inner, cotangent + k * cotangent_stride,
               rows_of(axis, source, source_stride, k), inner);
    const T* const weights = filter(node, which).values;
    for (index_t j = 0; j < axis.half; ++j) {
      T* const row = to + j * to_stride;
      const index_t first = axis.first_use[j], count = axis.first_use[j + 1] - first;
      if (count == 0) continue;
      for (index_t u = 0; u < count; ++u) {
        const LiftPoolAxis::Use& use = axis.uses[first + u];
        source_[u] = hidden_ + use.target * inner;
        weight_[u] = weights[use.tap];
      }
      const int terms = static_cast<int>(count);
      if (axis.plain[j])
        combine<T, K, sign>(row, row, weight_.data(), source_.data(), terms, inner);
      else
        combine<T, 0, sign>(row, row, weight_.data(), source_.data(), terms, inner);
    }
  }

  void pull_down_rows(int level, int node, const double* weights) {
    const LiftPoolAxis& axis = axis_of(level);
    const index_t inner = inner_[level];
    const T of_gap = weights ? static_cast<T>(2 * weights[0]) : T{0};
    const T of_detail = weights ? static_cast<T>(2 * weights[1]) : T{0};
    for_outer(cotangents_, level, node, [&](const Rows& g, index_t o) {
      const Rows v = rows_at(values_, level, node, o);
      const auto each_row = [&](const auto& f) {
        for (index_t k = 0; k < axis.half; ++k)
          for (index_t c = 0; c < inner; c += pitch_) f(k, k * inner + c, c);
      };
      if (weights)
        each_row([&](index_t k, index_t at, index_t c) {
          add_scaled<T>(g.smooth + at, of_gap, v.smooth + at, v.odd(k) + c, pitch_, mask_);
          add_scaled<T>(g.detail + at, of_detail, v.detail + at, nullptr, pitch_, mask_);
        });
      pull_rows<Sign::plus>(level, node, update, g.smooth, inner, v.detail, inner, g.detail, inner);
      pull_rows<Sign::minus>(level, node, predict, g.detail, inner, v.whole, 2 * inner, g.smooth,
                             inner);
      if (weights)
        each_row([&](index_t k, index_t at, index_t c) {
          add_scaled<T>(g.detail + at, -of_gap, v.smooth + at, v.odd(k) + c, pitch_, mask_);
        });
      interleave(g, axis.half);
    });
  }

  // The whole's rows from those of its halves; a repeated last row counts twice.
  void interleave(const Rows& rows, index_t half) const {
    const index_t inner = rows.inner;
    const auto bytes = static_cast<std::size_t>(inner) * sizeof(T);
    for (index_t k = 0; k < half; ++k) {
      std::memcpy(rows.even(k), rows.smooth + k * inner, bytes);
      if (2 * k + 1 < rows.n) {
        std::memcpy(rows.odd(k), rows.detail + k * inner, bytes);
      } else {
        T* const last = rows.even(k);
        for (index_t c = 0; c < inner; c += lanes<T>)
          (Pack<T>::from(last + c) + Pack<T>::from(rows.detail + k * inner + c)).to(last + c);
      }
    }
  }

  void pull_up_rows(int level, int node) {
    const LiftPoolAxis& axis = axis_of(level);
    const index_t inner = inner_[level];
    const auto bytes = static_cast<std::size_t>(inner) * sizeof(T);
    for_outer(cotangents_, level, node, [&](const Rows& g, index_t o) {
      const Rows v = rows_at(values_, level, node, o);
      for (index_t k = 0; k < axis.half; ++k) {
        std::memcpy(g.smooth + k * inner, g.even(k), bytes);
        if (2 * k + 1 < g.n) std::memcpy(g.detail + k * inner, g.odd(k), bytes);
        else std::fill_n(g.detail + k * inner, inner, T{0});  // it was dropped
      }
      pull_rows<Sign::plus>(level, node, predict, g.detail, inner, v.whole, 2 * inner, g.smooth,
                            inner);
      pull_rows<Sign::minus>(level, node, update, g.smooth, inner, v.detail, inner, g.detail,
                             inner);
    });
  }

  Rows rows_at(std::vector<T*>& arrays, int level, int node, index_t o) const {
    const LiftPoolAxis& axis = axis_of(level);
    const index_t inner = inner_[level];
    return {arrays[node] + o * axis.n * inner, arrays[2 * node + 1] + o * axis.half * inner,
            arrays[2 * node + 2] + o * axis.half * inner, axis.n, inner};
  }

  // --- sums of squares -------------------------------------------------------------------------

  void square(int which, const T* x, const T* y) {
    Squares& squares = squares_[static_cast<std::size_t>(which)];
    const index_t most = most_packs * lanes<T>;
    for (index_t c = 0; c < pitch_; c += most) {
      const index_t width = std::min(most, pitch_ - c);
      if (squares.packs + width / lanes<T> > most_packs) flush(squares);
      squares.packs += width / lanes<T>;
      // Only the last pack of a row is masked.
      const T* const mask = c + width < pitch_ ? ones_.values : mask_;
      add_squares<T>(squares.part, x + c, y ? y + c : nullptr, width, mask);
    }
  }

  static void flush(Squares& squares) {
    squares.whole += total<lanes<T>>(squares.part);
    std::fill_n(squares.part, lanes<T>, T{0});
    squares.packs = 0;
  }

  // --- gradients -------------------------------------------------------------------------------

  // Sums of so many packs are flushed into double precision.
  static constexpr index_t most_packs = 64;

  void pull_row(int node, int which, T* hidden, const T* cotangent, const T* const* sources,
                index_t width) {
    Sums& sums = sums_[static_cast<std::size_t>(2 * node + which)];
    const Filter<T, K> f = filter(node, which);
    if (width <= most_packs * lanes<T>) return pull_part(f, hidden, cotangent, sources, width, sums);
    std::vector<const T*>& part = chosen_;
    part.resize(static_cast<std::size_t>(kernel_));
    for (index_t c = 0; c < width; c += most_packs * lanes<T>) {
      for (index_t i = 0; i < kernel_; ++i) part[i] = sources[i] + c;
      pull_part(f, hidden + c, cotangent + c, part.data(),
                std::min(most_packs * lanes<T>, width - c), sums);
    }
  }

  void pull_part(const Filter<T, K>& f, T* hidden, const T* cotangent, const T* const* sources,
                 index_t width, Sums& sums) {
    if (sums.packs + width / lanes<T> > most_packs) flush(sums);
    sums.packs += width / lanes<T>;
    pull<T, K>(f, hidden, cotangent, sources, width, sums.part);
  }

  void flush(Sums& sums) const {
    for (index_t i = 0; i < (kernel_ + 3) * lanes<T>; ++i) {
      sums.whole[i] += static_cast<double>(sums.part[i]);
      sums.part[i] = T{0};
    }
    sums.packs = 0;
  }

  const LiftPoolPlan& plan_;
  LiftPoolFilters<T> filters_;
  index_t channels_, channel_ = 0;
  int kernel_;
  index_t before_;
  const LiftPoolAxis& last_;
  index_t pitch_, margin_, band_rows_ = 0;
  std::vector<index_t> outer_, inner_;  // by level
  std::vector<T*> values_, cotangents_;  // by node
  std::vector<Sums> sums_;               // by pass: predictor, updater
  std::vector<Squares> squares_;         // by pass: smooth half without odd samples, details
  struct Ones {
    T values[lanes<T>];
    Ones() { std::fill_n(values, lanes<T>, T{1}); }
  } ones_;
  T* mask_ = nullptr;  // of a row's last pack, what is in the row
  Line lines_[block];
  T *zero_ = nullptr, *hidden_ = nullptr;
  std::vector<const T*> source_, chosen_;
  std::vector<T> weight_;
};

// --- all planes ----------------------------------------------------------------------------------

template <class T>
struct BandsAt {
  explicit BandsAt(std::size_t count) : at(count) {}

  template <class U>
  T* const* of(const LiftPoolBands<U>& bands, index_t batch, index_t channel, index_t size) {
    for (std::size_t b = 0; b < at.size(); ++b)
      at[b] = bands.band[b] ? bands.band[b] + batch * bands.batch + channel * size : nullptr;
    return at.data();
  }

  std::vector<T*> at;
};

template <class T>
double bytes_of(const LiftPoolJob<T>& job) {
  return static_cast<double>(sizeof(T)) * static_cast<double>(job.batch * job.channels) *
         static_cast<double>(job.plan->samples());
}

template <class T, int K>
void down_planes(const LiftPoolJob<T>& job, const T* x, const LiftPoolBands<T>& bands, bool sum,
                 double* sums) {
  const LiftPoolPlan& plan = *job.plan;
  const index_t planes = job.batch * job.channels, count = 2 * plan.passes();
  const index_t size = plan.samples(), band = plan.band_samples();
  std::vector<double> each(sums ? static_cast<std::size_t>(planes * count) : 0);
  parallel_for(planes, bytes_of(job), [&](index_t begin, index_t end) {
    Scratch scratch;
    Plane<T, K> plane(job, scratch, false);
    BandsAt<T> to(static_cast<std::size_t>(plan.bands()));
    for (index_t p = begin; p < end; ++p) {
      plane.at_channel(p % job.channels);
      plane.down(x + p * size, sums ? each.data() + p * count : nullptr);
      plane.store_bands(to.of(bands, p / job.channels, p % job.channels, band), sum);
    }
  });
  if (!sums) return;
  std::fill_n(sums, count, 0.0);
  for (index_t p = 0; p < planes; ++p)
    for (index_t i = 0; i < count; ++i) sums[i] += each[static_cast<std::size_t>(p * count + i)];
}

template <class T, int K>
void up_planes(const LiftPoolJob<T>& job, const LiftPoolBands<const T>& bands, T* x) {
  const LiftPoolPlan& plan = *job.plan;
  const index_t size = plan.samples(), band = plan.band_samples();
  parallel_for(job.batch * job.channels, bytes_of(job), [&](index_t begin, index_t end) {
    Scratch scratch;
    Plane<T, K> plane(job, scratch, false);
    BandsAt<const T> from(static_cast<std::size_t>(plan.bands()));
    for (index_t p = begin; p < end; ++p) {
      plane.at_channel(p % job.channels);
      plane.load_bands(from.of(bands, p / job.channels, p % job.channels, band));
      plane.up(x + p * size);
    }
  });
}

// Gradients are summed over the batch in an order that depends on the shape alone: for each
// channel over a fixed number of parts of the batch.
template <class T, int K, class Work>
void summed_planes(const LiftPoolJob<T>& job, double* gradient, const Work& work) {
  constexpr index_t enough = 64;
  const LiftPoolPlan& plan = *job.plan;
  const index_t parts =
      std::max<index_t>(1, std::min(job.batch, (enough + job.channels - 1) / job.channels));
  const index_t numbers = 2 * plan.passes() * job.channels * (plan.kernel + 3);
  std::vector<double> each(static_cast<std::size_t>(parts * numbers));
  parallel_for(parts * job.channels, 3 * bytes_of(job), [&](index_t begin, index_t end) {
    Scratch scratch;
    Plane<T, K> plane(job, scratch, true);
    for (index_t item = begin; item < end; ++item) {
      const index_t part = item / job.channels, channel = item % job.channels;
      plane.at_channel(channel);
      plane.begin_sums();
      for (index_t n = job.batch * part / parts; n < job.batch * (part + 1) / parts; ++n)
        work(plane, n, channel);
      plane.end_sums(each.data() + part * numbers);
    }
  });
  std::fill_n(gradient, numbers, 0.0);
  for (index_t part = 0; part < parts; ++part)
    for (index_t i = 0; i < numbers; ++i)
      gradient[i] += each[static_cast<std::size_t>(part * numbers + i)];
}

// The gradient of what was subtracted: that of one function of each pass.
inline void negate(double* gradient, const LiftPoolPlan& plan, index_t channels, int which) {
  const index_t each = channels * (plan.kernel + 3);
  for (int pass = 0; pass < plan.passes(); ++pass)
    for (index_t i = 0; i < each; ++i) {
      double& number = gradient[(2 * pass + which) * each + i];
      number = -number;
    }
}

template <class T, int K>
void down_vjp_planes(const LiftPoolJob<T>& job, const LiftPoolValues<T>& values,
                     const LiftPoolBands<const T>& cotangents, const double* weights, T* x,
                     double* gradient) {
  const LiftPoolPlan& plan = *job.plan;
  const index_t size = plan.samples(), band = plan.band_samples();
  summed_planes<T, K>(job, gradient, [&](Plane<T, K>& plane, index_t n, index_t c) {
    BandsAt<const T> from(static_cast<std::size_t>(plan.bands()));
    const index_t at = (n * job.channels + c) * size;
    const T* const signal = values.signal ? values.signal + at : nullptr;
    if (signal) {
      plane.down(signal, nullptr);
    } else {
      plane.load_bands(from.of(values.bands, n, c, band));
      plane.up(nullptr);
    }
    plane.load_cotangents(from.of(cotangents, n, c, band));
    plane.pull_down(signal, weights, x + at);
  });
  negate(gradient, plan, job.channels, 0);
}

template <class T, int K>
void up_vjp_planes(const LiftPoolJob<T>& job, const LiftPoolValues<T>& values, const T* cotangent,
                   const LiftPoolBands<T>& bands, double* gradient) {
  const LiftPoolPlan& plan = *job.plan;
  const index_t size = plan.samples(), band = plan.band_samples();
  summed_planes<T, K>(job, gradient, [&](Plane<T, K>& plane, index_t n, index_t c) {
    BandsAt<const T> from(static_cast<std::size_t>(plan.bands()));
    BandsAt<T> to(static_cast<std::size_t>(plan.bands()));
    const index_t at = (n * job.channels + c) * size;
    const T* const signal = values.signal ? values.signal + at : nullptr;
    if (signal) {
      plane.down(signal, nullptr);
    } else {
      plane.load_bands(from.of(values.bands, n, c, band));
      plane.up(nullptr);
    }
    plane.pull_up(signal, cotangent + at);
    plane.store_cotangents(to.of(bands, n, c, band));
  });
  negate(gradient, plan, job.channels, 1);
}

template <class T, int K>
constexpr LiftPoolKernels<T> lift_pool_kernels() {
  return {down_planes<T, K>, up_planes<T, K>, down_vjp_planes<T, K>, up_vjp_planes<T, K>};
}

}  // namespace liftwave::LIFTWAVE_ISA
