// Python bindings of filters without downsampling: take plans, then arrays, and return arrays.
#include "python/bindings.hpp"

#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "common/require.hpp"
#include "filters/circular_levels.hpp"
#include "python/arrays.hpp"

namespace liftwave {
namespace {

// The kernels of the instruction set in use.
const FilterTable* kernels = nullptr;

// axis, n, offsets, taps of the low and of the high filter
using CircularArgument = std::tuple<int, index_t, std::vector<index_t>, std::vector<double>,
                                    std::vector<double>>;
using LevelArgument = std::vector<CircularArgument>;

Taps make_taps(const std::vector<double>& values) {
  return {std::vector<float>(values.begin(), values.end()), values};
}

CircularAxis make_axis(const CircularArgument& argument) {
  const auto& [axis, n, offsets, low, high] = argument;
  require(axis >= 0 && n > 0 && !offsets.empty() && low.size() == offsets.size() &&
              high.size() == offsets.size(),
          "a plan's taps do not have its length");
  CircularAxis a{axis, n, offsets, make_taps(low), make_taps(high)};
  a.normalize();
  return a;
}

// What both directions have in common: the axes of all levels, and the shape of every array.
class Levels {
 public:
  explicit Levels(const std::vector<LevelArgument>& arguments) {
    require(!arguments.empty(), "there are no levels");
    for (const LevelArgument& level : arguments) {
      require(!level.empty() && level.size() <= max_axes, "1 to 4 axes are transformed at once");
      for (const CircularArgument& axis : level) levels_.axes.push_back(make_axis(axis));
      levels_.counts.push_back(static_cast<int>(level.size()));
      bands_ += std::size_t{1} << level.size();
      require_consecutive(levels_.axes.data() + levels_.axes.size() - level.size(), level.size());
    }
  }

  const CircularLevels& levels() const { return levels_; }
  std::size_t bands() const { return bands_; }

  // The number of bands of a level.
  std::size_t bands(std::size_t level) const { return std::size_t{1} << levels_.counts[level]; }

  // Whether the array has the axes' lengths and is contiguous from the first one on.
  template <class T>
  bool in_place(const ArrayView<T>& a) const {
    int first = a.ndim;
    for (const CircularAxis& axis : levels_.axes) {
      require(axis.axis < a.ndim && a.shape[axis.axis] == axis.n, "an array does not fit its plan");
      first = std::min(first, axis.axis);
    }
    index_t stride = 1;
    for (int d = a.ndim - 1; d >= first; --d) {
      if (a.shape[d] != 1 && a.stride[d] != stride) return false;
      stride *= a.shape[d];
    }
    return true;
  }

 private:
  static void require_consecutive(const CircularAxis* axes, std::size_t count) {
    for (std::size_t i = 1; i < count; ++i) {
      require(axes[i].axis == axes[i - 1].axis + 1, "the axes of a level are not consecutive");
    }
  }

  CircularLevels levels_;
  std::size_t bands_ = 0;
};

// Levels of an analysis. The input of each but the first is the approximation of the one before.
class CircularAnalysis {
 public:
  // `keep`: whether the approximations of all levels are results. `allocate` as in `allocated`.
  // `shape`: that of the signal.
  CircularAnalysis(const std::vector<LevelArgument>& arguments, bool keep, nb::object allocate,
                   nb::object shape)
      : levels_(arguments), keep_(keep), allocate_(std::move(allocate)), shape_(shape),
        shapes_(nb::cast<std::vector<index_t>>(shape), 1) {}

  // All bands: the approximation, then the details, coarsest level first and within a level by key,
  // with its approximation in front if it is kept. None if `x` is not plain or not of this shape.
  nb::object run(nb::handle x) const {
    PythonArray in;
    if (!in.open(x) || !in.is_floating() || !shapes_.fit(&in)) return nb::none();
    return in.is_single() ? run_as<float>(in) : run_as<double>(in);
  }

  // The same for a list of one array.
  nb::object results(nb::handle arrays) const { return run(only(arrays)); }

 private:
  template <class T>
  nb::object run_as(const PythonArray& x) const {
    ArrayView<const T> in;
    x.view(in);
    if (!levels_.in_place(in)) return nb::none();
    const std::size_t count = levels_.levels().counts.size();
    const std::size_t finer = keep_ ? 0 : count - 1;  // approximations that are no results
    nb::object list = nb::steal(PyList_New(static_cast<Py_ssize_t>(levels_.bands() - finer)));
    InlineArray<ArrayView<T>, 4> bands(levels_.bands());
    ArrayView<T>* band = bands.data();
    std::size_t stop = levels_.bands() - finer;
    for (std::size_t level = 0; level < count; ++level) {
      const std::size_t size = levels_.bands(level);
      const bool approx = keep_ || level + 1 == count;
      stop -= size - (approx ? 0 : 1);
      for (std::size_t b = 0; b < size; ++b, ++band) {
        place(*band, x, b > 0 || approx ? list.ptr() : nullptr, stop + b - (approx ? 0 : 1));
      }
    }
    run_released(sizeof(T) * static_cast<double>(numbers_of(in)), [&] {
      split_levels(kernels->of<T>(), levels_.levels(), in, bands.data());
    });
    return list;
  }

