// Weights of regions, w_i = h_i / sum_j h_j, for one window per lane of a register, and the
// pullback of their cotangents to the samples. The formulas are those of
// liftwave/_kernels/reference/pooling/weights.py, with one channel.
#pragma once

#include "pooling/similarities.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Softmax: h_i = e^{a_i}, of numbers that are at most zero.
struct Softmax {
  template <class T, int N, class C>
  LIFTWAVE_INLINE static void weigh(const Region<T, N>& a, C& w) {
    Pack<T> top = a[0];
    a.for_rest([&](index_t k) LIFTWAVE_INLINE_LAMBDA { top = larger(top, a[k]); });
    Pack<T> total{};
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      const Pack<T> h = exponential_of_negative<T>(a[k] - top);
      w.set(k, h);
      total = total + h;
    });
    const Pack<T> scale = T(1) / total;
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { w.set(k, w[k] * scale); });
  }

  // Weights, their cotangents `c` pulled back to samples, and the sum of w c.
  template <class T, int N, class C, class Columns>
  LIFTWAVE_INLINE static Pack<T> pull(const Region<T, N>& a, const C& c, Columns& to) {
    weigh(a, to.w);
    Pack<T> middle{};
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { middle = middle + to.w[k] * c[k]; });
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { to.d.set(k, to.w[k] * (c[k] - middle)); });
    return middle;
  }
};

// h_i = e^{s_i}; similarities are at most one.
template <template <class> class Similarity>
struct Exponential {
  template <class T, int N, class C>
  LIFTWAVE_INLINE static void weigh(const Region<T, N>& a, C& w) {
    const Similarity<T> similarity(a);
    weigh(a, similarity, w);
  }

  template <class T, int N, class C, class Columns>
  LIFTWAVE_INLINE static Pack<T> pull(const Region<T, N>& a, const C& c, Columns& to) {
    const Similarity<T> similarity(a);
    weigh(a, similarity, to.w);
    Pack<T> middle{}, of_mean{};
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { middle = middle + to.w[k] * c[k]; });
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      const Slopes<Pack<T>> slopes = similarity.slopes(a[k]);
      const Pack<T> of_similarity = to.w[k] * (c[k] - middle);
      to.d.set(k, of_similarity * slopes.in_sample);
      of_mean = of_mean + of_similarity * slopes.in_mean;
    });
    of_mean = of_mean * a.share;
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { to.d.set(k, to.d[k] + of_mean); });
    return middle;
  }

 private:
  template <class T, int N, class C>
  LIFTWAVE_INLINE static void weigh(const Region<T, N>& a, const Similarity<T>& similarity, C& w) {
    Pack<T> total{};
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      const Pack<T> h = exponential_of_moderate<T>(similarity.value(a[k]));
      w.set(k, h);
      total = total + h;
    });
    const Pack<T> scale = T(1) / total;
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { w.set(k, w[k] * scale); });
  }
};

// h_i = max(s_i, 0). If all are zero, all weights are equal.
template <template <class> class Similarity>
struct Plain {
  template <class T, int N, class C>
  LIFTWAVE_INLINE static void weigh(const Region<T, N>& a, C& w) {
    const Similarity<T> similarity(a);
    weigh(a, similarity, w);
  }

