// Synthesis by filter banks: along one axis, or along the last axes at once.
//
// Outputs are made in pairs. Pair p holds outputs 2 p - odd and 2 p + 1 - odd,
// where odd is the phase's parity: the first meets the even taps, the second the
// odd ones, both at the same coefficients.
#pragma once

#include <algorithm>

#include "filters/analysis.hpp"

namespace liftwave::LIFTWAVE_ISA {

inline index_t pair_parity(const FilterPlan& p) { return p.phase & 1; }
inline index_t first_of_pair(const FilterPlan& p, index_t pair) { return 2 * pair - pair_parity(p); }
inline index_t pair_of(const FilterPlan& p, index_t i) { return (i + pair_parity(p)) >> 1; }

// The coefficient that a pair's first taps meet; later taps meet those before it.
inline index_t coefficient_of(const FilterPlan& p, index_t pair) { return pair + (p.phase >> 1); }

// Bands that are summed: one may be missing (zero).
template <class T>
struct BandTaps {
  const T* even;
  const T* odd;
};

template <class T>
BandTaps<T> band_taps(const FilterPlan& p, int band) {
  return {p.taps[2 * band].as<T>(), p.taps[2 * band + 1].as<T>()};
}

// --- along an axis ---------------------------------------------------------------------------

template <class T>
class LineSynthesis {
 public:
  // For outputs i0 ... i1 - 1 from lines, of which `data` may be null (a missing band).
  LineSynthesis(const FilterPlan& p, const Line<T>* lines, int count, index_t i0, index_t i1,
                bool past_caches, Scratch& scratch)
      : plan_(p), lanes_(lines[0].lanes), taps_(static_cast<int>(p.length / 2)),
        past_caches_(past_caches) {
    const index_t from = coefficient_of(p, pair_of(p, i0)) - (taps_ - 1);
    const index_t stop = coefficient_of(p, pair_of(p, i1 - 1)) + 1;
    for (int b = 0; b < count; ++b) {
      if (!lines[b].data) continue;
      const BandTaps<T> taps = band_taps<T>(p, b);
      start_[count_] = whole_line(p.extend, lines[b], from, stop, scratch);
      source_[count_] = scratch.take<const T*>(taps_);
      bands_[count_] = {source_[count_], taps.even, taps.odd};
      ++count_;
    }
    pair_ = scratch.take<T>(2 * lanes_);
  }

  // Outputs i0 ... i1 - 1 to out[0] ...
  void run(index_t i0, index_t i1, T* out) {
    const index_t parity = pair_parity(plan_);
    const index_t begin = (i0 + parity + 1) >> 1, end = (i1 + parity) >> 1;
    if (first_of_pair(plan_, begin) > i0) {
      pairs(begin - 1, 1, pair_);
      std::copy_n(pair_ + lanes_, lanes_, out);
    }
    if (begin < end) pairs(begin, end - begin, out + (first_of_pair(plan_, begin) - i0) * lanes_);
    if (first_of_pair(plan_, end) < i1 && end >= begin) {
      pairs(end, 1, pair_);
      std::copy_n(pair_, lanes_, out + (i1 - 1 - i0) * lanes_);
    }
  }

 private:
  void pairs(index_t first, index_t count, T* out) {
    for (int b = 0; b < count_; ++b) {
      for (int q = 0; q < taps_; ++q) {
        source_[b][q] = start_[b] + (coefficient_of(plan_, first) - q) * lanes_;
      }
    }
    const index_t numbers = count * lanes_;
    if (lanes_ == 1) upsample_merged<T, 1>(bands_, count_, taps_, numbers, out, past_caches_);
    else if (lanes_ == 2) upsample_merged<T, 2>(bands_, count_, taps_, numbers, out, past_caches_);
    else {
      const MergedSamples<T> samples{out, lanes_};
      upsample(bands_, count_, taps_, numbers, samples, samples);
    }
  }

