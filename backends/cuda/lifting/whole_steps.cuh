// A step on the whole grid: the samples that a tap reads, and the change of a target.
#pragma once
#include "lifting/whole.cuh"

namespace liftwave {

// All places are samples: those of a tile of a signal whose ends are joined.
constexpr int mode_within = -1;

struct WholeEnds {
  index_t n;
  int mode;

  __device__ bool has(index_t i) const { return i >= 0 && i < n; }
};

// Calls body(i) for each sample of the source that a tap at `place` adds to target k.
template <class Body>
__device__ void for_source(const WholeEnds& ends, index_t place, index_t k, const Body& body) {
  const index_t i = k + place;
  index_t sample = i;
  if (ends.mode == mode_within || ends.has(i) ||
      single_row({ends.n, ends.n, ends.mode, 0}, i, sample)) {
    body(sample);
  }
}

// The same for a transposed step, in the modes whose transpose is not the opposite move. Places are
// at most n: they reach beyond each end once.
template <class Body>
__device__ void for_sources(const WholeEnds& ends, index_t place, index_t k, const Body& body) {
  const index_t n = ends.n;
  if (ends.mode == mode_constant) {  // the samples at the ends are repeated any number of times
    const index_t first = k == 0 || k < place ? 0 : k - place;
    const index_t last = k == n - 1 || k - place > n - 1 ? n - 1 : k - place;
    for (index_t i = first; i <= last; ++i) body(i);
    return;
  }
  const index_t twice = ends.mode == mode_symmetric ? 1 : 0;  // whether mirrors repeat the end
  const index_t mirrored[3] = {k, -twice - k, 2 * n - 2 + twice - k};
#pragma unroll
  for (int e = 0; e < 3; ++e) {
    const index_t i = mirrored[e] - place;
    if ((e == 0 || mirrored[e] != k) && ends.has(i)) body(i);
  }
}

// Calls add(tap, sample) for all terms of target k; read(i) is sample i of the source.
template <class R, class Read, class Add>
__device__ void for_terms(const WholeSteps<R>& steps, const WholeStep& step, const WholeEnds& ends,
                          index_t k, const Read& read, const Add& add) {
#pragma unroll 1
  for (int j = step.first; j < step.first + step.length; ++j) {
    const auto term = [&](index_t i) { add(steps.tap[j], read(i)); };
    if (step.transposed) for_sources(ends, steps.place[j], k, term);
    else for_source(ends, steps.place[j], k, term);
  }
}

// The value of target k after a step.
template <class W, class Read>
__device__ W changed(const WholeSteps<tap_t<W>>& steps, const WholeStep& step, const WholeEnds& ends,
                     index_t k, W value, const Read& read) {
  typedef tap_t<W> R;
  if constexpr (is_integer<W>) {
    typedef unsigned long long U;  // integers may wrap around
    U sum = U(1) << (step.bits - 1);
    for_terms(steps, step, ends, k, read,
              [&](R tap, W sample) { sum += U(tap) * U((long long)(sample)); });
    const U increment = U((long long)(sum) >> step.bits), before = U((long long)(value));
    return W(step.subtract ? before - increment : before + increment);
  } else {
    const R sign = step.subtract ? R(-1) : R(1);
    for_terms(steps, step, ends, k, read,
              [&](R tap, W sample) { value = multiply_add(sign * tap, sample, value); });
    return value;
  }
}

// The signal from both channels after all steps.
template <class W, class R>
__device__ W joined(R weight, W approx, W detail) {
  if constexpr (is_integer<W>) {  // the mean, rounded down
    const W gap = W((unsigned long long)(detail) - (unsigned long long)(approx));
    return W((unsigned long long)(approx) + (unsigned long long)(W(gap >> 1)));
  } else {
    return weight * (approx + detail);
  }
}

}  // namespace liftwave
