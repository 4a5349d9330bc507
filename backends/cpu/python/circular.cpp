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
#include "python/circular_arguments.hpp"
#include "python/gil.hpp"
#include "python/whole_arrays.hpp"

namespace liftwave {
namespace {

// The kernels of the instruction set in use.
const FilterTable* kernels = nullptr;

// What both directions have in common: the axes of all levels.
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
  std::size_t size() const { return levels_.counts.size(); }

  // The number of bands of all levels, and of one of them.
  std::size_t bands() const { return bands_; }
  std::size_t bands(std::size_t level) const { return std::size_t{1} << levels_.counts[level]; }

  // Whether a result has the shape of bands, or their first samples along the axis of all levels.
  bool fits(const PythonArray& result, const PythonArray& like) const {
    if (result.ndim() != like.ndim()) return false;
    const int axis = levels_.axes.front().axis;
    const bool is_only = std::all_of(levels_.axes.begin(), levels_.axes.end(),
                                     [&](const CircularAxis& a) { return a.axis == axis; });
    for (int d = 0; d < like.ndim(); ++d) {
      const bool may_be_shorter = is_only && d == axis && result.shape()[d] < like.shape()[d];
      if (result.shape()[d] != like.shape()[d] && !may_be_shorter) return false;
    }
    return true;
  }

  // Whether an array is contiguous from the first axis on. Its axes must have the plan's lengths.
  template <class T>
  bool in_place(const ArrayView<T>& a) const {
    int first = a.ndim;
    for (const CircularAxis& axis : levels_.axes) {
      require(axis.axis < a.ndim && a.shape[axis.axis] == axis.n, "an array does not fit its plan");
      first = std::min(first, axis.axis);
    }
    return is_contiguous_from(a, first);
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
  // `memory`: the bands of a transform of one shape (see `Analysis`). None for one level along one
  // axis of arrays of any shape. `shapes`: that of the signal, or None.
  CircularAnalysis(const std::vector<LevelArgument>& arguments, nb::object memory, nb::object shapes)
      : levels_(arguments), memory_object_(std::move(memory)), shapes_(shapes) {
    if (memory_object_.is_none()) {
      require(levels_.bands() == 2, "levels have no memory");
    } else {
      memory_ = nb::cast<const BandMemory*>(memory_object_);
      require(memory_->size() == levels_.bands() - levels_.size() + 1,
              "bands do not match their memory");
    }
  }

  // All bands: the approximation, then the details, coarsest level first. None if `x` is not plain
  // or not of this shape.
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
    BandMemory::Arrays out(memory_ ? memory_->size() : 2);
    const nb::object results = memory_ ? memory_->allocate(dtype_object(x.dtype()), out) : pair(x, out);
    const index_t numbers = numbers_of(in);
    InlineArray<ArrayView<T>, 4> bands(levels_.bands());
    lay_out_bands(bands.data(), in, out, levels_.size(),
                  [&](std::size_t level) { return levels_.bands(level); });
    run_released(sizeof(T) * static_cast<double>(numbers), [&] {
      split_levels(kernels->of<T>(), levels_.levels(), in, bands.data());
    });
    return results;
  }

  // A list of two new arrays like `x`.
  static nb::object pair(const PythonArray& x, BandMemory::Arrays& out) {
    nb::list bands;
    for (std::size_t b = 0; b < 2; ++b) {
      nb::object band = allocated(nb::none(), tuple_of(x.shape(), x.ndim()), dtype_object(x.dtype()));
      out[b].open_result(band);
      bands.append(band);
    }
    return std::move(bands);
  }

  Levels levels_;
  nb::object memory_object_;
  const BandMemory* memory_ = nullptr;
  InputShapes shapes_;
};

// Levels of a synthesis, coarsest first.
class CircularSynthesis {
 public:
  // `present`: which bands of each level are arguments, by key. The approximation of a level is the
  // result of the level before; only the first can have one as an argument. `shapes`: those of the
  // bands, or None.
  CircularSynthesis(const std::vector<LevelArgument>& arguments,
                    const std::vector<std::vector<bool>>& present, nb::object allocate,
                    nb::object shapes)
      : levels_(arguments), present_(flat(present)),
        given_(static_cast<std::size_t>(std::count(present_.begin(), present_.end(), true))),
        allocate_(std::move(allocate)), shapes_(shapes) {
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
    Inputs inputs(given_);
    if (!open(bands, inputs)) return nb::none();
    return run_on(inputs, nb::none());
  }

  // The same array in a list.
  nb::object results(nb::handle bands) const { return listed(run(bands)); }

  // The same, written to `out`, which is C-contiguous and may have the first samples only (see
  // `merge_levels`); None if a band or `out` is not plain.
  nb::object write(nb::handle bands, nb::handle out) const {
    Inputs inputs(given_);
    PythonArray result;
    if (!open(bands, inputs) || !result.open(out, PyBUF_WRITABLE)) return nb::none();
    if (result.dtype() != inputs[0].dtype()) return nb::none();
    require(levels_.fits(result, inputs[0]), "arrays have different shapes");
    return run_on(inputs, nb::borrow(out));
  }

 private:
  using Inputs = InlineArray<PythonArray, 8>;

