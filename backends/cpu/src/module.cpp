// Python bindings: arrays in, plans in, results into arrays that Python allocated.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "liftwave/kernels.hpp"
#include "liftwave/levels.hpp"
#include "liftwave/lift_pool_module.hpp"
#include "liftwave/lifting_module.hpp"
#include "liftwave/parallel.hpp"
#include "liftwave/pooling_module.hpp"

namespace nb = nanobind;

namespace liftwave {
namespace {

// --- which kernels ---------------------------------------------------------------------------

// The best that the processor has, or what LIFTWAVE_ISA asks for.
const InstructionSet& chosen() {
  static const InstructionSet& choice = []() -> const InstructionSet& {
    int count;
    const InstructionSet* sets = instruction_sets(count);
    const char* wanted = std::getenv("LIFTWAVE_ISA");
    const InstructionSet* best = nullptr;
    for (int i = 0; i < count; ++i) {
      if (!sets[i].available) continue;
      if (!wanted || !*wanted || std::strcmp(wanted, sets[i].name) == 0) best = &sets[i];
    }
    if (!best) {
      throw std::runtime_error(std::string("LIFTWAVE_ISA asks for '") + wanted +
                               "', which this processor or this build does not have");
    }
    return *best;
  }();
  return choice;
}

std::vector<std::string> available_isas() {
  int count;
  const InstructionSet* sets = instruction_sets(count);
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    if (sets[i].available) names.emplace_back(sets[i].name);
  }
  return names;
}

// --- plans -----------------------------------------------------------------------------------

using Rows = std::vector<std::vector<std::pair<index_t, double>>>;
using ExtensionArgument = std::tuple<index_t, Rows, Rows>;  // n, left, right
using AxisArgument = std::tuple<int, index_t, index_t, index_t, ExtensionArgument,
                                ExtensionArgument, std::vector<std::vector<double>>>;

Extension make_extension(const ExtensionArgument& argument) {
  const auto& [n, left, right] = argument;
  Extension e;
  e.n = n;
  e.left = static_cast<index_t>(left.size());
  e.right = static_cast<index_t>(right.size());
  e.start.push_back(0);
  for (const Rows* rows : {&left, &right}) {
    for (const auto& row : *rows) {
      for (const auto& [at, weight] : row) {
        e.at.push_back(at);
        e.weight.push_back(weight);
      }
      e.start.push_back(static_cast<index_t>(e.at.size()));
    }
  }
  return e;
}

// What kernels rely on: rows name samples, and there are as many as the taps reach.
void require_rows(const Extension& e, index_t first, index_t last) {
  const bool named = std::all_of(e.at.begin(), e.at.end(), [&](index_t i) { return 0 <= i && i < e.n; });
  if (!named || first < -e.left || last >= e.n + e.right) {
    throw std::invalid_argument("a plan's rows do not continue its signal as far as its taps reach");
  }
}

void require_sound(const FilterPlan& p, bool synthesis) {
  const std::size_t taps = synthesis ? p.length / 2 : p.length;
  const bool even = !synthesis || (p.length % 2 == 0 && p.taps.size() % 2 == 0);
  const bool fits = std::all_of(p.taps.begin(), p.taps.end(),
                                [&](const Taps& t) { return t.twice.size() == taps; });
  if (taps < 1 || !even || !fits || p.taps.empty() || p.n_out < 0 || p.fold.n != p.n_out) {
    throw std::invalid_argument("a plan's taps do not have its length");
  }
  const index_t start = -p.fold.left, stop = p.n_out + p.fold.right;
  require_rows(p.fold, start, stop - 1);
  if (start == stop) return;
  if (synthesis) {
    require_rows(p.extend, ((start + p.phase) >> 1) - (p.length / 2 - 1), (stop - 1 + p.phase) >> 1);
  } else {
    require_rows(p.extend, 2 * start + p.phase - (p.length - 1), 2 * (stop - 1) + p.phase);
  }
}

AxisPlan make_axis(const AxisArgument& argument, bool synthesis) {
  const auto& [axis, n_out, length, phase, extend, fold, taps] = argument;
  AxisPlan a{axis, {n_out, length, phase, make_extension(extend), make_extension(fold), {}}};
  for (const auto& values : taps) {
    a.plan.taps.push_back({std::vector<float>(values.begin(), values.end()), values});
  }
  require_sound(a.plan, synthesis);
  return a;
}

std::vector<AxisPlan> make_axes(const std::vector<AxisArgument>& arguments, bool synthesis) {
  if (arguments.empty() || arguments.size() > max_axes) {
    throw std::invalid_argument("1 to 4 axes are transformed at once");
  }
  std::vector<AxisPlan> axes;
  for (const auto& argument : arguments) axes.push_back(make_axis(argument, synthesis));
  return axes;
}

// --- arrays ----------------------------------------------------------------------------------

enum class Sample { single, twice, complex_single, complex_twice };

Sample sample_of(const char* format) {
  if (format) {
    if (*format == '=' || *format == '^') ++format;  // NumPy's words for "not aligned"
    if (std::strcmp(format, "f") == 0) return Sample::single;
    if (std::strcmp(format, "d") == 0) return Sample::twice;
    if (std::strcmp(format, "Zf") == 0) return Sample::complex_single;
    if (std::strcmp(format, "Zd") == 0) return Sample::complex_twice;
  }
  throw nb::type_error("expected float32, float64, complex64 or complex128");
}

// The memory of a Python array, or of None: no memory.
class Buffer {
 public:
  Buffer(PyObject* object, int flags) {
    buffer_.obj = nullptr;
    if (object == Py_None) return;
    if (PyObject_GetBuffer(object, &buffer_, flags | PyBUF_FORMAT | PyBUF_STRIDES) != 0) {
      throw nb::python_error();
    }
  }
  ~Buffer() { PyBuffer_Release(&buffer_); }  // does nothing for None
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  bool none() const { return !buffer_.obj; }

