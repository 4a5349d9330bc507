// Python bindings of pooling: arrays in, a plan of windows in, results into arrays that Python
// allocated.
#include "liftwave/pooling_module.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "liftwave/pooling.hpp"

namespace nb = nanobind;

namespace liftwave {

namespace baseline {
extern const PoolTable pool_table;
}
#if defined(LIFTWAVE_X86_LEVELS)
namespace avx2 {
extern const PoolTable pool_table;
}
namespace avx512 {
extern const PoolTable pool_table;
}
#endif

namespace {

const PoolTable* table = &baseline::pool_table;

void choose_table(const std::string& isa) {
#if defined(LIFTWAVE_X86_LEVELS)
  if (isa == "avx2") table = &avx2::pool_table;
  if (isa == "avx512") table = &avx512::pool_table;
#endif
  (void)isa;
}

// --- arrays ----------------------------------------------------------------------------------

void require(bool sound, const char* what) {
  if (!sound) throw std::invalid_argument(std::string("pooling: ") + what);
}

// The memory of a Python array, or of None: no memory.
class Buffer {
 public:
  explicit Buffer(nb::handle object, int flags = 0) {
    buffer_.obj = nullptr;
    if (object.is_none()) return;
    if (PyObject_GetBuffer(object.ptr(), &buffer_, flags | PyBUF_FORMAT | PyBUF_STRIDES) != 0) {
      throw nb::python_error();
    }
  }
  ~Buffer() { PyBuffer_Release(&buffer_); }  // does nothing for None
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  bool none() const { return !buffer_.obj; }

  // The type of the numbers, as the struct module names it; a prefix says how they are aligned.
  char type() const {
    const char* format = buffer_.format;
    if (*format == '=' || *format == '^' || *format == '@') ++format;
    return format[0] && !format[1] ? format[0] : '?';
  }

  // An array of shape (planes, *sizes); false where its numbers are not aligned.
  template <class T>
  bool view(ArrayView<T>& to) const {
    constexpr index_t size = sizeof(T);
    if (none()) return true;
    require(buffer_.itemsize == size, "dtypes do not match");
    require(buffer_.ndim < max_dimensions, "too many dimensions");
    if (reinterpret_cast<std::size_t>(buffer_.buf) % alignof(T)) return false;
    to.data = static_cast<T*>(buffer_.buf);
    to.ndim = buffer_.ndim;
    for (int d = 0; d < buffer_.ndim; ++d) {
      if (buffer_.strides[d] % size && buffer_.shape[d] > 1) return false;
      to.shape[d] = buffer_.shape[d];
      to.stride[d] = buffer_.strides[d] / size;
    }
    return true;
  }

 private:
  Py_buffer buffer_;
};

// The sizes of windows, or of samples, along the spatial axes.
using Sizes = index_t WindowAxis::*;

template <class T>
void require_shape(const ArrayView<T>& a, const WindowPlan& plan, index_t planes, Sizes sizes) {
  bool fits = a.ndim == plan.ndim() + 1 && a.shape[0] == planes;
  for (int d = 0; fits && d < plan.ndim(); ++d) fits = a.shape[d + 1] == plan.axes[d].*sizes;
  require(fits, "an array does not fit the plan");
}

// A result: C-contiguous, and of the plan's shape.
template <class T>
class Result {
 public:
  Result(nb::handle object, const WindowPlan& plan, index_t planes, Sizes sizes)
      : buffer_(object, PyBUF_WRITABLE) {
    if (buffer_.none()) return;
    require(buffer_.view(view_) && is_contiguous(view_), "results are C-contiguous");
    require_shape(view_, plan, planes, sizes);
  }
  T* data() const { return view_.data; }

 private:
  Buffer buffer_;
  ArrayView<T> view_{};
};

// --- calls -----------------------------------------------------------------------------------

// A plan of windows, and how their samples are weighed.
class Pooling {
 public:
  using AxisArgument = std::array<index_t, 6>;  // in the order of WindowAxis

  Pooling(const std::vector<AxisArgument>& axes, int weights, double delta, bool average)
      : plan_(axes_of(axes)), weights_(static_cast<Weights>(weights)), delta_(delta),
        average_(average) {
    require(0 <= weights && weights < weights_count, "unknown weights");
  }

