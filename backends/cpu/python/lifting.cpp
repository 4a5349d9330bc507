// Python bindings of lifting: take plans, then arrays, and return arrays.
#include "python/bindings.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>
#include <vector>

#include "common/parallel.hpp"
#include "common/require.hpp"
#include "lifting/transform.hpp"
#include "python/arrays.hpp"
#include "python/gil.hpp"
#include "python/lifting_groups.hpp"

namespace liftwave {

namespace {

// The kernels of the instruction set in use.
LiftTable table = nullptr;

// --- plans -----------------------------------------------------------------------------------

using Sides = std::array<std::vector<index_t>, 2>;  // left and right rows: index, or -1 for zero
// target, subtract, offset, taps, numerators, bits, extend, fold
using StepArgument = std::tuple<int, bool, index_t, std::vector<double>, std::vector<std::int64_t>,
                                int, Sides, Sides>;

void make_plan(LiftPlan* plan, index_t n, int edge, const std::vector<StepArgument>& steps,
               std::array<index_t, 2> shift, std::array<double, 2> scale) {
  std::vector<StepSpec> specs;
  for (const auto& [target, subtract, offset, taps, numerators, bits, extend, fold] : steps)
    specs.push_back({target, subtract, offset, taps, numerators, bits, extend, fold});
  new (plan) LiftPlan(n, static_cast<Edge>(edge), std::move(specs), shift, scale);
}

// --- transforms ------------------------------------------------------------------------------

// Levels of an analysis. The input of each but the first is the approximation of the one before.
class LiftAnalysis {
 public:
  // `memory`: the bands of a transform of one shape: the approximation first, then the details,
  // coarsest level first. If None, there is one group of one level, arrays may have any shape, and
  // `allocate` creates each band. `shapes`: that of the signal, or None.
  LiftAnalysis(const std::vector<LevelArgument>& levels, nb::object memory, nb::object allocate,
               nb::object shapes)
      : levels_(groups_of(levels)),
        memory_object_(std::move(memory)),
        allocate_(std::move(allocate)),
        shapes_(shapes) {
    if (memory_object_.is_none()) {
      require(levels_.size() == 1 && levels_[0].size() == 1, "levels have no memory");
      return;
    }
    memory_ = nb::cast<const BandMemory*>(memory_object_);
    std::size_t bands = 1;
    for (const auto& groups : levels_) bands += bands_of(groups) - 1;
    require(memory_->size() == bands, "bands do not match their memory");
  }

  // All bands, or None if `x` is not plain or does not have the plan's shape.
  nb::object run(nb::handle x) const { return run_in(x, nb::none()); }

  // The same with bands of another dtype.
  nb::object run_in(nb::handle x, nb::handle dtype) const {
    PythonArray in;
    if (!in.open(x) || !shapes_.fit(&in)) return nb::none();
    return run_opened(in, dtype.is_none() ? dtype_object(in.dtype()) : dtype);
  }

  // All floating-point bands of a list of one array; None as from `run`, and for integers.
  nb::object results(nb::handle arrays) const {
    PythonArray in;
    if (!in.open(only(arrays)) || !in.is_floating() || !shapes_.fit(&in)) return nb::none();
    return run_opened(in, dtype_object(in.dtype()));
  }

 private:
  nb::object run_opened(const PythonArray& in, nb::handle dtype) const {
    const ArrayRef signal = in.ref();
    for (const auto& groups : levels_) {
      for (const Group& group : groups) require(group.has_axes(signal.shape.size()), "an axis does not exist");
    }
    return memory_ ? run_levels(signal, dtype) : run_group(signal, dtype);
  }

  nb::object run_group(const ArrayRef& signal, nb::handle dtype) const {
    const Group& group = levels_[0][0];
    nb::object list = nb::steal(PyList_New(static_cast<Py_ssize_t>(group.bands())));
    std::vector<ArrayRef> bands;
    InlineArray<PythonArray, 4> memory(group.bands());
    for (std::size_t b = 0; b < group.bands(); ++b) {
      ArrayRef& band = bands.emplace_back(band_of(signal, group, b, signal.dtype));
      PyList_SetItem(list.ptr(), static_cast<Py_ssize_t>(b),
                      allocated_for(band, allocate_, dtype, memory[b]).release().ptr());
    }
    run_released(bytes_of(signal), [&] { lift_analysis(signal, group.lifts, bands, table); });
    return list;
  }

