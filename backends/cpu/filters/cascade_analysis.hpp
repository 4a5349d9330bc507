// Several levels of an analysis along a line in one pass: see line_cascade.hpp.
#pragma once

#include <algorithm>

#include "filters/analysis.hpp"
#include "filters/line_cascade.hpp"

namespace liftwave::LIFTWAVE_ISA {

// The results of a cascade along one line, and the memory of inputs near its ends.
template <class T>
struct CascadeResults {
  T* details[LineCascade::most_levels];
  T* approx;
  T* ends[LineCascade::most_levels];  // by level, at the places of `EndInputs`
  bool past_caches;
};

// Samples of a level that the next outputs read, split. Earlier samples are dropped.
template <class T>
class CarriedInputs {
 public:
  CarriedInputs() = default;
  CarriedInputs(index_t first, index_t most, index_t lanes, Scratch& scratch)
      : first_(SplitLine<T>::half(first)), stop_(first),
        line_(2 * first_, 2 * first_ + most + 2, lanes, scratch) {}

  const SplitLine<T>& line() const { return line_; }
  index_t stop() const { return stop_; }
  void extend_to(index_t stop) { stop_ = stop; }

  // Moves the samples from `i` on to the beginning of the memory.
  void drop_before(index_t i) {
    const index_t half = SplitLine<T>::half(std::min(i, stop_)), shift = (half - first_) * line_.lanes;
    if (shift <= 0) return;
    for (T** part : {&line_.even, &line_.odd}) {
      T* const begin = *part + first_ * line_.lanes;
      std::copy(begin + shift, *part + SplitLine<T>::half(stop_ + 1) * line_.lanes, begin);
      *part -= shift;
    }
    first_ = half;
  }

 private:
  index_t first_ = 0, stop_ = 0;  // the first pair of samples, the end of all
  SplitLine<T> line_{};
};

// Consecutive pieces of a line, block by block through all levels.
template <class T>
class CascadeStretch {
 public:
  CascadeStretch(const LineCascade& cascade, const Line<T>& line, const CascadeResults<T>& results,
                 index_t begin, index_t end, Scratch& scratch)
      : cascade_(cascade), line_(line), results_(results),
        tile_(std::max<index_t>(2 * vector, tile_bytes / (line.lanes * static_cast<index_t>(sizeof(T))))),
        unused_(scratch.take<T>(tile_ * line.lanes)), rows_(scratch.take<T>(tile_ * line.lanes)) {
    cascade.stretch(begin, end, owned_, computed_);
    index_t longest = 0, most = block_tiles * tile_;
    for (int level = 0; level < cascade.depth(); ++level) {
      const FilterPlan& p = cascade.plan(level);
      longest = std::max(longest, p.length);
      next_[level] = computed_[level].begin;
      if (level == 0) continue;
      most += p.length + 2 * vector;  // the samples that the block before leaves
      inputs_[level] = CarriedInputs<T>(computed_[level - 1].begin, most, line.lanes, scratch);
      most = most / 2 + 1;
    }
    source_ = scratch.take<const T*>(longest);
  }

  void run() {
    while (next_[0] < computed_[0].end) {
      const index_t block = next_[0] + block_tiles * tile_;
      for (int level = 0; level < cascade_.depth(); ++level) {
        compute(level, level ? outputs_before(cascade_.plan(level), inputs_[level].stop()) : block);
      }
    }
  }

 private:
  static constexpr index_t vector = width<T, vector_bytes>;
  static constexpr index_t block_tiles = 2;

  // Outputs up to `stop`, or up to the last before it whose detail begins a vector.
  void compute(int level, index_t stop) {
    const Range& owned = owned_[level];
    stop = stop < computed_[level].end ? last_aligned(level, stop) : computed_[level].end;
    while (next_[level] < stop) {
      const index_t k0 = next_[level];
      index_t k1 = std::min(k0 + tile_, stop);
      if (k0 < owned.end) {
        k1 = std::min(k1, owned.end);
        if (!is_aligned(detail(level, k0))) k1 = std::min(k1, first_aligned(level, k0));
      }
      filter_outputs(level, k0, k1);
      next_[level] = k1;
    }
    if (level) inputs_[level].drop_before(first_input(cascade_.plan(level), next_[level]));
  }

