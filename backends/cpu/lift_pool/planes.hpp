// Lifting pooling of all planes of an array.
#pragma once

#include "common/parallel.hpp"
#include "lift_pool/channel_groups.hpp"
#include "lift_pool/channel_rows.hpp"
#include "lift_pool/line_steps.hpp"
#include "lift_pool/row_steps.hpp"
#include "lift_pool/sums.hpp"

namespace liftwave::LIFTWAVE_ISA {

// The planes of one group of a signal, or of none.
template <class U>
class SignalPlanes {
  using T = std::remove_const_t<U>;

 public:
  SignalPlanes(const LiftPoolJob<T>& job, const ChannelGroups<T>& groups, Scratch& scratch)
      : batch_(job.channels * job.plan->samples()), step_(job.channels),
        planes_(groups, job.plan->samples(), 1, scratch) {}

  void go_to(U* x, index_t n, index_t group) { planes_.go_to(&x, batch_, step_, n, group); }
  U* at(index_t i) { return planes_.at(i)[0]; }
  void finish() { planes_.finish(); }

 private:
  index_t batch_, step_;
  GroupPlanes<U> planes_;
};

template <class T>
double bytes_of(const LiftPoolJob<T>& job) {
  return static_cast<double>(sizeof(T)) * static_cast<double>(job.batch * job.channels) *
         static_cast<double>(job.plan->samples());
}

template <class T, int K>
void down_planes(const LiftPoolJob<T>& job, const T* x, const LiftPoolBands<T>& bands, bool sum,
                 double* sums) {
  if (!sums && ChannelRows<T, K>::serves(job))
    return down_channel_rows<T, K>(job, x, bands, sum, bytes_of(job));
  const LiftPoolPlan& plan = *job.plan;
  const index_t planes = job.batch * job.channels, count = 2 * plan.passes();
  const ChannelGroups<T> groups(job);
  Buffer<double> each(sums ? static_cast<std::size_t>(planes * count) : 0);
  parallel_for(job.batch * groups.count, bytes_of(job), [&](index_t begin, index_t end) {
    Scratch scratch;
    Plane<T, K> plane(job, scratch, 0);
    SignalPlanes<const T> from(job, groups, scratch);
    GroupPlanes<T> to(groups, plan.band_samples(), plan.bands(), scratch);
    for (index_t item = begin; item < end; ++item) {
      const index_t n = item / groups.count, group = item % groups.count;
      from.go_to(x, n, group);
      to.go_to(bands, n, group);
      for (index_t i = 0; i < groups.size(group); ++i) {
        const index_t c = groups.first(group) + i, p = n * job.channels + c;
        plane.at_channel(c);
        plane.down(from.at(i), sums ? each.data() + p * count : nullptr);
        plane.store_bands(to.at(i), sum);
      }
      to.finish();
    }
  });
  if (!sums) return;
  std::fill_n(sums, count, 0.0);
  for (index_t p = 0; p < planes; ++p)
    for (index_t i = 0; i < count; ++i) sums[i] += each[static_cast<std::size_t>(p * count + i)];
}

template <class T, int K>
void up_planes(const LiftPoolJob<T>& job, const LiftPoolBands<const T>& bands, T* x) {
  const LiftPoolPlan& plan = *job.plan;
  const ChannelGroups<T> groups(job);
  parallel_for(job.batch * groups.count, bytes_of(job), [&](index_t begin, index_t end) {
    Scratch scratch;
    Plane<T, K> plane(job, scratch, 0);
    GroupPlanes<const T> from(groups, plan.band_samples(), plan.bands(), scratch);
    SignalPlanes<T> to(job, groups, scratch);
    for (index_t item = begin; item < end; ++item) {
      const index_t n = item / groups.count, group = item % groups.count;
      from.go_to(bands, n, group);
      to.go_to(x, n, group);
      for (index_t i = 0; i < groups.size(group); ++i) {
        plane.at_channel(groups.first(group) + i);
        plane.load_bands(from.at(i));
        plane.up(to.at(i));
      }
      to.finish();
    }
  });
}

// Gradients are summed over the batch in an order that depends on the shape alone: per channel,
// over a fixed number of parts of the batch.
template <class T, int K, class Groups>
void summed_planes(const LiftPoolJob<T>& job, double* gradient, const Groups& make) {
  constexpr index_t enough = 64;
  const LiftPoolPlan& plan = *job.plan;
  const index_t parts =
      std::max<index_t>(1, std::min(job.batch, (enough + job.channels - 1) / job.channels));
  const index_t numbers = 2 * plan.passes() * job.channels * (plan.kernel + 3);
  const ChannelGroups<T> groups(job);
  Buffer<double> each(static_cast<std::size_t>(parts * numbers));
  parallel_for(parts * groups.count, 3 * bytes_of(job), [&](index_t begin, index_t end) {
    Scratch scratch;
    Plane<T, K> plane(job, scratch, groups.width);
    auto work = make(groups, scratch);
    for (index_t item = begin; item < end; ++item) {
      const index_t part = item / groups.count, group = item % groups.count;
      const index_t first = groups.first(group), size = groups.size(group);
      plane.begin_sums();
      for (index_t n = job.batch * part / parts; n < job.batch * (part + 1) / parts; ++n) {
        work.go_to(n, group);
        for (index_t i = 0; i < size; ++i) {
          plane.at_channel(first + i, i);
          work.run(plane, i);
        }
        work.finish();
      }
      for (index_t i = 0; i < size; ++i) {
        plane.at_channel(first + i, i);
        plane.end_sums(each.data() + part * numbers);
      }
    }
  });
  std::fill_n(gradient, numbers, 0.0);
  for (index_t part = 0; part < parts; ++part)
    for (index_t i = 0; i < numbers; ++i)
      gradient[i] += each[static_cast<std::size_t>(part * numbers + i)];
}

// Negates the gradient of one function of each pass: its result was subtracted.
inline void negate(double* gradient, const LiftPoolPlan& plan, index_t channels, int which) {
  const index_t each = channels * (plan.kernel + 3);
  for (int pass = 0; pass < plan.passes(); ++pass)
    for (index_t i = 0; i < each; ++i) {
      double& number = gradient[(2 * pass + which) * each + i];
      number = -number;
    }
}

// The known values of one group: the signal, or all bands.
template <class T, int K>
class KnownPlanes {
 public:
  KnownPlanes(const LiftPoolJob<T>& job, const LiftPoolValues<T>& values,
              const ChannelGroups<T>& groups, Scratch& scratch)
      : values_(values), signal_(job, groups, scratch),
        bands_(groups, job.plan->band_samples(), values.signal ? 0 : job.plan->bands(), scratch) {}