  nb::object run_levels(const ArrayRef& signal, nb::handle dtype) const {
    BandMemory::Arrays out(memory_->size());
    const nb::object results = memory_->allocate(dtype, out);
    run_released(bytes_of(signal), [&] {
      Scratch scratch;
      const ArrayRef* source = &signal;
      ArrayRef approx;
      std::size_t detail = memory_->size();  // the coarsest level's come first
      for (const auto& groups : levels_) {
        detail -= bands_of(groups) - 1;
        approx = run_level(*source, groups, &groups == &levels_.back(), detail, out, scratch);
        source = &approx;
      }
    });
    return results;
  }

  // The approximation of a level.
  ArrayRef run_level(const ArrayRef& signal, const std::vector<Group>& groups, bool last,
                     std::size_t detail, const BandMemory::Arrays& out, Scratch& scratch) const {
    const auto split = [&](const ArrayRef& array, const Group& group, std::size_t first) {
      std::vector<ArrayRef> bands;
      bands.reserve(group.bands());
      for (std::size_t b = 0; b < group.bands(); ++b) {
        ArrayRef& band = bands.emplace_back(band_of(array, group, b, out[0].dtype()));
        const std::size_t number = first + b;
        if (&group != &groups.back() || (number == 0 && !last)) {
          take(band, scratch);
        } else {
          put(band, out[number == 0 ? 0 : detail + number - 1]);
        }
      }
      lift_analysis(array, group.lifts, bands, table);
      return bands;
    };
    std::vector<ArrayRef> current = split(signal, groups[0], 0);
    for (std::size_t g = 1; g < groups.size(); ++g) {
      std::vector<ArrayRef> next;
      for (const ArrayRef& array : current) {
        const std::vector<ArrayRef> bands = split(array, groups[g], next.size());
        next.insert(next.end(), bands.begin(), bands.end());
      }
      std::swap(current, next);
    }
    return current[0];
  }

  static void put(ArrayRef& band, const PythonArray& memory) {
    require(samples_of(band) == memory.samples(), "a band does not fit its memory");
    place(band, memory.data());
  }

  std::vector<std::vector<Group>> levels_;
  nb::object memory_object_;
  nb::object allocate_;
  const BandMemory* memory_ = nullptr;
  InputShapes shapes_;
};

// Levels of a synthesis. The approximation of each but the first is the result of the one before.
class LiftSynthesis {
 public:
  // Levels coarsest first, their groups in the order of an analysis. `shape` of the result and
  // `shapes` of the bands; None for bands of any shape.
  LiftSynthesis(const std::vector<LevelArgument>& levels, nb::object shape, nb::object allocate,
                nb::object shapes)
      : levels_(groups_of(levels)),
        shape_(std::move(shape)),
        allocate_(std::move(allocate)),
        shapes_(shapes) {
    for (const auto& groups : levels_) given_ += bands_of(groups) - 1;
  }

  // The array with these bands: the approximation, then the details level by level and within a
  // level by key. None if a band is not plain or does not have the plan's shape.
  nb::object run(nb::handle bands) const {
    Inputs inputs(given_);
    return open(bands, inputs) ? run_opened(inputs) : nb::none();
  }

  // The same array in a list. None as from `run`, and unless the bands share one floating dtype.
  nb::object results(nb::handle bands) const {
    Inputs inputs(given_);
    if (!open(bands, inputs) || !inputs[0].is_floating()) return nb::none();
    for (std::size_t i = 1; i < given_; ++i) {
      if (inputs[i].dtype() != inputs[0].dtype()) return nb::none();
    }
    return listed(run_opened(inputs));
  }
  // The same, written to `out`; None if a band or `out` is not plain.
  nb::object write(nb::handle bands, nb::handle out) const {
    Inputs inputs(given_);
    PythonArray memory;
    if (!open(bands, inputs) || !memory.open(out, PyBUF_WRITABLE)) return nb::none();
    if (memory.dtype() != inputs[0].dtype()) return nb::none();
    run_on(inputs, memory, result_of(inputs));
    return nb::borrow(out);
  }

 private:
  using Inputs = InlineArray<PythonArray, 8>;

  bool open(nb::handle bands, Inputs& inputs) const {
    const Py_ssize_t size = PySequence_Size(bands.ptr());
    if (size < 0) throw nb::python_error();
    require(static_cast<std::size_t>(size) == given_, "not the bands of the plan");
    return open_all(bands, inputs) && shapes_.fit(inputs.data());
  }

