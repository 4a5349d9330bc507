// The weights of pooling windows and their derivatives, for the CPU and for CUDA. A test compares
// both with liftwave/_kernels/reference/pooling/weights.py.
//
// The samples a_i of a window have the weights w_i = h_i / sum_j h_j. A kind of weights learns a
// few numbers of the window, such as the mean m; then h_i is a function of a_i. Equations are those
// of the AdaPool paper (Stergiou and Poppe), here with one channel.
//
// The CPU computes one window in each lane of a vector, CUDA one in each thread. Files that include
// this one define, in the namespace LIFTWAVE_NAMESPACE:
//
//   Numbers<T>                               one number of type T for each window
//   all<T>, magnitude<T>, turned<T>          functions of these; `turned` copies a sign
//   larger<T>, smaller<T>, reciprocal<T>
//   ratio_or_one<T>(x, y)                    x / y, and 1 if y is zero
//   power_over<T>(x)                         a power of two p: x p is below 8, and at least 1 / 2
//                                            unless x is subnormal
//   exponential_of_negative<T>               e^x for x <= 0
//   exponential_of_similarity<T>             e^x for -1 <= x <= 1
//   sum_of<T>, smallest_of<T>(window, f)     of f(a_i)
//   largest_of<T>(window)                    of a_i
//
// A window has count samples, and the numbers
//
//   part                                     a power of two, at most 1 / (4 count)
//   whole                                    count * part
//
// and the function of_whole(x) = x / whole.
//
// Means are sums that are divided. So they are exact where the sum is, as for integers. Samples are
// multiplied by `part` before, which is exact and keeps sums below the largest number.
//
// Conditions select among numbers that are computed already, and before a division rather than
// after it. Otherwise CUDA's threads would branch.
#pragma once

namespace LIFTWAVE_NAMESPACE {

template <class T>
LIFTWAVE_INLINE Numbers<T> one_for_zero(const Numbers<T>& v) {
  return v == T(0) ? all<T>(1) : v;
}

template <class T, class Window>
LIFTWAVE_INLINE Numbers<T> mean_of(const Window& window) {
  const auto part = [&](const Numbers<T>& a) LIFTWAVE_INLINE_LAMBDA { return a * window.part; };
  return window.of_whole(sum_of<T>(window, part));
}

// --- similarities to the mean --------------------------------------------------------------------

// The derivatives of a similarity s(a, m).
template <class T>
struct Slopes {
  Numbers<T> in_sample, in_mean;
};

// The Dice-Sorensen coefficient of equation 3, s = 2 |m a| / (m^2 + a^2) = 2 i o / (i^2 + o^2), with
// i the smaller (inner) magnitude and o the larger (outer) one. If both are zero, s = 1. Both are
// multiplied by a power of two that brings o near 1: squares neither overflow nor vanish, and the
// division is the only one.
template <class T>
struct Dice {
  using Number = T;
  using V = Numbers<T>;
  V mean;

  template <class Window>
  LIFTWAVE_INLINE void learn(const Window& window, T) {
    mean = mean_of<T>(window);
  }

  LIFTWAVE_INLINE V value(const V& a) const {
    const Magnitudes x(a, mean);
    const V product = x.inner * x.outer, one = all<T>(1);
    return (x.outer == T(0) ? one : product + product) / (x.outer == T(0) ? one : x.squares());
  }

  // The similarity of samples that are all equally similar: they equal the mean, or the mean is 0.
  LIFTWAVE_INLINE V common() const { return mean == T(0) ? all<T>(0) : all<T>(1); }

  // ds/di = 2 o (o^2 - i^2) / (i^2 + o^2)^2, ds/do = -2 i (o^2 - i^2) / (i^2 + o^2)^2
  LIFTWAVE_INLINE Slopes<T> slopes(const V& a) const {
    const Magnitudes x(a, mean);
    const V by = reciprocal<T>(one_for_zero<T>(x.squares())), zero{};
    const V apart = (x.outer - x.inner) * (x.outer + x.inner), half = apart * by * (by * x.scale);
    const V in_inner = x.outer * (half + half), in_outer = -(x.inner * (half + half));
    const auto is_outer = magnitude<T>(a) > magnitude<T>(mean);
    const V in_sample = turned<T>(is_outer ? in_outer : in_inner, a);
    const V in_mean = turned<T>(is_outer ? in_inner : in_outer, mean);
    return {a == T(0) ? zero : in_sample, mean == T(0) ? zero : in_mean};
  }

 private:
  // Both magnitudes times `scale`.
  struct Magnitudes {
    V scale, inner, outer;
    LIFTWAVE_INLINE Magnitudes(const V& a, const V& mean) {
      const V first = magnitude<T>(a), second = magnitude<T>(mean);
      const V most = larger<T>(first, second);
      scale = power_over<T>(most);
      inner = smaller<T>(first, second) * scale;
      outer = most * scale;
    }
    LIFTWAVE_INLINE V squares() const { return inner * inner + outer * outer; }
  };
};

// Equations 1 and 2: s = 1 / |a - m|, times the distance of the nearest sample. Samples at the mean
// share all the weight. Huber's distance is d^2 / 2 up to delta, delta (d - delta / 2) beyond. Its
// inverse is multiplied by the nearest distance, and by half the smaller of this one and delta.
template <class T, bool Huber>
struct InverseDistance {
  using Number = T;
  using V = Numbers<T>;
  V mean, nearest;
  T delta;

  template <class Window>
  LIFTWAVE_INLINE void learn(const Window& window, T threshold) {
    mean = mean_of<T>(window);
    const auto apart = [&](const V& a) LIFTWAVE_INLINE_LAMBDA { return distance(a); };
    nearest = smallest_of<T>(window, apart);
    delta = threshold;
  }

