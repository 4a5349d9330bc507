// Python bindings of lifting pooling: take a plan, then arrays, and return arrays.
#include "python/bindings.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <utility>
#include <vector>

#include "common/require.hpp"
#include "lift_pool/plan.hpp"
#include "python/arrays.hpp"
#include "python/gil.hpp"

namespace liftwave {

namespace {

// The kernels of the instruction set in use.
const LiftPoolTable* table = nullptr;

// --- arrays ----------------------------------------------------------------------------------

using Shape = SmallVector<index_t, 6>;

// The arrays of one call: C-contiguous, all float32 or all float64. Filters come first. The channels
// of data are axis 1 or the last one.
class Inputs {
 public:
  // False if an array is not plain. None remains without memory.
  bool open(std::initializer_list<nb::handle> objects) {
    return std::all_of(objects.begin(), objects.end(), [this](nb::handle o) { return add(o); });
  }
  bool open_each(nb::handle sequence) {
    for (nb::handle object : sequence)
      if (!add(object)) return false;
    return true;
  }

  std::size_t size() const { return arrays_.size(); }
  bool is_single() const { return arrays_[0].is_single(); }
  const PythonArray& operator[](std::size_t i) const { return arrays_[i]; }

  // The numbers of an array of this shape; null for None.
  template <class T>
  const T* numbers(std::size_t i, const Shape& shape) const {
    const PythonArray& array = arrays_[i];
    if (array.none()) return nullptr;
    const index_t* const sizes = array.shape();
    require(std::equal(shape.begin(), shape.end(), sizes, sizes + array.ndim()),
            "an array does not fit its plan");
    return reinterpret_cast<const T*>(array.data());
  }

 private:
  bool add(nb::handle object) {
    PythonArray& array = arrays_.emplace_back();
    if (object.is_none()) return true;
    const bool real = array.open(object, PyBUF_C_CONTIGUOUS) &&
                      (array.dtype() == DType::float32 || array.dtype() == DType::float64);
    return real && array.dtype() == arrays_[0].dtype();
  }

  std::vector<PythonArray> arrays_;
};

// --- calls -----------------------------------------------------------------------------------

// The bands of a result: their numbers, and whether they are added, concatenated along the channels,
// or separate arrays.
enum class Form { sum, concat, bands };

struct Output {
  std::vector<int> bands;
  Form form;
};

template <class T>
struct Call {
  LiftPoolJob<T> job;
  const Inputs& inputs;
  Shape signal, band, gradient;  // shapes: of the signal, of a band, of the gradient's sums
  Shape filters;

  index_t samples() const { return job.batch * job.channels * job.plan->samples(); }
  double bytes() const { return sizeof(T) * static_cast<double>(samples()); }
};

class LiftPool {
 public:
  LiftPool(const std::vector<index_t>& sizes, const std::vector<index_t>& lasts,
           const std::vector<LiftPoolPlan::Sources>& sources, int kernel, bool shared,
           bool channels_last)
      : plan_(sizes, lasts, sources, kernel), shared_(shared), channels_last_(channels_last),
        every_{{}, Form::bands} {
    every_.bands.resize(static_cast<std::size_t>(plan_.bands()));
    std::iota(every_.bands.begin(), every_.bands.end(), 0);
  }

  // All functions return None if an array is not plain.

  // The results, and the sums of squares of each pass, or None.
  nb::object down(nb::handle x, nb::handle filters, const std::vector<int>& bands, int form,
                  bool with_sums) const {
    Inputs inputs;
    if (!inputs.open({filters, x})) return nb::none();
    const Output output{bands, Form(form)};
    return inputs.is_single() ? down_as<float>(inputs, output, with_sums)
                              : down_as<double>(inputs, output, with_sums);
  }

  nb::object up(nb::handle bands, nb::handle filters) const {
    Inputs inputs;
    if (!inputs.open({filters}) || !inputs.open_each(bands)) return nb::none();
    return inputs.is_single() ? up_as<float>(inputs) : up_as<double>(inputs);
  }

