// Python bindings of the dual tree: one level of several lines or images.
#include "python/bindings.hpp"

#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "common/require.hpp"
#include "python/arrays.hpp"
#include "python/gil.hpp"

namespace liftwave {
namespace {

// The kernels of the instruction set in use.
const DualTreeTable* kernels = nullptr;

using HalfArgument = std::tuple<index_t, std::vector<double>, std::vector<double>, int, int>;
using Places = std::vector<index_t>;
using AxisArgument = std::tuple<index_t, index_t, int, int, Places, Places, std::vector<HalfArgument>>;

// Kernels rely on these properties.
void require_sound(const DualTreeAxis& axis) {
  const auto before = static_cast<index_t>(axis.before.size());
  const auto after = static_cast<index_t>(axis.after.size());
  require(axis.n > 0 && axis.count > 0 && axis.dilation > 0, "an axis has no samples");
  require(axis.stride == 2 || axis.stride == 4, "the stride is 2 or 4");
  require(axis.stride == 2 * axis.dilation, "the stride is not twice the dilation");
  for (const Places* places : {&axis.before, &axis.after}) {
    require(std::all_of(places->begin(), places->end(), [&](index_t i) { return -1 <= i && i < axis.n; }),
            "a place names no sample");
  }
  for (const DualTreeHalf& half : axis.halves) {
    const std::size_t length = half.low.size();
    require(length > 0 && length <= max_dual_tree_taps && length == half.high.size(), "not two filters");
    const index_t first = half.phase - axis.dilation * static_cast<index_t>(length - 1);
    const index_t last = axis.stride * (axis.count - 1) + half.phase;
    require(first >= -before && last < axis.n + after, "taps reach beyond the samples");
  }
  for (int filter = 0; filter < 2; ++filter) {
    const int first = axis.halves[0].parity[filter];
    require((first == 0 || first == 1) && first + axis.halves[1].parity[filter] == 1, "not two halves");
  }
}

// Whether both halves are the samples of one line, filtered by symmetric filters around each sample.
bool is_centred(const DualTreeAxis& axis) {
  const DualTreeHalf &even = axis.halves[0], &odd = axis.halves[1];
  const auto centre = static_cast<std::size_t>(even.phase);
  if (axis.stride != 2 || axis.dilation != 1 || even.phase < 0 || odd.phase != even.phase + 1) return false;
  if (even.parity[0] || even.parity[1] || even.low != odd.low || even.high != odd.high) return false;
  for (const std::vector<double>* taps : {&even.low, &even.high}) {
    if (taps->size() < 2 * centre + 1) return false;
    for (std::size_t j = 0; j < taps->size(); ++j) {
      const double other = j > 2 * centre ? 0.0 : (*taps)[2 * centre - j];
      if ((*taps)[j] != other) return false;
    }
  }
  return static_cast<index_t>(axis.before.size()) >= even.phase;
}

DualTreeAxis make_axis(const AxisArgument& argument) {
  const auto& [n, count, stride, dilation, before, after, halves] = argument;
  DualTreeAxis axis{n, count, stride, dilation, before, after, {}, false};
  require(halves.size() == 2, "not two halves");
  for (std::size_t h = 0; h < 2; ++h) {
    const auto& [phase, low, high, of_low, of_high] = halves[h];
    axis.halves[h] = {phase, low, high, {of_low, of_high}};
  }
  require_sound(axis);
  axis.is_centred = is_centred(axis);
  return axis;
}

class DualTreeLevel {
 public:
  // `allocate`: for results of many numbers.
  DualTreeLevel(const std::vector<AxisArgument>& axes, nb::object allocate, index_t many)
      : allocate_(std::move(allocate)), many_(many) {
    require(axes.size() == 1 || axes.size() == 2, "one or two axes");
    for (const AxisArgument& axis : axes) axes_.push_back(make_axis(axis));
  }

  // The low-pass and the bands of an array of shape (items, *lengths); None if it is not plain.
  nb::object split(nb::handle x) const {
    PythonArray in;
    if (!in.open(x) || !is_real(in)) return nb::none();
    return in.is_single() ? split_as<float>(in) : split_as<double>(in);
  }

