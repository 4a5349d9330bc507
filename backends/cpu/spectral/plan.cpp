#include "spectral/plan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace liftwave {
namespace {

constexpr index_t longest = 65536;

// The most time to fold a band, in units of `cost` for each sample of the signal. The transforms of
// array libraries, which are as long as the signal, take less time then.
constexpr double most_folding = 256;

// e^{2 pi i q / n} for q in [0, n), in the quarter of the circle where sine and cosine are exact to
// rounding.
template <class T>
void put_wave(T* to, index_t q, index_t n) {
  constexpr double half_pi = 1.57079632679489661923;
  const index_t quarter = 4 * q / n;
  const double angle = half_pi * static_cast<double>(4 * q - quarter * n) / static_cast<double>(n);
  const double c = std::cos(angle), s = std::sin(angle);
  const double re[] = {c, -s, -c, s}, im[] = {s, c, -s, -c};
  to[0] = static_cast<T>(re[quarter]);
  to[1] = static_cast<T>(im[quarter]);
}

// The waves of bins k = 0, step, … for 16 samples each.
template <class T>
std::vector<T> grouped_waves(index_t count, index_t step, index_t n) {
  std::vector<T> waves(static_cast<std::size_t>(2 * wave_group * count));
  for (index_t k = 0; k < count; ++k) {
    for (index_t s = 0; s < wave_group; ++s) {
      T wave[2];
      put_wave(wave, k * step % n * s % n, n);
      T* const to = waves.data() + 2 * wave_group * k + s;
      to[0] = wave[0];
      to[wave_group] = wave[1];
    }
  }
  return waves;
}

// The radices of a transform; 0 passes if it has other prime factors.
int radices_of(index_t size, int* radix) {
  int count = 0;
  for (const int odd : {3, 5, 7}) {
    for (; size % odd == 0 && count < most_passes; size /= odd) radix[count++] = odd;
  }
  // Few passes, and the largest radix last: it writes the results.
  for (; size > 1 && size % 2 == 0 && count < most_passes;) {
    const int next = size == 2 ? 2 : size % 16 == 0 && size != 32 ? 16 : size % 8 == 0 ? 8 : 4;
    radix[count++] = next;
    size /= next;
  }
  if (size != 1) return 0;
  std::sort(radix, radix + count);
  return count;
}

// The time of a butterfly per point, in cycles of a vector unit.
double pass_cost(int radix) {
  switch (radix) {
    case 2: return 5;
    case 3: return 8;
    case 4: return 7;
    case 5: return 12;
    case 7: return 18;
    case 8: return 10;
    default: return 14;
  }
}

// How much longer a pass takes if the points of all lanes leave the second-level cache.
double slowness(index_t size) { return size <= 2048 ? 1 : size <= 4096 ? 1.5 : size <= 16384 ? 2 : 2.5; }

// How many lanes are computed for each one that is used.
double waste(index_t stride) {
  return static_cast<double>((stride + wave_group - 1) / wave_group * wave_group) / static_cast<double>(stride);
}

// The time to fold a band, per sample.
double folding_cost(index_t length, index_t bins, index_t size) {
  return 8.0 * static_cast<double>(bins) / static_cast<double>(size) * waste(length / size);
}

// The time of a row of so many bins by transforms of one size, per sample.
double cost(index_t length, index_t bins, index_t size) {
  int radix[most_passes];
  double passes = 0;
  const int count = radices_of(size, radix);
  for (int i = 0; i < count; ++i) passes += pass_cost(radix[i]);
  passes *= slowness(size);
  const double start = 2 + 200.0 / static_cast<double>(size);
  return (start + passes) * waste(length / size) + folding_cost(length, bins, size);
}

std::vector<index_t> sizes_for(index_t length) {
  std::vector<index_t> sizes;
  int radix[most_passes];
  for (index_t size = 2; size <= std::min(length, longest); ++size) {
    if (length % size == 0 && radices_of(size, radix)) sizes.push_back(size);
  }
  return sizes;
}

template <class T>
ShortTransform<T> make_transform(index_t size) {
  ShortTransform<T> transform;
  transform.size = size;
  transform.passes = radices_of(size, transform.radix);
  for (int pass = 0; pass < transform.passes; ++pass) {
    const index_t radix = transform.radix[pass];
    std::vector<T>& twiddles = transform.twiddles[pass];
    twiddles.resize(static_cast<std::size_t>(2 * (radix - 1) * (size / radix)));
    T* to = twiddles.data();
    for (index_t place = 0; place < size / radix; ++place) {
      for (index_t j = 1; j < radix; ++j, to += 2) put_wave(to, place * j, size);
    }
    size /= radix;
  }
  return transform;
}

}  // namespace

template <class T>
SpectralTables<T>::SpectralTables(index_t length, index_t bins)
    : length_(length), bins_(bins), circle_(static_cast<std::size_t>(2 * length)),
      steps_(grouped_waves<T>(wave_group, 1, length)),
      anchors_(grouped_waves<T>((bins + wave_group - 1) / wave_group, wave_group, length)),
      sizes_(sizes_for(length)) {
  for (index_t q = 0; q < length; ++q) put_wave(circle_.data() + 2 * q, q, length);
}

template <class T>
const ShortTransform<T>* SpectralTables<T>::best(index_t bins) {
  double least = std::numeric_limits<double>::infinity();
  index_t size = 0;
  for (const index_t candidate : sizes_) {
    const double time = cost(length_, bins, candidate);
    if (time < least) {
      least = time;
      size = candidate;
    }
  }
  if (size == 0) return nullptr;
  const double samples = static_cast<double>(length_), signal = 2.0 * static_cast<double>(bins_);
  if (folding_cost(length_, bins, size) * samples > most_folding * signal) return nullptr;
  const std::lock_guard<std::mutex> hold(lock_);
  const auto existing = transforms_.find(size);
  if (existing != transforms_.end()) return &existing->second;
  return &transforms_.emplace(size, make_transform<T>(size)).first->second;
}

template class SpectralTables<float>;
template class SpectralTables<double>;

}  // namespace liftwave