  // The cotangents of the signal and of the filters. `values`: the signal, or results of down()
  // that hold all bands. `weights`: the cotangents of the sums, or None.
  nb::object down_vjp(nb::handle values, bool from_results, nb::handle cotangents,
                      nb::handle weights, nb::handle filters, const std::vector<int>& bands,
                      int form) const {
    Inputs inputs;
    if (!inputs.open({filters, weights}) || !inputs.open_each(values)) return nb::none();
    const std::size_t first_cotangent = inputs.size();
    if (!inputs.open_each(cotangents)) return nb::none();
    const Output output{bands, Form(form)};
    return inputs.is_single()
               ? down_vjp_as<float>(inputs, first_cotangent, from_results, output)
               : down_vjp_as<double>(inputs, first_cotangent, from_results, output);
  }

  // The cotangents of all bands and of the filters. `values`: the bands, or the result of up().
  nb::object up_vjp(nb::handle values, bool from_results, nb::handle cotangent,
                    nb::handle filters) const {
    Inputs inputs;
    if (!inputs.open({filters, cotangent}) || !inputs.open_each(values)) return nb::none();
    return inputs.is_single() ? up_vjp_as<float>(inputs, from_results)
                              : up_vjp_as<double>(inputs, from_results);
  }

 private:
  // The call whose first array of data is number `i`.
  template <class T>
  Call<T> call_of(const Inputs& inputs, std::size_t i) const {
    require(inputs.size() > i && !inputs[0].none() && !inputs[i].none(), "an array is missing");
    require(inputs[0].ndim() == 4 && inputs[i].ndim() > 0, "an array does not fit its plan");
    const index_t channels = inputs[0].shape()[2], batch = inputs[i].shape()[0];
    require(channels > 0, "there are no channels");
    Call<T> call{{&plan_, batch, channels, {nullptr, shared_}, channels_last_}, inputs, {}, {}, {}, {}};
    call.signal = shape_with(batch, channels, &LiftPoolAxis::n);
    call.band = shape_with(batch, channels, &LiftPoolAxis::half);
    const index_t taps = plan_.kernel + 3;
    for (index_t size : {index_t{plan_.passes()}, index_t{2}, channels, taps}) call.gradient.push_back(size);
    call.filters = call.gradient;
    if (shared_) call.filters[0] = 1;
    call.job.filters.values = inputs.numbers<T>(0, call.filters);
    return call;
  }

  // The shape of data of these lengths along the axes.
  Shape shape_with(index_t batch, index_t channels, index_t LiftPoolAxis::*length) const {
    Shape shape;
    shape.push_back(batch);
    if (!channels_last_) shape.push_back(channels);
    for (const LiftPoolAxis& axis : plan_.axes) shape.push_back(axis.*length);
    if (channels_last_) shape.push_back(channels);
    return shape;
  }

  // The address of each band among arrays of this form, from their addresses.
  template <class U, class T>
  LiftPoolBands<U> places(const Call<T>& call, const std::vector<U*>& arrays,
                          const Output& output) const {
    const index_t plane = plan_.band_samples() * call.job.channels;
    const auto count = static_cast<index_t>(output.bands.size());
    const bool apart = output.form == Form::bands, joined = output.form == Form::concat;
    require(arrays.size() == (apart ? output.bands.size() : 1), "arrays do not match the bands");
    LiftPoolBands<U> places;
    places.band.resize(static_cast<std::size_t>(plan_.bands()));
    places.batch = joined ? plane * count : plane;
    places.step = call.job.channels * (joined ? count : 1);
    const index_t next = channels_last_ ? call.job.channels : plane;  // of bands side by side
    for (index_t i = 0; i < count; ++i) {
      const int band = output.bands[static_cast<std::size_t>(i)];
      require(0 <= band && band < plan_.bands(), "there is no such band");
      U* const first = arrays[apart ? static_cast<std::size_t>(i) : 0];
      places.band[static_cast<std::size_t>(band)] = first && joined ? first + i * next : first;
    }
    return places;
  }

