// Analyses along several axes at once: rows stay in the cache between axes.
#pragma once

#include "filters/analysis.hpp"

namespace liftwave::LIFTWAVE_ISA {

// A slab of the planes that one output reads fills at most this share of the L2 cache.
inline constexpr index_t analysis_slab_bytes = 1024 * 1024;

// Analyses the last axes one after the other and stores no intermediate array. For each output
// position along the first axis, it computes the planes (rows, for two axes) of its low and its
// high half in the cache and analyses them further at once. An axis with one filter has one half. Of
// three axes and more, a slab along the second axis is computed at a time, such that the planes that
// several outputs read stay in the L2 cache.
template <class T>
class FusedAnalysis {
 public:
  FusedAnalysis(const AxisPlan* axes, int count, const ArrayView<const T>& x, const Inner& inner,
                const ArrayView<T>& band, bool past_caches)
      : count_(count), lanes_(inner.count), lane_stride_(inner.stride(x)),
        past_caches_(past_caches) {
    plane_[count] = lanes_;
    for (int s = count - 1; s >= 0; --s) {
      plan_[s] = &axes[s].plan;
      halves_[s] = static_cast<int>(axes[s].plan.taps.size());
      in_stride_[s] = x.stride[axes[s].axis];
      out_stride_[s] = band.stride[axes[s].axis];
      plane_[s] = plane_[s + 1] * axes[s].plan.extend.n;
    }
  }

  // The number of slabs along the second axis.
  index_t slabs() const {
    if (count_ < 3) return 1;
    const index_t row = plane_[2] * static_cast<index_t>(sizeof(T)), n = plan_[1]->n_out;
    const index_t rows = analysis_slab_bytes / (row * (plan_[0]->length + 2)) - plan_[1]->length;
    // Slabs of few outputs share much of their inputs.
    return std::max<index_t>(1, n / std::max(rows / 2, 2 * plan_[1]->length));
  }

  // Outputs k0 ... k1 - 1 along the first axis (of one slab) into all bands.
  void run(const T* x, T* const* out, index_t k0, index_t k1, index_t slab) const {
    if (count_ < 3) return planes<0>(x, in_stride_, lane_stride_, out, k0, k1, {});
    const index_t n = plan_[1]->n_out, count = slabs();
    const Range inside{slab * n / count, (slab + 1) * n / count};
    planes<0>(x, in_stride_, lane_stride_, out, k0, k1, inside);
  }

 private:
  // Contiguous numbers of a plane that are filtered at a time.
  static constexpr index_t part_of_plane = 4096;

  // Axis s and those behind it, and the outputs `inside` along the next one. A template, so that
  // compilers see where the recursion ends.
  template <int s>
  void planes(const T* x, const index_t* stride, index_t lane_stride, T* const* out, index_t k0,
              index_t k1, Range inside) const {
    if (s == count_ - 2) return rows(x, stride, lane_stride, out, k0, k1);
    if constexpr (s + 2 < max_axes) {
      Scratch scratch;
      T* first = scratch.take<T>(plane_[s + 1]);
      T* half[2] = {first, halves_[s] > 1 ? scratch.take<T>(plane_[s + 1]) : first};
      index_t bands = 1;
      for (int d = s + 1; d < count_; ++d) bands *= halves_[d];
      index_t* inputs = scratch.take<index_t>(plan_[s + 1]->extend.n + 1);
      const index_t ranges = inputs_of(*plan_[s + 1], inside, inputs, scratch);
      const Range next{0, s + 2 < count_ ? plan_[s + 2]->n_out : 0};
      for (index_t k = k0; k < k1; ++k) {
        for (index_t r = 0; r < ranges; ++r) {
          filter_plane(s, x, stride, lane_stride, k, {inputs[2 * r], inputs[2 * r + 1]}, half);
        }
        for (int h = 0; h < halves_[s]; ++h) {
          T* to[1 << (max_axes - 1)];
          for (index_t b = 0; b < bands; ++b) to[b] = out[h * bands + b] + k * out_stride_[s];
          planes<s + 1>(half[h], plane_ + 1, 1, to, inside.begin, inside.end, next);
        }
      }
    }
  }

