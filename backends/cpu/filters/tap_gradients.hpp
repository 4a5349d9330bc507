// Gradients of an analysis with respect to its taps:
//   G_j = sum over all lines and k of x[2 k + phase - j] y[k],
// both extended. Real and imaginary parts of complex numbers are independent numbers.
//
// Products and sums are taken in double precision, in a fixed number of lanes, over blocks that
// depend on the arrays' shapes alone: results are the same for any number of threads and on every
// instruction set.
#pragma once

#include <algorithm>

#include "filters/analysis.hpp"

namespace liftwave::LIFTWAVE_ISA {

inline constexpr int sum_lanes = 8;

// Outputs of a line, or rows, in one partial sum.
inline constexpr index_t gradient_tile = 1024;
inline constexpr index_t gradient_rows = 64;

// The most parts of the work that have partial sums.
inline constexpr index_t most_blocks = 128;

template <class T>
LIFTWAVE_INLINE void widen(const T* from, vec<double, vector_bytes>& to) {
  if constexpr (sizeof(T) == sizeof(double)) {
    to = load<T, vector_bytes>(from);
  } else {
#if defined(__GNUC__)
    const auto narrow = load<T, vector_bytes / 2>(from);
    to = __builtin_convertvector(narrow, vec<double, vector_bytes>);
#else
    double wide[width<double, vector_bytes>];
    for (int i = 0; i < width<double, vector_bytes>; ++i) wide[i] = from[i];
    to = load<double, vector_bytes>(wide);
#endif
  }
}

// Adds source[t][c] y[b][c] over c = 0 ... n - 1 to the lanes at sums + (b * length + t) * lanes.
template <class T, int Taps, int Bands>
void add_products(const T* const* source, const T* const* y, index_t n, index_t length,
                  double* sums) {
  using V = vec<double, vector_bytes>;
  constexpr int one = width<double, vector_bytes>, parts = sum_lanes / one;
  V total[Taps][Bands][parts];
  const auto lanes_of = [&](int t, int b) { return sums + (b * length + t) * sum_lanes; };
  const auto each = [&](const auto& f) LIFTWAVE_INLINE_LAMBDA {
    unrolled<Taps>([&](auto t) LIFTWAVE_INLINE_LAMBDA {
      unrolled<Bands>([&](auto b) LIFTWAVE_INLINE_LAMBDA {
        unrolled<parts>([&](auto p) LIFTWAVE_INLINE_LAMBDA { f(t, b, p); });
      });
    });
  };
  each([&](auto t, auto b, auto p) LIFTWAVE_INLINE_LAMBDA {
    total[t][b][p] = load<double, vector_bytes>(lanes_of(t, b) + p * one);
  });
  index_t c = 0;
  for (; c + sum_lanes <= n; c += sum_lanes) {
    V of_y[Bands][parts];
    unrolled<Bands>([&](auto b) LIFTWAVE_INLINE_LAMBDA {
      unrolled<parts>([&](auto p) LIFTWAVE_INLINE_LAMBDA { widen(y[b] + c + p * one, of_y[b][p]); });
    });
    unrolled<Taps>([&](auto t) LIFTWAVE_INLINE_LAMBDA {
      unrolled<parts>([&](auto p) LIFTWAVE_INLINE_LAMBDA {
        V x;
        widen(source[t] + c + p * one, x);
        unrolled<Bands>([&](auto b) LIFTWAVE_INLINE_LAMBDA {
          total[t][b][p] = total[t][b][p] + x * of_y[b][p];
        });
      });
    });
  }
  each([&](auto t, auto b, auto p) LIFTWAVE_INLINE_LAMBDA {
    store<vector_bytes>(lanes_of(t, b) + p * one, total[t][b][p]);
  });
  for (index_t rest = c; rest < n; ++rest) {
    for (int t = 0; t < Taps; ++t) {
      for (int b = 0; b < Bands; ++b) {
        lanes_of(t, b)[rest - c] += static_cast<double>(source[t][rest]) * y[b][rest];
      }
    }
  }
}

template <class T, int Bands>
void add_products_of(const T* const* source, const T* const* y, index_t n, index_t length,
                     double* sums) {
  constexpr int together = vector_bytes / 16;  // as many as fit into registers
  index_t j = 0;
  for (; j + together <= length; j += together) {
    add_products<T, together, Bands>(source + j, y, n, length, sums + j * sum_lanes);
  }
  for (; j < length; ++j) {
    add_products<T, 1, Bands>(source + j, y, n, length, sums + j * sum_lanes);
  }
}

// The sums of all taps and cotangents over one piece of the work.
template <class T>
void add_products(const T* const* source, const T* const* y, int count, index_t n, index_t length,
                  double* sums) {
  int b = 0;
  for (; b + 2 <= count; b += 2) {
    add_products_of<T, 2>(source, y + b, n, length, sums + b * length * sum_lanes);
  }
  if (b < count) add_products_of<T, 1>(source, y + b, n, length, sums + b * length * sum_lanes);
}

// Where the lines of the input and of the cotangents begin.
template <class T>
struct TapGradients {
  const FilterPlan& plan;
  int axis;
  const ArrayView<const T>* arrays;  // the input, then the cotangents
  int count;                         // of cotangents
  const Inner& inner;
  const Batch& batch;

  Line<T> line(int array, index_t item) const {
    return {batch.locate(item, arrays[array]), arrays[array].stride[axis], inner.count,
            inner.stride(arrays[array])};
  }
  index_t taps() const { return plan.length; }
  index_t first() const { return -plan.fold.left; }
  index_t outputs() const { return plan.n_out + plan.fold.left + plan.fold.right; }
};

// Along an axis: pieces of lines.
template <class T>
struct LinePieces : TapGradients<T> {
  explicit LinePieces(const TapGradients<T>& of) : TapGradients<T>(of) {
    tile = std::max<index_t>(1, gradient_tile / this->inner.count);
    tiles = (this->outputs() + tile - 1) / tile;
  }
  index_t tile, tiles;

