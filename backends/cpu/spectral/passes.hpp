// Short inverse Fourier transforms on the lanes of vectors (Stockham: results come in order).
#pragma once

#include <algorithm>

#include "common/index.hpp"
#include "spectral/butterflies.hpp"
#include "spectral/plan.hpp"

namespace liftwave::LIFTWAVE_ISA {

// The next pass reads the points.
template <class T>
struct PointsInMemory {
  static constexpr bool is_last = false;

  T* to;

  LIFTWAVE_INLINE void put(index_t point, const Waves<T>& v) const {
    put_waves(to + 2 * wave_lanes<T> * point, v);
  }
};

// The last pass writes points to the row. Point j of all lanes are neighbours there.
template <class T>
class RowSamples {
 public:
  static constexpr bool is_last = true;  // all twiddles are 1

  // `row`: the sample of the first lane at point `first`, counted from the first one of the row.
  RowSamples(T* row, index_t sample, index_t first, index_t size, index_t stride, index_t columns,
             index_t count, bool streams)
      : row_(row), sample_(sample), first_(first), size_(size), stride_(stride), columns_(columns),
        count_(count), streams_(streams) {}

  LIFTWAVE_INLINE void put(index_t point, const Waves<T>& v) const {
    const index_t turn = point - first_;
    const index_t at = (turn < 0 ? turn + size_ : turn) * stride_ + sample_;
    if (at >= columns_) return;
    typename Waves<T>::V a, b;
    merge<T, vector_bytes, 1>(v.re, v.im, a, b);
    T* const to = row_ + 2 * at;
    const index_t count = std::min(count_, columns_ - at);
    if (count < wave_lanes<T>) {
      T samples[2 * wave_lanes<T>];
      store<vector_bytes>(samples, a);
      store<vector_bytes>(samples + wave_lanes<T>, b);
      std::copy_n(samples, 2 * count, to);
    } else if (streams_) {
      stream<vector_bytes>(to, a);
      stream<vector_bytes>(to + wave_lanes<T>, b);
    } else {
      store<vector_bytes>(to, a);
      store<vector_bytes>(to + wave_lanes<T>, b);
    }
  }

 private:
  T* row_;
  index_t sample_, first_, size_, stride_, columns_, count_;
  bool streams_;
};

// One pass of transforms of `size` points, `between` of which are interleaved.
template <int R, class T, class Sink>
LIFTWAVE_NOINLINE void pass_of(const T* from, index_t size, index_t between, const T* twiddles,
                               const Sink& sink) {
  const index_t places = size / R;
  constexpr index_t point = 2 * wave_lanes<T>;
  for (index_t p = 0; p < places; ++p, twiddles += 2 * (R - 1)) {
    for (index_t q = 0; q < between; ++q) {
      Waves<T> v[R];
      unrolled<R>([&](auto j) LIFTWAVE_INLINE_LAMBDA {
        v[j] = get_waves(from + point * (q + between * (p + places * j)));
      });
      transform_points<R>(v);
      const index_t to = q + between * R * p;
      sink.put(to, v[0]);
      unrolled<R - 1>([&](auto i) LIFTWAVE_INLINE_LAMBDA {
        const index_t at = to + between * (i + 1);
        if constexpr (Sink::is_last) sink.put(at, v[i + 1]);
        else sink.put(at, v[i + 1].times(twiddles[2 * i], twiddles[2 * i + 1]));
      });
    }
  }
}

template <class T, class Sink>
void pass(int radix, const T* from, index_t size, index_t between, const T* twiddles,
          const Sink& sink) {
  switch (radix) {
    case 2: return pass_of<2>(from, size, between, twiddles, sink);
    case 3: return pass_of<3>(from, size, between, twiddles, sink);
    case 4: return pass_of<4>(from, size, between, twiddles, sink);
    case 5: return pass_of<5>(from, size, between, twiddles, sink);
    case 7: return pass_of<7>(from, size, between, twiddles, sink);
    case 8: return pass_of<8>(from, size, between, twiddles, sink);
    default: return pass_of<16>(from, size, between, twiddles, sink);
  }
}

// Transforms the points, and writes them to the row. `other` has room for as many.
template <class T>
void transform(const ShortTransform<T>& plan, T* points, T* other, const RowSamples<T>& row) {
  index_t size = plan.size, between = 1;
  for (int k = 0; k + 1 < plan.passes; ++k) {
    pass(plan.radix[k], points, size, between, plan.twiddles[k].data(), PointsInMemory<T>{other});
    T* const results = other;
    other = points;
    points = results;
    size /= plan.radix[k];
    between *= plan.radix[k];
  }
  const int last = plan.passes - 1;
  pass(plan.radix[last], points, size, between, plan.twiddles[last].data(), row);
}

}  // namespace liftwave::LIFTWAVE_ISA
