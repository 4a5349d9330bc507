// Python bindings of lifting pooling: take C-contiguous arrays, and write into arrays that Python
// allocated.
#include "python/bindings.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <utility>
#include <vector>

#include "common/require.hpp"
#include "lift_pool/plan.hpp"
#include "python/arrays.hpp"

namespace liftwave {

namespace {

// The kernels of the instruction set in use.
const LiftPoolTable* table = nullptr;

template <class T>
LiftPoolKernels<T> kernels_for(int kernel) {
  return table->of<T>()(kernel);
}

// A C-contiguous array, or None: no memory.
class Memory {
 public:
  Memory(nb::handle object, bool writable) {
    if (object.is_none()) return;
    const int flags = PyBUF_C_CONTIGUOUS | (writable ? PyBUF_WRITABLE : 0);
    if (!array_.open(object, flags)) throw nb::type_error("expected a plain C-contiguous array");
  }

  bool is_single() const { return array_.dtype() == DType::float32; }
  index_t dimension(int d) const { return d < array_.ndim() ? array_.shape()[d] : 0; }

  // The numbers; null for None.
  template <class T>
  T* numbers(index_t count) const {
    if (array_.none()) return nullptr;
    const DType dtype = sizeof(T) == 4 ? DType::float32 : DType::float64;
    require(array_.dtype() == dtype, "dtypes do not match");
    require(array_.samples() == count, "an array does not fit its plan");
    return reinterpret_cast<T*>(array_.data());
  }

 private:
  PythonArray array_;
};

std::vector<Memory> memories(nb::sequence arrays, bool writable) {
  std::vector<Memory> all;
  all.reserve(nb::len(arrays));
  for (nb::handle array : arrays) all.emplace_back(array, writable);
  return all;
}

enum class Form { sum, concat, bands };

class LiftPool {
 public:
  LiftPool(const std::vector<index_t>& sizes, const std::vector<std::vector<index_t>>& sources,
           int kernel, bool shared)
      : plan_(sizes, sources, kernel), shared_(shared) {}

  void down(nb::handle x, nb::handle filters, nb::sequence results, const std::vector<int>& bands,
            int form, nb::handle sums) const {
    const Memory in(x, false), taps(filters, false), squares(sums, true);
    const std::vector<Memory> out = memories(results, true);
    in.is_single() ? down_as<float>(in, taps, out, bands, Form(form), squares)
                   : down_as<double>(in, taps, out, bands, Form(form), squares);
  }

  void up(nb::sequence bands, nb::handle filters, nb::handle x) const {
    const Memory out(x, true), taps(filters, false);
    const std::vector<Memory> in = memories(bands, false);
    out.is_single() ? up_as<float>(in, taps, out) : up_as<double>(in, taps, out);
  }

  // `values`: the signal, or results of down() that hold all bands.
  void down_vjp(nb::sequence values, bool from_results, nb::sequence cotangents, nb::handle weights,
                nb::handle filters, const std::vector<int>& bands, int form, nb::handle x,
                nb::handle gradient) const {
    const std::vector<Memory> known = memories(values, false), given = memories(cotangents, false);
    const Memory of_sums(weights, false), taps(filters, false), out(x, true), sums(gradient, true);
    const Place place{bands, Form(form)};
    out.is_single()
        ? down_vjp_as<float>(known, from_results, given, of_sums, taps, place, out, sums)
        : down_vjp_as<double>(known, from_results, given, of_sums, taps, place, out, sums);
  }

  // `values`: the signal, or the bands.
  void up_vjp(nb::sequence values, bool from_results, nb::handle cotangent, nb::handle filters,
              nb::sequence bands, nb::handle gradient) const {
    const std::vector<Memory> known = memories(values, false), out = memories(bands, true);
    const Memory given(cotangent, false), taps(filters, false), sums(gradient, true);
    given.is_single() ? up_vjp_as<float>(known, from_results, given, taps, out, sums)
                      : up_vjp_as<double>(known, from_results, given, taps, out, sums);
  }

 private:
  struct Place {
    const std::vector<int>& bands;
    Form form;
  };

  template <class T>
  LiftPoolJob<T> job(const Memory& any, index_t channel_share, const Memory& filters) const {
    const index_t channels = any.dimension(1) / channel_share;
    const index_t passes = shared_ ? 1 : plan_.passes();
    const T* const values = filters.numbers<T>(2 * passes * channels * (plan_.kernel + 3));
    require(values != nullptr && channels > 0, "filters and channels have to be there");
    return {&plan_, any.dimension(0), channels, {values, shared_}};
  }

  // The address of each band among arrays of this form; `T` may be const.
  template <class T, class U>
  LiftPoolBands<T> places(const LiftPoolJob<U>& job, const std::vector<Memory>& arrays,
                          const Place& place) const {
    const index_t size = plan_.band_samples(), plane = size * job.channels;
    const bool apart = place.form == Form::bands;
    const auto count = static_cast<index_t>(place.bands.size());
    require(arrays.size() == (apart ? place.bands.size() : 1), "arrays do not match the bands");
    LiftPoolBands<T> found;
    found.band.resize(static_cast<std::size_t>(plan_.bands()));
    found.batch = place.form == Form::concat ? plane * count : plane;
    for (index_t i = 0; i < count; ++i) {
      const int band = place.bands[static_cast<std::size_t>(i)];
      require(0 <= band && band < plan_.bands(), "there is no such band");
      U* const first =
          arrays[static_cast<std::size_t>(apart ? i : 0)].template numbers<U>(job.batch * found.batch);
      const bool moved = place.form == Form::concat && first;
      found.band[static_cast<std::size_t>(band)] = moved ? first + i * plane : first;
    }
    return found;
  }

