// Syntheses along several axes at once: rows stay in the cache between axes.
#pragma once

#include "filters/synthesis.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Planes that are kept have so many numbers that they fill at most this share of the L2 cache.
inline constexpr index_t slab_bytes = 768 * 1024;

// Between planes: taps read the same place of each, and planes of 4 KiB would share cache sets.
inline constexpr index_t gap_bytes = 128;

// Synthesises the last axes, beginning with the last, and stores no intermediate array. Planes
// (rows, for two axes) of the low and the high half along the first axis are computed in the cache,
// and kept while taps reach them. Of three axes and more, a slab along the second axis is computed at
// a time, such that the planes stay in the L2 cache.
template <class T>
class FusedSynthesis {
 public:
  // Bands in the order of their keys; a band without data is missing.
  FusedSynthesis(const AxisPlan* axes, int count, const ArrayView<const T>* bands,
                 const Inner& inner, const ArrayView<T>& out, bool past_caches)
      : count_(count), lanes_(inner.count), past_caches_(past_caches) {
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

  // The number of slabs along the second axis.
  index_t slabs() const {
    if (count_ < 3) return 1;
    const index_t row = plane_[2] * static_cast<index_t>(sizeof(T)), n = plan_[1]->n_out;
    // Slabs of few rows share much of what they compute.
    const index_t rows = std::max(slab_bytes / (row * (plan_[0]->length + 2)), 4 * plan_[1]->length);
    return (n + rows - 1) / rows;
  }

  // Rows (planes, of which one slab) i0 ... i1 - 1 along the first axis. Band b begins at bands[b],
  // null if missing.
  void run(const T* const* bands, index_t i0, index_t i1, index_t slab, T* out) const {
    const index_t n = plan_[1]->n_out, rows = ((n + slabs() - 1) / slabs() + 1) / 2 * 2;
    const Range inside = slabs() > 1 ? Range{slab * rows, slab * rows + rows}.clipped(0, n) : Range{0, n};
    if (!inside.empty()) plane(0, 0, bands, i0, i1, inside, out, out_stride_[0]);
  }

 private:
  // The planes of one half of the bands, computed on demand. `inside`: the positions along the next
  // axis.
  class Planes {
   public:
    Planes(const FusedSynthesis& of, int s, int first_band, const T* const* bands, Range inside,
           Scratch& scratch)
        : of_(of), s_(s), first_band_(first_band), bands_(bands), inside_(inside),
          size_(inside.size() * of.plane_[s + 2]),
          spacing_(size_ + gap_bytes / static_cast<index_t>(sizeof(T))),
          capacity_(of.plan_[s]->length / 2 + 1),
          ring_(scratch.take<T>(capacity_ * spacing_)), held_(scratch.take<index_t>(capacity_)) {
      const Extension& extend = of.plan_[s]->extend;
      std::fill_n(held_, capacity_, extend.n + extend.right + 2 * capacity_);
    }

    const T* operator()(index_t k) {
      const index_t slot = ((k % capacity_) + capacity_) % capacity_;
      T* to = ring_ + slot * spacing_;
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
      const index_t row = of_.plane_[s_ + 2];
      of_.plane(s_ + 1, first_band_, at, inside_.begin, inside_.end, of_.whole(s_ + 2),
                to - inside_.begin * row, row);
    }

    const FusedSynthesis& of_;
    int s_, first_band_;
    const T* const* bands_;
    Range inside_;
    index_t size_, spacing_, capacity_;
    T* ring_;
    index_t* held_;
  };

  static bool any(const T* const* bands, int count) {
    return std::any_of(bands, bands + count, [](const T* band) { return band != nullptr; });
  }

  // All positions along axis s.
  Range whole(int s) const { return {0, s < count_ ? plan_[s]->n_out : 1}; }

  // Outputs i0 ... i1 - 1 along axis s, `stride` numbers apart, and those `inside` along the next axis.
  // The bands are bands[0], ..., with numbers from `first_band` on.
  LIFTWAVE_NOINLINE void plane(int s, int first_band, const T* const* bands, index_t i0, index_t i1,
                               Range inside, T* out, index_t stride) const {
    if (s == count_ - 1) return line(first_band, bands, i0, i1, out + i0 * lanes_);
    Scratch scratch;
    const int half = 1 << (count_ - s - 1);
    Planes low(*this, s, first_band, bands, inside, scratch);
    Planes high(*this, s, first_band + half, bands + half, inside, scratch);
    Planes* present[2];
    int which[2], count = 0;
    for (int h = 0; h < 2; ++h) {
      if (!any(bands + h * half, half)) continue;
      present[count] = h ? &high : &low;
      which[count++] = h;
    }
    const index_t numbers = inside.size() * plane_[s + 2];
    out += inside.begin * plane_[s + 2];
    upsample_rows<T>(*plan_[s], present, which, count, i0, i1, numbers,
                     [&](index_t i) { return out + i * stride; }, scratch, s == 0 && past_caches_);
    const FilterPlan& p = *plan_[s];
    for (const Range& side : {Range{-p.fold.left, 0}, Range{p.n_out, p.n_out + p.fold.right}}) {
      fold_planes(s, present, which, count, side, Range{i0, i1}, numbers, out, stride);
    }
  }

  // Adds planes beyond an end to those among `wanted` that they are extended from.
  void fold_planes(int s, Planes* const* present, const int* which, int count, Range side,
                   Range wanted, index_t numbers, T* out, index_t stride) const {
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
  bool past_caches_;
  const FilterPlan* plan_[max_axes];
  index_t plane_[max_axes + 1];  // numbers of the output from axis s on
  index_t out_stride_[max_axes];
  index_t stride_[1 << max_axes][max_axes];
  index_t lane_stride_[1 << max_axes];
};

// Computes the array with these bands along consecutive axes. Bands are in the order of their keys;
// those without data are missing.
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
  const bool past_caches = sizeof(T) * static_cast<double>(numbers_of(out)) >= streamed_bytes;
  const FusedSynthesis<T> fused(axes, count, bands, inner, out, past_caches);
  double bytes = 2.0 * sizeof(T) * static_cast<double>(batch.size) * inner.count;
  for (int s = 0; s < count; ++s) bytes *= axes[s].plan.n_out;
  const index_t n = axes[0].plan.n_out;
  const index_t parts = std::max<index_t>(4 * threads_for(bytes), ranges_for(bytes));
  const index_t slabs = fused.slabs(), items = batch.size * slabs;
  const index_t blocks = std::clamp<index_t>(parts / items, 1, (n + 1) / 2);
  const index_t block = (n + 2 * blocks - 1) / (2 * blocks) * 2;
  parallel_for(items * blocks, bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      const index_t where = item / blocks / slabs;
      const T* at[1 << max_axes];
      for (int b = 0; b < band_count; ++b) {
        at[b] = bands[b].data ? batch.locate(where, bands[b]) : nullptr;
      }
      const index_t i0 = item % blocks * block, i1 = std::min(i0 + block, n);
      if (i0 < i1) fused.run(at, i0, i1, item / blocks % slabs, batch.locate(where, out));
    }
    end_streams();
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