  const FilterPlan& plan_;
  index_t lanes_;
  int taps_;
  bool past_caches_;
  int count_ = 0;
  const T* start_[2];
  const T** source_[2];
  Upsampling<T> bands_[2];
  T* pair_;
};

template <class T>
void upsample_line(const FilterPlan& p, const Line<T>* lines, int count, index_t i0, index_t i1,
                   T* out, bool past_caches) {
  Scratch scratch;
  LineSynthesis<T>(p, lines, count, i0, i1, past_caches, scratch).run(i0, i1, out);
}

// One axis of an array: where its lines lie.
template <class T>
struct AxisSynthesis {
  const FilterPlan& plan;
  int axis;
  const ArrayView<const T>* bands;
  int count;  // 1 or 2
  const ArrayView<T>& out;
  const Inner& inner;
  const Batch& batch;
  double bytes;
  bool past_caches;

  void lines(index_t item, Line<T>* to) const {
    for (int b = 0; b < count; ++b) {
      to[b] = {batch.locate(item, bands[b]), bands[b].stride[axis], inner.count,
               inner.stride(bands[b])};
    }
  }
};

template <class T>
void fold_upsampled_line(const FilterPlan& p, const Line<T>* lines, int count, T* out) {
  Scratch scratch;
  const index_t lanes = lines[0].lanes;
  const auto fold = [&](index_t i0, index_t i1) {
    if (i0 == i1) return;
    T* beyond = scratch.take<T>((i1 - i0) * lanes);
    upsample_line(p, lines, count, i0, i1, beyond, false);
    for (index_t i = i0; i < i1; ++i) {
      add_folded(p.fold.row(i), beyond + (i - i0) * lanes, lanes, out, lanes);
    }
  };
  fold(-p.fold.left, 0);
  fold(p.n_out, p.n_out + p.fold.right);
}

template <class T>
void synthesise_lines(const AxisSynthesis<T>& s) {
  const index_t lanes = s.inner.count, n = s.plan.n_out;
  const index_t tile =
      std::max<index_t>(2, 2 * tile_bytes / (lanes * static_cast<index_t>(sizeof(T))));
  const index_t tiles = (n + tile - 1) / tile;
  parallel_for(s.batch.size * tiles, s.bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      Line<T> lines[2];
      s.lines(item / tiles, lines);
      const index_t i0 = item % tiles * tile, i1 = std::min(i0 + tile, n);
      upsample_line(s.plan, lines, s.count, i0, i1,
                    s.batch.locate(item / tiles, s.out) + i0 * lanes, s.past_caches);
    }
    end_streams();
  });
  if (s.plan.fold.empty()) return;
  parallel_for(s.batch.size, s.bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      Line<T> lines[2];
      s.lines(item, lines);
      fold_upsampled_line(s.plan, lines, s.count, s.batch.locate(item, s.out));
    }
  });
}

// --- across an axis --------------------------------------------------------------------------

// The sums of pair `pair`; `rows[b](k)` gives coefficient row k of band b.
template <class T, class RowsOf>
void upsample_pair(const FilterPlan& p, RowsOf* const* rows, const int* which, int count,
                   index_t pair, index_t numbers, const Rows<T>& to, const T** source) {
  const int taps = static_cast<int>(p.length / 2);
  Upsampling<T> bands[2];
  for (int b = 0; b < count; ++b) {
    const T** of_band = source + b * taps;
    for (int q = 0; q < taps; ++q) of_band[q] = (*rows[b])(coefficient_of(p, pair) - q);
    const BandTaps<T> t = band_taps<T>(p, which[b]);
    bands[b] = {of_band, t.even, t.odd};
  }
  upsample(bands, count, taps, numbers, to, to);
}

// Rows i0 ... i1 - 1, each where `place(i)` says.
template <class T, class RowsOf, class Place>
void upsample_rows(const FilterPlan& p, RowsOf* const* rows, const int* which, int count,
                   index_t i0, index_t i1, index_t numbers, const Place& place, Scratch& scratch) {
  if (i0 >= i1) return;
  const T** source = scratch.take<const T*>(p.length);
  T* unused = scratch.take<T>(numbers);
  const auto target = [&](index_t i) { return i >= i0 && i < i1 ? place(i) : unused; };
  for (index_t pair = pair_of(p, i0); pair <= pair_of(p, i1 - 1); ++pair) {
    const index_t i = first_of_pair(p, pair);
    upsample_pair<T>(p, rows, which, count, pair, numbers, {target(i), target(i + 1)}, source);
  }
}

