// Arrays of transforms without downsampling: bands have the shape of the signal.
#pragma once

#include <algorithm>

#include "common/array_view.hpp"
#include "common/require.hpp"
#include "python/arrays.hpp"

namespace liftwave {

// The shape of `like`, with strides of a C-contiguous array.
template <class T, class U>
void lay_out(ArrayView<T>& a, const ArrayView<U>& like, T* data) {
  a.data = data;
  a.ndim = like.ndim;
  std::copy_n(like.shape, like.ndim, a.shape);
  set_strides(a);
}

inline void require_same_shape(const PythonArray& a, const PythonArray& b) {
  require(a.ndim() == b.ndim() && std::equal(a.shape(), a.shape() + a.ndim(), b.shape()),
          "arrays have different shapes");
}

template <class T>
T* numbers_in(const PythonArray& memory, index_t numbers) {
  const index_t parts = memory.itemsize() / static_cast<index_t>(sizeof(T));
  require(memory.samples() * parts == numbers, "a band does not fit its memory");
  return reinterpret_cast<T*>(memory.data());
}

// Whether an array is contiguous from its axis `first` on.
template <class T>
bool is_contiguous_from(const ArrayView<T>& a, int first) {
  index_t stride = 1;
  for (int d = a.ndim - 1; d >= first; --d) {
    if (a.shape[d] != 1 && a.stride[d] != stride) return false;
    stride *= a.shape[d];
  }
  return true;
}

// Sets the bands of each level by key, finest level first, in the memory of all results: the
// approximation, then details, coarsest level first. `bands_of(level)` is the number of its bands.
template <class T, class Count>
void lay_out_bands(ArrayView<T>* band, const ArrayView<const T>& in, const BandMemory::Arrays& out,
                   std::size_t levels, const Count& bands_of) {
  const index_t numbers = numbers_of(in);
  std::size_t detail = out.size();  // the coarsest level's come first
  for (std::size_t level = 0; level < levels; ++level) {
    const bool last = level + 1 == levels;
    const std::size_t details = bands_of(level) - 1;
    detail -= details;
    lay_out(*band++, in, last ? numbers_in<T>(out[0], numbers) : nullptr);
    for (std::size_t b = 0; b < details; ++b) {
      lay_out(*band++, in, numbers_in<T>(out[detail + b], numbers));
    }
  }
}

}  // namespace liftwave
