#include "filters/packets.hpp"

#include "filters/packet_work.hpp"

namespace liftwave {
namespace {

// Blocks of a line go through all levels in the L2 cache, together with the nodes on their path.
constexpr double block_bytes = 256.0 * 1024, least_block_bytes = 32.0 * 1024;

// Nodes of this size are stored past the caches.
constexpr double streamed_bytes = 16.0 * 1024 * 1024;

// Runs work(c) for each child of a node. Below the size from which all threads share each node,
// every child goes to one thread, with its own children.
template <class F>
void for_children(int width, double bytes, double shared_bytes, const F& work) {
  if (bytes <= shared_bytes) {
    return parallel_for(width, 4 * bytes, [&](index_t begin, index_t end) {
      for (index_t c = begin; c < end; ++c) work(c);
    });
  }
  for (index_t c = 0; c < width; ++c) work(c);
}

// What both directions have in common. `Stored` is T for results, const T for inputs.
template <class T, class Stored>
struct PacketWork {
  const FilterKernels<T>& kernels;
  const PacketTree& tree;
  const PacketArray<Stored>* arrays;
  double all_bytes;

  const PacketNode& node(index_t number) const { return tree.nodes[static_cast<std::size_t>(number)]; }
  const std::vector<AxisPlan>& axes(index_t number) const {
    return tree.axes[static_cast<std::size_t>(node(number).level)];
  }
  int axis() const { return tree.axes.front().front().axis; }
  double shared_bytes() const {
    return std::min<double>(most_group_bytes, all_bytes / threads_for(all_bytes));
  }

  int depth_below(index_t number) const {
    const index_t children = node(number).children;
    if (children < 0) return 0;
    int depth = 0;
    for (int c = 0; c < tree.width(); ++c) depth = std::max(depth, depth_below(children + c));
    return depth + 1;
  }

  // Numbers behind the only axis; zero if they are many, or not contiguous.
  template <class U>
  index_t lanes(const ArrayView<U>& a) const {
    if (tree.axes.front().size() > 1 || !merges_behind(&a, 1, axis())) return 0;
    index_t lanes = 1;
    for (int d = axis() + 1; d < a.ndim; ++d) lanes *= a.shape[d];
    return lanes < most_lanes ? lanes : 0;
  }

  // Runs `kernel` on the lines of a node and of all nodes below; false if these are no lines, or
  // blocks do not pay off.
  template <class U, class Kernel>
  bool run_lines(index_t number, const ArrayView<U>& a, bool synthesis, const Kernel& kernel) const {
    const index_t across = lanes(a);
    const double bytes = bytes_of(a);
    if (!across || bytes == 0) return false;
    std::vector<const FilterPlan*> plans;
    const int first = node(number).level, last = first + depth_below(number);
    for (int level = first; level < last; ++level) {
      plans.push_back(&tree.axes[static_cast<std::size_t>(level)][0].plan);
      const PacketArray<Stored>& array = arrays[level + 1];
      if (array.first.data && !lanes(array.first)) return false;
    }
    const double sample = static_cast<double>(across) * sizeof(T);
    const double line = sample * static_cast<double>(a.shape[axis()]);
    const int threads = threads_for(bytes);
    // A whole line is better than blocks if it fits the cache, and other threads have others.
    const double block = line <= most_group_bytes && line * threads <= bytes
                             ? line
                             : std::clamp(bytes / (4 * threads), least_block_bytes, block_bytes);
    const PacketBlocks blocks(plans, synthesis, static_cast<index_t>(block / sample));
    if (!blocks.count()) return false;
    const bool past_caches = all_bytes >= streamed_bytes;
    kernel(PacketLines<T>{tree, blocks, number, axis(), 2 * blocks.depth() * bytes, past_caches});
    return true;
  }

