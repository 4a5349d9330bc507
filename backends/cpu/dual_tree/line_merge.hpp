// Lines of the dual tree are rebuilt from the outputs of both halves.
#pragma once

#include "dual_tree/lines.hpp"

namespace liftwave::LIFTWAVE_ISA {

// From the complex numbers of two planes to samples a b / c d.
template <class T>
LIFTWAVE_INLINE void real_rows(const T* rising, const T* falling, index_t n, T* a, T* b, T* c, T* d) {
  constexpr T scale = static_cast<T>(0.70710678118654752440L);
  constexpr int w = width<T, vector_bytes>;
  using V = vec<T, vector_bytes>;
  index_t i = 0;
  for (; i + w <= n; i += w) {
    V sums[2], differences[2], samples[4];
    for (int v = 0; v < 2; ++v) {
      const V x = load<T, vector_bytes>(rising + 2 * i + v * w), y = load<T, vector_bytes>(falling + 2 * i + v * w);
      sums[v] = scale * (x + y);
      differences[v] = scale * (x - y);
    }
    split<T, vector_bytes, 1>(sums[0], sums[1], samples[0], samples[1]);
    split<T, vector_bytes, 1>(differences[0], differences[1], samples[2], samples[3]);
    store<vector_bytes>(a + i, samples[0]);
    store<vector_bytes>(b + i, samples[1]);
    store<vector_bytes>(c + i, samples[3]);
    store<vector_bytes>(d + i, T(-1) * samples[2]);
  }
  for (; i < n; ++i) {
    a[i] = (rising[2 * i] + falling[2 * i]) * scale;
    d[i] = (falling[2 * i] - rising[2 * i]) * scale;
    b[i] = (rising[2 * i + 1] + falling[2 * i + 1]) * scale;
    c[i] = (rising[2 * i + 1] - falling[2 * i + 1]) * scale;
  }
}

// Rebuilds lines from the outputs of both halves. Samples i and i + stride / 2 of each stride have
// taps for the same outputs, so they are computed together.
template <class T>
class LineMerge {
 public:
  explicit LineMerge(const DualTreeAxis& axis) : axis_(axis) {
    const index_t s = axis.stride, before = static_cast<index_t>(axis.before.size());
    const index_t after = static_cast<index_t>(axis.after.size());
    first_ = -((before + s - 1) / s) * s;
    per_phase_ = (axis.n + after - first_ + s - 1) / s;
    for (index_t g = 0; g < s / 2; ++g) for (int half = 0; half < 2; ++half) add_terms(g, half);
    index_t least = 0, most = 0;
    for (const Group& group : groups_) {
      for (int t = 0; t < group.count; ++t) {
        least = std::min(least, group.terms[t].distance);
        most = std::max(most, group.terms[t].distance);
      }
    }
    margin_ = aligned(-least);
    size_ = margin_ + std::max(axis.count, per_phase_ + most) + line_slack;
    start_ = aligned(-first_);
    length_ = aligned(start_ + first_ + per_phase_ * s + line_slack);
  }

  // Memory for outputs, with zeros around them.
  T* outputs(Scratch& scratch) const {
    T* const memory = scratch.take<T>(size_);
    std::fill_n(memory, size_, T{});
    return memory + margin_;
  }

  // The length of the memory of a line, and the place of its sample 0.
  index_t length() const { return length_; }
  index_t start() const { return start_; }

  // `rows`: outputs by filter and parity; `line`: its sample 0, with the other memory of a line.
  void run(T* const (&rows)[2][2], T* line) const {
    T* const to = line + first_;
    if (axis_.stride == 2) run_as<2>(rows, to);
    else run_as<4>(rows, to);
    for (index_t i = -static_cast<index_t>(axis_.before.size()); i < 0; ++i) fold(i, line);
    for (index_t i = 0; i < static_cast<index_t>(axis_.after.size()); ++i) fold(axis_.n + i, line);
  }

 private:
  static constexpr int w = width<T, vector_bytes>;

  // The taps of both samples for one output.
  struct Term {
    index_t distance;
    int parity[2];
    T low[2], high[2];
  };
  struct Group {
    int count = 0;
    Term terms[max_dual_tree_taps + 4];
  };

  static index_t aligned(index_t numbers) { return (numbers + w - 1) / w * w; }

