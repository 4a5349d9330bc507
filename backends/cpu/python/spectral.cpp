// Python bindings of rows of continuous transforms: tables, then rows, then spectra.
#include "python/bindings.hpp"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <utility>
#include <vector>

#include "common/require.hpp"
#include "python/arrays.hpp"
#include "python/gil.hpp"
#include "spectral/kernels.hpp"

namespace liftwave {
namespace {

// The kernels of the instruction set in use.
const SpectralTable* kernels = nullptr;

// All rows of a plan.
template <class T>
class Rows {
 public:
  // `windows`: the first bin and the response of each row. Responses are divided by `length`.
  Rows(nb::object tables, const std::vector<std::pair<index_t, nb::object>>& windows, double length,
       index_t before, index_t columns, index_t pick)
      : tables_(std::move(tables)) {
    SpectralTables<T>& shared = nb::cast<SpectralTables<T>&>(tables_);
    require(before >= 0 && columns > 0 && pick > 0, "rows need columns");
    require(before + (columns - 1) * pick < shared.length(), "columns are beyond the signal");
    bins_ = shared.bins();
    responses_.reserve(windows.size());
    for (const auto& [first, response] : windows) add(shared, first, response, length);
    plan_ = {shared.length(), shared.circle(), shared.steps(), shared.anchors(), rows_.data(),
             static_cast<index_t>(rows_.size()), before, columns, pick};
  }

  // Whether each row has a fast transform.
  bool is_fast() const { return is_fast_; }

  // The rows of spectra, in an array that `allocate` makes; None if the array is not plain.
  nb::object run(nb::handle spectra, nb::object allocate) const {
    constexpr DType dtype = sizeof(T) == sizeof(float) ? DType::complex64 : DType::complex128;
    PythonArray in;
    if (!in.open(spectra) || in.dtype() != dtype || in.ndim() == 0) return nb::none();
    ArrayView<const T> view;
    in.view(view);
    const int last = in.ndim() - 1;
    require(view.shape[last] == bins_ && is_fast_, "a spectrum does not fit its plan");
    if (!is_contiguous(view)) return nb::none();
    SmallVector<index_t, 6> shape;
    shape.assign(view.shape, view.shape + last);
    shape.push_back(plan_.count);
    shape.push_back(plan_.columns);
    nb::object result =
        allocated(allocate, tuple_of(shape.begin(), static_cast<int>(shape.size())), dtype_object(dtype));
    PythonArray memory;
    memory.open_result(result);
    const index_t batch = in.samples() / bins_;
    if (batch == 0 || plan_.count == 0) return result;
    const double bytes = 2.0 * sizeof(T) * static_cast<double>(batch * plan_.count * plan_.length);
    run_released(bytes, [&] {
      kernels->of<T>().rows(plan_, reinterpret_cast<const T*>(in.data()), bins_, batch,
                            reinterpret_cast<T*>(memory.data()));
    });
    return result;
  }

 private:
  void add(SpectralTables<T>& shared, index_t first, nb::handle response, double length) {
    PythonArray array;
    require(array.open(response) && array.dtype() == dtype_of<T> && array.ndim() == 1,
            "responses are plain arrays of the precision of their tables");
    ArrayView<const T> view;
    array.view(view);
    const index_t bins = view.shape[0];
    require(first >= 0 && first + bins <= bins_, "a response has bins beyond the spectrum");
    std::vector<T> scaled(static_cast<std::size_t>(bins));
    for (index_t k = 0; k < bins; ++k) {
      const double value = static_cast<double>(view.data[k * view.stride[0]]);
      scaled[static_cast<std::size_t>(k)] = static_cast<T>(value / length);
    }
    responses_.push_back(std::move(scaled));
    const ShortTransform<T>* transform = bins ? shared.best(bins) : nullptr;
    is_fast_ = is_fast_ && (transform || !bins);
    rows_.push_back({first, bins, responses_.back().data(), transform});
  }

  nb::object tables_;
  index_t bins_ = 0;
  bool is_fast_ = true;
  std::vector<std::vector<T>> responses_;
  std::vector<SpectralRow<T>> rows_;
  SpectralRows<T> plan_;
};

template <class T>
void bind_precision(nb::module_& m, const char* tables, const char* rows) {
  nb::class_<SpectralTables<T>>(m, tables)
      .def(nb::init<index_t, index_t>(), nb::arg("length"), nb::arg("bins"));
  nb::class_<Rows<T>>(m, rows)
      .def(nb::init<nb::object, const std::vector<std::pair<index_t, nb::object>>&, double, index_t,
                    index_t, index_t>(),
           nb::arg("tables"), nb::arg("windows"), nb::arg("length"), nb::arg("before"),
           nb::arg("columns"), nb::arg("pick"))
      .def("is_fast", &Rows<T>::is_fast)
      .def("run", &Rows<T>::run, nb::arg("spectra"), nb::arg("allocate").none());
}

}  // namespace

void bind_spectral(nb::module_& m, const Kernels& chosen) {
  kernels = chosen.spectral;
  bind_precision<float>(m, "SpectralTables32", "SpectralRows32");
  bind_precision<double>(m, "SpectralTables64", "SpectralRows64");
}

}  // namespace liftwave
