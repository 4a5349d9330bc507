// Tiles of windows: samples at the same place of neighbouring windows are contiguous, so that each
// operation processes one window per lane of a register.
//
// Windows without a sample at some places are swept separately, grouped by their places. So all
// windows of a tile have the same places, and no mask is needed.
#pragma once

#include <algorithm>

#include "common/parallel.hpp"
#include "common/vector_math.hpp"
#include "pooling/windows.hpp"

namespace liftwave::LIFTWAVE_ISA {

// An array that a sweep reads or writes: one number per sample, or one per window.
struct Operand {
  const index_t* stride;  // planes first, then the spatial axes; null if absent
  index_t planes;         // period of the array in planes
  bool per_sample;
};

inline constexpr int most_operands = 6;

// Neighbouring windows along the last axis.
struct Piece {
  index_t at[most_operands];  // of the first window: its place 0, or the window itself
  index_t lane, count;
  index_t sample_row;  // along the first axis, of place 0
  index_t window_row;
};

struct Tile {
  index_t places;  // in each window
  index_t lanes;   // numbers at each place, a multiple of every register's lanes
  index_t stride;  // between two places
  const Piece* pieces;
  index_t count;
  const index_t* const* place_at;  // by operand, from place 0
  const index_t* place_row;        // along the first axis
  index_t run;                     // consecutive places along the last axis
  const index_t* step;             // by operand, from window to window along the last axis
};

// The end of the places from `begin` on at equal distances. If windows are single samples along the
// last axis, these are a row of the axis before. Rows are read and written for all windows of a tile
// before the next row, so that memory is accessed in order.
inline index_t end_of_row(const index_t* place_at, index_t begin, index_t places) {
  index_t end = begin + 1;
  while (end < places && place_at[end] - place_at[end - 1] == place_at[1] - place_at[0]) ++end;
  return end;
}

// --- reading -----------------------------------------------------------------------------------

#if defined(__GNUC__)

// From 2 or 3 vectors of numbers, every second or third number from the first on. Nothing is read
// behind the last one needed.
template <class T, int Step, std::size_t... I>
LIFTWAVE_INLINE Pack<T> every(const T* from, std::index_sequence<I...>) {
  constexpr int n = static_cast<int>(sizeof...(I));
  if constexpr (Step == 1) {
    return get(from);
  } else if constexpr (Step == 2) {
    const Pack<T> a = get(from), b = get(from + n - 1);
    return __builtin_shufflevector(
        a, b, (static_cast<int>(I) < n / 2 ? 2 * static_cast<int>(I) : 2 * static_cast<int>(I) + 1)...);
  } else {
    const Pack<T> a = get(from), b = get(from + n), c = get(from + 2 * n - 2);
    const Pack<T> ab =
        __builtin_shufflevector(a, b, (3 * static_cast<int>(I) < 2 * n ? 3 * static_cast<int>(I) : 0)...);
    return __builtin_shufflevector(
        ab, c,
        (3 * static_cast<int>(I) < 2 * n ? static_cast<int>(I) : 3 * static_cast<int>(I) - n + 2)...);
  }
}

// Every `Step`-th number of `Step` vectors, beginning with number `Part`.
template <class T, int Step, int Part, std::size_t... I>
LIFTWAVE_INLINE Pack<T> one_of_turns(const Pack<T>* v, std::index_sequence<I...>) {
  constexpr int n = static_cast<int>(sizeof...(I));
  if constexpr (Step == 1) return v[0];
  const Pack<T> ab = __builtin_shufflevector(
      v[0], v[1 % Step],
      (Step * static_cast<int>(I) + Part < 2 * n ? Step * static_cast<int>(I) + Part : 0)...);
  if constexpr (Step < 3) return ab;
  return __builtin_shufflevector(ab, v[Step - 1],
                                 (Step * static_cast<int>(I) + Part < 2 * n
                                      ? static_cast<int>(I)
                                      : Step * static_cast<int>(I) + Part - n)...);
}

// Part `Part` of the interleaved numbers of `Step` vectors.
template <class T, int Step, int Part, std::size_t... I>
LIFTWAVE_INLINE Pack<T> in_turn(const Pack<T>* v, std::index_sequence<I...>) {
  constexpr int n = static_cast<int>(sizeof...(I));
  if constexpr (Step == 1) {
    return v[0];
  } else {
    constexpr int first = Part * n;
    const Pack<T> ab = __builtin_shufflevector(
        v[0], v[1],
        ((first + static_cast<int>(I)) % Step == 2
             ? 0
             : (first + static_cast<int>(I)) % Step * n + (first + static_cast<int>(I)) / Step)...);
    if constexpr (Step == 2) return ab;
    return __builtin_shufflevector(ab, v[Step - 1],
                                   ((first + static_cast<int>(I)) % Step == 2
                                        ? n + (first + static_cast<int>(I)) / Step
                                        : static_cast<int>(I))...);
  }
}

#else

template <class T, int Step, std::size_t... I>
T every(const T* from, std::index_sequence<I...>) {
  return *from;
}

template <class T, int Step, int Part, std::size_t... I>
T one_of_turns(const T* v, std::index_sequence<I...>) {
  return v[Part];
}

template <class T, int Step, int Part, std::size_t... I>
T in_turn(const T* v, std::index_sequence<I...>) {
  return v[Part];
}

#endif

template <class T>
using Lanes = std::make_index_sequence<static_cast<std::size_t>(lanes_of<T>)>;

template <class T, int Step>
LIFTWAVE_INLINE void copy_every(const T* from, index_t count, T* to) {
  constexpr index_t n = lanes_of<T>;
  if (count < n) {
    for (index_t i = 0; i < count; ++i) to[i] = from[i * Step];
    return;
  }
  for (index_t i = 0; i < count; i += n) {  // the last vector overlaps the one before
    const index_t k = std::min(i, count - n);
    put<T>(to + k, every<T, Step>(from + k * Step, Lanes<T>{}));
  }
}

template <class T>
LIFTWAVE_INLINE void copy_strided(const T* from, index_t step, index_t count, T* to) {
  if (step == 0) return void(std::fill_n(to, count, *from));
  if (step == 1) return void(std::copy_n(from, count, to));
  for (index_t i = 0; i < count; ++i) to[i] = from[i * step];
}

// For s < Step: to[s * stride + i] = from[i * Step + s].
template <class T, int Step>
LIFTWAVE_INLINE void take_in_turn(const T* from, index_t count, T* to, index_t stride) {
  constexpr index_t n = lanes_of<T>;
  if (count < n) {
    for (index_t i = 0; i < count * Step; ++i) to[i % Step * stride + i / Step] = from[i];
    return;
  }
  for (index_t i = 0; i < count; i += n) {  // the last vectors overlap those before
    const index_t k = std::min(i, count - n);
    Pack<T> v[Step];
    for (int s = 0; s < Step; ++s) v[s] = get(from + k * Step + s * n);
    unrolled<Step>([&](auto part) LIFTWAVE_INLINE_LAMBDA {
      put<T>(to + part * stride + k, one_of_turns<T, Step, part>(v, Lanes<T>{}));
    });
  }
}

// Gathers the samples of all windows of a tile. Those at the same place are contiguous.
template <class T>
class Gather {
 public:
  Gather(const Tile& tile, int operand, const T* data, T* to)
      : tile_(tile), place_at_(tile.place_at[operand]), step_(tile.step[operand]),
        operand_(operand), data_(data), to_(to) {}