  template <class T, int N, class C, class Columns>
  LIFTWAVE_INLINE static Pack<T> pull(const Region<T, N>& a, const C& c, Columns& to) {
    const Similarity<T> similarity(a);
    const Pack<T> total = weigh(a, similarity, to.w);
    Pack<T> middle{}, of_mean{};
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { middle = middle + to.w[k] * c[k]; });
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      const Slopes<Pack<T>> slopes = similarity.slopes(a[k]);
      // Samples whose similarity is at most zero have no weight. (NaN stays.)
      const Pack<T> counts = similarity.value(a[k]) <= T(0) ? Pack<T>{} : (c[k] - middle) / one_for_zero<T>(total);
      to.d.set(k, counts * slopes.in_sample);
      of_mean = of_mean + counts * slopes.in_mean;
    });
    of_mean = of_mean * a.share;
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { to.d.set(k, to.d[k] + of_mean); });
    return middle;
  }

 private:
  template <class T, int N, class C>
  LIFTWAVE_INLINE static Pack<T> weigh(const Region<T, N>& a, const Similarity<T>& similarity,
                                       C& w) {
    Pack<T> total{};
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      const Pack<T> s = similarity.value(a[k]), h = s < T(0) ? Pack<T>{} : s;
      w.set(k, h);
      total = total + h;
    });
    const Pack<T> below = one_for_zero<T>(total);
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      w.set(k, total == T(0) ? all<T>(a.share) : w[k] / below);
    });
    return total;
  }
};

// --- tiles -------------------------------------------------------------------------------------

// A tile's windows. Numbers at the same place are contiguous; `stride` separates places.
template <class T>
struct WeighTile {
  index_t places, lanes, stride;
  T share, delta;
  const T* a;     // samples
  const T* c;     // cotangents of the weights, by place; unpooling only
  const T* beta;  // by window
  const T* scale; // factors of the results of `pull`, by window
  T* d;           // to the samples, by place
  T* sum;         // by window: of pooling the result; otherwise the sum of w c
  T* contrast;    // by window: the cotangent of beta
  T *w, *second_w, *second_d;  // work memory, by place
};

template <class T, int N>
struct PullColumns {
  Column<T, N>&w, &d;
};

template <class T, int N>
LIFTWAVE_INLINE Region<T, N> region_at(const WeighTile<T>& tile, index_t lane) {
  return {tile.a + lane, tile.stride, N > 0 ? N : tile.places, tile.share, tile.delta};
}

// All computations with one kind of weights.
template <class Kind>
struct Single {
  template <class T, int N>
  LIFTWAVE_INLINE static void weigh(const WeighTile<T>&, index_t, const Region<T, N>& a,
                                    Column<T, N>& w) {
    Kind::weigh(a, w);
  }
  template <class T, int N, class C>
  LIFTWAVE_INLINE static Pack<T> pull(const WeighTile<T>&, index_t, const Region<T, N>& a,
                                      const C& c, Column<T, N>& w, Column<T, N>& d) {
    PullColumns<T, N> to{w, d};
    return Kind::template pull<T, N>(a, c, to);
  }
};

// beta times one kind of weights plus (1 - beta) times another.
template <class First, class Second>
struct Mixed {
  template <class T, int N>
  LIFTWAVE_INLINE static void weigh(const WeighTile<T>& tile, index_t lane, const Region<T, N>& a,
                                    Column<T, N>& w) {
    Column<T, N> second(tile.second_w + lane, tile.stride);
    First::weigh(a, w);
    Second::weigh(a, second);
    mix(tile, lane, a, w, second);
  }
  template <class T, int N, class C>
  LIFTWAVE_INLINE static Pack<T> pull(const WeighTile<T>& tile, index_t lane,
                                      const Region<T, N>& a, const C& c, Column<T, N>& w,
                                      Column<T, N>& d) {
    Column<T, N> second_w(tile.second_w + lane, tile.stride);
    Column<T, N> second_d(tile.second_d + lane, tile.stride);
    PullColumns<T, N> to{w, d}, second_to{second_w, second_d};
    const Pack<T> first = First::template pull<T, N>(a, c, to);
    const Pack<T> second = Second::template pull<T, N>(a, c, second_to);
    mix(tile, lane, a, w, second_w);
    mix(tile, lane, a, d, second_d);
    const Pack<T> contrast = first - second, beta = get(tile.beta + lane);
    put<T>(tile.contrast + lane, contrast * get(tile.scale + lane));
    return beta * first + (T(1) - beta) * second;
  }

