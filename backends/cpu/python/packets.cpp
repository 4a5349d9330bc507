// Python bindings of wavelet packets: take a tree, then arrays, and return arrays.
#include "python/bindings.hpp"

#include <nanobind/stl/tuple.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "common/require.hpp"
#include "filters/packets.hpp"
#include "python/arrays.hpp"
#include "python/filter_arguments.hpp"
#include "python/gil.hpp"

namespace liftwave {
namespace {

// The kernels of the instruction set in use.
const FilterTable* kernels = nullptr;

using LevelArguments = std::vector<std::vector<AxisArgument>>;
using NodeArguments = std::vector<std::tuple<int, index_t, index_t>>;  // as PacketNode

// A tree, and the levels whose nodes are in arrays.
class Packets {
 public:
  Packets(const LevelArguments& levels, const NodeArguments& nodes, bool synthesis) {
    for (const auto& axes : levels) tree_.axes.push_back(make_axes(axes, synthesis));
    for (const auto& [level, place, children] : nodes) tree_.nodes.push_back({level, place, children});
    require_sound(synthesis);
    counts_.resize(tree_.axes.size() + 1);
    for (const PacketNode& node : tree_.nodes) {
      index_t& count = counts_[static_cast<std::size_t>(node.level)];
      count = std::max(count, node.place + 1);
    }
  }

  const PacketTree& tree() const { return tree_; }
  int axis() const { return tree_.axes.front().front().axis; }
  int naxes() const { return static_cast<int>(tree_.axes.front().size()); }

  std::size_t used_levels() const {
    return counts_.size() - static_cast<std::size_t>(std::count(counts_.begin(), counts_.end(), 0));
  }

  // Whether arrays of these dimensions have the axes of the plans.
  bool fits(int ndim) const { return axis() >= 0 && axis() + naxes() <= ndim; }

  // The array of each level that has one. `lengths(level, axis)` are those of its nodes.
  template <class T, class Arrays, class Lengths>
  std::vector<PacketArray<T>> open(const Arrays& arrays, const Lengths& lengths) const {
    std::vector<PacketArray<T>> levels(counts_.size());
    std::size_t next = 0;
    for (std::size_t level = 0; level < counts_.size(); ++level) {
      if (!counts_[level]) continue;
      ArrayView<T> whole;
      arrays[next++].view(whole);
      require(fits(whole.ndim - 1) && whole.shape[axis()] == counts_[level], "not the nodes of the tree");
      for (int a = 0; a < naxes(); ++a) {
        require(whole.shape[axis() + 1 + a] == lengths(level, a), "nodes do not have their lengths");
      }
      levels[level] = without_nodes(whole);
    }
    return levels;
  }

 private:
  // Kernels rely on these properties.
  void require_sound(bool synthesis) const {
    require(!tree_.axes.empty() && !tree_.nodes.empty(), "there are no levels");
    for (const auto& axes : tree_.axes) {
      require(static_cast<int>(axes.size()) == naxes(), "levels have different axes");
      for (int a = 0; a < naxes(); ++a) {
        const AxisPlan& plan = axes[static_cast<std::size_t>(a)];
        require(plan.axis == axis() + a && plan.plan.taps.size() == (synthesis ? 4 : 2), "not the plans of packets");
      }
    }
    const index_t count = static_cast<index_t>(tree_.nodes.size());
    for (index_t i = 0; i < count; ++i) {
      const PacketNode& node = tree_.nodes[static_cast<std::size_t>(i)];
      require(0 <= node.level && node.level <= tree_.depth() && node.place >= -1, "not a node");
      const bool reads = !synthesis || node.place >= 0 || node.children >= 0;
      const bool is_root = node.level == 0 && node.children >= 0 && (!synthesis || node.place < 0);
      require(reads && (i || is_root), "a node has no samples");
      if (node.children < 0) continue;
      require(node.children > i && node.children + tree_.width() <= count, "a node lacks children");
      for (int c = 0; c < tree_.width(); ++c) {
        require(tree_.nodes[static_cast<std::size_t>(node.children + c)].level == node.level + 1, "a child is not on the next level");
      }
    }
  }