  void run() const {
    if (step_ == 1 && tile_.run == 1) return run_by_rows();
    for (index_t p = 0; p < tile_.count; ++p) {
      const Piece& piece = tile_.pieces[p];
      for (index_t k = 0; k < tile_.places; k += tile_.run) {
        if (step_ == 1) by<1>(piece, k);
        else if (step_ == 2) by<2>(piece, k);
        else if (step_ == 3) by<3>(piece, k);
        else for (index_t j = k; j < k + tile_.run; ++j) {
          copy_strided(place(piece, j), step_, piece.count, numbers(piece, j));
        }
      }
    }
  }

 private:
  const T* place(const Piece& piece, index_t k) const {
    return data_ + piece.at[operand_] + place_at_[k];
  }
  T* numbers(const Piece& piece, index_t k) const { return to_ + k * tile_.stride + piece.lane; }

  void run_by_rows() const {
    index_t stop = 0;
    for (index_t begin = 0; begin < tile_.places; begin = stop) {
      stop = end_of_row(place_at_, begin, tile_.places);
      for (index_t p = 0; p < tile_.count; ++p) {
        for (index_t k = begin; k < stop; ++k) {
          copy_every<T, 1>(place(tile_.pieces[p], k), tile_.pieces[p].count, numbers(tile_.pieces[p], k));
        }
      }
    }
  }

