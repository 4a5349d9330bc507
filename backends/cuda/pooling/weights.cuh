// Weights of regions, and the pullback of their cotangents to the samples.
//
// A few numbers describe a region, so that each of its samples can be weighed independently. Passes
// over the region compute these numbers. In registers, common parts of the passes are computed
// once, as long as the code has no branches.
#pragma once
#include "common/numbers.cuh"

#define LIFTWAVE_NAMESPACE liftwave
#define LIFTWAVE_INLINE __device__ __forceinline__
#define LIFTWAVE_INLINE_LAMBDA

// --- operations of the shared formulas -----------------------------------------------------------

namespace liftwave {

template <class C>
using Numbers = C;

template <class C>
LIFTWAVE_INLINE C all(C x) {
  return x;
}
template <class C>
LIFTWAVE_INLINE C magnitude(C x) {
  if constexpr (same<C, float>) return fabsf(x);
  else return fabs(x);
}
// `x` times the sign of `by`, which is not zero.
template <class C>
LIFTWAVE_INLINE C turned(C x, C by) {
  return by < C(0) ? -x : x;
}
// Both with one comparison, which formulas share.
template <class C>
LIFTWAVE_INLINE C larger(C a, C b) {
  return a > b ? a : b;
}
template <class C>
LIFTWAVE_INLINE C smaller(C a, C b) {
  return a > b ? b : a;
}

// 1 / x, if x is neither very large nor very small.
template <class C>
LIFTWAVE_INLINE C reciprocal(C x) {
#ifndef LIFTWAVE_HOST
  if constexpr (same<C, float>) return __fdividef(1.0f, x);
#endif
  return C(1) / x;
}

template <class C>
LIFTWAVE_INLINE C ratio_or_one(C x, C y) {
  return (y == C(0) ? C(1) : x) / (y == C(0) ? C(1) : y);
}

// The digits of the result are zero. Its exponent is the negative of a multiple of four near that
// of `x`, so that it exists for the largest and the smallest numbers.
template <class C>
LIFTWAVE_INLINE C power_over(C x) {
  if constexpr (same<C, float>) {
    return __uint_as_float((253u << 23) - (__float_as_uint(x) & (252u << 23)));
  } else {
    return __longlong_as_double((2045ll << 52) - (__double_as_longlong(x) & (2044ll << 52)));
  }
}

template <class C>
LIFTWAVE_INLINE C exponential_of_negative(C x) {
  if constexpr (same<C, float>) return expf(x);
  else return exp(x);
}
template <class C>
LIFTWAVE_INLINE C exponential_of_similarity(C x) {
  return exponential_of_negative<C>(x);
}

template <class C>
LIFTWAVE_INLINE C infinity() {
  return C(__uint_as_float(0x7f800000u));
}

template <class C, class R, class F>
LIFTWAVE_INLINE C sum_of(const R& region, const F& f) {
  C sum = C(0);
  region.each([&](C a, C, bool there) { sum += there ? f(a) : C(0); });
  return sum;
}
template <class C, class R, class F>
LIFTWAVE_INLINE C smallest_of(const R& region, const F& f) {
  C least = infinity<C>();
  region.each([&](C a, C, bool there) {
    const C x = f(a);
    if (there && x < least) least = x;
  });
  return least;
}
template <class C, class R>
LIFTWAVE_INLINE C largest_of(const R& region) {
  C top = -infinity<C>();
  region.each([&](C a, C, bool there) {
    if (there && a > top) top = a;
  });
  return top;
}

}  // namespace liftwave

#include "shared/pooling_formulas.hpp"

namespace liftwave {

// --- numbers that describe a region --------------------------------------------------------------
//
// `numbers` calls f with each of them: threads that weigh samples load what another one stored.

template <class C, class F>
LIFTWAVE_INLINE void numbers(Dice<C>& dice, const F& f) {
  f(dice.mean);
}
template <class C, bool Huber, class F>
LIFTWAVE_INLINE void numbers(InverseDistance<C, Huber>& distance, const F& f) {
  f(distance.mean);
  f(distance.nearest);
  if (Huber) f(distance.delta);
}
template <class C, class F>
LIFTWAVE_INLINE void numbers(Softmax<C>& softmax, const F& f) {
  f(softmax.top);
  f(softmax.by);
}
template <class S, class F>
LIFTWAVE_INLINE void numbers(Exponential<S>& exponential, const F& f) {
  numbers(exponential.similarity, f);
  f(exponential.by);
}
template <class S, class F>
LIFTWAVE_INLINE void numbers(Plain<S>& plain, const F& f) {
  numbers(plain.similarity, f);
  f(plain.total);
  f(plain.share);
}

// --- weights -------------------------------------------------------------------------------------

// A kind of weights times a factor.
template <class Kind>
struct Scaled : Kind {
  typedef typename Kind::Number C;

  LIFTWAVE_INLINE void scale(C factor) { this->by *= factor; }
  template <class F>
  LIFTWAVE_INLINE void each_number(const F& f) {
    numbers(static_cast<Kind&>(*this), f);
  }
};

template <class S>
struct Scaled<Plain<S>> : Plain<S> {
  typedef typename S::Number C;
  C factor;

