// Weights of regions, for one window per lane of a register, and the pullback of their cotangents
// to the samples.
#pragma once

#include <algorithm>

#include "pooling/regions.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Calls `f(k, h)` for all samples. Exponentials of N places are computed side by side.
template <class Kind, class T, int N, class F>
LIFTWAVE_INLINE void for_heights(const Kind& kind, const Region<T, N>& a, const F& f) {
  if constexpr (N > 0 && Kind::is_exponential) {
    Pack<T> h[N];
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { h[k] = kind.exponent(a[k]); });
    exponentials_of_moderate<T, Kind::of_similarity ? 0 : N>(h);
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { f(k, h[k]); });
  } else {
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { f(k, kind.height(a[k])); });
  }
}

// Weights h_i / sum_j h_j of all samples.
template <class Kind, class T, int N>
LIFTWAVE_INLINE Kind weigh(const Region<T, N>& a, Column<T, N>& w) {
  Kind kind;
  kind.learn(a, a.delta);
  Pack<T> total{};
  for_heights(kind, a, [&](index_t k, const Pack<T>& h) LIFTWAVE_INLINE_LAMBDA {
    w.set(k, h);
    total = total + h;
  });
  kind.divide(total, a.share);
  a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { w.set(k, kind.weight(w[k])); });
  return kind;
}

// The sum of weights times samples, from one number h after the other.
template <class Kind, class T, int N>
class WeightedMean {
 public:
  LIFTWAVE_INLINE void add(const Region<T, N>& a, index_t k, const Pack<T>& h) {
    const Pack<T> sample = a[k] * a.part;
    total_ = total_ + h;
    sum_ = sum_ + h * sample;
    plain_ = plain_ + sample;
  }
  LIFTWAVE_INLINE Pack<T> of(const Region<T, N>& a) const {
    return Kind::weighted_mean(a, sum_, plain_, total_);
  }

 private:
  Pack<T> total_{}, sum_{}, plain_{};
};

template <class Kind, class T, int N>
LIFTWAVE_INLINE Pack<T> weighted_mean(const Region<T, N>& a) {
  Kind kind;
  kind.learn(a, a.delta);
  WeightedMean<Kind, T, N> mean;
  for_heights(kind, a, [&](index_t k, const Pack<T>& h) LIFTWAVE_INLINE_LAMBDA { mean.add(a, k, h); });
  return mean.of(a);
}

template <class Kind, class T, int N>
LIFTWAVE_INLINE Pack<T> mean_of_heights(const Region<T, N>& a, const Pack<T>* h) {
  WeightedMean<Kind, T, N> mean;
  a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { mean.add(a, k, h[k]); });
  return mean.of(a);
}

// Weights, their cotangents `c` pulled back to samples, and the sum of w c.
template <class Kind, class T, int N>
LIFTWAVE_INLINE Pack<T> pull(const Region<T, N>& a, const Region<T, N>& c, Column<T, N>& w,
                             Column<T, N>& d) {
  const Kind kind = weigh<Kind>(a, w);
  Pack<T> middle{}, of_mean{};
  a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { middle = middle + w[k] * c[k]; });
  a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
    const Pack<T> pulled = kind.pulled(a[k], w[k], c[k] - middle);
    if constexpr (Kind::of_similarity) {
      const Slopes<T> slopes = kind.similarity.slopes(a[k]);
      d.set(k, pulled * slopes.in_sample);
      of_mean = of_mean + pulled * slopes.in_mean;
    } else {
      d.set(k, pulled);
    }
  });
  if constexpr (Kind::of_similarity) {
    of_mean = of_mean * a.share;
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA { d.set(k, d[k] + of_mean); });
  }
  return middle;
}

// --- tiles -------------------------------------------------------------------------------------

// A tile's windows. Numbers at the same place are contiguous; `stride` separates places.
template <class T>
struct WeighTile {
  index_t places, lanes, stride;
  T share, part, whole, delta;
  const T* a;     // samples
  const index_t* a_at;  // the offset of each place in the samples; lanes are contiguous
  const index_t* at;    // the same in the other arrays: multiples of the stride
  const T* c;     // cotangents of the weights, by place; unpooling only
  const T* beta;  // by window
  const T* scale; // factors of the results of `pull`, by window
  T* d;           // to the samples, by place
  T* sum;         // by window: of pooling the result; otherwise the sum of w c
  T* contrast;    // by window: the cotangent of beta
  T *w, *second_w, *second_d;  // work memory, by place
};