  index_t pieces() const { return this->batch.size * tiles; }

  void add(index_t piece, double* sums) const {
    Scratch scratch;
    const FilterPlan& p = this->plan;
    const index_t item = piece / tiles, start = this->first() + piece % tiles * tile;
    const index_t stop = std::min(start + tile, this->first() + this->outputs());
    const SplitLine<T> x = split_inputs(p, this->line(0, item), start, stop, scratch);
    const T** source = scratch.take<const T*>(p.length);
    point_at_inputs(p, x, start, source);
    const T** y = scratch.take<const T*>(this->count);
    for (int b = 0; b < this->count; ++b) {
      const Line<T> line = this->line(b + 1, item);
      y[b] = whole_line(p.fold, line, start, stop, scratch) + start * line.lanes;
    }
    add_products(source, y, this->count, (stop - start) * x.lanes, p.length, sums);
  }
};

// Across an axis: some rows of some columns.
template <class T>
struct ColumnPieces : TapGradients<T> {
  explicit ColumnPieces(const TapGradients<T>& of) : TapGradients<T>(of) {
    tile = std::min(this->inner.count, gradient_tile);
    tiles = (this->inner.count + tile - 1) / tile;
    blocks = (this->outputs() + gradient_rows - 1) / gradient_rows;
  }
  index_t tile, tiles, blocks;

  index_t pieces() const { return this->batch.size * tiles * blocks; }

  void add(index_t piece, double* sums) const {
    Scratch scratch;
    const FilterPlan& p = this->plan;
    const index_t c0 = piece % tiles * tile, columns = std::min(tile, this->inner.count - c0);
    const index_t start = this->first() + piece / tiles % blocks * gradient_rows;
    const index_t stop = std::min(start + gradient_rows, this->first() + this->outputs());
    const T** source = scratch.take<const T*>(p.length);
    RowSource<T> x = rows(0, piece / tiles / blocks, c0, columns, p.extend, p.length, scratch);
    for (int b = 0; b < this->count; b += 2) {
      const int pair = std::min(2, this->count - b);
      const auto cotangent = [&](int array) {
        return rows(array, piece / tiles / blocks, c0, columns, p.fold, 1, scratch);
      };
      RowSource<T> first = cotangent(b + 1), second = cotangent(b + pair);
      for (index_t k = start; k < stop; ++k) {
        for (index_t j = 0; j < p.length; ++j) source[j] = x(2 * k + p.phase - j);
        const T* const y[2] = {first(k), second(k)};
        add_products(source, y, pair, columns, p.length, sums + b * p.length * sum_lanes);
      }
    }
  }

  RowSource<T> rows(int array, index_t item, index_t c0, index_t columns, const Extension& extend,
                    index_t reach, Scratch& scratch) const {
    const Line<T> line = this->line(array, item);
    return {line.data + c0 * line.lane_stride, line.stride, {nullptr, line.lane_stride, 1, 1},
            columns, extend, reach, scratch};
  }
};

// gradients[b * length + j]: sums of blocks, each of consecutive pieces, added in their order.
template <class T, class Pieces>
void sum_pieces(const Pieces& all, double bytes, double* gradients) {
  Scratch scratch;
  const index_t pieces = all.pieces(), blocks = std::min(pieces, most_blocks);
  const index_t numbers = all.count * all.taps();
  double* of_blocks = scratch.take<double>(blocks * numbers);
  parallel_for(blocks, bytes, [&](index_t begin, index_t end) {
    Scratch of_thread;
    double* lanes = of_thread.take<double>(numbers * sum_lanes);
    for (index_t block = begin; block < end; ++block) {
      std::fill_n(lanes, numbers * sum_lanes, 0.0);
      const index_t stop = pieces * (block + 1) / blocks;
      for (index_t piece = pieces * block / blocks; piece < stop; ++piece) all.add(piece, lanes);
      for (index_t i = 0; i < numbers; ++i) {
        double sum = 0.0;
        for (int lane = 0; lane < sum_lanes; ++lane) sum += lanes[i * sum_lanes + lane];
        of_blocks[block * numbers + i] = sum;
      }
    }
  });
  std::fill_n(gradients, numbers, 0.0);
  for (index_t block = 0; block < blocks; ++block) {
    for (index_t i = 0; i < numbers; ++i) gradients[i] += of_blocks[block * numbers + i];
  }
}

// The gradients of `count` cotangents, which follow the input in `arrays`.
template <class T>
void tap_gradients(const ArrayView<const T>* arrays, int count, const AxisPlan& axis,
                   double* gradients) {
  if (numbers_of(arrays[0]) == 0) {
    std::fill_n(gradients, count * axis.plan.length, 0.0);
    return;
  }
  Batch batch;
  const Inner inner = split_dimensions(arrays, count + 1, axis.axis, axis.axis, batch);
  double bytes = sizeof(T) * static_cast<double>(numbers_of(arrays[0]));
  // Each sample is multiplied by every second tap of all filters.
  bytes *= std::max<double>(1.0, static_cast<double>(axis.plan.length) * count / 8);
  const TapGradients<T> all{axis.plan, axis.axis, arrays, count, inner, batch};
  if (inner.count >= fewest_columns) sum_pieces<T>(ColumnPieces<T>(all), bytes, gradients);
  else sum_pieces<T>(LinePieces<T>(all), bytes, gradients);
}

}  // namespace liftwave::LIFTWAVE_ISA