  Sample sample() const { return sample_of(buffer_.format); }
  bool in_single() const {
    return sample() == Sample::single || sample() == Sample::complex_single;
  }

  template <class T>
  index_t numbers_per_sample() const {
    return buffer_.itemsize / static_cast<index_t>(sizeof(T));
  }

  // The array in numbers of type T; false where these are not aligned.
  template <class T>
  bool view(ArrayView<T>& to) const {
    constexpr index_t size = sizeof(T);
    if (reinterpret_cast<std::size_t>(buffer_.buf) % alignof(T)) return false;
    if (buffer_.ndim >= max_dimensions) throw std::invalid_argument("too many dimensions");
    to.data = static_cast<T*>(buffer_.buf);
    to.ndim = buffer_.ndim;
    for (int d = 0; d < buffer_.ndim; ++d) {
      if (buffer_.strides[d] % size) return false;
      to.shape[d] = buffer_.shape[d];
      to.stride[d] = buffer_.strides[d] / size;
    }
    if (buffer_.itemsize != size) {
      to.shape[to.ndim] = 2;
      to.stride[to.ndim++] = 1;
    }
    return true;
  }

 private:
  Py_buffer buffer_;
};

// An array without memory, like `like`, but with the plans' lengths of results along the axes.
template <class T, class U>
ArrayView<T> shaped(const ArrayView<U>& like, const std::vector<AxisPlan>& axes) {
  ArrayView<T> a;
  a.ndim = like.ndim;
  std::copy_n(like.shape, like.ndim, a.shape);
  for (const AxisPlan& axis : axes) a.shape[axis.axis] = axis.plan.n_out;
  return a;
}

// The output of a transform: memory that is handed out piece by piece, each at a multiple of
// `spacing` samples.
template <class T>
class Output {
 public:
  explicit Output(index_t spacing = 1) : spacing_(spacing) {}

  // False where the numbers are not aligned.
  bool open(const Buffer& buffer) {
    if (buffer.none()) return true;
    ArrayView<T> view;
    if (!buffer.view(view)) return false;
    if (!is_contiguous(view)) throw std::invalid_argument("results must be C-contiguous");
    next_ = view.data;
    left_ = numbers_of(view);
    spacing_ *= buffer.numbers_per_sample<T>();
    return true;
  }

  // An array like `like`, but with the plans' lengths along the axes.
  template <class U>
  ArrayView<T> take(const ArrayView<U>& like, const std::vector<AxisPlan>& axes) {
    ArrayView<T> piece = shaped<T>(like, axes);
    piece.data = next_;
    const bool empty = std::find(piece.shape, piece.shape + piece.ndim, 0) != piece.shape + piece.ndim;
    index_t stride = empty ? 0 : 1;
    for (int d = piece.ndim - 1; d >= 0; --d) {
      piece.stride[d] = stride;
      // Checked before it is multiplied: no overflow.
      if (!empty && stride > left_ / piece.shape[d]) {
        throw std::invalid_argument("results are too large for their memory");
      }
      stride *= piece.shape[d];
    }
    stride = std::min(left_, (stride + spacing_ - 1) / spacing_ * spacing_);
    next_ += stride;
    left_ -= stride;
    return piece;
  }