  T* detail(int level, index_t k) const { return results_.details[level] + k * line_.lanes; }

  index_t first_aligned(int level, index_t k) const {
    for (index_t i = k + 1; i < k + vector; ++i) {
      if (is_aligned(detail(level, i))) return i;
    }
    return k + tile_;
  }
  index_t last_aligned(int level, index_t k) const {
    for (index_t i = k; i > k - vector; --i) {
      if (is_aligned(detail(level, i))) return i;
    }
    return k;
  }

  void filter_outputs(int level, index_t k0, index_t k1) {
    T* const to = k0 < owned_[level].end ? detail(level, k0) : unused_;
    if (level) return filter_into_next(level, inputs_[level].line(), k0, k1, to);
    Scratch scratch;
    soon_ = next_inputs(cascade_.plan(0), line_, k0, k1);
    filter_into_next(level, split_inputs(cascade_.plan(0), line_, k0, k1, scratch), k0, k1, to);
    soon_ = {};
  }

  // The approximations become inputs of the next level, or the result of the last one.
  void filter_into_next(int level, const SplitLine<T>& from, index_t k0, index_t k1, T* to) {
    const FilterPlan& p = cascade_.plan(level);
    const index_t lanes = line_.lanes;
    if (level == cascade_.depth() - 1) {
      return filter_split_line(p, from, k0, k1, Rows<T>{results_.approx + k0 * lanes, to}, source_);
    }
    CarriedInputs<T>& next = inputs_[level + 1];
    const SplitLine<T>& into = next.line();
    if (lanes == 1) filter_split<1>(p, from, k0, k1, into, to);
    else if (lanes == 2) filter_split<2>(p, from, k0, k1, into, to);
    else {
      filter_split_line(p, from, k0, k1, Rows<T>{rows_, to}, source_, soon_);
      split_line({rows_ - k0 * lanes, lanes, lanes, 1}, k0, k1, into);
    }
    next.extend_to(k1);
    store_ends(level + 1, into, {k0, std::min(k1, owned_[level].end)});
  }

  template <int Lanes>
  void filter_split(const FilterPlan& p, const SplitLine<T>& from, index_t k0, index_t k1,
                    const SplitLine<T>& into, T* to) {
    const FirstSplit<T, Lanes, false> rest{into.at(k0), into.at(k0 + 1), to};
    if (!results_.past_caches || !is_aligned(to)) return filter_split_line(p, from, k0, k1, rest, rest, source_, soon_);
    const FirstSplit<T, Lanes, true> sink{rest.even, rest.odd, to};
    filter_split_line(p, from, k0, k1, sink, rest, source_, soon_);
  }

  // Stores inputs of a level that the outputs near the ends read, too.
  void store_ends(int level, const SplitLine<T>& from, const Range& inputs) {
    const LineCascade::EndInputs& ends = cascade_.end_inputs(level);
    const auto copy = [&](index_t begin, index_t end) {
      for (index_t i = std::max(begin, inputs.begin); i < std::min(end, inputs.end); ++i) {
        std::copy_n(from.at(i), line_.lanes, results_.ends[level] + ends.place(i) * line_.lanes);
      }
    };
    copy(0, ends.left);
    copy(ends.n - ends.right, ends.n);
  }

