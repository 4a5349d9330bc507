// Sinks of filter banks: they store vectors of both results from output c on (`put`), those of the first
// filter alone (`put_first`), or one number of each (`put_one`). Vectors may start at `place(c)`, the
// last possible position up to c.
#pragma once

#include "common/simd.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Two contiguous rows.
template <class T>
struct Rows {
  T* first;
  T* second;

  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      store<Bytes>(first + c + v * width<T, Bytes>, a[v]);
      store<Bytes>(second + c + v * width<T, Bytes>, b[v]);
    });
  }
  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put_first(index_t c, const vec<T, Bytes>* a) const {
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      store<Bytes>(first + c + v * width<T, Bytes>, a[v]);
    });
  }
  void put_one(index_t c, T a, T b) const {
    first[c] = a;
    second[c] = b;
  }
  void advance(index_t step) {
    first += step;
    second += step;
  }
  static constexpr int vectors = 1;
  static index_t place(index_t c) { return c; }
};

// The same with non-temporal stores; both rows are aligned to vectors.
template <class T>
struct StreamedRows : Rows<T> {
  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      stream<Bytes>(this->first + c + v * width<T, Bytes>, a[v]);
      stream<Bytes>(this->second + c + v * width<T, Bytes>, b[v]);
    });
  }
  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put_first(index_t c, const vec<T, Bytes>* a) const {
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      stream<Bytes>(this->first + c + v * width<T, Bytes>, a[v]);
    });
  }
};

// Two rows of a result.
template <class T>
struct OutputRows : Rows<T> {
  bool past_caches;  // whether it is too large for the caches
};

// Two rows, each split into even and odd samples.
template <class T, int Lanes>
struct SplitRows {
  T* first_even;
  T* first_odd;
  T* second_even;
  T* second_odd;

  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    unrolled<Vectors / 2>([&](auto pair) LIFTWAVE_INLINE_LAMBDA {
      const index_t to = c / 2 + pair * width<T, Bytes>;
      put_split<Bytes>(first_even + to, first_odd + to, a[2 * pair], a[2 * pair + 1]);
      put_split<Bytes>(second_even + to, second_odd + to, b[2 * pair], b[2 * pair + 1]);
    });
  }
  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put_first(index_t c, const vec<T, Bytes>* a) const {
    unrolled<Vectors / 2>([&](auto pair) LIFTWAVE_INLINE_LAMBDA {
      const index_t to = c / 2 + pair * width<T, Bytes>;
      put_split<Bytes>(first_even + to, first_odd + to, a[2 * pair], a[2 * pair + 1]);
    });
  }
  void put_one(index_t c, T a, T b) const {
    const index_t sample = c / Lanes, to = sample / 2 * Lanes + c % Lanes;
    (sample % 2 ? first_odd : first_even)[to] = a;
    (sample % 2 ? second_odd : second_even)[to] = b;
  }
  void advance(index_t step) {
    for (T** part : {&first_even, &first_odd, &second_even, &second_odd}) *part += step;
  }
  static constexpr int vectors = 2;  // the fewest vectors of one put
  static index_t place(index_t c) { return c - c % (2 * Lanes); }

 private:
  template <int Bytes>
  LIFTWAVE_INLINE static void put_split(T* to_even, T* to_odd, const vec<T, Bytes>& a, const vec<T, Bytes>& b) {
    vec<T, Bytes> even, odd;
    split<T, Bytes, Lanes>(a, b, even, odd);
    store<Bytes>(to_even, even);
    store<Bytes>(to_odd, odd);
  }
};

// The first row split into even and odd samples, the second one contiguous, with non-temporal stores if
// `Streamed` and then aligned to vectors.
template <class T, int Lanes, bool Streamed>
struct FirstSplit {
  T* even;
  T* odd;
  T* second;

  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    put_first<Bytes, Vectors>(c, a);
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      T* to = second + c + v * width<T, Bytes>;
      if constexpr (Streamed) stream<Bytes>(to, b[v]);
      else store<Bytes>(to, b[v]);
    });
  }
  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put_first(index_t c, const vec<T, Bytes>* a) const {
    unrolled<Vectors / 2>([&](auto pair) LIFTWAVE_INLINE_LAMBDA {
      vec<T, Bytes> evens, odds;
      split<T, Bytes, Lanes>(a[2 * pair], a[2 * pair + 1], evens, odds);
      store<Bytes>(even + c / 2 + pair * width<T, Bytes>, evens);
      store<Bytes>(odd + c / 2 + pair * width<T, Bytes>, odds);
    });
  }
  void put_one(index_t c, T a, T b) const {
    const index_t sample = c / Lanes;
    (sample % 2 ? odd : even)[sample / 2 * Lanes + c % Lanes] = a;
    second[c] = b;
  }
  void advance(index_t step) {
    for (T** part : {&even, &odd, &second}) *part += step;
  }
  static constexpr int vectors = 2;
  static index_t place(index_t c) { return c - c % (2 * Lanes); }
};

// One row whose even samples are the first results and whose odd samples are the second.
template <class T, int Lanes>
struct MergedRow {
  T* row;

  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      vec<T, Bytes> low, high;
      merge<T, Bytes, Lanes>(a[v], b[v], low, high);
      T* to = row + 2 * (c + v * width<T, Bytes>);
      store<Bytes>(to, low);
      store<Bytes>(to + width<T, Bytes>, high);
    });
  }
  void put_one(index_t c, T a, T b) const {
    T* to = row + c / Lanes * 2 * Lanes + c % Lanes;
    to[0] = a;
    to[Lanes] = b;
  }
  static constexpr int vectors = 1;
  static index_t place(index_t c) { return c; }
};

// The same with non-temporal stores; the row is aligned to vectors.
template <class T, int Lanes>
struct StreamedMergedRow : MergedRow<T, Lanes> {
  template <int Bytes, int Vectors>
  LIFTWAVE_INLINE void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    unrolled<Vectors>([&](auto v) LIFTWAVE_INLINE_LAMBDA {
      vec<T, Bytes> low, high;
      merge<T, Bytes, Lanes>(a[v], b[v], low, high);
      T* to = this->row + 2 * (c + v * width<T, Bytes>);
      stream<Bytes>(to, low);
      stream<Bytes>(to + width<T, Bytes>, high);
    });
  }
};

// The same for any number of numbers per sample.
template <class T>
struct MergedSamples {
  T* row;
  index_t lanes;

  template <int Bytes, int Vectors>
  void put(index_t c, const vec<T, Bytes>* a, const vec<T, Bytes>* b) const {
    for (int v = 0; v < Vectors; ++v) {
      for (int i = 0; i < width<T, Bytes>; ++i) put_one(c + v * width<T, Bytes> + i, a[v][i], b[v][i]);
    }
  }
  void put_one(index_t c, T a, T b) const {
    T* to = row + c / lanes * 2 * lanes + c % lanes;
    to[0] = a;
    to[lanes] = b;
  }
  static constexpr int vectors = 1;
  static index_t place(index_t c) { return c; }
};

}  // namespace liftwave::LIFTWAVE_ISA