  // All functions: false where arrays cannot be read in place; nothing was done then.
  bool pool(nb::handle x, nb::handle beta, nb::handle result) const {
    return run(x, beta, nb::none(), nb::none(), &WindowAxis::outputs, [&](auto& call) {
      using T = typename std::decay_t<decltype(call)>::Number;
      const Result<T> to(result, plan_, call.x.shape[0], &WindowAxis::outputs);
      released(call, [&] { table->of<T>().pool(call, to.data()); });
    });
  }

  bool pool_vjp(nb::handle x, nb::handle beta, nb::handle cotangent, nb::handle of_x,
                nb::handle of_beta) const {
    return run(x, beta, nb::none(), cotangent, &WindowAxis::outputs, [&](auto& call) {
      using T = typename std::decay_t<decltype(call)>::Number;
      const index_t planes = call.x.shape[0];
      const Result<T> to(of_x, plan_, planes, &WindowAxis::inputs);
      const Result<T> to_beta(of_beta, plan_, planes, &WindowAxis::outputs);
      released(call, [&] { table->of<T>().pool_vjp(call, to.data(), to_beta.data()); });
    });
  }

  bool unpool(nb::handle x, nb::handle beta, nb::handle pooled, nb::handle result) const {
    return run(x, beta, pooled, nb::none(), &WindowAxis::inputs, [&](auto& call) {
      using T = typename std::decay_t<decltype(call)>::Number;
      const Result<T> to(result, plan_, call.x.shape[0], &WindowAxis::inputs);
      released(call, [&] { table->of<T>().unpool(call, to.data()); });
    });
  }

  bool unpool_vjp(nb::handle x, nb::handle beta, nb::handle pooled, nb::handle cotangent,
                  nb::handle of_x, nb::handle of_pooled, nb::handle of_beta) const {
    return run(x, beta, pooled, cotangent, &WindowAxis::inputs, [&](auto& call) {
      using T = typename std::decay_t<decltype(call)>::Number;
      const index_t planes = call.x.shape[0];
      const Result<T> to(of_x, plan_, planes, &WindowAxis::inputs);
      const Result<T> to_pooled(of_pooled, plan_, planes, &WindowAxis::outputs);
      const Result<T> to_beta(of_beta, plan_, planes, &WindowAxis::outputs);
      released(call, [&] {
        table->of<T>().unpool_vjp(call, to.data(), to_pooled.data(), to_beta.data());
      });
    });
  }