  void go_to(index_t n, index_t group) {
    if (values_.signal) signal_.go_to(values_.signal, n, group);
    else bands_.go_to(values_.bands, n, group);
  }

  // Computes the other values. Returns the signal, if it is known.
  const T* bring(Plane<T, K>& plane, index_t i) {
    if (values_.signal) {
      plane.down(signal_.at(i), nullptr);
      return signal_.at(i);
    }
    plane.load_bands(bands_.at(i));
    plane.up(nullptr);
    return nullptr;
  }

 private:
  const LiftPoolValues<T>& values_;
  SignalPlanes<const T> signal_;
  GroupPlanes<const T> bands_;
};

template <class T, int K>
struct PullDown {
  void go_to(index_t n, index_t group) {
    known.go_to(n, group);
    from.go_to(cotangents, n, group);
    to.go_to(x, n, group);
  }
  void run(Plane<T, K>& plane, index_t i) {
    const T* const signal = known.bring(plane, i);
    plane.load_cotangents(from.at(i));
    plane.pull_down(signal, weights, to.at(i));
  }
  void finish() { to.finish(); }

  KnownPlanes<T, K> known;
  GroupPlanes<const T> from;
  SignalPlanes<T> to;
  const LiftPoolBands<const T>& cotangents;
  const double* weights;
  T* x;
};

template <class T, int K>
struct PullUp {
  void go_to(index_t n, index_t group) {
    known.go_to(n, group);
    from.go_to(cotangent, n, group);
    to.go_to(bands, n, group);
  }
  void run(Plane<T, K>& plane, index_t i) {
    plane.pull_up(known.bring(plane, i), from.at(i));
    plane.store_cotangents(to.at(i));
  }
  void finish() { to.finish(); }

  KnownPlanes<T, K> known;
  SignalPlanes<const T> from;
  GroupPlanes<T> to;
  const T* cotangent;
  const LiftPoolBands<T>& bands;
};

template <class T, int K>
void down_vjp_planes(const LiftPoolJob<T>& job, const LiftPoolValues<T>& values,
                     const LiftPoolBands<const T>& cotangents, const double* weights, T* x,
                     double* gradient) {
  const LiftPoolPlan& plan = *job.plan;
  summed_planes<T, K>(job, gradient, [&](const ChannelGroups<T>& groups, Scratch& scratch) {
    return PullDown<T, K>{{job, values, groups, scratch},
                          {groups, plan.band_samples(), plan.bands(), scratch},
                          {job, groups, scratch},
                          cotangents, weights, x};
  });
  negate(gradient, plan, job.channels, 0);
}

template <class T, int K>
void up_vjp_planes(const LiftPoolJob<T>& job, const LiftPoolValues<T>& values, const T* cotangent,
                   const LiftPoolBands<T>& bands, double* gradient) {
  const LiftPoolPlan& plan = *job.plan;
  summed_planes<T, K>(job, gradient, [&](const ChannelGroups<T>& groups, Scratch& scratch) {
    return PullUp<T, K>{{job, values, groups, scratch},
                        {job, groups, scratch},
                        {groups, plan.band_samples(), plan.bands(), scratch},
                        cotangent, bands};
  });
  negate(gradient, plan, job.channels, 1);
}

template <class T, int K>
constexpr LiftPoolKernels<T> lift_pool_kernels() {
  return {down_planes<T, K>, up_planes<T, K>, down_vjp_planes<T, K>, up_vjp_planes<T, K>};
}

}  // namespace liftwave::LIFTWAVE_ISA
