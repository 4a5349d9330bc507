// Steps of lifting pooling along one axis of a tile, and their gradients.
//
// Lanes of a warp process different lines. Each thread computes several consecutive results of one
// line. The samples that the filter reads for them are in registers, read once.
#pragma once
#include "lift_pool/tile.cuh"

namespace liftwave {

// A predictor or an updater: K weights (0: `kernel` of them), bias, gain, offset.
template <class C, int K>
struct ReluFilter {
  const C* place;
  int kernel, which;
  C bias, gain, offset;
  C weight[K ? K : 1];

  __device__ ReluFilter(const LiftPoolJob& job, index_t channel, int pass, int which_)
      : kernel(K ? K : job.kernel), which(which_) {
    place = static_cast<const C*>(job.filters) +
            ((2 * index_t(job.filter[pass]) + which) * job.channels + channel) * (kernel + 3);
    if constexpr (K > 0) {
#pragma unroll
      for (int i = 0; i < K; ++i) weight[i] = __ldg(place + i);
    }
    bias = __ldg(place + kernel);
    gain = __ldg(place + kernel + 1);
    offset = __ldg(place + kernel + 2);
  }

  __device__ int before() const { return (kernel - 1) / 2; }
  __device__ int after() const { return kernel / 2; }
  // Sources of the samples beyond the ends: the predictor reads the even half, the updater the odd.
  __device__ const int* beyond(const Span& span) const { return span.beyond + which * (kernel - 1); }

  // The function, from the input of its ReLU.
  __device__ C change(C linear) const {
    return multiply_add(gain, linear <= C(0) ? C(0) : linear, offset);
  }
};

// One halving: the lines along an axis. If the other axis is already halved, there are two nodes,
// each with separate filters.
struct Level {
  Span span, other;
  int nodes, pass;         // pass: that of the first node
  int lines, line, step;   // number of lines of a node, distances between lines and along them
  int part, node;          // distances from even samples to odd ones, and to the next node
  int hidden_line, hidden_step, hidden_node;
  int copy;  // the line that pads an odd number of lines; -1: none