template <class T, int N>
LIFTWAVE_INLINE Region<T, N> region_at(const WeighTile<T>& tile, index_t lane) {
  return {tile.a + lane, tile.a_at,  N > 0 ? N : tile.places, tile.share, tile.part,
          tile.whole,    tile.delta};
}

// Calls `f(lane)` for packs that cover all lanes. The last pack overlaps the one before if lanes are
// not a multiple of its size.
template <class T, class F>
LIFTWAVE_INLINE void for_packs(const WeighTile<T>& tile, const F& f) {
  constexpr index_t n = lanes_of<T>;
  for (index_t i = 0; i < tile.lanes; i += n) f(std::min(i, tile.lanes - n));
}

// All computations with one kind of weights.
template <class Kind>
struct Single {
  template <class T, int N>
  LIFTWAVE_INLINE static Pack<T> mean_at(const WeighTile<T>&, index_t, const Region<T, N>& a) {
    return weighted_mean<Kind>(a);
  }
  template <int P, class T, int N>
  LIFTWAVE_INLINE static void means_at(const WeighTile<T>& tile, const index_t (&lane)[P],
                                       const Region<T, N> (&a)[P]) {
    Kind kind[P];
    Pack<T> h[P * N];
    for (int p = 0; p < P; ++p) kind[p].learn(a[p], a[p].delta);
    for (int p = 0; p < P; ++p)
      for (int k = 0; k < N; ++k) h[p * N + k] = kind[p].exponent(a[p][k]);
    exponentials_of_moderate<T, Kind::of_similarity ? 0 : P * N>(h);
    for (int p = 0; p < P; ++p) put<T>(tile.sum + lane[p], mean_of_heights<Kind>(a[p], h + p * N));
  }
  template <class T, int N>
  LIFTWAVE_INLINE static void weigh_at(const WeighTile<T>&, index_t, const Region<T, N>& a,
                                       Column<T, N>& w) {
    weigh<Kind>(a, w);
  }
  template <class T, int N>
  LIFTWAVE_INLINE static Pack<T> pull_at(const WeighTile<T>&, index_t, const Region<T, N>& a,
                                         const Region<T, N>& c, Column<T, N>& w, Column<T, N>& d) {
    return pull<Kind>(a, c, w, d);
  }
};

// beta times one kind of weights plus (1 - beta) times another.
template <class First, class Second>
struct Mixed {
  template <class T, int N>
  LIFTWAVE_INLINE static Pack<T> mean_at(const WeighTile<T>& tile, index_t lane,
                                         const Region<T, N>& a) {
    return blend<T>(get(tile.beta + lane), weighted_mean<First>(a), weighted_mean<Second>(a));
  }
  template <int P, class T, int N>
  LIFTWAVE_INLINE static void means_at(const WeighTile<T>& tile, const index_t (&lane)[P],
                                       const Region<T, N> (&a)[P]) {
    First first[P];
    Second second[P];
    Pack<T> h[P][2 * N];
    for (int p = 0; p < P; ++p) first[p].learn(a[p], a[p].delta);
    for (int p = 0; p < P; ++p) second[p].learn(a[p], a[p].delta);
    for (int p = 0; p < P; ++p) {
      for (int k = 0; k < N; ++k) h[p][k] = first[p].exponent(a[p][k]);
      for (int k = 0; k < N; ++k) h[p][N + k] = second[p].exponent(a[p][k]);
    }
    // Those of the second kind are of numbers up to zero.
    for (int p = 0; p < P; ++p) exponentials_of_moderate<T, N>(h[p]);
    for (int p = 0; p < P; ++p) {
      const Pack<T> one = mean_of_heights<First>(a[p], h[p]);
      const Pack<T> other = mean_of_heights<Second>(a[p], h[p] + N);
      put<T>(tile.sum + lane[p], blend<T>(get(tile.beta + lane[p]), one, other));
    }
  }
  template <class T, int N>
  LIFTWAVE_INLINE static void weigh_at(const WeighTile<T>& tile, index_t lane,
                                       const Region<T, N>& a, Column<T, N>& w) {
    Column<T, N> second(tile.second_w + lane, tile.stride);
    weigh<First>(a, w);
    weigh<Second>(a, second);
    mix(get(tile.beta + lane), a, w, second);
  }
  template <class T, int N>
  LIFTWAVE_INLINE static Pack<T> pull_at(const WeighTile<T>& tile, index_t lane,
                                         const Region<T, N>& a, const Region<T, N>& c,
                                         Column<T, N>& w, Column<T, N>& d) {
    Column<T, N> second_w(tile.second_w + lane, tile.stride);
    Column<T, N> second_d(tile.second_d + lane, tile.stride);
    const Pack<T> first = pull<First>(a, c, w, d);
    const Pack<T> second = pull<Second>(a, c, second_w, second_d);
    const Pack<T> beta = get(tile.beta + lane), contrast = first - second;
    mix(beta, a, w, second_w);
    mix(beta, a, d, second_d);
    put<T>(tile.contrast + lane, contrast * get(tile.scale + lane));
    return blend<T>(beta, first, second);
  }

