// Extended signals in the form that sums over taps read: rows across an axis, even and odd samples
// along it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/array_view.hpp"
#include "common/parallel.hpp"
#include "common/simd.hpp"
#include "filters/plan.hpp"

namespace liftwave::LIFTWAVE_ISA {

// `samples` samples of `lanes` numbers each, anywhere in memory.
template <class T>
struct Line {
  const T* data;
  index_t stride;
  index_t lanes;
  index_t lane_stride;

  const T* at(index_t i) const { return data + i * stride; }
  bool side_by_side() const {
    return (lanes == 1 || lane_stride == 1) && (stride == lanes);
  }
};

// --- copies ------------------------------------------------------------------------------------

// Copies numbers past the caches: whole cache lines with non-temporal stores.
template <class T>
void copy_past_caches(const T* from, T* to, index_t count) {
  constexpr index_t line = 64, numbers = line / static_cast<index_t>(sizeof(T));
  const auto misplaced = static_cast<index_t>(reinterpret_cast<std::uintptr_t>(to) % line);
  const index_t head = std::min(count, misplaced ? (line - misplaced) / static_cast<index_t>(sizeof(T)) : 0);
  std::copy_n(from, head, to);
  index_t i = head;
  for (; i + numbers <= count; i += numbers) {
    for (index_t v = 0; v < numbers; v += width<T, vector_bytes>) {
      stream<vector_bytes>(to + i + v, load<T, vector_bytes>(from + i + v));
    }
  }
  std::copy_n(from + i, count - i, to + i);
}

// --- rows ------------------------------------------------------------------------------------

// The rows of an array along one axis, also beyond its ends. Rows that repeat others and are
// contiguous in memory are used in place. All others are assembled in a ring that holds as many
// rows as the taps reach.
template <class T>
class RowSource {
 public:
  RowSource(const T* data, index_t stride, Line<T> row, index_t samples, const Extension& extend,
            index_t reach, Scratch& scratch)
      : data_(data), stride_(stride), row_(row), samples_(samples), extend_(extend),
        direct_(row.side_by_side() || samples * row.lanes == 1),
        capacity_(reach + 2 * group), scratch_(scratch) {}

  index_t numbers() const { return samples_ * row_.lanes; }

  // Row i if it is contiguous in memory, else null.
  const T* in_memory(index_t i) const {
    return direct_ && i >= 0 && i < extend_.n ? data_ + i * stride_ : nullptr;
  }

  // How many outputs from k on read rows in memory only.
  index_t rows_in_run(const FilterPlan& p, index_t k) const {
    if (!direct_ || 2 * k + p.phase - p.length + 1 < 0) return 0;
    return (extend_.n - p.phase + 1) / 2 - k;
  }

  // Row i. It is valid until a row further away than `reach` is requested.
  const T* operator()(index_t i) {
    if (i >= 0 && i < extend_.n) return direct_ ? data_ + i * stride_ : staged(i);
    const Row row = extend_.row(i);
    if (row.terms == 0) return zeros();
    if (direct_ && row.copies()) return data_ + row.at[0] * stride_;
    return staged(i);
  }

 private:
  static constexpr index_t group = 16;

  const T* zeros() {
    if (!zeros_) {
      zeros_ = scratch_.template take<T>(numbers());
      std::fill_n(zeros_, numbers(), T(0));
    }
    return zeros_;
  }

  index_t slot(index_t i) const { return ((i % capacity_) + capacity_) % capacity_; }
  T* slot_row(index_t i) { return ring_ + slot(i) * numbers(); }

  const T* staged(index_t i) {
    if (!ring_) start_ring();
    if (held_[slot(i)] != i) {
      if (i >= 0 && i < extend_.n) gather_rows(i);
      else weigh_row(i);
    }
    return slot_row(i);
  }

  void start_ring() {
    ring_ = scratch_.template take<T>(capacity_ * numbers());
    held_ = scratch_.template take<index_t>(capacity_);
    // No row has this number: rows reach at most a ring's length beyond the signal.
    std::fill_n(held_, capacity_, extend_.n + 2 * capacity_ + extend_.right);
  }

