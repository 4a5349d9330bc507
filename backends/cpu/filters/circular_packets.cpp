#include "filters/circular_packets.hpp"

#include "filters/packet_work.hpp"

namespace liftwave {
namespace {

// What both directions have in common. `Stored` is T for results, const T for inputs.
template <class T, class Stored>
struct CircularWork {
  const FilterKernels<T>& kernels;
  const CircularTree& tree;
  const PacketArray<Stored>* arrays;

  const PacketNode& node(index_t number) const { return tree.nodes[static_cast<std::size_t>(number)]; }
  const std::vector<CircularAxis>& axes(index_t number) const {
    return tree.axes[static_cast<std::size_t>(node(number).level)];
  }

  // Runs work(c) for each child of a node. Small children go to one thread each, with their own
  // children; all threads share each large one.
  template <class F>
  void for_children(index_t number, double bytes, const F& work) const {
    if (bytes <= most_group_bytes) {
      double below = bytes;
      for (int level = node(number).level; level < tree.depth(); ++level) below *= tree.width();
      return parallel_for(tree.width(), below, [&](index_t begin, index_t end) {
        for (index_t c = begin; c < end; ++c) work(c);
      });
    }
    for (index_t c = 0; c < tree.width(); ++c) work(c);
  }
};

// Memory for a node between levels.
template <class T, class U>
ArrayView<T> memory_like(const ArrayView<U>& like, Scratch& scratch) {
  ArrayView<T> a;
  a.ndim = like.ndim;
  std::copy_n(like.shape, like.ndim, a.shape);
  allocate(a, scratch);
  return a;
}

template <class T>
void split(const CircularWork<T, T>& work, index_t number, const ArrayView<const T>& x) {
  const index_t children = work.node(number).children;
  if (children < 0) return;
  Scratch scratch;
  std::vector<ArrayView<T>> bands;
  for (int c = 0; c < work.tree.width(); ++c) {
    const PacketNode& child = work.node(children + c);
    bands.push_back(child.place >= 0 ? work.arrays[child.level].at(child.place)
                                     : memory_like<T>(x, scratch));
  }
  const std::vector<CircularAxis>& axes = work.axes(number);
  if (axes.size() == 1) work.kernels.split_lines(axes.data(), 1, x, bands.data());
  else work.kernels.split_planes(axes.data(), static_cast<int>(axes.size()), x, bands.data());
  work.for_children(number, bytes_of(x), [&](index_t c) {
    split(work, children + c, as_input(bands[static_cast<std::size_t>(c)]));
  });
}

template <class T>
void merge(const CircularWork<T, const T>& work, index_t number, const ArrayView<T>& out) {
  const index_t children = work.node(number).children;
  Scratch scratch;
  std::vector<ArrayView<const T>> bands;
  std::vector<ArrayView<T>> merged(static_cast<std::size_t>(work.tree.width()));
  for (int c = 0; c < work.tree.width(); ++c) {
    const PacketNode& child = work.node(children + c);
    ArrayView<T>& whole = merged[static_cast<std::size_t>(c)];
    if (child.place < 0) whole = memory_like<T>(out, scratch);
    bands.push_back(child.place >= 0 ? work.arrays[child.level].at(child.place) : as_input(whole));
  }
  work.for_children(number, bytes_of(out), [&](index_t c) {
    if (work.node(children + c).place < 0) merge(work, children + c, merged[static_cast<std::size_t>(c)]);
  });
  const std::vector<CircularAxis>& axes = work.axes(number);
  if (axes.size() == 1) work.kernels.merge_lines(axes.data(), 1, bands.data(), out);
  else work.kernels.merge_planes(axes.data(), static_cast<int>(axes.size()), bands.data(), out);
}

}  // namespace

template <class T>
void analyse_packets(const FilterKernels<T>& kernels, const CircularTree& tree,
                     const ArrayView<const T>& x, const PacketArray<T>* arrays) {
  if (numbers_of(x) == 0) return;
  const int axis = tree.axes.front().front().axis;
  if (tree.nodes.front().place >= 0) copy_root(x, arrays[0].at(tree.nodes.front().place), axis);
  for_groups(tree.depth(), axis, bytes_of(x) * tree.width(), x, arrays,
             [&](const PacketArray<T>* results, const ArrayView<const T>& part) {
    split(CircularWork<T, T>{kernels, tree, results}, 0, part);
  });
}

template <class T>
void synthesise_packets(const FilterKernels<T>& kernels, const CircularTree& tree,
                        const PacketArray<const T>* arrays, const ArrayView<T>& out) {
  if (numbers_of(out) == 0) return;
  for_groups(tree.depth(), tree.axes.front().front().axis, bytes_of(out) * tree.width(), out, arrays,
             [&](const PacketArray<const T>* inputs, const ArrayView<T>& part) {
    merge(CircularWork<T, const T>{kernels, tree, inputs}, 0, part);
  });
}

template void analyse_packets(const FilterKernels<float>&, const CircularTree&,
                              const ArrayView<const float>&, const PacketArray<float>*);
template void analyse_packets(const FilterKernels<double>&, const CircularTree&,
                              const ArrayView<const double>&, const PacketArray<double>*);
template void synthesise_packets(const FilterKernels<float>&, const CircularTree&,
                                 const PacketArray<const float>*, const ArrayView<float>&);
template void synthesise_packets(const FilterKernels<double>&, const CircularTree&,
                                 const PacketArray<const double>*, const ArrayView<double>&);

}  // namespace liftwave
