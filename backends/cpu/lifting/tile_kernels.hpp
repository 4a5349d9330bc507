// Tile kernels of lifting, compiled once per instruction set (namespace LIFTWAVE_ISA).
#pragma once

#include "lifting/lines.hpp"
#include "lifting/rows.hpp"

namespace liftwave::LIFTWAVE_ISA {

inline void prefetch(const char* from, index_t bytes) {
#if defined(__GNUC__)
  for (index_t i = 0; i < bytes; i += 64) __builtin_prefetch(from + i, 0, 2);
  // GCC assumes that a function that only prefetches has no effect, and drops its calls.
  __asm__ volatile("");
#else
  (void)from, (void)bytes;
#endif
}

// Pairs of rows to prefetch ahead of those being lifted. A tile's rows are far apart in memory, so
// the hardware prefetcher misses them.
constexpr index_t pairs_ahead = 4;

// --- tiles -----------------------------------------------------------------------------------

// Numbers `T`, sums `S`, `C` numbers per sample, results of type `O`. A tile in 16-bit lanes checks
// each sample that it loads, and stops at a row with a sample that is too large.
template <class T, class S, int C, class O = T>
class Tile {
 public:
  explicit Tile(const TileJob& job)
      : job_(job),
        input_{job.input, job.largest},
        rows_(job.rows),
        cols_(job.cols),
        row_(reinterpret_cast<T*>(job.scratch.row)),
        plane_{{reinterpret_cast<T*>(job.scratch.plane[0]), rows_.load[0].begin, job.scratch.pitch},
               {reinterpret_cast<T*>(job.scratch.plane[1]), rows_.load[1].begin, job.scratch.pitch}},
        line_{{reinterpret_cast<T*>(job.scratch.line[0]), cols_.load[0].begin, C},
              {reinterpret_cast<T*>(job.scratch.line[1]), cols_.load[1].begin, C}} {}

  // False if a sample is too large.
  bool analyse() {
    run_analysis();
    finish_streams();
    return fits_;
  }

  bool synthesise() {
    run_synthesis();
    finish_streams();
    return fits_;
  }

 private:
  void run_analysis() {
    if (!rows_.lifted) {
      for (index_t r = rows_.pairs.begin; r < rows_.pairs.end && fits_; ++r) analyse_input_row(r);
      return;
    }
    if (rows_.moves) {
      run_moves(width(), [this](int channel, index_t k, T* slot) { return bring(channel, k, slot); },
                [this](int channel, index_t k, const T* row) { emit_row(channel, k, row); });
      return;
    }
    for (int channel : {0, 1})
      for (index_t k = rows_.load[channel].begin; k < rows_.load[channel].end && fits_; ++k)
        load_at(channel, k, plane_[channel].at(k));
    if (!fits_) return;
    run_steps_of_rows<T, S>(rows_, plane_, width());
    for (int channel : {0, 1}) {
      const Range range = within(rows_, channel);
      for (index_t k = range.begin; k < range.end; ++k) emit_row(channel, k, plane_[channel].at(k));
    }
  }

  void run_synthesis() {
    if (!rows_.lifted) {
      for (index_t r = rows_.pairs.begin; r < rows_.pairs.end && fits_; ++r) {
        make_row(row_, 0, r, T{1});
        store_row<T, S>(output(r), row_, output_width(), T{1}, job_.stream);
      }
      return;
    }
    if (rows_.moves) {
      run_moves(output_width(),
                [this](int channel, index_t k, T* slot) { return merge_at(channel, k, slot); },
                [this](int channel, index_t k, const T* row) { store_at(channel, k, row); });
      return;
    }
    for (int channel : {0, 1})
      for (index_t k = rows_.load[channel].begin; k < rows_.load[channel].end && fits_; ++k)
        merge_at(channel, k, plane_[channel].at(k));
    if (!fits_) return;
    run_steps_of_rows<T, S>(rows_, plane_, output_width());
    for (int channel : {0, 1}) {
      const Range range = within(rows_, channel);
      for (index_t k = range.begin; k < range.end; ++k) store_at(channel, k, plane_[channel].at(k));
    }
  }

