// Rows of continuous transforms: bands folded into few slots, short transforms, whole cache lines.
#pragma once

#include <algorithm>

#include "common/parallel.hpp"
#include "spectral/passes.hpp"
#include "spectral/plan.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Results of at least this number of bytes are written past the caches.
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

// How the rows are shared among threads, and how they are stored.
template <class T>
struct RowLayout {
  index_t parts;  // of each row: few rows are split, so that all threads have work
  index_t wide;   // columns of a row without a pick
  bool streams;   // whether results are written past the caches
  index_t most_bins = 0, most_points = 0;

  RowLayout(const SpectralRows<T>& rows, index_t count, bool has_threads)
      : parts(count < 32 && has_threads && rows.pick == 1 ? 8 : 1),
        wide((rows.columns - 1) * rows.pick + 1),
        streams(vector_bytes >= 32 && rows.pick == 1 &&
                2.0 * sizeof(T) * static_cast<double>(count * rows.columns) >= streamed_rows) {
    for (index_t i = 0; i < rows.count; ++i) {
      const SpectralRow<T>& row = rows.rows[i];
      most_bins = std::max(most_bins, row.bins);
      if (row.bins) most_points = std::max(most_points, row.transform->size);
    }
  }
};

// The rows of one thread, one after the other.
template <class T>
class RowWorker {
 public:
  RowWorker(const SpectralRows<T>& rows, const RowLayout<T>& layout)
      : rows_(rows), layout_(layout), products_(scratch_.take<T>(2 * layout.most_bins)),
        points_(scratch_.take<T>(2 * wave_lanes<T> * layout.most_points)),
        other_(scratch_.take<T>(2 * wave_lanes<T> * layout.most_points)),
        wide_(rows.pick == 1 ? nullptr : scratch_.take<T>(2 * layout.wide)) {}

  // One part of a row.
  void run(const T* spectrum, const SpectralRow<T>& row, index_t part, T* out) {
    if (row.bins == 0) {
      if (part == 0) pace_.fill(out, 2 * rows_.columns, T(0));
      return;
    }
    multiply(spectrum + 2 * row.first, row);
    const index_t stride = rows_.length / row.transform->size;
    const index_t count = (stride + wave_lanes<T> - 1) / wave_lanes<T>;
    for (index_t v = count * part / layout_.parts; v < count * (part + 1) / layout_.parts; ++v) {
      transform_vector(row, stride, v * wave_lanes<T>, wide_ ? wide_ : out);
      pace_.moved(8 * row.transform->size * vector_bytes);
    }
    if (wide_) pick(out);
  }

 private:
  // The products of the bins of a row.
  void multiply(const T* from, const SpectralRow<T>& row) {
    for (index_t k = 0; k < row.bins; ++k) {
      products_[2 * k] = from[2 * k] * row.response[k];
      products_[2 * k + 1] = from[2 * k + 1] * row.response[k];
    }
  }

  // The samples `sample`, … of each stride, one per lane.
  void transform_vector(const SpectralRow<T>& row, index_t stride, index_t sample, T* out) {
    const ShortTransform<T>& plan = *row.transform;
    const index_t lane = sample % wave_group, begin = rows_.before % stride;
    const SampleWaves<T> waves(rows_, begin + sample - lane, lane);
    fold(products_, row, waves, points_);
    const bool aligned = is_aligned(out + 2 * sample) && 2 * stride % wave_lanes<T> == 0;
    const index_t used = std::min<index_t>(wave_lanes<T>, stride - sample);
    transform(plan, points_, other_,
              RowSamples<T>(out, sample, rows_.before / stride, plan.size, stride, layout_.wide, used,
                            layout_.streams && aligned));
  }

  void pick(T* out) const {
    for (index_t c = 0; c < rows_.columns; ++c) std::copy_n(wide_ + 2 * rows_.pick * c, 2, out + 2 * c);
  }

  const SpectralRows<T>& rows_;
  const RowLayout<T>& layout_;
  Scratch scratch_;
  Pace pace_;
  T* products_;
  T* points_;
  T* other_;
  T* wide_;  // the columns of a row without a pick
};

template <class T>
void spectral_rows(const SpectralRows<T>& rows, const T* spectra, index_t between, index_t batch, T* out) {
  const index_t count = batch * rows.count;
  // Rows take about four times as long as moving them.
  const double work = 8.0 * sizeof(T) * static_cast<double>(count * rows.length);
  const RowLayout<T> layout(rows, count, threads_for(work) > 1);
  parallel_for(count * layout.parts, work, [&](index_t begin, index_t end) {
    RowWorker<T> worker(rows, layout);
    for (index_t item = begin; item < end; ++item) {
      const index_t row = item / layout.parts;
      worker.run(spectra + 2 * between * (row / rows.count), rows.rows[row % rows.count],
                 item % layout.parts, out + 2 * rows.columns * row);
    }
    end_streams();
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