  // Memory for a node in an array, or between levels. Its shape is that of its parent (or child),
  // with these lengths along the axes.
  template <class U, class Length>
  ArrayView<T> memory(const ArrayView<U>& like, const std::vector<AxisPlan>& along,
                      const Length& length, Scratch& scratch) const {
    ArrayView<T> a;
    a.ndim = like.ndim;
    std::copy_n(like.shape, like.ndim, a.shape);
    for (const AxisPlan& axis : along) a.shape[axis.axis] = length(axis.plan);
    allocate(a, scratch);
    return a;
  }
};

// --- analysis --------------------------------------------------------------------------------

template <class T>
void split(const PacketWork<T, T>& work, index_t number, const ArrayView<const T>& x) {
  if (work.node(number).children < 0 || numbers_of(x) == 0) return;
  const bool done = work.run_lines(number, x, false, [&](const PacketLines<T>& lines) {
    work.kernels.split_packets(lines, x, work.arrays);
  });
  if (done) return;
  Scratch scratch;
  const index_t children = work.node(number).children;
  const std::vector<AxisPlan>& axes = work.axes(number);
  std::vector<ArrayView<T>> bands;
  for (int c = 0; c < work.tree.width(); ++c) {
    const PacketNode& child = work.node(children + c);
    if (child.place >= 0) bands.push_back(work.arrays[child.level].at(child.place));
    else bands.push_back(work.memory(x, axes, [](const FilterPlan& p) { return p.n_out; }, scratch));
  }
  work.kernels.analyse(x, bands.data(), work.tree.width(), axes.data(), static_cast<int>(axes.size()));
  for_children(work.tree.width(), bytes_of(x), work.shared_bytes(), [&](index_t c) {
    split(work, children + c, as_input(bands[static_cast<std::size_t>(c)]));
  });
}

// --- synthesis -------------------------------------------------------------------------------

template <class T>
void merge(const PacketWork<T, const T>& work, index_t number, const ArrayView<T>& out) {
  if (numbers_of(out) == 0) return;
  const bool done = work.run_lines(number, out, true, [&](const PacketLines<T>& lines) {
    work.kernels.merge_packets(lines, work.arrays, out);
  });
  if (done) return;
  Scratch scratch;
  const index_t children = work.node(number).children;
  const std::vector<AxisPlan>& axes = work.axes(number);
  std::vector<ArrayView<const T>> bands;
  std::vector<ArrayView<T>> merged(static_cast<std::size_t>(work.tree.width()));
  for (int c = 0; c < work.tree.width(); ++c) {
    const PacketNode& child = work.node(children + c);
    if (child.place >= 0) {
      bands.push_back(work.arrays[child.level].at(child.place));
      continue;
    }
    // Its synthesis may have one sample more than its parent uses.
    const std::vector<AxisPlan>& below = work.axes(children + c);
    ArrayView<T>& whole = merged[static_cast<std::size_t>(c)];
    whole = work.memory(out, below, [](const FilterPlan& p) { return p.n_out; }, scratch);
    bands.push_back(as_input(whole));
    for (const AxisPlan& axis : axes) bands.back().shape[axis.axis] = axis.plan.extend.n;
  }
  for_children(work.tree.width(), bytes_of(out), work.shared_bytes(), [&](index_t c) {
    if (work.node(children + c).place < 0) merge(work, children + c, merged[static_cast<std::size_t>(c)]);
  });
  work.kernels.synthesise(bands.data(), work.tree.width(), out, axes.data(), static_cast<int>(axes.size()));
}

// --- items of a batch ------------------------------------------------------------------------

// Lines need no groups: `run_lines` takes all of them.
template <class T, class Stored, class F>
void for_items(const PacketTree& tree, const ArrayView<T>& x, const PacketArray<Stored>* arrays,
               const F& work) {
  if (tree.axes.front().size() == 1) return work(arrays, x);
  for_groups(tree.depth(), tree.axes.front().front().axis, 2.0 * bytes_of(x), x, arrays, work);
}

}  // namespace

template <class T>
void analyse_packets(const FilterKernels<T>& kernels, const PacketTree& tree,
                     const ArrayView<const T>& x, const PacketArray<T>* arrays) {
  const index_t root = tree.nodes.front().place;
  const int axis = tree.axes.front().front().axis;
  if (root >= 0 && numbers_of(x) > 0) copy_root(x, arrays[0].at(root), axis);
  for_items(tree, x, arrays, [&](const PacketArray<T>* results, const ArrayView<const T>& part) {
    split(PacketWork<T, T>{kernels, tree, results, bytes_of(x)}, 0, part);
  });
}

template <class T>
void synthesise_packets(const FilterKernels<T>& kernels, const PacketTree& tree,
                        const PacketArray<const T>* arrays, const ArrayView<T>& out) {
  for_items(tree, out, arrays, [&](const PacketArray<const T>* inputs, const ArrayView<T>& part) {
    merge(PacketWork<T, const T>{kernels, tree, inputs, bytes_of(out)}, 0, part);
  });
}

template void analyse_packets(const FilterKernels<float>&, const PacketTree&,
                              const ArrayView<const float>&, const PacketArray<float>*);
template void analyse_packets(const FilterKernels<double>&, const PacketTree&,
                              const ArrayView<const double>&, const PacketArray<double>*);
template void synthesise_packets(const FilterKernels<float>&, const PacketTree&,
                                 const PacketArray<const float>*, const ArrayView<float>&);
template void synthesise_packets(const FilterKernels<double>&, const PacketTree&,
                                 const PacketArray<const double>*, const ArrayView<double>&);

}  // namespace liftwave
