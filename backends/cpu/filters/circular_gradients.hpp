// Gradients of an analysis without downsampling with respect to its taps:
//   G_j = sum over all lines and k of x[(k + offset[j]) mod n] y[k].
// Sums are those of filters/tap_gradients.hpp. The taps' factor is not part of them.
#pragma once

#include "filters/circular_sums.hpp"
#include "filters/tap_gradients.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Pieces of lines that are contiguous from the axis on.
template <class T>
struct CircularPieces {
  const CircularAxis& axis;
  const ArrayView<const T>* arrays;  // the input, then the cotangents
  int count;                         // of cotangents
  const Batch& batch;
  index_t lanes;

  index_t taps() const { return axis.taps(); }
  index_t line() const { return axis.n * lanes; }
  index_t tiles() const { return (line() + gradient_tile - 1) / gradient_tile; }
  index_t pieces() const { return batch.size * tiles(); }

  void add(index_t piece, double* sums) const {
    Scratch scratch;
    const index_t item = piece / tiles(), start = piece % tiles() * gradient_tile;
    const index_t stop = std::min(start + gradient_tile, line());
    const T* x = batch.locate(item, arrays[0]);
    const T** source = scratch.take<const T*>(taps());
    const T** y = scratch.take<const T*>(count);
    unbroken_ranges(axis, lanes, start, stop, [&](index_t from, index_t to) {
      for (index_t j = 0; j < taps(); ++j) {
        source[j] = x + wrapped(from + axis.at(j) * lanes, line());
      }
      for (int b = 0; b < count; ++b) y[b] = batch.locate(item, arrays[b + 1]) + from;
      add_products(source, y, count, to - from, taps(), sums);
    });
  }
};

// The gradients of `count` cotangents, which follow the input in `arrays`.
template <class T>
void circular_tap_gradients(const ArrayView<const T>* arrays, int count, const CircularAxis& axis,
                            double* gradients) {
  if (numbers_of(arrays[0]) == 0) {
    std::fill_n(gradients, count * axis.taps(), 0.0);
    return;
  }
  Batch batch;
  const Inner inner = split_dimensions(arrays, count + 1, axis.axis, axis.axis, batch);
  double bytes = sizeof(T) * static_cast<double>(numbers_of(arrays[0]));
  bytes *= std::max<double>(1.0, static_cast<double>(axis.taps()) * count / 8);
  sum_pieces<T>(CircularPieces<T>{axis, arrays, count, batch, inner.count}, bytes, gradients);
}

}  // namespace liftwave::LIFTWAVE_ISA