  // The shape of each array of this form.
  template <class T>
  Shape shape_of(const Call<T>& call, const Output& output) const {
    const auto blocks = static_cast<index_t>(output.form == Form::concat ? output.bands.size() : 1);
    return shape_with(call.job.batch, blocks * call.job.channels, &LiftPoolAxis::half);
  }

  // Bands in the arrays `first` ... `last` - 1.
  template <class T>
  LiftPoolBands<const T> bands_in(const Call<T>& call, std::size_t first, std::size_t last,
                                  const Output& output, bool all) const {
    const Shape shape = shape_of(call, output);
    std::vector<const T*> arrays;
    for (std::size_t i = first; i < last; ++i) arrays.push_back(call.inputs.template numbers<T>(i, shape));
    const auto bands = places<const T>(call, arrays, output);
    const auto& found = bands.band;
    require(!all || std::find(found.begin(), found.end(), nullptr) == found.end(), "a band is missing");
    return bands;
  }

  // The signal in array `first`, or all bands in the arrays `first` ... `last` - 1.
  template <class T>
  LiftPoolValues<T> values_in(const Call<T>& call, std::size_t first, std::size_t last,
                              bool are_bands, const Output& output) const {
    if (are_bands) return {nullptr, bands_in(call, first, last, output, true)};
    require(last == first + 1, "one signal is expected");
    return {call.inputs.template numbers<T>(first, call.signal), {}};
  }

  template <class T>
  static Result<T> result(const Shape& shape) {
    return {nb::none(), shape.begin(), static_cast<int>(shape.size())};
  }

  // Arrays of this form, and their addresses.
  template <class T>
  nb::list results(const Call<T>& call, const Output& output, std::vector<T*>& arrays) const {
    const Shape shape = shape_of(call, output);
    nb::list list;
    for (std::size_t i = 0; i < (output.form == Form::bands ? output.bands.size() : 1); ++i) {
      const Result<T> one = result<T>(shape);
      arrays.push_back(one.data());
      list.append(one.array());
    }
    return list;
  }

  // An array of these numbers, rounded to T.
  template <class T>
  static nb::object rounded(const std::vector<double>& numbers, const Shape& shape) {
    const Result<T> rounded = result<T>(shape);
    std::transform(numbers.begin(), numbers.end(), rounded.data(),
                   [](double number) { return static_cast<T>(number); });
    return rounded.array();
  }

  // The gradient of the filters: the sums of each pass, added up if the passes share filters.
  template <class T>
  nb::object gradient_of(const Call<T>& call, const std::vector<double>& sums) const {
    if (!shared_ || plan_.passes() == 1) return rounded<T>(sums, call.filters);
    std::vector<double> totals = zeros(call.filters);
    for (std::size_t i = 0; i < sums.size(); ++i) totals[i % totals.size()] += sums[i];
    return rounded<T>(totals, call.filters);
  }

  static std::vector<double> zeros(const Shape& shape) {
    index_t count = 1;
    for (index_t size : shape) count *= size;
    return std::vector<double>(static_cast<std::size_t>(count));
  }

  // Runs a kernel unless there are no samples.
  template <class T, class F>
  void run(const Call<T>& call, const F& work) const {
    if (call.samples() == 0) return;
    run_released(call.bytes(), [&] { work(table->of<T>()(plan_.kernel)); });
  }

  template <class T>
  nb::object down_as(const Inputs& inputs, const Output& output, bool with_sums) const {
    const auto call = call_of<T>(inputs, 1);
    const T* const x = inputs.numbers<T>(1, call.signal);
    std::vector<T*> arrays;
    const nb::list list = results<T>(call, output, arrays);
    const auto bands = places<T>(call, arrays, output);
    Shape shape;
    for (index_t size : {plan_.passes(), 2}) shape.push_back(size);
    std::vector<double> sums = zeros(shape);
    run(call, [&](const auto& kernels) {
      kernels.down(call.job, x, bands, output.form == Form::sum, with_sums ? sums.data() : nullptr);
    });
    return nb::make_tuple(list, with_sums ? rounded<T>(sums, shape) : nb::none());
  }

