// Python bindings of lifting on the whole grid: take plans, then arrays, and return arrays.
#include "python/bindings.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>
#include <vector>

#include "common/require.hpp"
#include "lifting/whole_levels.hpp"
#include "python/arrays.hpp"
#include "python/gil.hpp"
#include "python/whole_arrays.hpp"

namespace liftwave {
namespace {

// The kernels of the instruction set in use.
const WholeTable* table = nullptr;

// target, subtract, transposed, places, taps, numerators, bits
using StepArgument = std::tuple<int, bool, bool, std::vector<index_t>, std::vector<double>,
                                std::vector<std::int64_t>, int>;
// axis, n, ends, weight, scales, steps
using AxisArgument = std::tuple<int, index_t, int, double, std::array<double, 2>,
                                std::vector<StepArgument>>;
using LevelArgument = std::vector<AxisArgument>;

WholeStep make_step(const StepArgument& argument, index_t n) {
  const auto& [target, subtract, transposed, places, taps, numerators, bits] = argument;
  const std::size_t length = places.size();
  require(length > 0 && (taps.empty() || taps.size() == length) &&
              (numerators.empty() || numerators.size() == length) && target >= 0 && target <= 1 &&
              bits >= 0 && bits < 63 && !(transposed && taps.empty()),
          "a step does not fit its taps");
  for (const index_t place : places) require(-n <= place && place <= n, "a place is too far");
  WholeStep step;
  step.target = target;
  step.subtract = subtract;
  step.transposed = transposed;
  step.bits = bits;
  step.place = places;
  step.f32.assign(taps.begin(), taps.end());
  step.f64 = taps;
  step.i64.assign(numerators.begin(), numerators.end());
  return step;
}

WholeAxis make_axis(const AxisArgument& argument) {
  const auto& [axis, n, ends, weight, scale, steps] = argument;
  require(axis >= 0 && n > 0 && ends >= 0 && ends <= static_cast<int>(Ends::reflected),
          "an axis has no samples or no boundary mode");
  WholeAxis made;
  made.axis = axis;
  made.n = n;
  made.ends = static_cast<Ends>(ends);
  made.weight = weight;
  std::copy(scale.begin(), scale.end(), made.scale);
  for (const StepArgument& step : steps) made.steps.push_back(make_step(step, n));
  made.prepare();
  return made;
}

// What both directions have in common: the axes of all levels.
class Levels {
 public:
  explicit Levels(const std::vector<LevelArgument>& arguments) {
    require(!arguments.empty(), "there are no levels");
    for (const LevelArgument& argument : arguments) {
      require(!argument.empty() && argument.size() < 16, "a level has no axis, or too many");
      for (const AxisArgument& axis : argument) {
        levels_.axes.push_back(make_axis(axis));
        for (const WholeStep& step : levels_.axes.back().steps) {
          has_floats_ = has_floats_ && !step.f64.empty();
          has_integers_ = has_integers_ && !step.i64.empty();
        }
      }
      levels_.counts.push_back(static_cast<int>(argument.size()));
      bands_ += std::size_t{1} << argument.size();
    }
  }

  const WholeLevels& levels() const { return levels_; }
  std::size_t size() const { return levels_.counts.size(); }
  std::size_t bands() const { return bands_; }
  std::size_t bands(std::size_t level) const { return std::size_t{1} << levels_.counts[level]; }

  // Whether an array is contiguous from the first axis on. Its axes must have the plan's lengths.
  template <class T>
  bool in_place(const ArrayView<T>& a, int ndim) const {
    int first = ndim;
    for (const WholeAxis& axis : levels_.axes) {
      require(axis.axis < ndim && a.shape[axis.axis] == axis.n, "an array does not fit its plan");
      first = std::min(first, axis.axis);
    }
    return is_contiguous_from(a, first);
  }

  // Calls `run` with a number of the type that the kernels compute; None if there is none.
  template <class Run>
  nb::object of_dtype(DType dtype, const Run& run) const {
    const bool floating = dtype >= DType::float32;
    require(floating ? has_floats_ : has_integers_, "steps have no taps of the arrays' kind");
    switch (dtype) {
      case DType::float32:
      case DType::complex64: return run(float{});
      case DType::float64:
      case DType::complex128: return run(double{});
      case DType::int16: return run(std::int16_t{});
      case DType::int32: return run(std::int32_t{});
      case DType::int64: return run(std::int64_t{});
      default: return nb::none();
    }
  }