  bool used_up() const { return left_ == 0; }

 private:
  T* next_ = nullptr;
  index_t left_ = 0;
  index_t spacing_;
};

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

// Without the GIL, unless the work is shorter than handing it over.
template <class F>
void run_released(double bytes, const F& work) {
  if (bytes < 16384) return work();
  nb::gil_scoped_release released;
  work();
}

// --- transforms ------------------------------------------------------------------------------

// Several axes at once need all that lies behind them in one order; along one axis all goes.
template <class T>
bool in_place(const ArrayView<const T>* arrays, int count, const std::vector<AxisPlan>& axes) {
  return axes.size() == 1 || axes.back().axis >= arrays[0].ndim ||
         merges_behind(arrays, count, axes.back().axis);
}

void require_same(const Buffer& a, const Buffer& b) {
  if (!a.none() && !b.none() && a.sample() != b.sample()) {
    throw nb::type_error("dtypes do not match");
  }
}

// Levels of an analysis: each but the first has the approximation of the one before as its input.
class Analysis {
 public:
  Analysis(const std::vector<std::vector<AxisArgument>>& arguments, index_t spacing)
      : spacing_(spacing) {
    if (spacing < 1) throw std::invalid_argument("bands lie one sample or more apart");
    for (const auto& of_level : arguments) {
      AnalysisLevel level{make_axes(of_level, false), 0};
      level.bands = level.axes.size() == 1 ? static_cast<int>(level.axes[0].plan.taps.size())
                                           : 1 << level.axes.size();
      bands_ += static_cast<std::size_t>(level.bands);
      levels_.push_back(std::move(level));
    }
  }

  // Writes to `out` the bands, level by level and within it by key, each at a multiple of the
  // spacing (in samples), but of the approximations only the last. False where `x` cannot be read
  // in place.
  bool run(nb::handle x, nb::handle out) const {
    const Buffer in(x.ptr(), 0), result(out.ptr(), PyBUF_WRITABLE);
    require_same(in, result);
    return in.in_single() ? run_as<float>(in, result) : run_as<double>(in, result);
  }

 private:
  template <class T>
  bool run_as(const Buffer& x, const Buffer& out) const {
    ArrayView<const T> in;
    Output<T> results(spacing_);
    if (!x.view(in) || !results.open(out)) return false;
    if (!in_place(&in, 1, levels_[0].axes)) return false;
    std::vector<ArrayView<T>> bands;
    bands.reserve(bands_);
    lay_out(in, results, bands);
    run_released(sizeof(T) * static_cast<double>(numbers_of(in)), [&] {
      analyse_levels(chosen().kernels->filters<T>(), levels_, in, bands);
    });
    return true;
  }

  // Where each band goes; nothing is written before everything is known to fit.
  template <class T>
  void lay_out(const ArrayView<const T>& in, Output<T>& results,
               std::vector<ArrayView<T>>& bands) const {
    ArrayView<const T> source = in;
    for (const AnalysisLevel& level : levels_) {
      const bool last = &level == &levels_.back();
      if (!fits(source, source, level.axes)) throw std::invalid_argument("input does not fit its plan");
      const std::size_t first = bands.size();
      for (int b = 0; b < level.bands; ++b) {
        bands.push_back(b == 0 && !last ? shaped<T>(source, level.axes)
                                        : results.take(source, level.axes));
      }
      source = as_input(bands[first]);
    }
    if (!results.used_up()) throw std::invalid_argument("results do not fill their memory");
  }

  std::vector<AnalysisLevel> levels_;
  std::size_t bands_ = 0;
  index_t spacing_;
};

// Where the bands of an analysis lie in its memory: makes the arrays that a caller gets.
class Layout {
 public:
  // Key, index into the memory, and shape (None: as the index gives it).
  using Place = std::tuple<nb::str, nb::object, nb::object>;

  Layout(Place approx, std::vector<std::vector<Place>> details)
      : approx_(std::move(approx)), details_(std::move(details)) {}

