// Python bindings of filter banks: take plans, then arrays, and return arrays.
#include "python/bindings.hpp"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "common/require.hpp"
#include "filters/levels.hpp"
#include "python/arrays.hpp"
#include "python/filter_arguments.hpp"
#include "python/gil.hpp"

namespace liftwave {
namespace {

// The kernels of the instruction set in use.
const FilterTable* kernels = nullptr;

// --- shapes ----------------------------------------------------------------------------------

// Sets the shape of an array to that of `like`, with the plans' output lengths along the axes.
template <class T, class U>
void shape_like(ArrayView<T>& a, const ArrayView<U>& like, const std::vector<AxisPlan>& axes) {
  a.ndim = like.ndim;
  std::copy_n(like.shape, like.ndim, a.shape);
  for (const AxisPlan& axis : axes) a.shape[axis.axis] = axis.plan.n_out;
}

// Places an array, C-contiguous.
template <class T>
void place(ArrayView<T>& a, T* data) {
  a.data = data;
  index_t stride = numbers_of(a) == 0 ? 0 : 1;
  for (int d = a.ndim - 1; d >= 0; --d) {
    a.stride[d] = stride;
    stride *= a.shape[d];
  }
}

// Whether an array has the dimensions of `like` and the plans' lengths along the axes.
template <class T, class U>
bool fits(const ArrayView<T>& a, const ArrayView<U>& like, const std::vector<AxisPlan>& axes) {
  if (a.ndim != like.ndim) return false;
  for (int d = 0; d < a.ndim; ++d) {
    index_t expected = like.shape[d];
    for (const AxisPlan& axis : axes) {
      if (axis.axis == d) expected = axis.plan.extend.n;
    }
    if (a.shape[d] != expected) return false;
  }
  return true;
}

// With several axes, the dimensions behind them must merge; with one axis, any array is accepted.
template <class T>
bool in_place(const ArrayView<const T>& array, const std::vector<AxisPlan>& axes) {
  return axes.size() == 1 || merges_behind(&array, 1, axes.back().axis);
}

bool has_axes(int ndim, const std::vector<AxisPlan>& axes) {
  return std::all_of(axes.begin(), axes.end(),
                     [ndim](const AxisPlan& a) { return 0 <= a.axis && a.axis < ndim; });
}

// --- transforms ------------------------------------------------------------------------------

// Levels of an analysis. The input of each but the first is the approximation of the one before.
class Analysis {
 public:
  // `memory`: the bands of a transform of one shape: the approximation first, then the details,
  // coarsest level first. None for one level with equal band shapes and arrays of any shape.
  // `shapes`: that of the signal, or None.
  Analysis(const std::vector<std::vector<AxisArgument>>& arguments, nb::object memory,
           nb::object shapes)
      : memory_object_(std::move(memory)), shapes_(shapes) {
    for (const auto& level_arguments : arguments) {
      AnalysisLevel level{make_axes(level_arguments, false), 1};
      for (const AxisPlan& axis : level.axes) {
        require(axis.plan.taps.size() <= 2, "an axis has one or two filters");
        level.bands *= static_cast<int>(axis.plan.taps.size());
      }
      bands_ += static_cast<std::size_t>(level.bands);
      levels_.push_back(std::move(level));
    }
    require(!levels_.empty(), "there are no levels");
    if (!memory_object_.is_none()) {
      memory_ = nb::cast<const BandMemory*>(memory_object_);
      require(memory_->size() == bands_ - levels_.size() + 1, "bands do not match their memory");
    }
    require(memory_ || levels_.size() == 1, "levels have no memory");
  }

  // All bands, or None if `x` is not plain or does not have the plan's shape.
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
    const std::vector<AxisPlan>& axes = levels_[0].axes;
    require(has_axes(x.ndim(), axes) && fits(in, in, axes), "input does not fit its plan");
    if (!in_place(in, axes)) return nb::none();
    BandMemory::Arrays out(memory_ ? memory_->size() : 1);
    const nb::object results = memory_ ? memory_->allocate(dtype_object(x.dtype()), out) : rows_for(x, out[0]);
    InlineArray<ArrayView<T>, 4> bands(bands_);
    lay_out(in, out, bands.data());
    run_released(sizeof(T) * static_cast<double>(numbers_of(in)), [&] {
      analyse_levels(kernels->of<T>(), levels_, in, bands.data(), bands_);
    });
    return memory_ ? results : rows_of(results, bands_);
  }

