// Weights of regions, w_i = h_i / sum_j h_j, and the pullback of their cotangents to the samples.
// The formulas are those of liftwave/_kernels/reference/pooling/weights.py, with one channel.
//
// A few numbers describe a region, so that each of its samples can be weighed independently. Passes
// over the region compute these numbers. In registers, common parts of the passes are computed
// once, as long as the code has no branches: conditions select divisors.
#pragma once
#include "common/numbers.cuh"

namespace liftwave {

__device__ inline float exponential(float x) { return expf(x); }
__device__ inline double exponential(double x) { return exp(x); }
__device__ inline float magnitude(float x) { return fabsf(x); }
__device__ inline double magnitude(double x) { return fabs(x); }

// 1 / x, if x is neither very large nor very small.
#ifndef LIFTWAVE_HOST
__device__ inline float reciprocal(float x) { return __fdividef(1.0f, x); }
#else
inline float reciprocal(float x) { return 1.0f / x; }
#endif
__device__ inline double reciprocal(double x) { return 1.0 / x; }

template <class C>
__device__ C infinity() {
  return C(__uint_as_float(0x7f800000u));
}

template <class C>
__device__ C one_for_zero(C x) {
  return x == C(0) ? C(1) : x;
}

// `x` times the sign of `by`, which is not zero.
template <class C>
__device__ C turned(C x, C by) {
  return by < C(0) ? -x : x;
}

template <class R, class C>
__device__ __forceinline__ void mean_of(const R& region, C& mean) {
  mean = C(0);
  region.each([&](C a, C, bool there) { mean += there ? a * region.share : C(0); });
}

// --- similarities --------------------------------------------------------------------------------

template <class C>
struct Slopes {
  C in_sample, in_mean;
};

// 2 |m a| / (m^2 + a^2) = 2 t / (1 + t^2), with t the smaller magnitude over the larger one.
template <class C>
struct Dice {
  typedef C number;
  C mean;

  template <class R>
  __device__ __forceinline__ void learn(const R& region, C) {
    mean_of(region, mean);
  }
  template <class F>
  __device__ void numbers(const F& f) {
    f(mean);
  }
  static constexpr int count = 1;

  __device__ C value(C a) const {
    const C t = ratio(a);
    return (t + t) * reciprocal(C(1) + t * t);
  }
  __device__ Slopes<C> slopes(C a) const {
    const C t = ratio(a), below = reciprocal(C(1) + t * t);
    const bool outer_sample = magnitude(a) > magnitude(mean);
    const C slope = (C(2) - (t + t) * t) * (below * below);
    const C inner = slope / one_for_zero(magnitude(outer_sample ? a : mean)), outer = -(inner * t);
    return {a == C(0) ? C(0) : turned(outer_sample ? outer : inner, a),
            mean == C(0) ? C(0) : turned(outer_sample ? inner : outer, mean)};
  }

 private:
  __device__ C ratio(C a) const {
    const bool outer_sample = magnitude(a) > magnitude(mean);
    const C larger = magnitude(outer_sample ? a : mean), smaller = magnitude(outer_sample ? mean : a);
    return (larger == C(0) ? C(1) : smaller) / one_for_zero(larger);
  }
};

// 1 / |a - m|, times the distance of the nearest sample. Samples at the mean get all the weight.
// Huber's distance is d^2 / 2 up to delta, delta (d - delta / 2) beyond. Its inverse is multiplied
// by the nearest distance and by half the smaller of delta and the nearest distance.
template <class C, bool Huber>
struct InverseDistance {
  typedef C number;
  C mean, nearest, delta;

  template <class R>
  __device__ __forceinline__ void learn(const R& region, C given) {
    mean_of(region, mean);
    delta = given;
    nearest = infinity<C>();
    region.each([&](C a, C, bool there) {
      const C d = magnitude(a - mean);
      if (there && d < nearest) nearest = d;
    });
  }
  template <class F>
  __device__ void numbers(const F& f) {
    f(mean);
    f(nearest);
    if (Huber) f(delta);
  }
  static constexpr int count = Huber ? 3 : 2;

  __device__ C value(C a) const {
    const C d = magnitude(a - mean), near = d == C(0) ? C(1) : nearest;
    if (!Huber) return near / one_for_zero(d);
    const C bound = nearest > delta ? delta : nearest;
    return (near / below(d)) * ((d == C(0) ? C(1) : bound) / (d <= delta ? one_for_zero(d) : delta + delta));
  }
  __device__ Slopes<C> slopes(C a) const {
    const C apart = a - mean, d = magnitude(apart), h = value(a);
    const C fall = (Huber && d <= delta ? h + h : h) / below(d);
    const C counts = nearest == C(0) ? C(0) : fall;
    const C slope = apart == C(0) ? C(0) : turned(counts, apart);
    return {-slope, slope};
  }

