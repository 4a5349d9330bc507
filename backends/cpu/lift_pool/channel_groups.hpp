// Planes of neighbouring channels, copied from arrays whose last axis is that of the channels, and
// back.
//
// The channels of a group fill a cache line at each sample. So every line is read and written once.
#pragma once

#include <algorithm>
#include <type_traits>

#include "common/buffer.hpp"
#include "common/parallel.hpp"
#include "lift_pool/plan.hpp"
#include "lift_pool/rows.hpp"

namespace liftwave::LIFTWAVE_ISA {

// --- copies ------------------------------------------------------------------------------------

// A square of numbers: `lanes` samples of `lanes` channels.
template <class T>
struct Square {
  using V = typename WidePack<T>::V;
  static constexpr int parts = WidePack<T>::parts, count = lanes<T> * parts;
  V v[count];

  LIFTWAVE_INLINE static Square from(const T* x, index_t step) {
    Square square;
    for (int row = 0; row < lanes<T>; ++row)
      for (int i = 0; i < parts; ++i)
        square.v[row * parts + i] =
            load<T, vector_bytes>(x + row * step + i * WidePack<T>::step);
    return square;
  }

  LIFTWAVE_INLINE void to(T* x, index_t step) const {
    for (int row = 0; row < lanes<T>; ++row)
      for (int i = 0; i < parts; ++i)
        store<vector_bytes>(x + row * step + i * WidePack<T>::step, v[row * parts + i]);
  }

  // Each round sorts all numbers by one more bit of their column.
  LIFTWAVE_INLINE Square transposed() const {
    Square now = *this;
    for (int size = lanes<T>; size > 1; size /= 2) {
      Square next;
      for (int i = 0; i < count / 2; ++i)
        split<T, vector_bytes, 1>(now.v[2 * i], now.v[2 * i + 1], next.v[i], next.v[i + count / 2]);
      now = next;
    }
    return now;
  }
};

// to[column * to_step + row] = from[row * from_step + column].
template <class T>
void transpose(const T* from, index_t from_step, index_t rows, index_t columns, T* to,
               index_t to_step) {
  constexpr index_t n = lanes<T>;
  Pace pace;
  for (index_t r = 0; r < rows; r += n) {
    const index_t last = std::min(r + n, rows);
    for (index_t c = 0; c < columns; c += n) {
      const index_t end = std::min(c + n, columns);
      if (last - r == n && end - c == n) {
        Square<T>::from(from + r * from_step + c, from_step).transposed().to(to + c * to_step + r, to_step);
        continue;
      }
      for (index_t i = r; i < last; ++i)
        for (index_t j = c; j < end; ++j) to[j * to_step + i] = from[i * from_step + j];
    }
    pace.moved((last - r) * columns * static_cast<index_t>(sizeof(T)));
  }
}

// --- groups ------------------------------------------------------------------------------------

// The groups of channels of one signal. With the channels first, each group is one channel.
template <class T>
struct ChannelGroups {
  explicit ChannelGroups(const LiftPoolJob<T>& job)
      : channels(job.channels), width(job.channels_last ? std::min<index_t>(lanes<T>, channels) : 1),
        count((channels + width - 1) / width), last(job.channels_last) {}

  index_t first(index_t group) const { return group * width; }
  index_t size(index_t group) const { return std::min(width, channels - first(group)); }

  index_t channels, width, count;
  bool last;
};

// The planes of one group in several arrays: the arrays' own memory, or copies if the channels are
// the last axis. U is const for arrays that are read.
template <class U>
class GroupPlanes {
  using T = std::remove_const_t<U>;

 public:
  GroupPlanes(const ChannelGroups<T>& groups, index_t samples, int arrays, Scratch& scratch)
      : groups_(groups), samples_(samples), scratch_(scratch),
        planes_(static_cast<std::size_t>(arrays)), copies_(planes_.size()),
        targets_(planes_.size()), at_(planes_.size()) {}

  // Goes to a group of signal `n`; `arrays` are the addresses of the arrays, or null. Samples of
  // neighbouring places are `step` numbers apart if the channels are the last axis.
  void go_to(U* const* arrays, index_t batch, index_t step, index_t n, index_t group) {
    step_ = step;
    size_ = groups_.size(group);
    const index_t first = groups_.first(group);
    for (std::size_t a = 0; a < planes_.size(); ++a) {
      U* const array = arrays[a];
      targets_[a] = array ? array + n * batch + first * (groups_.last ? 1 : samples_) : nullptr;
      planes_[a] = groups_.last && array ? copy_for(a) : targets_[a];
      if constexpr (std::is_const_v<U>)
        if (groups_.last && array && owner_of(a) == a)
          transpose<T>(targets_[a], step_, samples_, size_, copies_[a], samples_);
    }
  }
  void go_to(const LiftPoolBands<U>& bands, index_t n, index_t group) {
    go_to(bands.band.data(), bands.batch, bands.step, n, group);
  }

  // The plane of each array at channel `i` of the group.
  U* const* at(index_t i) {
    for (std::size_t a = 0; a < planes_.size(); ++a)
      at_[a] = planes_[a] ? planes_[a] + i * samples_ : nullptr;
    return at_.data();
  }

  // Writes copies to the arrays.
  void finish() {
    if (!groups_.last) return;
    for (std::size_t a = 0; a < planes_.size(); ++a)
      if (targets_[a] && owner_of(a) == a)
        transpose<T>(planes_[a], samples_, size_, samples_, targets_[a], step_);
  }

 private:
  // The first array at the same address: bands that are summed share one.
  std::size_t owner_of(std::size_t a) const {
    std::size_t owner = 0;
    while (targets_[owner] != targets_[a]) ++owner;
    return owner;
  }

  T* copy_for(std::size_t a) {
    const std::size_t owner = owner_of(a);
    if (!copies_[owner]) copies_[owner] = scratch_.take<T>(groups_.width * samples_);
    return copies_[owner];
  }

  const ChannelGroups<T>& groups_;
  index_t samples_, step_ = 0, size_ = 0;
  Scratch& scratch_;
  Buffer<U*> planes_;
  Buffer<T*> copies_;
  Buffer<U*> targets_, at_;
};

}  // namespace liftwave::LIFTWAVE_ISA
