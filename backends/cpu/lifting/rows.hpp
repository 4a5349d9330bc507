// A tile's rows, lifted in the order of its schedule (schedule.hpp).
#pragma once

#include "lifting/steps.hpp"

namespace liftwave::LIFTWAVE_ISA {

// A row times a tap, as a term of a sum. Sums of several groups are added group by group.
template <class T, class S>
struct Term {
  const T* row;
  std::remove_cv_t<std::remove_pointer_t<decltype(Arithmetic<T, S>::taps(Step{}))>> tap;
  bool opens_group;
};

static_assert(sizeof(Term<double, double>) <= term_bytes);

template <class T, class S, int count, bool subtract>
void change_by(T* out, const T* in, const Term<T, S>* terms, int bits, index_t width) {
  using A = Arithmetic<T, S>;
  if constexpr (in_lanes16<T, S>)
    return change_in_lanes16<count, subtract>(
        out, in, 0, bits, width, [=](index_t j) { return terms[j].row; },
        [=](index_t j) { return terms[j].tap; });
  constexpr int rows = count == 1 ? 1 : 2;
  const auto a = terms[0].tap, b = terms[rows - 1].tap;
  const T *const first = terms[0].row, *const last = terms[rows - 1].row;
  // `out` may be `in`, and overlaps no other row.
  LIFTWAVE_INDEPENDENT
  for (index_t c = 0; c < width; ++c) {
    if constexpr (count == two_equal) {
      out[c] = A::template changed<subtract>(in[c], A::equal_terms(a, first[c], last[c], bits), bits);
    } else {
      auto sum = A::term(a, first[c], bits);
      if constexpr (count == 2) sum = sum + A::term(b, last[c], bits);
      out[c] = A::template changed<subtract>(in[c], sum, bits);
    }
  }
}

template <class T, class S, bool subtract>
void change_by_many(T* out, const T* in, const Term<T, S>* terms, index_t count, int bits,
                    index_t width) {
  using A = Arithmetic<T, S>;
  if constexpr (in_lanes16<T, S>)
    return change_in_lanes16<0, subtract>(
        out, in, count, bits, width, [=](index_t j) { return terms[j].row; },
        [=](index_t j) { return terms[j].tap; });
  typename A::Sum sum[strip<T>], group[strip<T>];
  for (index_t c0 = 0; c0 < width; c0 += strip<T>) {
    const index_t lanes = width - c0 < strip<T> ? width - c0 : strip<T>;
    for (index_t j = 0, of_group = 0; j < count; of_group = j) {
      auto* const to = j == 0 ? sum : group;
      for (; j < count && (j == of_group || !terms[j].opens_group); ++j) {
        const auto tap = terms[j].tap;
        const T* const row = terms[j].row + c0;
        if (j == of_group)
          for (index_t c = 0; c < lanes; ++c) to[c] = A::term(tap, row[c], bits);
        else
          for (index_t c = 0; c < lanes; ++c) to[c] += A::term(tap, row[c], bits);
      }
      if (of_group > 0)
        for (index_t c = 0; c < lanes; ++c) sum[c] += group[c];
    }
    LIFTWAVE_INDEPENDENT
    for (index_t c = 0; c < lanes; ++c)
      out[c0 + c] = A::template changed<subtract>(in[c0 + c], sum[c], bits);
  }
}

template <class T, class S>
class MovingRows {
 public:
  MovingRows(const AxisJob& axis, const TileScratch& scratch, index_t width)
      : axis_(axis), scratch_(scratch), width_(width) {}

  // The slot of row `k`.
  T* slot(int channel, index_t k) const {
    return reinterpret_cast<T*>(scratch_.plane[channel]) + place(channel, k) * scratch_.pitch;
  }
  // The address of row `k`.
  const T* at(int channel, index_t k) const {
    return reinterpret_cast<const T*>(scratch_.where[channel][place(channel, k)]);
  }
  void put(int channel, index_t k, const T* row) const {
    scratch_.where[channel][place(channel, k)] = reinterpret_cast<const char*>(row);
  }

  void apply(const Step& step, index_t k) const {
    Terms terms{reinterpret_cast<Term<T, S>*>(scratch_.terms), 0};
    if (axis_.wraps) add_wrapped(terms, step, k);
    else add_bounded(terms, step, k);
    T* const out = slot(step.target, k);
    const T* const in = at(step.target, k);
    step.subtract ? change<true>(out, in, terms, step.bits)
                  : change<false>(out, in, terms, step.bits);
    put(step.target, k, out);
  }

 private:
  struct Terms {
    Term<T, S>* data;
    index_t count;
  };

  index_t place(int channel, index_t k) const { return k & (axis_.slots[channel] - 1); }

  // Adds the taps `range` for the sources of position `p`, as a group.
  void add(Terms& terms, const Step& step, index_t p, Range range, bool wraps) const {
    const auto* const taps = Arithmetic<T, S>::taps(step);
    for (index_t j = range.begin; j < range.end; ++j) {
      const index_t i = p + step.offset + j;
      const index_t sample = wraps ? i : step.extend.at(i, step.n_source);
      const T* const row = !wraps && sample < 0 ? reinterpret_cast<const T*>(scratch_.zeros)
                                                : at(1 - step.target, sample);
      terms.data[terms.count++] = {row, taps[j], j == range.begin};
    }
  }

  void add_bounded(Terms& terms, const Step& step, index_t k) const {
    const Range all{0, step.length};
    if (step.inside.contains(k)) return add(terms, step, k, all, true);
    add(terms, step, k, all, false);
    const auto fold = [&](index_t p) {
      if (step.fold.at(p, step.n_target) == k) add(terms, step, p, all, false);
    };
    for (index_t p = -step.fold.n_left; p < 0; ++p) fold(p);
    for (index_t i = 0; i < step.fold.n_right; ++i) fold(step.n_target + i);
  }

  // In the adjoint of a periodic step, the part beyond the seam is summed separately.
  void add_wrapped(Terms& terms, const Step& step, index_t k) const {
    Range rest{0, step.length};
    if (step.folds())
      for (const index_t seam : {index_t{0}, step.n_source}) {
        const index_t split = seam - (k + step.offset);
        if (split <= rest.begin || split >= rest.end) continue;
        add(terms, step, k, {rest.begin, split}, true);
        rest.begin = split;
      }
    add(terms, step, k, rest, true);
  }

  template <bool subtract>
  void change(T* out, const T* in, Terms terms, int bits) const {
    if constexpr (Arithmetic<T, S>::distributes)
      if (terms.count == 2 && terms.data[0].tap == terms.data[1].tap)
        return change_by<T, S, two_equal, subtract>(out, in, terms.data, bits, width_);
    if (terms.count == 1)
      change_by<T, S, 1, subtract>(out, in, terms.data, bits, width_);
    else if (terms.count == 2)  // grouping does not change this sum
      change_by<T, S, 2, subtract>(out, in, terms.data, bits, width_);
    else
      change_by_many<T, S, subtract>(out, in, terms.data, terms.count, bits, width_);
  }

  const AxisJob& axis_;
  const TileScratch& scratch_;
  index_t width_;
};

}  // namespace liftwave::LIFTWAVE_ISA