 private:
  WholeLevels levels_;
  std::size_t bands_ = 0;
  bool has_floats_ = true, has_integers_ = true;
};

// Levels of an analysis. The input of each but the first is the approximation of the one before.
class WholeLiftAnalysis {
 public:
  // `memory`: the bands of a transform of one shape (see `Analysis`). `shapes`: that of the signal.
  WholeLiftAnalysis(const std::vector<LevelArgument>& arguments, nb::object memory, nb::object shapes)
      : levels_(arguments), memory_object_(std::move(memory)),
        memory_(nb::cast<const BandMemory*>(memory_object_)), shapes_(shapes) {
    require(memory_->size() == levels_.bands() - levels_.size() + 1,
            "bands do not match their memory");
  }

  // All bands: the approximation, then the details, coarsest level first. None if `x` is not plain
  // or not of this shape.
  nb::object run(nb::handle x) const {
    PythonArray in;
    if (!in.open(x) || !shapes_.fit(&in)) return nb::none();
    return levels_.of_dtype(in.dtype(), [&](auto number) {
      return run_as<decltype(number)>(in);
    });
  }

  // All floating-point bands of a list of one array.
  nb::object results(nb::handle arrays) const {
    PythonArray in;
    const nb::object x = only(arrays);
    return in.open(x) && in.is_floating() ? run(x) : nb::none();
  }

 private:
  template <class T>
  nb::object run_as(const PythonArray& x) const {
    ArrayView<const T> in;
    x.view(in);
    if (!levels_.in_place(in, x.ndim())) return nb::none();
    BandMemory::Arrays out(memory_->size());
    const nb::object results = memory_->allocate(dtype_object(x.dtype()), out);
    std::vector<ArrayView<T>> bands(levels_.bands());
    lay_out_bands(bands.data(), in, out, levels_.size(),
                  [&](std::size_t level) { return levels_.bands(level); });
    run_released(sizeof(T) * static_cast<double>(numbers_of(in)), [&] {
      split_whole_levels<T>(*table, levels_.levels(), in, bands.data());
    });
    return results;
  }

  Levels levels_;
  nb::object memory_object_;
  const BandMemory* memory_;
  InputShapes shapes_;
};

// Levels of a synthesis, coarsest first.
class WholeLiftSynthesis {
 public:
  // `present`: which bands of each level are arguments, by key. The approximation of a level is the
  // result of the level before; only the first can have one as an argument. `shapes`: those of the
  // bands.
  WholeLiftSynthesis(const std::vector<LevelArgument>& arguments,
                     const std::vector<std::vector<bool>>& present, nb::object allocate,
                     nb::object shapes)
      : levels_(arguments), allocate_(std::move(allocate)), shapes_(shapes) {
    require(present.size() == levels_.size(), "bands do not match the levels");
    for (std::size_t level = 0; level < present.size(); ++level) {
      require(present[level].size() == levels_.bands(level) && (level == 0 || !present[level][0]),
              "bands do not match the axes");
      present_.insert(present_.end(), present[level].begin(), present[level].end());
    }
    const auto first = present[0].begin();
    require(std::find(first, present[0].end(), true) != present[0].end(),
            "the first level has no band");
    given_ = static_cast<std::size_t>(std::count(present_.begin(), present_.end(), true));
  }

  // The array with these bands, in the order of `present`. None if one is not plain.
  nb::object run(nb::handle bands) const {
    Inputs inputs(given_);
    return open(bands, inputs) ? run_on(inputs, nb::none()) : nb::none();
  }

  // The same, written to `out`, which is C-contiguous; None if a band or `out` is not plain.
  nb::object write(nb::handle bands, nb::handle out) const {
    Inputs inputs(given_);
    PythonArray result;
    if (!open(bands, inputs) || !result.open(out, PyBUF_WRITABLE)) return nb::none();
    if (result.dtype() != inputs[0].dtype()) return nb::none();
    require_same_shape(result, inputs[0]);
    return run_on(inputs, nb::borrow(out));
  }

