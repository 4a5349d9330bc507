// Steps on the whole grid, on rows of a tile. Sums are taken in the order of the reference kernels.
#pragma once

#include "common/simd.hpp"
#include "lifting/steps.hpp"
#include "lifting/whole.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Positions along an axis: `width` contiguous numbers each.
template <class T>
struct WholeRows {
  T* data = nullptr;  // position 0
  index_t pitch = 0;  // between two positions

  T* at(index_t k) const { return data + k * pitch; }
  operator WholeRows<const T>() const { return {data, pitch}; }
};

// The sum type and the arithmetic of a dtype.
template <class T>
using WholeSum = std::conditional_t<std::is_floating_point_v<T>, T, std::uint64_t>;
template <class T>
using WholeArithmetic = Arithmetic<T, WholeSum<T>>;

template <class T>
LIFTWAVE_INLINE const WholeSum<T>* taps_of(const WholeStep& step) {
  if constexpr (std::is_same_v<T, float>) return step.f32.data();
  else if constexpr (std::is_same_v<T, double>) return step.f64.data();
  else return step.i64.data();
}

// out[c] = in[c] ± the sum of all terms, for `Taps` terms. `in` may be `out`.
template <class T, bool subtract, int Taps>
void change_row(const WholeStep& step, const T* const* source, const T* in, T* out, index_t count) {
  using A = WholeArithmetic<T>;
  WholeSum<T> tap[Taps];
  const T* s[Taps];
  for (int j = 0; j < Taps; ++j) {
    tap[j] = taps_of<T>(step)[j];
    s[j] = source[j];
  }
  const int bits = step.bits;
  LIFTWAVE_INDEPENDENT
  for (index_t c = 0; c < count; ++c) {
    WholeSum<T> sum = A::term(tap[0], s[0][c], bits);
    for (int j = 1; j < Taps; ++j) sum = sum + A::term(tap[j], s[j][c], bits);
    out[c] = A::template changed<subtract>(in[c], sum, bits);
  }
}

// The same for any number of terms.
template <class T, bool subtract>
void change_any(const WholeStep& step, const T* const* source, const T* in, T* out, index_t count) {
  using A = WholeArithmetic<T>;
  const WholeSum<T>* tap = taps_of<T>(step);
  WholeSum<T> sum[strip<T>];
  for (index_t c0 = 0; c0 < count; c0 += strip<T>) {
    const index_t some = std::min(strip<T>, count - c0);
    const T* s = source[0] + c0;
    for (index_t c = 0; c < some; ++c) sum[c] = A::term(tap[0], s[c], step.bits);
    for (index_t j = 1; j < step.taps(); ++j) {
      s = source[j] + c0;
      for (index_t c = 0; c < some; ++c) sum[c] = sum[c] + A::term(tap[j], s[c], step.bits);
    }
    LIFTWAVE_INDEPENDENT
    for (index_t c = 0; c < some; ++c) {
      out[c0 + c] = A::template changed<subtract>(in[c0 + c], sum[c], step.bits);
    }
  }
}

template <class T, bool subtract>
void change(const WholeStep& step, const T* const* source, const T* in, T* out, index_t count) {
  switch (step.taps()) {
    case 1: return change_row<T, subtract, 1>(step, source, in, out, count);
    case 2: return change_row<T, subtract, 2>(step, source, in, out, count);
    case 3: return change_row<T, subtract, 3>(step, source, in, out, count);
    case 4: return change_row<T, subtract, 4>(step, source, in, out, count);
    default: return change_any<T, subtract>(step, source, in, out, count);
  }
}

// One step on the targets. `sources` has room for an address per tap.
template <class T>
void apply_step(const WholeStep& step, WholeRows<const T> source, WholeRows<const T> in, WholeRows<T> out,
                Range targets, index_t width, const T** sources) {
  if (targets.empty()) return;
  const bool contiguous = source.pitch == width && in.pitch == width && out.pitch == width;
  const index_t rows = contiguous ? 1 : targets.size();
  const index_t count = contiguous ? targets.size() * width : width;
  for (index_t r = 0; r < rows; ++r) {
    const index_t k = targets.begin + r;
    for (index_t j = 0; j < step.taps(); ++j) {
      sources[j] = source.at(k + step.place[static_cast<std::size_t>(j)]);
    }
    if (step.subtract) change<T, true>(step, sources, in.at(k), out.at(k), count);
    else change<T, false>(step, sources, in.at(k), out.at(k), count);
  }
}

// The transpose of a move along a whole line: each sample is the sum of those that the move reads from
// it, in their order.
template <class T>
void move_back(const WholeAxis& axis, WholeRows<const T> from, index_t place, index_t width, T* to) {
  std::fill_n(to, axis.n * width, T{0});
  const auto add = [&](index_t k, index_t sample, index_t count) {
    const T* const source = from.at(k);
    T* const target = to + sample * width;
    for (index_t c = 0; c < count; ++c) target[c] = target[c] + source[c];
  };
  const auto add_edges = [&](index_t begin, index_t end) {
    for (index_t k = begin; k < end; ++k) {
      const index_t sample = axis.source(k + place);
      if (sample >= 0) add(k, sample, width);
    }
  };
  const index_t first = std::clamp<index_t>(-place, 0, axis.n);
  const index_t last = std::clamp<index_t>(axis.n - place, first, axis.n);
  add_edges(0, first);
  if (from.pitch == width) add(first, first + place, (last - first) * width);
  else for (index_t k = first; k < last; ++k) add(k, k + place, width);
  add_edges(last, axis.n);
}

// out[c] = in[c] * factor; integers are copied.
template <class T>
void scale_row(const T* in, T* out, T factor, index_t count, bool streamed) {
  constexpr int one = width<T, vector_bytes>;
  index_t c = 0;
  if (streamed && is_aligned(out)) {
    for (; c + one <= count; c += one) {
      auto v = load<T, vector_bytes>(in + c);
      if constexpr (std::is_floating_point_v<T>) v = factor * v;
      stream<vector_bytes>(out + c, v);
    }
  }
  for (; c < count; ++c) {
    if constexpr (std::is_floating_point_v<T>) out[c] = in[c] * factor;
    else out[c] = in[c];
  }
}

// out[c] = (a[c] + b[c]) * weight, or the mean of integers, rounded down. `out` may be `a`.
template <class T>
void add_row(const T* a, const T* b, T* out, T weight, index_t count, bool streamed) {
  constexpr int one = width<T, vector_bytes>;
  index_t c = 0;
  if constexpr (std::is_floating_point_v<T>) {
    if (streamed && is_aligned(out)) {
      for (; c + one <= count; c += one) {
        const auto sum = load<T, vector_bytes>(a + c) + load<T, vector_bytes>(b + c);
        stream<vector_bytes>(out + c, weight * sum);
      }
    }
    for (; c < count; ++c) out[c] = (a[c] + b[c]) * weight;
  } else {
    using Bits = std::make_unsigned_t<T>;
    for (; c < count; ++c) {
      const T gap = static_cast<T>(static_cast<Bits>(static_cast<Bits>(b[c]) - static_cast<Bits>(a[c])));
      const T half = static_cast<T>(gap >> 1);
      out[c] = static_cast<T>(static_cast<Bits>(static_cast<Bits>(a[c]) + static_cast<Bits>(half)));
    }
  }
}

}  // namespace liftwave::LIFTWAVE_ISA
