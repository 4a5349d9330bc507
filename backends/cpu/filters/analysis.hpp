// Analysis by filter banks: along one axis, or along the last axes at once.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "filters/line_cascade.hpp"
#include "filters/lines.hpp"
#include "filters/tap_sums.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Outputs of a line that are computed at a time, such that their inputs stay in the L1 cache.
inline constexpr index_t tile_bytes = 8192;

// Contiguous numbers from which computing across an axis is faster than along it.
inline constexpr index_t fewest_columns = 16;

// Results of at least this size use non-temporal stores: the next reader would hardly find them in
// the caches, and other data stay cached.
inline constexpr double streamed_bytes = 16.0 * 1024 * 1024;

// Folding: adds the outputs beyond an end onto the outputs that they are extended from.
template <class T>
void add_folded(const Row& row, const T* beyond, index_t numbers, T* out, index_t stride) {
  for (index_t t = 0; t < row.terms; ++t) {
    const T weight = static_cast<T>(row.weight[t]);
    T* to = out + row.at[t] * stride;
    for (index_t c = 0; c < numbers; ++c) to[c] = to[c] + weight * beyond[c];
  }
}

// --- along an axis ---------------------------------------------------------------------------

// For each tap the first sample that it reads, for outputs from k0 on.
template <class T>
void point_at_inputs(const FilterPlan& p, const SplitLine<T>& line, index_t k0, const T** source) {
  for (index_t j = 0; j < p.length; ++j) source[j] = line.at(2 * k0 + p.phase - j);
}

// Both bands' outputs k0 ... k1 - 1 from a split line, or from several ones. Whole blocks go to `to`, the
// remaining outputs to `rest`.
template <class T, class Sink, class Rest>
void filter_split_line(const FilterPlan& p, const SplitLine<T>& line, index_t k0, index_t k1,
                       const Sink& to, const Rest& rest, const T** source, const Soon<T>& soon = {}) {
  point_at_inputs(p, line, k0, source);
  Filtering<T> f{source, p.taps.front().as<T>(), p.second<T>(), static_cast<int>(p.length), soon};
  filter(f, (k1 - k0) * line.lanes, to, rest);
}

// The same into one sink.
template <class T, class Sink>
void filter_split_line(const FilterPlan& p, const SplitLine<T>& line, index_t k0, index_t k1,
                       const Sink& to, const T** source, const Soon<T>& soon = {},
                       const RowRun& run = {}) {
  point_at_inputs(p, line, k0, source);
  Filtering<T> f{source, p.taps.front().as<T>(), p.second<T>(), static_cast<int>(p.length), soon, run};
  filter(f, (k1 - k0) * line.lanes, to);
}

// The samples that outputs k0 ... k1 - 1 of a line read, also beyond its ends.
template <class T>
SplitLine<T> split_inputs(const FilterPlan& p, const Line<T>& line, index_t k0, index_t k1,
                          Scratch& scratch) {
  const index_t from = first_input(p, k0), stop = stop_input(p, k1);
  const SplitLine<T> split(from, stop, line.lanes, scratch);
  split_line(line, std::max<index_t>(from, 0), std::min(stop, p.extend.n), split);
  extend_line<T>(
      p.extend, from, stop, line.lanes,
      [&](index_t i, index_t lane) { return line.at(i)[lane * line.lane_stride]; },
      [&](index_t i) { return split.at(i); });
  return split;
}

// The samples that as many outputs from k1 on read, while outputs k0 ... k1 - 1 are computed.
template <class T>
Soon<T> next_inputs(const FilterPlan& p, const Line<T>& line, index_t k0, index_t k1) {
  const index_t begin = stop_input(p, k1), numbers = (k1 - k0) * line.lanes;
  if (!line.side_by_side() || begin < 0 || begin + 2 * (k1 - k0) > p.extend.n) return {};
  const T* from = line.at(begin);
  return {from, {from + numbers, from + numbers + numbers / 2}};
}

