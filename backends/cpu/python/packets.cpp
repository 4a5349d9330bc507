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
#include "filters/circular_packets.hpp"
#include "filters/packets.hpp"
#include "python/arrays.hpp"
#include "python/circular_arguments.hpp"
#include "python/filter_arguments.hpp"
#include "python/gil.hpp"

namespace liftwave {
namespace {

// The kernels of the instruction set in use.
const FilterTable* kernels = nullptr;

using NodeArguments = std::vector<std::tuple<int, index_t, index_t>>;  // as PacketNode

template <class T>
bool in_place(const ArrayView<const T>& array, int axis, int naxes) {
  return naxes == 1 || merges_behind(&array, 1, axis + naxes - 1);
}

// Packets with downsampling. An axis has the lengths of a node before and after its split.
struct Decimated {
  using Tree = PacketTree;
  using Argument = AxisArgument;

  static std::vector<AxisPlan> axes(const std::vector<Argument>& arguments, bool synthesis) {
    std::vector<AxisPlan> plans = make_axes(arguments, synthesis);
    for (const AxisPlan& a : plans) require(a.plan.taps.size() == (synthesis ? 4 : 2), "not the plans of packets");
    return plans;
  }
  static index_t whole(const AxisPlan& a, bool synthesis) {
    return synthesis ? a.plan.n_out : a.plan.extend.n;
  }
  static index_t part(const AxisPlan& a, bool synthesis) { return whole(a, !synthesis); }
  // Whether nodes of a length have the plan of their level. A synthesis may be longer than its node.
  static bool fit(index_t whole, index_t node, bool synthesis) {
    return synthesis ? whole >= node : whole == node;
  }
  template <class T>
  static bool are_readable(const ArrayView<const T>& array, int axis, int naxes) {
    return in_place(array, axis, naxes);
  }
};

// Packets without downsampling.
struct Circular {
  using Tree = CircularTree;
  using Argument = CircularArgument;

  static std::vector<CircularAxis> axes(const std::vector<Argument>& arguments, bool) {
    require(!arguments.empty() && arguments.size() <= max_axes, "1 to 4 axes are transformed at once");
    std::vector<CircularAxis> axes;
    for (const Argument& argument : arguments) axes.push_back(make_axis(argument));
    return axes;
  }
  static index_t whole(const CircularAxis& a, bool) { return a.n; }
  static index_t part(const CircularAxis& a, bool) { return a.n; }
  static bool fit(index_t whole, index_t node, bool) { return whole == node; }
  // Kernels read arrays that are contiguous from the first axis on.
  template <class T>
  static bool are_readable(const ArrayView<const T>& array, int axis, int) {
    index_t stride = 1;
    for (int d = array.ndim - 1; d >= axis; --d) {
      if (array.shape[d] != 1 && array.stride[d] != stride) return false;
      stride *= array.shape[d];
    }
    return true;
  }
};

// A tree, and the levels whose nodes are in arrays.
template <class Kind>
class Packets {
 public:
  using LevelArguments = std::vector<std::vector<typename Kind::Argument>>;

  Packets(const LevelArguments& levels, const NodeArguments& nodes, bool synthesis)
      : synthesis_(synthesis) {
    for (const auto& axes : levels) tree_.axes.push_back(Kind::axes(axes, synthesis));
    for (const auto& [level, place, children] : nodes) tree_.nodes.push_back({level, place, children});
    require_sound();
    counts_.resize(tree_.axes.size() + 1);
    for (const PacketNode& node : tree_.nodes) {
      index_t& count = counts_[static_cast<std::size_t>(node.level)];
      count = std::max(count, node.place + 1);
    }
  }

  const typename Kind::Tree& tree() const { return tree_; }
  int axis() const { return tree_.axes.front().front().axis; }
  int naxes() const { return static_cast<int>(tree_.axes.front().size()); }

  std::size_t used_levels() const {
    return counts_.size() - static_cast<std::size_t>(std::count(counts_.begin(), counts_.end(), 0));
  }

  // Whether arrays of these dimensions have the axes of the plans.
  bool fits(int ndim) const { return axis() >= 0 && axis() + naxes() <= ndim; }

  // The length of the nodes of a level along an axis.
  index_t length(std::size_t level, int a) const {
    const auto which = static_cast<std::size_t>(a);
    return level ? Kind::part(tree_.axes[level - 1][which], synthesis_)
                 : Kind::whole(tree_.axes[0][which], synthesis_);
  }

  // The array of each level that has one.
  template <class T, class Arrays>
  std::vector<PacketArray<T>> open(const Arrays& arrays) const {
    std::vector<PacketArray<T>> levels(counts_.size());
    std::size_t next = 0;
    for (std::size_t level = 0; level < counts_.size(); ++level) {
      if (!counts_[level]) continue;
      ArrayView<T> whole;
      arrays[next++].view(whole);
      require(fits(whole.ndim - 1) && whole.shape[axis()] == counts_[level], "not the nodes of the tree");
      for (int a = 0; a < naxes(); ++a) {
        require(whole.shape[axis() + 1 + a] == length(level, a), "nodes do not have their lengths");
      }
      levels[level] = without_nodes(whole);
    }
    return levels;
  }

