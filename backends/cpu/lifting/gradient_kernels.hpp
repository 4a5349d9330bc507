// Tile kernels of the lifting gradient, compiled once per instruction set.
//
// Products are summed in double precision, in an order that depends on the shape alone.
#pragma once

#include "lifting/gradient_tile.hpp"
#include "lifting/lines.hpp"

namespace liftwave::LIFTWAVE_ISA {

// --- inner products --------------------------------------------------------------------------

constexpr index_t partial_sums = 16;

inline double total(const double (&part)[partial_sums]) {
  double sums[partial_sums];
  for (index_t c = 0; c < partial_sums; ++c) sums[c] = part[c];
  for (index_t half = partial_sums / 2; half > 0; half /= 2)
    for (index_t c = 0; c < half; ++c) sums[c] += sums[c + half];
  return sums[0];
}

// sums[j] += the sum over `rows` and lanes of x[k + j] * y[k], for `count` neighbours j.
template <class T, int count>
void add_products(double* sums, const T* x, const T* y, index_t rows, index_t width,
                  index_t pitch) {
  double part[count][partial_sums] = {};
  const index_t whole = width - width % partial_sums;
  for (index_t k = 0; k < rows; ++k, x += pitch, y += pitch) {
    for (index_t c0 = 0; c0 < whole; c0 += partial_sums)
      for (int j = 0; j < count; ++j)
        for (index_t c = 0; c < partial_sums; ++c)
          part[j][c] += static_cast<double>(x[j * pitch + c0 + c]) * static_cast<double>(y[c0 + c]);
    for (int j = 0; j < count; ++j)
      for (index_t c = whole; c < width; ++c)
        part[j][c - whole] += static_cast<double>(x[j * pitch + c]) * static_cast<double>(y[c]);
  }
  for (int j = 0; j < count; ++j) sums[j] += total(part[j]);
}

// The gradient of a step with respect to its taps, for the targets `own`: the product of each
// cotangent with each source sample of its target.
template <class T>
class TapGradient {
 public:
  TapGradient(const Step& step, const Channel<T>& source, const Channel<T>& cotangent,
              index_t width, double* gradient)
      : step_(step), source_(source), cotangent_(cotangent), width_(width), gradient_(gradient) {}

  void add(Range own, bool wraps) const {
    if (own.empty()) return;
    const Range inside = wraps ? own : intersection(own, step_.inside);
    if (inside.empty()) {
      for (index_t k = own.begin; k < own.end; ++k) add_edge(k);
      return;
    }
    for (index_t k = own.begin; k < inside.begin; ++k) add_edge(k);
    add_inside(inside);
    for (index_t k = inside.end; k < own.end; ++k) add_edge(k);
  }

 private:
  // `subtract` belongs to the inverse step.
  void commit(index_t j, double sum) const { gradient_[j] += step_.subtract ? sum : -sum; }

  void add_inside(Range own) const {
    const index_t pitch = source_.pitch;
    const bool long_row = pitch == width_;  // all lanes are contiguous
    const index_t rows = long_row ? 1 : own.size(), width = long_row ? own.size() * width_ : width_;
    const T* const y = cotangent_.at(own.begin);
    index_t j = 0;
    for (; j + 2 <= step_.length; j += 2) {
      double sums[2] = {};
      add_products<T, 2>(sums, source_.at(own.begin + step_.offset + j), y, rows, width, pitch);
      commit(j, sums[0]);
      commit(j + 1, sums[1]);
    }
    if (j < step_.length) {
      double sum = 0;
      add_products<T, 1>(&sum, source_.at(own.begin + step_.offset + j), y, rows, width, pitch);
      commit(j, sum);
    }
  }

  void add_edge(index_t k) const {
    add_position(k, k);
    const BoundaryRows& fold = step_.fold;
    for (index_t p = -fold.n_left; p < 0; ++p)
      if (fold.at(p, step_.n_target) == k) add_position(p, k);
    for (index_t p = step_.n_target; p < step_.n_target + fold.n_right; ++p)
      if (fold.at(p, step_.n_target) == k) add_position(p, k);
  }

  // The source samples of position `p`, times the cotangent of target `k`.
  void add_position(index_t p, index_t k) const {
    for (index_t j = 0; j < step_.length; ++j) {
      const index_t sample = step_.extend.at(p + step_.offset + j, step_.n_source);
      if (sample < 0) continue;
      double sum = 0;
      add_products<T, 1>(&sum, source_.at(sample), cotangent_.at(k), 1, width_, width_);
      commit(j, sum);
    }
  }