// Outputs k0 ... k1 - 1 of a line into both bands.
template <class T>
void filter_line(const FilterPlan& p, const Line<T>& line, index_t k0, index_t k1,
                 const OutputRows<T>& to) {
  Scratch scratch;
  const SplitLine<T> split = split_inputs(p, line, k0, k1, scratch);
  filter_split_line(p, split, k0, k1, to, scratch.take<const T*>(p.length), next_inputs(p, line, k0, k1));
}

// Folds back the outputs beyond the ends of a line.
template <class T>
void fold_line(const FilterPlan& p, const Line<T>& line, T* const* out) {
  Scratch scratch;
  const auto fold = [&](index_t k0, index_t k1) {
    if (k0 == k1) return;
    const index_t numbers = (k1 - k0) * line.lanes;
    const OutputRows<T> beyond{{scratch.take<T>(numbers), scratch.take<T>(numbers)}, false};
    filter_line(p, line, k0, k1, beyond);
    for (index_t k = k0; k < k1; ++k) {
      const Row row = p.fold.row(k);
      const index_t at = (k - k0) * line.lanes;
      add_folded(row, beyond.first + at, line.lanes, out[0], line.lanes);
      if (out[1]) add_folded(row, beyond.second + at, line.lanes, out[1], line.lanes);
    }
  };
  fold(-p.fold.left, 0);
  fold(p.n_out, p.n_out + p.fold.right);
}

// One axis of an array and the position of its lines.
template <class T>
struct AxisAnalysis {
  const FilterPlan& plan;
  int axis;
  const ArrayView<const T>& x;
  const ArrayView<T>* bands;
  int count;  // bands: 1 or 2
  const Inner& inner;
  const Batch& batch;
  double bytes;
  bool past_caches;

  // The outputs of one batch item; the second is null if there is only one band.
  struct Outputs {
    T* at[2];
    bool past_caches;

    // With only one filter, results of the second one go to `unused`.
    OutputRows<T> rows(index_t offset, T* unused) const {
      return {{at[0] + offset, at[1] ? at[1] + offset : unused}, past_caches};
    }
  };

  Outputs outputs(index_t item) const {
    return {{batch.locate(item, bands[0]), count > 1 ? batch.locate(item, bands[1]) : nullptr},
            past_caches};
  }
  Line<T> line(index_t item) const {
    return {batch.locate(item, x), x.stride[axis], inner.count, inner.stride(x)};
  }
};

template <class T>
void analyse_lines(const AxisAnalysis<T>& a) {
  const index_t lanes = a.inner.count, m = a.plan.n_out;
  const index_t tile = std::max<index_t>(1, tile_bytes / (lanes * static_cast<index_t>(sizeof(T))));
  const index_t tiles = (m + tile - 1) / tile;
  parallel_for(a.batch.size * tiles, a.bytes, [&](index_t begin, index_t end) {
    Scratch scratch;
    T* unused = a.count > 1 ? nullptr : scratch.take<T>(std::min(tile, m) * lanes);
    for (index_t item = begin; item < end; ++item) {
      const index_t k0 = item % tiles * tile, k1 = std::min(k0 + tile, m);
      filter_line(a.plan, a.line(item / tiles), k0, k1,
                  a.outputs(item / tiles).rows(k0 * lanes, unused));
    }
    end_streams();
  });
  if (a.plan.fold.empty()) return;
  parallel_for(a.batch.size, a.bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      fold_line(a.plan, a.line(item), a.outputs(item).at);
    }
  });
}

// --- across an axis --------------------------------------------------------------------------

// The two rows that output k + 1 is the first to read. They are prefetched while output k is
// computed.
template <class T>
struct NextRows {
  const T* row[2];

  NextRows(const FilterPlan& p, const RowSource<T>& rows, index_t k)
      : row{rows.in_memory(2 * k + p.phase + 1), rows.in_memory(2 * k + p.phase + 2)} {}

  // The second half of one of them.
  const T* rest(int which, index_t numbers) const {
    return row[which] ? row[which] + numbers / 2 : nullptr;
  }
};