  // Gathers row i. If rows are closer together than samples, it gathers all rows of its group.
  void gather_rows(index_t i) {
    const bool crosswise = std::abs(stride_) < std::abs(row_.stride) && row_.lanes == 1;
    const index_t first = crosswise ? i - i % group : i;
    const index_t stop = crosswise ? std::min(first + group, extend_.n) : i + 1;
    for (index_t r = first; r < stop; ++r) held_[slot(r)] = r;
    if (!crosswise) return copy_row(data_ + i * stride_, slot_row(i));
    for (index_t c = 0; c < samples_; ++c) {
      const T* column = data_ + c * row_.stride;
      for (index_t r = first; r < stop; ++r) slot_row(r)[c] = column[r * stride_];
    }
  }

  void copy_row(const T* from, T* to) const {
    for (index_t c = 0; c < samples_; ++c) {
      for (index_t l = 0; l < row_.lanes; ++l) {
        to[c * row_.lanes + l] = from[c * row_.stride + l * row_.lane_stride];
      }
    }
  }

  void weigh_row(index_t i) {
    held_[slot(i)] = i;
    const Row row = extend_.row(i);
    T* to = slot_row(i);
    if (row.terms == 0) std::fill_n(to, numbers(), T(0));
    for (index_t t = 0; t < row.terms; ++t) {
      const T weight = static_cast<T>(row.weight[t]);
      const T* from = data_ + row.at[t] * stride_;
      for (index_t c = 0; c < samples_; ++c) {
        for (index_t l = 0; l < row_.lanes; ++l) {
          const T term = weight * from[c * row_.stride + l * row_.lane_stride];
          T& sum = to[c * row_.lanes + l];
          sum = t ? sum + term : term;
        }
      }
    }
  }

  const T* data_;
  index_t stride_;
  Line<T> row_;
  index_t samples_;
  const Extension& extend_;
  bool direct_;
  index_t capacity_;
  Scratch& scratch_;
  T* ring_ = nullptr;
  index_t* held_ = nullptr;
  T* zeros_ = nullptr;
};

// --- along an axis ---------------------------------------------------------------------------

// Splits samples `from` ... `to - 1` of a line into even and odd ones, in two arrays. There can be
// several lines, one after the other in both arrays.
template <class T>
struct SplitLine {
  T* even;
  T* odd;
  index_t from;
  index_t lanes;
  index_t pitch;  // numbers of an array from one line to the next

  SplitLine() = default;
  SplitLine(index_t from_, index_t to, index_t lanes_, Scratch& scratch, index_t lines = 1)
      : from(from_), lanes(lanes_), pitch(((to + 1) / 2 - half(from) + 2) * lanes) {
    even = scratch.take<T>(lines * pitch) - half(from) * lanes;
    odd = scratch.take<T>(lines * pitch) - half(from) * lanes;
  }

  // Line `i`.
  SplitLine line(index_t i) const {
    SplitLine one = *this;
    one.even += i * pitch;
    one.odd += i * pitch;
    return one;
  }

  static index_t half(index_t i) { return i >> 1; }