 private:
  // Kernels rely on these properties.
  void require_sound() const {
    require(!tree_.axes.empty() && !tree_.nodes.empty(), "there are no levels");
    for (std::size_t level = 0; level < tree_.axes.size(); ++level) {
      const auto& axes = tree_.axes[level];
      require(static_cast<int>(axes.size()) == naxes(), "levels have different axes");
      for (int a = 0; a < naxes(); ++a) {
        const auto& plan = axes[static_cast<std::size_t>(a)];
        require(plan.axis == axis() + a, "not the plans of packets");
        require(Kind::fit(Kind::whole(plan, synthesis_), length(level, a), synthesis_),
                "nodes do not have the lengths of their plans");
      }
    }
    const index_t count = static_cast<index_t>(tree_.nodes.size());
    for (index_t i = 0; i < count; ++i) {
      const PacketNode& node = tree_.nodes[static_cast<std::size_t>(i)];
      require(0 <= node.level && node.level <= tree_.depth() && node.place >= -1, "not a node");
      const bool reads = !synthesis_ || node.place >= 0 || node.children >= 0;
      const bool is_root = node.level == 0 && node.children >= 0 && (!synthesis_ || node.place < 0);
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

  bool synthesis_;
  typename Kind::Tree tree_;
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

// The packets of a signal.
template <class Kind>
class PacketAnalysis {
 public:
  using LevelArguments = typename Packets<Kind>::LevelArguments;

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
    if (!Kind::are_readable(in, axis, naxes)) return nb::none();
    BandMemory::Arrays out(memory_->size());
    const nb::object results = memory_->allocate(dtype_object(x.dtype()), out);
    const auto arrays = packets_.template open<T>(out);
    for (const auto& array : arrays) {
      require(!array.first.data || same_batch(array.first, in, axis, naxes), "packets do not fit their memory");
    }
    run_released(sizeof(T) * static_cast<double>(numbers_of(in)), [&] {
      analyse_packets(kernels->of<T>(), packets_.tree(), in, arrays.data());
    });
    return results;
  }

  template <class T>
  bool has_lengths(const ArrayView<const T>& in) const {
    for (int a = 0; a < packets_.naxes(); ++a) {
      if (in.shape[packets_.axis() + a] != packets_.length(0, a)) return false;
    }
    return true;
  }

  Packets<Kind> packets_;
  nb::object memory_object_;
  const BandMemory* memory_;
  InputShapes shapes_;
};

// The signal with these packets.
template <class Kind>
class PacketSynthesis {
 public:
  using LevelArguments = typename Packets<Kind>::LevelArguments;

  PacketSynthesis(const LevelArguments& levels, const NodeArguments& nodes, nb::object shape,
                  nb::object allocate, nb::object shapes)
      : packets_(levels, nodes, true), shape_(std::move(shape)), allocate_(std::move(allocate)),
        shapes_(shapes) {}

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
    const auto arrays = packets_.template open<const T>(inputs);
    const nb::object result = allocated(allocate_, shape_, dtype_object(inputs[0].dtype()));
    PythonArray memory;
    memory.open_result(result);
    ArrayView<T> out;
    memory.view(out);
    require(packets_.fits(memory.ndim()) && is_contiguous(out), "results must be C-contiguous");
    for (int a = 0; a < naxes; ++a) {
      require(out.shape[axis + a] == packets_.length(0, a), "the result does not fit its plan");
    }
    for (const auto& array : arrays) {
      if (!array.first.data) continue;
      require(same_batch(array.first, out, axis, naxes), "packets do not fit the result");
      if (!Kind::are_readable(array.first, axis, naxes)) return nb::none();
    }
    run_released(sizeof(T) * static_cast<double>(numbers_of(out)), [&] {
      synthesise_packets(kernels->of<T>(), packets_.tree(), arrays.data(), out);
    });
    return result;
  }

  Packets<Kind> packets_;
  nb::object shape_;
  nb::object allocate_;
  InputShapes shapes_;
};

template <class Kind>
void bind_kind(nb::module_& m, const char* analysis, const char* synthesis) {
  using LevelArguments = typename Packets<Kind>::LevelArguments;
  using Analysis = PacketAnalysis<Kind>;
  using Synthesis = PacketSynthesis<Kind>;
  nb::class_<Analysis>(m, analysis)
      .def(nb::init<const LevelArguments&, const NodeArguments&, nb::object, nb::object>(),
           nb::arg("levels"), nb::arg("nodes"), nb::arg("memory"), nb::arg("shapes"))
      .def("results", &Analysis::results);
  nb::class_<Synthesis>(m, synthesis)
      .def(nb::init<const LevelArguments&, const NodeArguments&, nb::object, nb::object,
                    nb::object>(),
           nb::arg("levels"), nb::arg("nodes"), nb::arg("shape"), nb::arg("allocate").none(),
           nb::arg("shapes"))
      .def("results", &Synthesis::results);
}

}  // namespace

void bind_packets(nb::module_& m, const Kernels& chosen) {
  kernels = chosen.filters;
  bind_kind<Decimated>(m, "PacketAnalysis", "PacketSynthesis");
  bind_kind<Circular>(m, "CircularPacketAnalysis", "CircularPacketSynthesis");
}

}  // namespace liftwave