// Rows of both bands, from the rows that their taps read. Prefetches the first halves of the next
// rows.
template <class T, class Sink>
void filter_row(const FilterPlan& p, RowSource<T>& rows, index_t k, const Sink& to,
                const T** source, const RowRun& run = {}) {
  for (index_t j = 0; j < p.length; ++j) source[j] = rows(2 * k + p.phase - j);
  const NextRows<T> next(p, rows, k);
  Filtering<T> f{source, p.taps.front().as<T>(), p.second<T>(), static_cast<int>(p.length),
                 {nullptr, {next.row[0], next.row[1]}}, run};
  filter(f, rows.numbers(), to);
}

template <class T>
void fold_columns(const FilterPlan& p, RowSource<T>& rows, T* const* out, index_t stride,
                  const T** source, Scratch& scratch) {
  const index_t columns = rows.numbers();
  const Rows<T> beyond{scratch.take<T>(columns), scratch.take<T>(columns)};
  const auto fold = [&](index_t k) {
    filter_row(p, rows, k, beyond, source);
    add_folded(p.fold.row(k), beyond.first, columns, out[0], stride);
    if (out[1]) add_folded(p.fold.row(k), beyond.second, columns, out[1], stride);
  };
  for (index_t k = -p.fold.left; k < 0; ++k) fold(k);
  for (index_t k = p.n_out; k < p.n_out + p.fold.right; ++k) fold(k);
}

template <class T>
void analyse_columns(const AxisAnalysis<T>& a) {
  const index_t m = a.plan.n_out, columns = a.inner.count, stride = a.bands[0].stride[a.axis];
  const index_t column_stride = a.inner.stride(a.x);
  const bool folds = !a.plan.fold.empty();
  // Non-temporal stores need aligned rows.
  const bool in_runs = !a.past_caches || stride * static_cast<index_t>(sizeof(T)) % vector_bytes == 0;
  const index_t tile = std::min<index_t>(columns, tile_bytes / static_cast<index_t>(sizeof(T)));
  const index_t tiles = (columns + tile - 1) / tile;
  const index_t block = folds ? m : 64;  // outputs may be folded back into any row
  const index_t blocks = (m + block - 1) / block;
  parallel_for(a.batch.size * tiles * blocks, a.bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      Scratch scratch;
      const index_t c0 = item % tiles * tile, width = std::min(tile, columns - c0);
      const index_t k0 = item / tiles % blocks * block, k1 = std::min(k0 + block, m);
      const auto out = a.outputs(item / tiles / blocks);
      RowSource<T> rows(a.batch.locate(item / tiles / blocks, a.x) + c0 * column_stride,
                        a.x.stride[a.axis], {nullptr, column_stride, 1, 1}, width, a.plan.extend,
                        a.plan.length, scratch);
      const T** source = scratch.take<const T*>(a.plan.length);
      for (index_t k = k0; k < k1;) {
        const index_t count = in_runs ? std::clamp<index_t>(rows.rows_in_run(a.plan, k), 1, k1 - k) : 1;
        const RowRun run{count, 2 * a.x.stride[a.axis], stride, 0};
        filter_row(a.plan, rows, k, out.rows(k * stride + c0, out.at[0] + k * stride + c0), source, run);
        k += count;
      }
      if (folds) {
        T* const to[2] = {out.at[0] + c0, out.at[1] ? out.at[1] + c0 : nullptr};
        fold_columns(a.plan, rows, to, stride, source, scratch);
      }
    }
    end_streams();
  });
}

// Computes one or two bands of `x` along one axis; bands are C-contiguous.
template <class T>
void analyse_axis(const ArrayView<const T>& x, const ArrayView<T>* bands, int count,
                  const AxisPlan& axis) {
  Batch batch;
  const Inner inner = split_dimensions(&x, 1, axis.axis, axis.axis, batch);
  const double lines = sizeof(T) * static_cast<double>(batch.size) * inner.count;
  const double result = lines * count * axis.plan.n_out;
  const AxisAnalysis<T> a{axis.plan, axis.axis, x,     bands,
                          count,     inner,     batch, lines * axis.plan.extend.n + result,
                          result >= streamed_bytes};
  // Along a line, outputs are contiguous, with all numbers behind the axis.
  const bool whole = bands[0].stride[axis.axis] == inner.count;
  if (inner.count >= fewest_columns || !whole) analyse_columns(a);
  else analyse_lines(a);
}

}  // namespace liftwave::LIFTWAVE_ISA