  T* at(index_t i) const { return ((i & 1) ? odd : even) + half(i) * lanes; }
};

template <class T, int Lanes>
void split_samples(const T* source, index_t first, index_t stop, const SplitLine<T>& to) {
  index_t i = first;
  const auto one = [&](index_t k) {
    for (int l = 0; l < Lanes; ++l) to.at(k)[l] = source[k * Lanes + l];
  };
  if (i < stop && (i & 1)) one(i++);
  constexpr int one_vector = width<T, vector_bytes>, step = 2 * one_vector / Lanes;
  T* to_even = to.at(i);  // stores might change `to`, so compilers would read it again for each
  T* to_odd = to.at(i + 1);
  for (; i + step <= stop; i += step, to_even += one_vector, to_odd += one_vector) {
    const T* from = source + i * Lanes;
    vec<T, vector_bytes> even, odd;
    split<T, vector_bytes, Lanes>(load<T, vector_bytes>(from), load<T, vector_bytes>(from + one_vector), even, odd);
    store<vector_bytes>(to_even, even);
    store<vector_bytes>(to_odd, odd);
  }
  for (; i < stop; ++i) one(i);
}

// Copies samples first ... stop - 1 of a line to their places.
template <class T>
void split_line(const Line<T>& line, index_t first, index_t stop, const SplitLine<T>& to) {
  if (line.side_by_side() && line.lanes == 1) return split_samples<T, 1>(line.data, first, stop, to);
  if (line.side_by_side() && line.lanes == 2) return split_samples<T, 2>(line.data, first, stop, to);
  for (index_t i = first; i < stop; ++i) {
    T* into = to.at(i);
    const T* from = line.at(i);
    for (index_t l = 0; l < line.lanes; ++l) into[l] = from[l * line.lane_stride];
  }
}

// sum = the sample beyond the ends that `row` describes; `sample(i, lane)` reads the signal.
template <class T, class Sample>
void extend_sample(const Row& row, index_t lanes, T* sum, const Sample& sample) {
  for (index_t l = 0; l < lanes; ++l) {
    T total = 0;
    for (index_t t = 0; t < row.terms; ++t) {
      const T term = static_cast<T>(row.weight[t]) * sample(row.at[t], l);
      total = t ? total + term : term;
    }
    sum[l] = total;
  }
}

// Copies samples from ... to - 1 beyond the ends, each to `place(i)`.
template <class T, class Sample, class Place>
void extend_line(const Extension& extend, index_t from, index_t to, index_t lanes,
                 const Sample& sample, const Place& place) {
  for (index_t i = from; i < std::min<index_t>(to, 0); ++i) {
    extend_sample<T>(extend.row(i), lanes, place(i), sample);
  }
  for (index_t i = std::max(from, extend.n); i < to; ++i) {
    extend_sample<T>(extend.row(i), lanes, place(i), sample);
  }
}

// Samples from ... stop - 1 of a line, contiguous, also beyond its ends. They are used in place if
// possible, else copied. Returns the address of sample 0.
template <class T>
const T* whole_line(const Extension& extend, const Line<T>& line, index_t from, index_t stop,
                    Scratch& scratch) {
  if (line.side_by_side() && from >= 0 && stop <= extend.n) return line.data;
  T* copy = scratch.take<T>((stop - from) * line.lanes) - from * line.lanes;
  const index_t first = std::max<index_t>(from, 0), last = std::min(stop, extend.n);
  if (line.side_by_side()) {
    if (first < last) std::copy_n(line.at(first), (last - first) * line.lanes, copy + first * line.lanes);
  } else {
    for (index_t i = first; i < last; ++i) {
      for (index_t l = 0; l < line.lanes; ++l) {
        copy[i * line.lanes + l] = line.at(i)[l * line.lane_stride];
      }
    }
  }
  extend_line<T>(
      extend, from, stop, line.lanes,
      [&](index_t i, index_t lane) { return line.at(i)[lane * line.lane_stride]; },
      [&](index_t i) { return copy + i * line.lanes; });
  return copy;
}

// Extends split lines in the same memory. The source of each sample is determined only once.
template <class T>
class LineEnds {
 public:
  LineEnds(const Extension& extend, index_t from, index_t stop, const SplitLine<T>& line,
           index_t lines, Scratch& scratch)
      : extend_(extend), line_(line), lines_(lines) {
    const index_t most = (std::max<index_t>(-from, 0) + std::max<index_t>(stop - extend.n, 0));
    copies_ = scratch.take<Copy>(most * line.lanes);
    sums_ = scratch.take<index_t>(most);
    for (index_t i = from; i < std::min<index_t>(stop, 0); ++i) add(i);
    for (index_t i = std::max(from, extend.n); i < stop; ++i) add(i);
  }

  // Extends line `i`.
  void fill(index_t i) const {
    const index_t shift = i * line_.pitch;
    for (index_t c = 0; c < copy_count_; ++c) copies_[c].to[shift] = copies_[c].from[shift];
    const auto sample = [&](index_t k, index_t lane) { return line_.at(k)[shift + lane]; };
    for (index_t s = 0; s < sum_count_; ++s) {
      extend_sample<T>(extend_.row(sums_[s]), line_.lanes, line_.at(sums_[s]) + shift, sample);
    }
  }

 private:
  struct Copy {
    T* to;
    const T* from;
  };

  void add(index_t i) {
    const Row row = extend_.row(i);
    if (row.terms == 0) fill_with_zeros(i);  // only once
    else if (!row.copies()) sums_[sum_count_++] = i;
    else for (index_t l = 0; l < line_.lanes; ++l) {
      copies_[copy_count_++] = {line_.at(i) + l, line_.at(row.at[0]) + l};
    }
  }

  void fill_with_zeros(index_t i) {
    for (index_t k = 0; k < lines_; ++k) std::fill_n(line_.line(k).at(i), line_.lanes, T(0));
  }

  const Extension& extend_;
  SplitLine<T> line_;
  index_t lines_;
  Copy* copies_;
  index_t* sums_;
  index_t copy_count_ = 0, sum_count_ = 0;
};

}  // namespace liftwave::LIFTWAVE_ISA