  // The ranges of inputs that outputs of an axis read, also those that samples beyond its ends are
  // extended from: the ends of each in `bounds`. Returns their number.
  static index_t inputs_of(const FilterPlan& p, Range outputs, index_t* bounds, Scratch& scratch) {
    const index_t n = p.extend.n, from = first_input(p, outputs.begin), stop = stop_input(p, outputs.end);
    char* read = scratch.take<char>(n);
    for (index_t i = 0; i < n; ++i) read[i] = i >= from && i < stop;
    const auto extended = [&](index_t first, index_t last) {
      for (index_t i = first; i < last; ++i) {
        const Row row = p.extend.row(i);
        for (index_t t = 0; t < row.terms; ++t) read[row.at[t]] = 1;
      }
    };
    extended(from, std::min<index_t>(stop, 0));
    extended(std::max(from, n), stop);
    index_t count = 0;
    for (index_t i = 0; i < n; ++i) {
      if (!read[i]) continue;
      if (i == 0 || !read[i - 1]) bounds[2 * count++] = i;
      bounds[2 * count - 1] = i + 1;
    }
    return count;
  }

  // The low and the high plane at position k along axis s, at positions `inside` along the next axis:
  // in long parts if they are contiguous, else row by row.
  void filter_plane(int s, const T* x, const index_t* stride, index_t lane_stride, index_t k, Range inside,
                    T* const* half) const {
    const FilterPlan& p = *plan_[s];
    const int last = count_ - 1;
    const bool whole = is_whole(s, stride, lane_stride);
    const index_t step = whole ? std::max<index_t>(part_of_plane / lanes_, 1) * lanes_ : plane_[last];
    const index_t stop = inside.end * plane_[s + 2];
    const Line<T> line{nullptr, stride[last], lanes_, lane_stride};
    for (index_t c = inside.begin * plane_[s + 2]; c < stop; c += step) {
      index_t offset = whole ? c : 0, rest = c / plane_[last];
      for (int d = last - 1; d > s && !whole; --d) {
        offset += rest % plan_[d]->extend.n * stride[d];
        rest /= plan_[d]->extend.n;
      }
      Scratch scratch;
      RowSource<T> rows(x + offset, stride[s], line, std::min(step, stop - c) / lanes_, p.extend,
                        p.length, scratch);
      filter_row(p, rows, k, Rows<T>{half[0] + c, half[1] + c}, scratch.take<const T*>(p.length));
    }
  }

  // Whether planes along axis s are contiguous.
  bool is_whole(int s, const index_t* stride, index_t lane_stride) const {
    for (int d = s + 1; d < count_; ++d) {
      if (stride[d] != plane_[d + 1]) return false;
    }
    return lanes_ == 1 || lane_stride == 1;
  }

  // The last two axes. Rows are filtered across, split while they are stored, extended, and
  // filtered along, several rows at a time: taps and addresses are set up once for all of them.
  void rows(const T* x, const index_t* stride, index_t lane_stride, T* const* out, index_t k0,
            index_t k1) const {
    Scratch scratch;
    const int v = count_ - 2, h = count_ - 1;
    const FilterPlan &down = *plan_[v], &along = *plan_[h];
    const index_t n = along.extend.n, lanes = lanes_;
    RowSource<T> source(x, stride[v], {nullptr, stride[h], lanes, lane_stride}, n, down.extend,
                        down.length, scratch);
    const index_t from = first_input(along, 0), stop = std::max(stop_input(along, along.n_out), n);
    const index_t most = rows_at_once(n * lanes);
    const SplitLine<T> low(std::min<index_t>(from, 0), stop, lanes, scratch, most);
    const SplitLine<T> high = halves_[v] > 1 ? SplitLine<T>(std::min<index_t>(from, 0), stop, lanes, scratch, most) : low;
    const LineEnds<T> ends[2] = {{along.extend, from, stop, low, most, scratch},
                                 {along.extend, from, stop, high, most, scratch}};
    T* whole = lanes > 2 ? scratch.take<T>(2 * n * lanes) : nullptr;
    const T** taps = scratch.take<const T*>(std::max(down.length, along.length));
    for (index_t k = k0; k < k1; k += most) {
      const index_t rows = std::min(most, k1 - k);
      split_rows(down, source, k, rows, 2 * stride[v], low, high, whole, taps);
      for (int half = 0; half < halves_[v]; ++half) {
        for (index_t r = 0; r < rows; ++r) ends[half].fill(r);
      }
      const NextRows<T> next(down, source, k + most - 1);
      const SplitLine<T>* const lines[2] = {&low, &high};
      const RowRun run{rows, low.pitch, out_stride_[v], 2 * stride[v]};
      for (int half = 0; half < halves_[v]; ++half) {
        T* const* bands = out + half * halves_[h];
        const index_t to = k * out_stride_[v];
        filter_split_line(along, *lines[half], 0, along.n_out,
                          OutputRows<T>{{bands[0] + to, bands[halves_[h] - 1] + to}, past_caches_},
                          taps, Soon<T>{next.rest(half, source.numbers())}, run);
      }
    }
  }

