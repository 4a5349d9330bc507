// Sums of squares and gradients of a plane, flushed into double precision after a few packs.
#pragma once

#include "lift_pool/plane.hpp"

namespace liftwave::LIFTWAVE_ISA {

template <class T, int K>
void Plane<T, K>::square(int which, const T* x, const T* y) {
  Squares& squares = squares_[static_cast<std::size_t>(which)];
  const index_t most = most_packs * lanes<T>;
  for (index_t c = 0; c < pitch_; c += most) {
    const index_t width = std::min(most, pitch_ - c);
    if (squares.packs + width / lanes<T> > most_packs) flush(squares);
    squares.packs += width / lanes<T>;
    // Only the last pack of a row is masked.
    const T* const mask = c + width < pitch_ ? ones_.values : mask_;
    add_squares<T>(squares.part, x + c, y ? y + c : nullptr, width, mask);
  }
}

template <class T, int K>
void Plane<T, K>::flush(Squares& squares) {
  squares.whole += total<lanes<T>>(squares.part);
  std::fill_n(squares.part, lanes<T>, T{0});
  squares.packs = 0;
}

template <class T, int K>
void Plane<T, K>::pull_row(int node, int which, T* hidden, const T* cotangent, const T* const* sources,
              index_t width) {
  Sums& sums = sums_[first_sum_ + static_cast<std::size_t>(2 * node + which)];
  const Filter<T, K> f = filter(node, which);
  if (width <= most_packs * lanes<T>) return pull_part(f, hidden, cotangent, sources, width, sums);
  Buffer<const T*>& part = chosen_;
  part.resize(static_cast<std::size_t>(kernel_));
  for (index_t c = 0; c < width; c += most_packs * lanes<T>) {
    for (index_t i = 0; i < kernel_; ++i) part[i] = sources[i] + c;
    pull_part(f, hidden + c, cotangent + c, part.data(),
              std::min(most_packs * lanes<T>, width - c), sums);
  }
}

template <class T, int K>
void Plane<T, K>::pull_part(const Filter<T, K>& f, T* hidden, const T* cotangent, const T* const* sources,
               index_t width, Sums& sums) {
  if (sums.packs + width / lanes<T> > most_packs) flush(sums);
  sums.packs += width / lanes<T>;
  pull<T, K>(f, hidden, cotangent, sources, width, sums.part);
}

template <class T, int K>
void Plane<T, K>::flush(Sums& sums) const {
  for (index_t i = 0; i < (kernel_ + 3) * lanes<T>; ++i) {
    sums.whole[i] += static_cast<double>(sums.part[i]);
    sums.part[i] = T{0};
  }
  sums.packs = 0;
}

}  // namespace liftwave::LIFTWAVE_ISA