template <class T>
void synthesise_columns(const AxisSynthesis<T>& s) {
  const FilterPlan& p = s.plan;
  const index_t n = p.n_out, columns = s.inner.count, stride = s.out.stride[s.axis];
  const bool folds = !p.fold.empty();
  const index_t tile = std::min<index_t>(columns, tile_bytes / static_cast<index_t>(sizeof(T)));
  const index_t tiles = (columns + tile - 1) / tile;
  const index_t block = folds ? n : 128;  // what is folded back may end up in any row
  const index_t blocks = (n + block - 1) / block;
  constexpr int which[2] = {0, 1};
  parallel_for(s.batch.size * tiles * blocks, s.bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      Scratch scratch;
      const index_t c0 = item % tiles * tile, width = std::min(tile, columns - c0);
      const index_t i0 = item / tiles % blocks * block, i1 = std::min(i0 + block, n);
      const index_t where = item / tiles / blocks;
      const auto rows_of = [&](const ArrayView<const T>& band) {
        const index_t column_stride = s.inner.stride(band);
        return RowSource<T>(s.batch.locate(where, band) + c0 * column_stride, band.stride[s.axis],
                            {nullptr, column_stride, 1, 1}, width, p.extend, p.length / 2,
                            scratch);
      };
      RowSource<T> low = rows_of(s.bands[0]), high = rows_of(s.bands[s.count - 1]);
      RowSource<T>* const rows[2] = {&low, &high};
      T* out = s.batch.locate(where, s.out) + c0;
      upsample_rows<T>(p, rows, which, s.count, i0, i1, width,
                       [&](index_t i) { return out + i * stride; }, scratch);
      if (!folds) continue;
      const auto fold = [&](index_t from, index_t to) {
        if (from == to) return;
        T* beyond = scratch.take<T>((to - from) * width);
        upsample_rows<T>(p, rows, which, s.count, from, to, width,
                         [&](index_t i) { return beyond + (i - from) * width; }, scratch);
        for (index_t i = from; i < to; ++i) {
          add_folded(p.fold.row(i), beyond + (i - from) * width, width, out, stride);
        }
      };
      fold(-p.fold.left, 0);
      fold(n, n + p.fold.right);
    }
  });
}

// The array with these bands (one or two) along one axis; `out` is C-contiguous.
template <class T>
void synthesise_axis(const ArrayView<const T>* bands, int count, const ArrayView<T>& out,
                     const AxisPlan& axis) {
  Batch batch;
  const Inner inner = split_dimensions(bands, count, axis.axis, axis.axis, batch);
  const double lines = sizeof(T) * static_cast<double>(batch.size) * inner.count;
  const double result = lines * axis.plan.n_out;
  const AxisSynthesis<T> s{axis.plan, axis.axis, bands, count, out, inner, batch,
                           lines * count * axis.plan.extend.n + result, result >= streamed_bytes};
  // Along a line outputs lie side by side, with all numbers behind the axis.
  const bool whole = out.stride[axis.axis] == inner.count;
  if (inner.count >= fewest_columns || !whole) synthesise_columns(s);
  else synthesise_lines(s);
}

// --- several axes at once --------------------------------------------------------------------

// The last axes, the last first, without storing what lies in between: planes
// (rows, for two axes) of the low and the high half along the first axis are
// made in the cache, and kept there as long as taps reach them.
template <class T>
class FusedSynthesis {
 public:
  // Bands in the order of their keys; one whose data are null is missing.
  FusedSynthesis(const AxisPlan* axes, int count, const ArrayView<const T>* bands,
                 const Inner& inner, const ArrayView<T>& out)
      : count_(count), lanes_(inner.count) {
    plane_[count] = lanes_;
    for (int s = count - 1; s >= 0; --s) {
      plan_[s] = &axes[s].plan;
      plane_[s] = plane_[s + 1] * axes[s].plan.n_out;
      out_stride_[s] = out.stride[axes[s].axis];
    }
    for (int b = 0; b < 1 << count; ++b) {
      lane_stride_[b] = bands[b].data ? inner.stride(bands[b]) : 1;
      for (int s = 0; s < count; ++s) {
        stride_[b][s] = bands[b].data ? bands[b].stride[axes[s].axis] : 0;
      }
    }
  }