  // Whether a line is the tile's own. Lines of both parts of the other axis have consecutive
  // numbers.
  __device__ bool owns(int number) const {
    const int at = number >= other.size ? number - other.size : number;
    return at >= other.begin && at < other.end && number != copy;
  }
  __device__ bool owns(int number, int k) const {
    return k >= span.begin && k < span.end && owns(number);
  }
};

__device__ inline Level level_of_cols(const Tile& tile) {
  const Span &rows = tile.rows, &cols = tile.cols;
  const LiftPoolAxis& axis = tile.job.rows;
  const index_t last = axis.half() - 1 - rows.start;
  const bool copied = rows.split && axis.n % 2 && last < rows.end;
  return {cols, rows, 1, 0, rows.size << rows.split, tile.pitch(), 1, cols.size, 0,
          cols.size | 1, 1, 0, copied ? rows.size + int(last) : -1};
}

__device__ inline Level level_of_rows(const Tile& tile) {
  const Span &rows = tile.rows, &cols = tile.cols;
  return {rows, cols, cols.parts(), cols.split, cols.size, 1, tile.pitch(),
          rows.size * tile.pitch(), cols.size, 1, tile.pitch(), cols.size, -1};
}

// Calls `f(line, run)` for all of them, lines first.
template <class F>
__device__ void each_run(int lines, int runs, const F& f) {
  if (lines <= 0) return;
  const int threads = blockDim.x, further = threads / lines, along = threads - further * lines;
  int run = int(threadIdx.x) / lines, line = int(threadIdx.x) - run * lines;
  while (run < runs) {
    f(line, run);
    run += further;
    line += along;
    if (line >= lines) {
      line -= lines;
      ++run;
    }
  }
}

// Sample `i` of a line, beyond its ends or near them. This is a call, because it is needed at the
// ends only.
template <class C>
__device__ __noinline__ C called_line(const C* line, int step, int size, const int* beyond, int before,
                                      int after, int i) {
  if (i >= 0 && i < size) return line[i * step];
  if (i >= size + after) return C(0);  // no result needs it
  const int at = beyond[i < 0 ? before + i : before + i - size];
  return at < 0 ? C(0) : line[at * step];
}
template <class C>
__device__ C read_line(const C* line, int step, const Span& span, const int* beyond, int before,
                       int after, int i) {
  return called_line(line, step, span.size, beyond, before, after, i);
}

// Results of a line that a thread computes at a time.
template <int K>
constexpr int run_length = K > 0 ? 4 : 1;

// Calls `f(line, k, linear, window)` for k from `begin` to `end` of all lines, with the ReLU's
// input and its samples (none if the number of weights is unknown at compile time).
template <int K, class C, class F>
__device__ void each_linear(const ReluFilter<C, K>& filter, const C* source, int lines, int line_step,
                            int step, const Span& span, int begin, int end, const F& f) {
  constexpr int length = run_length<K>;
  const int before = filter.before(), after = filter.after();
  const int* const beyond = filter.beyond(span);
  each_run(lines, (end - begin + length - 1) / length, [&](int number, int run) {
    const C* const line = source + number * line_step;
    const int k = begin + run * length, first = k - before;
    if constexpr (K > 0) {
      constexpr int count = length + K - 1;
      C window[count];
      if (first >= 0 && first + count <= span.size) {
#pragma unroll
        for (int j = 0; j < count; ++j) window[j] = line[(first + j) * step];
      } else {
#pragma unroll
        for (int j = 0; j < count; ++j)
          window[j] = read_line(line, step, span, beyond, before, after, first + j);
      }
#pragma unroll
      for (int j = 0; j < length; ++j) {
        if (k + j >= end) break;
        C sum = filter.weight[0] * window[j];
#pragma unroll
        for (int i = 1; i < K; ++i) sum = multiply_add(filter.weight[i], window[j + i], sum);
        f(number, k + j, sum + filter.bias, window + j);
      }
    } else {
      C sum = __ldg(filter.place) * read_line(line, step, span, beyond, before, after, first);
      for (int i = 1; i < filter.kernel; ++i) {
        const C value = read_line(line, step, span, beyond, before, after, first + i);
        sum = multiply_add(__ldg(filter.place + i), value, sum);
      }
      f(number, k, sum + filter.bias, nullptr);
    }
  });
}

// Adds the samples beyond the ends whose source is sample `k`. This is a call, because it is needed
// at the ends only.
template <class C>
__device__ __noinline__ C with_beyond(const C* weights, int kernel, const int* beyond, const C* line,
                                      int step, int size, int k, C sum) {
  const int before = (kernel - 1) / 2;
#pragma unroll 1
  for (int q = 0; q < kernel - 1; ++q) {
    if (beyond[q] != k) continue;
    const int place = q < before ? q - before : size + q - before;
    C folded = C(0);
#pragma unroll 1
    for (int i = 0; i < kernel; ++i) {
      const int at = place - i + before;
      if (at >= 0 && at < size) folded = multiply_add(__ldg(weights + i), line[at * step], folded);
    }
    sum += folded;
  }
  return sum;
}

// Calls `f(line, k, sum)` with the adjoint of the linear part, applied to `hidden`. Samples beyond
// the ends are folded back onto their sources.
template <int K, class C, class F>
__device__ void each_spread(const ReluFilter<C, K>& filter, const C* hidden, const Level& level,
                            int begin, int end, const F& f) {
  constexpr int length = run_length<K>;
  const Span& span = level.span;
  const int step = level.hidden_step, size = span.size, kernel = filter.kernel;
  const int* const beyond = filter.beyond(span);
  const auto folded_sum = [&](const C* line, int k, C sum) {
    if (k > kernel && k < size - 1 - kernel) return sum;
    return with_beyond(filter.place, kernel, beyond, line, step, size, k, sum);
  };
  each_run(level.lines, (end - begin + length - 1) / length, [&](int number, int run) {
    const C* const line = hidden + number * level.hidden_line;
    const int k = begin + run * length;
    if constexpr (K > 0) {
      constexpr int count = length + K - 1;
      const int first = k - filter.after();
      C window[count];
      if (first >= 0 && first + count <= size) {
#pragma unroll
        for (int j = 0; j < count; ++j) window[j] = line[(first + j) * step];
      } else {
#pragma unroll
        for (int j = 0; j < count; ++j) {
          const int at = first + j;
          window[j] = at >= 0 && at < size ? line[at * step] : C(0);
        }
      }
#pragma unroll
      for (int j = 0; j < length; ++j) {
        if (k + j >= end) break;
        C sum = filter.weight[0] * window[j + K - 1];
#pragma unroll
        for (int i = 1; i < K; ++i) sum = multiply_add(filter.weight[i], window[j + K - 1 - i], sum);
        f(number, k + j, folded_sum(line, k + j, sum));
      }
    } else {
      C sum = C(0);
      for (int i = 0; i < kernel; ++i) {
        const int at = k - i + filter.before();
        if (at >= 0 && at < size) sum = multiply_add(__ldg(filter.place + i), line[at * step], sum);
      }
      f(number, k, folded_sum(line, k, sum));
    }
  });
}

// --- sums over a block -----------------------------------------------------------------------

template <class C>
__device__ C sum_of_warp(C value) {
#pragma unroll
  for (int delta = warpSize / 2; delta > 0; delta /= 2) value += __shfl_down_sync(~0u, value, delta);
  return value;
}

// Sums of a block: of its warps, of the current tile, and of all its tiles.
template <class C>
struct BlockSums {
  C* partial;      // (2 nodes, warps, count)
  double* totals;  // (passes, functions, count)
  int count;