  static std::vector<int> all_of(int count) {
    std::vector<int> all;
    for (int i = 0; i < count; ++i) all.push_back(i);
    return all;
  }

  template <class T>
  void require_all(const LiftPoolBands<T>& bands) const {
    for (const auto* band : bands.band) require(band != nullptr, "a band is missing");
  }

  index_t gradient_numbers(index_t channels) const {
    return 2 * plan_.passes() * channels * (plan_.kernel + 3);
  }

  template <class T>
  void down_as(const Memory& x, const Memory& filters, const std::vector<Memory>& results,
               const std::vector<int>& bands, Form form, const Memory& sums) const {
    const LiftPoolJob<T> what = job<T>(x, 1, filters);
    const T* const in = x.numbers<T>(what.batch * what.channels * plan_.samples());
    const LiftPoolBands<T> out = places<T>(what, results, {bands, form});
    double* const squares = sums.numbers<double>(2 * plan_.passes());
    nb::gil_scoped_release released;
    kernels_for<T>(plan_.kernel).down(what, in, out, form == Form::sum, squares);
  }

  template <class T>
  void up_as(const std::vector<Memory>& bands, const Memory& filters, const Memory& x) const {
    const LiftPoolJob<T> what = job<T>(x, 1, filters);
    const std::vector<int> all = all_of(plan_.bands());
    const auto in = places<const T>(what, bands, {all, Form::bands});
    require_all(in);
    T* const out = x.numbers<T>(what.batch * what.channels * plan_.samples());
    nb::gil_scoped_release released;
    kernels_for<T>(plan_.kernel).up(what, in, out);
  }

  template <class T>
  void down_vjp_as(const std::vector<Memory>& known, bool from_results,
                   const std::vector<Memory>& cotangents, const Memory& weights,
                   const Memory& filters, const Place& place, const Memory& x,
                   const Memory& gradient) const {
    const LiftPoolJob<T> what = job<T>(x, 1, filters);
    const index_t samples = what.batch * what.channels * plan_.samples();
    LiftPoolValues<T> values;
    if (from_results) {
      values.bands = places<const T>(what, known, place);
      require_all(values.bands);
    } else {
      require(known.size() == 1, "one signal is expected");
      values.signal = known[0].numbers<T>(samples);
    }
    LiftPoolBands<const T> given = places<const T>(what, cotangents, place);
    const double* const of_sums = weights.numbers<double>(2 * plan_.passes());
    T* const out = x.numbers<T>(samples);
    double* const sums = gradient.numbers<double>(gradient_numbers(what.channels));
    nb::gil_scoped_release released;
    kernels_for<T>(plan_.kernel).down_vjp(what, values, given, of_sums, out, sums);
  }

  template <class T>
  void up_vjp_as(const std::vector<Memory>& known, bool from_results, const Memory& cotangent,
                 const Memory& filters, const std::vector<Memory>& bands,
                 const Memory& gradient) const {
    const LiftPoolJob<T> what = job<T>(cotangent, 1, filters);
    const index_t samples = what.batch * what.channels * plan_.samples();
    const std::vector<int> all = all_of(plan_.bands());
    LiftPoolValues<T> values;
    if (from_results) {
      require(known.size() == 1, "one signal is expected");
      values.signal = known[0].numbers<T>(samples);
    } else {
      values.bands = places<const T>(what, known, {all, Form::bands});
      require_all(values.bands);
    }
    const auto out = places<T>(what, bands, {all, Form::bands});
    require_all(out);
    const T* const given = cotangent.numbers<T>(samples);
    double* const sums = gradient.numbers<double>(gradient_numbers(what.channels));
    nb::gil_scoped_release released;
    kernels_for<T>(plan_.kernel).up_vjp(what, values, given, out, sums);
  }

  LiftPoolPlan plan_;
  bool shared_;
};

}  // namespace

void bind_lift_pool(nb::module_& m, const Kernels& chosen) {
  table = chosen.lift_pool;
  nb::class_<LiftPool>(m, "LiftPool")
      .def(nb::init<const std::vector<index_t>&, const std::vector<std::vector<index_t>>&, int,
                    bool>(),
           nb::arg("sizes"), nb::arg("sources"), nb::arg("kernel"), nb::arg("shared"))
      .def("down", &LiftPool::down, nb::arg("x"), nb::arg("filters"), nb::arg("results"),
           nb::arg("bands"), nb::arg("form"), nb::arg("sums").none())
      .def("up", &LiftPool::up, nb::arg("bands"), nb::arg("filters"), nb::arg("x"))
      .def("down_vjp", &LiftPool::down_vjp, nb::arg("values"), nb::arg("from_results"),
           nb::arg("cotangents"), nb::arg("weights").none(), nb::arg("filters"), nb::arg("bands"),
           nb::arg("form"), nb::arg("x"), nb::arg("gradient"))
      .def("up_vjp", &LiftPool::up_vjp, nb::arg("values"), nb::arg("from_results"),
           nb::arg("cotangent"), nb::arg("filters"), nb::arg("bands"), nb::arg("gradient"));
}

}  // namespace liftwave
