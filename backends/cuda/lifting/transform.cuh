// Lifting along one axis or two. A tile with all samples that its steps need is loaded into shared
// memory, split into even and odd samples. The steps run there, and the results are written once.
#pragma once
#include "lifting/steps.cuh"

namespace liftwave {

// Taps and scales: those of the arguments, or learned ones, copied to the start of shared memory.
template <bool Learned, class R>
struct LiftNumbers {
  const LiftArguments<R, Learned>& a;

  __device__ void gather() const {
    if constexpr (Learned) {
      R* copies = shared_memory<R>();
      const auto& given = a.steps;
      const int steps = a.axis[0].steps + a.axis[1].steps;
      for (int s = int(threadIdx.x); s < steps; s += int(blockDim.x)) {
        const int first = given.step[s].first;
        const R* place = given.place[s];
        for (int j = first; j < first + given.step[s].length; ++j) {
          copies[j] = place ? __ldg(place + (j - first)) : given.tap[j];
        }
      }
      for (int c = int(threadIdx.x); c < 4; c += int(blockDim.x)) {
        const R* place = given.scale_place[c / 2][c % 2];
        copies[a.taps + c] = place ? __ldg(place) : a.scale[c / 2][c % 2];
      }
    }
  }
  __device__ R tap(int j) const {
    if constexpr (Learned) return shared_memory<R>()[j];
    else return a.steps.tap[j];
  }
  __device__ R scale(int axis, int channel) const {
    if constexpr (Learned) return shared_memory<R>()[a.taps + 2 * axis + channel];
    else return a.scale[axis][channel];
  }
  // The offset of the tile.
  __device__ unsigned bytes() const {
    return Learned ? (unsigned(a.taps + 4) * unsigned(sizeof(R)) + 15) / 16 * 16 : 0;
  }
};

template <class W, class R>
__device__ W scaled(R factor, W value) {
  if constexpr (is_integer<W>) return factor < 0 ? W(0ull - (unsigned long long)(value)) : value;
  else return factor * value;
}

template <class T>
struct alignas(2 * sizeof(T)) Pair {
  T even, odd;
};

// Moves four numbers at a time: reads all of them before it writes the first.
template <class Get, class Put>
__device__ void move(int first, int last, int step, const Get& get, const Put& put) {
#pragma unroll 1
  for (int i = first; i < last; i += 4 * step) {
    decltype(get(0)) values[4] = {};
#pragma unroll
    for (int u = 0; u < 4; ++u) {
      if (i + u * step < last) values[u] = get(i + u * step);
    }
#pragma unroll
    for (int u = 0; u < 4; ++u) {
      if (i + u * step < last) put(i + u * step, values[u]);
    }
  }
}

// A tile of a transform. Rows are axis 0, columns axis 1; one or both are lifted.
template <class W, bool Rows, bool Columns, bool Learned>
struct LiftTile {
  typedef tap_t<W> R;
  const LiftArguments<R, Learned>& a;
  LiftNumbers<Learned, R> numbers;
  Threads threads;
  Layout<Rows, Columns> layout;
  W* memory;
  Span rows, columns;
  bool folding = true;  // whether the sample after an odd number of samples is added to the last

  __device__ explicit LiftTile(const LiftArguments<R, Learned>& arguments, unsigned offset = 0)
      : a(arguments),
        numbers{arguments},
        threads(threads_of(arguments.log_width)),
        layout{arguments.axis[1].room, arguments.axis[0].room},
        memory(shared_memory<W>(numbers.bytes() + offset)) {}

  // Selects the tile of a block; returns its batch item.
  __device__ index_t go_to(index_t block) {
    index_t tile[2];
    const index_t item = tile_of(a, block, tile);
    rows = span_of<Rows>(a.axis[0], tile[0]);
    columns = span_of<Columns>(a.axis[1], tile[1]);
    return item;
  }

  // --- the signal --------------------------------------------------------------------------------

  // Loads two neighbouring samples of a line, the first at `place`. Every pair has an even sample.
  // After an odd number of samples follows the last one again, or zero.
  template <class X>
  __device__ Pair<W> read_pair(const X* place, index_t stride, bool whole) const {
    if (whole && a.paired) {
      const Pair<X> both = *reinterpret_cast<const Pair<X>*>(place);
      return {W(widened(both.even)), W(widened(both.odd))};
    }
    const W even = W(load(place));
    if (whole) return {even, W(load(place + stride))};
    return {even, a.axis[1].repeats ? even : W{}};
  }

