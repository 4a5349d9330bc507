// Lifting pooling of all planes of an array.
#pragma once


#include "common/parallel.hpp"
#include "lift_pool/line_steps.hpp"
#include "lift_pool/row_steps.hpp"
#include "lift_pool/sums.hpp"

namespace liftwave::LIFTWAVE_ISA {

template <class T>
struct BandsAt {
  explicit BandsAt(std::size_t count) : at(count) {}

  template <class U>
  T* const* of(const LiftPoolBands<U>& bands, index_t batch, index_t channel, index_t size) {
    for (std::size_t b = 0; b < at.size(); ++b)
      at[b] = bands.band[b] ? bands.band[b] + batch * bands.batch + channel * size : nullptr;
    return at.data();
  }

  Buffer<T*> at;
};

template <class T>
double bytes_of(const LiftPoolJob<T>& job) {
  return static_cast<double>(sizeof(T)) * static_cast<double>(job.batch * job.channels) *
         static_cast<double>(job.plan->samples());
}

template <class T, int K>
void down_planes(const LiftPoolJob<T>& job, const T* x, const LiftPoolBands<T>& bands, bool sum,
                 double* sums) {
  const LiftPoolPlan& plan = *job.plan;
  const index_t planes = job.batch * job.channels, count = 2 * plan.passes();
  const index_t size = plan.samples(), band = plan.band_samples();
  Buffer<double> each(sums ? static_cast<std::size_t>(planes * count) : 0);
  parallel_for(planes, bytes_of(job), [&](index_t begin, index_t end) {
    Scratch scratch;
    Plane<T, K> plane(job, scratch, false);
    BandsAt<T> to(static_cast<std::size_t>(plan.bands()));
    for (index_t p = begin; p < end; ++p) {
      plane.at_channel(p % job.channels);
      plane.down(x + p * size, sums ? each.data() + p * count : nullptr);
      plane.store_bands(to.of(bands, p / job.channels, p % job.channels, band), sum);
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
  const index_t size = plan.samples(), band = plan.band_samples();
  parallel_for(job.batch * job.channels, bytes_of(job), [&](index_t begin, index_t end) {
    Scratch scratch;
    Plane<T, K> plane(job, scratch, false);
    BandsAt<const T> from(static_cast<std::size_t>(plan.bands()));
    for (index_t p = begin; p < end; ++p) {
      plane.at_channel(p % job.channels);
      plane.load_bands(from.of(bands, p / job.channels, p % job.channels, band));
      plane.up(x + p * size);
    }
  });
}

// Gradients are summed over the batch in an order that depends on the shape alone: per channel,
// over a fixed number of parts of the batch.
template <class T, int K, class Work>
void summed_planes(const LiftPoolJob<T>& job, double* gradient, const Work& work) {
  constexpr index_t enough = 64;
  const LiftPoolPlan& plan = *job.plan;
  const index_t parts =
      std::max<index_t>(1, std::min(job.batch, (enough + job.channels - 1) / job.channels));
  const index_t numbers = 2 * plan.passes() * job.channels * (plan.kernel + 3);
  Buffer<double> each(static_cast<std::size_t>(parts * numbers));
  parallel_for(parts * job.channels, 3 * bytes_of(job), [&](index_t begin, index_t end) {
    Scratch scratch;
    Plane<T, K> plane(job, scratch, true);
    for (index_t item = begin; item < end; ++item) {
      const index_t part = item / job.channels, channel = item % job.channels;
      plane.at_channel(channel);
      plane.begin_sums();
      for (index_t n = job.batch * part / parts; n < job.batch * (part + 1) / parts; ++n)
        work(plane, n, channel);
      plane.end_sums(each.data() + part * numbers);
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

template <class T, int K>
void down_vjp_planes(const LiftPoolJob<T>& job, const LiftPoolValues<T>& values,
                     const LiftPoolBands<const T>& cotangents, const double* weights, T* x,
                     double* gradient) {
  const LiftPoolPlan& plan = *job.plan;
  const index_t size = plan.samples(), band = plan.band_samples();
  summed_planes<T, K>(job, gradient, [&](Plane<T, K>& plane, index_t n, index_t c) {
    BandsAt<const T> from(static_cast<std::size_t>(plan.bands()));
    const index_t at = (n * job.channels + c) * size;
    const T* const signal = values.signal ? values.signal + at : nullptr;
    if (signal) {
      plane.down(signal, nullptr);
    } else {
      plane.load_bands(from.of(values.bands, n, c, band));
      plane.up(nullptr);
    }
    plane.load_cotangents(from.of(cotangents, n, c, band));
    plane.pull_down(signal, weights, x + at);
  });
  negate(gradient, plan, job.channels, 0);
}

template <class T, int K>
void up_vjp_planes(const LiftPoolJob<T>& job, const LiftPoolValues<T>& values, const T* cotangent,
                   const LiftPoolBands<T>& bands, double* gradient) {
  const LiftPoolPlan& plan = *job.plan;
  const index_t size = plan.samples(), band = plan.band_samples();
  summed_planes<T, K>(job, gradient, [&](Plane<T, K>& plane, index_t n, index_t c) {
    BandsAt<const T> from(static_cast<std::size_t>(plan.bands()));
    BandsAt<T> to(static_cast<std::size_t>(plan.bands()));
    const index_t at = (n * job.channels + c) * size;
    const T* const signal = values.signal ? values.signal + at : nullptr;
    if (signal) {
      plane.down(signal, nullptr);
    } else {
      plane.load_bands(from.of(values.bands, n, c, band));
      plane.up(nullptr);
    }
    plane.pull_up(signal, cotangent + at);
    plane.store_cotangents(to.of(bands, n, c, band));
  });
  negate(gradient, plan, job.channels, 1);
}

template <class T, int K>
constexpr LiftPoolKernels<T> lift_pool_kernels() {
  return {down_planes<T, K>, up_planes<T, K>, down_vjp_planes<T, K>, up_vjp_planes<T, K>};
}

}  // namespace liftwave::LIFTWAVE_ISA