 private:
  __device__ C below(C d) const { return Huber && d > delta ? d - delta / C(2) : one_for_zero(d); }
};

// --- weights -------------------------------------------------------------------------------------
//
// `weigh` computes the weights of a region, and `middle`, the sum of weights times the paired
// numbers. `pull` computes what the mean passes on. `scale` multiplies weights and pulled-back
// values. With Own, the samples are paired with themselves. No term of a sum is larger than the
// largest number.

// Softmax: h_i = e^{a_i}, of numbers that are at most zero.
//
// Its derivative is independent of an added constant, and a large one would cost digits. With Own,
// `middle` is therefore relative to `top`.
template <class C>
struct Softmax {
  typedef C number;
  C top, by, middle;

  template <bool Own, class R>
  __device__ __forceinline__ void weigh(const R& region, C) {
    top = -infinity<C>();
    region.each([&](C a, C, bool there) {
      if (there && a > top) top = a;
    });
    C total = C(0), sum = C(0);
    region.each([&](C a, C c, bool there) {
      const C h = power(a);
      total += there ? h : C(0);
      sum += there ? h * ((Own ? a - top : c) * region.share) : C(0);
    });
    by = reciprocal(total);
    middle = sum * (by * region.count);
  }
  template <bool Own, class R>
  __device__ __forceinline__ void pull(const R&) {}
  __device__ void scale(C factor, C) { by *= factor; }

  __device__ C mixed(C) const { return middle; }
  template <bool Own>
  __device__ C contrast() const {
    return C(0);
  }
  __device__ C weight(C a) const { return power(a) * by; }
  template <bool Own>
  __device__ C pulled(C a, C c) const {
    return weight(a) * ((Own ? a - top : c) - middle);
  }

  template <class F>
  __device__ void numbers(const F& f) {
    f(top);
    f(by);
    f(middle);
  }
  static constexpr int count = 3;

 private:
  __device__ C power(C a) const { return exponential(a - top); }
};

// h_i = e^{s_i - 1}; similarities are at most one.
template <class S>
struct Exponential {
  typedef typename S::number C;
  typedef C number;
  S similarity;
  C by, middle, of_mean;

  template <bool Own, class R>
  __device__ __forceinline__ void weigh(const R& region, C delta) {
    similarity.learn(region, delta);
    C total = C(0), sum = C(0);
    region.each([&](C a, C c, bool there) {
      const C h = power(a);
      total += there ? h : C(0);
      sum += there ? h * (c * region.share) : C(0);
    });
    by = reciprocal(total);
    middle = sum * (by * region.count);
    of_mean = C(0);
  }
  template <bool Own, class R>
  __device__ __forceinline__ void pull(const R& region) {
    C sum = C(0);
    region.each([&](C a, C c, bool there) {
      const C part = weight(a) * (c - middle) * similarity.slopes(a).in_mean;
      sum += there ? part : C(0);
    });
    of_mean = sum * region.share;
  }
  __device__ void scale(C factor, C) {
    by *= factor;
    of_mean *= factor;
  }

  __device__ C mixed(C) const { return middle; }
  template <bool Own>
  __device__ C contrast() const {
    return C(0);
  }
  __device__ C weight(C a) const { return power(a) * by; }
  template <bool Own>
  __device__ C pulled(C a, C c) const {
    return weight(a) * (c - middle) * similarity.slopes(a).in_sample + of_mean;
  }

  template <class F>
  __device__ void numbers(const F& f) {
    similarity.numbers(f);
    f(by);
    f(middle);
    f(of_mean);
  }
  static constexpr int count = 3 + S::count;

 private:
  __device__ C power(C a) const { return exponential(similarity.value(a) - C(1)); }
};

// h_i = max(s_i, 0). If all are zero, all weights are equal.
template <class S>
struct Plain {
  typedef typename S::number C;
  typedef C number;
  S similarity;
  C total, share, middle, of_mean, factor;