  template <class X>
  __device__ void load_signal(const Array& signal, index_t item) const {
    const X* base = static_cast<const X*>(signal.data) + locate(a.batch, item, signal);
    const index_t down = signal.stride[0], across = signal.stride[1];
    const SamplePlaces<Rows> row_at(a.axis[0], rows);
    const SamplePlaces<Columns> column_at(a.axis[1], columns);
    if constexpr (Rows) {
#pragma unroll 1
      for (int k = threads.x; k < columns.size; k += threads.width) {
        const index_t x = column_at(Columns ? 2 * k : k);
        const bool whole = x + 1 < a.axis[1].n;
        const X* column = base + x * across;
        const auto read = [&](int y) {
          const index_t row = row_at(y);
          if (row < 0) return Pair<W>{};
          if constexpr (Columns) return read_pair(column + row * down, across, whole);
          else return Pair<W>{W(load(column + row * down)), W{}};
        };
        move(threads.y, 2 * rows.size, threads.height, read, [&](int y, const Pair<W>& pair) {
          W* place = memory + layout.at(y & 1, y >> 1, 0, k);
          *place = pair.even;
          if constexpr (Columns) place[layout.pitch] = pair.odd;
        });
      }
    } else {
#pragma unroll 1
      for (int y = threads.y; y < rows.size; y += threads.height) {
        const X* row = base + (rows.start + y) * down;
        W* line = memory + layout.at(0, y, 0, 0);
        const auto read = [&](int k) {
          const index_t x = column_at(2 * k);
          return read_pair(row + x * across, across, x + 1 < a.axis[1].n);
        };
        move(threads.x, columns.size, threads.width, read, [&](int k, const Pair<W>& pair) {
          line[k] = pair.even;
          line[k + layout.pitch] = pair.odd;
        });
      }
    }
  }

  // The tile's number at sample y of pair k, also along columns if those are lifted. At the end of
  // an odd number of samples, it includes the sample that is folded back.
  __device__ W at_sample(int y, int channel, int k) const {
    const int pair = Rows ? y >> 1 : y;
    W sum = memory[layout.at(Rows ? y & 1 : 0, pair, channel, k)];
    if (Rows && folds(0, rows, y)) sum += memory[layout.at(1, pair, channel, k)];
    return sum;
  }
  __device__ bool folds(int k, const Span& span, int i) const {
    const LiftAxis& axis = a.axis[k];
    return folding && axis.repeats && axis.n < axis.padded && 2 * span.start + i == axis.n - 1;
  }

  template <class X>
  __device__ void store_signal(const Array& signal, index_t item) const {
    X* base = static_cast<X*>(signal.data) + locate(a.batch, item, signal);
    const int first = Rows ? 2 * rows.begin : rows.begin, last = Rows ? 2 * rows.end : rows.end;
#pragma unroll 1
    for (int y = first + threads.y; y < last; y += threads.height) {
      const index_t row = (Rows ? 2 * rows.start : rows.start) + y;
      if (row >= a.axis[0].n) break;
      X* line = base + row * signal.stride[0];
#pragma unroll 1
      for (int k = columns.begin + threads.x; k < columns.end; k += threads.width) {
        if constexpr (Columns) {
          const index_t x = 2 * (columns.start + k);
          W even = at_sample(y, 0, k);
          const W odd = at_sample(y, 1, k);
          if (folds(1, columns, 2 * k)) even += odd;
          if (a.paired && x + 1 < a.axis[1].n) {
            *reinterpret_cast<Pair<X>*>(line + x) = {narrowed<X>(even), narrowed<X>(odd)};
          } else {
            store(line + x * signal.stride[1], even);
            if (x + 1 < a.axis[1].n) store(line + (x + 1) * signal.stride[1], odd);
          }
        } else {
          store(line + (columns.start + k) * signal.stride[1], at_sample(y, 0, k));
        }
      }
    }
  }

  // --- bands -------------------------------------------------------------------------------------

  __device__ R scale(int channel_y, int channel_x) const {
    const R along_y = Rows ? numbers.scale(0, channel_y) : R(1);
    return Columns ? along_y * numbers.scale(1, channel_x) : along_y;
  }

  // Bands are multiplied by their scales, or by the reciprocals.
  template <class A, class D>
  __device__ void load_bands(const Array* bands, index_t item, bool divided = false) const {
#pragma unroll 1
    for (int b = 0; b < (Rows && Columns ? 4 : 2); ++b) {
      const int cy = Rows ? b >> (Columns ? 1 : 0) : 0, cx = Columns ? b & 1 : 0;
      if (b == 0) load_band<A>(bands[b], item, cy, cx, divided);
      else load_band<D>(bands[b], item, cy, cx, divided);
    }
  }
  template <class B>
  __device__ void load_band(const Array& band, index_t item, int cy, int cx, bool divided) const {
    const B* base = static_cast<const B*>(band.data) + locate(a.batch, item, band);
    const R factor = divided ? R(1) / scale(cy, cx) : scale(cy, cx);
    const index_t down = band.stride[0], across = band.stride[1];
    W* plane = memory + layout.at(cy, 0, cx, 0);
    const Places row_at = places_of<Rows>(a.axis[0], rows, cy);
    const Places column_at = places_of<Columns>(a.axis[1], columns, cx);
    if constexpr (Rows) {
#pragma unroll 1
      for (int x = threads.x; x < columns.length(cx); x += threads.width) {
        const B* column = base + column_at(x) * across;
        const auto read = [&](int y) {
          return scaled(factor, W(load(column + row_at(y) * down)));
        };
        move(threads.y, rows.length(cy), threads.height, read,
             [&](int y, W value) { plane[y * layout.row() + x] = value; });
      }
    } else {
#pragma unroll 1
      for (int y = threads.y; y < rows.size; y += threads.height) {
        const B* line = base + (rows.start + y) * down;
        const auto read = [&](int x) {
          return scaled(factor, W(load(line + column_at(x) * across)));
        };
        move(threads.x, columns.length(cx), threads.width, read,
             [&](int x, W value) { plane[y * layout.row() + x] = value; });
      }
    }
  }

