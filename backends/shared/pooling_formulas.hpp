// The weights of pooling windows and their derivatives, for the CPU and for CUDA. A test compares
// both with liftwave/_kernels/reference/pooling_weights.py.
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
//   exponential_of_negative<T>               e^x for x <= 0
//   exponential_of_similarity<T>             e^x for x <= 1, times any constant
//   sum_of<T>, smallest_of<T>(window, f)     of f(a_i)
//   largest_of<T>(window)                    of a_i
//
// A condition chooses the operands of a division, not the quotient. So nothing is divided by zero,
// and CUDA's threads do not branch.
#pragma once

namespace LIFTWAVE_NAMESPACE {

template <class T>
LIFTWAVE_INLINE Numbers<T> one_for_zero(const Numbers<T>& v) {
  return v == T(0) ? all<T>(1) : v;
}

// No partial sum is larger than the largest sample.
template <class T, class Window>
LIFTWAVE_INLINE Numbers<T> mean_of(const Window& window) {
  const auto part = [&](const Numbers<T>& a) LIFTWAVE_INLINE_LAMBDA { return a * window.share; };
  return sum_of<T>(window, part);
}

// --- similarities to the mean --------------------------------------------------------------------

// The derivatives of a similarity s(a, m).
template <class T>
struct Slopes {
  Numbers<T> in_sample, in_mean;
};

// The Dice-Sorensen coefficient of equation 3, s = 2 |m a| / (m^2 + a^2) = 2 t / (1 + t^2), with t
// the smaller magnitude over the larger one. If both are zero, t = 1.
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
    const V t = ratio(a);
    return (t + t) * below(t);
  }

  // ds/dt = 2 (1 - t^2) / (1 + t^2)^2 and dt = (d|inner| - t d|outer|) / |outer|, where the inner
  // one of a and m is the smaller one.
  LIFTWAVE_INLINE Slopes<T> slopes(const V& a) const {
    const V t = ratio(a), by = below(t), zero{};
    const V slope = (T(2) - (t + t) * t) * (by * by);
    const V inner = slope / one_for_zero<T>(outer_size(a)), outer = -(inner * t);
    const auto is_outer = magnitude<T>(a) > magnitude<T>(mean);
    return {a == T(0) ? zero : turned<T>(is_outer ? outer : inner, a),
            mean == T(0) ? zero : turned<T>(is_outer ? inner : outer, mean)};
  }

 private:
  LIFTWAVE_INLINE V outer_size(const V& a) const {
    return larger<T>(magnitude<T>(a), magnitude<T>(mean));
  }
  LIFTWAVE_INLINE V ratio(const V& a) const {
    const V outer = outer_size(a), inner = smaller<T>(magnitude<T>(a), magnitude<T>(mean));
    return (outer == T(0) ? all<T>(1) : inner) / one_for_zero<T>(outer);
  }
  LIFTWAVE_INLINE static V below(const V& t) { return reciprocal<T>(T(1) + t * t); }
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
    const V d = distance(a), one = all<T>(1), near = d == T(0) ? one : nearest;
    if constexpr (!Huber) {
      return near / below(d);
    } else {
      const V bound = d == T(0) ? one : smaller<T>(nearest, all<T>(delta));
      const V twice = d <= delta ? one_for_zero<T>(d) : all<T>(delta + delta);
      return (near / below(d)) * (bound / twice);
    }
  }

  LIFTWAVE_INLINE Slopes<T> slopes(const V& a) const {
    const V apart = a - mean, d = distance(a), zero{};
    V s = value(a);
    if constexpr (Huber) s = d <= delta ? s + s : s;
    const V fall = nearest == T(0) ? zero : s / below(d);
    const V slope = apart == T(0) ? zero : turned<T>(fall, apart);
    return {-slope, slope};
  }

 private:
  LIFTWAVE_INLINE V distance(const V& a) const { return magnitude<T>(a - mean); }
  LIFTWAVE_INLINE V below(const V& d) const {
    if constexpr (Huber) return d > delta ? d - delta / T(2) : one_for_zero<T>(d);
    else return one_for_zero<T>(d);
  }
};

// --- kinds of weights ----------------------------------------------------------------------------
//
// `height` is h_i. `divide` learns the sum of all h_i; then `weight` is w_i, as a function of h_i.
// `pulled` is the cotangent of the exponent or of the similarity, with c the cotangent of w_i less
// the weighted mean sum_j w_j c_j of all cotangents.

// h_i = e^{x_i}
template <class T>
struct OfExponents {
  using Number = T;
  using V = Numbers<T>;
  V by;

  LIFTWAVE_INLINE void divide(const V& total, T) { by = reciprocal<T>(total); }
  LIFTWAVE_INLINE V weight(const V& h) const { return h * by; }
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
  LIFTWAVE_INLINE V height(const V& a) const { return exponential_of_negative<T>(a - top); }
};

// eDSCW, equation 3: x_i = s_i.
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
  LIFTWAVE_INLINE V height(const V& a) const {
    return exponential_of_similarity<T>(similarity.value(a));
  }
};

// h_i = max(s_i, 0). If all are zero, all weights are equal.
template <class Similarity>
struct Plain {
  using Number = typename Similarity::Number;
  using T = Number;
  using V = Numbers<T>;
  static constexpr bool of_similarity = true;
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
  LIFTWAVE_INLINE V weight(const V& h) const {
    return (total == T(0) ? all<T>(share) : h) / one_for_zero<T>(total);
  }
  // Samples whose similarity is at most zero have no weight. (NaN stays.)
  LIFTWAVE_INLINE V pulled(const V& a, const V&, const V& c) const {
    const V zero{};
    return (similarity.value(a) <= T(0) ? zero : c) / one_for_zero<T>(total);
  }
};

// AdaPool, equation 5: of two weights, or of two sums that they weigh.
template <class T>
LIFTWAVE_INLINE Numbers<T> blend(const Numbers<T>& beta, const Numbers<T>& first,
                                 const Numbers<T>& second) {
  return beta * first + (T(1) - beta) * second;
}

}  // namespace LIFTWAVE_NAMESPACE
