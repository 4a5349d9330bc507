// Synthesis by filter banks: along one axis, or along the last axes at once.
//
// Outputs are computed in pairs. Pair p holds outputs 2 p - odd and 2 p + 1 - odd, where odd is the
// phase's parity. The first output uses the even taps, the second the odd ones, both at the same
// coefficients.
#pragma once

#include <algorithm>

#include "filters/analysis.hpp"
#include "filters/upsampling.hpp"

namespace liftwave::LIFTWAVE_ISA {

inline index_t pair_parity(const FilterPlan& p) { return p.phase & 1; }
inline index_t first_of_pair(const FilterPlan& p, index_t pair) { return 2 * pair - pair_parity(p); }
inline index_t pair_of(const FilterPlan& p, index_t i) { return (i + pair_parity(p)) >> 1; }

// The coefficient that a pair's first taps read; later taps read those before it.
inline index_t coefficient_of(const FilterPlan& p, index_t pair) { return pair + (p.phase >> 1); }

// Bands that are summed. One may be missing (zero).
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

// One axis of an array and the position of its lines.
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
                   index_t pair, index_t numbers, const OutputRows<T>& to, const T** source) {
  const int taps = static_cast<int>(p.length / 2);
  Upsampling<T> bands[2];
  for (int b = 0; b < count; ++b) {
    const T** of_band = source + b * taps;
    for (int q = 0; q < taps; ++q) of_band[q] = (*rows[b])(coefficient_of(p, pair) - q);
    const BandTaps<T> t = band_taps<T>(p, which[b]);
    bands[b] = {of_band, t.even, t.odd};
  }
  const Rows<T>& rest = to;
  const bool streamed = to.past_caches && is_aligned(to.first) && is_aligned(to.second);
  if (streamed) upsample(bands, count, taps, numbers, StreamedRows<T>{rest}, rest);
  else upsample(bands, count, taps, numbers, rest, rest);
}

// Rows i0 ... i1 - 1, each stored at `place(i)`.
template <class T, class RowsOf, class Place>
void upsample_rows(const FilterPlan& p, RowsOf* const* rows, const int* which, int count,
                   index_t i0, index_t i1, index_t numbers, const Place& place, Scratch& scratch,
                   bool past_caches = false) {
  if (i0 >= i1) return;
  const T** source = scratch.take<const T*>(p.length);
  T* unused = scratch.take<T>(numbers);
  const auto target = [&](index_t i) { return i >= i0 && i < i1 ? place(i) : unused; };
  for (index_t pair = pair_of(p, i0); pair <= pair_of(p, i1 - 1); ++pair) {
    const index_t i = first_of_pair(p, pair);
    upsample_pair<T>(p, rows, which, count, pair, numbers, {{target(i), target(i + 1)}, past_caches}, source);
  }
}

template <class T>
void synthesise_columns(const AxisSynthesis<T>& s) {
  const FilterPlan& p = s.plan;
  const index_t n = p.n_out, columns = s.inner.count, stride = s.out.stride[s.axis];
  const bool folds = !p.fold.empty();
  const index_t tile = std::min<index_t>(columns, tile_bytes / static_cast<index_t>(sizeof(T)));
  const index_t tiles = (columns + tile - 1) / tile;
  const index_t block = folds ? n : 128;  // outputs may be folded back into any row
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

// Computes the array with these bands (one or two) along one axis; `out` is C-contiguous.
template <class T>
void synthesise_axis(const ArrayView<const T>* bands, int count, const ArrayView<T>& out,
                     const AxisPlan& axis) {
  Batch batch;
  const Inner inner = split_dimensions(bands, count, axis.axis, axis.axis, batch);
  const double lines = sizeof(T) * static_cast<double>(batch.size) * inner.count;
  const double result = lines * axis.plan.n_out;
  const AxisSynthesis<T> s{axis.plan, axis.axis, bands, count, out, inner, batch,
                           lines * count * axis.plan.extend.n + result, result >= streamed_bytes};
  // Along a line, outputs are contiguous, with all numbers behind the axis.
  const bool whole = out.stride[axis.axis] == inner.count;
  if (inner.count >= fewest_columns || !whole) synthesise_columns(s);
  else synthesise_lines(s);
}

}  // namespace liftwave::LIFTWAVE_ISA
