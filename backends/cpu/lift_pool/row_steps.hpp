// Lifting pooling along the other axes: rows are split into even and odd ones.
#pragma once

#include "lift_pool/plane.hpp"

namespace liftwave::LIFTWAVE_ISA {

template <class T, int K>
template <class F>
void Plane<T, K>::for_outer(Buffer<T*>& arrays, int level, int node, const F& f) {
  const LiftPoolAxis& axis = axis_of(level);
  const index_t inner = inner_[level];
  for (index_t o = 0; o < outer_[level]; ++o)
    f(Rows{arrays[node] + o * axis.n * inner, arrays[2 * node + 1] + o * axis.half * inner,
           arrays[2 * node + 2] + o * axis.half * inner, axis.n, inner, axis.last},
      o);
}

template <class T, int K>
const T* const* Plane<T, K>::rows_of(const LiftPoolReads& reads, const T* first, index_t stride, index_t k) {
  for (index_t i = 0; i < kernel_; ++i) {
    const index_t at = reads.source[k + i];
    source_[i] = at < 0 ? zero_ : first + at * stride;
  }
  return source_.data();
}

template <class T, int K>
template <bool subtract>
void Plane<T, K>::step_rows(int level, int node, int which, T* to, index_t to_stride, const T* base,
               index_t base_stride, const T* source, index_t source_stride, index_t count) {
  const LiftPoolAxis& axis = axis_of(level);
  for (index_t k = 0; k < count; ++k) {
    apply<T, K, subtract>(filter(node, which), to + k * to_stride, base + k * base_stride,
                          rows_of(axis.reads[which], source, source_stride, k), inner_[level]);
    row_done(inner_[level]);
  }
}

template <class T, int K>
void Plane<T, K>::split_rows(int level, int node, double* sums) {
  const LiftPoolAxis& axis = axis_of(level);
  const index_t inner = inner_[level];
  for_outer(values_, level, node, [&](const Rows& rows, index_t) {
    const Filter<T, K> f = filter(node, predict);
    for (index_t k = 0; k < axis.half; ++k) {
      apply<T, K, true>(f, rows.detail + k * inner, rows.odd(k),
                        rows_of(axis.reads[predict], rows.whole, 2 * inner, k), inner);
      row_done(inner);
    }
    step_rows<false>(level, node, update, rows.smooth, inner, rows.whole, 2 * inner, rows.detail,
                     inner, axis.half);
    if (!sums) return;
    for (index_t k = 0; k < axis.half; ++k)
      for (index_t c = 0; c < inner; c += pitch_) {
        square(2 * node, rows.smooth + k * inner + c, rows.odd(k) + c);
        square(2 * node + 1, rows.detail + k * inner + c, nullptr);
        row_done(pitch_);
      }
  });
}

template <class T, int K>
void Plane<T, K>::merge_rows(int level, int node) {
  const LiftPoolAxis& axis = axis_of(level);
  const index_t inner = inner_[level];
  for_outer(values_, level, node, [&](const Rows& rows, index_t) {
    step_rows<true>(level, node, update, rows.whole, 2 * inner, rows.smooth, inner, rows.detail,
                    inner, axis.half);
    step_rows<false>(level, node, predict, rows.whole + inner, 2 * inner, rows.detail, inner,
                     rows.whole, 2 * inner, axis.n / 2);
  });
}

template <class T, int K>
template <Sign sign>
void Plane<T, K>::pull_rows(int level, int node, int which, const T* cotangent, index_t cotangent_stride,
               const T* source, index_t source_stride, T* to, index_t to_stride) {
  const LiftPoolAxis& axis = axis_of(level);
  const LiftPoolReads& reads = axis.reads[which];
  const index_t inner = inner_[level];
  for (index_t k = 0; k < axis.half; ++k) {
    pull_row(node, which, hidden_ + k * inner, cotangent + k * cotangent_stride,
             rows_of(reads, source, source_stride, k), inner);
    row_done(inner);
  }
  const T* const weights = filter(node, which).values;
  for (index_t j = 0; j < axis.half; ++j) {
    T* const row = to + j * to_stride;
    const index_t first = reads.first_use[j], count = reads.first_use[j + 1] - first;
    if (count == 0) continue;
    for (index_t u = 0; u < count; ++u) {
      const LiftPoolReads::Use& use = reads.uses[first + u];
      source_[u] = hidden_ + use.target * inner;
      weight_[u] = weights[use.tap];
    }
    const int terms = static_cast<int>(count);
    if (reads.plain[j])
      combine<T, K, sign>(row, row, weight_.data(), source_.data(), terms, inner);
    else
      combine<T, 0, sign>(row, row, weight_.data(), source_.data(), terms, inner);
    row_done(inner);
  }
}

template <class T, int K>
void Plane<T, K>::pull_down_rows(int level, int node, const double* weights) {
  const LiftPoolAxis& axis = axis_of(level);
  const index_t inner = inner_[level];
  const T of_gap = weights ? static_cast<T>(2 * weights[0]) : T{0};
  const T of_detail = weights ? static_cast<T>(2 * weights[1]) : T{0};
  for_outer(cotangents_, level, node, [&](const Rows& g, index_t o) {
    const Rows v = rows_at(values_, level, node, o);
    const auto each_row = [&](const auto& f) {
      for (index_t k = 0; k < axis.half; ++k)
        for (index_t c = 0; c < inner; c += pitch_) f(k, k * inner + c, c), row_done(pitch_);
    };
    if (weights)
      each_row([&](index_t k, index_t at, index_t c) {
        add_scaled<T>(g.smooth + at, of_gap, v.smooth + at, v.odd(k) + c, pitch_, mask_);
        add_scaled<T>(g.detail + at, of_detail, v.detail + at, nullptr, pitch_, mask_);
      });
    pull_rows<Sign::plus>(level, node, update, g.smooth, inner, v.detail, inner, g.detail, inner);
    pull_rows<Sign::minus>(level, node, predict, g.detail, inner, v.whole, 2 * inner, g.smooth,
                           inner);
    if (weights)
      each_row([&](index_t k, index_t at, index_t c) {
        add_scaled<T>(g.detail + at, -of_gap, v.smooth + at, v.odd(k) + c, pitch_, mask_);
      });
    interleave(g, axis.half);
  });
}

template <class T, int K>
void Plane<T, K>::interleave(const Rows& rows, index_t half) {
  const index_t inner = rows.inner;
  for (index_t k = 0; k < half; ++k) {
    copy_numbers(rows.smooth + k * inner, inner, rows.even(k));
    if (2 * k + 1 < rows.n) {
      copy_numbers(rows.detail + k * inner, inner, rows.odd(k));
    } else {
      T* const last = rows.odd(k);
      for (index_t c = 0; c < inner; c += lanes<T>)
        (WidePack<T>::from(last + c) + WidePack<T>::from(rows.detail + k * inner + c)).to(last + c);
    }
    row_done(inner);
  }
}

template <class T, int K>
void Plane<T, K>::pull_up_rows(int level, int node) {
  const LiftPoolAxis& axis = axis_of(level);
  const index_t inner = inner_[level];
  for_outer(cotangents_, level, node, [&](const Rows& g, index_t o) {
    const Rows v = rows_at(values_, level, node, o);
    for (index_t k = 0; k < axis.half; ++k) {
      copy_numbers(g.even(k), inner, g.smooth + k * inner);
      if (2 * k + 1 < g.n) copy_numbers(g.odd(k), inner, g.detail + k * inner);
      else std::fill_n(g.detail + k * inner, inner, T{0});  // the forward pass dropped it
      row_done(inner);
    }
    pull_rows<Sign::plus>(level, node, predict, g.detail, inner, v.whole, 2 * inner, g.smooth,
                          inner);
    pull_rows<Sign::minus>(level, node, update, g.smooth, inner, v.detail, inner, g.detail,
                           inner);
  });
}

template <class T, int K>
typename Plane<T, K>::Rows Plane<T, K>::rows_at(Buffer<T*>& arrays, int level, int node, index_t o) const {
  const LiftPoolAxis& axis = axis_of(level);
  const index_t inner = inner_[level];
  return {arrays[node] + o * axis.n * inner, arrays[2 * node + 1] + o * axis.half * inner,
          arrays[2 * node + 2] + o * axis.half * inner, axis.n, inner, axis.last};
}

}  // namespace liftwave::LIFTWAVE_ISA