  static Range within(const AxisJob& axis, int channel) {
    return intersection(axis.pairs, {0, axis.length[channel]});
  }

  index_t width() const { return cols_.samples.size() * C; }

  // Runs the schedule. `load` copies a row into a slot, or leaves it in place, and returns its
  // address. `emit` stores a finished row.
  template <class Load, class Emit>
  void run_moves(index_t width, Load load, Emit emit) {
    const MovingRows<T, S> moving(rows_, job_.scratch, width);
    for (index_t i = 0; i < rows_.move_count && fits_; ++i) {
      const Move& move = rows_.moves[i];
      const index_t k = rows_.pairs.begin + move.k;
      switch (move.what) {
        case Move::load: moving.put(move.which, k, load(move.which, k, moving.slot(move.which, k))); break;
        case Move::step: moving.apply(rows_.steps[move.which], k); break;
        case Move::emit: emit(move.which, k, moving.at(move.which, k)); break;
      }
    }
  }

  // Analysis.

  void load_row(T* to, const char* from) {
    const index_t stride = job_.signal.col_stride;
    const Range samples = cols_.samples;
    fits_ = cols_.lifted ? load_samples<T, S, C>(input_, cols_, to, from, stride, samples)
                         : gather_from<T, S, C>(input_, to, from + samples.begin * stride, stride,
                                                samples.size());
  }

  // The number of the input's row for row `k` of a channel, -1 for a row of zeros.
  index_t input_row(int channel, index_t k) const {
    const index_t at = wrapped(2 * k + channel, rows_.padded());
    return at < rows_.n ? at : rows_.edge == Edge::zero ? -1 : at - 1;
  }

  void load_at(int channel, index_t k, T* to) {
    const index_t at = input_row(channel, k);
    if (at < 0) std::memset(to, 0, static_cast<std::size_t>(width()) * sizeof(T));
    else load_row(to, job_.signal.row(at));
  }

  // Whether the tile's part of an input row can be read in place.
  bool direct() const {
    const Range samples = cols_.samples;
    return job_.signal.col_stride == static_cast<index_t>(sizeof(T)) * C &&
           job_.input == own_type() && 0 <= samples.begin && samples.end <= cols_.n;
  }

  const T* direct_row(const char* from) {
    const T* const row = reinterpret_cast<const T*>(from) + cols_.samples.begin * C;
    if constexpr (in_lanes16<T, S>) fits_ = fits_lanes16(row, width(), input_.largest);
    return row;
  }

  const T* bring(int channel, index_t k, T* slot) {
    fetch_input(2 * (k + pairs_ahead) + channel);
    const index_t at = input_row(channel, k);
    if (at >= 0 && direct()) return direct_row(job_.signal.row(at));
    load_at(channel, k, slot);
    return slot;
  }

  void fetch_input(index_t at) const {
    if (at >= rows_.n) return;
    const Range samples = intersection(cols_.samples, {0, cols_.n});
    const index_t stride = job_.signal.col_stride;
    prefetch(job_.signal.row(at) + samples.begin * stride, samples.size() * stride);
  }

  // Stores a row of the rows' band `channel`.
  void emit_row(int channel, index_t k, const T* row) const {
    const T scale = static_cast<T>(rows_.scale[channel]);
    const index_t at = wrapped(k + rows_.shift[channel], rows_.length[channel]);
    if (cols_.lifted) emit(row, cols_.samples.begin, channel, at, scale);
    else emit_lanes(row, job_.band[channel][0].row(at), scale);
  }

  // A row of the input if only the columns are lifted: read in place if possible.
  void analyse_input_row(index_t r) {
    const char* const from = job_.signal.row(r);
    const index_t first = cols_.samples.begin;
    if (direct()) return emit(direct_row(from), first, 0, r, T{1});
    load_row(row_, from);
    emit(row_, first, 0, r, T{1});
  }

  void emit_lanes(const T* row, char* band, T scale) const {
    O* const to = reinterpret_cast<O*>(band) + cols_.samples.begin * C;
    store_row<T, S>(to, row, width(), scale, job_.stream);
  }