  // Memory whose rows are the bands.
  nb::object rows_for(const PythonArray& x, PythonArray& out) const {
    SmallVector<index_t, 6> shape;
    shape.resize(static_cast<std::size_t>(x.ndim()) + 1);
    shape[0] = static_cast<index_t>(bands_);
    std::copy_n(x.shape(), x.ndim(), shape.begin() + 1);
    for (const AxisPlan& axis : levels_[0].axes) shape[static_cast<std::size_t>(axis.axis) + 1] = axis.plan.n_out;
    nb::object rows = allocated(nb::none(), tuple_of(shape.begin(), x.ndim() + 1), dtype_object(x.dtype()));
    out.open_result(rows);
    return rows;
  }

  // Determines the memory of each band. Nothing is written before all shapes are checked.
  template <class T>
  void lay_out(const ArrayView<const T>& in, const BandMemory::Arrays& out, ArrayView<T>* bands) const {
    const ArrayView<const T>* source = &in;
    ArrayView<const T> approx;
    std::size_t detail = memory_ ? memory_->size() : 0;  // the coarsest level's come first
    for (const AnalysisLevel& level : levels_) {
      const bool last = &level == &levels_.back();
      require(fits(*source, *source, level.axes), "input does not fit its plan");
      detail -= memory_ ? static_cast<std::size_t>(level.bands) - 1 : 0;
      for (int b = 0; b < level.bands; ++b) {
        shape_like(bands[b], *source, level.axes);
        if (b > 0 || last) put(bands[b], out, b == 0 ? 0 : detail + static_cast<std::size_t>(b) - 1, b);
      }
      if (last) break;
      approx = as_input(bands[0]);
      source = &approx;
      bands += level.bands;
    }
  }

  // Band `number` has its own array, or is row `row` of the only one.
  template <class T>
  void put(ArrayView<T>& band, const BandMemory::Arrays& out, std::size_t number, int row) const {
    const PythonArray& memory = out[memory_ ? number : 0];
    const index_t parts = memory.itemsize() / static_cast<index_t>(sizeof(T));
    const index_t rows = memory_ ? 1 : static_cast<index_t>(bands_), numbers = numbers_of(band);
    require(memory.samples() * parts == rows * numbers, "a band does not fit its memory");
    place(band, reinterpret_cast<T*>(memory.data()) + (memory_ ? 0 : row * numbers));
  }

  std::vector<AnalysisLevel> levels_;
  std::size_t bands_ = 0;
  nb::object memory_object_;
  const BandMemory* memory_ = nullptr;
  InputShapes shapes_;
};

// Levels of a synthesis. The approximation of each but the first is the result of the one before.
class Synthesis {
 public:
  struct Level {
    std::vector<AxisPlan> axes;
    std::vector<bool> present;  // bands, by key
    bool approx_given;          // whether it is an argument, not the previous result
  };
  using LevelArgument = std::tuple<std::vector<AxisArgument>, std::vector<bool>>;

  // `shape` and allocator of the result, and the bands' `shapes`; all None for bands of any shape.
  Synthesis(const std::vector<LevelArgument>& arguments, nb::object shape, nb::object allocate,
            nb::object shapes)
      : shape_(std::move(shape)), allocate_(std::move(allocate)), shapes_(shapes) {
    for (const auto& [axes, present] : arguments) {
      Level level{make_axes(axes, true), present, levels_.empty()};
      const bool any = std::find(present.begin(), present.end(), true) != present.end();
      const std::size_t bands = level.axes.size() == 1 ? level.axes[0].plan.taps.size() / 2
                                                       : std::size_t{1} << level.axes.size();
      if (!any || (level.axes.size() == 1 ? count(present) : present.size()) != bands) {
        fail("bands do not match the axes");
      }
      given_ += count(present) - (levels_.empty() || !present[0] ? 0 : 1);
      slots_ += level.axes.size() == 1 ? count(present) : present.size();
      levels_.push_back(std::move(level));
    }
    require(!levels_.empty(), "there are no levels");
  }

