// One level without downsampling along several consecutive axes at once.
//
// For each position along the first axis, analysis computes the low and the high plane (all positions
// along the other axes) in the cache and splits them further; synthesis merges bands into two planes,
// and these into the result.
#pragma once

#include "filters/circular_lines.hpp"

namespace liftwave::LIFTWAVE_ISA {

// The axes and the sizes of planes. Inputs are contiguous from the first axis on.
class CircularPlanes {
 public:
  CircularPlanes(const CircularAxis* axes, int count, index_t lanes, bool past_caches)
      : axes_(axes), count_(count), lanes_(lanes), past_caches_(past_caches) {
    plane_[count] = lanes;
    for (int s = count - 1; s >= 0; --s) plane_[s] = plane_[s + 1] * axes[s].n;
  }

  // All bands of positions k0 ... k1 - 1 along the first axis.
  template <class T>
  void split(const T* x, T* const* out, index_t k0, index_t k1) const {
    split_axis<0>(x, out, k0, k1);
  }

  // The result at positions k0 ... k1 - 1 along the first axis; null bands are missing.
  template <class T>
  void merge(const T* const* bands, T* out, index_t k0, index_t k1) const {
    merge_axis<0>(bands, out, k0, k1);
  }

 private:
  // Axis s and those behind it. A template, so that compilers see where the recursion ends.
  template <int s, class T>
  void split_axis(const T* x, T* const* out, index_t k0, index_t k1) const {
    if constexpr (s + 1 < max_axes) {
      Scratch scratch;
      const CircularAxis& axis = axes_[s];
      const index_t plane = plane_[s + 1], bands = index_t{1} << (count_ - s - 1);
      T* half[2] = {plane_with_margins<T>(s + 1, scratch), plane_with_margins<T>(s + 1, scratch)};
      for (index_t k = k0; k < k1; ++k) {
        Scratch of_plane;
        split_range(axis, 0, plane, half[0], half[1], false, of_plane,
                    [&](index_t offset) { return x + wrapped(k + offset, axis.n) * plane; });
        for (int h = 0; h < 2; ++h) {
          T* to[1 << (max_axes - 1)];
          for (index_t b = 0; b < bands; ++b) to[b] = out[h * bands + b] + k * plane;
          if (s + 2 == count_) split_row(half[h], to);
          else split_axis<s + 1>(static_cast<const T*>(half[h]), to, 0, axes_[s + 1].n);
        }
      }
    }
  }

  // A row along the last axis, with margins that are filled here.
  template <class T>
  void split_row(T* row, T* const* to) const {
    Scratch scratch;
    const CircularAxis& axis = axes_[count_ - 1];
    fill_margins(row);
    split_range(axis, 0, axis.n * lanes_, to[0], to[1], past_caches_, scratch,
                [&](index_t offset) { return static_cast<const T*>(row) + offset * lanes_; });
  }

  template <int s, class T>
  void merge_axis(const T* const* bands, T* out, index_t k0, index_t k1) const {
    if constexpr (s + 1 < max_axes) {
      Scratch scratch;
      const CircularAxis& axis = axes_[s];
      const index_t plane = plane_[s + 1], halves = index_t{1} << (count_ - s - 1);
      T* memory[1 << (max_axes - 1)];
      for (index_t b = 0; b < halves; ++b) memory[b] = plane_with_margins<T>(s + 1, scratch);
      for (index_t k = k0; k < k1; ++k) {
        T* merged[1 << (max_axes - 1)];
        for (index_t b = 0; b < halves; ++b) {
          const bool present = merge_plane(axis, bands[b], bands[halves + b], k, plane, memory[b]);
          merged[b] = present ? memory[b] : nullptr;
        }
        if (s + 2 == count_) merge_row(merged, out + k * plane);
        else merge_axis<s + 1>(static_cast<const T* const*>(merged), out + k * plane, 0, axes_[s + 1].n);
      }
    }
  }