  // Consecutive places along the last axis; as many as fill the step are read at once.
  template <int Step>
  void by(const Piece& piece, index_t k) const {
    const index_t stop = k + tile_.run;
    const bool dense = Step > 1 && tile_.run > 1 && place_at_[k + 1] - place_at_[k] == 1;
    for (; dense && k + Step <= stop; k += Step) {
      take_in_turn<T, Step>(place(piece, k), piece.count, numbers(piece, k), tile_.stride);
    }
    for (; k < stop; ++k) copy_every<T, Step>(place(piece, k), piece.count, numbers(piece, k));
  }

  const Tile& tile_;
  const index_t* place_at_;
  index_t step_;
  int operand_;
  const T* data_;
  T* to_;
};

template <class T>
void gather_samples(const Tile& tile, int operand, const T* data, T* to) {
  Gather<T>(tile, operand, data, to).run();
}

// One number for each window.
template <class T>
void gather_windows(const Tile& tile, int operand, const T* data, T* to) {
  for (index_t p = 0; p < tile.count; ++p) {
    const Piece& piece = tile.pieces[p];
    copy_strided(data + piece.at[operand], tile.step[operand], piece.count, to + piece.lane);
  }
}

// --- writing -----------------------------------------------------------------------------------

// The rows along the first axis that a part of the work writes to.
struct Rows {
  index_t begin, end;
  bool has(index_t row) const { return begin <= row && row < end; }
};

// Writes to a contiguous array, but only windows whose rows belong to the part.
template <class T>
void scatter_windows(const Tile& tile, int operand, const T* from, T* data, Rows rows, bool line) {
  for (index_t p = 0; p < tile.count; ++p) {
    const Piece& piece = tile.pieces[p];
    if (!line && !rows.has(piece.window_row)) continue;
    index_t begin = 0, end = piece.count;
    if (line) {
      begin = std::max<index_t>(rows.begin - piece.window_row, 0);
      end = std::min(rows.end - piece.window_row, piece.count);
    }
    T* to = data + piece.at[operand];
    for (index_t i = begin; i < end; ++i) to[i] = from[piece.lane + i];
  }
}

// to[i * Step + s] = (or +=) from[s * stride + i], for s < Step.
template <class T, int Step, bool Add>
LIFTWAVE_INLINE void put_in_turn(const T* from, index_t stride, index_t count, T* to) {
  constexpr index_t n = lanes_of<T>;
  const auto vectors = [&](index_t i) {
    Pack<T> v[Step];
    for (int s = 0; s < Step; ++s) v[s] = get(from + s * stride + i);
    unrolled<Step>([&](auto part) LIFTWAVE_INLINE_LAMBDA {
      T* place = to + i * Step + part * n;
      const Pack<T> mixed = in_turn<T, Step, part>(v, Lanes<T>{});
      put<T>(place, Add ? get(place) + mixed : mixed);
    });
  };
  index_t i = 0;
  for (; i + n <= count; i += n) vectors(i);
  if (!Add && count >= n) {
    if (i < count) vectors(count - n);  // writes some numbers twice
    return;
  }
  for (; i < count; ++i) {
    for (int s = 0; s < Step; ++s) {
      T& place = to[i * Step + s];
      place = Add ? place + from[s * stride + i] : from[s * stride + i];
    }
  }
}

// Adds numbers at all places of a tile's windows to a contiguous array (writes them if windows do
// not overlap), only in the rows of the part.
template <class T, bool Add>
class Scatter {
 public:
  Scatter(const Tile& tile, int operand, const T* from, T* data, Rows rows, bool line)
      : tile_(tile), place_at_(tile.place_at[operand]), step_(tile.step[operand]),
        operand_(operand), from_(from), data_(data), rows_(rows), line_(line) {}