  // Rows of so many numbers that stay in the first-level cache, split.
  static index_t rows_at_once(index_t numbers) {
    constexpr index_t bytes = 16384, most = 16;
    return std::clamp<index_t>(bytes / (numbers * static_cast<index_t>(sizeof(T)) + 1), 1, most);
  }

  // Rows k ... k + rows - 1, filtered across and split. `step`: from the inputs of one to those of
  // the next, which are filtered in one run as far as their inputs are rows in memory.
  void split_rows(const FilterPlan& p, RowSource<T>& source, index_t k, index_t rows, index_t step,
                  const SplitLine<T>& low, const SplitLine<T>& high, T* whole,
                  const T** taps) const {
    for (index_t r = 0; r < rows;) {
      const index_t count = std::clamp<index_t>(source.rows_in_run(p, k + r), 1, rows - r);
      split_run(p, source, k + r, {count, step, low.pitch, 0}, low.line(r), high.line(r), whole, taps);
      r += lanes_ > 2 ? 1 : count;
    }
  }

  void split_run(const FilterPlan& p, RowSource<T>& source, index_t k, const RowRun& run,
                 const SplitLine<T>& low, const SplitLine<T>& high, T* whole, const T** taps) const {
    if (lanes_ == 1) {
      filter_row(p, source, k, SplitRows<T, 1>{low.even, low.odd, high.even, high.odd}, taps, run);
    } else if (lanes_ == 2) {
      filter_row(p, source, k, SplitRows<T, 2>{low.even, low.odd, high.even, high.odd}, taps, run);
    } else {
      const index_t n = source.numbers() / lanes_;
      T* second = p.taps.size() > 1 ? whole + n * lanes_ : whole;
      filter_row(p, source, k, Rows<T>{whole, second}, taps);
      split_line(Line<T>{whole, lanes_, lanes_, 1}, 0, n, low);
      if (second != whole) split_line(Line<T>{second, lanes_, lanes_, 1}, 0, n, high);
    }
  }

  int count_;
  index_t lanes_;
  index_t lane_stride_;
  bool past_caches_;
  const FilterPlan* plan_[max_axes];
  int halves_[max_axes];
  index_t in_stride_[max_axes];
  index_t out_stride_[max_axes];
  index_t plane_[max_axes + 1];  // numbers of the input from axis s on
};

// Computes the bands of `x` along consecutive axes, in the order of their keys: one for each choice
// of a filter per axis.
template <class T>
void analyse(const ArrayView<const T>& x, const ArrayView<T>* bands, int band_count,
             const AxisPlan* axes, int count) {
  if (count == 1) return analyse_axis(x, bands, band_count, axes[0]);
  Batch batch;
  const Inner inner = split_dimensions(&x, 1, axes[0].axis, axes[count - 1].axis, batch);
  const double result = band_count * sizeof(T) * static_cast<double>(numbers_of(bands[0]));
  const index_t row = bands[0].stride[axes[count - 2].axis] * static_cast<index_t>(sizeof(T));
  const bool past_caches = result >= streamed_bytes && (row % vector_bytes == 0 || row >= long_row);
  const FusedAnalysis<T> fused(axes, count, x, inner, bands[0], past_caches);
  double bytes = 2.0 * sizeof(T) * static_cast<double>(batch.size) * inner.count;
  for (int s = 0; s < count; ++s) bytes *= axes[s].plan.extend.n;
  const index_t m = axes[0].plan.n_out;
  const index_t parts = std::max<index_t>(8 * threads_for(bytes), ranges_for(bytes));
  const index_t slabs = fused.slabs(), items = batch.size * slabs;
  const index_t blocks = std::clamp<index_t>(parts / items, 1, m);
  const index_t block = (m + blocks - 1) / blocks;
  parallel_for(items * blocks, bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      const index_t where = item / blocks / slabs;
      T* out[1 << max_axes];
      for (int b = 0; b < band_count; ++b) out[b] = batch.locate(where, bands[b]);
      const index_t k0 = item % blocks * block;
      fused.run(batch.locate(where, x), out, k0, std::min(k0 + block, m), item / blocks % slabs);
    }
    end_streams();
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