  bool open(nb::handle bands, Inputs& inputs) const {
    const Py_ssize_t size = PySequence_Size(bands.ptr());
    if (size < 0) throw nb::python_error();
    require(static_cast<std::size_t>(size) == given_, "not the bands of the plan");
    if (!open_all(bands, inputs)) return false;
    for (std::size_t i = 0; i < given_; ++i) {
      if (inputs[i].dtype() != inputs[0].dtype()) return false;
    }
    return inputs[0].is_floating() && shapes_.fit(inputs.data());
  }

  nb::object run_on(const Inputs& inputs, nb::object out) const {
    return inputs[0].is_single() ? run_as<float>(inputs, std::move(out))
                                 : run_as<double>(inputs, std::move(out));
  }

  static std::vector<bool> flat(const std::vector<std::vector<bool>>& levels) {
    std::vector<bool> all;
    for (const auto& level : levels) all.insert(all.end(), level.begin(), level.end());
    return all;
  }

  // The result, in new memory if `result` is None.
  template <class T>
  nb::object run_as(const Inputs& inputs, nb::object result) const {
    InlineArray<ArrayView<const T>, 4> bands(present_.size());
    const PythonArray& like = inputs[0];
    std::size_t next = 0;
    for (std::size_t b = 0; b < present_.size(); ++b) {
      if (!present_[b]) continue;
      const PythonArray& input = inputs[next++];
      require_same_shape(input, like);
      input.view(bands[b]);
      if (!levels_.in_place(bands[b])) return nb::none();
    }
    if (result.is_none()) {
      result = allocated(allocate_, tuple_of(like.shape(), like.ndim()), dtype_object(like.dtype()));
    }
    PythonArray memory;
    memory.open_result(result);
    ArrayView<T> out;
    memory.view(out);
    require(is_contiguous(out), "results must be C-contiguous");
    run_released(sizeof(T) * static_cast<double>(numbers_of(out)), [&] {
      merge_levels(kernels->of<T>(), levels_.levels(), bands.data(), out);
    });
    return result;
  }

  Levels levels_;
  std::vector<bool> present_;
  std::size_t given_;
  nb::object allocate_;
  InputShapes shapes_;
};

// The gradient of one level along one axis with respect to its taps, without their factor.
class CircularTapGradients {
 public:
  explicit CircularTapGradients(const LevelArgument& level) : levels_({level}) {
    require(level.size() == 1, "gradients are those of one axis");
  }

  // An array of double precision, one row of taps per cotangent; None if an array is not plain.
  nb::object run(nb::handle x, nb::handle cotangents) const {
    const Py_ssize_t count = PySequence_Size(cotangents.ptr());
    if (count < 0) throw nb::python_error();
    InlineArray<PythonArray, 4> inputs(static_cast<std::size_t>(count) + 1);
    if (!inputs[0].open(x) || !inputs[0].is_floating() || !open_all(cotangents, inputs, 1)) return nb::none();
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      if (inputs[i].dtype() != inputs[0].dtype()) return nb::none();
      require_same_shape(inputs[i], inputs[0]);
    }
    return inputs[0].is_single() ? run_as<float>(inputs) : run_as<double>(inputs);
  }

 private:
  template <class T>
  nb::object run_as(const InlineArray<PythonArray, 4>& inputs) const {
    InlineArray<ArrayView<const T>, 4> arrays(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      inputs[i].view(arrays[i]);
      if (!levels_.in_place(arrays[i])) return nb::none();
    }
    const CircularAxis& axis = levels_.levels().axes[0];
    const index_t shape[] = {static_cast<index_t>(inputs.size()) - 1, axis.taps()};
    nb::object result = allocated(nb::none(), tuple_of(shape, 2), dtype_object(DType::float64));
    PythonArray out;
    out.open_result(result);
    run_released(sizeof(T) * static_cast<double>(numbers_of(arrays[0])), [&] {
      kernels->of<T>().circular_tap_gradients(arrays.data(), static_cast<int>(shape[0]), axis,
                                              reinterpret_cast<double*>(out.data()));
    });
    return result;
  }

  Levels levels_;
};

}  // namespace

void bind_circular(nb::module_& m, const Kernels& chosen) {
  kernels = chosen.filters;
  nb::class_<CircularAnalysis>(m, "CircularAnalysis")
      .def(nb::init<const std::vector<LevelArgument>&, nb::object, nb::object>(), nb::arg("levels"),
           nb::arg("memory").none(), nb::arg("shapes").none() = nb::none())
      .def("run", &CircularAnalysis::run)
      .def("results", &CircularAnalysis::results);
  nb::class_<CircularSynthesis>(m, "CircularSynthesis")
      .def(nb::init<const std::vector<LevelArgument>&, const std::vector<std::vector<bool>>&,
                    nb::object, nb::object>(),
           nb::arg("levels"), nb::arg("present"), nb::arg("allocate").none(),
           nb::arg("shapes").none() = nb::none())
      .def("run", &CircularSynthesis::run)
      .def("results", &CircularSynthesis::results)
      .def("write", &CircularSynthesis::write);
  nb::class_<CircularTapGradients>(m, "CircularTapGradients")
      .def(nb::init<const LevelArgument&>(), nb::arg("level"))
      .def("run", &CircularTapGradients::run);
}

}  // namespace liftwave
