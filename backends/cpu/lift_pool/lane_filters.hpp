// Filters of lifting pooling whose lanes run over channels, each with its own filter.
#pragma once

#include <algorithm>

#include "common/buffer.hpp"
#include "common/vector_math.hpp"
#include "lift_pool/plan.hpp"

namespace liftwave::LIFTWAVE_ISA {

// --- filters -----------------------------------------------------------------------------------

// The filters of as many channels as a register has lanes: K weights (0: `kernel` of them).
template <class T, int K>
struct LaneFilter {
  Pack<T> weight[K ? K : 1] = {}, bias, gain, offset;
  const T* weights;
  int kernel;

  // `numbers`: weights, bias, gain, offset, each for all lanes.
  LaneFilter(const T* numbers, int kernel_) : weights(numbers), kernel(kernel_) {
    constexpr index_t n = lanes_of<T>;
    for (int i = 0; i < K; ++i) weight[i] = get(numbers + i * n);
    bias = get(numbers + kernel * n);
    gain = get(numbers + (kernel + 1) * n);
    offset = get(numbers + (kernel + 2) * n);
  }

  // base + f, or base - f; `sum` is that of weights times samples.
  template <bool subtract>
  LIFTWAVE_INLINE Pack<T> applied(const Pack<T>& base, const Pack<T>& sum) const {
    const Pack<T> linear = sum + bias, zero{};
    const Pack<T> change = gain * (linear <= T(0) ? zero : linear) + offset;
    return subtract ? base - change : base + change;
  }

  // The sum over any number of weights; `sample(i)` is that of weight i.
  template <class Sample>
  LIFTWAVE_INLINE Pack<T> sum_of(const Sample& sample) const {
    Pack<T> sum = get(weights) * sample(0);
    for (int i = 1; i < kernel; ++i) sum = sum + get(weights + i * lanes_of<T>) * sample(i);
    return sum;
  }
};

// The filters of all channels, pack by pack. The last pack overlaps the one before.
template <class T>
class LaneFilters {
 public:
  static constexpr index_t lanes = lanes_of<T>;

  explicit LaneFilters(const LiftPoolJob<T>& job)
      : channels_(job.channels), packs_((channels_ + lanes - 1) / lanes),
        numbers_(job.plan->kernel + 3), shared_(job.filters.shared),
        values_(static_cast<std::size_t>((shared_ ? 1 : job.plan->passes()) * 2 * packs_ * numbers_ *
                                         lanes)) {
    T* to = values_.data();
    for (index_t f = 0; f < (shared_ ? 1 : job.plan->passes()) * 2; ++f)
      for (index_t pack = 0; pack < packs_; ++pack)
        for (index_t i = 0; i < numbers_; ++i)
          for (index_t lane = 0; lane < lanes; ++lane)
            *to++ = job.filters.values[(f * channels_ + first(pack) + lane) * numbers_ + i];
  }

  index_t packs() const { return packs_; }
  index_t first(index_t pack) const { return std::min(pack * lanes, channels_ - lanes); }

  template <int K>
  LaneFilter<T, K> of(int pass, int which, index_t pack) const {
    const index_t filter = (shared_ ? 0 : 2 * pass) + which;
    return {values_.data() + (filter * packs_ + pack) * numbers_ * lanes,
            static_cast<int>(numbers_ - 3)};
  }

 private:
  index_t channels_, packs_, numbers_;
  bool shared_;
  Buffer<T> values_;
};

// --- rows --------------------------------------------------------------------------------------

// Samples of one pack along a row: sample k is at `first` + k * `step`.
template <class T>
struct LaneRow {
  T* first;
  index_t step;
  T* at(index_t k) const { return first + k * step; }
};

// Sample k of `to` is that of `base` plus or minus the filter of `source` along the row. If `ahead` is
// not zero, prefetches the samples that many numbers further: processors do not foresee them.
template <class T, int K, bool subtract>
void lift_along(const LaneFilter<T, K>& filter, const index_t* places, LaneRow<const T> source,
                LaneRow<const T> base, T* to, index_t count, index_t ahead = 0) {
  const auto sample = [&](index_t q) LIFTWAVE_INLINE_LAMBDA {
    return places[q] < 0 ? Pack<T>{} : get(source.at(places[q]));
  };
  [[maybe_unused]] Pack<T> window[K ? K : 1];
  for (int i = 1; i < K; ++i) window[i] = sample(i - 1);
  for (index_t k = 0; k < count; ++k, to += lanes_of<T>) {
    if (ahead > 0) prefetch<1>(source.at(k) + ahead), prefetch<1>(base.at(k) + ahead);
    Pack<T> sum;
    if constexpr (K > 0) {
      for (int i = 1; i < K; ++i) window[i - 1] = window[i];
      window[K - 1] = sample(k + K - 1);
      sum = filter.weight[0] * window[0];
      for (int i = 1; i < K; ++i) sum = sum + filter.weight[i] * window[i];
    } else {
      sum = filter.sum_of([&](int i) LIFTWAVE_INLINE_LAMBDA { return sample(k + i); });
    }
    put<T>(to, filter.template applied<subtract>(get(base.at(k)), sum));
  }
}

// The same across rows of `count` samples; `rows` are those that the filter reads. Calls `finish` with
// each result and its place. Prefetches as many samples of `soon`.
template <class T, int K, bool subtract, class Finish>
void lift_across(const LaneFilter<T, K>& filter, const T* const* rows, const T* base, index_t count,
                 LaneRow<const T> soon, const Finish& finish) {
  const T* row[K ? K : 1];
  if constexpr (K > 0) std::copy_n(rows, K, row);
  for (index_t k = 0; k < count; ++k) {
    const index_t at = k * lanes_of<T>;
    prefetch_early(soon.at(k));
    Pack<T> sum;
    if constexpr (K > 0) {
      sum = filter.weight[0] * get(row[0] + at);
      for (int i = 1; i < K; ++i) sum = sum + filter.weight[i] * get(row[i] + at);
    } else {
      sum = filter.sum_of([&](int i) LIFTWAVE_INLINE_LAMBDA { return get(rows[i] + at); });
    }
    finish(at, filter.template applied<subtract>(get(base + at), sum));
  }
}

}  // namespace liftwave::LIFTWAVE_ISA