  bool max_pool(nb::handle x, nb::handle result, nb::handle places) const {
    return run(x, nb::none(), nb::none(), nb::none(), &WindowAxis::outputs, [&](auto& call) {
      using T = typename std::decay_t<decltype(call)>::Number;
      const index_t planes = call.x.shape[0];
      const Result<T> to(result, plan_, planes, &WindowAxis::outputs);
      const Result<std::int64_t> at(places, plan_, planes, &WindowAxis::outputs);
      released(call, [&] { table->of<T>().max_pool(call, to.data(), at.data()); });
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

  template <class T, class F>
  static void released(const Call<T>& call, const F& work) {
    if (numbers_of(call.x) == 0) return;  // no planes
    nb::gil_scoped_release released;
    work();
  }

  template <class F>
  bool run(nb::handle x, nb::handle beta, nb::handle pooled, nb::handle cotangent,
           Sizes of_cotangent, const F& function) const {
    const Buffer buffers[] = {Buffer(x), Buffer(beta), Buffer(pooled), Buffer(cotangent)};
    for (const Buffer& each : buffers) {
      if (each.none()) continue;
      if (each.type() != 'f' && each.type() != 'd') throw nb::type_error("expected float32 or float64");
    }
    require(!buffers[0].none(), "there is no signal");
    return buffers[0].type() == 'f' ? run_as<float>(buffers, of_cotangent, function)
                                    : run_as<double>(buffers, of_cotangent, function);
  }

  template <class T, class F>
  bool run_as(const Buffer* buffers, Sizes of_cotangent, const F& function) const {
    Call<T> call;
    call.plan = &plan_;
    call.weights = weights_;
    call.delta = static_cast<T>(delta_);
    call.average = average_;
    ArrayView<const T>* views[] = {&call.x, &call.beta, &call.pooled, &call.cotangent};
    for (int i = 0; i < 4; ++i) {
      if (!buffers[i].view(*views[i])) return false;
    }
    require(call.x.ndim == plan_.ndim() + 1, "an array does not fit the plan");
    const index_t planes = call.x.shape[0];
    require_shape(call.x, plan_, planes, &WindowAxis::inputs);
    if (call.pooled.data) require_shape(call.pooled, plan_, planes, &WindowAxis::outputs);
    if (call.cotangent.data) require_shape(call.cotangent, plan_, planes, of_cotangent);
    require((weights_ == Weights::ada) == (call.beta.data != nullptr), "beta belongs to ada");
    if (call.beta.data) spread(call.beta, planes);
    function(call);
    return true;
  }

  // A beta for all windows of a plane is repeated.
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
};

// --- functions without a plan ------------------------------------------------------------------

template <class T>
T* flat(const Buffer& buffer, index_t& count) {
  ArrayView<T> view;
  require(buffer.view(view) && is_contiguous(view), "arrays are C-contiguous here");
  count = numbers_of(view);
  return view.data;
}

template <class T>
void add_as(const Buffer& numbers, const Buffer& places, const Buffer& result, index_t planes) {
  index_t given, named, samples;
  const T* from = flat<const T>(numbers, given);
  const std::int64_t* at = flat<const std::int64_t>(places, named);
  T* to = flat<T>(result, samples);
  require(given == named && planes > 0 && given % planes == 0 && samples % planes == 0,
          "there has to be one place for each number");
  bool sound;
  {
    nb::gil_scoped_release released;
    sound = add_at_places(from, at, planes, given / planes, samples / planes, to);
  }
  require(sound, "a place is outside of the plane");
}

void add_to_places(nb::handle numbers, nb::handle places, nb::handle result, index_t planes) {
  const Buffer from(numbers), at(places), to(result, PyBUF_WRITABLE);
  require(from.type() == to.type(), "dtypes do not match");
  if (from.type() == 'f') return add_as<float>(from, at, to, planes);
  if (from.type() == 'd') return add_as<double>(from, at, to, planes);
  throw nb::type_error("expected float32 or float64");
}

template <class T>
void exponentials_as(const Buffer& x, const Buffer& result) {
  index_t count, room;
  const T* from = flat<const T>(x, count);
  T* to = flat<T>(result, room);
  require(count == room, "there has to be room for each number");
  table->of<T>().exponentials(from, count, to);
}

void exponentials(nb::handle x, nb::handle result) {
  const Buffer from(x), to(result, PyBUF_WRITABLE);
  require(from.type() == to.type(), "dtypes do not match");
  if (from.type() == 'f') return exponentials_as<float>(from, to);
  if (from.type() == 'd') return exponentials_as<double>(from, to);
  throw nb::type_error("expected float32 or float64");
}

}  // namespace

void bind_pooling(nb::module_& m, const char* isa) {
  choose_table(isa);
  nb::class_<Pooling>(m, "Pooling")
      .def(nb::init<const std::vector<Pooling::AxisArgument>&, int, double, bool>(),
           nb::arg("axes"), nb::arg("weights"), nb::arg("delta"), nb::arg("average"))
      .def("pool", &Pooling::pool, nb::arg("x"), nb::arg("beta").none(), nb::arg("result"))
      .def("pool_vjp", &Pooling::pool_vjp, nb::arg("x"), nb::arg("beta").none(),
           nb::arg("cotangent"), nb::arg("of_x"), nb::arg("of_beta").none())
      .def("unpool", &Pooling::unpool, nb::arg("x"), nb::arg("beta").none(),
           nb::arg("pooled").none(), nb::arg("result"))
      .def("unpool_vjp", &Pooling::unpool_vjp, nb::arg("x"), nb::arg("beta").none(),
           nb::arg("pooled").none(), nb::arg("cotangent"), nb::arg("of_x"), nb::arg("of_pooled"),
           nb::arg("of_beta").none())
      .def("max_pool", &Pooling::max_pool, nb::arg("x"), nb::arg("result"), nb::arg("places"));
  m.def("add_to_places", &add_to_places, nb::arg("numbers"), nb::arg("places"),
        nb::arg("result"), nb::arg("planes"));
  m.def("exponentials", &exponentials, nb::arg("x"), nb::arg("result"));
}

}  // namespace liftwave