  // The approximation, and a dict for the details of each level.
  nb::tuple of(nb::handle memory) const {
    nb::list levels;
    for (const auto& level : details_) {
      nb::dict bands;
      for (const Place& place : level) bands[std::get<0>(place)] = band(memory, place);
      levels.append(bands);
    }
    return nb::make_tuple(band(memory, approx_), levels);
  }

 private:
  static nb::object band(nb::handle memory, const Place& place) {
    const auto& [key, where, shape] = place;
    nb::object part = memory[where];
    return shape.is_none() ? part : part.attr("reshape")(shape);
  }

  Place approx_;
  std::vector<std::vector<Place>> details_;
};

// Levels of a synthesis: each but the first has the result of the one before as its approximation.
class Synthesis {
 public:
  struct Level {
    std::vector<AxisPlan> axes;
    std::vector<bool> present;  // which bands are given, by key
    bool approx_given;          // rather than the result of the level before
  };
  using LevelArgument = std::tuple<std::vector<AxisArgument>, std::vector<bool>>;

  explicit Synthesis(const std::vector<LevelArgument>& arguments) {
    for (const auto& [axes, present] : arguments) {
      Level level{make_axes(axes, true), present, levels_.empty()};
      const bool any = std::find(present.begin(), present.end(), true) != present.end();
      const std::size_t bands = level.axes.size() == 1 ? level.axes[0].plan.taps.size() / 2
                                                       : std::size_t{1} << level.axes.size();
      if (!any || (level.axes.size() == 1 ? count(present) : present.size()) != bands) {
        throw std::invalid_argument("bands do not match the axes");
      }
      given_ += count(present) - (levels_.empty() || !present[0] ? 0 : 1);
      levels_.push_back(std::move(level));
    }
  }

  // `bands`: those that are given, level by level and within it by key. False where a band cannot
  // be read in place.
  bool run(nb::sequence bands, nb::handle out) const {
    const Buffer result(out.ptr(), PyBUF_WRITABLE);
    std::deque<Buffer> inputs;
    for (nb::handle band : bands) require_same(inputs.emplace_back(band.ptr(), 0), result);
    if (inputs.size() != given_) throw std::invalid_argument("not the bands of the plan");
    return result.in_single() ? run_as<float>(inputs, result) : run_as<double>(inputs, result);
  }

 private:
  static std::size_t count(const std::vector<bool>& present) {
    return static_cast<std::size_t>(std::count(present.begin(), present.end(), true));
  }

  template <class T>
  bool run_as(const std::deque<Buffer>& inputs, const Buffer& out) const {
    Output<T> results;
    if (!results.open(out)) return false;
    std::vector<ArrayView<const T>> given(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].view(given[i])) return false;
    }
    for (const auto& band : given) {
      if (!in_place(&band, 1, levels_[0].axes)) return false;
    }
    std::vector<SynthesisStage<T>> stages(levels_.size());
    lay_out(given, results, stages);
    run_released(sizeof(T) * static_cast<double>(numbers_of(stages.back().result)), [&] {
      synthesise_levels(chosen().kernels->filters<T>(), stages);
    });
    return true;
  }

  // Where each band lies and each result goes; nothing is written before everything fits.
  template <class T>
  void lay_out(const std::vector<ArrayView<const T>>& given, Output<T>& results,
               std::vector<SynthesisStage<T>>& stages) const {
    auto next = given.begin();
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      const Level& level = levels_[i];
      const bool last = i + 1 == levels_.size(), one_axis = level.axes.size() == 1;
      SynthesisStage<T>& stage = stages[i];
      stage.axes = &level.axes;
      stage.continues = false;
      const ArrayView<const T>* like = nullptr;
      stage.bands.reserve(level.present.size());
      for (std::size_t b = 0; b < level.present.size(); ++b) {
        if (!level.present[b]) {
          if (!one_axis) stage.bands.emplace_back();  // no data: missing
          continue;
        }
        const bool before = b == 0 && !level.approx_given;
        stage.continues |= before;
        stage.bands.push_back(before ? trimmed(stages[i - 1].result, level.axes) : *next++);
        if (!like) like = &stage.bands.back();
        if (!fits(stage.bands.back(), *like, level.axes)) {
          throw std::invalid_argument("a band does not fit its plan");
        }
      }
      stage.result = last ? results.take(*like, level.axes) : shaped<T>(*like, level.axes);
    }
    if (!results.used_up()) throw std::invalid_argument("results do not fill their memory");
  }

  // The first samples along each axis, as many as the plans have.
  template <class T>
  static ArrayView<const T> trimmed(const ArrayView<T>& a, const std::vector<AxisPlan>& axes) {
    ArrayView<const T> part = as_input(a);
    for (const AxisPlan& axis : axes) {
      part.shape[axis.axis] = std::min(part.shape[axis.axis], axis.plan.extend.n);
    }
    return part;
  }

  std::vector<Level> levels_;
  std::size_t given_ = 0;
};