  // The array with these bands: the present ones, level by level and within a level by key. None if
  // a band is not plain or does not have the plan's shape.
  nb::object run(nb::handle bands) const {
    Inputs inputs(given_);
    if (!open(bands, inputs)) return nb::none();
    return inputs[0].is_single() ? run_as<float>(inputs, nullptr) : run_as<double>(inputs, nullptr);
  }

  // The same array in a list.
  nb::object results(nb::handle bands) const { return listed(run(bands)); }

  // The same, written to `out`; None if a band or `out` is not plain.
  nb::object write(nb::handle bands, nb::handle out) const {
    Inputs inputs(given_);
    PythonArray result;
    if (!open(bands, inputs) || !result.open(out, PyBUF_WRITABLE)) return nb::none();
    if (result.dtype() != inputs[0].dtype()) return nb::none();
    const nb::object written = inputs[0].is_single() ? run_as<float>(inputs, &result)
                                                     : run_as<double>(inputs, &result);
    return written.is_none() ? written : nb::borrow(out);
  }

 private:
  using Inputs = InlineArray<PythonArray, 8>;

  static std::size_t count(const std::vector<bool>& present) {
    return static_cast<std::size_t>(std::count(present.begin(), present.end(), true));
  }

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

  // The result, or True if it was written to `out`; None if a band is not plain.
  template <class T>
  nb::object run_as(const Inputs& inputs, const PythonArray* out) const {
    require(has_axes(inputs[0].ndim(), levels_[0].axes), "a band does not fit its plan");
    InlineArray<ArrayView<const T>, 4> bands(slots_);
    InlineArray<SynthesisStage<T>, 2> stages(levels_.size());
    if (!lay_out(inputs, bands.data(), stages.data())) return nb::none();
    ArrayView<T>& last = stages[levels_.size() - 1].result;
    nb::object result;
    PythonArray memory;
    if (!out) {
      const int ndim = inputs[0].ndim();
      result = allocated(allocate_, shape_.is_none() ? tuple_of(last.shape, ndim) : shape_,
                         dtype_object(inputs[0].dtype()));
      memory.open_result(result);
      out = &memory;
    } else {
      result = nb::bool_(true);
    }
    ArrayView<T> to;
    out->view(to);
    require(is_contiguous(to), "results must be C-contiguous");
    require(to.ndim == last.ndim && std::equal(to.shape, to.shape + to.ndim, last.shape),
            "the result does not fit its memory");
    place(last, to.data);
    run_released(sizeof(T) * static_cast<double>(numbers_of(last)), [&] {
      synthesise_levels(kernels->of<T>(), stages.data(), levels_.size());
    });
    return result;
  }

  // Sets each band and the shape of each result; false if a band cannot be read in place.
  template <class T>
  bool lay_out(const Inputs& inputs, ArrayView<const T>* band, SynthesisStage<T>* stages) const {
    std::size_t next = 0;
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      const Level& level = levels_[i];
      SynthesisStage<T>& stage = stages[i];
      stage.axes = &level.axes;
      stage.bands = band;
      stage.continues = false;
      const ArrayView<const T>* like = nullptr;
      for (std::size_t b = 0; b < level.present.size(); ++b) {
        if (!level.present[b]) {
          band += level.axes.size() > 1;  // no data: missing
          continue;
        }
        const bool before = b == 0 && !level.approx_given;
        stage.continues |= before;
        if (before) {
          *band = as_input(stages[i - 1].result);
        } else {
          inputs[next++].view(*band);
        }
        if (before) trim(*band, level.axes);
        if (!like) like = band;
        require(fits(*band, *like, level.axes), "a band does not fit its plan");
        if (!before && !in_place(*band, levels_[0].axes)) return false;
        ++band;
      }
      stage.band_count = static_cast<int>(band - stage.bands);
      shape_like(stage.result, *like, level.axes);
    }
    return true;
  }

