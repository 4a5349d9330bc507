// Python bindings of pooling: take a plan of windows, then arrays, and return arrays.
#include "python/bindings.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <utility>
#include <vector>

#include "common/require.hpp"
#include "pooling/add_at_places.hpp"
#include "pooling/kernels.hpp"
#include "python/arrays.hpp"
#include "python/gil.hpp"

namespace liftwave {

namespace {

// The kernels of the instruction set in use.
const PoolTable* table = nullptr;

// --- arrays ----------------------------------------------------------------------------------

// The member with the number of windows, or of samples, along an axis.
using Sizes = index_t WindowAxis::*;

template <class T>
void require_shape(const ArrayView<T>& a, const WindowPlan& plan, index_t planes, Sizes sizes) {
  bool fits = a.ndim == plan.ndim() + 1 && a.shape[0] == planes;
  for (int d = 0; fits && d < plan.ndim(); ++d) fits = a.shape[d + 1] == plan.axes[d].*sizes;
  require(fits, "an array does not fit the plan");
}

// --- calls -----------------------------------------------------------------------------------

// A plan of windows, and the kind of weights.
class Pooling {
 public:
  using AxisArgument = std::array<index_t, 6>;  // in the order of WindowAxis

  Pooling(const std::vector<AxisArgument>& axes, int weights, double delta, bool average,
          nb::object allocate, bool channels_last)
      : plan_(axes_of(axes), channels_last), weights_(static_cast<Weights>(weights)), delta_(delta),
        average_(average), allocate_(std::move(allocate)) {
    require(0 <= weights && weights < weights_count, "unknown weights");
  }

  // All functions return None if an array is not plain.
  nb::object pool(nb::handle x, nb::handle beta) const {
    return run(x, beta, nb::none(), nb::none(), &WindowAxis::outputs, [&](auto& call) -> nb::object {
      using T = typename std::decay_t<decltype(call)>::Number;
      const auto to = result<T>(call, &WindowAxis::outputs);
      released(call, [&] { table->of<T>().pool(call, to.data()); });
      return to.array();
    });
  }

  // The cotangents of `x` and of `beta`; the latter is None if `beta` is.
  nb::object pool_vjp(nb::handle x, nb::handle beta, nb::handle cotangent) const {
    return run(x, beta, nb::none(), cotangent, &WindowAxis::outputs, [&](auto& call) -> nb::object {
      using T = typename std::decay_t<decltype(call)>::Number;
      const auto to = result<T>(call, &WindowAxis::inputs);
      const auto to_beta = result_for_beta<T>(call);
      released(call, [&] { table->of<T>().pool_vjp(call, to.data(), to_beta.data()); });
      return nb::make_tuple(to.array(), to_beta.array());
    });
  }

  nb::object unpool(nb::handle x, nb::handle beta, nb::handle pooled) const {
    return run(x, beta, pooled, nb::none(), &WindowAxis::inputs, [&](auto& call) -> nb::object {
      using T = typename std::decay_t<decltype(call)>::Number;
      const auto to = result<T>(call, &WindowAxis::inputs);
      released(call, [&] { table->of<T>().unpool(call, to.data()); });
      return to.array();
    });
  }

  // The cotangents of `x`, of `pooled` and of `beta`; the latter is None if `beta` is.
  nb::object unpool_vjp(nb::handle x, nb::handle beta, nb::handle pooled, nb::handle cotangent) const {
    return run(x, beta, pooled, cotangent, &WindowAxis::inputs, [&](auto& call) -> nb::object {
      using T = typename std::decay_t<decltype(call)>::Number;
      const auto to = result<T>(call, &WindowAxis::inputs);
      const auto to_pooled = result<T>(call, &WindowAxis::outputs);
      const auto to_beta = result_for_beta<T>(call);
      released(call, [&] {
        table->of<T>().unpool_vjp(call, to.data(), to_pooled.data(), to_beta.data());
      });
      return nb::make_tuple(to.array(), to_pooled.array(), to_beta.array());
    });
  }

