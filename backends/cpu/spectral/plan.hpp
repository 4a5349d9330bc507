// Rows of a continuous transform: inverse Fourier transforms of narrow bands of a spectrum.
//
// A row is y[t] = sum_k p[k] w(k t) with w(q) = e^{2 pi i q / length} and the products p of a
// spectrum and a response, which has few bins. For each divisor m of the length, and
// stride = length / m,
//   y[stride j + s] = sum over slots a < m of e^{2 pi i a j / m} (sum over k = a mod m of p[k] w(k s)).
// So a row takes `stride` transforms of length m, each of a band folded into m slots. Lanes of vectors
// are consecutive s: nothing is transposed, and the results of all lanes are neighbours.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <vector>

#include "common/index.hpp"

namespace liftwave {

// Complex numbers are pairs of real ones.

// Waves come from tables of exact ones: of every 16th bin, and of the 16 bins from there on, for 16
// neighbouring samples. (A long recurrence would lose precision.)
inline constexpr index_t wave_group = 16;

inline constexpr int most_passes = 12;

// A transform of short length: a pass for each radix.
template <class T>
struct ShortTransform {
  index_t size = 1;
  int passes = 0;
  int radix[most_passes];
  std::vector<T> twiddles[most_passes];  // (places, radix - 1) of each pass
};

// What all rows of one length have in common.
template <class T>
class SpectralTables {
 public:
  // For bins 0 … bins - 1.
  SpectralTables(index_t length, index_t bins);

  index_t length() const { return length_; }
  index_t bins() const { return bins_; }
  const T* circle() const { return circle_.data(); }
  const T* steps() const { return steps_.data(); }
  const T* anchors() const { return anchors_.data(); }

  // The transform that takes a row of so many bins the least time; null if none is fast.
  const ShortTransform<T>* best(index_t bins);

 private:
  index_t length_, bins_;
  std::vector<T> circle_;   // w(q), q < length
  std::vector<T> steps_;    // w(k s), k and s < 16: by k, the 16 real and the 16 imaginary parts
  std::vector<T> anchors_;  // w(16 k s), 16 k < bins, s < 16: in the same order
  std::vector<index_t> sizes_;
  std::mutex lock_;
  std::map<index_t, ShortTransform<T>> transforms_;
};

// One row.
template <class T>
struct SpectralRow {
  index_t first;      // bin
  index_t bins;
  const T* response;  // divided by the length of the signal
  const ShortTransform<T>* transform;
};

// Rows y[before + pick c], c < columns.
template <class T>
struct SpectralRows {
  index_t length;
  const T* circle;
  const T* steps;
  const T* anchors;
  const SpectralRow<T>* rows;
  index_t count;
  index_t before;
  index_t columns;
  index_t pick;
};

}  // namespace liftwave
