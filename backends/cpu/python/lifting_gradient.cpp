// Python bindings of the derivative of lifting: take plans, then arrays, and return arrays.
#include "lifting/gradient.hpp"

#include <nanobind/stl/vector.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "common/require.hpp"
#include "python/arrays.hpp"
#include "python/bindings.hpp"
#include "python/gil.hpp"
#include "python/lifting_groups.hpp"

namespace liftwave {

namespace {

// The kernels of the instruction set in use.
GradientTable table = nullptr;

// The adjoint of the derivative of lifting along one axis, computed from the outputs of lifting.
class LiftPullback {
 public:
  // `undoing` computes the inputs from the outputs, `transposed` their cotangents.
  LiftPullback(int axis, nb::object undoing, nb::object transposed, nb::object allocate)
      : axis_(axis),
        undoing_(std::move(undoing)),
        transposed_(std::move(transposed)),
        allocate_(std::move(allocate)),
        plan_{axis, nb::cast<const LiftPlan*>(undoing_), nb::cast<const LiftPlan*>(transposed_)} {}

  // The inputs, their cotangents, and the gradients of all taps and of the two scales, in the order
  // of `undoing`. None if an array is not plain. An analysis has two outputs, a synthesis one.
  nb::object run(nb::handle outputs, nb::handle cotangents) const {
    const Py_ssize_t count = PySequence_Size(outputs.ptr());
    if (count < 0) throw nb::python_error();
    require(count == 1 || count == 2, "one or two outputs are expected");
    require(PySequence_Size(cotangents.ptr()) == count, "there is a cotangent for each output");
    InlineArray<PythonArray, 2> values(static_cast<std::size_t>(count)), given(values.size());
    if (!open_all(outputs, values) || !open_all(cotangents, given)) return nb::none();
    return pull(values, given);
  }

 private:
  using Arrays = InlineArray<PythonArray, 2>;

  nb::object pull(const Arrays& values, const Arrays& given) const {
    const bool merges = values.size() == 2;
    const ArrayRef like = values[0].ref();
    require(axis_ >= 0 && static_cast<std::size_t>(axis_) < like.shape.size(), "the axis does not exist");
    InlineArray<PythonArray, 4> memory(4);
    std::vector<ArrayRef> results[2];
    nb::list lists[2];
    for (int which : {0, 1}) {
      for (int channel = 0; channel < (merges ? 1 : 2); ++channel) {
        ArrayRef& array = results[which].emplace_back();
        array.shape = like.shape;
        array.shape.at(static_cast<std::size_t>(axis_)) =
            merges ? plan_.values->n() : plan_.values->length(channel);
        PythonArray& at = memory[static_cast<std::size_t>(2 * which + channel)];
        lists[which].append(allocated_for(array, allocate_, dtype_object(like.dtype), at));
      }
    }
    const LiftedPair pairs[2] = {pair_of(values, results[0]), pair_of(given, results[1])};
    std::vector<double> gradients(static_cast<std::size_t>(plan_.values->tap_count() + 2));
    run_released(bytes_of(like), [&] {
      lift_gradient(pairs[0], pairs[1], plan_, merges, gradients.data(), table);
    });
    return nb::make_tuple(lists[0], lists[1], gradients);
  }

  static LiftedPair pair_of(const Arrays& outputs, const std::vector<ArrayRef>& inputs) {
    if (outputs.size() == 2) return {inputs[0], {outputs[0].ref(), outputs[1].ref()}};
    return {outputs[0].ref(), {inputs[0], inputs[1]}};
  }

  int axis_;
  nb::object undoing_;
  nb::object transposed_;
  nb::object allocate_;
  GradientPlan plan_;
};

}  // namespace

void bind_lifting_gradient(nb::module_& m, const Kernels& chosen) {
  table = chosen.lifting_gradient;
  nb::class_<LiftPullback>(m, "LiftPullback")
      .def(nb::init<int, nb::object, nb::object, nb::object>(), nb::arg("axis"),
           nb::arg("undoing"), nb::arg("transposed"), nb::arg("allocate").none())
      .def("run", &LiftPullback::run);
}

}  // namespace liftwave