 private:
  template <class T, int N>
  LIFTWAVE_INLINE static void mix(const Pack<T>& beta, const Region<T, N>& a, Column<T, N>& first,
                                  const Column<T, N>& second) {
    a.for_all([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      first.set(k, blend<T>(beta, first[k], second[k]));
    });
  }
};

// sum: the sum of weights times samples.
template <class Kind, class T, int N>
void pool_tile(const WeighTile<T>& tile) {
  if constexpr (N > 0) {
    // Two packs at a time. One alone waits for its divisions, since processors look ahead less far.
    constexpr index_t n = lanes_of<T>;
    const index_t last = tile.lanes - n;
    index_t i = 0;
    for (; i + n < tile.lanes; i += 2 * n) {
      const index_t lanes[] = {i, std::min(i + n, last)};
      const Region<T, N> a[] = {region_at<T, N>(tile, lanes[0]), region_at<T, N>(tile, lanes[1])};
      Kind::means_at(tile, lanes, a);
    }
    if (i < tile.lanes) {
      const index_t lanes[] = {std::min(i, last)};
      const Region<T, N> a[] = {region_at<T, N>(tile, lanes[0])};
      Kind::means_at(tile, lanes, a);
    }
  } else {
    for_packs(tile, [&](index_t lane) LIFTWAVE_INLINE_LAMBDA {
      const Region<T, N> a = region_at<T, N>(tile, lane);
      put<T>(tile.sum + lane, Kind::mean_at(tile, lane, a));
    });
  }
}

// d: the weights, times the scale.
template <class Kind, class T, int N>
void weigh_tile(const WeighTile<T>& tile) {
  for (index_t lane = 0; lane < tile.lanes; lane += lanes_of<T>) {
    const Region<T, N> a = region_at<T, N>(tile, lane);
    Column<T, N> w(tile.w + lane, tile.stride);
    Kind::weigh_at(tile, lane, a, w);
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
    const Region<T, N> c = Pooling ? a : Region<T, N>{tile.c + lane, tile.at, a.count, a.share,
                                                      a.part, a.whole, a.delta};
    Column<T, N> w(tile.w + lane, tile.stride), d(tile.d + lane, tile.stride);
    const Pack<T> sum = Kind::pull_at(tile, lane, a, c, w, d);
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
    case Weights::softmax: return functions_of<Single<Softmax<T>>, T, N>();
    case Weights::exp_dice: return functions_of<Single<Exponential<Dice<T>>>, T, N>();
    case Weights::ada: return functions_of<Mixed<Exponential<Dice<T>>, Softmax<T>>, T, N>();
    case Weights::dice: return functions_of<Single<Plain<Dice<T>>>, T>();
    case Weights::idw: return functions_of<Single<Plain<InverseDistance<T, false>>>, T>();
    case Weights::idw_huber: return functions_of<Single<Plain<InverseDistance<T, true>>>, T>();
  }
  return {};
}

// Windows of four places, as for kernel size 2 in an image, keep everything in registers.
template <class T>
TileFunctions<T> tile_functions(Weights weights, index_t places) {
  return places == 4 ? tile_functions<T, 4>(weights) : tile_functions<T, 0>(weights);
}

}  // namespace liftwave::LIFTWAVE_ISA