  // The same array in a list, for floating-point bands.
  nb::object results(nb::handle bands) const {
    const nb::object first = nb::steal(PySequence_GetItem(bands.ptr(), 0));
    if (!first.is_valid()) throw nb::python_error();
    PythonArray opened;
    return opened.open(first) && opened.is_floating() ? listed(run(bands)) : nb::none();
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
    return shapes_.fit(inputs.data());
  }

  nb::object run_on(const Inputs& inputs, nb::object out) const {
    return levels_.of_dtype(inputs[0].dtype(), [&](auto number) {
      return run_as<decltype(number)>(inputs, std::move(out));
    });
  }

  // The result, in new memory if `result` is None.
  template <class T>
  nb::object run_as(const Inputs& inputs, nb::object result) const {
    std::vector<ArrayView<const T>> bands(present_.size());
    const PythonArray& like = inputs[0];
    std::size_t next = 0;
    for (std::size_t b = 0; b < present_.size(); ++b) {
      if (!present_[b]) continue;
      const PythonArray& input = inputs[next++];
      require_same_shape(input, like);
      input.view(bands[b]);
      if (!levels_.in_place(bands[b], like.ndim())) return nb::none();
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
      merge_whole_levels<T>(*table, levels_.levels(), bands.data(), out);
    });
    return result;
  }

  Levels levels_;
  std::vector<bool> present_;
  std::size_t given_ = 0;
  nb::object allocate_;
  InputShapes shapes_;
};

// The increment of one step along one axis.
class WholeLiftIncrement {
 public:
  explicit WholeLiftIncrement(const AxisArgument& axis) : levels_({{axis}}) {
    require(levels_.levels().axes.front().steps.size() == 1, "an increment has one step");
  }

  // An array like the source; None if that is not plain.
  nb::object run(nb::handle source) const {
    PythonArray in;
    if (!in.open(source) || !in.is_floating()) return nb::none();
    return levels_.of_dtype(in.dtype(), [&](auto number) {
      return run_as<decltype(number)>(in);
    });
  }

 private:
  template <class T>
  nb::object run_as(const PythonArray& source) const {
    ArrayView<const T> in;
    source.view(in);
    if (!levels_.in_place(in, source.ndim())) return nb::none();
    nb::object result = allocated(nb::none(), tuple_of(source.shape(), source.ndim()),
                                  dtype_object(source.dtype()));
    PythonArray memory;
    memory.open_result(result);
    ArrayView<T> out;
    memory.view(out);
    run_released(sizeof(T) * static_cast<double>(numbers_of(out)), [&] {
      if (numbers_of(out)) kernels_for<T>(*table).increment(levels_.levels().axes.front(), in, out);
    });
    return result;
  }

  Levels levels_;
};

}  // namespace

void bind_whole_lifting(nb::module_& m, const Kernels& chosen) {
  table = chosen.whole_lifting;
  nb::class_<WholeLiftAnalysis>(m, "WholeLiftAnalysis")
      .def(nb::init<const std::vector<LevelArgument>&, nb::object, nb::object>(), nb::arg("levels"),
           nb::arg("memory"), nb::arg("shapes").none())
      .def("run", &WholeLiftAnalysis::run)
      .def("results", &WholeLiftAnalysis::results);
  nb::class_<WholeLiftSynthesis>(m, "WholeLiftSynthesis")
      .def(nb::init<const std::vector<LevelArgument>&, const std::vector<std::vector<bool>>&,
                    nb::object, nb::object>(),
           nb::arg("levels"), nb::arg("present"), nb::arg("allocate").none(),
           nb::arg("shapes").none())
      .def("run", &WholeLiftSynthesis::run)
      .def("results", &WholeLiftSynthesis::results)
      .def("write", &WholeLiftSynthesis::write);
  nb::class_<WholeLiftIncrement>(m, "WholeLiftIncrement")
      .def(nb::init<const AxisArgument&>(), nb::arg("axis"))
      .def("run", &WholeLiftIncrement::run);
}

}  // namespace liftwave