  template <bool Own, class R>
  __device__ __forceinline__ void weigh(const R& region, C delta) {
    similarity.learn(region, delta);
    share = region.share;
    C sum = C(0), plain = C(0);
    total = C(0);
    region.each([&](C a, C c, bool there) {
      const C h = positive(a), part = c * share;
      total += there ? h : C(0);
      sum += there ? h * part : C(0);
      plain += there ? part : C(0);
    });
    const bool alike = total == C(0);
    middle = (alike ? plain : sum) / one_for_zero(total) * (alike ? C(1) : region.count);
    of_mean = C(0);
    factor = C(1);
  }
  template <bool Own, class R>
  __device__ __forceinline__ void pull(const R& region) {
    C sum = C(0);
    region.each([&](C a, C c, bool there) {
      const C part = of_similarity(a, c) * similarity.slopes(a).in_mean;
      sum += there ? part : C(0);
    });
    of_mean = sum * share;
  }
  __device__ void scale(C by, C) {
    factor *= by;
    of_mean *= by;
  }

  __device__ C mixed(C) const { return middle; }
  template <bool Own>
  __device__ C contrast() const {
    return C(0);
  }
  __device__ C weight(C a) const {
    return factor * ((total == C(0) ? share : positive(a)) / one_for_zero(total));
  }
  template <bool Own>
  __device__ C pulled(C a, C c) const {
    return factor * of_similarity(a, c) * similarity.slopes(a).in_sample + of_mean;
  }

  template <class F>
  __device__ void numbers(const F& f) {
    similarity.numbers(f);
    f(total);
    f(share);
    f(middle);
    f(of_mean);
    f(factor);
  }
  static constexpr int count = 5 + S::count;

 private:
  __device__ C positive(C a) const {
    const C s = similarity.value(a);
    return s < C(0) ? C(0) : s;
  }
  // Samples whose similarity is at most zero do not count. (NaN stays.)
  __device__ C of_similarity(C a, C c) const {
    return (similarity.value(a) <= C(0) ? C(0) : c - middle) / one_for_zero(total);
  }
};

// beta times the weights of e^dice, plus (1 - beta) times those of softmax.
template <class C>
struct Ada {
  typedef C number;
  Exponential<Dice<C>> first;
  Softmax<C> second;

  template <bool Own, class R>
  __device__ __forceinline__ void weigh(const R& region, C delta) {
    first.template weigh<Own>(region, delta);
    second.template weigh<Own>(region, delta);
  }
  template <bool Own, class R>
  __device__ __forceinline__ void pull(const R& region) {
    first.template pull<Own>(region);
  }
  __device__ void scale(C factor, C beta) {
    first.scale(factor * beta, C(0));
    second.scale(factor * (C(1) - beta), C(0));
  }

  __device__ C mixed(C beta) const { return beta * first.middle + (C(1) - beta) * second.middle; }
  template <bool Own>
  __device__ C contrast() const {
    return (Own ? first.middle - second.top : first.middle) - second.middle;
  }
  __device__ C weight(C a) const { return first.weight(a) + second.weight(a); }
  template <bool Own>
  __device__ C pulled(C a, C c) const {
    return first.template pulled<Own>(a, c) + second.template pulled<Own>(a, c);
  }

  template <class F>
  __device__ void numbers(const F& f) {
    first.numbers(f);
    second.numbers(f);
  }
  static constexpr int count = Exponential<Dice<C>>::count + Softmax<C>::count;
};

// --- kinds ---------------------------------------------------------------------------------------

enum Family : int { family_softmax, family_exponential, family_plain, family_ada };

enum Similarity : int {
  similarity_dice,
  similarity_distance,
  similarity_huber,
};

// Calls work(weights) with the weights of the family that the similarity selects.
template <int Of, class C, class Work>
__device__ __forceinline__ void with_weights(int similarity, const Work& work) {
  if constexpr (Of == family_softmax) {
    work(Softmax<C>());
  } else if constexpr (Of == family_ada) {
    work(Ada<C>());
  } else if constexpr (Of == family_exponential) {
    work(Exponential<Dice<C>>());
  } else {
    if (similarity == similarity_dice) work(Plain<Dice<C>>());
    else if (similarity == similarity_distance) work(Plain<InverseDistance<C, false>>());
    else work(Plain<InverseDistance<C, true>>());
  }
}

template <int Of, class C>
constexpr int most_numbers = Of == family_softmax       ? Softmax<C>::count
                             : Of == family_ada         ? Ada<C>::count
                             : Of == family_exponential ? Exponential<Dice<C>>::count
                                                        : Plain<InverseDistance<C, true>>::count;

}  // namespace liftwave
