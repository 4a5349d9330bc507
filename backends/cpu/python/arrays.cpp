#include "python/arrays.hpp"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "common/require.hpp"
#include "python/bindings.hpp"

namespace liftwave {
namespace {

constexpr int dtypes = static_cast<int>(DType::complex128) + 1;

// The parts of NumPy in use. They live as long as the process: modules are not unloaded.
struct NumPy {
  PyObject* ndarray;
  PyObject* empty;
  PyObject* dtype[dtypes];
  PyObject* reshape;  // the name of the method
};
NumPy numpy;

// Whether a format's first character says that numbers are in native order.
bool is_native_prefix(char c) {
  const std::uint16_t one = 1;
  const bool little = *reinterpret_cast<const char*>(&one) == 1;
  return c == '@' || c == '=' || c == '^' || c == (little ? '<' : '>');
}

// The dtype of numbers of this format and size; false if unsupported.
bool find_dtype(const char* format, index_t size, DType& dtype) {
  if (!format) return false;
  if (is_native_prefix(*format)) ++format;
  if (*format == 'Z') {
    dtype = format[1] == 'f' ? DType::complex64 : DType::complex128;
    return (format[1] == 'f' || format[1] == 'd') && !format[2];
  }
  if (!*format || format[1]) return false;
  switch (*format) {
    case 'f': dtype = DType::float32; return true;
    case 'd': dtype = DType::float64; return true;
    case 'B': dtype = DType::uint8; return true;
    case 'H': dtype = DType::uint16; return true;
    case 'I': case 'L': dtype = DType::uint32; return size == 4;
    case 'b': case 'h': case 'i': case 'l': case 'q':
      dtype = size == 1 ? DType::int8 : size == 2 ? DType::int16 : size == 4 ? DType::int32 : DType::int64;
      return true;
    default: return false;
  }
}

}  // namespace

bool PythonArray::open(nb::handle object, int flags) {
  if (reinterpret_cast<PyObject*>(Py_TYPE(object.ptr())) != numpy.ndarray) return false;
  if (PyObject_GetBuffer(object.ptr(), &buffer_, flags | PyBUF_FORMAT | PyBUF_STRIDES) != 0) {
    buffer_.obj = nullptr;
    PyErr_Clear();
    return false;
  }
  return find_dtype(buffer_.format, buffer_.itemsize, dtype_) && is_aligned();
}

// Whether every number is aligned to its size.
bool PythonArray::is_aligned() const {
  const bool complex = dtype_ == DType::complex64 || dtype_ == DType::complex128;
  const index_t size = complex ? buffer_.itemsize / 2 : buffer_.itemsize;
  if (reinterpret_cast<std::uintptr_t>(buffer_.buf) % static_cast<std::size_t>(size)) return false;
  for (int d = 0; d < buffer_.ndim; ++d) {
    if (buffer_.strides[d] % size && buffer_.shape[d] > 1) return false;
  }
  return true;
}

nb::handle dtype_object(DType dtype) { return numpy.dtype[static_cast<int>(dtype)]; }

nb::object allocated(nb::handle allocate, nb::handle shape, nb::handle dtype) {
  PyObject* const function = allocate.is_none() ? numpy.empty : allocate.ptr();
  PyObject* const arguments[] = {shape.ptr(), dtype.ptr()};
  nb::object memory = nb::steal(PyObject_Vectorcall(function, arguments, 2, nullptr));
  if (!memory.is_valid()) throw nb::python_error();
  return memory;
}

nb::object tuple_of(const index_t* numbers, int count) {
  nb::object tuple = nb::steal(PyTuple_New(count));
  for (int i = 0; i < count; ++i) {
    PyTuple_SetItem(tuple.ptr(), i, PyLong_FromSsize_t(numbers[i]));
  }
  return tuple;
}

BandMemory::BandMemory(const std::vector<Block>& blocks) : blocks_(blocks) {
  for (const Block& block : blocks_) size_ += std::max<std::size_t>(std::get<2>(block).size(), 1);
}

nb::object BandMemory::allocate(nb::handle dtype, Arrays& arrays) const {
  nb::object list = nb::steal(PyList_New(static_cast<Py_ssize_t>(size_)));
  std::size_t i = 0;
  const auto put = [&](nb::object array) {
    arrays[i].open_result(array);
    PyList_SetItem(list.ptr(), static_cast<Py_ssize_t>(i++), array.release().ptr());
  };
  for (const auto& [shape, allocate, bands] : blocks_) {
    nb::object block = allocated(allocate, shape, dtype);
    if (bands.empty()) put(block);
    for (const auto& [index, band_shape] : bands) {
      const nb::object part = nb::steal(PyObject_GetItem(block.ptr(), index.ptr()));
      if (!part.is_valid()) throw nb::python_error();
      PyObject* const arguments[] = {part.ptr(), band_shape.ptr()};
      nb::object band = nb::steal(PyObject_VectorcallMethod(numpy.reshape, arguments, 2, nullptr));
      if (!band.is_valid()) throw nb::python_error();
      put(band);
    }
  }
  return list;
}

InputShapes::InputShapes(nb::handle shapes) {
  if (shapes.is_none()) return;
  for (const auto& shape : nb::cast<std::vector<std::vector<index_t>>>(shapes)) {
    shapes_.emplace_back(shape.data(), shape.data() + shape.size());
  }
}

bool InputShapes::fit(const PythonArray* arrays) const {
  for (const auto& shape : shapes_) {
    const PythonArray& array = *arrays++;
    if (static_cast<std::size_t>(array.ndim()) != shape.size()) return false;
    if (!std::equal(shape.begin(), shape.end(), array.shape())) return false;
  }
  return true;
}

nb::object only(nb::handle arrays) {
  if (PySequence_Size(arrays.ptr()) != 1) fail("one array is expected");
  return nb::steal(PySequence_GetItem(arrays.ptr(), 0));
}

nb::object listed(nb::object array) {
  if (array.is_none()) return array;
  nb::object list = nb::steal(PyList_New(1));
  PyList_SetItem(list.ptr(), 0, array.release().ptr());
  return list;
}

nb::object rows_of(nb::handle memory, std::size_t count) {
  nb::object list = nb::steal(PyList_New(static_cast<Py_ssize_t>(count)));
  for (std::size_t i = 0; i < count; ++i) {
    PyObject* const row = PySequence_GetItem(memory.ptr(), static_cast<Py_ssize_t>(i));
    if (!row) throw nb::python_error();
    PyList_SetItem(list.ptr(), static_cast<Py_ssize_t>(i), row);
  }
  return list;
}

void bind_arrays(nb::module_& m) {
  const nb::module_ module = nb::module_::import_("numpy");
  numpy.ndarray = nb::object(module.attr("ndarray")).release().ptr();
  numpy.empty = nb::object(module.attr("empty")).release().ptr();
  const char* const names[dtypes] = {"int8",  "uint8",   "int16",   "uint16",    "int32",     "uint32",
                                     "int64", "float32", "float64", "complex64", "complex128"};
  for (int i = 0; i < dtypes; ++i) {
    numpy.dtype[i] = nb::object(module.attr("dtype")(names[i])).release().ptr();
  }
  numpy.reshape = nb::str("reshape").release().ptr();
  nb::class_<BandMemory>(m, "BandMemory")
      .def(nb::init<const std::vector<BandMemory::Block>&>(), nb::arg("blocks"));
}

}  // namespace liftwave