 private:
  template <class T, int N>
  LIFTWAVE_INLINE static void mix(const WeighTile<T>& tile, index_t lane, const Region<T, N>& a,
                                  Column<T, N>& first, const Column<T, N>& second) {
    const Pack<T> beta = get(tile.beta + lane), rest = T(1) - beta;
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      first.set(k, beta * first[k] + rest * second[k]);
    });
  }
};

// sum: the sum of weights times samples.
template <class Kind, class T, int N>
void pool_tile(const WeighTile<T>& tile) {
  for (index_t lane = 0; lane < tile.lanes; lane += lanes_of<T>) {
    const Region<T, N> a = region_at<T, N>(tile, lane);
    Column<T, N> w(tile.w + lane, tile.stride);
    Kind::template weigh<T, N>(tile, lane, a, w);
    Pack<T> sum{};
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { sum = sum + w[k] * a[k]; });
    put<T>(tile.sum + lane, sum);
  }
}

// d: the weights, times the scale.
template <class Kind, class T, int N>
void weigh_tile(const WeighTile<T>& tile) {
  for (index_t lane = 0; lane < tile.lanes; lane += lanes_of<T>) {
    const Region<T, N> a = region_at<T, N>(tile, lane);
    Column<T, N> w(tile.w + lane, tile.stride);
    Kind::template weigh<T, N>(tile, lane, a, w);
    const Pack<T> scale = get(tile.scale + lane);
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      put<T>(tile.d + lane + k * tile.stride, w[k] * scale);
    });
  }
}

// d: for pooling, the derivative of the sum of weights times samples, times the scale (the
// cotangent). For unpooling, the cotangents c of the weights pulled back, times the scale; and the
// sum of w c.
template <class Kind, class T, int N, bool Pooling>
void pull_tile(const WeighTile<T>& tile) {
  for (index_t lane = 0; lane < tile.lanes; lane += lanes_of<T>) {
    const Region<T, N> a = region_at<T, N>(tile, lane);
    const Region<T, N> c{(Pooling ? tile.a : tile.c) + lane, tile.stride, a.count, a.share, a.delta};
    Column<T, N> w(tile.w + lane, tile.stride), d(tile.d + lane, tile.stride);
    const Pack<T> sum = Kind::template pull<T, N>(tile, lane, a, c, w, d);
    const Pack<T> scale = get(tile.scale + lane);
    if (!Pooling) put<T>(tile.sum + lane, sum);
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      put<T>(tile.d + lane + k * tile.stride, (Pooling ? w[k] + d[k] : d[k]) * scale);
    });
  }
}

template <class T>
struct TileFunctions {
  void (*pool)(const WeighTile<T>&);
  void (*weigh)(const WeighTile<T>&);
  void (*pull_pooling)(const WeighTile<T>&);
  void (*pull_unpooling)(const WeighTile<T>&);
};

template <class Kind, class T, int N = 0>
constexpr TileFunctions<T> functions_of() {
  return {pool_tile<Kind, T, N>, weigh_tile<Kind, T, N>, pull_tile<Kind, T, N, true>,
          pull_tile<Kind, T, N, false>};
}

// In the order of the enumeration.
template <class T, int N = 0>
TileFunctions<T> tile_functions(Weights weights) {
  switch (weights) {
    case Weights::softmax: return functions_of<Single<Softmax>, T, N>();
    case Weights::exp_dice: return functions_of<Single<Exponential<Dice>>, T, N>();
    case Weights::ada: return functions_of<Mixed<Exponential<Dice>, Softmax>, T, N>();
    case Weights::dice: return functions_of<Single<Plain<Dice>>, T>();
    case Weights::idw: return functions_of<Single<Plain<InverseDistance>>, T>();
    case Weights::idw_huber: return functions_of<Single<Plain<InverseHuber>>, T>();
  }
  return {};
}

// Windows of four places, as for kernel size 2 in an image, keep everything in registers.
template <class T>
TileFunctions<T> tile_functions(Weights weights, index_t places) {
  return places == 4 ? tile_functions<T, 4>(weights) : tile_functions<T, 0>(weights);
}

}  // namespace liftwave::LIFTWAVE_ISA
