// Python bindings of synchrosqueezing and ridges: arrays in, arrays out.
#include <nanobind/nanobind.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "common/require.hpp"
#include "python/arrays.hpp"
#include "python/bindings.hpp"
#include "python/gil.hpp"
#include "time_frequency/kernels.hpp"
#include "time_frequency/paths.hpp"

namespace liftwave {

namespace {

// The kernels of the instruction set in use.
const TimeFrequencyTable* table = nullptr;

// The numbers of a C-contiguous array of this shape; complex ones are two.
template <class T>
T* numbers(const PythonArray& array, std::initializer_list<index_t> shape) {
  ArrayView<T> view;
  array.view(view);
  require(array.ndim() == static_cast<int>(shape.size()) &&
              std::equal(shape.begin(), shape.end(), array.shape()) && is_contiguous(view),
          "an array does not fit the others, or is not contiguous");
  return view.data;
}

template <class T>
void squeeze_as(const PythonArray* arrays, double highest, double voices) {
  const PythonArray &total = arrays[0], &values = arrays[1], &slopes = arrays[2];
  require(values.ndim() == 3 && total.ndim() == 3, "expected rows of a batch");
  const index_t *rows = values.shape(), count = total.shape()[1];
  SqueezeCall<T> call{rows[0], rows[1], rows[2], numbers<const T>(values, {rows[0], rows[1], rows[2]}),
                      numbers<const T>(slopes, {rows[0], rows[1], rows[2]}),
                      numbers<const double>(arrays[3], {rows[0]}),
                      numbers<const double>(arrays[4], {rows[1]}), highest, voices, count,
                      numbers<T>(total, {rows[0], count, rows[2]})};
  run_released(6.0 * sizeof(T) * static_cast<double>(values.samples()),
               [&] { table->of<T>().squeeze(call); });
}

void open(PythonArray& array, nb::handle object, int flags = 0) {
  if (!array.open(object, flags)) throw nb::type_error("expected a plain array");
}

// Adds to `total`.
void squeeze(nb::handle total, nb::handle values, nb::handle slopes, nb::handle floor,
             nb::handle factors, double highest, double voices) {
  PythonArray arrays[5];
  const nb::handle objects[] = {total, values, slopes, floor, factors};
  for (int i = 0; i < 5; ++i) open(arrays[i], objects[i], i == 0 ? PyBUF_WRITABLE : 0);
  const DType dtype = arrays[0].dtype();
  require(arrays[1].dtype() == dtype && arrays[2].dtype() == dtype &&
              arrays[3].dtype() == DType::float64 && arrays[4].dtype() == DType::float64,
          "dtypes do not match");
  require(dtype == DType::complex64 || dtype == DType::complex128, "rows are complex");
  if (dtype == DType::complex64) squeeze_as<float>(arrays, highest, voices);
  else squeeze_as<double>(arrays, highest, voices);
}

// The row of each time.
nb::object path(nb::handle scores, nb::handle places, nb::handle order, double penalty) {
  PythonArray arrays[3];
  const nb::handle objects[] = {scores, places, order};
  for (int i = 0; i < 3; ++i) open(arrays[i], objects[i]);
  require(arrays[0].dtype() == DType::float64 && arrays[1].dtype() == DType::float64 &&
              arrays[2].dtype() == DType::int64 && arrays[0].ndim() == 2,
          "dtypes do not match");
  const index_t rows = arrays[0].shape()[0], times = arrays[0].shape()[1];
  require(rows > 0 && times > 0, "a path needs rows and times");
  const PathCall call{rows, times, numbers<const double>(arrays[0], {rows, times}),
                      numbers<const double>(arrays[1], {rows}),
                      numbers<const std::int64_t>(arrays[2], {rows}), penalty};
  for (index_t i = 0; i < rows; ++i) {
    require(call.order[i] >= 0 && call.order[i] < rows, "a row is out of range");
  }
  const Result<std::int64_t> result(nb::none(), &times, 1);
  run_released(20.0 * static_cast<double>(rows) * static_cast<double>(times),
               [&] { best_path(call, result.data()); });
  return result.array();
}

}  // namespace

void bind_time_frequency(nb::module_& m, const Kernels& chosen) {
  table = chosen.time_frequency;
  m.def("squeeze", &squeeze, nb::arg("total"), nb::arg("values"), nb::arg("slopes"),
        nb::arg("floor"), nb::arg("factors"), nb::arg("highest"), nb::arg("voices"));
  m.def("best_path", &path, nb::arg("scores"), nb::arg("places"), nb::arg("order"),
        nb::arg("penalty"));
}

}  // namespace liftwave