  nb::object run_opened(const Inputs& inputs) const {
    ArrayRef result = result_of(inputs);
    PythonArray memory;
    nb::object array;
    const nb::handle dtype = dtype_object(inputs[0].dtype());
    if (shape_.is_none()) {
      array = allocated_for(result, allocate_, dtype, memory);
    } else {
      array = allocated(allocate_, shape_, dtype);
      memory.open_result(array);
    }
    run_on(inputs, memory, result);
    return array;
  }

  // The shape of the result.
  ArrayRef result_of(const Inputs& inputs) const {
    ArrayRef result = inputs[0].ref();
    for (const auto& groups : levels_) {
      // In the order of execution: an axis that is lifted twice has the length before both.
      for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
        require(group->has_axes(result.shape.size()), "an axis does not exist");
        result = signal_of(result, *group);
      }
    }
    return result;
  }

  void run_on(const Inputs& inputs, const PythonArray& memory, const ArrayRef& result) const {
    const ArrayRef target = memory.ref();
    require(target.shape == result.shape, "the result does not fit its memory");
    run_released(bytes_of(target), [&] {
      Scratch scratch;
      ArrayRef approx = inputs[0].ref();
      std::size_t next = 1;
      for (const auto& groups : levels_) {
        std::vector<ArrayRef> bands;
        bands.reserve(bands_of(groups));
        bands.push_back(trimmed(approx, groups));
        for (std::size_t b = 1; b < bands_of(groups); ++b) bands.push_back(inputs[next++].ref());
        approx = run_level(bands, groups, &groups == &levels_.back() ? &target : nullptr, scratch);
      }
    });
  }

  // The result of a level, written to `target` if not null.
  static ArrayRef run_level(std::vector<ArrayRef>& current, const std::vector<Group>& groups,
                            const ArrayRef* target, Scratch& scratch) {
    const auto merge = [&](const std::vector<ArrayRef>& bands, const Group& group) {
      ArrayRef signal = signal_of(bands[0], group);
      if (target && &group == &groups.front()) {
        signal = *target;
      } else {
        take(signal, scratch);
      }
      lift_synthesis(bands, group.lifts, signal, table);
      return signal;
    };
    for (auto group = groups.rbegin(); group + 1 != groups.rend(); ++group) {
      std::vector<ArrayRef> next;
      for (std::size_t first = 0; first < current.size(); first += group->bands()) {
        const auto from = current.begin() + static_cast<std::ptrdiff_t>(first);
        next.push_back(merge({from, from + static_cast<std::ptrdiff_t>(group->bands())}, *group));
      }
      std::swap(current, next);
    }
    return merge(current, groups.front());
  }

  // Keeps the first samples along each axis, as many as the plans have.
  static ArrayRef trimmed(const ArrayRef& approx, const std::vector<Group>& groups) {
    ArrayRef part = approx;
    for (const Group& group : groups) {
      for (const AxisLift& lift : group.lifts) {
        index_t& n = part.shape.at(static_cast<std::size_t>(lift.axis));
        n = std::min(n, lift.plan->length(0));
      }
    }
    return part;
  }

  std::vector<std::vector<Group>> levels_;
  std::size_t given_ = 1;
  nb::object shape_;
  nb::object allocate_;
  InputShapes shapes_;
};

}  // namespace

void bind_lifting(nb::module_& m, const Kernels& chosen) {
  table = chosen.lifting;
  // Plans live as long as the plans that refer to them, possibly until the process ends.
  nb::set_leak_warnings(false);
  nb::class_<LiftPlan>(m, "LiftPlan")
      .def("__init__", &make_plan, nb::arg("n"), nb::arg("edge"), nb::arg("steps"),
           nb::arg("shift"), nb::arg("scale"));
  // Functions without argument names are called faster.
  nb::class_<LiftAnalysis>(m, "LiftAnalysis")
      .def(nb::init<const std::vector<LevelArgument>&, nb::object, nb::object, nb::object>(),
           nb::arg("levels"), nb::arg("memory").none(), nb::arg("allocate").none(),
           nb::arg("shapes").none() = nb::none())
      .def("run", &LiftAnalysis::run)
      .def("results", &LiftAnalysis::results)
      .def("run_in", &LiftAnalysis::run_in);
  nb::class_<LiftSynthesis>(m, "LiftSynthesis")
      .def(nb::init<const std::vector<LevelArgument>&, nb::object, nb::object, nb::object>(),
           nb::arg("levels"), nb::arg("shape").none(), nb::arg("allocate").none(),
           nb::arg("shapes").none() = nb::none())
      .def("run", &LiftSynthesis::run)
      .def("results", &LiftSynthesis::results)
      .def("write", &LiftSynthesis::write);
}

}  // namespace liftwave