  LIFTWAVE_INLINE V value(const V& a) const {
    const V d = distance(a);
    if constexpr (!Huber) {
      return ratio_or_one<T>(nearest, d);
    } else {
      const V one = all<T>(1), bound = smaller<T>(nearest, all<T>(delta));
      const V inside = one_for_zero<T>(d), outside = all<T>(delta + delta);
      return ((d == T(0) ? one : nearest) / below(d)) *
             ((d == T(0) ? one : bound) / (d <= delta ? inside : outside));
    }
  }

  // 1 / d falls by s / d, and the inverse of Huber's d^2 / 2 by 2 s / d.
  LIFTWAVE_INLINE Slopes<T> slopes(const V& a) const {
    const V apart = a - mean, d = distance(a), s = value(a), twice = s + s, zero{};
    V fall = s / below(d);
    if constexpr (Huber) fall = (d <= delta ? twice : s) / below(d);
    const V counts = nearest == T(0) ? zero : fall, turn = turned<T>(counts, apart);
    const V slope = apart == T(0) ? zero : turn;
    return {-slope, slope};
  }

 private:
  LIFTWAVE_INLINE V distance(const V& a) const { return magnitude<T>(a - mean); }
  LIFTWAVE_INLINE V below(const V& d) const {
    const V inside = one_for_zero<T>(d), outside = d - delta / T(2);
    if constexpr (Huber) return d > delta ? outside : inside;
    else return inside;
  }
};

// --- kinds of weights ----------------------------------------------------------------------------
//
// `height` is h_i, which exponential kinds compute from `exponent`. `divide` learns the sum of all h_i; then `weight` is w_i, as a function of h_i.
// `weighted_mean` is sum_i w_i c_i, from the sums of h_i c_i and of c_i (both times part) and of h_i.
// `pulled` is the cotangent of the exponent or of the similarity, with c the cotangent of w_i less
// the weighted mean sum_j w_j c_j of all cotangents.

// h_i = e^{x_i}
template <class T>
struct OfExponents {
  using Number = T;
  using V = Numbers<T>;
  static constexpr bool is_exponential = true;
  V by;

  LIFTWAVE_INLINE void divide(const V& total, T) { by = reciprocal<T>(total); }
  LIFTWAVE_INLINE V weight(const V& h) const { return h * by; }
  template <class Window>
  LIFTWAVE_INLINE static V weighted_mean(const Window& window, const V& sum, const V&,
                                         const V& total) {
    return sum / (total * window.part);
  }
  LIFTWAVE_INLINE V pulled(const V&, const V& w, const V& c) const { return w * c; }
};

// SoftPool, equation 4: x_i = a_i. The largest sample is subtracted first.
template <class T>
struct Softmax : OfExponents<T> {
  using V = Numbers<T>;
  static constexpr bool of_similarity = false;
  V top;

  template <class Window>
  LIFTWAVE_INLINE void learn(const Window& window, T) {
    top = largest_of<T>(window);
  }
  LIFTWAVE_INLINE V exponent(const V& a) const { return a - top; }
  LIFTWAVE_INLINE V height(const V& a) const { return exponential_of_negative<T>(exponent(a)); }
};

// eDSCW, equation 3: x_i = s_i. The common similarity is subtracted first.
template <class Similarity>
struct Exponential : OfExponents<typename Similarity::Number> {
  using T = typename Similarity::Number;
  using V = Numbers<T>;
  static constexpr bool of_similarity = true;
  Similarity similarity;

  template <class Window>
  LIFTWAVE_INLINE void learn(const Window& window, T delta) {
    similarity.learn(window, delta);
  }
  LIFTWAVE_INLINE V exponent(const V& a) const { return similarity.value(a) - similarity.common(); }
  LIFTWAVE_INLINE V height(const V& a) const { return exponential_of_similarity<T>(exponent(a)); }
};

// h_i = max(s_i, 0). If all are zero, all weights are equal.
template <class Similarity>
struct Plain {
  using Number = typename Similarity::Number;
  using T = Number;
  using V = Numbers<T>;
  static constexpr bool of_similarity = true, is_exponential = false;
  Similarity similarity;
  V total;
  T share;

  template <class Window>
  LIFTWAVE_INLINE void learn(const Window& window, T delta) {
    similarity.learn(window, delta);
  }
  LIFTWAVE_INLINE V height(const V& a) const {
    const V s = similarity.value(a), zero{};
    return s < T(0) ? zero : s;
  }
  LIFTWAVE_INLINE void divide(const V& sum, T one_over_count) {
    total = sum;
    share = one_over_count;
  }
  template <class Window>
  LIFTWAVE_INLINE static V weighted_mean(const Window& window, const V& sum, const V& plain,
                                         const V& total) {
    const auto alike = total == T(0);
    const V of_part = total * window.part;
    return (alike ? plain : sum) / (alike ? all<T>(window.whole) : of_part);
  }
  LIFTWAVE_INLINE V weight(const V& h) const {
    return (total == T(0) ? all<T>(share) : h) / one_for_zero<T>(total);
  }
  // Samples whose similarity is at most zero have no weight. (NaN stays.)
  LIFTWAVE_INLINE V pulled(const V& a, const V&, const V& c) const {
    const V s = similarity.value(a), zero{};
    return (s <= T(0) ? zero : c) / one_for_zero<T>(total);
  }
};

// AdaPool, equation 5: of two weights, or of two sums that they weigh.
template <class T>
LIFTWAVE_INLINE Numbers<T> blend(const Numbers<T>& beta, const Numbers<T>& first,
                                 const Numbers<T>& second) {
  return beta * first + (T(1) - beta) * second;
}

}  // namespace LIFTWAVE_NAMESPACE