// The gradient of an analysis along one axis in its taps.
class TapGradients {
 public:
  explicit TapGradients(const AxisArgument& argument) : axis_(make_axis(argument, false)) {}

  // `out`: double precision, one row of taps per cotangent. False where an array cannot be read in
  // place.
  bool run(nb::handle x, nb::sequence cotangents, nb::handle out) const {
    const Buffer result(out.ptr(), PyBUF_WRITABLE);
    std::deque<Buffer> inputs;
    inputs.emplace_back(x.ptr(), 0);
    for (nb::handle y : cotangents) require_same(inputs.emplace_back(y.ptr(), 0), inputs.front());
    return inputs.front().in_single() ? run_as<float>(inputs, result)
                                      : run_as<double>(inputs, result);
  }

 private:
  template <class T>
  bool run_as(const std::deque<Buffer>& inputs, const Buffer& out) const {
    std::vector<ArrayView<const T>> arrays(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].view(arrays[i])) return false;
    }
    double* gradients = rows_of(out, static_cast<index_t>(arrays.size()) - 1);
    require_fitting(arrays);
    run_released(sizeof(T) * static_cast<double>(numbers_of(arrays[0])), [&] {
      chosen().kernels->filters<T>().tap_gradients(
          arrays.data(), static_cast<int>(arrays.size()) - 1, axis_, gradients);
    });
    return true;
  }

  double* rows_of(const Buffer& out, index_t count) const {
    ArrayView<double> view;
    const bool fits = out.sample() == Sample::twice && out.view(view) && view.ndim == 2 &&
                      view.shape[0] == count && view.shape[1] == axis_.plan.length;
    if (!fits || !is_contiguous(view)) throw std::invalid_argument("no place for the gradients");
    return view.data;
  }

  template <class T>
  void require_fitting(const std::vector<ArrayView<const T>>& arrays) const {
    for (const auto& a : arrays) {
      const index_t along = &a == &arrays.front() ? axis_.plan.extend.n : axis_.plan.n_out;
      bool fits = a.ndim == arrays[0].ndim && axis_.axis >= 0 && axis_.axis < a.ndim;
      for (int d = 0; fits && d < a.ndim; ++d) {
        fits = a.shape[d] == (d == axis_.axis ? along : arrays[0].shape[d]);
      }
      if (!fits) throw std::invalid_argument("input or cotangent does not fit its plan");
    }
  }

  AxisPlan axis_;
};

}  // namespace
}  // namespace liftwave

NB_MODULE(_cpu, m) {
  using namespace liftwave;
  chosen();  // an instruction set that does not exist is an error at import

  m.def("isa", [] { return std::string(chosen().name); });
  m.def("available_isas", &available_isas);
  m.def("set_num_threads", &set_num_threads);
  m.def("get_num_threads", &get_num_threads);

  nb::class_<Analysis>(m, "Analysis")
      .def(nb::init<const std::vector<std::vector<AxisArgument>>&, index_t>(), nb::arg("levels"),
           nb::arg("spacing"))
      .def("run", &Analysis::run, nb::arg("x"), nb::arg("out"));
  nb::class_<Layout>(m, "Layout")
      .def(nb::init<Layout::Place, std::vector<std::vector<Layout::Place>>>(), nb::arg("approx"),
           nb::arg("details"))
      .def("of", &Layout::of, nb::arg("memory"));
  nb::class_<Synthesis>(m, "Synthesis")
      .def(nb::init<const std::vector<Synthesis::LevelArgument>&>(), nb::arg("levels"))
      .def("run", &Synthesis::run, nb::arg("bands"), nb::arg("out"));

  nb::class_<TapGradients>(m, "TapGradients")
      .def(nb::init<const AxisArgument&>(), nb::arg("axis"))
      .def("run", &TapGradients::run, nb::arg("x"), nb::arg("cotangents"), nb::arg("out"));

  bind_lifting(m, chosen().name);
  bind_pooling(m, chosen().name);
  bind_lift_pool(m, chosen().name);
}