  // The largest numbers and their places.
  nb::object max_pool(nb::handle x) const {
    return run(x, nb::none(), nb::none(), nb::none(), &WindowAxis::outputs, [&](auto& call) -> nb::object {
      using T = typename std::decay_t<decltype(call)>::Number;
      const auto to = result<T>(call, &WindowAxis::outputs);
      const auto at = result<std::int64_t>(call, &WindowAxis::outputs);
      released(call, [&] { table->of<T>().max_pool(call, to.data(), at.data()); });
      return nb::make_tuple(to.array(), at.array());
    });
  }

 private:
  template <class T>
  struct Call : PoolCall<T> {
    using Number = T;
  };

  static std::vector<WindowAxis> axes_of(const std::vector<AxisArgument>& arguments) {
    std::vector<WindowAxis> axes;
    for (const auto& [kernel, stride, padding, dilation, inputs, outputs] : arguments) {
      axes.push_back({kernel, stride, padding, dilation, inputs, outputs});
    }
    return axes;
  }

  // A result of the plan's shape.
  template <class T, class Number>
  Result<T> result(const Call<Number>& call, Sizes sizes) const {
    SmallVector<index_t, 6> shape;
    shape.push_back(call.x.shape[0]);
    for (const WindowAxis& axis : plan_.axes) shape.push_back(axis.*sizes);
    return {allocate_, shape.begin(), static_cast<int>(shape.size())};
  }

  template <class T>
  Result<T> result_for_beta(const Call<T>& call) const {
    if (!call.beta.data) return {};
    return result<T>(call, &WindowAxis::outputs);
  }

  template <class T, class F>
  static void released(const Call<T>& call, const F& work) {
    const index_t numbers = numbers_of(call.x);
    if (numbers > 0) run_released(sizeof(T) * static_cast<double>(numbers), work);
  }

  template <class F>
  nb::object run(nb::handle x, nb::handle beta, nb::handle pooled, nb::handle cotangent,
                 Sizes of_cotangent, const F& function) const {
    const nb::handle objects[] = {x, beta, pooled, cotangent};
    PythonArray arrays[4];
    for (int i = 0; i < 4; ++i) {
      if (objects[i].is_none()) continue;
      if (!arrays[i].open(objects[i]) || arrays[i].dtype() != arrays[0].dtype()) return nb::none();
    }
    require(!x.is_none(), "there is no signal");
    switch (arrays[0].dtype()) {
      case DType::float32: return run_as<float>(objects, arrays, of_cotangent, function);
      case DType::float64: return run_as<double>(objects, arrays, of_cotangent, function);
      default: return nb::none();
    }
  }

  template <class T, class F>
  nb::object run_as(const nb::handle* objects, const PythonArray* arrays, Sizes of_cotangent,
                    const F& function) const {
    Call<T> call;
    call.plan = &plan_;
    call.weights = weights_;
    call.delta = static_cast<T>(delta_);
    call.average = average_;
    ArrayView<const T>* views[] = {&call.x, &call.beta, &call.pooled, &call.cotangent};
    for (int i = 0; i < 4; ++i) {
      if (!objects[i].is_none()) arrays[i].view(*views[i]);
    }
    require(call.x.ndim == plan_.ndim() + 1, "an array does not fit the plan");
    const index_t planes = call.x.shape[0];
    require_shape(call.x, plan_, planes, &WindowAxis::inputs);
    if (call.pooled.data) require_shape(call.pooled, plan_, planes, &WindowAxis::outputs);
    if (call.cotangent.data) require_shape(call.cotangent, plan_, planes, of_cotangent);
    require((weights_ == Weights::ada) == (call.beta.data != nullptr), "beta belongs to ada");
    if (call.beta.data) spread(call.beta, planes);
    return function(call);
  }

  // Repeats a beta that all windows of a plane share.
  template <class T>
  void spread(ArrayView<const T>& beta, index_t planes) const {
    bool fits = beta.ndim == plan_.ndim() + 1 && beta.shape[0] > 0 && planes % beta.shape[0] == 0;
    for (int d = 1; fits && d < beta.ndim; ++d) {
      if (beta.shape[d] == 1) beta.stride[d] = 0;
      else fits = beta.shape[d] == plan_.axes[d - 1].outputs;
    }
    require(fits, "beta does not fit the windows");
  }