  void run() const {
    // Sums keep the order of the windows.
    if (!Add && step_ == 1 && tile_.run == 1 && !line_) return run_by_rows();
    for (index_t p = 0; p < tile_.count; ++p) {
      const Piece& piece = tile_.pieces[p];
      for (index_t k = 0; k < tile_.places; k += tile_.run) {
        if (line_) along(piece, k);
        else if (rows_.has(piece.sample_row + tile_.place_row[k])) run_of(piece, k);
      }
    }
  }

 private:
  T* place(const Piece& piece, index_t k) const {
    return data_ + piece.at[operand_] + place_at_[k];
  }
  const T* numbers(const Piece& piece, index_t k) const {
    return from_ + k * tile_.stride + piece.lane;
  }

  void run_by_rows() const {
    index_t stop = 0;
    for (index_t begin = 0; begin < tile_.places; begin = stop) {
      stop = end_of_row(place_at_, begin, tile_.places);
      for (index_t p = 0; p < tile_.count; ++p) {
        const Piece& piece = tile_.pieces[p];
        for (index_t k = begin; k < stop; ++k) {
          if (rows_.has(piece.sample_row + tile_.place_row[k])) together<1>(piece, k, k + 1);
        }
      }
    }
  }

  // Consecutive places along the last axis; as many as fill the step are written at once.
  void run_of(const Piece& piece, index_t k) const {
    const index_t stop = k + tile_.run;
    if (step_ == 1) k = together<1>(piece, k, stop);
    if (step_ == 2) k = together<2>(piece, k, stop);
    if (step_ == 3) k = together<3>(piece, k, stop);
    for (; k < stop; ++k) one(piece, k, 0, piece.count);
  }

  template <int Step>
  index_t together(const Piece& piece, index_t k, index_t stop) const {
    for (; k + Step <= stop; k += Step) {
      if (Step > 1 && place_at_[k + 1] - place_at_[k] != 1) break;  // dilated
      put_in_turn<T, Step, Add>(numbers(piece, k), tile_.stride, piece.count, place(piece, k));
    }
    return k;
  }

  void one(const Piece& piece, index_t k, index_t begin, index_t end) const {
    const T* from = numbers(piece, k);
    T* to = place(piece, k);
    for (index_t i = begin; i < end; ++i) {
      to[i * step_] = Add ? to[i * step_] + from[i] : from[i];
    }
  }

  // The only axis is the first and the last one: some of the neighbouring windows belong to the
  // part.
  void along(const Piece& piece, index_t k) const {
    const index_t first = piece.sample_row + tile_.place_row[k];
    const index_t last = piece.sample_row + tile_.place_row[k + tile_.run - 1] +
                         (piece.count - 1) * step_;
    if (rows_.has(first) && rows_.has(last)) return run_of(piece, k);
    for (index_t j = k; j < k + tile_.run; ++j) {
      const index_t at = piece.sample_row + tile_.place_row[j];
      const auto before = [&](index_t row) {  // windows with the place before that row
        return row <= at ? 0 : std::min((row - at + step_ - 1) / step_, piece.count);
      };
      one(piece, j, before(rows_.begin), before(rows_.end));
    }
  }

  const Tile& tile_;
  const index_t* place_at_;
  index_t step_;
  int operand_;
  const T* from_;
  T* data_;
  Rows rows_;
  bool line_;
};

}  // namespace liftwave::LIFTWAVE_ISA