  // The shape of a band, and memory for it if it is item `i` of a list.
  template <class T>
  void place(ArrayView<T>& band, const PythonArray& x, PyObject* list, std::size_t i) const {
    if (!list) {
      x.view(band);
      band.data = nullptr;
      index_t stride = 1;
      for (int d = band.ndim - 1; d >= 0; stride *= band.shape[d--]) band.stride[d] = stride;
      return;
    }
    nb::object array = allocated(allocate_, shape_, dtype_object(x.dtype()));
    PythonArray out;
    out.open_result(array);
    out.view(band);
    PyList_SET_ITEM(list, static_cast<Py_ssize_t>(i), array.release().ptr());
  }

  Levels levels_;
  bool keep_;
  nb::object allocate_, shape_;
  InputShapes shapes_;
};

// Levels of a synthesis, coarsest first.
class CircularSynthesis {
 public:
  // `present`: which bands of each level are arguments, by key. The approximation of a level is the
  // result of the level before; only the first can have one as an argument.
  CircularSynthesis(const std::vector<LevelArgument>& arguments,
                    const std::vector<std::vector<bool>>& present, nb::object allocate,
                    nb::object shape)
      : levels_(arguments), present_(flat(present)),
        given_(static_cast<std::size_t>(std::count(present_.begin(), present_.end(), true))),
        allocate_(std::move(allocate)), shape_(shape),
        shapes_(nb::cast<std::vector<index_t>>(shape), given_) {
    require(present.size() == arguments.size(), "bands do not match the levels");
    for (std::size_t level = 0; level < present.size(); ++level) {
      require(present[level].size() == levels_.bands(level) && (level == 0 || !present[level][0]),
              "bands do not match the axes");
    }
    require(std::find(present[0].begin(), present[0].end(), true) != present[0].end(),
            "the first level has no band");
  }

  // The array with these bands, in the order of `present`. None if one is not plain.
  nb::object run(nb::handle bands) const {
    InlineArray<PythonArray, 8> inputs(given_);
    const Py_ssize_t size = PySequence_Size(bands.ptr());
    if (size < 0) throw nb::python_error();
    require(static_cast<std::size_t>(size) == given_, "not the bands of the plan");
    if (!open_all(bands, inputs)) return nb::none();
    for (std::size_t i = 0; i < given_; ++i) {
      if (inputs[i].dtype() != inputs[0].dtype()) return nb::none();
    }
    if (!inputs[0].is_floating() || !shapes_.fit(inputs.data())) return nb::none();
    return inputs[0].is_single() ? run_as<float>(inputs) : run_as<double>(inputs);
  }

  // The same array in a list.
  nb::object results(nb::handle bands) const { return listed(run(bands)); }

 private:
  static std::vector<bool> flat(const std::vector<std::vector<bool>>& levels) {
    std::vector<bool> all;
    for (const auto& level : levels) all.insert(all.end(), level.begin(), level.end());
    return all;
  }

  template <class T>
  nb::object run_as(const InlineArray<PythonArray, 8>& inputs) const {
    InlineArray<ArrayView<const T>, 4> bands(present_.size());
    std::size_t next = 0;
    for (std::size_t b = 0; b < present_.size(); ++b) {
      if (!present_[b]) continue;
      inputs[next++].view(bands[b]);
      if (!levels_.in_place(bands[b])) return nb::none();
    }
    nb::object result = allocated(allocate_, shape_, dtype_object(inputs[0].dtype()));
    PythonArray memory;
    memory.open_result(result);
    ArrayView<T> out;
    memory.view(out);
    run_released(sizeof(T) * static_cast<double>(numbers_of(out)), [&] {
      merge_levels(kernels->of<T>(), levels_.levels(), bands.data(), out);
    });
    return result;
  }

  Levels levels_;
  std::vector<bool> present_;
  std::size_t given_;
  nb::object allocate_, shape_;
  InputShapes shapes_;
};

}  // namespace

void bind_circular(nb::module_& m, const Kernels& chosen) {
  kernels = chosen.filters;
  nb::class_<CircularAnalysis>(m, "CircularAnalysis")
      .def(nb::init<const std::vector<LevelArgument>&, bool, nb::object, nb::object>(),
           nb::arg("levels"), nb::arg("keep"), nb::arg("allocate").none(), nb::arg("shape"))
      .def("run", &CircularAnalysis::run)
      .def("results", &CircularAnalysis::results);
  nb::class_<CircularSynthesis>(m, "CircularSynthesis")
      .def(nb::init<const std::vector<LevelArgument>&, const std::vector<std::vector<bool>>&,
                    nb::object, nb::object>(),
           nb::arg("levels"), nb::arg("present"), nb::arg("allocate").none(), nb::arg("shape"))
      .def("run", &CircularSynthesis::run)
      .def("results", &CircularSynthesis::results);
}

}  // namespace liftwave