  // Rows (planes) i0 ... i1 - 1 along the first axis; band b begins at bands[b], or is null.
  void run(const T* const* bands, index_t i0, index_t i1, T* out) const {
    plane(0, 0, bands, i0, i1, out, out_stride_[0]);
  }

 private:
  // The planes of one half of the bands, made when they are asked for.
  class Planes {
   public:
    Planes(const FusedSynthesis& of, int s, int first_band, const T* const* bands,
           Scratch& scratch)
        : of_(of), s_(s), first_band_(first_band), bands_(bands), size_(of.plane_[s + 1]),
          capacity_(of.plan_[s]->length / 2 + 1),
          ring_(scratch.take<T>(capacity_ * size_)), held_(scratch.take<index_t>(capacity_)) {
      const Extension& extend = of.plan_[s]->extend;
      std::fill_n(held_, capacity_, extend.n + extend.right + 2 * capacity_);
    }

    const T* operator()(index_t k) {
      const index_t slot = ((k % capacity_) + capacity_) % capacity_;
      T* to = ring_ + slot * size_;
      if (held_[slot] != k) make(k, to);
      held_[slot] = k;
      return to;
    }

   private:
    void make(index_t k, T* to) const {
      const Extension& extend = of_.plan_[s_]->extend;
      if (k >= 0 && k < extend.n) return within(k, to);
      const Row row = extend.row(k);
      if (row.terms == 0) std::fill_n(to, size_, T(0));
      Scratch scratch;
      for (index_t t = 0; t < row.terms; ++t) {
        T* term = t ? scratch.take<T>(size_) : to;
        within(row.at[t], term);
        const T weight = static_cast<T>(row.weight[t]);
        for (index_t c = 0; c < size_; ++c) {
          to[c] = t ? to[c] + weight * term[c] : weight * term[c];
        }
      }
    }

    void within(index_t k, T* to) const {
      const T* at[1 << max_axes];
      const int bands = 1 << (of_.count_ - s_ - 1);
      for (int b = 0; b < bands; ++b) {
        at[b] = bands_[b] ? bands_[b] + k * of_.stride_[first_band_ + b][s_] : nullptr;
      }
      of_.plane(s_ + 1, first_band_, at, 0, of_.plan_[s_ + 1]->n_out, to, of_.plane_[s_ + 2]);
    }

    const FusedSynthesis& of_;
    int s_, first_band_;
    const T* const* bands_;
    index_t size_, capacity_;
    T* ring_;
    index_t* held_;
  };

  static bool any(const T* const* bands, int count) {
    return std::any_of(bands, bands + count, [](const T* band) { return band != nullptr; });
  }

  // Outputs i0 ... i1 - 1 along axis s, `stride` numbers apart, from the bands from
  // number `first_band` on, which begin at bands[0], ...
  LIFTWAVE_NOINLINE void plane(int s, int first_band, const T* const* bands, index_t i0,
                               index_t i1, T* out, index_t stride) const {
    if (s == count_ - 1) return line(first_band, bands, i0, i1, out);
    Scratch scratch;
    const int half = 1 << (count_ - s - 1);
    Planes low(*this, s, first_band, bands, scratch);
    Planes high(*this, s, first_band + half, bands + half, scratch);
    Planes* present[2];
    int which[2], count = 0;
    for (int h = 0; h < 2; ++h) {
      if (!any(bands + h * half, half)) continue;
      present[count] = h ? &high : &low;
      which[count++] = h;
    }
    upsample_rows<T>(*plan_[s], present, which, count, i0, i1, plane_[s + 1],
                     [&](index_t i) { return out + i * stride; }, scratch);
    const FilterPlan& p = *plan_[s];
    for (const Range& side : {Range{-p.fold.left, 0}, Range{p.n_out, p.n_out + p.fold.right}}) {
      fold_planes(s, present, which, count, side, Range{i0, i1}, out, stride);
    }
  }

