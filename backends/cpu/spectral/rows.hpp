// Rows of continuous transforms: bands folded into few slots, short transforms, whole cache lines.
#pragma once

#include <algorithm>

#include "common/parallel.hpp"
#include "spectral/passes.hpp"
#include "spectral/plan.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Results of so many bytes are written past the caches.
inline constexpr double streamed_rows = 16.0 * 1024 * 1024;

// --- folding ---------------------------------------------------------------------------------

// The waves w(k s) of one vector of neighbouring samples s, for any bin k.
template <class T>
class SampleWaves {
 public:
  SampleWaves(const SpectralRows<T>& rows, index_t sample, index_t lane)
      : circle_(rows.circle), anchors_(rows.anchors + lane), length_(rows.length),
        anchor_step_(wave_group * sample % rows.length) {
    index_t turn = 0;
    for (index_t k = 0; k < wave_group; ++k) {
      put_waves(steps_ + point * k, group(rows.steps + lane, k, turn));
      turn = (turn + sample) % length_;
    }
  }

  // Bin 16 `anchor`.
  LIFTWAVE_INLINE Waves<T> anchor(index_t anchor) const {
    return group(anchors_, anchor, anchor * anchor_step_ % length_);
  }
  // Bin k < 16.
  LIFTWAVE_INLINE Waves<T> step(index_t k) const { return get_waves(steps_ + point * k); }

 private:
  static constexpr index_t point = 2 * wave_lanes<T>;
  static_assert(wave_group % wave_lanes<T> == 0);

  // The k-th wave of a table for the first samples, moved to the sample of this vector.
  LIFTWAVE_INLINE Waves<T> group(const T* table, index_t k, index_t turn) const {
    const T* const from = table + 2 * wave_group * k;
    const Waves<T> first{load<T, vector_bytes>(from), load<T, vector_bytes>(from + wave_group)};
    return first.times(circle_[2 * turn], circle_[2 * turn + 1]);
  }

  const T* circle_;
  const T* anchors_;
  index_t length_, anchor_step_;
  alignas(64) T steps_[point * wave_group];
};

// Adds the bins `from` … `to - 1` to their slots, or stores them there. `products` begin with `from`.
template <bool Adds, class T>
LIFTWAVE_INLINE void fold_bins(const T* products, index_t from, index_t to, index_t size,
                               const SampleWaves<T>& waves, T* points) {
  index_t slot = from % size;
  for (index_t k = from; k < to;) {
    const index_t anchor = k / wave_group, stop = std::min(to, (anchor + 1) * wave_group);
    const Waves<T> base = waves.anchor(anchor);
    for (; k < stop; ++k, products += 2) {
      const Waves<T> term = (base * waves.step(k % wave_group)).times(products[0], products[1]);
      T* const at = points + 2 * wave_lanes<T> * slot;
      if constexpr (Adds) put_waves(at, get_waves(at) + term);
      else put_waves(at, term);
      slot = slot + 1 == size ? 0 : slot + 1;
    }
  }
}

template <class T>
LIFTWAVE_NOINLINE void fold(const T* products, const SpectralRow<T>& row, const SampleWaves<T>& waves,
                            T* points) {
  const index_t size = row.transform->size, stop = row.first + row.bins;
  const index_t once = std::min(stop, row.first + size);
  fold_bins<false>(products, row.first, once, size, waves, points);
  fold_bins<true>(products + 2 * (once - row.first), once, stop, size, waves, points);
  for (index_t k = stop; k < row.first + size; ++k) {
    std::fill_n(points + 2 * wave_lanes<T> * (k % size), 2 * wave_lanes<T>, T(0));
  }
}

// --- rows ------------------------------------------------------------------------------------

template <class T>
class RowTransforms {
 public:
  RowTransforms(const SpectralRows<T>& rows, bool streams) : rows_(rows), streams_(streams) {}