  const Step& step_;
  const Channel<T>& source_;
  const Channel<T>& cotangent_;
  index_t width_;
  double* gradient_;
};

// --- tiles -----------------------------------------------------------------------------------

template <class T, int C>
class GradientTile {
 public:
  explicit GradientTile(const GradientJob& job) : job_(job) {
    for (int which : {0, 1})
      for (int channel : {0, 1})
        plane_[which][channel] = {reinterpret_cast<T*>(job.plane[which][channel]),
                                  job.axis[which].load[channel].begin, job.pitch};
  }

  void run() const {
    if (job_.over_rows) run_rows();
    else
      for (index_t r = job_.lanes.begin; r < job_.lanes.end; ++r) run_line(r);
    finish_streams();
  }

 private:
  static constexpr int values = 0, cotangents = 1;

  void go_back(const Channel<T> (&plane)[2][2], index_t width) const {
    for (index_t i = 0; i < job_.step_count; ++i) {
      const BackStep& step = job_.steps[i];
      const int target = step.undo->target;
      apply(*step.undo, plane[values], step.undone, width);
      TapGradient<T>(*step.undo, plane[values][1 - target], plane[cotangents][target], width,
                     job_.gradients + step.undo->first_tap)
          .add(step.own, wraps());
      apply(*step.pull, plane[cotangents], step.pulled, width);
    }
  }

  bool wraps() const { return job_.axis[values].wraps; }

  void apply(const Step& step, const Channel<T> (&channel)[2], Range targets, index_t width) const {
    if (targets.empty()) return;
    const Channel<T>&target = channel[step.target], &source = channel[1 - step.target];
    if (wraps()) apply_wrapped<T, T>(step, target, source, targets, width);
    else apply_bounded<T, T>(step, target, source, targets, width);
  }

  // The gradient with respect to a scale: unscaled values times scaled cotangents.
  void add_scale_gradient(int channel, index_t rows, index_t width, index_t k) const {
    add_products<T, 1>(job_.gradients + job_.tap_count + channel, plane_[values][channel].at(k),
                       plane_[cotangents][channel].at(k), rows, width, job_.pitch);
  }

  T scale(int which, int channel) const {
    return static_cast<T>(job_.axis[which].scale[channel]);
  }

  static void multiply(T* x, index_t count, T factor) {
    for (index_t c = 0; c < count; ++c) x[c] = x[c] * factor;
  }

  // Lifted columns: one row after the other.

  void run_line(index_t r) const {
    if (job_.merges) {
      for (int which : {values, cotangents})
        for (int channel : {0, 1}) load_half(which, channel, r);
      for (int channel : {0, 1}) {
        const Range own = job_.own[channel], load = job_.axis[cotangents].load[channel];
        if (!own.empty()) add_scale_gradient(channel, 1, own.size() * C, own.begin);
        multiply(plane_[cotangents][channel].data, load.size() * C, scale(cotangents, channel));
      }
      go_back(plane_, C);
      for (int which : {values, cotangents}) store_merged(which, r);
      return;
    }
    for (int which : {values, cotangents}) load_split(which, r);
    go_back(plane_, C);
    for (int channel : {0, 1}) {
      const Range own = job_.own[channel];
      if (own.empty()) continue;
      multiply(plane_[values][channel].at(own.begin), own.size() * C, scale(values, channel));
      add_scale_gradient(channel, 1, own.size() * C, own.begin);
      for (int which : {values, cotangents}) store_half(which, channel, r);
    }
  }

  // The axis of a plane, with scales of 1 if `already`.
  AxisJob unscaled(int which, bool already) const {
    AxisJob axis = job_.axis[which];
    if (already)
      for (double& factor : axis.scale) factor = 1;
    return axis;
  }

  void load_half(int which, int channel, index_t r) const {
    const View& band = job_.band[which][channel];
    load_band<T, T, T, C>({}, unscaled(which, which == cotangents), channel, plane_[which][channel].data,
                       band.row(r), band.col_stride, job_.axis[which].load[channel]);
  }

  void store_half(int which, int channel, index_t r) const {
    const Range own = job_.own[channel];
    store_band<T, T, C>(unscaled(which, which == values), channel,
                        reinterpret_cast<T*>(job_.band[which][channel].row(r)),
                        plane_[which][channel].at(own.begin), own, job_.stream);
  }

