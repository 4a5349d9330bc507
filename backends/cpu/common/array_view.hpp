// Arrays as kernels see them: numbers, with strides counted in numbers.
#pragma once

#include <cstddef>

#include "common/index.hpp"

namespace liftwave {

inline constexpr int max_dimensions = 65;  // NumPy's 64, and one for real and imaginary parts

// A complex array has one more dimension, of length 2, for real and imaginary part.
template <class T>
struct ArrayView {
  T* data = nullptr;
  int ndim = 0;
  index_t shape[max_dimensions];
  index_t stride[max_dimensions];
};

template <class T>
index_t numbers_of(const ArrayView<T>& a) {
  index_t n = 1;
  for (int d = 0; d < a.ndim; ++d) n *= a.shape[d];
  return n;
}

// Whether the array is C-contiguous.
template <class T>
bool is_contiguous(const ArrayView<T>& a) {
  index_t stride = 1;
  for (int d = a.ndim - 1; d >= 0; --d) {
    if (a.shape[d] != 1 && a.stride[d] != stride) return false;
    stride *= a.shape[d];
  }
  return true;
}

// Sets the strides of a C-contiguous array.
template <class T>
void set_strides(ArrayView<T>& a) {
  index_t stride = 1;
  for (int d = a.ndim - 1; d >= 0; --d) {
    a.stride[d] = stride;
    stride *= a.shape[d];
  }
}

template <class T>
ArrayView<const T> as_input(const ArrayView<T>& a) {
  ArrayView<const T> in;
  in.data = a.data;
  in.ndim = a.ndim;
  for (int d = 0; d < a.ndim; ++d) {
    in.shape[d] = a.shape[d];
    in.stride[d] = a.stride[d];
  }
  return in;
}

// Dimensions that are only looped over.
struct Batch {
  int ndim = 0;
  index_t size = 1;
  int dim[max_dimensions];
  index_t shape[max_dimensions];

  void add(int d, index_t n) {
    if (n == 1) return;
    dim[ndim] = d;
    shape[ndim] = n;
    size *= n;
    ++ndim;
  }

  // Where one item begins in an array; the dimension added first varies fastest.
  template <class T>
  T* locate(index_t item, const ArrayView<T>& array) const {
    index_t offset = 0;
    for (int d = 0; d < ndim; ++d) {
      offset += item % shape[d] * array.stride[dim[d]];
      item /= shape[d];
    }
    return array.data + offset;
  }
};

// The dimensions behind the transformed axes, merged as far as their numbers are contiguous.
struct Inner {
  index_t count = 1;
  int dim = -1;  // the innermost of them

  template <class T>
  index_t stride(const ArrayView<T>& array) const {
    return dim < 0 ? 1 : array.stride[dim];
  }
};

// Splits the dimensions other than axes `first` ... `last` of inputs of one shape into inner ones
// and batch. (Outputs are C-contiguous, so they never prevent merging.)
template <class T>
LIFTWAVE_INLINE Inner split_dimensions(const ArrayView<T>* inputs, int count, int first, int last, Batch& batch) {
  Inner inner;
  const auto mergeable = [&](int d) {
    for (int i = 0; i < count; ++i) {
      if (inputs[i].stride[d] != inner.count * inner.stride(inputs[i])) return false;
    }
    return true;
  };
  bool merging = true;
  for (int d = inputs[0].ndim - 1; d > last; --d) {
    const index_t n = inputs[0].shape[d];
    if (n == 1) continue;
    if (merging && inner.dim < 0) {
      inner = {n, d};
    } else if (merging && mergeable(d)) {
      inner.count *= n;
    } else {
      merging = false;
      batch.add(d, n);
    }
  }
  for (int d = first - 1; d >= 0; --d) batch.add(d, inputs[0].shape[d]);
  return inner;
}

// Whether all dimensions behind axis `last` merge into one. Then a row of the output is contiguous.
template <class T>
LIFTWAVE_INLINE bool merges_behind(const ArrayView<T>* inputs, int count, int last) {
  Batch unused;
  index_t behind = 1;
  for (int d = last + 1; d < inputs[0].ndim; ++d) behind *= inputs[0].shape[d];
  return split_dimensions(inputs, count, 0, last, unused).count == behind;
}

}  // namespace liftwave