  LIFTWAVE_INLINE void divide(C sum, C share) {
    Plain<S>::divide(sum, share);
    factor = C(1);
  }
  LIFTWAVE_INLINE void scale(C by) { factor *= by; }
  LIFTWAVE_INLINE C weight(C h) const { return factor * Plain<S>::weight(h); }
  LIFTWAVE_INLINE C pulled(C a, C w, C c) const { return factor * Plain<S>::pulled(a, w, c); }
  template <class F>
  LIFTWAVE_INLINE void each_number(const F& f) {
    liftwave::numbers(static_cast<Plain<S>&>(*this), f);
    f(factor);
  }
};

// `weigh` computes the weights of a region, and `middle`, the sum of weights times the paired
// numbers. `pull` computes what the mean passes on. `scale` multiplies weights and pulled-back
// values. With Own, the samples are paired with themselves.
template <class Kind>
struct Weighed {
  typedef typename Kind::Number C;
  Scaled<Kind> kind;
  C middle, of_mean;

  template <bool Own, class R>
  LIFTWAVE_INLINE void weigh(const R& region, C delta) {
    kind.learn(region, delta);
    C total = C(0), sum = C(0), plain = C(0);
    region.each([&](C a, C c, bool there) {
      const C h = kind.height(a), part = paired<Own>(a, c) * region.part;
      total += there ? h : C(0);
      sum += there ? h * part : C(0);
      plain += there ? part : C(0);
    });
    kind.divide(total, region.share);
    middle = kind.weighted_mean(region, sum, plain, total);
    of_mean = C(0);
  }
  template <bool Own, class R>
  LIFTWAVE_INLINE void pull(const R& region) {
    if constexpr (Kind::of_similarity) {
      C sum = C(0);
      region.each([&](C a, C c, bool there) {
        const C part = of_exponent<Own>(a, c) * kind.similarity.slopes(a).in_mean;
        sum += there ? part : C(0);
      });
      of_mean = sum * region.share;
    }
  }
  LIFTWAVE_INLINE void scale(C factor, C) {
    kind.scale(factor);
    of_mean *= factor;
  }

  LIFTWAVE_INLINE C mixed(C) const { return middle; }
  template <bool Own>
  LIFTWAVE_INLINE C contrast() const {
    return C(0);
  }
  LIFTWAVE_INLINE C weight(C a) const { return kind.weight(kind.height(a)); }
  template <bool Own>
  LIFTWAVE_INLINE C pulled(C a, C c) const {
    const C part = of_exponent<Own>(a, c);
    if constexpr (Kind::of_similarity) return part * kind.similarity.slopes(a).in_sample + of_mean;
    else return part;
  }

  template <class F>
  LIFTWAVE_INLINE void numbers(const F& f) {
    kind.each_number(f);
    f(middle);
    if constexpr (Kind::of_similarity) f(of_mean);
  }

 private:
  // The derivative of softmax is independent of an added constant, and a large one would cost
  // digits. With Own, the paired numbers and `middle` are therefore relative to `top`.
  template <bool Own>
  LIFTWAVE_INLINE C paired(C a, C c) const {
    if constexpr (Own && !Kind::of_similarity) return a - kind.top;
    else return c;
  }
  template <bool Own>
  LIFTWAVE_INLINE C of_exponent(C a, C c) const {
    return kind.pulled(a, weight(a), paired<Own>(a, c) - middle);
  }
};

// beta times the weights of e^dice, plus (1 - beta) times those of softmax.
template <class C>
struct Ada {
  Weighed<Exponential<Dice<C>>> first;
  Weighed<Softmax<C>> second;

  template <bool Own, class R>
  LIFTWAVE_INLINE void weigh(const R& region, C delta) {
    first.template weigh<Own>(region, delta);
    second.template weigh<Own>(region, delta);
  }
  template <bool Own, class R>
  LIFTWAVE_INLINE void pull(const R& region) {
    first.template pull<Own>(region);
  }
  LIFTWAVE_INLINE void scale(C factor, C beta) {
    first.scale(factor * beta, C(0));
    second.scale(factor * (C(1) - beta), C(0));
  }

  LIFTWAVE_INLINE C mixed(C beta) const { return blend<C>(beta, first.middle, second.middle); }
  template <bool Own>
  LIFTWAVE_INLINE C contrast() const {
    return (Own ? first.middle - second.kind.top : first.middle) - second.middle;
  }
  LIFTWAVE_INLINE C weight(C a) const { return first.weight(a) + second.weight(a); }
  template <bool Own>
  LIFTWAVE_INLINE C pulled(C a, C c) const {
    return first.template pulled<Own>(a, c) + second.template pulled<Own>(a, c);
  }

  template <class F>
  LIFTWAVE_INLINE void numbers(const F& f) {
    first.numbers(f);
    second.numbers(f);
  }
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
    work(Weighed<Softmax<C>>());
  } else if constexpr (Of == family_ada) {
    work(Ada<C>());
  } else if constexpr (Of == family_exponential) {
    work(Weighed<Exponential<Dice<C>>>());
  } else {
    if (similarity == similarity_dice) work(Weighed<Plain<Dice<C>>>());
    else if (similarity == similarity_distance) work(Weighed<Plain<InverseDistance<C, false>>>());
    else work(Weighed<Plain<InverseDistance<C, true>>>());
  }
}

}  // namespace liftwave