  template <class A, class D>
  __device__ void store_bands(const Array* bands, index_t item, bool divided = false) const {
#pragma unroll 1
    for (int b = 0; b < (Rows && Columns ? 4 : 2); ++b) {
      const int cy = Rows ? b >> (Columns ? 1 : 0) : 0, cx = Columns ? b & 1 : 0;
      if (b == 0) store_band<A>(bands[b], item, cy, cx, divided);
      else store_band<D>(bands[b], item, cy, cx, divided);
    }
  }
  template <class B>
  __device__ void store_band(const Array& band, index_t item, int cy, int cx, bool divided) const {
    B* base = static_cast<B*>(band.data) + locate(a.batch, item, band);
    const R factor = divided ? R(1) / scale(cy, cx) : scale(cy, cx);
    const int bottom = rows.end < rows.length(cy) ? rows.end : rows.length(cy);
    const int right = columns.end < columns.length(cx) ? columns.end : columns.length(cx);
    const Places row_at = places_of<Rows>(a.axis[0], rows, cy);
    const Places column_at = places_of<Columns>(a.axis[1], columns, cx);
    const index_t down = band.stride[0], across = band.stride[1];
#pragma unroll 1
    for (int x = columns.begin + threads.x; x < right; x += threads.width) {
      B* column = base + column_at(x) * across;
      const W* plane = memory + layout.at(cy, 0, cx, x);
#pragma unroll 1
      for (int y = rows.begin + threads.y; y < bottom; y += threads.height) {
        store(column + row_at(y) * down, scaled(factor, plane[y * layout.row()]));
      }
    }
  }

  // --- steps -------------------------------------------------------------------------------------

  // The lines of steps along rows (down the columns) or along columns.
  __device__ Lines lines_of(int axis, int begin, int end) const {
    const int row = layout.row(), plane = layout.rows * row;
    if (axis == 0) {
      return {row,       plane,     1,         layout.pitch,  begin,     end, Columns ? 2 : 1,
              threads.y, threads.height, threads.x, threads.width};
    }
    return {1,         layout.pitch,  row,       plane,          begin, end, Rows ? 2 : 1,
            threads.x, threads.width, threads.y, threads.height};
  }

  __device__ void lift(bool columns_first) const {
#pragma unroll 1
    for (int turn = 0; turn < 2; ++turn) {
      const int axis = columns_first ? 1 - turn : turn;
      if (axis == 0 && !Rows) continue;
      if (axis == 1 && !Columns) continue;
      const Span own = chosen(axis == 0, rows, columns), other = chosen(axis == 0, columns, rows);
      const Lines lines = lines_of(axis, turn ? other.begin : 0, turn ? other.end : other.size);
      take_steps(a.axis[axis], own, a.steps.step, lines, memory,
                 [&](int j) { return numbers.tap(j); });
    }
  }
};

// From the signal to its bands: the approximation of type A, details of type D.
template <class X, class A, class D, bool Rows, bool Columns, bool Learned>
__global__ void __launch_bounds__(256, 2) lift_analysis(
    const __grid_constant__ LiftArguments<tap_t<computed_t<A>>, Learned> a) {
  LiftTile<computed_t<A>, Rows, Columns, Learned> tile(a);
  tile.numbers.gather();
  for (index_t b = blockIdx.x; b < a.blocks; b += gridDim.x) {
    const index_t item = tile.go_to(b);
    tile.template load_signal<X>(a.signal, item);
    __syncthreads();
    tile.lift(a.columns_first != 0);
    tile.template store_bands<A, D>(a.band, item);
    __syncthreads();
  }
}

// From bands to their signal.
template <class A, class D, class X, bool Rows, bool Columns, bool Learned>
__global__ void __launch_bounds__(256, 2) lift_synthesis(
    const __grid_constant__ LiftArguments<tap_t<computed_t<A>>, Learned> a) {
  LiftTile<computed_t<A>, Rows, Columns, Learned> tile(a);
  tile.numbers.gather();
  if (Learned) __syncthreads();
  for (index_t b = blockIdx.x; b < a.blocks; b += gridDim.x) {
    const index_t item = tile.go_to(b);
    tile.template load_bands<A, D>(a.band, item);
    __syncthreads();
    tile.lift(a.columns_first != 0);
    tile.template store_signal<X>(a.signal, item);
    __syncthreads();
  }
}

}  // namespace liftwave