  // The products of the bins of a row.
  void multiply(const T* spectrum, const SpectralRow<T>& row, T* products) const {
    const T* const from = spectrum + 2 * row.first;
    for (index_t k = 0; k < row.bins; ++k) {
      products[2 * k] = from[2 * k] * row.response[k];
      products[2 * k + 1] = from[2 * k + 1] * row.response[k];
    }
  }

  // The vectors in a row of transforms.
  static index_t vectors(index_t stride) { return (stride + wave_lanes<T> - 1) / wave_lanes<T>; }

  // One vector of transforms: samples vector * lanes, … of each stride. `columns` without a pick.
  void run(const T* products, const SpectralRow<T>& row, index_t vector, index_t columns, T* points,
           T* other, T* out) const {
    const ShortTransform<T>& plan = *row.transform;
    const index_t stride = rows_.length / plan.size, sample = vector * wave_lanes<T>;
    const index_t lane = sample % wave_group, begin = rows_.before % stride;
    const SampleWaves<T> waves(rows_, begin + sample - lane, lane);
    fold(products, row, waves, points);
    const bool aligned = is_aligned(out + 2 * sample) && 2 * stride % wave_lanes<T> == 0;
    transform(plan, points, other,
              RowSamples<T>(out, sample, rows_.before / stride, plan.size, stride, columns,
                            std::min<index_t>(wave_lanes<T>, stride - sample), streams_ && aligned));
  }

 private:
  const SpectralRows<T>& rows_;
  bool streams_;
};

// The largest number of bins of a row, and the largest transform.
template <class T>
void largest(const SpectralRows<T>& rows, index_t& bins, index_t& size) {
  bins = size = 0;
  for (index_t i = 0; i < rows.count; ++i) {
    bins = std::max(bins, rows.rows[i].bins);
    if (rows.rows[i].bins) size = std::max(size, rows.rows[i].transform->size);
  }
}

template <class T>
void spectral_rows(const SpectralRows<T>& rows, const T* spectra, index_t between, index_t batch, T* out) {
  index_t most_bins, most_size;
  largest(rows, most_bins, most_size);
  const double bytes = 2.0 * sizeof(T) * static_cast<double>(batch * rows.count);
  const double result = bytes * static_cast<double>(rows.columns);
  const RowTransforms<T> transforms(rows, vector_bytes >= 32 && rows.pick == 1 && result >= streamed_rows);
  const index_t wide = (rows.columns - 1) * rows.pick + 1;
  // Few rows are split, so that all threads have work.
  const index_t parts = rows.pick == 1 && batch * rows.count < 32 ? 8 : 1;
  parallel_for(batch * rows.count * parts, 4 * bytes * static_cast<double>(rows.length),
               [&](index_t begin, index_t end) {
    Scratch scratch;
    T* const products = scratch.take<T>(2 * most_bins);
    T* const points = scratch.take<T>(2 * wave_lanes<T> * most_size);
    T* const other = scratch.take<T>(2 * wave_lanes<T> * most_size);
    T* const dense = rows.pick == 1 ? nullptr : scratch.take<T>(2 * wide);
    Pace pace;
    for (index_t item = begin; item < end; ++item) {
      const index_t number = item / parts, part = item % parts;
      const SpectralRow<T>& row = rows.rows[number % rows.count];
      T* const to = out + 2 * rows.columns * number;
      if (row.bins == 0) {
        if (part == 0) pace.fill(to, 2 * rows.columns, T(0));
        continue;
      }
      T* const target = dense ? dense : to;
      transforms.multiply(spectra + 2 * between * (number / rows.count), row, products);
      const index_t count = transforms.vectors(rows.length / row.transform->size);
      for (index_t v = count * part / parts; v < count * (part + 1) / parts; ++v) {
        transforms.run(products, row, v, wide, points, other, target);
        pace.moved(8 * row.transform->size * vector_bytes);
      }
      for (index_t c = 0; dense && c < rows.columns; ++c) {
        std::copy_n(dense + 2 * rows.pick * c, 2, to + 2 * c);
      }
    }
    end_streams();
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