  // Planes beyond an end, added to those among `wanted` that they came from.
  void fold_planes(int s, Planes* const* present, const int* which, int count, Range side,
                   Range wanted, T* out, index_t stride) const {
    const FilterPlan& p = *plan_[s];
    const auto lands = [&](index_t i) {
      const Row row = p.fold.row(i);
      return std::any_of(row.at, row.at + row.terms,
                         [&](index_t at) { return at >= wanted.begin && at < wanted.end; });
    };
    while (side.begin < side.end && !lands(side.begin)) ++side.begin;
    while (side.begin < side.end && !lands(side.end - 1)) --side.end;
    if (side.begin == side.end) return;
    Scratch scratch;
    const index_t numbers = plane_[s + 1];
    T* beyond = scratch.take<T>((side.end - side.begin) * numbers);
    upsample_rows<T>(p, present, which, count, side.begin, side.end, numbers,
                     [&](index_t i) { return beyond + (i - side.begin) * numbers; }, scratch);
    for (index_t i = side.begin; i < side.end; ++i) {
      const Row row = p.fold.row(i);
      for (index_t t = 0; t < row.terms; ++t) {
        if (row.at[t] < wanted.begin || row.at[t] >= wanted.end) continue;
        const Row term{row.at + t, row.weight + t, 1};
        add_folded(term, beyond + (i - side.begin) * numbers, numbers, out, stride);
      }
    }
  }

  void line(int first_band, const T* const* bands, index_t i0, index_t i1, T* out) const {
    Line<T> lines[2];
    for (int b = 0; b < 2; ++b) {
      lines[b] = {bands[b], stride_[first_band + b][count_ - 1], lanes_,
                  lane_stride_[first_band + b]};
    }
    const FilterPlan& p = *plan_[count_ - 1];
    upsample_line(p, lines, 2, i0, i1, out, false);
    if (!p.fold.empty()) fold_upsampled_line(p, lines, 2, out);  // of a whole line
  }

  int count_;
  index_t lanes_;
  const FilterPlan* plan_[max_axes];
  index_t plane_[max_axes + 1];  // numbers of the output from axis s on
  index_t out_stride_[max_axes];
  index_t stride_[1 << max_axes][max_axes];
  index_t lane_stride_[1 << max_axes];
};

// The array with these bands along consecutive axes; bands in the order of their keys, those
// whose data are null are missing.
template <class T>
void synthesise(const ArrayView<const T>* bands, int band_count, const ArrayView<T>& out,
                const AxisPlan* axes, int count) {
  if (count == 1) return synthesise_axis(bands, band_count, out, axes[0]);
  ArrayView<const T> given[1 << max_axes];
  int present = 0;
  for (int b = 0; b < band_count; ++b) {
    if (bands[b].data) given[present++] = bands[b];
  }
  Batch batch;
  const Inner inner = split_dimensions(given, present, axes[0].axis, axes[count - 1].axis, batch);
  const FusedSynthesis<T> fused(axes, count, bands, inner, out);
  double bytes = 2.0 * sizeof(T) * static_cast<double>(batch.size) * inner.count;
  for (int s = 0; s < count; ++s) bytes *= axes[s].plan.n_out;
  const index_t n = axes[0].plan.n_out;
  const index_t blocks =
      std::clamp<index_t>(4 * threads_for(bytes) / batch.size, 1, (n + 1) / 2);
  const index_t block = (n + 2 * blocks - 1) / (2 * blocks) * 2;
  parallel_for(batch.size * blocks, bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      const T* at[1 << max_axes];
      for (int b = 0; b < band_count; ++b) {
        at[b] = bands[b].data ? batch.locate(item / blocks, bands[b]) : nullptr;
      }
      const index_t i0 = item % blocks * block, i1 = std::min(i0 + block, n);
      if (i0 < i1) fused.run(at, i0, i1, batch.locate(item / blocks, out));
    }
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