  // The plane at position k that two bands merge to; false if both are missing.
  template <class T>
  static bool merge_plane(const CircularAxis& axis, const T* low, const T* high, index_t k,
                          index_t plane, T* to) {
    Scratch scratch;
    Terms<T> terms(2 * axis.taps(), scratch);
    for (const auto& [band, filter] : {std::pair{low, &axis.low}, std::pair{high, &axis.high}}) {
      if (!band) continue;
      const T* from = band;
      terms.add(axis, *filter, [&](index_t offset) { return from + wrapped(k + offset, axis.n) * plane; });
    }
    if (terms.count) sum_terms(terms, 0, plane, to, false);
    return terms.count > 0;
  }

  // The row of the result from its low and its high row along the last axis; one may be null.
  template <class T>
  void merge_row(T* const* half, T* to) const {
    Scratch scratch;
    const CircularAxis& axis = axes_[count_ - 1];
    Terms<T> terms(2 * axis.taps(), scratch);
    for (int h = 0; h < 2; ++h) {
      if (!half[h]) continue;
      fill_margins(half[h]);
      const T* row = half[h];
      terms.add(axis, h ? axis.high : axis.low, [&](index_t offset) { return row + offset * lanes_; });
    }
    if (terms.count) sum_terms(terms, 0, axis.n * lanes_, to, past_caches_);
    else std::fill_n(to, axis.n * lanes_, T(0));
  }

  // Memory of a plane at axis s. A row of the last axis has margins before and behind it.
  template <class T>
  T* plane_with_margins(int s, Scratch& scratch) const {
    if (s + 1 < count_) return scratch.take<T>(plane_[s]);
    const CircularAxis& axis = axes_[s];
    return scratch.take<T>(plane_[s] + (axis.before() + axis.behind()) * lanes_) + axis.before() * lanes_;
  }

  template <class T>
  void fill_margins(T* row) const {
    const CircularAxis& axis = axes_[count_ - 1];
    const index_t n = axis.n * lanes_, before = axis.before() * lanes_, behind = axis.behind() * lanes_;
    std::copy(row + n - before, row + n, row - before);
    std::copy(row, row + behind, row + n);
  }

  const CircularAxis* axes_;
  int count_;
  index_t lanes_;
  bool past_caches_;
  index_t plane_[max_axes + 1];  // numbers from axis s on
};

// Positions along the first axis, in blocks that several threads compute.
template <class T, class Work>
void for_plane_blocks(const CircularAxis* axes, int count, const ArrayView<T>& like, const Work& work) {
  Batch batch;
  const Inner inner = split_dimensions(&like, 1, axes[0].axis, axes[count - 1].axis, batch);
  const double all = static_cast<double>(numbers_of(like)), bytes = 2.0 * (1 << count) * sizeof(T) * all;
  const bool past_caches = (1 << count) * sizeof(T) * all >= streamed_bytes;
  const CircularPlanes planes(axes, count, inner.count, past_caches);
  const index_t n = axes[0].n, blocks = std::clamp<index_t>(8 * threads_for(bytes) / batch.size, 1, n);
  const index_t block = (n + blocks - 1) / blocks;
  parallel_for(batch.size * blocks, bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      const index_t k0 = item % blocks * block;
      work(planes, batch, item / blocks, std::min(k0, n), std::min(k0 + block, n));
    }
    end_streams();
  });
}

// All bands of one level along consecutive axes, in the order of their keys.
template <class T>
void split_planes(const CircularAxis* axes, int count, const ArrayView<const T>& x,
                  const ArrayView<T>* bands) {
  for_plane_blocks(axes, count, x, [&](const CircularPlanes& planes, const Batch& batch, index_t item,
                                       index_t k0, index_t k1) {
    T* out[1 << max_axes];
    for (int b = 0; b < 1 << count; ++b) out[b] = batch.locate(item, bands[b]);
    planes.split(batch.locate(item, x), out, k0, k1);
  });
}

// The array with these bands along consecutive axes; bands without data are missing.
template <class T>
void merge_planes(const CircularAxis* axes, int count, const ArrayView<const T>* bands,
                  const ArrayView<T>& out) {
  for_plane_blocks(axes, count, out, [&](const CircularPlanes& planes, const Batch& batch, index_t item,
                                         index_t k0, index_t k1) {
    const T* from[1 << max_axes];
    for (int b = 0; b < 1 << count; ++b) {
      from[b] = bands[b].data ? batch.locate(item, bands[b]) : nullptr;
    }
    planes.merge(from, batch.locate(item, out), k0, k1);
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