  WindowPlan plan_;
  Weights weights_;
  double delta_;
  bool average_;
  nb::object allocate_;
};

// --- functions without a plan ------------------------------------------------------------------

template <class T>
T* flat(const PythonArray& array, index_t& count) {
  ArrayView<T> view;
  array.view(view);
  require(is_contiguous(view), "arrays are C-contiguous here");
  count = numbers_of(view);
  return view.data;
}

template <class T>
void add_as(const PythonArray& numbers, const PythonArray& places, const PythonArray& result,
            index_t planes, index_t channels) {
  index_t given, named, samples;
  const T* from = flat<const T>(numbers, given);
  const std::int64_t* at = flat<const std::int64_t>(places, named);
  T* to = flat<T>(result, samples);
  const index_t lines = planes * channels;
  require(planes > 0 && channels > 0 && given == named && given % lines == 0 && samples % lines == 0,
          "there has to be one place for each number");
  bool sound;
  run_released(sizeof(T) * static_cast<double>(given), [&] {
    sound = add_at_places(from, at, planes, given / lines, samples / lines, channels, to);
  });
  require(sound, "a place is outside of the plane");
}

void open(PythonArray& array, nb::handle object, int flags = 0) {
  if (!array.open(object, flags)) throw nb::type_error("expected a plain array");
}

void add_to_places(nb::handle numbers, nb::handle places, nb::handle result, index_t planes,
                   index_t channels) {
  PythonArray from, at, to;
  open(from, numbers);
  open(at, places);
  open(to, result, PyBUF_WRITABLE);
  if (from.dtype() != to.dtype()) throw nb::type_error("dtypes do not match");
  if (at.dtype() != DType::int64) throw nb::type_error("places are int64");
  if (from.dtype() == DType::float32) return add_as<float>(from, at, to, planes, channels);
  if (from.dtype() == DType::float64) return add_as<double>(from, at, to, planes, channels);
  throw nb::type_error("expected float32 or float64");
}

template <class T>
void exponentials_as(const PythonArray& x, const PythonArray& result) {
  index_t count, room;
  const T* from = flat<const T>(x, count);
  T* to = flat<T>(result, room);
  require(count == room, "there has to be room for each number");
  table->of<T>().exponentials(from, count, to);
}

void exponentials(nb::handle x, nb::handle result) {
  PythonArray from, to;
  open(from, x);
  open(to, result, PyBUF_WRITABLE);
  if (from.dtype() != to.dtype()) throw nb::type_error("dtypes do not match");
  if (from.dtype() == DType::float32) return exponentials_as<float>(from, to);
  if (from.dtype() == DType::float64) return exponentials_as<double>(from, to);
  throw nb::type_error("expected float32 or float64");
}

}  // namespace

void bind_pooling(nb::module_& m, const Kernels& chosen) {
  table = chosen.pooling;
  nb::class_<Pooling>(m, "Pooling")
      .def(nb::init<const std::vector<Pooling::AxisArgument>&, int, double, bool, nb::object,
                    bool>(),
           nb::arg("axes"), nb::arg("weights"), nb::arg("delta"), nb::arg("average"),
           nb::arg("allocate").none() = nb::none(), nb::arg("channels_last") = false)
      .def("pool", &Pooling::pool, nb::arg("x"), nb::arg("beta").none())
      .def("pool_vjp", &Pooling::pool_vjp, nb::arg("x"), nb::arg("beta").none(),
           nb::arg("cotangent"))
      .def("unpool", &Pooling::unpool, nb::arg("x"), nb::arg("beta").none(), nb::arg("pooled"))
      .def("unpool_vjp", &Pooling::unpool_vjp, nb::arg("x"), nb::arg("beta").none(),
           nb::arg("pooled"), nb::arg("cotangent"))
      .def("max_pool", &Pooling::max_pool, nb::arg("x"));
  m.def("add_to_places", &add_to_places, nb::arg("numbers"), nb::arg("places"),
        nb::arg("result"), nb::arg("planes"), nb::arg("channels") = 1);
  m.def("exponentials", &exponentials, nb::arg("x"), nb::arg("result"));
}

}  // namespace liftwave
