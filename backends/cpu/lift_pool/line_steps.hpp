// Lifting pooling along the last axis: each row is split into even and odd samples.
#pragma once

#include "lift_pool/plane.hpp"

namespace liftwave::LIFTWAVE_ISA {

template <class T, int K>
template <class... Stages>
void Plane<T, K>::in_blocks(const Stages&... stages) {
  for (index_t r = 0; r < outer_[0]; r += block) {
    const int count = static_cast<int>(std::min<index_t>(block, outer_[0] - r));
    const auto run = [&](const auto& stage) {
      for (int k = 0; k < count; ++k) stage(r + k, lines_[k]), row_done(pitch_);
    };
    (run(stages), ...);
  }
}

template <class T, int K>
template <class F>
void Plane<T, K>::for_places_beyond(const F& f) const {
  for (index_t q = 0; q < before_; ++q) f(q);
  for (index_t q = before_ + last_.half; q < last_.half + kernel_ - 1; ++q) f(q);
}

template <class T, int K>
void Plane<T, K>::extend(int which, T* row) const {
  const index_t* const source = last_.reads[which].source.data();
  for_places_beyond([&](index_t q) {
    row[q - before_] = source[q] < 0 ? T{0} : row[source[q]];
  });
}

template <class T, int K>
const T* const* Plane<T, K>::taps_of(const T* row) {
  for (index_t i = 0; i < kernel_; ++i) source_[i] = row + i - before_;
  return source_.data();
}

template <class T, int K>
template <bool subtract>
void Plane<T, K>::step_line(int which, T* to, const T* base, const T* source) {
  apply<T, K, subtract>(filter(0, which), to, base, taps_of(source), pitch_);
}

template <class T, int K>
void Plane<T, K>::copy_row(T* to, const T* from) const {
  for (index_t c = 0; c < pitch_; c += lanes<T>) WidePack<T>::from(from + c).to(to + c);
}

template <class T, int K>
void Plane<T, K>::split_lines(const T* x, double* sums) {
  in_blocks(
      [&](index_t r, Line& line) {
        split_row(x + r * last_.n, last_.n, last_.last, line.even, line.odd);
        extend(predict, line.even);
      },
      [&](index_t r, Line& line) {
        prefetch_row(x + (r + block) * last_.n);
        step_line<true>(predict, line.detail, line.odd, line.even);
        copy_row(value_row(2, r), line.detail);
        extend(update, line.detail);
      },
      [&](index_t r, Line& line) {
        step_line<false>(update, value_row(1, r), line.even, line.detail);
        if (!sums) return;
        square(0, value_row(1, r), line.odd);
        square(1, value_row(2, r), nullptr);
      });
}

template <class T, int K>
void Plane<T, K>::load_detail(index_t r, Line& line) {
  copy_row(line.detail, value_row(2, r));
  extend(update, line.detail);
}

template <class T, int K>
void Plane<T, K>::undo_update(index_t r, Line& line) {
  step_line<true>(update, line.even, value_row(1, r), line.detail);
  extend(predict, line.even);
}

template <class T, int K>
void Plane<T, K>::merge_lines(T* x) {
  in_blocks([&](index_t r, Line& line) { load_detail(r, line); },
            [&](index_t r, Line& line) { undo_update(r, line); },
            [&](index_t r, Line& line) {
              step_line<false>(predict, line.odd, value_row(2, r), line.even);
            },
            [&](index_t r, Line& line) {
              merge_row(line.even, line.odd, x + r * last_.n, last_.n);
            });
}

template <class T, int K>
void Plane<T, K>::bring_values(const T* x, index_t r, Line& line, bool with_odd) {
  load_detail(r, line);
  if (x) {
    split_row(x + r * last_.n, last_.n, last_.last, line.even, line.odd);
    extend(predict, line.even);
    return;
  }
  undo_update(r, line);
  if (with_odd) step_line<false>(predict, line.odd, value_row(2, r), line.even);
}

template <class T, int K>
void Plane<T, K>::pull_line(int which, const T* cotangent, const T* source, Line& line) {
  pull_row(0, which, line.hidden, cotangent, taps_of(source), pitch_);
  const T* const weights = filter(0, which).values;
  for (index_t i = 0; i < kernel_; ++i) source_[i] = line.hidden - i;
  const index_t width = whole_packs<T>(last_.half + kernel_ - 1);
  combine<T, K, Sign::alone>(line.wide, nullptr, weights, source_.data(), kernel_, width);
}

template <class T, int K>
void Plane<T, K>::fold_line(int which, T* to, const T* base, T sign, const T* wide) const {
  const T* const inside = wide + before_;
  for (index_t c = 0; c < pitch_; c += lanes<T>)
    (WidePack<T>::from(base + c) + sign * WidePack<T>::from(inside + c)).to(to + c);
  const index_t* const source = last_.reads[which].source.data();
  for_places_beyond([&](index_t q) {
    if (source[q] >= 0) to[source[q]] += sign * wide[q];
  });
  std::fill(to + last_.half, to + pitch_, T{0});
}

template <class T, int K>
void Plane<T, K>::pull_down_lines(const T* x, const double* weights, T* x_cotangent) {
  const T of_gap = weights ? static_cast<T>(2 * weights[0]) : T{0};
  const T of_detail = weights ? static_cast<T>(2 * weights[1]) : T{0};
  const auto smooth = [&](index_t r) { return cotangent_row(1, r); };
  const auto detail = [&](index_t r) { return cotangent_row(2, r); };
  in_blocks(
      [&](index_t r, Line& line) { bring_values(x, r, line, weights); },
      [&](index_t r, Line& line) {
        if (!weights) return;
        add_scaled<T>(smooth(r), of_gap, value_row(1, r), line.odd, pitch_, mask_);
        add_scaled<T>(detail(r), of_detail, value_row(2, r), nullptr, pitch_, mask_);
      },
      [&](index_t r, Line& line) { pull_line(update, smooth(r), line.detail, line); },
      [&](index_t r, Line& line) { fold_line(update, detail(r), detail(r), T{1}, line.wide); },
      [&](index_t r, Line& line) { pull_line(predict, detail(r), line.even, line); },
      [&](index_t r, Line& line) { fold_line(predict, smooth(r), smooth(r), T{-1}, line.wide); },
      [&](index_t r, Line& line) {
        if (weights) add_scaled<T>(detail(r), -of_gap, value_row(1, r), line.odd, pitch_, mask_);
        if (last_.n % 2) {
          T* const of_last = last_.last % 2 ? detail(r) : smooth(r);
          of_last[last_.last / 2] += detail(r)[last_.half - 1];
        }
        merge_row(smooth(r), detail(r), x_cotangent + r * last_.n, last_.n);
      });
}

template <class T, int K>
void Plane<T, K>::pull_up_lines(const T* x, const T* x_cotangent) {
  in_blocks(
      [&](index_t r, Line& line) { bring_values(x, r, line, false); },
      [&](index_t r, Line& line) {
        split_row(x_cotangent + r * last_.n, last_.n, last_.last, line.smooth_g, line.detail_g);
        if (last_.n % 2) line.detail_g[last_.half - 1] = T{0};  // the forward pass dropped it
      },
      [&](index_t, Line& line) { pull_line(predict, line.detail_g, line.even, line); },
      [&](index_t r, Line& line) {
        fold_line(predict, cotangent_row(1, r), line.smooth_g, T{1}, line.wide);
      },
      [&](index_t r, Line& line) {
        pull_line(update, cotangent_row(1, r), line.detail, line);
      },
      [&](index_t r, Line& line) {
        fold_line(update, cotangent_row(2, r), line.detail_g, T{-1}, line.wide);
      });
}

}  // namespace liftwave::LIFTWAVE_ISA