  void load_split(int which, index_t r) const {
    const AxisJob& axis = job_.axis[which];
    T* const row = reinterpret_cast<T*>(job_.row);
    load_samples<T, T, C>({}, axis, row, job_.signal[which].row(r),
                       job_.signal[which].col_stride, axis.samples);
    const Range load[2] = {axis.load[0], axis.load[1]};
    split<T, T, C>(plane_[which], load, row, axis.samples.begin, T{1});
  }

  void store_merged(int which, index_t r) const {
    const AxisJob& axis = job_.axis[which];
    T* const row = reinterpret_cast<T*>(job_.row);
    merge<T, T, C>(axis, row, plane_[which], T{1});
    const Range samples =
        intersection({2 * axis.pairs.begin, 2 * axis.pairs.end}, {0, axis.n});
    store_row<T, T>(reinterpret_cast<T*>(job_.signal[which].row(r)) + samples.begin * C, row,
                    samples.size() * C, T{1}, job_.stream);
  }

  // Lifted rows: one strip of columns at a time.

  index_t width() const { return job_.lanes.size() * C; }

  void run_rows() const {
    for (int which : {values, cotangents})
      for (int channel : {0, 1}) load_rows(which, channel);
    if (job_.merges) scale_rows(cotangents);
    for (index_t c = 0; c < width(); c += strip<T>) {
      Channel<T> part[2][2];
      for (int which : {0, 1})
        for (int channel : {0, 1}) {
          part[which][channel] = plane_[which][channel];
          part[which][channel].data += c;
        }
      go_back(part, width() - c < strip<T> ? width() - c : strip<T>);
    }
    if (!job_.merges) scale_rows(values);
    for (int which : {values, cotangents})
      for (int channel : {0, 1}) store_rows(which, channel);
  }

  // Scales the cotangents or the values. The gradient of the scales is taken in between.
  void scale_rows(int which) const {
    for (int channel : {0, 1}) {
      const Range own = job_.own[channel], load = job_.axis[which].load[channel];
      const auto sum = [&] {
        if (!own.empty()) add_scale_gradient(channel, own.size(), width(), own.begin);
      };
      if (which == cotangents) sum();
      for (index_t k = load.begin; k < load.end; ++k)
        multiply(plane_[which][channel].at(k), width(), scale(which, channel));
      if (which == values) sum();
    }
  }

  void load_rows(int which, int channel) const {
    const AxisJob& axis = job_.axis[which];
    const View& view = job_.merges ? job_.band[which][channel] : job_.signal[which];
    const T factor = job_.merges && which == values ? scale(which, channel) : T{1};
    for (index_t k = axis.load[channel].begin; k < axis.load[channel].end; ++k) {
      const index_t at = job_.merges ? wrapped(k + axis.shift[channel], axis.length[channel])
                                     : wrapped(2 * k + channel, axis.n);
      gather_scaled<T, T, C>(plane_[which][channel].at(k),
                             view.row(at) + job_.lanes.begin * view.col_stride, view.col_stride,
                             job_.lanes.size(), factor);
    }
  }

  void store_rows(int which, int channel) const {
    const AxisJob& axis = job_.axis[which];
    const T factor = !job_.merges && which == cotangents ? scale(which, channel) : T{1};
    for (index_t k = job_.own[channel].begin; k < job_.own[channel].end; ++k) {
      const T* const from = plane_[which][channel].at(k);
      if (!job_.merges) {
        const index_t at = wrapped(k + axis.shift[channel], axis.length[channel]);
        store_row<T, T>(output(job_.band[which][channel], at), from, width(), factor, job_.stream);
      } else if (2 * k + channel < axis.n) {
        store_row<T, T>(output(job_.signal[which], 2 * k + channel), from, width(), factor,
                        job_.stream);
      } else if (axis.edge == Edge::last) {
        T* const last = output(job_.signal[which], axis.n - 1);
        for (index_t c = 0; c < width(); ++c) last[c] = last[c] + from[c];
      }
    }
  }

  T* output(const View& view, index_t at) const {
    return reinterpret_cast<T*>(view.row(at)) + job_.lanes.begin * C;
  }

  const GradientJob& job_;
  Channel<T> plane_[2][2];
};

template <class T, int C>
void gradient_kernel(const GradientJob& job) {
  GradientTile<T, C>(job).run();
}

}  // namespace liftwave::LIFTWAVE_ISA