  const LineCascade& cascade_;
  const Line<T>& line_;
  const CascadeResults<T>& results_;
  index_t tile_;
  T* unused_;  // details that belong to another stretch
  T* rows_;
  const T** source_;
  Soon<T> soon_;  // inputs of the next outputs of the first level, while it is computed
  Range owned_[LineCascade::most_levels], computed_[LineCascade::most_levels];
  index_t next_[LineCascade::most_levels];  // the first output that is not computed yet
  CarriedInputs<T> inputs_[LineCascade::most_levels];
};

// Outputs k0 ... k1 - 1 of a level, some of which the extension reaches.
template <class T>
void analyse_end(const LineCascade& cascade, int level, const Line<T>& line,
                 const CascadeResults<T>& results, index_t k0, index_t k1) {
  if (k0 >= k1) return;
  Scratch scratch;
  const FilterPlan& p = cascade.plan(level);
  const index_t lanes = line.lanes, from = first_input(p, k0), stop = stop_input(p, k1);
  const auto sample = [&](index_t i, index_t lane) {
    if (level == 0) return line.at(i)[lane * line.lane_stride];
    return results.ends[level][cascade.end_inputs(level).place(i) * lanes + lane];
  };
  const SplitLine<T> split(from, stop, lanes, scratch);
  for (index_t i = std::max<index_t>(from, 0); i < std::min(stop, p.extend.n); ++i) {
    for (index_t l = 0; l < lanes; ++l) split.at(i)[l] = sample(i, l);
  }
  extend_line<T>(p.extend, from, stop, lanes, sample, [&](index_t i) { return split.at(i); });
  T* const low = level == cascade.depth() - 1
                     ? results.approx + k0 * lanes
                     : results.ends[level + 1] + cascade.end_inputs(level + 1).place(k0) * lanes;
  filter_split_line(p, split, k0, k1, Rows<T>{low, results.details[level] + k0 * lanes},
                    scratch.take<const T*>(p.length));
}

// The first levels of a cascade: `details` of each, and the approximation of the last.
template <class T>
void analyse_cascade(const LineCascade& cascade, int axis, const ArrayView<const T>& x,
                     const ArrayView<T>* details, const ArrayView<T>& approx) {
  Batch batch;
  const Inner inner = split_dimensions(&x, 1, axis, axis, batch);
  const index_t lanes = inner.count, pieces = cascade.pieces();
  const int depth = cascade.depth();
  const double bytes = sizeof(T) * static_cast<double>(numbers_of(x));
  index_t of_item = 0;
  for (int level = 1; level < depth; ++level) of_item += cascade.end_inputs(level).size() * lanes;
  Scratch shared;
  T* const ends = shared.take<T>(of_item * batch.size);
  const auto line = [&](index_t item) {
    return Line<T>{batch.locate(item, x), x.stride[axis], lanes, inner.stride(x)};
  };
  const auto results = [&](index_t item) {
    CascadeResults<T> of{{}, batch.locate(item, approx), {}, bytes >= streamed_bytes};
    T* next = ends + item * of_item;
    for (int level = 0; level < depth; ++level) {
      of.details[level] = batch.locate(item, details[level]);
      of.ends[level] = next;
      next += cascade.end_inputs(level).size() * lanes;
    }
    return of;
  };
  parallel_for(batch.size * pieces, 2 * bytes, [&](index_t begin, index_t end) {
    for (index_t piece = begin; piece < end;) {
      Scratch scratch;
      const index_t item = piece / pieces, stop = std::min(end, (item + 1) * pieces);
      const Line<T> from = line(item);
      const CascadeResults<T> to = results(item);
      CascadeStretch<T>(cascade, from, to, piece - item * pieces, stop - item * pieces, scratch).run();
      piece = stop;
    }
    end_streams();
  });
  parallel_for(batch.size, sizeof(T) * static_cast<double>(of_item * batch.size), [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      for (int level = 0; level < depth; ++level) {
        const Range& done = cascade.inner(level);
        analyse_end(cascade, level, line(item), results(item), 0, done.begin);
        analyse_end(cascade, level, line(item), results(item), done.end, cascade.plan(level).n_out);
      }
    }
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