  // Adds the terms of samples g and g + stride / 2 for outputs of a half, in the order of taps.
  void add_terms(index_t g, int half) {
    const index_t s = axis_.stride;
    const DualTreeHalf& outputs = axis_.halves[half];
    Group& group = groups_[g];
    const int before = group.count;
    for (std::size_t j = 0; j < outputs.low.size(); ++j) {
      const index_t place = outputs.phase - axis_.dilation * static_cast<index_t>(j);
      for (index_t i = 0; i < 2; ++i) {
        const index_t distance = first_ + g + i * (s / 2) - place;
        if (distance % s) continue;
        Term& term = at_distance(group, before, distance / s);
        std::copy_n(outputs.parity, 2, term.parity);
        term.low[i] = static_cast<T>(outputs.low[j]);
        term.high[i] = static_cast<T>(outputs.high[j]);
      }
    }
  }

  static Term& at_distance(Group& group, int before, index_t distance) {
    if (group.count == before || group.terms[group.count - 1].distance != distance) {
      group.terms[group.count++] = {distance, {}, {}, {}};
    }
    return group.terms[group.count - 1];
  }

  template <int Stride>
  void run_as(T* const (&rows)[2][2], T* to) const {
    const T* sources[2][2][max_dual_tree_taps + 4];  // by group and filter
    for (int g = 0; g < Stride / 2; ++g) {
      for (int t = 0; t < groups_[g].count; ++t) {
        const Term& term = groups_[g].terms[t];
        for (int f = 0; f < 2; ++f) sources[g][f][t] = rows[f][term.parity[f]] + term.distance;
      }
    }
    constexpr int vectors = vector_bytes == 64 ? 2 : 1;
    index_t q = 0;
    for (; q + vectors * w <= per_phase_; q += vectors * w) block<Stride, vectors>(sources, q, to);
    for (; q < per_phase_; q += w) block<Stride, 1>(sources, q, to);
  }

  template <int Stride, int Vectors>
  LIFTWAVE_INLINE void block(const T* const (&sources)[2][2][max_dual_tree_taps + 4], index_t q, T* to) const {
    using V = vec<T, vector_bytes>;
    V sums[Stride][Vectors];
    unrolled<Stride / 2>([&](auto g) LIFTWAVE_INLINE_LAMBDA {
      const Group& group = groups_[g];
      unrolled<2 * Vectors>([&](auto i) LIFTWAVE_INLINE_LAMBDA { sums[g + i / Vectors * (Stride / 2)][i % Vectors] = V{}; });
      for (int t = 0; t < group.count; ++t) {
        const Term& term = group.terms[t];
        unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
          const V x = load<T, vector_bytes>(sources[g][0][t] + q + v * w);
          const V y = load<T, vector_bytes>(sources[g][1][t] + q + v * w);
          unrolled<2>([&](auto i) LIFTWAVE_INLINE_LAMBDA {
            V& sum = sums[g + i * (Stride / 2)][v];
            sum = sum + term.low[i] * x;
            sum = sum + term.high[i] * y;
          });
        });
      }
    });
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      V phases[Stride];
      unrolled<Stride>([&](auto p) LIFTWAVE_INLINE_LAMBDA { phases[p] = sums[p][v]; });
      put_phases<Stride>(phases, to + (q + v * w) * Stride);
    });
  }

  // The reverse of to_phases.
  template <int Stride>
  LIFTWAVE_INLINE void put_phases(const vec<T, vector_bytes>* phases, T* to) const {
    vec<T, vector_bytes> line[Stride];
    if constexpr (Stride == 2) {
      merge<T, vector_bytes, 1>(phases[0], phases[1], line[0], line[1]);
    } else {
      vec<T, vector_bytes> even[2], odd[2];
      merge<T, vector_bytes, 1>(phases[0], phases[2], even[0], even[1]);
      merge<T, vector_bytes, 1>(phases[1], phases[3], odd[0], odd[1]);
      for (int i = 0; i < 2; ++i) merge<T, vector_bytes, 1>(even[i], odd[i], line[2 * i], line[2 * i + 1]);
    }
    for (int v = 0; v < Stride; ++v) store<vector_bytes>(to + v * w, line[v]);
  }

  void fold(index_t i, T* line) const {
    const index_t sample = axis_.sample(i);
    if (sample >= 0) line[sample] += line[i];
  }

  const DualTreeAxis& axis_;
  Group groups_[2];
  index_t first_, per_phase_, margin_, size_, start_, length_;
};

}  // namespace liftwave::LIFTWAVE_ISA