  // The array with a low-pass and bands; None if one of these is not plain and contiguous.
  nb::object merge(nb::handle low, nb::handle bands) const {
    PythonArray a, b;
    if (!a.open(low) || !b.open(bands) || !is_real(a) || a.dtype() != b.dtype()) return nb::none();
    return a.is_single() ? merge_as<float>(a, b) : merge_as<double>(a, b);
  }

 private:
  static bool is_real(const PythonArray& a) {
    return a.dtype() == DType::float32 || a.dtype() == DType::float64;
  }

  int count() const { return static_cast<int>(axes_.size()); }

  // (items, *lengths), with lengths of the signal, of the low-pass or of the bands.
  template <class F>
  std::vector<index_t> shape(index_t items, F&& length) const {
    std::vector<index_t> result{items};
    for (const DualTreeAxis& axis : axes_) result.push_back(length(axis));
    return result;
  }
  std::vector<index_t> signal(index_t items) const {
    return shape(items, [](const DualTreeAxis& a) { return a.n; });
  }
  std::vector<index_t> low_pass(index_t items) const {
    return shape(items, [](const DualTreeAxis& a) { return 2 * a.count; });
  }
  std::vector<index_t> bands(index_t items) const {
    std::vector<index_t> result = shape(items, [](const DualTreeAxis& a) { return a.count; });
    result.insert(result.begin() + 1, count() == 1 ? 1 : 6);
    result.push_back(2);
    return result;
  }

  template <class T>
  static bool has_shape(const ArrayView<T>& a, const std::vector<index_t>& shape) {
    return a.ndim == static_cast<int>(shape.size()) && std::equal(shape.begin(), shape.end(), a.shape);
  }

  template <class T>
  Result<T> new_result(const std::vector<index_t>& shape) const {
    index_t numbers = 1;
    for (index_t n : shape) numbers *= n;
    return Result<T>(numbers < many_ ? nb::none() : allocate_, shape.data(), static_cast<int>(shape.size()));
  }

  template <class T>
  nb::object split_as(const PythonArray& x) const {
    ArrayView<const T> in;
    x.view(in);
    require(in.ndim == count() + 1 && has_shape(in, signal(in.shape[0])), "input does not fit its plan");
    if (in.stride[count()] != 1 && in.shape[count()] != 1) return nb::none();
    const index_t items = in.shape[0];
    const Result<T> low = new_result<T>(low_pass(items)), bands = new_result<T>(this->bands(items));
    if (items) {
      run_released(sizeof(T) * static_cast<double>(numbers_of(in)), [&] {
        kernels->of<T>().split(axes_.data(), count(), {items, in.data, in.stride[0], in.stride[count() - 1], low.data(), bands.data()});
      });
    }
    return nb::make_tuple(low.array(), bands.array());
  }

  template <class T>
  nb::object merge_as(const PythonArray& a, const PythonArray& b) const {
    ArrayView<const T> low, bands;
    a.view(low);
    b.view(bands);
    require(low.ndim == count() + 1, "the low-pass does not fit its plan");
    const index_t items = low.shape[0];
    require(has_shape(low, low_pass(items)) && has_shape(bands, this->bands(items)), "bands do not fit their plan");
    if (!is_contiguous(low) || !is_contiguous(bands)) return nb::none();
    const std::vector<index_t> out = signal(items);
    const Result<T> result = new_result<T>(out);
    const index_t row = out.back(), item = count() == 1 ? row : row * out[1];
    if (items) {
      run_released(sizeof(T) * static_cast<double>(item * items), [&] {
        kernels->of<T>().merge(axes_.data(), count(), {items, result.data(), item, row, low.data, bands.data});
      });
    }
    return result.array();
  }

  std::vector<DualTreeAxis> axes_;
  nb::object allocate_;
  index_t many_;
};

}  // namespace

void bind_dual_tree(nb::module_& m, const Kernels& chosen) {
  kernels = chosen.dual_tree;
  nb::class_<DualTreeLevel>(m, "DualTreeLevel")
      .def(nb::init<const std::vector<AxisArgument>&, nb::object, index_t>(), nb::arg("axes"),
           nb::arg("allocate"), nb::arg("many"))
      .def("split", &DualTreeLevel::split)
      .def("merge", &DualTreeLevel::merge);
}

}  // namespace liftwave