  // Stores a row of the rows' band `channel`, its first entry sample `first`, in row `at` of the
  // bands.
  void emit(const T* row, index_t first, int channel, index_t at, T scale) const {
    split<T, S, C>(line_, cols_.load, row, first, scale);
    run_steps<T, S>(cols_, line_, C);
    for (int half : {0, 1}) {
      const Range range = within(cols_, half);
      store_band<T, S, C>(cols_, half, reinterpret_cast<O*>(job_.band[channel][half].row(at)),
                          line_[half].at(range.begin), range, job_.stream);
    }
  }

  // Synthesis.

  // The samples that the tile writes in a row, and their number of reals.
  Range output_samples() const {
    if (!cols_.lifted) return cols_.pairs;
    return intersection({2 * cols_.pairs.begin, 2 * cols_.pairs.end}, {0, cols_.n});
  }
  index_t output_width() const { return output_samples().size() * C; }

  O* output(index_t r) const {
    return reinterpret_cast<O*>(job_.signal.row(r)) + output_samples().begin * C;
  }

  // Merges row `k` of a channel from the bands; returns `slot`.
  const T* merge_at(int channel, index_t k, T* slot) {
    const index_t length = rows_.length[channel], shift = rows_.shift[channel];
    if (rows_.moves && k + pairs_ahead < length) fetch_bands(channel, wrapped(k + pairs_ahead + shift, length));
    make_row(slot, channel, wrapped(k + shift, length), static_cast<T>(rows_.scale[channel]));
    return slot;
  }

  void fetch_bands(int channel, index_t at) const {
    for (int half = 0; half < (cols_.lifted ? 2 : 1); ++half) {
      const View& band = job_.band[channel][half];
      const Range range = cols_.lifted ? intersection(cols_.load[half], {0, cols_.length[half]})
                                       : cols_.pairs;
      prefetch(band.row(at) + range.begin * band.col_stride, range.size() * band.col_stride);
    }
  }

  // Merges row `at` of the rows' band `channel` from its two halves.
  void make_row(T* to, int channel, index_t at, T scale) {
    const View(&bands)[2] = job_.band[channel];
    if (!cols_.lifted) {
      const char* const from = bands[0].row(at) + cols_.pairs.begin * bands[0].col_stride;
      fits_ = gather_band<T, S, O, C>(input_, to, from, bands[0].col_stride, cols_.pairs.size(), scale);
      return;
    }
    for (int half : {0, 1})
      fits_ = load_band<T, S, O, C>(input_, cols_, half, line_[half].data, bands[half].row(at),
                                    bands[half].col_stride, cols_.load[half]) && fits_;
    run_steps<T, S>(cols_, line_, C);
    merge<T, S, C>(cols_, to, line_, scale);
  }

  // Stores row `k` of a channel in the signal. The row beyond an odd length is dropped or added.
  void store_at(int channel, index_t k, const T* row) const {
    const index_t at = 2 * k + channel;
    if (at < rows_.n) {
      store_row<T, S>(output(at), row, output_width(), T{1}, job_.stream);
    } else if (at == rows_.n && rows_.edge == Edge::last) {
      O* const last = output(rows_.n - 1);
      for (index_t c = 0; c < output_width(); ++c) last[c] = last[c] + row[c];
    }
  }

  static DType own_type() {
    if constexpr (std::is_same_v<T, float>) return C == 1 ? DType::float32 : DType::complex64;
    else if constexpr (std::is_same_v<T, double>) return C == 1 ? DType::float64 : DType::complex128;
    else if constexpr (std::is_same_v<T, std::int16_t>) return DType::int16;
    else if constexpr (std::is_same_v<T, std::int32_t>) return DType::int32;
    else return DType::int64;
  }

  const TileJob& job_;
  const Input input_;
  const AxisJob& rows_;
  const AxisJob& cols_;
  T* row_;
  const Channel<T> plane_[2];
  const Channel<T> line_[2];
  bool fits_ = true;
};

template <class T, class S, int C, class O = T>
LiftKernels kernels_of() {
  return {[](const TileJob& job) { return Tile<T, S, C, O>(job).analyse(); },
          [](const TileJob& job) { return Tile<T, S, C, O>(job).synthesise(); }};
}

}  // namespace liftwave::LIFTWAVE_ISA
