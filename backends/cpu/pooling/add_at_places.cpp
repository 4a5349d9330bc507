#include "pooling/add_at_places.hpp"

#include <algorithm>
#include <atomic>

#include "common/parallel.hpp"

namespace liftwave {

// Windows between two looks for signals.
constexpr index_t most_windows = 4096;

template <class T>
bool add_at_places(const T* numbers, const std::int64_t* places, index_t planes, index_t windows,
                   index_t samples, index_t channels, T* result) {
  std::atomic<bool> sound{true};
  const double bytes = static_cast<double>(planes * channels) *
                       (static_cast<double>(samples) * sizeof(T) + static_cast<double>(windows) * 12);
  parallel_for(planes, bytes, [&](index_t begin, index_t end) {
    Pace pace;
    for (index_t plane = begin; plane < end; ++plane) {
      T* to = result + plane * samples * channels;
      pace.fill(to, samples * channels, T(0));
      const index_t some = std::max<index_t>(most_windows / channels, 1);
      for (index_t first = 0; first < windows; first += some) {
        const index_t last = std::min(first + some, windows);
        index_t i = (plane * windows + first) * channels;
        for (index_t window = first; window < last; ++window) {
          for (index_t c = 0; c < channels; ++c, ++i) {
            if (places[i] < 0 || places[i] >= samples) sound = false;
            else to[places[i] * channels + c] += numbers[i];
          }
        }
        pace.moved((last - first) * channels * static_cast<index_t>(sizeof(T) + sizeof(std::int64_t)));
      }
    }
  });
  return sound;
}

template bool add_at_places(const float*, const std::int64_t*, index_t, index_t, index_t, index_t,
                            float*);
template bool add_at_places(const double*, const std::int64_t*, index_t, index_t, index_t, index_t,
                            double*);

}  // namespace liftwave