  template <class T>
  nb::object up_as(const Inputs& inputs) const {
    const auto call = call_of<T>(inputs, 1);
    const auto bands = bands_in(call, 1, inputs.size(), every_, true);
    const Result<T> x = result<T>(call.signal);
    run(call, [&](const auto& kernels) { kernels.up(call.job, bands, x.data()); });
    return x.array();
  }

  template <class T>
  nb::object down_vjp_as(const Inputs& inputs, std::size_t first_cotangent, bool from_results,
                         const Output& output) const {
    const auto call = call_of<T>(inputs, 2);
    const auto values = values_in(call, 2, first_cotangent, from_results, output);
    const auto cotangents = bands_in(call, first_cotangent, inputs.size(), output, false);
    Shape shape;
    for (index_t size : {plan_.passes(), 2}) shape.push_back(size);
    const T* const weights = inputs.numbers<T>(1, shape);
    std::vector<double> of_sums;
    if (weights) of_sums.assign(weights, weights + 2 * plan_.passes());
    const Result<T> x = result<T>(call.signal);
    std::vector<double> sums = zeros(call.gradient);
    run(call, [&](const auto& kernels) {
      kernels.down_vjp(call.job, values, cotangents, weights ? of_sums.data() : nullptr, x.data(),
                       sums.data());
    });
    return nb::make_tuple(x.array(), gradient_of<T>(call, sums));
  }

  template <class T>
  nb::object up_vjp_as(const Inputs& inputs, bool from_results) const {
    const auto call = call_of<T>(inputs, 2);
    const auto values = values_in(call, 2, inputs.size(), !from_results, every_);
    const T* const cotangent = inputs.numbers<T>(1, call.signal);
    require(cotangent != nullptr, "an array is missing");
    std::vector<T*> arrays;
    const nb::list list = results<T>(call, every_, arrays);
    const auto bands = places<T>(call, arrays, every_);
    std::vector<double> sums = zeros(call.gradient);
    run(call, [&](const auto& kernels) {
      kernels.up_vjp(call.job, values, cotangent, bands, sums.data());
    });
    return nb::make_tuple(list, gradient_of<T>(call, sums));
  }

  LiftPoolPlan plan_;
  bool shared_, channels_last_;
  Output every_;  // all bands, as separate arrays
};

}  // namespace

void bind_lift_pool(nb::module_& m, const Kernels& chosen) {
  table = chosen.lift_pool;
  nb::class_<LiftPool>(m, "LiftPool")
      .def(nb::init<const std::vector<index_t>&, const std::vector<index_t>&,
                    const std::vector<LiftPoolPlan::Sources>&, int, bool, bool>(),
           nb::arg("sizes"), nb::arg("lasts"), nb::arg("sources"), nb::arg("kernel"), nb::arg("shared"),
           nb::arg("channels_last") = false)
      .def("down", &LiftPool::down, nb::arg("x"), nb::arg("filters"), nb::arg("bands"),
           nb::arg("form"), nb::arg("with_sums"))
      .def("up", &LiftPool::up, nb::arg("bands"), nb::arg("filters"))
      .def("down_vjp", &LiftPool::down_vjp, nb::arg("values"), nb::arg("from_results"),
           nb::arg("cotangents"), nb::arg("weights").none(), nb::arg("filters"), nb::arg("bands"),
           nb::arg("form"))
      .def("up_vjp", &LiftPool::up_vjp, nb::arg("values"), nb::arg("from_results"),
           nb::arg("cotangent"), nb::arg("filters"));
}

}  // namespace liftwave