  template <class T>
  PacketArray<T> without_nodes(const ArrayView<T>& whole) const {
    PacketArray<T> array;
    array.spacing = whole.stride[axis()];
    array.first.data = whole.data;
    array.first.ndim = whole.ndim - 1;
    for (int d = 0; d < array.first.ndim; ++d) {
      array.first.shape[d] = whole.shape[d + (d >= axis())];
      array.first.stride[d] = whole.stride[d + (d >= axis())];
    }
    return array;
  }

  PacketTree tree_;
  std::vector<index_t> counts_;  // nodes in the array of each level
};

// Whether both arrays have the same lengths along all other axes.
template <class T, class U>
bool same_batch(const ArrayView<T>& a, const ArrayView<U>& b, int axis, int naxes) {
  if (a.ndim != b.ndim) return false;
  for (int d = 0; d < a.ndim; ++d) {
    if ((d < axis || d >= axis + naxes) && a.shape[d] != b.shape[d]) return false;
  }
  return true;
}

template <class T>
bool in_place(const ArrayView<const T>& array, int axis, int naxes) {
  return naxes == 1 || merges_behind(&array, 1, axis + naxes - 1);
}

// The packets of a signal.
class PacketAnalysis {
 public:
  PacketAnalysis(const LevelArguments& levels, const NodeArguments& nodes, nb::object memory,
                 nb::object shapes)
      : packets_(levels, nodes, false), memory_object_(std::move(memory)),
        memory_(nb::cast<const BandMemory*>(memory_object_)), shapes_(shapes) {
    require(memory_->size() == packets_.used_levels(), "levels do not match their memory");
  }

  // An array for each level that has results; None if the only array is not plain.
  nb::object results(nb::handle arrays) const {
    const nb::object x = only(arrays);
    PythonArray in;
    if (!in.open(x) || !in.is_floating() || !shapes_.fit(&in)) return nb::none();
    return in.is_single() ? run_as<float>(in) : run_as<double>(in);
  }

 private:
  template <class T>
  nb::object run_as(const PythonArray& x) const {
    ArrayView<const T> in;
    x.view(in);
    const int axis = packets_.axis(), naxes = packets_.naxes();
    require(packets_.fits(x.ndim()) && has_lengths(in), "input does not fit its plan");
    if (!in_place(in, axis, naxes)) return nb::none();
    BandMemory::Arrays out(memory_->size());
    const nb::object results = memory_->allocate(dtype_object(x.dtype()), out);
    const auto arrays = packets_.open<T>(out, [&](std::size_t level, int a) {
      const auto which = static_cast<std::size_t>(a);
      return level ? packets_.tree().axes[level - 1][which].plan.n_out
                   : packets_.tree().axes[0][which].plan.extend.n;
    });
    for (const auto& array : arrays) {
      require(!array.first.data || same_batch(array.first, in, axis, naxes), "packets do not fit their memory");
    }
    run_released(sizeof(T) * static_cast<double>(numbers_of(in)), [&] {
      analyse_packets(kernels->of<T>(), packets_.tree(), in, arrays.data());
    });
    return results;
  }

  // Whether the signal and the nodes of each level have the lengths of the next level's plans.
  template <class T>
  bool has_lengths(const ArrayView<const T>& in) const {
    for (std::size_t level = 0; level < packets_.tree().axes.size(); ++level) {
      for (const AxisPlan& a : packets_.tree().axes[level]) {
        const std::size_t which = static_cast<std::size_t>(a.axis - packets_.axis());
        const index_t n = level ? packets_.tree().axes[level - 1][which].plan.n_out : in.shape[a.axis];
        if (a.plan.extend.n != n) return false;
      }
    }
    return true;
  }