  __device__ void note(int node, int n, C value) const {
    const int warps = blockDim.x / warpSize, warp = threadIdx.x / warpSize;
    value = sum_of_warp(value);
    if (threadIdx.x % warpSize == 0) partial[(node * warps + warp) * count + n] = value;
  }

  // The same for values 0 to N - 1. At each step half of the lanes continue with one half of the
  // values. This exchanges far less than one value after the other.
  template <int N>
  __device__ void note_all(int node, const C (&values)[N]) const {
    constexpr int padded = N <= 8 ? 8 : 16;
    static_assert(N <= padded, "as many values as lanes go on with");
    const int warps = blockDim.x / warpSize, warp = threadIdx.x / warpSize;
    const int lane = threadIdx.x % warpSize;
    C left[padded];
#pragma unroll
    for (int i = 0; i < padded; ++i) left[i] = i < N ? values[i] : C(0);
    int mask = warpSize / 2;
#pragma unroll
    for (int some = padded / 2; some > 0; some /= 2) {
      const bool upper = lane & mask;
#pragma unroll
      for (int i = 0; i < some; ++i) {
        const C kept = upper ? left[i + some] : left[i], given = upper ? left[i] : left[i + some];
        left[i] = kept + __shfl_xor_sync(~0u, given, mask);
      }
      mask /= 2;
    }
#pragma unroll
    for (int rest = warpSize / padded / 2; rest > 0; rest /= 2)
      left[0] += __shfl_xor_sync(~0u, left[0], rest);
    const int n = lane / (warpSize / padded);
    if (lane % (warpSize / padded) == 0 && n < N) partial[(node * warps + warp) * count + n] = left[0];
  }

  // Needs a barrier after note() and another before the next note().
  __device__ void add(int node, double* to) const {
    const int warps = blockDim.x / warpSize;
    for (int n = threadIdx.x; n < count; n += blockDim.x) {
      double sum = 0;
      for (int w = 0; w < warps; ++w) sum += double(partial[(node * warps + w) * count + n]);
      to[n] += sum;
    }
  }
};

}  // namespace liftwave
