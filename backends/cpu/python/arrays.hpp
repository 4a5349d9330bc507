// NumPy arrays in the bindings: their memory, and memory for results.
//
// All entries have one convention: they take arrays and return arrays. An entry returns None if an
// array is not plain: a NumPy array (no subclass) of aligned numbers of a supported dtype. The
// entry has done nothing then, and Python copies arrays that are not plain.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/array_ref.hpp"
#include "common/array_view.hpp"
#include "common/dtype.hpp"
#include "common/require.hpp"
#include "common/small_vector.hpp"

namespace liftwave {

namespace nb = nanobind;

// The memory of an array, or none.
class PythonArray {
 public:
  PythonArray() { buffer_.obj = nullptr; }
  ~PythonArray() {
    if (buffer_.obj) PyBuffer_Release(&buffer_);
  }
  PythonArray(PythonArray&& other) noexcept : buffer_(other.buffer_), dtype_(other.dtype_) {
    other.buffer_.obj = nullptr;
  }
  PythonArray(const PythonArray&) = delete;
  PythonArray& operator=(const PythonArray&) = delete;

  // False if `object` is not plain.
  bool open(nb::handle object, int flags = 0);

  // The same for an array allocated here.
  void open_result(nb::handle object) {
    if (!open(object, PyBUF_WRITABLE)) throw nb::type_error("no memory for results");
  }

  bool none() const { return !buffer_.obj; }
  DType dtype() const { return dtype_; }
  bool is_floating() const { return dtype_ >= DType::float32; }
  bool is_single() const { return dtype_ == DType::float32 || dtype_ == DType::complex64; }
  int ndim() const { return buffer_.ndim; }
  const index_t* shape() const { return buffer_.shape; }
  char* data() const { return static_cast<char*>(buffer_.buf); }
  index_t itemsize() const { return buffer_.itemsize; }
  index_t samples() const { return buffer_.len / buffer_.itemsize; }

  // The array as numbers of type T.
  template <class T>
  void view(ArrayView<T>& to) const {
    constexpr index_t size = sizeof(T);
    if (buffer_.ndim >= max_dimensions) fail("too many dimensions");
    to.data = static_cast<T*>(buffer_.buf);
    to.ndim = buffer_.ndim;
    for (int d = 0; d < buffer_.ndim; ++d) {
      to.shape[d] = buffer_.shape[d];
      to.stride[d] = buffer_.strides[d] / size;
    }
    if (buffer_.itemsize != size) {  // real and imaginary parts
      to.shape[to.ndim] = 2;
      to.stride[to.ndim++] = 1;
    }
  }

  // The array with strides in bytes.
  ArrayRef ref() const {
    ArrayRef array{data(), dtype_, {}, {}};
    array.shape.assign(buffer_.shape, buffer_.shape + buffer_.ndim);
    array.strides.assign(buffer_.strides, buffer_.strides + buffer_.ndim);
    return array;
  }

 private:
  bool is_aligned() const;

  Py_buffer buffer_;
  DType dtype_ = DType::float64;
};

// Several arrays; false if one is not plain.
template <std::size_t N>
bool open_all(nb::handle sequence, InlineArray<PythonArray, N>& arrays, std::size_t first = 0) {
  for (std::size_t i = first; i < arrays.size(); ++i) {
    const nb::object item =
        nb::steal(PySequence_GetItem(sequence.ptr(), static_cast<Py_ssize_t>(i - first)));
    if (!item.is_valid()) throw nb::python_error();
    if (!arrays[i].open(item)) return false;
  }
  return true;
}

// The shapes of the arrays that a plan takes.
class InputShapes {
 public:
  // `shapes`: a sequence of tuples; None if the arrays may have any shapes.
  explicit InputShapes(nb::handle shapes);

  // Whether the arrays have these shapes.
  bool fit(const PythonArray* arrays) const;

 private:
  std::vector<SmallVector<index_t, 6>> shapes_;
};

// NumPy's dtype object.
nb::handle dtype_object(DType dtype);

// `allocate(shape, dtype)`; NumPy's `empty` if `allocate` is None.
nb::object allocated(nb::handle allocate, nb::handle shape, nb::handle dtype);

nb::object tuple_of(const index_t* numbers, int count);

template <class T>
constexpr DType dtype_of = std::is_same_v<T, std::int64_t> ? DType::int64
                           : sizeof(T) == sizeof(float)    ? DType::float32
                                                           : DType::float64;

// A C-contiguous result of type T, allocated here; or None.
template <class T>
class Result {
 public:
  Result() : array_(nb::none()) {}
  Result(nb::handle allocate, const index_t* shape, int ndim)
      : array_(allocated(allocate, tuple_of(shape, ndim), dtype_object(dtype_of<T>))) {
    memory_.open_result(array_);
  }

  T* data() const {
    return array_.is_none() ? nullptr : reinterpret_cast<T*>(memory_.data());
  }
  const nb::object& array() const { return array_; }

 private:
  nb::object array_;
  PythonArray memory_;
};

// The bands of a transform of one shape. A small band is a separate array. The large details of
// one level share a block. So a program that keeps an approximation does not keep the details.
class BandMemory {
 public:
  // The shape and the allocator of a block (see `allocated`), and for each of its bands an index
  // and a shape; no bands: the block is the band.
  using Block = std::tuple<nb::object, nb::object, std::vector<std::pair<nb::object, nb::object>>>;
  using Arrays = InlineArray<PythonArray, 8>;

  explicit BandMemory(const std::vector<Block>& blocks);

  std::size_t size() const { return size_; }

  // A list of new arrays, opened in `arrays`.
  nb::object allocate(nb::handle dtype, Arrays& arrays) const;

 private:
  std::vector<Block> blocks_;
  std::size_t size_ = 0;
};

// The only array of a list.
nb::object only(nb::handle arrays);

// An array in a list; None remains None.
nb::object listed(nb::object array);

// The rows of an array: its parts along the first axis.
nb::object rows_of(nb::handle memory, std::size_t count);

}  // namespace liftwave