  Packets packets_;
  nb::object memory_object_;
  const BandMemory* memory_;
  InputShapes shapes_;
};

// The signal with these packets.
class PacketSynthesis {
 public:
  PacketSynthesis(const LevelArguments& levels, const NodeArguments& nodes, nb::object shape,
                  nb::object allocate, nb::object shapes)
      : packets_(levels, nodes, true), shape_(std::move(shape)), allocate_(std::move(allocate)),
        shapes_(shapes) {
    for (std::size_t level = 1; level < packets_.tree().axes.size(); ++level) {
      for (const AxisPlan& a : packets_.tree().axes[level]) {
        const std::size_t which = static_cast<std::size_t>(a.axis - packets_.axis());
        const FilterPlan& above = packets_.tree().axes[level - 1][which].plan;
        require(a.plan.n_out >= above.extend.n, "nodes are shorter than their plans");
      }
    }
  }

  // The signal in a list; None if an array is not plain.
  nb::object results(nb::handle arrays) const {
    const Py_ssize_t size = PySequence_Size(arrays.ptr());
    if (size < 0) throw nb::python_error();
    require(static_cast<std::size_t>(size) == packets_.used_levels(), "not the arrays of the plan");
    BandMemory::Arrays inputs(packets_.used_levels());
    if (!open_all(arrays, inputs)) return nb::none();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].dtype() != inputs[0].dtype()) return nb::none();
    }
    if (!inputs[0].is_floating() || !shapes_.fit(inputs.data())) return nb::none();
    return listed(inputs[0].is_single() ? run_as<float>(inputs) : run_as<double>(inputs));
  }

 private:
  template <class T>
  nb::object run_as(const BandMemory::Arrays& inputs) const {
    const int axis = packets_.axis(), naxes = packets_.naxes();
    const auto arrays = packets_.open<const T>(inputs, [&](std::size_t level, int a) {
      return packets_.tree().axes[level - 1][static_cast<std::size_t>(a)].plan.extend.n;
    });
    const nb::object result = allocated(allocate_, shape_, dtype_object(inputs[0].dtype()));
    PythonArray memory;
    memory.open_result(result);
    ArrayView<T> out;
    memory.view(out);
    require(packets_.fits(memory.ndim()) && is_contiguous(out), "results must be C-contiguous");
    for (const AxisPlan& a : packets_.tree().axes[0]) {
      require(out.shape[a.axis] == a.plan.n_out, "the result does not fit its plan");
    }
    for (const auto& array : arrays) {
      if (!array.first.data) continue;
      require(same_batch(array.first, out, axis, naxes), "packets do not fit the result");
      if (!in_place(array.first, axis, naxes)) return nb::none();
    }
    run_released(sizeof(T) * static_cast<double>(numbers_of(out)), [&] {
      synthesise_packets(kernels->of<T>(), packets_.tree(), arrays.data(), out);
    });
    return result;
  }

  Packets packets_;
  nb::object shape_;
  nb::object allocate_;
  InputShapes shapes_;
};

}  // namespace

void bind_packets(nb::module_& m, const Kernels& chosen) {
  kernels = chosen.filters;
  nb::class_<PacketAnalysis>(m, "PacketAnalysis")
      .def(nb::init<const LevelArguments&, const NodeArguments&, nb::object, nb::object>(),
           nb::arg("levels"), nb::arg("nodes"), nb::arg("memory"), nb::arg("shapes"))
      .def("results", &PacketAnalysis::results);
  nb::class_<PacketSynthesis>(m, "PacketSynthesis")
      .def(nb::init<const LevelArguments&, const NodeArguments&, nb::object, nb::object,
                    nb::object>(),
           nb::arg("levels"), nb::arg("nodes"), nb::arg("shape"), nb::arg("allocate").none(),
           nb::arg("shapes"))
      .def("results", &PacketSynthesis::results);
}

}  // namespace liftwave