  // Keeps the first samples along each axis, as many as the plans have.
  template <class T>
  static void trim(ArrayView<T>& a, const std::vector<AxisPlan>& axes) {
    for (const AxisPlan& axis : axes) {
      a.shape[axis.axis] = std::min(a.shape[axis.axis], axis.plan.extend.n);
    }
  }

  std::vector<Level> levels_;
  std::size_t given_ = 0, slots_ = 0;
  nb::object shape_;
  nb::object allocate_;
  InputShapes shapes_;
};

// The gradient of an analysis along one axis with respect to its taps.
class TapGradients {
 public:
  explicit TapGradients(const AxisArgument& argument) : axis_(make_axis(argument, false)) {}

  // An array of double precision, one row of taps per cotangent; None if an array is not plain.
  nb::object run(nb::handle x, nb::handle cotangents) const {
    const Py_ssize_t count = PySequence_Size(cotangents.ptr());
    if (count < 0) throw nb::python_error();
    InlineArray<PythonArray, 4> inputs(static_cast<std::size_t>(count) + 1);
    if (!inputs[0].open(x) || !inputs[0].is_floating() || !open_all(cotangents, inputs, 1)) return nb::none();
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      if (inputs[i].dtype() != inputs[0].dtype()) return nb::none();
    }
    return inputs[0].is_single() ? run_as<float>(inputs) : run_as<double>(inputs);
  }

 private:
  template <class T>
  nb::object run_as(const InlineArray<PythonArray, 4>& inputs) const {
    InlineArray<ArrayView<const T>, 4> arrays(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].view(arrays[i]);
    require_fitting(arrays);
    const index_t shape[] = {static_cast<index_t>(inputs.size()) - 1, axis_.plan.length};
    nb::object result = allocated(nb::none(), tuple_of(shape, 2), dtype_object(DType::float64));
    PythonArray out;
    out.open_result(result);
    run_released(sizeof(T) * static_cast<double>(numbers_of(arrays[0])), [&] {
      kernels->of<T>().tap_gradients(arrays.data(), static_cast<int>(shape[0]), axis_,
                                                   reinterpret_cast<double*>(out.data()));
    });
    return result;
  }

  template <class T>
  void require_fitting(const InlineArray<ArrayView<const T>, 4>& arrays) const {
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      const ArrayView<const T>& a = arrays[i];
      const index_t along = i == 0 ? axis_.plan.extend.n : axis_.plan.n_out;
      bool fits = a.ndim == arrays[0].ndim && axis_.axis >= 0 && axis_.axis < a.ndim;
      for (int d = 0; fits && d < a.ndim; ++d) {
        fits = a.shape[d] == (d == axis_.axis ? along : arrays[0].shape[d]);
      }
      require(fits, "input or cotangent does not fit its plan");
    }
  }

  AxisPlan axis_;
};

}  // namespace

void bind_filters(nb::module_& m, const Kernels& chosen) {
  kernels = chosen.filters;
  // Functions without argument names are called faster.
  nb::class_<Analysis>(m, "Analysis")
      .def(nb::init<const std::vector<std::vector<AxisArgument>>&, nb::object, nb::object>(),
           nb::arg("levels"), nb::arg("memory").none(), nb::arg("shapes").none() = nb::none())
      .def("run", &Analysis::run)
      .def("results", &Analysis::results);
  nb::class_<Synthesis>(m, "Synthesis")
      .def(nb::init<const std::vector<Synthesis::LevelArgument>&, nb::object, nb::object,
                    nb::object>(),
           nb::arg("levels"), nb::arg("shape").none(), nb::arg("allocate").none(),
           nb::arg("shapes").none() = nb::none())
      .def("run", &Synthesis::run)
      .def("results", &Synthesis::results)
      .def("write", &Synthesis::write);
  nb::class_<TapGradients>(m, "TapGradients")
      .def(nb::init<const AxisArgument&>(), nb::arg("axis"))
      .def("run", &TapGradients::run);
}

}  // namespace liftwave
